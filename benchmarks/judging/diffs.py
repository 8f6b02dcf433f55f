"""How many real pull requests become prompts in a second, on one core.

Reading the diff and showing it are counted, and neither a tokenizer nor taking out secrets: both
are measured apart, since the one is the model's and the other is done once, when data are made.
"""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from outdo import diffs, secrets

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))
PULLS = Path("pull-requests-permissive", "prs.jsonl.gz")


def diffs_per_second(*, quick: bool = False) -> float:
    """Real diffs read and shown in a second of processor time; all of them, or some if `quick`.

    The best of three rounds. Processor time, so that a neighbour on the machine doesn't count.
    """
    return _rate(lambda text: diffs.render(diffs.parse(text)), pulls(quick=quick))


def scrubbed_per_second(*, quick: bool = False) -> float:
    """Real diffs from which secrets and addresses are taken out in a second of processor time."""
    return _rate(secrets.scrub, pulls(quick=quick))


def pulls(*, quick: bool = False) -> list[str]:
    """The diffs of real pull requests, in the order of the file."""
    path = DATA / PULLS
    if not path.is_file():
        raise SystemExit(f"{path} is missing: set OUTDO_DATA to the folder of data sets")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found = [json.loads(line)["diff"] for line in file]
    return found[::16] if quick else found


def _rate(work: Callable[[str], object], texts: Sequence[str], *, rounds: int = 3) -> float:
    seconds = []
    for _ in range(rounds):
        start = time.process_time()
        for text in texts:
            work(text)
        seconds.append(time.process_time() - start)
    return len(texts) / min(seconds)


if __name__ == "__main__":
    print(f"shown    {diffs_per_second():8.0f} pull requests a second")
    print(f"scrubbed {scrubbed_per_second():8.0f} pull requests a second")
