"""Pairs of programs for one statement, one better by a criterion, and how that is known.

Whoever makes pairs (a bug put in, programs timed, a commit, a critique, people's votes) makes
these; whoever learns from them or is judged by them takes `choices`, which show no order.
"""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import get_args

from outdo.data.rows import Mistakes, Row, read_rows
from outdo.errors import DataError
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


NEEDED = ("id", "group", "source", "criterion", "statement", "better", "worse")


# ------------------------------------------------------------------ files


def write_pairs(path: Path | str, pairs: Iterable[CodePair]) -> None:
    """The pairs as JSON lines, whole or not at all."""
    out = io.StringIO()
    for pair in pairs:
        out.write(json.dumps(to_json(pair), ensure_ascii=False, sort_keys=True) + "\n")
    write_text(Path(path), out.getvalue())


def read_pairs(path: Path | str, mistakes: Mistakes | None = None) -> Iterator[CodePair]:
    """The pairs of a file or folder, as `write_pairs` writes them.

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
            raise row.place.error(f"a pair has no {name!r}", f"it needs {', '.join(NEEDED)}")
    for name in ("preamble", "problem", "licence"):
        if not isinstance(said.get(name, ""), str):
            raise row.place.error(f"{name!r} is no text", "write a string")
    if said.get("split", "train") not in get_args(Split):
        known = f"one of {', '.join(get_args(Split))}"
        raise row.place.error("a pair's split is unknown", known)
    if not isinstance(said.get("evidence", {}), Mapping):
        raise row.place.error("'evidence' is no mapping", "write an object")
    if said["better"] == said["worse"]:
        raise row.place.error("both programs are the same", "leave the pair out")
    return CodePair(**said)


# ------------------------------------------------------------------ examples


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
