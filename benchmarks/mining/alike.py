"""Finds near-duplicates among rows in this process, and says what that took.

    python -m mining.alike 100000

Rows are lines drawn from a fixed pool, about 2,500 characters each as code has them; one in twenty
is an earlier row of which a few lines are others.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time

from mining.scan import peak_mb, spent
from outdo.data.near import near_duplicates

POOL = 60_000
LINES = 60
COPIES = 20


def rows(count: int) -> dict[str, str]:
    """Rows by name."""
    draw = random.Random(11)
    words = [f"{draw.choice('abcdefgh')}{draw.randrange(4000)}" for _ in range(6000)]
    pool = ["    " + " ".join(draw.choices(words, k=7)) for _ in range(POOL)]
    made: list[list[str]] = []
    for number in range(count):
        if number % COPIES == COPIES - 1:
            lines = list(made[draw.randrange(number)])
            lines[draw.randrange(LINES)] = draw.choice(pool)
        else:
            lines = draw.choices(pool, k=LINES)
        made.append(lines)
    return {str(number): "\n".join(lines) for number, lines in enumerate(made)}


def measured(count: int) -> dict[str, float]:
    """Seconds of the clock and of the processor, rows dropped, characters, peak memory in MB."""
    texts = rows(count)
    before = peak_mb()
    begun, clock = spent(resource.RUSAGE_SELF), time.perf_counter()
    dropped = near_duplicates(texts)
    return {
        "rows": count,
        "characters": sum(map(len, texts.values())),
        "dropped": len(dropped),
        "seconds_of_clock": time.perf_counter() - clock,
        "seconds": spent(resource.RUSAGE_SELF) - begun,
        "mb_of_rows": before,
        "peak_mb": peak_mb(),
    }


if __name__ == "__main__":
    print(json.dumps(measured(int(sys.argv[1]))))
