"""Pairs of programs: written, read back, refused by line, and shown in either order."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest

from outdo.data.pairs import GENERAL, CodePair, choices, read_pairs, reworded, write_pairs
from outdo.data.rows import Mistakes
from outdo.errors import DataError
from outdo.tasks import prefer


def pair(number: int, criterion: str = "correctness") -> CodePair:
    return CodePair(
        id=f"p{number}",
        group=f"g{number % 3}",
        source="made",
        criterion=criterion,
        statement="Add one.",
        better=f"def f(x):\n    return x + {number} + 1",
        worse=f"def f(x):\n    return x - {number}",
        evidence={"test": {"call": "f(1)"}, "é": [1, None]},
        split="test" if number % 2 else "train",
    )


def test_pairs_come_back_as_they_were_written(tmp_path: Path) -> None:
    pairs = [pair(number) for number in range(5)]
    write_pairs(tmp_path / "pairs.jsonl", pairs)
    assert list(read_pairs(tmp_path / "pairs.jsonl")) == pairs


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"better": " "}, "no 'better'"),
        ({"statement": None}, "no 'statement'"),
        ({"evidence": "none"}, "no mapping"),
        ({"split": "dev"}, "split is unknown"),
        ({"licence": 3}, "no text"),
        ({"worse": pair(0).better}, "the same"),
    ],
)
def test_a_row_that_is_no_pair_is_told_by_line_or_counted(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    rows = [dataclasses.asdict(pair(0)), dataclasses.asdict(pair(0)) | change]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=said) as caught:
        list(read_pairs(path))
    assert caught.value.where.endswith(":2")
    mistakes = Mistakes(dropping=True)
    assert list(read_pairs(path, mistakes)) == [pair(0)]
    assert sum(mistakes.counts.values()) == 1


def test_each_criterion_of_a_split_stands_first_as_often_as_second() -> None:
    pairs = [pair(number, "security" if number > 8 else "efficiency") for number in range(24)]
    rows = choices(pairs, seed=1)
    for split in ("train", "test"):
        for criterion in ("security", "efficiency"):
            part = [r for r in rows if (r.split, r.given["criterion"]) == (split, criterion)]
            first = Counter(row.wanted["choice"] for row in part)
            assert abs(first["first"] - first["second"]) <= 1
    for row, one in zip(rows, pairs, strict=True):
        sides = (row.given["first"], row.given["second"])
        assert (sides if row.wanted["choice"] == "first" else sides[::-1]) == (
            one.better,
            one.worse,
        )


def test_a_choice_may_have_another_criterion_or_none_and_no_comments() -> None:
    commented = dataclasses.replace(
        pair(1),
        better='def f(x):\n    """Add."""\n    return x + 2  # two',
        worse="def f(x):\n    return x - 1",
    )
    (row,) = choices([commented], seed=1)
    (general, absent, bare) = (
        reworded(row, criterion=GENERAL),
        reworded(row, criterion=""),
        reworded(row, bare=True),
    )
    asked = [prefer.task.prompt(one, variant="compare").messages[-1].content for one in
             (row, general, absent, bare)]  # fmt: skip
    assert "What counts is correctness. Reply" in asked[0]
    assert "What counts is how good it is on the whole. Reply" in asked[1]
    assert "better? Reply" in asked[2] and "counts" not in asked[2]
    assert "Add." in asked[0] and "# two" in asked[0]
    assert "Add." not in asked[3] and "# two" not in asked[3] and "return x + 2" in asked[3]
    said = [prefer.task.prompt(one, variant="reward").messages[-1].content for one in (row, absent)]
    assert said[0].endswith("Write the program. What counts is correctness.")
    assert said[1].endswith("Write the program.")


def test_programs_that_differ_in_comments_alone_keep_them() -> None:
    alike = dataclasses.replace(pair(1), better="x = 1  # one", worse="x = 1")
    (row,) = choices([alike], seed=1)
    assert reworded(row, bare=True) == row
