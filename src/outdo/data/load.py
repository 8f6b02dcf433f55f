"""Anybody's rows as examples of a task, by a column mapping.

`columns` says which column holds what: `{statement: description, program: buggy_code}`. Names of
an example's own fields (id, group, split) fill these; `wanted.x` fills what is wanted; anything
else is given. Rows for `repair` are read as problems are, so that their tests are checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import get_args

from outdo.data.examples import repair_example
from outdo.data.hints import hint_example
from outdo.data.place import MAX_TEXT_BYTES, Place, content_name
from outdo.data.problems import Problem, problem_from
from outdo.data.rows import Mistakes, Row, read_rows
from outdo.errors import DataError
from outdo.records import Example, Json, Split, digest

OWN = ("id", "group", "split")
PROBLEM = ("problem", "title", "statement", "preamble", "entry", "tests", "check", "suite")
REPAIR = (*OWN, *PROBLEM, "how", "program", "repair", "reference")
HINT = (*OWN, "problem", "statement", "preamble", "program", "repair", "hint")

SAME_AGAIN = "the same as an earlier row, and without an id of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Examples, and what was left out: the number of rows by reason, and the first of each."""

    examples: tuple[Example, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    first: Mapping[str, str] = field(default_factory=dict)


def load(
    path: Path | str,
    *,
    task: str,
    columns: Mapping[str, str] | None = None,
    source: str = "",
    split: Split = "train",
    how: str = "",
    drop: bool = False,
) -> Loaded:
    """The examples of a task in a data file or a folder of them.

    Without `columns` each column fills the field of its own name. `how` is that of tests which
    don't say. Raises DataError at the row that can't be used; with `drop` such rows are counted
    and left out instead. An id that stands twice is always an error.
    """
    mistakes = Mistakes(dropping=drop)
    read = _READERS.get(task, _plain)
    defaults = _Defaults(task, source or Path(path).name, split, how)
    examples: dict[str, Example] = {}
    places: dict[str, Place] = {}
    for row in read_rows(path, mistakes):
        try:
            fields = mapped(row, columns)
            example = read(fields, row.place, defaults)
        except DataError as error:
            mistakes.tell(error)
            continue
        if example.id in examples and not own_id(fields):
            mistakes.drop(SAME_AGAIN, where=row.place.at())
            continue
        unrepeated(example.id, row.place, places)
        examples[example.id] = example
    if not examples:
        raise DataError("no row could be used", reasons(mistakes), where=str(path))
    return Loaded(
        examples=tuple(examples.values()), dropped=dict(mistakes.counts), first=mistakes.first
    )


def mapped(row: Row, columns: Mapping[str, str] | None) -> dict[str, Json]:
    """Field to value of one row; raises DataError if a column that was named isn't there."""
    if columns is None:
        return dict(row.values)
    for column in columns.values():
        if column not in row.values:
            raise row.place.error(
                f"the row has no column {column!r}", f"it has {', '.join(map(str, row.values))}"
            )
    return {name: row.values[column] for name, column in columns.items()}


def own_id(fields: Mapping[str, Json]) -> str:
    """The id that a row gives itself, or nothing."""
    value = fields.get("id")
    return "" if value is None else str(value)


def unrepeated(id: str, place: Place, places: dict[str, Place]) -> None:
    """Note where the id stands; raises DataError if it stood before."""
    if id in places:
        raise place.error(f"the id {id!r} stood before, at {places[id].at()}", "give it once")
    places[id] = place


def checked_program(value: Json, place: Place, *, field: str = "program") -> str:
    """The text of a program, which needn't be Python; refused if huge, empty or binary."""
    if not isinstance(value, str):
        raise place.error(f"{field} is {type(value).__name__}, not text")
    if "\0" in value:
        raise place.error(f"{field} holds a null byte", "it isn't text")
    if (size := len(value.encode("utf-8", "surrogatepass"))) > MAX_TEXT_BYTES:
        raise place.error(f"{field} has {size:,} bytes", f"at most {MAX_TEXT_BYTES:,} are read")
    if not value.strip():
        raise place.error(f"{field} is empty")
    return value.replace("\r\n", "\n").replace("\r", "\n")


def problem_of_row(fields: Mapping[str, Json], place: Place, *, how: str = "") -> Problem:
    """The problem that a row describes: tests may be a list, or JSON text of one."""
    named = {name: value for name, value in fields.items() if name in PROBLEM and value is not None}
    named["tests"] = _tests(named.get("tests", []), place, how)
    reference = fields.get("reference")
    solutions = [reference] if reference else list(fields.get("solutions") or [])
    name = str(named.pop("problem", "") or "") or "problem-" + digest(named)[:12]
    return problem_from({**named, "name": name, "solutions": solutions}, place)


def _tests(value: Json, place: Place, how: str) -> list[Json]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else []
        except ValueError:
            raise place.error(
                "tests aren't JSON", 'like [{"call": "f(1)", "expected": "2"}]'
            ) from None
    if not isinstance(value, list):
        raise place.error("tests must be a list")
    return [_test(test, how) for test in value]


def _test(test: Json, how: str) -> Json:
    """The test with `expected` as text (JSON gives 6 or [1, 2] too) and with its `how`."""
    if not isinstance(test, dict):
        return test
    test = {name: value for name, value in test.items() if value is not None}
    if "expected" in test and not isinstance(test["expected"], str):
        test["expected"] = repr(test["expected"])
    return {"how": how, **test} if how else test


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What is true of all rows that don't say otherwise."""

    task: str
    source: str
    split: Split
    how: str


def _repair(fields: Mapping[str, Json], place: Place, defaults: _Defaults) -> Example:
    if unknown := sorted(set(fields) - set(REPAIR)):
        raise place.error(
            f"repair knows no field {unknown[0]!r}", f"name columns for: {', '.join(REPAIR)}"
        )
    program = checked_program(fields.get("program"), place)
    problem = problem_of_row(fields, place, how=str(fields.get("how") or defaults.how))
    repair = fields.get("repair")
    return repair_example(
        problem,
        program,
        name=own_id(fields) or content_name(str(fields.get("group")), digits=6),
        source=defaults.source,
        group=str(fields.get("group") or problem.name),
        split=_split(fields, place, defaults.split),
        repair=checked_program(repair, place, field="repair") if repair else None,
    )


def _hint(fields: Mapping[str, Json], place: Place, defaults: _Defaults) -> Example:
    """A buggy program, its repair, perhaps a hint that somebody wrote; it needs no tests.

    With tests it is an example of `repair` that holds the hint.
    """
    if set(fields) & {"tests", "check", "suite"}:
        rest = {name: value for name, value in fields.items() if name != "hint"}
        tested = _repair(rest, place, defaults)
        said = str(fields.get("hint") or "").strip() or None
        return replace(tested, wanted={**tested.wanted, "hint": said})
    if unknown := sorted(set(fields) - set(HINT)):
        raise place.error(
            f"hint knows no field {unknown[0]!r}", f"name columns for: {', '.join(HINT)}"
        )
    program = checked_program(fields.get("program"), place)
    repair, statement = fields.get("repair"), str(fields.get("statement") or "").strip()
    if not statement:
        raise place.error("the row has no statement", "say what the program should do")
    problem = str(fields.get("problem") or content_name(statement))
    return hint_example(
        name=own_id(fields) or content_name(f"{fields.get('group')}\n{program}"),
        problem=problem,
        statement=statement,
        preamble=str(fields.get("preamble") or ""),
        program=program,
        repair=checked_program(repair, place, field="repair") if repair else None,
        hint=str(fields.get("hint") or "").strip() or None,
        group=str(fields.get("group") or problem),
        split=_split(fields, place, defaults.split),
        source=defaults.source,
    )


def _plain(fields: Mapping[str, Json], place: Place, defaults: _Defaults) -> Example:
    given = {
        name.removeprefix("given."): value
        for name, value in fields.items()
        if name not in OWN and not name.startswith("wanted.")
    }
    wanted = {
        name.removeprefix("wanted."): value
        for name, value in fields.items()
        if name.startswith("wanted.")
    }
    if not given:
        raise place.error("the row gives nothing", "name a column that isn't wanted.…")
    id = own_id(fields) or content_name(digest([given, wanted, fields.get("group")]))
    return Example(
        id=id,
        task=defaults.task,
        given=given,
        wanted=wanted,
        group=str(fields.get("group") or id),
        split=_split(fields, place, defaults.split),
        source=defaults.source,
    )


_READERS = {"repair": _repair, "hint": _hint}
"""Task to what reads its rows; those of any other are taken as they are."""


def _split(fields: Mapping[str, Json], place: Place, otherwise: Split) -> Split:
    value = fields.get("split") or otherwise
    if value not in get_args(Split):
        raise place.error(f"unknown split {value!r}", f"one of {', '.join(get_args(Split))}")
    return value


def reasons(mistakes: Mistakes) -> str:
    """The three commonest things that were wrong, how often, and where first."""
    return "; ".join(
        f"{count} times: {reason}, first at {mistakes.first[reason]}"
        for reason, count in mistakes.counts.most_common(3)
    )
