"""What the benchmark of judging asks, and how it sums up."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from judging import contenders

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "judging.py"


def script() -> object:
    """The benchmark's own file, which has the name of its package."""
    spec = importlib.util.spec_from_file_location("benchmark_of_judging", PATH)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def turn(seconds: float, peak: float) -> dict[str, float]:
    return {"seconds": seconds, "peak_mb": peak}


def test_every_pair_is_asked_in_both_orders() -> None:
    asked = contenders.requests(10)
    assert len({one.key for one in asked}) == 20


def test_ratios_are_medians_and_memory_is_the_highest() -> None:
    turns = {
        "outdo": [turn(6.0, 60), turn(7.0, 70), turn(9.0, 65)],
        "thread_pool": [turn(12.0, 1), turn(10.0, 1), turn(10.0, 1)],
    }
    told = script().ratios(turns, ideal=5.0)  # type: ignore[attr-defined]
    assert told == {"time_over_ideal": 1.4, "time_over_thread_pool": 0.7, "peak_mb": 70}


def test_outdo_is_measured_in_a_process_of_its_own() -> None:
    benchmark = script()
    with benchmark.served() as url:  # type: ignore[attr-defined]
        told = benchmark.apart("outdo", url, pairs=4)  # type: ignore[attr-defined]
    assert told["answered"] == 8 and told["seconds"] >= 0.2 and 0 < told["peak_mb"] < 300
