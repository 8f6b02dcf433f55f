"""How many calls may be out at once: as many as the provider bears, found out by asking.

Pure bookkeeping, without a clock and without locks: whoever calls says what time it is, in seconds
of a clock that only goes forward, and lets one thread in at a time.
"""

from __future__ import annotations

START = 20
"""Calls at once to begin with."""

MOST = 100
"""Calls at once that are never exceeded unless the user says so."""


class Limiter:
    """A window of calls, which doubles while all is well and halves once for each burst of 429.

    After the first halving it grows by a tenth for each window's worth of answers (additive
    increase, multiplicative decrease), so that it stays near what the provider bears.
    """

    def __init__(self, most: int = MOST, *, start: int = START) -> None:
        if most < 1:
            raise ValueError("at least one call at a time")
        self.most = most
        self.limit = min(start, most)
        self.out = 0
        self.closed_until = 0.0
        self.halvings = 0
        self._halved_at = float("-inf")
        self._well = 0

    def is_open(self, now: float) -> bool:
        """Whether another call may start now."""
        return self.out < self.limit and now >= self.closed_until

    def begin(self) -> None:
        """A call starts."""
        self.out += 1

    def end(self) -> None:
        """A call's place is free again."""
        self.out -= 1

    def well(self) -> None:
        """A call was answered: a window's worth of such answers makes the window larger."""
        self._well += 1
        if self._well >= self.limit:
            self._well = 0
            more = max(1, self.limit // 10) if self.halvings else self.limit
            self.limit = min(self.most, self.limit + more)

    def throttled(self, *, begun: float, now: float, wait: float | None) -> None:
        """A call that began at `begun` was told to slow down, and for how many seconds if said.

        Calls that were out already when the window was halved are part of the same burst.
        """
        self._well = 0
        if wait is not None:
            self.closed_until = max(self.closed_until, now + wait)
        if begun >= self._halved_at:
            self.limit = max(1, self.limit // 2)
            self.halvings += 1
            self._halved_at = now
