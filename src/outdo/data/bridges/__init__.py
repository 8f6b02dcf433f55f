"""Bridges to what people already have: answers and annotations in the forms of other tools.

`read_answers` and `read_annotations` find out the form by themselves; `write_answers` and
`write_annotations` write what those tools read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from outdo.data.bridges import alpaca, arena, evalplus, inspect_logs, lmeval, plain
from outdo.data.bridges.answers import AnswerSet, Found, Matched, gathered, matched
from outdo.data.place import Place, read_text
from outdo.data.rows import Row, read_rows
from outdo.errors import DataError
from outdo.records import Json, Preference, from_json, to_json

__all__ = [
    "ANNOTATIONS",
    "FORMATS",
    "AnswerSet",
    "Matched",
    "matched",
    "read_annotations",
    "read_answers",
    "write_annotations",
    "write_answers",
]

FORMATS = ("plain", "arena-hard", "alpaca-eval", "lm-eval", "evalplus", "inspect")
"""Forms of answers; `inspect` is read only."""
ANNOTATIONS = ("plain", "arena-hard", "alpaca-eval")
"""Forms of annotations."""
SEVERAL = ("evalplus", "inspect")
"""Forms in which rows of one id are its samples."""
MAX_JSON_BYTES = 512 * 2**20
_BETWEEN = re.compile(r"[\s,]*")

Rows = Iterator[Row]
_READERS: dict[str, Callable[[Rows, Path], Iterator[Found]]] = {
    "plain": plain.read,
    "arena-hard": arena.read,
    "alpaca-eval": alpaca.read,
    "lm-eval": lmeval.read,
    "evalplus": evalplus.read,
}
_WRITERS: dict[str, Callable[[AnswerSet], Iterator[Json]]] = {
    "plain": plain.rows,
    "arena-hard": arena.rows,
    "alpaca-eval": alpaca.rows,
    "lm-eval": lmeval.rows,
    "evalplus": evalplus.rows,
}
_SIGNS: tuple[tuple[str, frozenset[str]], ...] = (
    ("plain", plain.FIELDS),
    ("arena-hard", arena.FIELDS),
    ("arena-hard", arena.FIELDS_2),
    ("alpaca-eval", alpaca.FIELDS),
    ("lm-eval", lmeval.FIELDS),
    ("evalplus", evalplus.FIELDS),
)
"""What a row of each form has at least; the first that fits is taken."""


def read_answers(path: Path | str, *, format: str = "auto", name: str = "") -> AnswerSet:
    """The answers in a file; `name` is the contestant's, else the file's own word or its stem.

    Raises DataError, with the line, for a form that isn't known and rows that don't keep to it, and
    for an id that stands twice where the form has no samples.
    """
    path = Path(path)
    _known(format, FORMATS, path)
    found, form = _found(path, format)
    read = gathered(found, name=name or _stem(path), several=form in SEVERAL)
    if not read.answers:
        raise DataError("there are no answers", where=str(path))
    if not name:
        return read
    return AnswerSet(name=name, answers=read.answers, prompts=read.prompts, notes=read.notes)


def _found(path: Path, format: str) -> tuple[Iterator[Found], str]:
    if path.suffix == ".eval":
        return inspect_logs.read_packed(path), "inspect"
    if path.suffix == ".json":
        value, text = _document(path)
        if isinstance(value, dict) and format in ("auto", "inspect"):
            return inspect_logs.read_json(value, path), "inspect"
        rows = _listed(value, text, path)
    else:
        rows = read_rows(path)
    first = next(rows, None)
    if first is None:
        raise DataError("there are no rows", "the file is empty", where=str(path))
    form = _sign(first) if format == "auto" else format
    if form not in _READERS:
        raise DataError(f"this is no file of {form}", where=str(path))
    return _READERS[form](chain([first], rows), path), form


def _sign(first: Row) -> str:
    """The form of a file, from its first row."""
    for form, fields in _SIGNS:
        if fields <= set(first.values):
            return form
    has = ", ".join(map(repr, list(first.values)[:6])) or "nothing"
    raise first.place.error(
        f"no known form of answers: the row has {has}",
        'ours is {"id": ..., "prompt": ..., "answer": ...}',
    )


def _document(path: Path) -> tuple[Json, str]:
    """The value of a JSON file, and its text."""
    text = read_text(path, limit=MAX_JSON_BYTES)
    try:
        return json.loads(text), text
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 1)
        raise DataError("the file isn't JSON", "copy it again", where=f"{path}:{line}") from None


def _listed(value: Json, text: str, path: Path) -> Rows:
    """The objects of a JSON list, each with the line on which it begins."""
    if not isinstance(value, list):
        raise DataError("the file isn't a list of objects", where=str(path))
    decoder, at, line = json.JSONDecoder(), text.index("[") + 1, 1
    counted = 0
    for _ in value:
        at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing too
        line, counted = line + text.count("\n", counted, at), at
        each, at = decoder.raw_decode(text, at)
        place = Place(path=str(path), line=line)
        if not isinstance(each, dict):
            raise place.error("the item isn't an object")
        yield Row(each, place)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[0] or path.name


def _known(format: str, formats: Sequence[str], path: Path) -> None:
    if format != "auto" and format not in formats:
        raise DataError(
            f"there is no form {format!r}", f"one of {', '.join(formats)}", where=str(path)
        )


def write_answers(answers: AnswerSet, path: Path | str, *, format: str = "plain") -> None:
    """Write the answers in a form that `read_answers`, and the tool of that name, reads."""
    path = Path(path)
    if format not in _WRITERS:
        raise DataError(f"answers can't be written as {format!r}", f"one of {', '.join(_WRITERS)}")
    _write(_WRITERS[format](answers), path, listed=format == "alpaca-eval")


def read_annotations(path: Path | str, *, format: str = "auto") -> tuple[Preference, ...]:
    """What an annotator preferred, in a file of annotations; `plain` is a preference a line."""
    path = Path(path)
    _known(format, ANNOTATIONS, path)
    rows = _listed(*_document(path), path) if path.suffix == ".json" else read_rows(path)
    first = next(rows, None)
    if first is None:
        return ()
    whole = chain([first], rows)
    form = _annotated(first) if format == "auto" else format
    if form == "arena-hard":
        return tuple(arena.judged(whole, path))
    if form == "alpaca-eval":
        return tuple(alpaca.judged(whole, path))
    return tuple(_preference(row) for row in whole)


def _annotated(first: Row) -> str:
    names = set(first.values)
    if names >= arena.GAMES:
        return "arena-hard"
    if names >= alpaca.ANNOTATED:
        return "alpaca-eval"
    if names >= {"comparison", "choice", "by"}:
        return "plain"
    raise first.place.error(
        f"no known form of annotations: the row has {', '.join(map(repr, list(names)[:6]))}"
    )


def _preference(row: Row) -> Preference:
    try:
        return from_json(Preference, dict(row.values))
    except ValueError as error:
        raise row.place.error(str(error)) from None


def write_annotations(
    preferences: Sequence[Preference], path: Path | str, *, format: str = "plain"
) -> None:
    """Write preferences in a form that `read_annotations`, and the tool of that name, reads."""
    path = Path(path)
    if format == "plain":
        rows: Iterable[Json] = (to_json(one) for one in preferences)
    elif format == "arena-hard":
        rows = arena.annotation_rows(preferences)
    elif format == "alpaca-eval":
        rows = alpaca.annotation_rows(preferences)
    else:
        raise DataError(
            f"annotations can't be written as {format!r}", f"one of {', '.join(ANNOTATIONS)}"
        )
    _write(rows, path, listed=format == "alpaca-eval")


def _write(rows: Iterable[Json], path: Path, *, listed: bool) -> None:
    lines = [json.dumps(row, ensure_ascii=True) for row in rows]
    text = "[\n" + ",\n".join(lines) + "\n]\n" if listed else "".join(f"{x}\n" for x in lines)
    path.write_text(text, encoding="utf-8")
