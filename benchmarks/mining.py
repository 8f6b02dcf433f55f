"""How fast histories become rows, rows pairs, and near-duplicates are found among rows.

Commits a second of a long synthetic history and of this repository's own, by the processor time of
the process that mines (that of git isn't in it); the chain of Commit-Instruct over real commits
with a scripted teacher; near-duplicates among 100,000 rows. Each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mining import history, teacher

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("OUTDO_DATA", HERE.parent.parent / "shared" / "data"))
COMMITS = DATA / "commits-permissive" / "commits.jsonl.gz"
Turn = dict[str, float]


def apart(module: str, *arguments: str | Path) -> Turn:
    """What a module of `mining` prints when it runs alone."""
    done = subprocess.run(
        [sys.executable, "-m", f"mining.{module}", *map(str, arguments)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE), "OMP_NUM_THREADS": "1"},
    )
    turn: Turn = json.loads(done.stdout.splitlines()[-1])
    return turn


def scans(repository: Path, folder: Path, *, repeats: int) -> dict[str, object]:
    """Commits a second of a repository: the median over turns, each of which mines it anew."""
    turns = [
        apart("scan", repository, folder / f"{repository.name}-{n}.jsonl") for n in range(repeats)
    ]
    return {
        "commits": int(turns[0]["commits"]),
        "kept": int(turns[0]["kept"]),
        "commits_per_second": round(statistics.median(t["commits"] / t["seconds"] for t in turns)),
        **{
            name: round(statistics.median(t[name] for t in turns), 2)
            for name in ("seconds", "seconds_of_git", "seconds_of_clock", "peak_mb")
        },
    }


def chain(folder: Path) -> dict[str, object] | None:
    """Commit-Instruct over real commits with a scripted teacher; None without the data."""
    if not COMMITS.is_file():
        print(f"{COMMITS} isn't there: set OUTDO_DATA", file=sys.stderr)
        return None
    script, out = folder / "teacher.jsonl", folder / "pairs.jsonl"
    kinds = teacher.write_script(COMMITS, script, prompt="json")
    command = [sys.executable, "-m", "outdo", "data", "evolve", "commits", str(COMMITS)]
    command += ["--teacher", f"scripted/{script}", "--out", str(out)]
    begun = time.perf_counter()
    with subprocess.Popen(
        [*command, "--log-dir", str(folder / "runs")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(usage[1])
    if process.returncode:
        raise SystemExit(f"the chain ended with {process.returncode}")
    with out.open("rb") as rows:
        pairs = sum(1 for _ in rows)
    return {
        "commits": kinds.total(),
        "pairs": pairs,
        "seconds_of_clock": round(time.perf_counter() - begun, 1),
        "seconds": round(usage[2].ru_utime + usage[2].ru_stime, 1),
        "peak_mb": round(usage[2].ru_maxrss / 1024, 1),
    }


def measured(folder: Path, *, commits: int, rows: int, repeats: int) -> dict[str, object]:
    """Everything, the headline first."""
    history.made(folder / "long.git", commits=commits)
    history.made(folder / "short.git", commits=commits // 10)
    long = scans(folder / "long.git", folder, repeats=repeats)
    short = scans(folder / "short.git", folder, repeats=repeats)
    own = scans(HERE.parent, folder, repeats=1)
    alike = {name: round(value, 1) for name, value in apart("alike", str(rows)).items()}
    pairs = chain(folder)
    peaks = [part["peak_mb"] for part in (long, own, alike, pairs) if part is not None]
    return {
        "commits_per_second": long["commits_per_second"],
        "chain_seconds": pairs["seconds_of_clock"] if pairs else None,
        "minhash_100k_seconds": alike["seconds_of_clock"],
        "peak_mb": max(float(str(peak)) for peak in peaks),
        "histories": {"long": long, "a tenth as long": short, "this repository": own},
        "near_duplicates": alike,
        "chain": pairs,
        "repeats": repeats,
    }


def machine() -> dict[str, object]:
    """What the numbers were measured on, and with which versions."""
    told = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True)
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "python": platform.python_version(),
        "git": told.stdout.split()[2],
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3, help="turns, of which the median counts")
    parser.add_argument("--quick", action="store_true", help="a tenth of it, once, not stored")
    asked = parser.parse_args()
    commits, rows, repeats = (2_000, 10_000, 1) if asked.quick else (20_000, 100_000, asked.repeats)
    with tempfile.TemporaryDirectory() as folder:
        result = measured(Path(folder), commits=commits, rows=rows, repeats=repeats)
    text = json.dumps({**result, "machine": machine()}, indent=2) + "\n"
    print(text, end="")
    if not asked.quick:
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / "mining.json").write_text(text)


if __name__ == "__main__":
    main()
