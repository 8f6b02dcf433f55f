"""What gives the better reply of a pair away without being read: a code fence, or its length.

A method that learns from pairs then learns that, and a score on such pairs says nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from outdo.records import Pair

FENCE = "```"
LEAST = 0.1
"""Shares that are nearer than this are taken for equal, however many pairs there are."""


def giveaways(pairs: Sequence[Pair]) -> Iterator[str]:
    """A sentence, numbers included, for each mark by which chosen and rejected can be told apart.

    One counts if it is beyond what chance would bring: two standard errors of no difference.
    """
    many = len(pairs)
    if not many:
        return
    chosen, rejected = (
        sum(FENCE in reply for reply in side) / many
        for side in ([pair.chosen for pair in pairs], [pair.rejected for pair in pairs])
    )
    share = (chosen + rejected) / 2
    if abs(chosen - rejected) > max(LEAST, 2 * math.sqrt(2 * share * (1 - share) / many)):
        yield (
            f"chosen and rejected can be told apart by a code fence: {chosen:.0%} of the chosen "
            f"replies have one, {rejected:.0%} of the rejected"
        )
    area = longer([len(pair.chosen) for pair in pairs], [len(pair.rejected) for pair in pairs])
    if abs(area - 0.5) > max(LEAST, 2 * math.sqrt((2 * many + 1) / 12) / many):
        yield (
            f"chosen and rejected can be told apart by length alone: a chosen reply is longer "
            f"than a rejected one with probability {area:.2f} (AUC)"
        )


def longer(ours: Sequence[int], theirs: Sequence[int]) -> float:
    """The probability that one of ours exceeds one of theirs, ties counted half: the AUC."""
    order = sorted(theirs)
    below = sum(bisect_left(order, one) + bisect_right(order, one) for one in ours)
    return below / (2 * len(ours) * len(theirs))
