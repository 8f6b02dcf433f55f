"""What became of rows that stream by: counts at each gate, told as a data card tells them.

The same report as `card.report` makes of rows in memory, kept as numbers, so that it takes no more
room for a long history than for a short one and goes on where a stopped run left it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outdo.data.sifting import SHOWN, Drop
from outdo.records import Json

STEP = 100
"""Characters of a row's length that count as one in the card's quantiles."""


@dataclass(slots=True)
class Tally:
    """What became of rows: `gates` are names and what each asks for, in the order of passage."""

    gates: Sequence[tuple[str, str]]
    kept: int = 0
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    shown: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    scrubbed: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    dates: list[str] = field(default_factory=list)
    digest: int = 0

    def drop(self, gate: str, name: str, why: Drop) -> None:
        """Count a row that a gate lets not through; the first few are remembered by name."""
        self.reasons.setdefault(gate, Counter())[why.why] += 1
        shown = self.shown.setdefault(gate, [])
        if len(shown) < SHOWN:
            shown.append({"id": name, "why": why.why, "detail": why.detail})

    def keep(self, line: bytes, *, date: str, characters: int) -> None:
        """Count a row that is kept, as it is written."""
        self.kept += 1
        self.lengths[characters // STEP] += 1
        if date:
            known = [*self.dates, date]
            self.dates = [min(known), max(known)]
        self.digest = (self.digest + int.from_bytes(hashlib.sha256(line).digest(), "big")) % 2**256

    @property
    def seen(self) -> int:
        """How many rows came."""
        return self.kept + sum(counts.total() for counts in self.reasons.values())

    def told(self, *, about: Mapping[str, Json], group: str, licence: str) -> dict[str, Json]:
        """All that is known, in the form of `card.report`; the digest hangs on no order."""
        return {
            "about": {**about, "secrets and addresses taken out": dict(self.scrubbed) or "none"},
            "rows_in": self.seen,
            "rows_kept": self.kept,
            "digest": f"{self.digest:064x}",
            "gates": self._passages(),
            "groups": {group: self.kept} if self.kept else {},
            "licences": {licence: self.kept} if self.kept else {},
            "dates": self.dates,
            "characters": self._quantiles(),
        }

    def _passages(self) -> list[Json]:
        left, found = self.seen, []
        for gate, asks in self.gates:
            reasons = self.reasons.get(gate, Counter())
            ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
            found.append(
                {
                    "gate": gate,
                    "about": asks,
                    "seen": left,
                    "dropped": reasons.total(),
                    "reasons": dict(ordered),
                    "shown": self.shown.get(gate, []),
                }
            )
            left -= reasons.total()
        return found

    def _quantiles(self) -> dict[str, int]:
        """The least of the length's step that holds each quantile."""
        parts = (("least", 0.0), ("median", 0.5), ("p90", 0.9), ("most", 1.0))
        found = {}
        for name, part in parts:
            place, passed = min(int(part * self.kept), self.kept - 1), 0
            for step in sorted(self.lengths):
                passed += self.lengths[step]
                if passed > place:
                    found[name] = step * STEP
                    break
        return {name: found.get(name, 0) for name, _ in parts}

    def state(self) -> Json:
        """Everything as JSON, from which `of_state` goes on."""
        return {
            "kept": self.kept,
            "reasons": {gate: dict(counts) for gate, counts in self.reasons.items()},
            "shown": self.shown,
            "scrubbed": dict(self.scrubbed),
            "lengths": {str(step): count for step, count in self.lengths.items()},
            "dates": self.dates,
            "digest": f"{self.digest:x}",
        }

    @classmethod
    def of_state(cls, gates: Sequence[tuple[str, str]], state: Mapping[str, Json]) -> Tally:
        """The tally of which `state` was told."""
        return cls(
            gates=gates,
            kept=state["kept"],
            reasons={gate: Counter(counts) for gate, counts in state["reasons"].items()},
            shown=state["shown"],
            scrubbed=Counter(state["scrubbed"]),
            lengths=Counter({int(step): count for step, count in state["lengths"].items()}),
            dates=state["dates"],
            digest=int(state["digest"], 16),
        )
