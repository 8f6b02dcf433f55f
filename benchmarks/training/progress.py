"""Lines on the way: what was measured, and how long the rest will take."""

from __future__ import annotations

import sys
import time
from typing import Any


class Progress:
    """Counts work that is done against work that is planned, in a unit of the caller's."""

    def __init__(self, planned: float) -> None:
        """Begin now."""
        self.planned = planned
        self.done = 0.0
        self.began = time.monotonic()

    def spare(self, work: float) -> None:
        """Work that was planned won't be done."""
        self.planned -= work

    def step(self, work: float, what: str, told: dict[str, Any]) -> None:
        """Some work is done: say so."""
        self.done += work
        print(f"{what}: {self.words(told)}; {self.left()}", file=sys.stderr, flush=True)

    def words(self, told: dict[str, Any]) -> str:
        """The rate, and the peak where it is told."""
        text = f"{told['tokens_per_second']:,.0f} tokens a second"
        peak = told.get("peak_bytes")
        return text if peak is None else f"{text}, peak {peak / 2**20:,.0f} MiB"

    def left(self) -> str:
        """The time that the rest takes if it goes on as so far."""
        spent = time.monotonic() - self.began
        rest = max(self.planned - self.done, 0) * spent / self.done
        return f"{rest / 60:.1f} minutes left"
