"""Files of people's labels: both forms, mistakes with their lines, preferences between names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outdo.data.labels import labelled, read_labels
from outdo.errors import DataError

HEADER = "item,rater,choice,seconds,confidence,why\n"


def csv(folder: Path, rows: str, *, header: str = HEADER) -> Path:
    path = folder / "labels.csv"
    path.write_text(header + rows, encoding="utf-8")
    return path


def test_csv_and_jsonl_say_the_same(tmp_path: Path) -> None:
    table = csv(tmp_path, "one,ann,A,12.5,4,clearer\ntwo,ann,tie,,,\n")
    lines = tmp_path / "labels.jsonl"
    rows = [
        {"item": "one", "rater": "ann", "choice": "a", "seconds": 12.5, "confidence": 4}
        | {"why": "clearer"},
        {"item": "two", "rater": "ann", "choice": "tie", "seconds": None},
    ]
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_labels(table) == read_labels(lines)
    first, second = read_labels(table)
    assert (first.choice, first.seconds, first.confidence, first.why) == ("a", 12.5, 4.0, "clearer")
    assert (second.choice, second.seconds, second.confidence) == ("tie", None, None)


@pytest.mark.parametrize(
    ("rows", "header", "line", "problem"),
    [
        ("one,ann\n", "item,rater\n", 2, "no 'choice'"),
        ("one,ann,a,9\n", "item,rater,choice,mood\n", 2, "unknown key 'mood'"),
        ("one,ann,a,,,\ntwo,ann,both,,,\n", HEADER, 3, "choice is 'both'"),
        ("one,,a,,,\n", HEADER, 2, "rater is empty"),
        (",ann,a,,,\n", HEADER, 2, "item is empty"),
        ("one,ann,a,-3,,\n", HEADER, 2, "seconds is '-3'"),
        ("one,ann,a,,sure,\n", HEADER, 2, "confidence is 'sure'"),
        ("one,ann,a,nan,,\n", HEADER, 2, "seconds is 'nan'"),
        ("one,ann,a,,,\none,ann,b,,,\n", HEADER, 3, "labelled 'one' before"),
        ("one,ann,a,x,\n", "item,rater,choice,a,b\n", 2, "two contestants"),
        ("one,ann,a,x,x\n", "item,rater,choice,a,b\n", 2, "two contestants"),
        ("one,ann,a,x,y\none,ann,b,y,x\n", "item,rater,choice,a,b\n", 3, "before"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, rows: str, header: str, line: int, problem: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        read_labels(csv(tmp_path, rows, header=header))
    assert caught.value.where.endswith(f"labels.csv:{line}")


def test_nested_values_and_no_file_are_refused(tmp_path: Path) -> None:
    lines = tmp_path / "labels.jsonl"
    lines.write_text('{"item": ["one"], "rater": "ann", "choice": "a"}\n')
    with pytest.raises(DataError, match="item is no text"):
        read_labels(lines)
    with pytest.raises(DataError, match="no such file"):
        read_labels(tmp_path / "none.csv")


def test_labels_are_of_the_only_contestant_unless_they_name_two(tmp_path: Path) -> None:
    (one,) = labelled(
        read_labels(csv(tmp_path, "one,ann,b,,2,\n")), contestants=["new", "old"], against="old"
    )
    assert (one.comparison.a, one.comparison.b, one.choice) == ("new", "old", "b")
    assert (one.by, one.order, one.confidence) == ("people/ann", "ab", 2.0)
    unnamed = read_labels(csv(tmp_path, "one,ann,b,,2,\n"))
    with pytest.raises(DataError, match="of which contestants") as caught:
        labelled(unnamed, contestants=["new", "newer", "old"], against="old")
    assert caught.value.where.endswith(":2")
    header = "item,rater,choice,a,b\n"
    named = read_labels(csv(tmp_path, "one,ann,a,old,newer\n", header=header))
    (one,) = labelled(named, contestants=["new", "newer", "old"], against="old")
    assert (one.comparison.a, one.comparison.b) == ("old", "newer")
    with pytest.raises(DataError, match="no contestant 'newer'"):
        labelled(named, contestants=["new", "old"], against="old")
