"""`outdo data check`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outdo.cli.app import app


def rows(folder: Path, *, fenced: int) -> Path:
    """Forty pairs of which so many have a fence in the rejected reply."""
    path = folder / "pairs.jsonl"
    lines = []
    for n in range(40):
        words = f"number {n} is {n * n} when squared"
        reply = f"```\n{words}\n```" if n < fenced else f"{words}, {n}"
        lines.append(json.dumps({"prompt": f"Square {n}", "chosen": words, "rejected": reply}))
    path.write_text("\n".join(lines), "utf-8")
    return path


def outdo(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["data", "check", *map(str, words)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def test_a_serious_finding_is_exit_code_1(tmp_path: Path) -> None:
    code, said = outdo(rows(tmp_path, fenced=40))
    assert code == 1
    assert "serious: fence (rejected): the reply holds a code fence: 0 chosen, 40 rejected" in said
    assert "40 of 40 rows, 100.0%" in said and "pairs.jsonl:1: ```" in said and "  do: " in said


def test_json_has_the_same_findings(tmp_path: Path) -> None:
    code, said = outdo(rows(tmp_path, fenced=40), "--json")
    (checked,) = json.loads(said)
    fence = next(one for one in checked["findings"] if one["name"] == "fence")
    assert code == 1 and fence["rows"] == 40 and fence["separates"]["value"] == 1.0


def test_nothing_found_is_exit_code_0(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    said = ("Blue whales sing at night.", "A prime has two divisors.", "Rome lies on the Tiber.")
    lines = [{"q": f"Tell {n} things", "a": text} for n, text in enumerate(said)]
    path.write_text("\n".join(map(json.dumps, lines)))
    columns = ("--column", "prompt=q", "--column", "completion=a")
    assert outdo(path, *columns) == (0, "rows.jsonl: 3 conversations; nothing found\n")
    code, told = outdo(path, *columns, "--max-length", 8)
    assert code == 1 and "too long (row): the row has more than 8 tokens" in told
    code, told = outdo(path, *columns, "--against", path)
    assert code == 1 and "leak text (row)" in told


def test_what_is_printed_has_no_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"prompt": "Say", "completion": "red \x1b[31m, \ud800"}))
    _, said = outdo(path)
    assert "\x1b" not in said and "\\x1b[31m" in said and "\\xd800" in said


STUDY = """
study: checked
task: repair
data:
  slips: {source: rows, path: slips.jsonl}
  pairs: {source: pairs, path: pairs.jsonl}
models:
  seedling: embedded/seedling
answer:
  base: {model: seedling, prompt: direct}
"""


def test_a_study_is_checked_entry_by_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with rows(tmp_path, fenced=40).open("a") as file:
        leaking = "Return the number that is given, and add one to it, please."
        file.write("\n" + json.dumps({"prompt": leaking, "chosen": "same", "rejected": "same"}))
    slip = {
        "problem": "one-more",
        "entry": "more",
        "statement": leaking,
        "tests": [{"call": "more(1)", "expected": "2"}],
        "program": "def more(n):\n    return n\n",
        "repair": "def more(n):\n    return n + 1\n",
    }
    slips = [{**slip, "id": "1"}, {**slip, "id": "2", "split": "test"}]
    (tmp_path / "slips.jsonl").write_text("\n".join(map(json.dumps, slips)))
    (tmp_path / "study.yaml").write_text(STUDY)
    code, said = outdo("study.yaml", "--log-dir", "runs")
    assert code == 1
    first, second = said.split("\npairs: ")
    assert first.startswith("slips: 2 examples;") and "prompt across splits" in first
    assert second.startswith("41 pairs;")
    assert "identical pair" in second and "leak text" in second


def test_a_mistake_names_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="names no column"):
        outdo(rows(tmp_path, fenced=0), "--column", "prompt")
