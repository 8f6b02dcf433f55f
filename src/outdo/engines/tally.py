"""What calls have come to so far, for whoever looks on."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts of one engine since it was opened; `cost` is in US dollars.

    `calls` are those that went out, `retries` the second tries and later among them, `failed`
    those that brought no answer, by what went wrong, `remade` the calls of an earlier process that
    never ended and are made again. Where no price is known `priced` is False, and `cost` says
    nothing. `notes` are to be told aloud.
    """

    calls: int = 0
    answered: int = 0
    retries: int = 0
    remade: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    priced: bool = True
    notes: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The counts in a line, such as a progress bar has room for."""
        parts = [f"${self.cost:.4f}" if self.priced else "cost unknown"]
        if self.retries:
            parts.append(f"{self.retries} asked again")
        if self.remade:
            parts.append(f"{self.remade} made again after a kill")
        return ", ".join(parts)
