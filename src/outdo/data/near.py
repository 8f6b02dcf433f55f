"""Near-duplicates: MinHash finds who may be alike, and the shingles themselves decide.

Broder (1997) for the signature, locality-sensitive hashing by bands for the candidates. A
candidate is dropped only if its exact Jaccard similarity to a row that is kept reaches the
threshold, so a signature's error can let a duplicate through, and never costs a row.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from outdo.data.shingles import drawn, jaccard, mixed, runs, shingles
from outdo.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from outdo.data.shingles import Numbers

    Halves = NDArray[np.uint32]

WORDS = 5
"""Words in a shingle."""

BANDS, ROWS = 25, 5
"""Two rows are candidates if all `ROWS` values of one of `BANDS` bands agree.

That befalls a pair of similarity s with probability 1 - (1 - s^5)^25: .9999 at .8, .56 at .5.
"""

PERMUTATIONS = BANDS * ROWS

THRESHOLD = 0.8

LEAST = 0.5
"""The lowest threshold; below it the bands would miss more than half of the pairs."""

BLOCK = 2**15
"""Shingles that are hashed at once: few enough for a processor's cache."""


@dataclass(frozen=True, slots=True)
class Like:
    """The kept row that a dropped one is like, and how much: their exact Jaccard similarity."""

    kept: str
    similarity: float


def signature(threshold: float = THRESHOLD) -> str:
    """What decides which rows are near-duplicates, in one line."""
    return f"minhash|{WORDS}-word shingles|{BANDS}x{ROWS}|exact jaccard >= {threshold:g}|2"


def near_duplicates(
    texts: Mapping[str, str],
    *,
    threshold: float = THRESHOLD,
    against: Mapping[str, str] | None = None,
) -> dict[str, Like]:
    """The rows to drop, by name, each with the kept row that it is like.

    Rows are taken in the order of their texts' digests, then names: one is kept unless it is like
    one that was kept before. So every dropped row is like a kept one, no two kept ones that were
    found are alike, and nothing hangs on the order of `texts`. Those of `against` are always kept,
    and come first; their names may be those of rows.
    Raises DataError if the threshold isn't in [0.5, 1].
    """
    import numpy as np

    if not LEAST <= threshold <= 1:
        raise DataError(f"the threshold is {threshold:g}", f"from {LEAST:g} to 1")
    fixed = list((against or {}).items())
    order = [*fixed, *sorted(texts.items(), key=lambda item: (_digest(item[1]), item[0]))]
    signed = signatures([text for _, text in order])
    bands = _bands(signed)
    meeting = np.flatnonzero(_shared(bands).any(axis=1))
    texts_met = (order[number][1] for number in meeting)
    sets = dict(zip(meeting.tolist(), shingles(texts_met, words=WORDS), strict=True))
    seen = _Seen(signed, sets, threshold)
    dropped: dict[str, Like] = {}
    for number in meeting.tolist():
        keys = bands[number].tolist()
        found = seen.like(number, keys) if number >= len(fixed) else None
        if found is None:
            seen.keep(number, keys)
        else:
            dropped[order[number][0]] = Like(order[found[0]][0], found[1])
    return dropped


def signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    """MinHash signatures, a row a text: the share of equal values estimates the similarity.

    Value k is the least of (a_k x + b_k) mod 2^32 over the shingles, of which x are the upper 32
    bits; a_k is odd.
    """
    import numpy as np

    found = np.empty((len(texts), PERMUTATIONS), dtype=np.uint32)
    factors = drawn(PERMUTATIONS, stream=3).astype(np.uint32)
    offsets = (mixed(drawn(PERMUTATIONS, stream=4)) >> np.uint64(32)).astype(np.uint32)
    block: list[Numbers] = []
    done = size = 0
    for numbers in runs(texts, words=WORDS):
        block.append(numbers)
        size += len(numbers)
        if size >= BLOCK:
            found[done : done + len(block)] = _least(block, factors, offsets)
            done, block, size = done + len(block), [], 0
    if block:
        found[done:] = _least(block, factors, offsets)
    return found


def _least(block: Sequence[Numbers], factors: Halves, offsets: Halves) -> Halves:
    """The signatures of some sets of shingles."""
    import numpy as np

    every = (np.concatenate(block) >> np.uint64(32)).astype(np.uint32)
    starts = np.cumsum([0, *(len(numbers) for numbers in block[:-1])])
    found = np.empty((len(block), len(factors)), dtype=np.uint32)
    turned = np.empty_like(every)
    for place, (factor, offset) in enumerate(zip(factors, offsets, strict=True)):
        np.multiply(every, factor, out=turned)
        turned += offset
        found[:, place] = np.minimum.reduceat(turned, starts)
    return found


def _bands(signed: NDArray[np.uint32]) -> Numbers:
    """A number for each band of each signature; equal bands in one place have equal numbers."""
    import numpy as np

    parts = signed.reshape(len(signed), BANDS, ROWS).astype(np.uint64)
    summed = (mixed(parts + np.uint64(1)) * drawn(ROWS, stream=5)).sum(axis=2, dtype=np.uint64)
    return mixed(summed + drawn(BANDS, stream=6))


def _shared(bands: Numbers) -> NDArray[np.bool_]:
    """Whether another row has the same number in the same band."""
    import numpy as np

    found = np.empty(bands.shape, dtype=np.bool_)
    for place in range(bands.shape[1]):
        _, inverse, counts = np.unique(bands[:, place], return_inverse=True, return_counts=True)
        found[:, place] = counts[inverse] > 1
    return found


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(slots=True)
class _Seen:
    """Rows that were kept, found again by their bands."""

    signed: NDArray[np.uint32]
    sets: Mapping[int, Numbers]
    threshold: float
    buckets: dict[int, list[int]] = field(default_factory=dict)

    def keep(self, number: int, keys: Sequence[int]) -> None:
        for key in keys:
            self.buckets.setdefault(key, []).append(number)

    def like(self, number: int, keys: Sequence[int]) -> tuple[int, float] | None:
        """A kept row that reaches the threshold, the likeliest first, and its similarity."""
        known = {other for key in keys for other in self.buckets.get(key, ())}
        for other in self._likeliest(number, sorted(known)) if known else ():
            similarity = jaccard(self.sets[number], self.sets[other])
            if similarity >= self.threshold:
                return other, similarity
        return None

    def _likeliest(self, number: int, known: Sequence[int]) -> list[int]:
        """Those whose sizes and signatures leave room for the threshold, by falling estimate.

        An estimate is left aside only 4 standard errors below it (3 in 100,000).
        """
        import numpy as np

        size, least = len(self.sets[number]), self.threshold
        fit = [
            other
            for other in known
            if min(size, n := len(self.sets[other])) >= least * max(size, n)
        ]
        estimates = (self.signed[fit] == self.signed[number]).mean(axis=1)
        floor = least - 4 * math.sqrt(least * (1 - least) / PERMUTATIONS)
        order = np.argsort(-estimates, kind="stable")
        return [fit[place] for place in order.tolist() if estimates[place] >= floor]
