"""Mines a repository's commits in this process, and says what that took.

    python -m mining.scan REPOSITORY OUT

Processor time is this process's own: that of git, which it starts, isn't in it.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from outdo.data.licences import OWN
from outdo.data.mining.commits import mine_commits
from outdo.data.mining.git import Repository


def spent(whose: int) -> float:
    """Processor seconds, user and system."""
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


def peak_mb() -> float:
    """The largest resident set of this process since it began, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("this system doesn't tell a process's peak")


def scanned(repository: Path, out: Path) -> dict[str, float]:
    """Commits looked at and kept, seconds of this process, of git and of the clock, peak memory."""
    begun, clock = spent(resource.RUSAGE_SELF), time.perf_counter()
    mined = mine_commits(Repository.opened(repository), out, licence=OWN)
    if not mined.done:
        raise SystemExit("commits are left")
    return {
        "commits": mined.looked_at,
        "kept": mined.kept,
        "seconds": spent(resource.RUSAGE_SELF) - begun,
        "seconds_of_git": spent(resource.RUSAGE_CHILDREN),
        "seconds_of_clock": time.perf_counter() - clock,
        "peak_mb": peak_mb(),
    }


if __name__ == "__main__":
    print(json.dumps(scanned(Path(sys.argv[1]), Path(sys.argv[2]))))
