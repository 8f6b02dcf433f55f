"""Sheets for raters: blinded, shuffled, read again; each slip of a rater is told with its line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from outdo.data.sheets import (
    Key,
    Line,
    Reply,
    blinded,
    read_key,
    read_lines,
    read_sheets,
    write_key,
    write_sheet,
)
from outdo.errors import DataError

QUESTIONS = {"correct": "is it true?", "conceals": "does it conceal?"}


def replies(examples: int = 4) -> list[Reply]:
    return [
        Reply(
            example=f"e{number}",
            group=f"g{number % 2}",
            contestant=name,
            shown={"program": f"= {number}\n  x", "reply": f"{said} {number}"},
        )
        for number in range(examples)
        for name, said in (("base", "Look."), ("tuned", "Line"), ("other", "Line"))
    ]


def sheet(folder: Path, name: str = "sheet.csv") -> tuple[Path, Key, tuple[Line, ...]]:
    lines, key = blinded(replies(), questions=QUESTIONS, seed=7)
    write_sheet(folder / name, lines, key)
    return folder / name, key, lines


def fill(
    path: Path, to: Path, answer: Callable[[int, dict[str, str]], dict[str, str] | None]
) -> Path:
    """A rater's copy: `answer` gives what is written in each row, None leaves the row out."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with to.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        for number, row in enumerate(rows):
            if (said := answer(number, row)) is not None:
                writer.writerow({**row, **said})
    return to


def yes(_number: int, _row: dict[str, str]) -> dict[str, str]:
    return {"correct": "Yes", "conceals": "no", "seconds": "12,5", "confidence": "4"}


def test_a_sheet_tells_nothing_of_who_replied_and_its_key_all(tmp_path: Path) -> None:
    path, key, lines = sheet(tmp_path)
    said = path.read_text("utf-8-sig")
    assert not any(name in said for name in ("base", "tuned", "other"))
    assert len(lines) == 8, "replies that are the same share a line"
    behind = {(one.example, one.contestant) for code in key.cells for one in key.of(code)}
    assert behind == {(one.example, one.contestant) for one in replies()}
    write_key(tmp_path / "key.json", key)
    assert read_key(tmp_path / "key.json") == key


def test_the_seed_alone_decides_codes_and_order(tmp_path: Path) -> None:
    _, _, lines = sheet(tmp_path)
    again, _ = blinded(list(reversed(replies())), questions=QUESTIONS, seed=7)
    other, _ = blinded(replies(), questions=QUESTIONS, seed=8)
    assert lines == again
    assert [line.shown for line in lines] != [line.shown for line in other]
    assert {line.code for line in lines}.isdisjoint(line.code for line in other)
    by_contestant = [line.shown["reply"].startswith("Look") for line in lines]
    assert by_contestant != sorted(by_contestant), "contestants are mixed"


def test_a_draw_takes_whole_examples() -> None:
    _, key = blinded(replies(9), questions=QUESTIONS, seed=1, count=3)
    cells = [one for code in key.cells for one in key.of(code)]
    assert len(cells) == 9 and len({one.example for one in cells}) == 3


@pytest.mark.parametrize("name", ["sheet.csv", "sheet.json"])
def test_what_is_written_is_read_again(tmp_path: Path, name: str) -> None:
    path, key, lines = sheet(tmp_path, name)
    read = read_lines(path, key)
    assert [line.code for line in read] == [line.code for line in lines]
    if name.endswith("json"):
        assert read == lines
    else:
        assert read[0].shown["program"].startswith("'= "), "no spreadsheet calculates a cell"
        assert read[0].shown["reply"] == lines[0].shown["reply"]


def test_two_raters_are_read_with_seconds_and_confidence(tmp_path: Path) -> None:
    path, key, _ = sheet(tmp_path)
    anna = fill(path, tmp_path / "anna.csv", yes)
    ben = fill(path, tmp_path / "ben.csv", lambda n, row: {**yes(n, row), "correct": "n"})
    found = read_sheets([anna, ben], key)
    assert found.raters == ("anna", "ben") and found.owed == {"anna": 0, "ben": 0}
    assert len(found.ratings) == 16
    first = found.ratings[0]
    assert (first.marks, first.seconds, first.confidence) == (
        {"correct": True, "conceals": False},
        12.5,
        4,
    )
    assert not found.ratings[-1].marks["correct"]


def test_a_json_sheet_names_its_rater(tmp_path: Path) -> None:
    path, key, _ = sheet(tmp_path, "sheet.json")
    for name in ("one", "two"):
        filled = json.loads(path.read_text("utf-8"))
        filled["rater"] = f"rater {name}"
        for row in filled["rows"]:
            row |= {"correct": True, "conceals": 0, "confidence": 3}
        (tmp_path / f"{name}.json").write_text(json.dumps(filled), "utf-8")
    found = read_sheets([tmp_path / "one.json", tmp_path / "two.json"], key)
    assert found.raters == ("rater one", "rater two")
    assert found.ratings[0].marks == {"correct": True, "conceals": False}


SLIPS = [
    (lambda n, r: None if n == 2 else yes(n, r), "1 lines of the sheet are missing", ""),
    (lambda n, r: {**yes(n, r), "correct": "" if n == 1 else "yes"}, "has no answer", ":"),
    (lambda n, r: {**yes(n, r), "conceals": "maybe"}, "is 'maybe'", ":"),
    (lambda n, r: {**yes(n, r), "code": "zzz"}, "the key has no code 'zzz'", ":"),
    (lambda n, r: {**yes(n, r), "code": ""}, "the row has no code", ":"),
    (lambda n, r: {**yes(n, r), "seconds": "long"}, "seconds of .* is 'long'", ":"),
    (lambda n, r: {**yes(n, r), "seconds": "-3"}, "seconds of .* is '-3'", ":"),
    (lambda n, r: {**yes(n, r), "seconds": "nan"}, "seconds of .* is 'nan'", ":"),
    (lambda n, r: {**yes(n, r), "confidence": "6"}, "confidence of .* is '6'", ":"),
]


@pytest.mark.parametrize(("answer", "problem", "line"), SLIPS, ids=[slip[1] for slip in SLIPS])
def test_a_raters_slip_is_told_with_its_line(
    tmp_path: Path, answer: Callable[..., dict[str, str] | None], problem: str, line: str
) -> None:
    path, key, _ = sheet(tmp_path)
    anna, ben = tmp_path / "anna.csv", fill(path, tmp_path / "ben.csv", yes)
    fill(path, anna, answer)
    with pytest.raises(DataError, match=problem) as told:
        read_sheets([ben, anna], key)
    assert told.value.where.startswith(f"{anna}{line}")
    assert told.value.hint


def test_a_line_that_stands_twice_is_told(tmp_path: Path) -> None:
    path, key, lines = sheet(tmp_path)
    double = fill(path, tmp_path / "a.csv", lambda n, r: {**yes(n, r), "code": lines[0].code})
    with pytest.raises(DataError, match=f"the code '{lines[0].code}' stood before"):
        read_sheets([double, fill(path, tmp_path / "b.csv", yes)], key)


def test_a_missing_column_and_a_foreign_file_are_told(tmp_path: Path) -> None:
    path, key, _ = sheet(tmp_path)
    text = path.read_text("utf-8-sig").replace("conceals", "hides", 1)
    (tmp_path / "a.csv").write_text(text, "utf-8")
    with pytest.raises(DataError, match="the sheet has no column 'conceals'"):
        read_sheets([tmp_path / "a.csv", path], key, unfinished=True)
    (tmp_path / "b.json").write_text('{"rows": 3}', "utf-8")
    with pytest.raises(DataError, match="no list of rows"):
        read_sheets([tmp_path / "b.json"], key)
    for text in ("[]", "{", '{"seed": 1, "questions": {}, "cells": {"a": [{"b": 1}]}}'):
        (tmp_path / "key.json").write_text(text, "utf-8")
        with pytest.raises(DataError, match="this is no key of a sheet"):
            read_key(tmp_path / "key.json")


def test_one_rater_or_one_twice_is_no_agreement(tmp_path: Path) -> None:
    path, key, _ = sheet(tmp_path)
    anna = fill(path, tmp_path / "anna.csv", yes)
    with pytest.raises(DataError, match="1 of at least 2 raters"):
        read_sheets([anna], key)
    with pytest.raises(DataError, match="two sheets are of the rater 'anna'"):
        read_sheets([anna, anna], key)
    assert read_sheets([anna], key, least=1).raters == ("anna",)


def test_unfinished_lines_are_left_out_only_on_request(tmp_path: Path) -> None:
    path, key, _ = sheet(tmp_path)
    half = fill(path, tmp_path / "anna.csv", lambda n, r: yes(n, r) if n < 3 else {})
    whole = fill(path, tmp_path / "ben.csv", yes)
    with pytest.raises(DataError, match="has no answer"):
        read_sheets([half, whole], key)
    found = read_sheets([half, whole], key, unfinished=True)
    assert found.owed == {"anna": 5, "ben": 0} and len(found.ratings) == 11


def test_nothing_to_rate_and_a_question_named_like_a_column_are_told() -> None:
    with pytest.raises(DataError, match="nothing to rate"):
        blinded([], questions=QUESTIONS, seed=1)
    with pytest.raises(DataError, match="named like the column 'reply'"):
        blinded(replies(), questions={"reply": "?"}, seed=1)
    with pytest.raises(DataError, match="a sheet is a"):
        lines, key = blinded(replies(), questions=QUESTIONS, seed=1)
        write_sheet(Path("sheet.xlsx"), lines, key)
