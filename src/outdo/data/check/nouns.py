"""Rows as a check sees them, and what it says of them."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from outdo.records import Conversation, Measure, Pair
from outdo.stats.rates import wilson

SHOWN = 3
"""Rows that a finding shows."""

WIDEST = 100
"""Characters of a row that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A row to learn from: what is asked, and one reply to learn, or a chosen and a rejected one.

    `where` is file and line, `group` what the row itself says holds rows together, `said` what
    the assistant said in earlier turns.
    """

    where: str
    group: str
    split: str
    prompt: str
    said: tuple[str, ...]
    replies: tuple[str, ...]
    record: Conversation | Pair | None = None

    def texts(self, side: str) -> tuple[str, ...]:
        """The texts of a side: `prompt`, `answer`, `chosen` or `rejected`."""
        if side == "prompt":
            return (self.prompt,)
        if side == "rejected":
            return self.replies[1:]
        return (*self.said, self.replies[0]) if side == "answer" else self.replies[:1]


@dataclass(frozen=True, slots=True)
class Shown:
    """A row of a finding: where it stands, and what of it matters."""

    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """The rows of a set, and where those stand that can't be learnt from, by reason.

    `sides` are the replies of each row: `answer`, or `chosen` and `rejected`.
    """

    name: str
    entries: tuple[Entry, ...]
    sides: tuple[str, ...]
    unusable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def pairs(self) -> bool:
        return len(self.sides) == 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a model could learn instead of the task, or that keeps it from learning.

    `rows` of the `of` rows that were looked at show it, which is `share`. Where it tells chosen
    from rejected, `separates` is how often somebody is right who goes by it alone and flips a
    coin elsewhere, and `p` the corrected p-value of «as often as a coin».
    """

    name: str
    side: str
    serious: bool
    what: str
    rows: int
    of: int
    share: Measure
    shown: tuple[Shown, ...]
    todo: str
    separates: Measure | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a check of one set found, the serious first."""

    name: str
    kind: str
    rows: int
    findings: tuple[Finding, ...]

    @property
    def serious(self) -> bool:
        return any(finding.serious for finding in self.findings)


def share_of(rows: int, of: int) -> Measure:
    """The share of rows with Wilson's interval, for more rows from where these come from."""
    low, high = wilson(successes=rows, n=of)
    return Measure(name="share", value=rows / of, low=low, high=high, n=of, unit="share")


def finding(
    name: str,
    hits: Sequence[Shown],
    *,
    side: str,
    of: int,
    what: str,
    todo: str,
    serious_from: float,
) -> list[Finding]:
    """The finding that these rows make, serious from that share on; none of no rows."""
    if not hits:
        return []
    share = share_of(len(hits), of)
    return [
        Finding(
            name=name,
            side=side,
            serious=len(hits) >= serious_from * of,
            what=what,
            rows=len(hits),
            of=of,
            share=share,
            shown=tuple(hits[:SHOWN]),
            todo=todo,
        )
    ]


def drawn(entries: tuple[Entry, ...], most: int) -> tuple[Entry, ...]:
    """The rows, or so many of them, drawn evenly and always the same, in their order."""
    if len(entries) <= most:
        return entries
    places = sorted(random.Random(1).sample(range(len(entries)), most))
    return tuple(entries[place] for place in places)


def excerpt(text: str, *, around: int = 0) -> str:
    """A piece of the text on one line, from about the character `around`."""
    start = max(0, around - WIDEST // 4) if around > WIDEST // 2 else 0
    piece = " ".join(text[start : start + 2 * WIDEST].split())
    cut = piece[:WIDEST]
    return ("… " if start else "") + cut + (" …" if len(piece) > len(cut) else "")
