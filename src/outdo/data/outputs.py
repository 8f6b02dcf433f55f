"""Outputs of models that somebody stored: a row an instruction, with what each of them wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from outdo.data.place import Place
from outdo.data.rows import Row, read_rows
from outdo.errors import DataError
from outdo.records import Example, Json


@dataclass(frozen=True, slots=True)
class Stored:
    """An example of `write` with the texts that contestants gave; None where one gave none."""

    example: Example
    outputs: Mapping[str, str | None]


def read_outputs(
    path: Path,
    *,
    id: str,
    instruction: str,
    input: str,
    reference: str,
    contestants: Mapping[str, str],
    prefix: str = "",
) -> list[Stored]:
    """The rows of a file; all but the path are names of fields, points leading into fields.

    `contestants` maps a name to the field of its texts. A row without an id is named by its number,
    one without an input has none; `prefix` stands before each id. Raises DataError, with the line,
    for a row that lacks anything else, and for an id that stood before.
    """
    if not path.exists():
        hint = "paths start from data_root: change it with --set data_root=..."
        raise DataError("there is no such file", hint, where=str(path))
    found: dict[str, Stored] = {}
    for number, row in enumerate(read_rows(path)):
        name = inside(row.values, id)
        name = str(number if name is None else name)
        if name in found:
            raise row.place.error(f"the id {name!r} stood before", "give it once")
        given = {
            "instruction": _said(row, instruction),
            "input": _text(inside(row.values, input), input, row.place) or "",
        }
        example = Example(
            id=prefix + name,
            task="write",
            given=given,
            wanted={"reference": _said(row, reference)},
            group=prefix + name,
            split="test",
            source=path.name,
        )
        outputs = {who: _output(row, field) for who, field in contestants.items()}
        found[name] = Stored(example, outputs)
    return list(found.values())


def inside(values: Mapping[str, Json], field: str) -> Json:
    """The value that a field's name leads to, through other fields at its points; else None.

    A field whose own name has points comes first.
    """
    if field in values:
        return values[field]
    first, point, rest = field.partition(".")
    within = values.get(first)
    return inside(within, rest) if point and isinstance(within, Mapping) else None


def _said(row: Row, field: str) -> str:
    """A text that must be there."""
    value = _text(inside(row.values, field), field, row.place)
    if value is None or not value.strip():
        raise _missing(row, field)
    return value


def _output(row: Row, field: str) -> str | None:
    """A text that may be empty, or null where there was no answer."""
    value = _text(inside(row.values, field), field, row.place)
    before, _, last = field.rpartition(".")
    around = inside(row.values, before) if before else row.values
    if value is None and not (isinstance(around, Mapping) and last in around):
        raise _missing(row, field)
    return value


def _missing(row: Row, field: str) -> DataError:
    has = ", ".join(map(str, row.values))
    return row.place.error(f"the row has no {field!r}", f"name its field; the row has {has}")


def _text(value: Json, field: str, place: Place) -> str | None:
    if value is not None and not isinstance(value, str):
        raise place.error(f"{field!r} is no text but {type(value).__name__}", "give texts")
    return value
