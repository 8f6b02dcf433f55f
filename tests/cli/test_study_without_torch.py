"""A whole study whose models are files of replies: nothing of the training stack is needed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import outdo
from outdo.cli.studies import run_study
from outdo.data.problems import read_problem
from outdo.errors import ModelError, TrainingError

PROBLEM = Path(outdo.__file__).parent / "embedded" / "problems" / "running-total.yaml"

STUDY = """\
study: little
task: repair
data:
  broken: {source: inject, problems: problems, count: 8, test_per_problem: 6}
models: {good: scripted/good.jsonl, bad: scripted/bad.jsonl}
answer:
  good: {model: good}
  bad: {model: bad}
compare:
  repair: {answers: [good, bad], floors: [unchanged], against: [bad]}
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "problems").mkdir()
    shutil.copy(PROBLEM, tmp_path / "problems")
    for name, code in (("good", read_problem(PROBLEM).reference), ("bad", "print('no')")):
        said = {"match": "", "reply": f"```python\n{code}\n```"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(said) + "\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path / "study.yaml"


def test_a_study_of_scripts_comes_to_a_verdict(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_study(study, log_dir=Path("runs"), expect="better") == 0
    assert "good is better than bad: RPass 1.00 against 0.00" in capsys.readouterr().out
    results = json.loads(Path("runs/little/report/results.json").read_text())
    models = results["tasks"]["repair"]["metrics"]["rpass"]["models"]
    assert {name: one["value"] for name, one in models.items()} == {
        "good": 1.0,
        "bad": 0.0,
        "floor/unchanged": 0.0,
    }


def test_a_script_that_changed_answers_anew(study: Path) -> None:
    run_study(study, log_dir=Path("runs"))
    Path("good.jsonl").write_text(Path("bad.jsonl").read_text())
    assert run_study(study, log_dir=Path("runs"), expect="better") == 1


def test_a_script_that_is_not_there_or_is_to_be_trained_is_told(study: Path) -> None:
    with pytest.raises(TrainingError, match="a script can't be trained"):
        run_study(
            study,
            log_dir=Path("runs"),
            overrides=["train={more: {model: good}}", "answer.good.model=more"],
        )
    Path("good.jsonl").unlink()
    with pytest.raises(ModelError) as told:
        run_study(study, log_dir=Path("runs"))
    assert str(told.value) == (
        f"{study}:5: scripted/good.jsonl: no such script (scripted/<path of a JSONL file>)"
    )
