"""The verb that judges what a study has stored, and does nothing else."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import outdo
from outdo.cli.judge import judge_study
from outdo.cli.remote import Remote
from outdo.cli.studies import run_study
from outdo.data.problems import read_problem
from outdo.errors import StoreError, StudyError

PROBLEM = Path(outdo.__file__).parent / "embedded" / "problems" / "running-total.yaml"

STUDY = """\
study: little
task: repair
data:
  broken: {source: inject, problems: problems, count: 24, test_per_problem: 20}
models: {good: scripted/good.jsonl, bad: scripted/bad.jsonl, wise: scripted/wise.jsonl}
answer:
  good: {model: good}
  bad: {model: bad}
judges:
  wise: {model: wise, known: 20}
compare:
  repair: {answers: [good, bad], against: [bad]}
"""


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "problems").mkdir()
    shutil.copy(PROBLEM, tmp_path / "problems")
    for name, code in (("good", read_problem(PROBLEM).reference), ("bad", "print('no')")):
        line = {"match": "", "reply": f"```python\n{code}\n```"}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(line) + "\n")
    right = (
        "(?:" + "|".join(re.escape(one.strip()) for one in read_problem(PROBLEM).solutions) + ")"
    )
    first = r"Reply A:\n<<<\w+\n```python\n" + right
    both = first + r"[\s\S]*Reply B:\n<<<\w+\n```python\n" + right
    rules = ((both, "tie"), (first, "A"), ("", "B"))
    lines = [json.dumps({"match": match, "reply": f"Verdict: {said}"}) for match, said in rules]
    (tmp_path / "wise.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path / "study.yaml"


JUDGED = ["compare.repair.judges=[wise]", "compare.repair.judge_against=bad"]


def stages() -> set[str]:
    return {one.name for one in Path("runs/.stages").iterdir() if not one.name.startswith(".")}


def results() -> dict[str, object]:
    found: dict[str, object] = json.loads(Path("runs/little/report/results.json").read_text())
    return found


def test_a_finished_study_is_judged_without_being_run_again(study: Path) -> None:
    run_study(study, log_dir=Path("runs"))
    before = stages()
    code = judge_study(study, log_dir=Path("runs"), overrides=JUDGED, remote=Remote())
    assert code == 0
    after = stages()
    assert len(after - before) == 1, "the judge's verdicts, and nothing else"
    (name,) = after - before
    assert name.startswith("generate-")
    assert '"judge": "wise"' in json.dumps(results())


def test_what_is_not_answered_is_not_judged(study: Path) -> None:
    with pytest.raises(StoreError, match="isn't finished"):
        judge_study(study, log_dir=Path("runs"), overrides=JUDGED, remote=Remote())
    run_study(study, log_dir=Path("runs"), overrides=["limit=5"])
    with pytest.raises(StoreError, match="isn't finished"):
        judge_study(study, log_dir=Path("runs"), overrides=JUDGED, remote=Remote())


def test_a_study_without_judges_is_told_so(study: Path) -> None:
    with pytest.raises(StudyError, match="no table of this study has judges"):
        judge_study(study, log_dir=Path("runs"), overrides=[], remote=Remote())
