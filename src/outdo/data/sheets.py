"""Sheets that people fill in: replies to be rated yes or no, blinded, shuffled, and read again.

A sheet says nothing of who replied: that stands in a key, which raters don't get. Every rater fills
in a copy of the same sheet; what they say is told with how far they agree.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outdo.data.place import Place, read_text
from outdo.data.rows import Row, read_rows
from outdo.errors import DataError
from outdo.records import Json, digest, from_json, to_json

OWN = ("code", "seconds", "confidence", "note")
CONFIDENCE = ("1", "2", "3", "4", "5")
WORDS = {
    **dict.fromkeys(("yes", "y", "true", "1", "1.0"), True),
    **dict.fromkeys(("no", "n", "false", "0", "0.0"), False),
}
MAX_BYTES = 64 * 2**20
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a cell begins with that a spreadsheet would calculate; an apostrophe goes before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One reply to be rated; `shown` is what raters see, by column, the reply among it."""

    example: str
    group: str
    contestant: str
    shown: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Whose reply to which example a line of a sheet is."""

    example: str
    group: str
    contestant: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a sheet: a code that tells nothing, and what raters see."""

    code: str
    shown: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What raters don't get: the cells behind every code. `questions` map a name to its text.

    Contestants that said the same share a line, so that it is rated once and alike.
    """

    seed: int
    questions: Mapping[str, str]
    cells: Mapping[str, Json]

    def of(self, code: str) -> tuple[Cell, ...]:
        """The cells behind a code."""
        return tuple(from_json(Cell, one) for one in self.cells[code])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What one rater said of one line; `marks` has an answer to each question.

    `seconds` and `confidence` (1 to 5) are None where the rater left them empty.
    """

    code: str
    rater: str
    marks: Mapping[str, bool]
    seconds: float | None = None
    confidence: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratings:
    """All that the raters said, and how many lines each has left out."""

    ratings: tuple[Rating, ...]
    raters: tuple[str, ...]
    owed: Mapping[str, int] = field(default_factory=dict)


# ------------------------------------------------------------------ out


def blinded(
    replies: Iterable[Reply],
    *,
    questions: Mapping[str, str],
    seed: int,
    count: int | None = None,
) -> tuple[tuple[Line, ...], Key]:
    """The lines of a sheet in an order that the seed draws, and their key.

    With `count`, so many examples are drawn, each with the replies of all contestants. Raises
    DataError where there is nothing to rate, and for a question named like a column.
    """
    replies = list(replies)
    chosen = sorted({one.example for one in replies}, key=lambda name: digest([seed, name]))
    kept = set(chosen[:count])
    lines: dict[str, Mapping[str, str]] = {}
    cells: dict[str, list[Json]] = {}
    for one in replies:
        if one.example not in kept:
            continue
        code = digest([seed, one.example, dict(one.shown)])[:10]
        lines[code] = dict(one.shown)
        cell = Cell(example=one.example, group=one.group, contestant=one.contestant)
        cells.setdefault(code, []).append(to_json(cell))
    if not lines:
        raise DataError("there is nothing to rate", "answer first: outdo run")
    columns = {*OWN, *(name for shown in lines.values() for name in shown)}
    if twice := sorted(columns & set(questions)):
        raise DataError(f"a question is named like the column {twice[0]!r}", "rename it")
    order = sorted(lines, key=lambda code: digest([seed, "order", code]))
    key = Key(seed=seed, questions=dict(questions), cells={code: cells[code] for code in order})
    return tuple(Line(code=code, shown=lines[code]) for code in order), key


def write_sheet(path: Path, lines: Sequence[Line], key: Key) -> None:
    """Write the lines with room for every answer, as CSV or as JSON by the file's name."""
    if path.suffix == ".json":
        rows = [_row(line, key) for line in lines]
        sheet = {"rater": "", "questions": dict(key.questions), "rows": rows}
        path.write_text(json.dumps(sheet, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return
    if path.suffix != ".csv":
        raise DataError("a sheet is a .csv or a .json file", where=str(path))
    _write_csv(path, [_row(line, key) for line in lines])


def _write_csv(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)
    path.write_text(out.getvalue(), "utf-8-sig")


def _row(line: Line, key: Key) -> dict[str, str]:
    blank = dict.fromkeys((*key.questions, "seconds", "confidence", "note"), "")
    return {"code": line.code, **line.shown, **blank}


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def write_key(path: Path, key: Key) -> None:
    """Write what raters don't get."""
    path.write_text(json.dumps(to_json(key), indent=1, ensure_ascii=False) + "\n", "utf-8")


# ------------------------------------------------------------------ in


def read_key(path: Path) -> Key:
    """The key of a sheet. Raises DataError for a file that is none."""
    try:
        key = from_json(Key, json.loads(read_text(path, limit=MAX_BYTES)))
        for code in key.cells:
            key.of(code)
    except (ValueError, TypeError, RecursionError) as error:
        raise DataError(f"this is no key of a sheet: {error}", where=str(path)) from None
    return key


def read_lines(path: Path, key: Key) -> tuple[Line, ...]:
    """The lines of a sheet as raters see them, without what they have written."""
    own = {*OWN, *key.questions}
    return tuple(
        Line(
            code=_code(row, key),
            shown={name: str(v) for name, v in row.values.items() if name not in own},
        )
        for row in _rows(path)[1]
    )


def read_sheets(
    paths: Sequence[Path], key: Key, *, least: int = 2, unfinished: bool = False
) -> Ratings:
    """What all raters said, each in a copy of the sheet.

    The rater is the `rater` of a JSON file, else the file's name. Raises DataError for fewer than
    `least` raters and for two of one name, and, with its line, for a code that is unknown, stands
    twice or is missing, a question without an answer, and a word that is none. With `unfinished`
    lines without any answer are left out and counted.
    """
    ratings: list[Rating] = []
    owed: dict[str, int] = {}
    names: dict[str, Path] = {}
    for path in paths:
        rater, rows = _rows(path)
        if rater in names:
            problem = f"two sheets are of the rater {rater!r}, {names[rater]} the other"
            raise DataError(problem, "each rater has a file of its own name", where=str(path))
        names[rater] = path
        found = _rated(rows, key, rater=rater, path=path, unfinished=unfinished)
        owed[rater] = len(key.cells) - len(found)
        ratings += found
    if len(names) < least:
        problem = f"{len(names)} of at least {least} raters"
        raise DataError(problem, "one alone agrees with nobody: let another fill in the sheet")
    return Ratings(ratings=tuple(ratings), raters=tuple(names), owed=owed)


def _rows(path: Path) -> tuple[str, list[Row]]:
    """The rater's name and the rows of a sheet."""
    if path.suffix != ".json":
        rows = list(read_rows(path))
        return path.name.removesuffix(".gz").rpartition(".")[0] or path.name, rows
    try:
        sheet = json.loads(read_text(path, limit=MAX_BYTES))
    except (ValueError, RecursionError) as error:
        where = f"{path}:{getattr(error, 'lineno', 1)}"
        raise DataError("the file isn't JSON", "export it again", where=where) from None
    listed = sheet.get("rows") if isinstance(sheet, dict) else sheet
    if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
        raise DataError("the sheet has no list of rows", where=str(path))
    named = str(sheet.get("rater") or "").strip() if isinstance(sheet, dict) else ""
    return named or path.stem, [
        Row(row, Place(path=f"{path}, row {number}")) for number, row in enumerate(listed, start=1)
    ]


def _rated(
    rows: Sequence[Row], key: Key, *, rater: str, path: Path, unfinished: bool
) -> list[Rating]:
    places: dict[str, Place] = {}
    found: list[Rating] = []
    for row in rows:
        code = _code(row, key)
        if code in places:
            raise row.place.error(
                f"the code {code!r} stood before, at {places[code].at()}", "keep one of the two"
            )
        places[code] = row.place
        rating = _rating(row.values, row.place, key, code=code, rater=rater, unfinished=unfinished)
        found += [] if rating is None else [rating]
    if missing := [code for code in key.cells if code not in places]:
        problem = f"{len(missing)} lines of the sheet are missing, {missing[0]!r} first"
        raise DataError(problem, "raters leave no line out", where=str(path))
    return found


def _code(row: Row, key: Key) -> str:
    code = str(row.values.get("code") or "").strip()
    if code not in key.cells:
        problem = f"the key has no code {code!r}" if code else "the row has no code"
        raise row.place.error(problem, "read a sheet with the key that was made with it")
    return code


def _rating(
    values: Mapping[str, Json], place: Place, key: Key, *, code: str, rater: str, unfinished: bool
) -> Rating | None:
    if absent := [name for name in key.questions if name not in values]:
        raise place.error(f"the sheet has no column {absent[0]!r}", "columns must stay")
    said = {name: _word(values[name]) for name in key.questions}
    if unfinished and not any(said.values()):
        return None
    for name, word in said.items():
        if not word:
            raise place.error(f"{name} of {code!r} has no answer", "yes or no")
        if word not in WORDS:
            raise place.error(f"{name} of {code!r} is {values[name]!r}", "yes or no")
    return Rating(
        code=code,
        rater=rater,
        marks={name: WORDS[word] for name, word in said.items()},
        seconds=_seconds(values.get("seconds"), place, code),
        confidence=_confidence(values.get("confidence"), place, code),
        note=str(values.get("note") or "").strip(),
    )


def _word(value: Json) -> str:
    return "" if value is None else str(value).strip().lower()


def _seconds(value: Json, place: Place, code: str) -> float | None:
    word = _word(value).replace(",", ".")
    if not word:
        return None
    try:
        seconds = float(word)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 1e6:
        raise place.error(f"seconds of {code!r} is {value!r}", "a number of seconds, or nothing")
    return seconds


def _confidence(value: Json, place: Place, code: str) -> int | None:
    word = _word(value).removesuffix(".0")
    if not word:
        return None
    if word not in CONFIDENCE:
        raise place.error(f"confidence of {code!r} is {value!r}", "1 to 5, or nothing")
    return int(word)


def filled(lines: Sequence[Line], key: Key, ratings: Iterable[Rating], path: Path) -> None:
    """Write a sheet with what one rater said in it: how a judge hands in its copy."""
    said = {rating.code: rating for rating in ratings}
    rows = []
    for line in lines:
        row = _row(line, key)
        if rating := said.get(line.code):
            row |= {name: "yes" if mark else "no" for name, mark in rating.marks.items()}
            row |= {"note": rating.note}
            row |= {"seconds": "" if rating.seconds is None else f"{rating.seconds:.1f}"}
        rows.append(row)
    _write_csv(path, rows)
