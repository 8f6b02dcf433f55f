"""Pairs of programs for one statement, one better by a criterion, and how that is known.

Whoever makes pairs (a bug put in, programs timed, a commit, a critique, people's votes) makes
these; whoever learns from them or is judged by them takes `choices`, which show no order.
"""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import get_args

from outdo import tokens
from outdo.data.comments import without_comments
from outdo.data.rows import Mistakes, Row, read_rows
from outdo.errors import DataError, MissingExtra
from outdo.records import Example, Json, Split, digest, to_json
from outdo.store import write_text

CORRECTNESS, EFFICIENCY, SECURITY = "correctness", "efficiency", "security"
GENERAL = "general"
"""The criterion of a pair that nobody named one for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePair:
    """Two programs for one statement; `better` is better than `worse` by `criterion`.

    `group` is what may stand in training or in the test, never in both: a problem, a repository.
    `evidence` says how it is known: the bug and the test that shows it, instructions counted, a
    rule and its CWE, a teacher's reasons, votes. `preamble` runs before both programs. `problem` is
    what both programs solve, where that is not the group.
    """

    id: str
    group: str
    source: str
    criterion: str
    statement: str
    better: str
    worse: str
    preamble: str = ""
    problem: str = ""
    evidence: Mapping[str, Json] = field(default_factory=dict)
    licence: str = ""
    split: Split = "train"


SIDES = ("first", "second")
NEEDED = ("id", "group", "source", "criterion", "statement", "better", "worse")


# ------------------------------------------------------------------ files

SUFFIXES = (".jsonl", ".parquet")

PAGE = """---
configs:
- config_name: default
  data_files:
{files}
---
"""
"""What makes a folder of Parquet files a set that the library `datasets` loads by its path."""


def write_pairs(path: Path | str, pairs: Iterable[CodePair], *, page: str = "") -> list[Path]:
    """Write the pairs, each file whole or not at all; the files come back.

    A path that ends in `.jsonl` or `.parquet` is one file. One without an ending is a folder with a
    Parquet file a split and a README.md that holds `page`: `datasets.load_dataset(folder)` reads
    it. In Parquet `evidence` is JSON as text, for its keys differ from pair to pair. Raises
    DataError for another ending, MissingExtra where Parquet needs pyarrow.
    """
    path, rows = written_to(path), list(pairs)
    if path.suffix == ".jsonl":
        out = io.StringIO()
        for pair in rows:
            out.write(json.dumps(to_json(pair), ensure_ascii=False, sort_keys=True) + "\n")
        write_text(path, out.getvalue())
        return [path]
    if path.suffix == ".parquet":
        _write_parquet(path, rows)
        return [path]
    return _write_folder(path, rows, page)


def written_to(path: Path | str) -> Path:
    """The path, if pairs can be written to one of its ending. Raises DataError if not."""
    path = Path(path)
    if path.suffix not in ("", *SUFFIXES):
        problem = f"pairs aren't written as {path.suffix!r}"
        hint = f"one of {', '.join(SUFFIXES)}, or a folder's name without an ending"
        raise DataError(problem, hint, where=str(path))
    return path


def _write_folder(folder: Path, rows: Sequence[CodePair], page: str) -> list[Path]:
    splits = [split for split in get_args(Split) if any(pair.split == split for pair in rows)]
    written = []
    for split in splits:
        written.append(folder / f"{split}.parquet")
        _write_parquet(written[-1], [pair for pair in rows if pair.split == split])
    files = [
        f"  - split: {'validation' if split == 'valid' else split}\n    path: {split}.parquet"
        for split in splits
    ]
    head = PAGE.format(files="\n".join(files))
    write_text(folder / "README.md", f"{head}\n{page}".rstrip() + "\n")
    return [*written, folder / "README.md"]


def _write_parquet(path: Path, rows: Sequence[CodePair]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise MissingExtra.of("pyarrow", "data") from None
    names = [one.name for one in fields(CodePair)]
    columns = {
        name: [
            json.dumps(to_json(pair.evidence), ensure_ascii=False, sort_keys=True)
            if name == "evidence"
            else getattr(pair, name)
            for pair in rows
        ]
        for name in names
    }
    shape = pyarrow.schema([(name, pyarrow.string()) for name in names])
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as part:
        aside = Path(part.name)
    try:
        pyarrow.parquet.write_table(pyarrow.table(columns, schema=shape), aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_pairs(path: Path | str, mistakes: Mistakes | None = None) -> Iterator[CodePair]:
    """The pairs of a file or folder, as `write_pairs` writes them: equal to what was written.

    Raises DataError at the line of a row that is no pair, unless `mistakes` counts them.
    """
    mistakes = mistakes or Mistakes()
    for row in read_rows(path, mistakes):
        try:
            yield _pair(row)
        except DataError as error:
            mistakes.tell(error)


def _pair(row: Row) -> CodePair:
    said = {one.name: row.values[one.name] for one in fields(CodePair) if one.name in row.values}
    for name in NEEDED:
        if not isinstance(said.get(name), str) or not str(said[name]).strip():
            hint = f"two programs need {', '.join(NEEDED)}; replies are read by another `format`"
            raise row.place.error(f"a pair has no {name!r}", hint)
    for name in ("preamble", "problem", "licence"):
        if not isinstance(said.get(name, ""), str):
            raise row.place.error(f"{name!r} is no text", "write a string")
    if said.get("split", "train") not in get_args(Split):
        known = f"one of {', '.join(get_args(Split))}"
        raise row.place.error("a pair's split is unknown", known)
    said["evidence"] = _evidence(said.get("evidence"))
    if not isinstance(said["evidence"], Mapping):
        raise row.place.error("'evidence' is no mapping", "write an object")
    if said["better"] == said["worse"]:
        raise row.place.error("both programs are the same", "leave the pair out")
    return CodePair(**said)


def _evidence(said: Json) -> Json:
    """The evidence of a row; JSON as text in Parquet."""
    if not isinstance(said, str):
        return {} if said is None else said
    try:
        return json.loads(said)
    except ValueError:
        return said


# ------------------------------------------------------------------ examples


def apart(pairs: Sequence[CodePair], groups: int, *, seed: int) -> list[CodePair]:
    """The pairs, those of so many groups to test with; at most of a third of all groups.

    Where a pair is to test with already, they come back as they are.
    """
    if any(pair.split == "test" for pair in pairs):
        return list(pairs)
    order = sorted({pair.group for pair in pairs}, key=lambda name: digest([seed, "apart", name]))
    held = set(order[: min(groups, len(order) // 3)])
    return [replace(pair, split="test") if pair.group in held else pair for pair in pairs]


def choices(pairs: Sequence[CodePair], *, seed: int) -> list[Example]:
    """The pairs as examples of the task `prefer`, in their order.

    Of each split, source and criterion the better program stands first in half of them.
    """
    leading = _leading(pairs, seed)
    return [_choice(pair, better_first=pair.id in leading) for pair in pairs]


def _leading(pairs: Sequence[CodePair], seed: int) -> set[str]:
    """The ids of the half, of each part, in which the better program stands first."""
    parts: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for pair in pairs:
        parts[pair.split, pair.source, pair.criterion].append(pair.id)
    drawn = (sorted(ids, key=lambda name: digest([seed, name])) for ids in parts.values())
    return {name for ids in drawn for name in ids[::2]}


def _choice(pair: CodePair, *, better_first: bool) -> Example:
    given = {
        "problem": pair.problem or pair.group,
        "statement": pair.statement,
        "preamble": pair.preamble,
        "criterion": pair.criterion,
        "first": pair.better if better_first else pair.worse,
        "second": pair.worse if better_first else pair.better,
    }
    wanted = {"choice": "first" if better_first else "second", "evidence": pair.evidence}
    return Example(
        id=pair.id,
        task="prefer",
        given=given,
        wanted=wanted,
        group=pair.group,
        split=pair.split,
        source=pair.source,
    )


def uneven(longer: Iterable[tuple[str, Hashable, int]], *, seed: int) -> dict[str, bool]:
    """The ids that go so that in each part the better side is as often longer as shorter.

    Of each pair the id, the part it belongs to, and by how much its better side is longer. Of the
    more frequent kind those go that the seed draws, each with whether it is the longer kind; pairs
    of equal length stay.
    """
    parts: dict[Hashable, dict[bool, list[str]]] = defaultdict(lambda: {True: [], False: []})
    for id, part, more in longer:
        if more:
            parts[part][more > 0].append(id)
    gone = {}
    for kinds in parts.values():
        keep = min(map(len, kinds.values()))
        for kind, ids in kinds.items():
            drawn = sorted(ids, key=lambda id: digest([seed, id]))
            gone.update(dict.fromkeys(drawn[keep:], kind))
    return gone


def evened(examples: Sequence[Example], *, seed: int) -> list[Example]:
    """The choices among the examples without those that `uneven` takes out; others stay.

    Parts are what one source has of a criterion in a split, lengths tokens of code.
    """
    longer = (
        (one.id, (one.split, one.source, one.given.get("criterion")), _longer_by(one))
        for one in examples
        if one.task == "prefer"
    )
    gone = uneven(longer, seed=seed)
    return [one for one in examples if one.task != "prefer" or one.id not in gone]


def _longer_by(example: Example) -> int:
    """The tokens that the better program has more than the other."""
    first, second = (len(tokens.code_tokens(str(example.given[side]))) for side in SIDES)
    return first - second if example.wanted["choice"] == SIDES[0] else second - first


def reworded(example: Example, *, criterion: str | None = None, bare: bool = False) -> Example:
    """A choice with another criterion, none if that is empty, or without comments and docstrings.

    Programs that would be the same then, or have no syntax tree, keep what they have.
    """
    given = dict(example.given)
    if criterion is not None:
        given["criterion"] = criterion
    if bare:
        with contextlib.suppress(DataError):
            sides = [without_comments(str(given[side]), docstrings=True) for side in SIDES]
            if sides[0] != sides[1]:
                given.update(zip(SIDES, sides, strict=True))
    return replace(example, given=given)
