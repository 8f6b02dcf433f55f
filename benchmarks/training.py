"""Tokens a CPU-second and peak memory of training: outdo beside TRL's trainers.

Both train the same Llama of 8.4 million random weights with LoRA on the same ids, as many
sequences a step, in fresh processes of one thread that take turns.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from training.job import Job, perform

RESULTS = Path(__file__).resolve().parent / "results" / "training.json"


def compared(*, quick: bool, only: list[str]) -> dict[str, object]:
    """All that is measured on a processor, the ratios first."""
    from training import account, suite

    extent = suite.QUICK if quick else suite.FULL
    precision = account.precision()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        sets = [one for one in suite.prepared(folder, extent) if not only or one.name in only]
        told = {one.name: suite.speed(one, folder, extent, precision=precision) for one in sets}
        same = {
            one.name: suite.agreement(one, folder, precision=precision)
            for one in sets
            if one.name in ("thealgorithms", "student_pairs")
        }
        result: dict[str, object] = {"quick": quick, "precision": precision, "sets": told}
        if not only:
            memory = suite.memory(
                sets[0], folder, extent, precision=precision, mode=told[sets[0].name]["trl_best"]
            )
            ratios = account.headline(told, memory)
            result = {**ratios, "ratios": ratios, **result, "memory": memory}
    return {**result, "agreement": same, "machine": account.machine("cpu")}


def main() -> None:
    """Measure, print and store; or do one measured run for the process that called."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rows, one turn: 10 minutes")
    parser.add_argument("--only", nargs="*", default=[], help="these data sets, nothing stored")
    parser.add_argument("--job", help=argparse.SUPPRESS)
    parser.add_argument("--told", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.job:
        chosen.told.write_text(json.dumps(perform(Job(**json.loads(chosen.job)))))
        return
    from training import account, data

    if not data.DATA.is_dir():
        sys.exit(f"{data.DATA} is missing: set OUTDO_DATA to the folder of data sets")
    result = compared(quick=chosen.quick, only=chosen.only)
    text = json.dumps(result, indent=2) + "\n"
    if chosen.only:
        print(text, end="")
        return
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text)
    print(account.table(result))


if __name__ == "__main__":
    main()
