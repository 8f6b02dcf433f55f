"""How near judging comes to the pace of the server that judges, and in how much memory.

1,000 pairs in both orders, 64 connections, a server on loopback that answers in 200 ms. Ideal is
what the connections alone would take. outdo's engine takes turns with a bare pool of threads of the
same SDK, and with `inspect_ai` where it is installed, each in a process of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from judging import contenders

HERE = Path(__file__).resolve().parent
SECONDS = 0.2
CONNECTIONS = 64
Turn = dict[str, float]


@contextlib.contextmanager
def served() -> Iterator[str]:
    """The address of a server in a process of its own, which ends with this one."""
    command = [sys.executable, str(HERE / "judging" / "server.py"), str(SECONDS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin and server.stdout
        yield f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
        server.stdin.close()


def apart(contender: str, url: str, *, pairs: int) -> Turn:
    """What a contender took, in a process of its own."""
    command = [sys.executable, "-m", "judging.contenders", contender, url]
    done = subprocess.run(
        [*command, str(pairs), str(CONNECTIONS)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(HERE), "NO_PROXY": "127.0.0.1"},
    )
    turn: Turn = json.loads(done.stdout.splitlines()[-1])
    if turn["answered"] != 2 * pairs:
        raise SystemExit(f"{contender} answered {turn['answered']} of {2 * pairs}")
    return turn


def measured(*, pairs: int, repeats: int) -> dict[str, object]:
    """The contenders' medians over turns, and their ratios."""
    turns: dict[str, list[Turn]] = {}
    with served() as url:
        for _ in range(repeats):
            for name in contenders.here():
                turns.setdefault(name, []).append(apart(name, url, pairs=pairs))
    return {
        **ratios(turns, ideal=2 * pairs * SECONDS / CONNECTIONS),
        "pairs": pairs,
        "connections": CONNECTIONS,
        "server_seconds": SECONDS,
        "repeats": repeats,
        "contenders": {name: _medians(ts) for name, ts in turns.items()},
    }


def ratios(turns: dict[str, list[Turn]], *, ideal: float) -> dict[str, object]:
    """The headline: medians of outdo's times over the ideal, and over each other contender's.

    A ratio to a contender is the median of those within turns: a load that comes and goes on the
    machine touches both sides.
    """
    ours = turns["outdo"]
    told: dict[str, object] = {
        "time_over_ideal": round(statistics.median(t["seconds"] for t in ours) / ideal, 3)
    }
    for name in sorted(set(turns) - {"outdo"}):
        pairs = zip(ours, turns[name], strict=True)
        found = statistics.median(a["seconds"] / b["seconds"] for a, b in pairs)
        told[f"time_over_{name}"] = round(found, 3)
    told["peak_mb"] = round(max(t["peak_mb"] for t in ours), 1)
    return told


def _medians(turns: list[Turn]) -> Turn:
    return {name: round(statistics.median(t[name] for t in turns), 2) for name in turns[0]}


def diffs_per_second(*, quick: bool) -> float | None:
    """Real pull requests that become prompts in a second of one core; None without the data."""
    if importlib.util.find_spec("judging.diffs") is None:
        return None
    from judging import diffs

    try:
        return round(diffs.diffs_per_second(quick=quick), 1)
    except SystemExit as error:
        print(error, file=sys.stderr)
        return None


def machine() -> dict[str, object]:
    """What the numbers were measured on, and with which versions."""
    versions = {}
    for name in ("openai", "httpx2", "inspect_ai"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "python": platform.python_version(),
        **versions,
    }


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000, help="each is judged in both orders")
    parser.add_argument("--repeats", type=int, default=3, help="turns, of which the median counts")
    parser.add_argument("--quick", action="store_true", help="one turn of 100 pairs, not stored")
    asked = parser.parse_args()
    pairs, repeats = (100, 1) if asked.quick else (asked.pairs, asked.repeats)
    result = measured(pairs=pairs, repeats=repeats)
    result |= {"diffs_per_second": diffs_per_second(quick=asked.quick), "machine": machine()}
    text = json.dumps(result, indent=2) + "\n"
    print(text, end="")
    if not asked.quick:
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results" / "judging.json").write_text(text)


if __name__ == "__main__":
    main()
