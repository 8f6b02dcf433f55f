"""Rows through gates, one after another: who is kept, and who was dropped where, and why.

A gate looks at all rows that came through the gates before it, so that one that compares rows
with each other is a gate like any other. No row is lost in silence: each is kept, or has a `Drop`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from outdo.data.licences import refusal
from outdo.data.near import THRESHOLD, near_duplicates, signature
from outdo.errors import DataError

SHOWN = 5
"""Dropped rows that a report shows of each gate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A row as gates see it: its texts, and where it comes from as far as that is known.

    `group` is what holds rows together (a repository), `date` an ISO date, such as 2024-05-31.
    Rows of two kinds (tasks) may be alike: what is asked of them differs.
    """

    id: str
    texts: tuple[str, ...]
    group: str = ""
    kind: str = ""
    licence: str | None = None
    date: str | None = None

    @property
    def text(self) -> str:
        """All texts as one."""
        return "\n\n".join(self.texts)


@dataclass(frozen=True, slots=True)
class Drop:
    """Why a row is dropped, in words that rows of one kind share, and what is special of it."""

    why: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What rows must come through: a name, what it asks for, and who of some rows fails."""

    name: str
    about: str
    failing: Callable[[Sequence[Item]], Mapping[str, Drop]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What one gate did: how many rows it saw and dropped, for which reasons, and who is one."""

    gate: str
    about: str
    seen: int
    dropped: int
    reasons: Mapping[str, int]
    shown: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sifted:
    """The ids that are kept, in the order that they came, and what each gate did, in order."""

    kept: tuple[str, ...]
    passages: tuple[Passage, ...]
    drops: Mapping[str, tuple[str, Drop]]

    @property
    def told(self) -> str:
        """What befell all rows, in one line."""
        parts = [f"{p.dropped:,} by {p.gate}" for p in self.passages if p.dropped]
        return f"{len(self.kept):,} rows kept; dropped: {', '.join(parts) or 'none'}"


def sift(items: Sequence[Item], gates: Sequence[Gate]) -> Sifted:
    """The rows that come through all gates, in order. Raises DataError if an id stands twice."""
    if twice := [id for id, n in Counter(item.id for item in items).items() if n > 1]:
        raise DataError(f"the id {twice[0]!r} stands more than once", "give each row its own")
    left = list(items)
    passages: list[Passage] = []
    drops: dict[str, tuple[str, Drop]] = {}
    for gate in gates:
        failed = gate.failing(left) if left else {}
        passages.append(_passage(gate, left, failed))
        drops.update({id: (gate.name, drop) for id, drop in failed.items()})
        left = [item for item in left if item.id not in failed]
    return Sifted(kept=tuple(item.id for item in left), passages=tuple(passages), drops=drops)


def _passage(gate: Gate, items: Sequence[Item], failed: Mapping[str, Drop]) -> Passage:
    reasons = Counter(drop.why for drop in failed.values())
    shown = [
        {"id": item.id, "why": failed[item.id].why, "detail": failed[item.id].detail}
        for item in items
        if item.id in failed
    ]
    return Passage(
        gate=gate.name,
        about=gate.about,
        seen=len(items),
        dropped=len(failed),
        reasons=dict(sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        shown=tuple(sorted(shown, key=lambda one: one["id"])[:SHOWN]),
    )


# ------------------------------------------------------------------ gates


def each(name: str, about: str, fault: Callable[[Item], Drop | None]) -> Gate:
    """A gate that looks at every row by itself."""

    def failing(items: Sequence[Item]) -> dict[str, Drop]:
        return {item.id: drop for item in items if (drop := fault(item)) is not None}

    return Gate(name=name, about=about, failing=failing)


def licence_gate(*, allowed: Sequence[str] = ()) -> Gate:
    """Rows under a permitted licence, or one that is allowed by name."""

    def fault(item: Item) -> Drop | None:
        why = refusal(item.licence, allowed=allowed)
        return Drop(why) if why else None

    also = f", or {', '.join(allowed)}" if allowed else ""
    return each("licence", f"a permitted licence{also}", fault)


def duplicate_gate(*, threshold: float = THRESHOLD) -> Gate:
    """One of several rows that are near-duplicates of each other."""

    def failing(items: Sequence[Item]) -> dict[str, Drop]:
        kinds: dict[str, dict[str, str]] = {}
        for item in items:
            kinds.setdefault(item.kind, {})[item.id] = item.text
        return {
            id: Drop("like a row that is kept", f"{like.similarity:.2f} like {like.kept}")
            for texts in kinds.values()
            for id, like in near_duplicates(texts, threshold=threshold).items()
        }

    return Gate(name="near-duplicate", about=signature(threshold), failing=failing)
