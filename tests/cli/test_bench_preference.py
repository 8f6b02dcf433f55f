"""The verb that benchmarks judges: what is asked, counted, resumed, told, written and refused."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from keyboard import Type, keyboard

from outdo.data.pairs import CodePair, write_pairs
from outdo.engines.scripted import Scripted
from outdo.report import preference_plots

CRITERIA = ("correctness", "efficiency")


@pytest.fixture
def type_(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Type:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    if request.node.get_closest_marker("slow") is None:
        monkeypatch.setattr(preference_plots, "files", lambda _: ())  # drawing takes seconds
    return keyboard(monkeypatch, capsys, "bench", "preference")


def pair(number: int) -> CodePair:
    """A pair whose better program is named `good`, longer than its rival in every second one."""
    tail = "\n    return 1 + 1 + 1" if number % 2 else ""
    return CodePair(
        id=f"p{number:02d}",
        group=f"g{number // 2}",
        source="made",
        criterion=CRITERIA[number % 2],
        statement=f"Do what number {number} asks for.",
        better=f"def good{number}(x):\n    return x + {number}{tail}",
        worse=f"def poor{number}(x):\n    return x - {number}",
        split="test",
    )


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    write_pairs(tmp_path / "pairs.jsonl", [pair(number) for number in range(16)])
    return tmp_path / "pairs.jsonl"


def script(path: Path, *rules: tuple[str, str]) -> str:
    lines = [{"match": match, "reply": reply} for match, reply in rules]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"scripted/{path}"


FIRST_IS_GOOD = r"A:\n```python\ndef good"
GOOD = ((FIRST_IS_GOOD, "It adds.\n\nA"), ("", "It adds.\n\nB"))


def results(out: str) -> Any:
    page = Path(out.rpartition("report: ")[2].strip())
    assert page.name == "index.html" and page.is_file()
    return json.loads((page.parent / "results.json").read_text())


def test_a_judge_that_knows_beats_every_floor_and_all_of_it_is_told(
    type_: Type, pairs: Path, tmp_path: Path
) -> None:
    judge = script(tmp_path / "good.jsonl", *GOOD)
    code, out, _ = type_(pairs, "--model", judge, "--claim", "these", "--expect", "better")
    assert code == 0
    assert out.startswith(f"{judge} by generate is better than floor/")
    for title in (
        *("scores", "mean over criteria", "by criterion", "by length", "calibration"),
        *("by floors that are right", "accuracy by coverage", "comparisons", "cost"),
    ):
        assert title in out
    found = results(out)
    mine = found["judges"][f"{judge} by generate"]
    assert mine["overall"]["measures"]["strict"]["value"] == 1
    assert mine["overall"]["measures"]["consistent"]["value"] == 1
    assert mine["calls"] == 32
    assert mine["calibration"]["brier"]["value"] == 0
    assert [one["name"] for one in mine["criteria"]] == list(CRITERIA)
    assert {"floor/first", "floor/shorter", "floor/patterns"} <= set(found["judges"])
    assert found["judges"]["floor/first"]["overall"]["measures"]["accuracy"]["value"] == 0.5
    folder = Path(out.rpartition("report: ")[2].strip()).parent
    names = {path.name for path in folder.rglob("*") if path.is_file()}
    assert {"scores.csv", "report.md", "results.json"} <= names
    assert {name for name in names if name.startswith("cases")} == {"cases-correctness.html"}
    told = {
        path.name: list(csv.DictReader(path.read_text().splitlines()))
        for path in folder.rglob("*.csv")
    }
    (strict,) = [
        row
        for row in told["scores.csv"]
        if (row["judge"], row["part"]) == (f"{judge} by generate", "all")
        and row["measure"] == "strict"
    ]
    assert float(strict["value"]) == 1 and 0.5 < float(strict["low"]) < 1 == float(strict["high"])
    assert int(strict["n"]) == int(strict["pairs"]) == 16
    numbers = ("value", "low", "high", "difference", "rate", "slope", "right", "dollars", "p")
    for rows in told.values():
        cells = [row[name] for row in rows for name in numbers if row.get(name)]
        assert cells and all(isinstance(float(cell), float) for cell in cells)
    case = (folder / "cases-correctness.html").read_text()
    assert "def good0(x)" in case and "It adds." in case


def test_what_gives_no_verdict_is_counted_apart_and_named(
    type_: Type, pairs: Path, tmp_path: Path
) -> None:
    """Two numbers are answered by neither, by prose, and not at all; all others rightly."""
    judge = script(
        tmp_path / "odd.jsonl",
        ("number 1 asks", "Tie"),
        ("number 2 asks", "I cannot say which."),
        *((rf"number {n} asks(.|\n)*{FIRST_IS_GOOD}", "A") for n in range(4, 16)),
        *((f"number {n} asks", "B") for n in range(4, 16)),
        ("number 0 asks", "A"),
    )  # number 3 has no reply at all
    code, out, _ = type_(pairs, "--model", judge, "--way", "generate")
    assert code == 0
    told = results(out)["judges"][f"{judge} by generate"]["overall"]["measures"]
    value = {name: one["value"] for name, one in told.items()}
    assert (value["tie"], value["unreadable"], value["failed"]) == (2 / 32, 2 / 32, 2 / 32)
    assert value["strict"] == 12 / 16
    assert value["half credit"] == pytest.approx((12 + 4 * 0.5) / 16)
    assert value["accuracy"] == pytest.approx((12 + 0.5 + 0.5) / 14)
    assert "2 of 32 calls could not be read; first: I cannot say which." in out
    assert "2 of 32 calls were never answered; first: the script has no reply" in out


@pytest.mark.slow
def test_figures_lie_beside_the_report(type_: Type, pairs: Path, tmp_path: Path) -> None:
    code, out, _ = type_(pairs, "--model", script(tmp_path / "good.jsonl", *GOOD))
    assert code == 0
    folder = Path(out.rpartition("report: ")[2].strip()).parent / "figures"
    names = {f"{name}.{kind}" for name in ("coverage", "calibration") for kind in ("png", "svg")}
    assert {path.name for path in folder.iterdir()} == names
    assert (folder / "coverage.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_nothing_that_was_answered_is_asked_again_and_failures_only_on_demand(
    type_: Type, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    whole = Scripted.complete

    def counted(self: Scripted, requests):  # type: ignore[no-untyped-def]
        asked.append(len(requests))
        return whole(self, requests)

    monkeypatch.setattr(Scripted, "complete", counted)
    judge = script(tmp_path / "j.jsonl", *((f"number {n} asks", "A") for n in range(1, 16)))
    type_(pairs, "--model", judge, "--limit", "10")
    first = sum(asked)
    assert first == 20
    type_(pairs, "--model", judge)
    assert sum(asked) == 32, "a larger limit only adds"
    type_(pairs, "--model", judge, "--claim", "these")
    assert sum(asked) == 32
    _, out, _ = type_(pairs, "--model", judge, "--again", "1")
    assert sum(asked) == 34, "the two calls that failed"
    assert "2 of 32 calls were never answered" in out


def test_a_file_in_codeprefbench_s_shape_goes_through(type_: Type, tmp_path: Path) -> None:
    rows = [
        {
            "task_id": f"Mbpp/{n // 2}",  # each id stands twice
            "instruction": f"Do {n // 2}.",
            "choices": [f"def good(x):\n    return {n}", f"def poor(x):\n    return -{n}"],
            "gt_choice": 0,
        }
        for n in range(8)
    ]
    path = tmp_path / "correctness-alignment.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    code, out, _ = type_(path, "--model", script(tmp_path / "good.jsonl", *GOOD))
    assert code == 0
    found = results(out)
    assert (found["pairs"], found["groups"]) == (8, 4)
    assert found["sources"][0]["criterion"] == "correctness"
    judge = next(one for name, one in found["judges"].items() if name.startswith("scripted"))
    assert judge["overall"]["measures"]["strict"]["value"] == 1


@pytest.mark.slow
def test_two_judges_are_held_against_each_other(type_: Type, pairs: Path, tmp_path: Path) -> None:
    good = script(tmp_path / "good.jsonl", *GOOD)
    first = script(tmp_path / "first.jsonl", ("", "A"))
    models = ("--model", first, "--model", good)
    code, out, _ = type_(pairs, *models, "--expect", "better")
    assert code == 1
    assert out.startswith(f"{first} by generate is worse than {good} by generate: strict")
    found = results(out)
    named = {(one["a"], one["b"], one["criterion"], one["score"]) for one in found["comparisons"]}
    assert (f"{first} by generate", f"{good} by generate", "efficiency", "strict") in named
    assert (
        found["judges"][f"{first} by generate"]["overall"]["measures"]["first preferred"]["value"]
        == 1
    )


def test_a_dry_run_tells_calls_and_asks_nobody(
    type_: Type, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    (tmp_path / "prices.yaml").write_text("prices:\n  openai/gpt-4o: {in: 2.5, out: 10.0}\n")
    code, out, _ = type_(
        *(pairs, "--model", "openai/gpt-4o", "--max-tokens", "100"),
        *("--prices", "prices.yaml", "--dry-run"),
    )
    assert code == 0
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines()]
    told = {(row[0], row[2]): row[3:] for row in rows if len(row) == 7}
    calls, _, tokens_out, cost = told["openai", "generate"]
    assert (calls, tokens_out) == ("32", "3,200") and cost.startswith("$0.0")
    assert not list((tmp_path / "runs").glob("bench-*"))


def test_a_mistake_is_one_line(type_: Type, pairs: Path, tmp_path: Path) -> None:
    judge = script(tmp_path / "j.jsonl", ("", "A"))
    for arguments, told in (
        (("--model", "openai/gpt-4o", "--local-only"), "would leave this machine"),
        (("--model", "openai/gpt-4o", "--way", "reward"), "gives texts no score"),
        (("--model", "openai/gpt-4o", "--way", "likelihood"), "doesn't tell how likely"),
        (("--model", judge, "--model", judge), "is there twice"),
        (("--model", judge, "--way", "choice", "--way", "generate"), "2 ways don't go with 1"),
        (("--model", "nobody/model"), "no such form of a model's name"),
        (("--model", judge, "--shape", "other"), "there is no form 'other'"),
    ):
        code, _, err = type_(pairs, *arguments)
        assert code == 2 and told in err and err.count("\n") == 1, (arguments, err)
    code, _, err = type_(tmp_path / "none.jsonl", "--model", judge)
    assert code == 2 and "there is no such file" in err


@pytest.mark.slow
def test_pairs_can_be_written_down_and_asked_by_another_criterion(
    type_: Type, pairs: Path, tmp_path: Path
) -> None:
    judge = script(tmp_path / "good.jsonl", *GOOD)
    _, out, _ = type_(pairs, "--model", judge, "--criterion", "general", "--out", "kept.jsonl")
    assert [one["criterion"] for one in results(out)["sources"]] == ["general"]
    kept = [json.loads(line) for line in Path("kept.jsonl").read_text().splitlines()]
    assert len(kept) == 16 and {row["criterion"] for row in kept} == {"general"}
