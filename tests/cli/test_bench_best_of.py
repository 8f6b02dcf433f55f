"""The verb that lets a model pick among answers of a file: told, written, refused by line."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from outdo.cli import main
from outdo.data.picks import read_choices
from outdo.errors import DataError
from outdo.report import preference_plots

Row = dict[str, object]
GOOD, POOR = "def f(x):\n    return x + 1", "def f(x):\n    return x - 1"


def row(number: int, **more: object) -> Row:
    answers = [f"```python\n{POOR}\n```", GOOD, "I don't know."]
    said = {"id": f"e{number}", "statement": f"Add one, {number}.", "answers": answers}
    return {**said, "passed": [False, True, False], **more}


def rows(path: Path, lines: list[Row]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_answers_are_read_as_programs_with_what_became_of_them(tmp_path: Path) -> None:
    (one,) = read_choices(rows(tmp_path / "a.jsonl", [row(1, group="g", preamble="import os")]))
    assert [None if code is None else code.strip() for code in one.programs] == [POOR, GOOD, None]
    assert (one.passed, one.group, one.preamble) == ((0.0, 1.0, 0.0), "g", "import os")
    assert len(one.distinct) == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"passed": [True]}, "doesn't say of each answer"),
        ({"passed": [1, 2, 0]}, "doesn't say of each answer"),
        ({"answers": "x"}, "no list of texts"),
        ({"answers": [], "passed": []}, "no list of texts"),
        ({"statement": ""}, "'statement' is no text"),
        ({"id": "e1"}, "stands twice"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_by_line(tmp_path: Path, change: Row, told: str) -> None:
    path = rows(tmp_path / "a.jsonl", [row(1), row(2, **change)])
    with pytest.raises(DataError, match=told) as caught:
        read_choices(path)
    assert caught.value.where.endswith("a.jsonl:2")


def test_there_must_be_something_to_pick_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing to pick from"):
        read_choices(rows(tmp_path / "a.jsonl", [row(1, answers=[GOOD], passed=[True])]))
    with pytest.raises(DataError, match="no 'passed'"):
        read_choices(rows(tmp_path / "b.jsonl", [{"id": 1, "statement": "x", "answers": ["y"]}]))


def test_the_curve_is_told_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(preference_plots, "files", lambda _: ())  # drawing takes seconds
    monkeypatch.chdir(tmp_path)
    rows(tmp_path / "answers.jsonl", [row(n) for n in range(6)])
    first_is_good = r"A:\n```python\n[^`]*x \+ 1"
    rules = [{"match": first_is_good, "reply": "A"}, {"match": "", "reply": "B"}]
    rows(tmp_path / "judge.jsonl", [dict(one) for one in rules])
    words = ["answers.jsonl", "--model", "scripted/judge.jsonl", "--claim", "these"]
    monkeypatch.setattr(sys, "argv", ["outdo", "bench", "best-of", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    out = capsys.readouterr().out
    assert "of 3 answers scripted/judge.jsonl by generate picks one that passes in 100.0" in out
    assert "where one sample passes in 33.3" in out and "oracle" in out
    (path,) = tmp_path.glob("runs/best-of-*/best_of.json")
    (told,) = json.loads(path.read_text())
    mine = [point["rate"]["value"] for point in told["curves"][0]["points"]]
    assert mine == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert path.with_name("best_of.html").is_file()
