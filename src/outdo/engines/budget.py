"""Money that must not be passed: reserved before a call, settled after it."""

from __future__ import annotations

import threading

from outdo.errors import EngineError, TransientError


class OutOfBudget(TransientError):
    """The next call might pass the budget: what has arrived is kept, what is left is owed."""


class Budget:
    """US dollars that all engines of a run share; never more than `limit` is spent.

    What a call may cost at most is reserved before it, and what it did cost is settled after.
    A budget that counts in earlier runs is told what they `spent`.
    """

    def __init__(self, limit: float, *, spent: float = 0.0) -> None:
        if not 0 <= limit < float("inf"):
            raise EngineError(f"{limit:g} is no budget", "such as --budget 5.00")
        self.limit = limit
        self.spent = spent
        self.reserved = 0.0
        self._out = 0
        self._lock = threading.Lock()

    def reserve(self, most: float) -> bool:
        """Whether a call that costs at most so much still fits; if so, it is set aside."""
        with self._lock:
            if self.spent + self.reserved + most > self.limit * (1 + 1e-12):
                return False
            self.reserved += most
            self._out += 1
            return True

    def settle(self, most: float, cost: float) -> None:
        """A call for which `most` was reserved has cost `cost`."""
        with self._lock:
            self._out -= 1
            # Sums of floats don't come back to 0 by themselves.
            self.reserved = max(0.0, self.reserved - most) if self._out else 0.0
            self.spent += cost

    def passed(self, most: float) -> OutOfBudget:
        """The error that says that a call of at most `most` doesn't fit, and how to go on."""
        return OutOfBudget(
            f"the budget of ${self.limit:.2f} leaves no room: ${self.spent:.4f} is spent, and the "
            f"next call may cost ${most:.4f}; what has arrived is kept: raise --budget to go on"
        )
