"""The studies of programming feedback, from their files to a plan, and to results on a handful."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import outdo
from outdo.cli.remote import Remote
from outdo.cli.studies import run_study
from outdo.study import load_study

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "studies" / "programming_feedback.yaml"
EMBEDDED = ROOT / "studies" / "programming_feedback_embedded.yaml"
PROBLEMS = Path(outdo.__file__).parent / "embedded" / "problems"
RANKS = (4, 16, 64)

RIGHT = "def twice(n):\n    return n + n\n"
WRONG = "def twice(n):\n    m = n{sign}{number}\n    return n + m\n"


@pytest.fixture
def students(tmp_path: Path) -> Path:
    """A folder that holds students' programs as the studies expect them, of two problems."""
    folder = tmp_path / "refactory-intropynus"
    folder.mkdir()
    tests = [{"id": str(n), "call": f"twice({n})", "expected": str(2 * n)} for n in range(1, 5)]
    names = ("question_1", "question_2")
    problems = [
        {
            "problem": name,
            "name": name,
            "description": f"Twice n, as {name} says.",
            "preamble": "",
            "reference": RIGHT,
            "tests": tests,
        }
        for name in names
    ]
    wrong = [WRONG.format(sign=sign, number=n) for sign in "+-" for n in range(1, 8)]
    programs = [
        {
            "problem": name,
            "id": f"{name} {kind} {n}",
            "split": kind,
            "code": code,
            "all_pass": right,
        }
        for name in names
        for kind, codes, right in (("correct", [RIGHT], True), ("wrong", wrong, False))
        for n, code in enumerate(codes)
    ]
    (folder / "problems.jsonl").write_text("".join(json.dumps(p) + "\n" for p in problems))
    with gzip.open(folder / "programs.jsonl.gz", "wt") as out:
        out.writelines(json.dumps(p) + "\n" for p in programs)
    return tmp_path


@pytest.mark.parametrize("path", [PUBLISHED, EMBEDDED], ids=lambda path: path.stem)
def test_specialists_and_merged_differ_in_their_tasks_and_ranks_alone(path: Path) -> None:
    study = load_study(path)
    runs = study.runs()
    assert list(runs) == [
        f"{name} r={rank}" for name in ("repair", "hints", "merged") for rank in RANKS
    ]
    assert {run.entry: run.settings.tasks for run in runs.values()} == {
        "repair": ["repair"],
        "hints": ["hint"],
        "merged": ["repair", "hint"],
    }
    recipes = [run.settings.model_dump(exclude={"tasks", "lora"}) for run in runs.values()]
    assert all(one == recipes[0] for one in recipes)
    assert all(run.data == next(iter(runs.values())).data for run in runs.values())
    assert study.answer["base, chain of thought"].prompt == "chain-of-thought"


@pytest.mark.parametrize("path", [PUBLISHED, EMBEDDED], ids=lambda path: path.stem)
def test_everybody_meets_the_base_and_the_merged_model_each_specialist(path: Path) -> None:
    study = load_study(path)
    bases = {name for name, entry in study.answer.items() if entry.model in study.models}
    first = next(iter(study.compare.values()))
    assert set(first.against) <= bases and {"repair", "hints", "merged"} <= set(first.answers)
    opponents = {
        (tuple(table.tasks or ()), tuple(table.answers), tuple(table.against))
        for table in study.compare.values()
    }
    assert (("repair",), ("merged", "repair"), ("repair",)) in opponents
    assert (("hint",), ("merged", "hints"), ("hints",)) in opponents
    assert study.answer["merged, guarded"].guard


def test_the_published_study_tells_its_calls_and_their_price_without_keys_or_weights(
    students: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    code = run_study(
        PUBLISHED,
        log_dir=tmp_path / "runs",
        overrides=[f"data_root={students}", "limit=2"],
        remote=Remote(),
        dry_run=True,
    )
    told = capsys.readouterr().out
    assert code == 0
    assert "openai/gpt-4o-mini" in told and "hf/microsoft/Phi-3-mini-4k-instruct" in told
    rows = {
        line.split("│")[3].strip(): line.split("│") for line in told.splitlines() if "$" in line
    }
    calls = {what: int(cells[4]) for what, cells in rows.items()}
    assert calls["gpt-4o-mini"] == 4, "two programs, each to be repaired and hinted at"
    assert calls["rater judges rated hints"] == 2 * 15, "hints alone, of everybody"
    stored = {one.name.partition("-")[0] for one in tmp_path.glob("runs/.stages/[!.]*")}
    assert stored == {"data"}, "nothing is made but the data"


def test_where_the_data_are_not_that_is_what_a_plan_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = tmp_path / "nowhere"
    overrides = [f"data_root={where}"]
    assert run_study(PUBLISHED, log_dir=tmp_path, overrides=overrides, dry_run=True) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "calls can't be counted: " in said and "change it with --set data_root=..." in said


def few(folder: Path) -> Path:
    """The embedded study as a matter of seconds: few injected bugs, one rank, its first table."""
    (folder / "problems").mkdir()
    for name in ("running-total", "reverse-words", "balance-point", "border-sum"):
        shutil.copy(PROBLEMS / f"{name}.yaml", folder / "problems")
    study = yaml.safe_load(EMBEDDED.read_text("utf-8"))
    study |= {"limit": 2, "data_root": str(folder)}
    del study["data"]["students"]
    study["data"]["broken"] |= {"problems": "problems", "count": 32}
    for entry in study["train"].values():
        entry["lora"] = {"rank": 4}
    study["answer"] = {
        name: entry | {"max_tokens": 40}
        for name, entry in study["answer"].items()
        if entry["data"] == "broken"
    }
    (title, table), *_ = study["compare"].items()
    study["compare"] = {title: {key: table[key] for key in ("answers", "against")}}
    path = folder / "few.yaml"
    path.write_text(yaml.safe_dump(study), "utf-8")
    return path


@pytest.mark.slow
def test_the_embedded_study_rates_repairs_and_hints_of_every_model(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from outdo.cli import main; main()"),
            *("run", str(few(tmp_path)), "--log-dir", str(tmp_path / "runs")),
        ],
        env={
            **os.environ,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(Path(outdo.__file__).parents[1]),
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report = tmp_path / "runs" / "programming_feedback_embedded" / "report"
    results = json.loads((report / "results.json").read_text("utf-8"))
    models = {"merged", "repair", "hints", "base", "base, chain of thought"}
    for table, metric in (
        ("repair, broken programs", "rpass"),
        ("hint, broken programs", "hgood_rules"),
    ):
        told = results["tasks"][table]["metrics"][metric]["models"]
        assert models <= set(told)
        assert all((told[name]["n"], told[name]["missing"]) == (2, 0) for name in models)
    assert set(results["training"]) == {"repair", "hints", "merged"}
    rows = {name: one["rows"] for name, one in results["training"].items()}
    assert rows["merged"] == rows["repair"] + rows["hints"]
    shared = {name: one["shared_share"] for name, one in results["training"].items()}
    assert shared["merged"] > 0.25, "both rows of a program have most of their tokens in common"
