"""Pairs of programs: written, read back, refused by line, and shown in either order."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest

from outdo.data.pairs import (
    GENERAL,
    CodePair,
    choices,
    evened,
    read_pairs,
    reworded,
    write_pairs,
)
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


def of_lengths(number: int, better: int, worse: int) -> CodePair:
    """A pair whose sides add so many ones."""
    sides = (f"x = {number}" + " + 1" * count for count in (better, worse))
    return dataclasses.replace(
        pair(number), split="test", **dict(zip(("better", "worse"), sides, strict=True))
    )


def test_the_longer_program_is_better_as_often_as_the_shorter() -> None:
    longer = [of_lengths(number, 3, 1) for number in range(7)]
    shorter = [of_lengths(number, 1, 2) for number in range(7, 9)]
    equal = [dataclasses.replace(of_lengths(9, 1, 1), worse="y = 9 + 1")]
    rows = choices([*longer, *shorter, *equal], seed=1)
    kept = evened(rows, seed=1)
    assert sum(prefer.longer(row, ()) == prefer.gold(row) for row in kept[:-1]) == 2
    assert [row.id for row in kept[-3:]] == ["p7", "p8", "p9"]
    assert len(kept) == 5 and kept == evened(rows, seed=1)
    drawn = {tuple(row.id for row in evened(rows, seed=seed)) for seed in range(9)}
    assert len(drawn) > 1


def test_lengths_are_evened_in_each_part_and_other_examples_stay() -> None:
    train = [dataclasses.replace(of_lengths(n, 3, 1), split="train") for n in range(3)]
    test = [of_lengths(n, 1, 2) for n in range(3, 6)]
    rows = choices([*train, *test], seed=1)
    other = dataclasses.replace(rows[0], task="repair", id="other")
    assert evened([*rows, other], seed=1) == [other]
