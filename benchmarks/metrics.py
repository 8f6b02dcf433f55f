"""How much less processor time the similarity metrics take than the packages they stand in for.

Real pairs of programs; outdo and the package take turns in one process of one thread, and a ratio
is the median of those within turns. Both sides must give the same numbers, or nothing is stored.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import importlib.metadata
import json
import logging
import math
import os
import platform
import random
import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from metrics.peers import PEERS, Contest, Pairs

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("OUTDO_DATA", HERE.parents[1] / "shared" / "data"))


def lines(*parts: str) -> list[dict[str, object]]:
    """The rows of a file of the shared data."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        raise SystemExit(f"{path} isn't there: set OUTDO_DATA")
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


LONGEST = 1_200
"""Characters that a text of the BERTScore contest may have: no package cuts it then."""


def answers(count: int) -> Pairs:
    """Models' outputs with their references, and chosen answers with rejected ones."""
    rows = lines("thesis-sft-dpo", "test-100.jsonl")
    found = [
        (str(row["outputs"][model]), str(row["reference"]))  # type: ignore[index]
        for row in rows
        for model in ("base", "sft", "dpo")
    ]
    more = lines("thesis-sft-dpo", "dpo-2000.jsonl.gz")
    found += [(str(row["chosen"]), str(row["rejected"])) for row in more if "def " in str(row)]
    return _some(found, count)


def short_answers(count: int) -> Pairs:
    """Those of `answers` whose both texts fit a BERT's window."""
    fitting = [pair for pair in answers(10**6) if max(map(len, pair)) <= LONGEST]
    return _some(fitting, count)


def repairs(count: int) -> Pairs:
    """Students' wrong programs, each with a repair of it."""
    rows = lines("refactory-intropynus", "programs.jsonl.gz")
    found = [
        (str(row["code"]), str(row["refactory_repair"]))
        for row in rows
        if row["split"] == "wrong" and row.get("refactory_repair")
    ]
    return _some(found, count)


def _some(pairs: Pairs, count: int) -> Pairs:
    return random.Random(1).sample(pairs, min(count, len(pairs)))


SOURCES: dict[str, Callable[[int], Pairs]] = {"redit": repairs, "bertscore": short_answers}
"""Metric to the pairs that it is measured on, where they aren't `answers`."""

TURNS, FEWER = 5, {"bertscore": 3}
"""How often the two sides take turns; fewer where one takes minutes."""


def measured(contest: Contest, pairs: Pairs, *, turns: int) -> dict[str, object]:
    """The ratio of a contest, with both sides' medians in milliseconds a pair."""
    ours, theirs = [], []
    for _ in range(turns):
        contest.forget()
        mine, seconds = timed(contest.ours, pairs)
        ours.append(seconds)
        other, seconds = timed(contest.theirs, pairs)
        theirs.append(seconds)
        agree(mine, other, contest)
    ratios = [b / a for a, b in zip(ours, theirs, strict=True)]
    return {
        "ratio": round(statistics.median(ratios), 2),
        "lowest": round(min(ratios), 2),
        "highest": round(max(ratios), 2),
        "outdo_ms": round(statistics.median(ours) / len(pairs) * 1e3, 4),
        "package_ms": round(statistics.median(theirs) / len(pairs) * 1e3, 4),
        "pairs": len(pairs),
        "turns": turns,
        "package": contest.package,
    }


def timed(side: Callable[[Pairs], Sequence[float]], pairs: Pairs) -> tuple[Sequence[float], float]:
    """What a side gives, and the processor time it took."""
    start = time.process_time()
    found = side(pairs)
    return found, time.process_time() - start


def agree(ours: Sequence[float], theirs: Sequence[float], contest: Contest) -> None:
    """Stop where the two sides' numbers are too often apart."""
    apart = sum(
        not math.isclose(a, b, rel_tol=contest.close, abs_tol=contest.close)
        for a, b in zip(ours, theirs, strict=True)
    )
    if apart > contest.may_differ * len(ours):
        raise SystemExit(f"{contest.package}: {apart} of {len(ours)} numbers differ")


def machine() -> dict[str, object]:
    """What the numbers were measured on, and with which versions."""
    versions = {}
    for name in ("codebleu", "nltk", "Pygments", "bert-score", "tree-sitter", "torch"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processors": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **versions,
    }


STORED = HERE / "results" / "metrics.json"


def store(found: Mapping[str, dict[str, object]], path: Path = STORED) -> None:
    """Put what was measured beside what is stored of other metrics, each with its machine."""
    told = json.loads(path.read_text("utf-8")) if path.exists() else {}
    details = {**told.get("details", {}), **found}
    ordered = {name: details[name] for name in PEERS if name in details}
    ratios = {name: one["ratio"] for name, one in ordered.items()}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**ratios, "details": ordered}, indent=2) + "\n", "utf-8")


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--turns", type=int, help="of which the median counts")
    parser.add_argument("--only", choices=sorted(PEERS), help="one metric; others stay as stored")
    parser.add_argument("--quick", action="store_true", help="one turn of 40 pairs, not stored")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    pairs = 40 if asked.quick else asked.pairs
    for name, peer in PEERS.items():
        turns = 1 if asked.quick else asked.turns or FEWER.get(name, TURNS)
        if asked.only in (None, name):
            found = measured(peer(), SOURCES.get(name, answers)(pairs), turns=turns)
            print(name, json.dumps(found), flush=True)
            if not asked.quick:
                store({name: {**found, "machine": machine()}})


if __name__ == "__main__":
    main()
