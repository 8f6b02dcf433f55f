"""`outdo data pairs`: made, let through gates, told on a card, and read by a study."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outdo.cli.app import app
from outdo.cli.sources import content_of, examples_of
from outdo.data.pairs import CodePair, read_pairs, write_pairs
from outdo.errors import DataError, OutdoError
from outdo.pipeline.giveaways import giveaways, section
from outdo.study.sources import PairRows, kind_of

PROBLEM = """
name: largest
entry: largest
statement: Return the largest number.
tests:
  - {call: "largest([1, 3, 2])", expected: "3"}
  - {call: "largest([-1, -3])", expected: "-1"}
  - {call: "largest([7, 7, 0])", expected: "7"}
solutions:
  - |
    def largest(numbers):
        best = numbers[0]
        for number in numbers:
            if number > best:
                best = number
        return best
"""


def outdo(*arguments: object) -> str:
    done = CliRunner().invoke(app, ["data", "pairs", *map(str, arguments)])
    if isinstance(done.exception, OutdoError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def pairs(count: int) -> list[CodePair]:
    return [
        CodePair(
            id=f"p{n}",
            group=f"g{n}",
            source="made",
            criterion="correctness",
            statement=f"Return {n}.",
            better=f"def f():\n    # right\n    return {n}\n",
            worse=f"def f():\n    return {n} + 1\n",
        )
        for n in range(count)
    ]


def test_bugs_put_into_a_folder_of_problems(tmp_path: Path) -> None:
    (tmp_path / "largest.yaml").write_text(PROBLEM)
    out = tmp_path / "pairs.jsonl"
    said = outdo("correct", tmp_path, "--out", out, "--count", 3, "--license", "MIT")
    assert "3 pairs" in said
    found = list(read_pairs(out))
    assert [pair.licence for pair in found] == ["MIT"] * 3


def test_pairs_through_gates_with_a_card(tmp_path: Path) -> None:
    write_pairs(tmp_path / "a.jsonl", pairs(6))
    out = tmp_path / "kept.parquet"
    said = outdo("sift", tmp_path / "a.jsonl", "--out", out, "--comments", "strip")
    assert "6 of 6 pairs" in said
    assert all("#" not in pair.better for pair in read_pairs(out))
    card = (tmp_path / "kept.md").read_text()
    for part in ("# Pairs of programs", "| parsed |", "| near-duplicate |", "## What gives"):
        assert part in card
    assert "| correctness | made | train | 6 |" in card


def test_an_evaluation_is_kept_apart_from(tmp_path: Path) -> None:
    known = "def solve(numbers):\n" + "".join(f"    x{n} = numbers[{n}]\n" for n in range(9))
    leaked = replace(pairs(1)[0], id="leaked", better=known, worse=known.replace("x3", "x4"))
    write_pairs(tmp_path / "a.jsonl", [*pairs(1), leaked])
    rows = tmp_path / "bench.jsonl"
    rows.write_text(json.dumps({"code": known}) + "\n")
    said = outdo("sift", tmp_path / "a.jsonl", "--out", tmp_path / "b.jsonl", "--evaluation", rows)
    assert "1 of 2 pairs" in said


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["--comments", "some"], "can't be 'some'"),
        (["--license", "x"], "No such option"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, arguments: list[str], wanted: str) -> None:
    write_pairs(tmp_path / "a.jsonl", pairs(1))
    asked = ["data", "pairs", "sift", str(tmp_path / "a.jsonl"), "--out", str(tmp_path / "b.jsonl")]
    done = CliRunner().invoke(app, [*asked, *arguments])
    assert done.exit_code != 0
    assert wanted in f"{done.output}{done.exception}"


@pytest.mark.parametrize("verb", ["correct", "faster", "safer", "sift"])
def test_an_ending_that_is_none_of_pairs_is_told_before_any_work(tmp_path: Path, verb: str) -> None:
    with pytest.raises(DataError, match=r"pairs aren't written as '\.csv'"):
        outdo(verb, tmp_path / "nothing.jsonl", "--out", tmp_path / "b.csv")


def test_rows_that_are_of_no_use_are_counted(tmp_path: Path) -> None:
    (tmp_path / "problems").mkdir()
    (tmp_path / "problems" / "largest.yaml").write_text(PROBLEM)
    right = "def largest(numbers):\n    return max(numbers)\n"
    wrong = right.replace("max", "min")
    rows = [{"problem": "largest", "id": str(n), "program": one} for n, one in
            enumerate((right, wrong))]  # fmt: skip
    lines = [*map(json.dumps, rows), "not JSON", json.dumps({"problem": "largest", "id": "9"})]
    (tmp_path / "programs.jsonl").write_text("\n".join(lines) + "\n")
    said = outdo(
        *("correct", tmp_path / "problems", "--out", tmp_path / "b.jsonl"),
        *("--programs", tmp_path / "programs.jsonl"),
    )
    assert "1 pairs in" in said
    assert "1 rows of programs.jsonl: the line isn't JSON" in said
    write_pairs(tmp_path / "a.jsonl", pairs(1))
    asked = ("--evaluation", tmp_path / "programs.jsonl")
    said = outdo("sift", tmp_path / "a.jsonl", "--out", tmp_path / "c.jsonl", *asked)
    assert "1 rows of programs.jsonl: the line isn't JSON" in said
    assert "the line isn't JSON" in (tmp_path / "c.md").read_text()


def test_code_without_a_column_of_code_is_refused(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "x = 1"}\n')
    with pytest.raises(DataError, match=r"rows\.jsonl:1.*no code"):
        outdo("safer", rows, "--out", tmp_path / "b.jsonl")
    with pytest.raises(DataError, match="names no column"):
        outdo("safer", rows, "--out", tmp_path / "b.jsonl", "--column", "text")


def test_rules_are_asked_in_both_orders() -> None:
    found = {one.rule: one.share for one in giveaways(pairs(10), seed=1)}
    assert found["first"] == 0.5, "whoever names a place is right in half"
    assert found["shorter"] == 1.0, "the better side has fewer tokens in all"
    assert found["fewer characters"] == 0.0, "its comment makes it the longer text"
    assert "| correctness | made | 10 |" in section(giveaways(pairs(10), seed=1))


def test_a_study_reads_pairs_of_programs(tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", pairs(6))
    spec = PairRows(source="pairs", path="pairs.jsonl", hold_out=2)
    assert kind_of(spec, ["prefer"]) == "examples"
    assert kind_of(spec, ["repair"]) == "pair"
    assert kind_of(PairRows(source="pairs", path="p", format="code"), ["repair"]) == "examples"
    rows, notes = examples_of(spec, tmp_path, 1, None, task="prefer")  # type: ignore[arg-type]
    assert notes == []
    assert [row.split for row in rows].count("test") == 2  # type: ignore[union-attr]
    assert {row.task for row in rows} == {"prefer"}  # type: ignore[union-attr]
    assert content_of(spec, tmp_path, task="prefer")


def test_pairs_of_programs_are_for_the_task_prefer(tmp_path: Path) -> None:
    write_pairs(tmp_path / "pairs.jsonl", pairs(1))
    spec = PairRows(source="pairs", path="pairs.jsonl", format="code")
    with pytest.raises(DataError, match="the task is prefer"):
        examples_of(spec, tmp_path, 1, None, task="repair")  # type: ignore[arg-type]
