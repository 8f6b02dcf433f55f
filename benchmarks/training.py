"""Tokens a CPU-second and peak memory of training: outdo beside TRL's trainers.

Both train the same Llama of 8.4 million random weights with LoRA on the same ids, as many
sequences a step, in processes of one thread that take turns. TRL's best mode is the fastest of
those that train on the rows whole and apart from each other. With `--device cuda` both train
models of real size instead, and the clock on the wall counts.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from training.job import Worker, apart
from training.peer import DPO_MODES, SFT_MODES
from training.progress import Progress

from training import account, data, gpu, growth, suite

RESULTS = Path(__file__).resolve().parent / "results"
NOTE = (
    "TRL's best mode is the fastest that trains on the rows whole and apart from each other; "
    "wrapped cuts rows and lets them see each other, and is told for information"
)


def speeds(names: list[str], extent: suite.Extent) -> dict[str, object]:
    """The data sets of these names, and whether losses agree."""
    precision = account.precision("cpu")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sets = suite.prepared(folder, extent, names)
        runs = {side: stack.enter_context(Worker()) for side in ("outdo", "trl")}
        progress = Progress(suite.expected(sets, extent))
        told = {
            one.name: suite.speed(one, extent, precision=precision, runs=runs, progress=progress)
            for one in sets
        }
    return {"precision": precision, "sets": told}


def compared(*, quick: bool) -> dict[str, object]:
    """All that is measured on a processor, the ratios first."""
    extent = suite.QUICK if quick else suite.FULL
    precision = account.precision("cpu")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sets = suite.prepared(folder, extent)
        by_name = {one.name: one for one in sets}
        some = by_name["thealgorithms"]
        runs = {side: stack.enter_context(Worker()) for side in ("outdo", "trl")}
        planned = suite.expected(sets, extent)
        more = {
            "precision": precision,
            "progress": Progress(planned + suite.memory_work(some, extent)),
        }
        told = {one.name: suite.speed(one, extent, runs=runs, **more) for one in sets}
        memory = suite.memory(some, extent, run=apart, **more)
        same = {
            name: suite.agreement(by_name[name], precision=precision, runs=runs)
            for name in ("thealgorithms", "student_pairs")
        }
    return {
        **account.headline(told, memory),
        "note": NOTE,
        "quick": quick,
        "precision": precision,
        "sets": told,
        "memory": memory,
        "agreement": same,
        "machine": account.machine("cpu"),
    }


def grown() -> dict[str, object]:
    """How the rate grows, which is stored and drawn apart."""
    precision = account.precision("cpu")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (some,) = suite.prepared(folder, suite.FULL, ["thealgorithms"])
        growth.write_even(some, suite.FULL)
        runs = {side: stack.enter_context(Worker()) for side in ("outdo", "trl")}
        progress = Progress(growth.cost(suite.FULL))
        told = growth.measured(some, suite.FULL, precision=precision, runs=runs, progress=progress)
    return {"precision": precision, "growth": told, "machine": account.machine("cpu")}


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows, one turn: 10 minutes")
    parser.add_argument("--only", nargs="+", default=[], help="these data sets, nothing stored")
    parser.add_argument("--all-modes", action="store_true", help="with --only: every mode of TRL's")
    parser.add_argument("--growth", action="store_true", help="the figure of growth alone")
    parser.add_argument("--device", default="cpu", help="cuda: models of real size")
    chosen = parser.parse_args()
    if chosen.device != "cpu":
        stored(gpu.compared(chosen.device, quick=chosen.quick), f"training.{chosen.device}")
        return
    if not data.DATA.is_dir():
        sys.exit(f"{data.DATA} is missing: set OUTDO_DATA to the folder of data sets")
    if chosen.only:
        extent = suite.QUICK if chosen.quick else suite.FULL
        if chosen.all_modes:
            modes = {n: DPO_MODES if n in data.DPO | data.SHORT else SFT_MODES for n in data.ALL}
            extent = replace(extent, modes=modes)
        print(json.dumps(speeds(chosen.only, extent), indent=2))
        return
    if not chosen.growth:
        result = compared(quick=chosen.quick)
        stored(result, "training")
        print(account.table(result))
    if not chosen.quick:
        result = grown()
        stored(result, "training.growth")
        growth.draw(result["growth"], RESULTS / "training.growth")  # type: ignore[arg-type]


def stored(result: dict[str, object], name: str) -> None:
    """Write the account below `results`."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
