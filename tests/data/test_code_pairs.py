"""Pairs of programs: written, read back, refused by line, and shown in either order."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import pytest

from outdo.data.pairs import CodePair, choices, read_pairs, write_pairs
from outdo.data.rows import Mistakes
from outdo.errors import DataError


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
