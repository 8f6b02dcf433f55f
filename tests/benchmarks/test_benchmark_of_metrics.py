"""The benchmark of metrics: its ratio is the median of turns, and unequal numbers stop it."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def metrics() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        spec = importlib.util.spec_from_file_location("of_metrics", BENCHMARKS / "metrics.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


PAIRS = [("def f(x):\n    return x", "def g(y):\n    return y + 1"), ("x = 'a'", "x = 'b'")] * 20


@pytest.mark.parametrize("name", ["bleu", "redit"])
def test_both_sides_of_a_contest_give_the_same(metrics: ModuleType, name: str) -> None:
    with pytest.warns() if name == "bleu" else pytest.MonkeyPatch.context():
        found = metrics.measured(metrics.PEERS[name](), PAIRS, turns=3)
    assert found["ratio"] > 0
    assert found["lowest"] <= found["ratio"] <= found["highest"]
    assert found["pairs"] == 40


def test_numbers_that_differ_stop_it(metrics: ModuleType) -> None:
    contest = metrics.Contest(
        package="other",
        ours=lambda pairs: [0.5] * len(pairs),
        theirs=lambda pairs: [0.6] * len(pairs),
    )
    with pytest.raises(SystemExit, match="other: 40 of 40 numbers differ"):
        metrics.measured(contest, PAIRS, turns=1)


def test_what_is_measured_anew_stands_beside_what_is_stored(
    metrics: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "results" / "metrics.json"
    metrics.store({"redit": {"ratio": 20.0}}, path)
    metrics.store({"bleu": {"ratio": 2.0}}, path)
    metrics.store({"redit": {"ratio": 21.0}}, path)
    assert json.loads(path.read_text("utf-8")) == {
        "bleu": 2.0,
        "redit": 21.0,
        "details": {"bleu": {"ratio": 2.0}, "redit": {"ratio": 21.0}},
    }
