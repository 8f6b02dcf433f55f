"""The study of preference models, on a handful of problems, from its file to its results."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import outdo
from outdo.study import load_study

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "preference_model.yaml"
PROBLEMS = Path(outdo.__file__).parent / "embedded" / "problems"


def test_the_study_asks_every_model_in_the_way_that_it_was_trained() -> None:
    study = load_study(STUDY)
    for name, entry in study.train.items():
        assert study.answer[name].prompt == entry.prompt
    table = study.compare["prefer"]
    assert table.floors == ["first", "shorter", "longer", "nearest", "patterns"]
    assert table.slices == "source"


@pytest.mark.slow
def test_the_study_tells_every_model_and_floor_apart_on_seen_and_unseen_problems(
    tmp_path: Path,
) -> None:
    (tmp_path / "problems").mkdir()
    for name in ("running-total", "reverse-words", "balance-point", "border-sum"):
        shutil.copy(PROBLEMS / f"{name}.yaml", tmp_path / "problems")
    changed = {
        "data.broken.problems": tmp_path / "problems",
        "data.broken.count": 32,
        "data.broken.test_per_held_out": 4,
        "train.reward.epochs": 1,
    }
    done = subprocess.run(
        [
            *(sys.executable, "-c", "from outdo.cli import main; main()"),
            *("run", str(STUDY), "--log-dir", str(tmp_path / "runs")),
            *(part for key, value in changed.items() for part in ("--set", f"{key}={value}")),
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
    report = tmp_path / "runs" / "preference_model" / "report"
    results = json.loads((report / "results.json").read_text("utf-8"))
    parts = {"prefer": 14, "prefer/problems seen": 6, "prefer/problems never seen": 8}
    for part, pairs in parts.items():
        models = results["tasks"][part]["metrics"]["accuracy"]["models"]
        assert set(models) == {
            *("reward", "choice", "base", "base likelihood"),
            *(f"floor/{name}" for name in ("first", "shorter", "longer", "nearest", "patterns")),
        }
        assert all((one["n"], one["missing"]) == (pairs, 0) for one in models.values())
        assert models["floor/first"]["value"] == 0.5
        assert models["reward"]["value"] * pairs == pytest.approx(
            round(models["reward"]["value"] * pairs)  # both orders agree
        )
    assert set(results["training"]) == {"reward", "choice"}
