"""Which known issues a review finds, and how well its lines meet theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SLACK = 10
"""Lines by which a said range may be longer than the known one: whoever names all finds nothing."""

SIGNATURE = f"overlap,slack={SLACK}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Lines of a file, from `first` to `last`, both included."""

    file: str
    first: int
    last: int

    @property
    def count(self) -> int:
        return max(0, self.last - self.first + 1)


def shared(one: Place, other: Place) -> int:
    """How many lines two places have in common."""
    if one.file != other.file:
        return 0
    return max(0, min(one.last, other.last) - max(one.first, other.first) + 1)


def hits(said: Place, known: Place) -> bool:
    """Whether a said place is a known one: they share a line, and it is not much longer."""
    return shared(said, known) > 0 and said.count <= known.count + SLACK


def overlap(said: Place, known: Place) -> float:
    """Shared lines over all lines of both (Jaccard's index), 0 where it is no hit."""
    both = shared(said, known)
    return both / (said.count + known.count - both) if hits(said, known) else 0.0


def recall(said: Sequence[Place], known: Sequence[Place]) -> float | None:
    """Share of known places that a said one hits; None where none is known."""
    if not known:
        return None
    return sum(any(hits(one, place) for one in said) for place in known) / len(known)


def precision(
    said: Sequence[Place], known: Sequence[Place], rejected: Sequence[Place] | None = None
) -> float | None:
    """Share of said places that hit a known one; None where nothing can be told of any.

    With `rejected` (places that people looked at and found nothing wrong with) only those said
    places count that hit a known or a rejected one: of the others nobody knows.
    """
    right = [any(hits(one, place) for place in known) for one in said]
    if rejected is None:
        judged = right
    else:
        wrong = [any(hits(one, place) for place in rejected) for one in said]
        judged = [good for good, bad in zip(right, wrong, strict=True) if good or bad]
    return sum(judged) / len(judged) if judged else None


def line_accuracy(said: Sequence[Place], known: Sequence[Place]) -> float | None:
    """The mean over known places of the best overlap with a said one; None where none is known."""
    if not known:
        return None
    return sum(max((overlap(one, place) for one in said), default=0.0) for place in known) / len(
        known
    )
