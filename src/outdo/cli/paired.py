"""What the verbs of `outdo data pairs` do: make pairs, let them through gates, write, tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

from outdo.cli.sources import problems_of
from outdo.cli.watch import watcher
from outdo.data import verified
from outdo.data.card import card as written
from outdo.data.card import report
from outdo.data.instructions import FORMS, read_instructions
from outdo.data.load import mapped, own_id
from outdo.data.pair_gates import gated, gates, item, with_comments
from outdo.data.pairs import CodePair, read_pairs, write_pairs, written_to
from outdo.data.place import content_name
from outdo.data.problems import Problem
from outdo.data.rows import Mistakes, read_rows
from outdo.data.sifting import Item
from outdo.data.submissions import Submission, read_problem_set, read_submissions
from outdo.errors import DataError, OutdoError
from outdo.pipeline.giveaways import giveaways, section
from outdo.records import Json
from outdo.sandbox import Sandbox
from outdo.store import write_text

# ------------------------------------------------------------------ making


def make_correct(
    problems: str,
    *,
    out: Path,
    count: int,
    programs: Path | None,
    kinds: tuple[Sequence[str], Sequence[str]],
    test: Sequence[str],
    licence: str,
    seed: int,
    tier: str,
) -> None:
    """Pairs of right and wrong programs, as a file; raises DataError where there is none."""
    written_to(out)
    dropped = Counter[str]()
    known = _problems(problems, dropped, tier=tier)
    with watcher().stage("correct", total=None, unit="pairs") as tally, _sandbox(tier) as sandbox:
        if programs is None:
            found = verified.correct(
                known, count=count, seed=seed, sandbox=sandbox, licence=licence
            )
        else:
            read = _programs(programs, dropped, correct=kinds[0], buggy=kinds[1])
            found = verified.handed_in(
                known,
                read,
                sandbox=sandbox,
                repairs=_repairs(programs),
                test=test,
                licence=licence,
                dropped=dropped,
            )
        tally(len(found))
    _finish(found, out, dropped)


def make_faster(
    problems: str,
    *,
    out: Path,
    programs: Path | None,
    correct: Sequence[str],
    most: int,
    per_problem: int | None,
    licence: str,
    seed: int,
    tier: str,
) -> None:
    """Pairs of fast and slow programs, as a file; raises DataError where there is none."""
    written_to(out)
    dropped = Counter[str]()
    known = _problems(problems, dropped, tier=tier)
    with watcher().stage("faster", total=None, unit="pairs") as tally, _sandbox(tier) as sandbox:
        if programs is not None:
            read = _programs(programs, dropped, correct=correct, buggy=())
            known = verified.with_programs(known, read, most=most, sandbox=sandbox)
        found = verified.faster(
            known,
            seed=seed,
            sandbox=sandbox,
            most=most,
            per_problem=per_problem,
            licence=licence,
            dropped=dropped,
        )
        tally(len(found))
    _finish(found, out, dropped)


def make_safer(
    rows: Path,
    *,
    out: Path,
    way: Literal["weaken", "mend"],
    columns: Sequence[str],
    per_program: int,
    licence: str,
    seed: int,
) -> None:
    """Pairs of safe and unsafe code, as a file; raises DataError where there is none."""
    written_to(out)
    dropped = Counter[str]()
    with watcher().stage("safer", total=None, unit="pairs") as tally:
        codes = _codes(rows, _columns(columns), licence)
        found = verified.safer(codes, way=way, per_program=per_program, seed=seed, dropped=dropped)
        tally(len(found))
    _finish(found, out, dropped)


def _sandbox(tier: str) -> Sandbox:
    return Sandbox(tier=tier)  # type: ignore[arg-type]


def _finish(found: Sequence[CodePair], out: Path, dropped: Mapping[str, int]) -> None:
    _tell(dropped)
    if not found:
        raise DataError("there is no pair", "give more programs, or other ones")
    write_pairs(out, found)
    _show(found)
    print(f"{len(found):,} pairs in {out}")


def _tell(dropped: Mapping[str, int]) -> None:
    for reason, number in sorted(dropped.items()):
        if number:
            print(f"{number:,} {reason}")


def _show(pairs: Iterable[CodePair]) -> None:
    counts: Counter[tuple[str, str]] = Counter((pair.criterion, pair.source) for pair in pairs)
    table = Table(title="pairs", title_justify="left")
    table.add_column("criterion")
    table.add_column("source")
    table.add_column("pairs", justify="right")
    for (criterion, source), number in sorted(counts.items()):
        table.add_row(criterion, source, f"{number:,}")
    Console().print(table)


# ------------------------------------------------------------------ reading


def _problems(name: str, dropped: Counter[str], *, tier: str) -> Sequence[Problem]:
    """The problems of a folder or a file; rows of `write` with tests become problems too.

    `dropped` counts rows of no use.
    """
    path = Path(name)
    if name == "embedded" or path.is_dir() or path.suffix == ".yaml":
        return problems_of(name, Path()) if path.suffix != ".yaml" else read_problem_set(path)
    first = next(iter(read_rows(path))).values if path.suffix != ".json" else {"task_id": "1"}
    if path.suffix != ".json" and not any(
        all(field in first for field in needed) for needed in FORMS.values()
    ):
        return read_problem_set(path, columns=_columns_of(path, PROBLEM), how="printed")
    mistakes = Mistakes(dropping=True)
    with _sandbox(tier) as sandbox:
        read = read_instructions(path, sandbox=sandbox, mistakes=mistakes)
    _count(path, mistakes, dropped)
    return verified.problems_of(read.examples)


def _programs(
    path: Path, dropped: Counter[str], *, correct: Sequence[str], buggy: Sequence[str]
) -> tuple[Submission, ...]:
    """The programs of a file; `dropped` counts rows of other kinds, and those of no use."""
    mistakes = Mistakes(dropping=True)
    read = read_submissions(
        path,
        columns=_columns_of(path, PROGRAM, without=() if correct or buggy else ("kind",)),
        correct=correct,
        buggy=buggy,
        mistakes=mistakes,
    )
    _count(path, mistakes, dropped)
    return read


def _count(path: Path, mistakes: Mistakes, dropped: Counter[str]) -> None:
    """Count what was left out of a file, with its reason."""
    for reason, number in mistakes.counts.items():
        dropped[f"rows of {path.name}: {reason}"] += number


PROBLEM: Mapping[str, tuple[str, ...]] = {
    "problem": ("problem", "name"),
    "title": ("title",),
    "statement": ("statement", "description"),
    "entry": ("entry", "entry_point"),
    "preamble": ("preamble",),
    "tests": ("tests",),
    "check": ("check",),
    "reference": ("reference", "solution"),
}
PROGRAM: Mapping[str, tuple[str, ...]] = {
    "problem": ("problem",),
    "id": ("id",),
    "program": ("program", "code"),
    "group": ("group", "student"),
    "kind": ("kind", "split"),
    "passed": ("passed", "all_pass"),
}
"""A field, and the columns that are taken for it: the first that a file's first row has."""


def _columns_of(
    path: Path, fields: Mapping[str, Sequence[str]], *, without: Sequence[str] = ()
) -> dict[str, str]:
    first = next(iter(read_rows(path))).values
    return {
        field: next(name for name in names if name in first)
        for field, names in fields.items()
        if field not in without and any(name in first for name in names)
    }


def _repairs(path: Path) -> dict[str, str]:
    """Known repairs by the ids of programs: a column whose name ends in `repair`."""
    found: dict[str, str] = {}
    for row in read_rows(path, Mistakes(dropping=True)):
        name = own_id(row.values)
        for column, value in row.values.items():
            if name and column.endswith("repair") and isinstance(value, str) and value.strip():
                found.setdefault(name, value)
    return found


FIELDS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "after", "origin_code", "output"),
    "statement": ("statement", "instruction", "test_case_prompt"),
    "group": ("group", "repo", "path"),
    "licence": ("licence", "license"),
}
"""A field of a piece of code, and the columns that are taken for it, the first that is there."""


def _columns(given: Sequence[str]) -> dict[str, str]:
    columns = {}
    for one in given:
        field, equals, name = one.partition("=")
        if not (equals and name) or field not in FIELDS:
            problem = f"{one!r} names no column"
            raise DataError(problem, f"as in --column code=after; fields: {', '.join(FIELDS)}")
        columns[field] = name
    return columns


def _codes(path: Path, columns: Mapping[str, str], licence: str) -> list[verified.Code]:
    """The pieces of code of a file's rows, each once; raises DataError at a row without code."""
    found: dict[str, verified.Code] = {}
    for row in read_rows(path):
        fields = {**row.values, **mapped(row, columns)} if columns else dict(row.values)
        said = {field: _said(fields, names) for field, names in FIELDS.items()}
        if not said["code"]:
            hint = f"one of the columns {', '.join(FIELDS['code'])}, or --column code=..."
            raise row.place.error("the row has no code", hint)
        name = content_name(said["code"])
        found.setdefault(
            name,
            verified.Code(
                id=name,
                group=said["group"] or name,
                code=said["code"],
                statement=said["statement"],
                licence=licence or said["licence"],
            ),
        )
    return list(found.values())


def _said(fields: Mapping[str, Json], names: Sequence[str]) -> str:
    found = (fields[name] for name in names if isinstance(fields.get(name), str))
    return next(found, "")


# ------------------------------------------------------------------ sifting


@dataclass(frozen=True, slots=True, kw_only=True)
class Gating:
    """What pairs are asked for, as the verb was told."""

    problems: str | None
    least: float
    alike: float
    evaluation: tuple[Path, ...]
    overlap: float
    licences: tuple[str, ...] | None
    even: bool
    balance: float | None
    comments: str


def sift_files(
    files: Sequence[Path], *, out: Path, card: Path | None, gating: Gating, seed: int, tier: str
) -> None:
    """The pairs of some files that come through the gates, as a file, and a card beside it.

    Raises DataError where none is left, or a way of treating comments isn't known.
    """
    written_to(out)
    dropped = Counter[str]()
    pairs = [pair for file in files for pair in read_pairs(file)]
    if gating.comments not in ("keep", "strip", "bare"):
        raise DataError(f"comments can't be {gating.comments!r}", "keep, strip or bare")
    pairs = with_comments(pairs, gating.comments, dropped=dropped)  # type: ignore[arg-type]
    problems = _problems(gating.problems, dropped, tier=tier) if gating.problems else ()
    evaluation = _evaluation(gating.evaluation, dropped)
    with watcher().stage("gates", total=len(pairs), unit="pairs") as tally, _sandbox(tier) as box:
        kept = gated(
            pairs,
            gates(
                pairs,
                problems=problems,
                sandbox=box,
                band=(gating.least, 1.0),
                near=gating.alike,
                evaluation=evaluation,
                share=gating.overlap,
                licences=gating.licences,
                even=gating.even,
                balance=gating.balance,
                seed=seed,
            ),
        )
        tally(len(pairs))
    print(kept.sifted.told)
    _tell(dropped)
    if not kept.pairs:
        raise DataError("no pair is left", "let more through: `outdo data pairs sift --help`")
    about = {
        "files": [file.name for file in files],
        "comments": gating.comments,
        **{reason: number for reason, number in dropped.items() if number},
    }
    told = report(kept.sifted, [item(pair) for pair in kept.pairs], about=about)
    page = f"{written(told, title='Pairs of programs')}\n{_contents(kept.pairs, seed=seed)}"
    write_pairs(out, kept.pairs, page=page)
    write_text(card or out.with_suffix(".md" if out.suffix else ".card.md"), page)
    _show(kept.pairs)
    print(f"{len(kept.pairs):,} of {len(pairs):,} pairs in {out}")


def _contents(pairs: Sequence[CodePair], *, seed: int) -> str:
    """What there is of each criterion, source and split, and what gives the better side away."""
    counts: Counter[tuple[str, str, str]] = Counter(
        (pair.criterion, pair.source, pair.split) for pair in pairs
    )
    lines = [
        "## Criteria",
        "",
        "| criterion | source | split | pairs |",
        "| --- | --- | --- | --- |",
        *(f"| {' | '.join(key)} | {number:,} |" for key, number in sorted(counts.items())),
        "",
    ]
    return "\n".join([*lines, section(giveaways(pairs, seed=seed))])


def _evaluation(files: Sequence[Path], dropped: Counter[str]) -> list[Item]:
    """The rows of benchmarks that pairs are held apart from: all texts of each row.

    `dropped` counts rows of no use.
    """
    found = []
    for file in files:
        mistakes = Mistakes(dropping=True)
        try:
            rows = list(read_rows(file, mistakes))
        except OutdoError as error:
            raise DataError(f"an evaluation can't be read: {error}") from error
        _count(file, mistakes, dropped)
        for number, row in enumerate(rows):
            texts = tuple(value for value in row.values.values() if isinstance(value, str))
            found.append(Item(id=f"{file.name}:{number + 1}", texts=texts))
    return found
