"""Texts as sets of shingles: every run of so many words in a row, each a number of 64 bits.

A word is a run of letters, digits, underscores and whatever isn't ASCII, in lower case; blanks and
punctuation only part words, so that layout counts for nothing. The numbers depend on the words
alone: not on the machine, not on the process, not on what stands beside a text.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.uint64]
    Bytes = NDArray[np.uint8]

FACTOR = 0xD6E8FEB86659FD93
"""The odd number of which a word's number is a polynomial."""

CHUNK_CHARACTERS = 2**18
"""About how much text is worked on at once, so that a processor's cache holds the work."""


def shingles(texts: Iterable[str], *, words: int) -> Iterator[Numbers]:
    """The distinct shingles of each text in turn, in rising order; every text has at least one.

    A text of fewer words is one shingle as a whole, and one without any word its own content.
    Two different shingles have the same number once in 2^64 pairs.
    """
    import numpy as np

    yield from map(np.unique, runs(texts, words=words))


def runs(texts: Iterable[str], *, words: int) -> Iterator[Numbers]:
    """The shingles of each text in turn as they stand in it, repeated ones and all."""
    for chunk in _chunks(texts):
        yield from _of_chunk(chunk, words)


def jaccard(a: Numbers, b: Numbers) -> float:
    """What two sets have in common, of all that either holds, in [0, 1] (Jaccard 1901)."""
    import numpy as np

    shared = len(np.intersect1d(a, b, assume_unique=True))
    return shared / (len(a) + len(b) - shared)


def mixed(numbers: Numbers) -> Numbers:
    """Numbers of 64 bits, one to one, scattered evenly: the finaliser of SplitMix64."""
    import numpy as np

    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def drawn(count: int, *, stream: int) -> Numbers:
    """`count` fixed odd numbers that look random; streams differ (SplitMix64)."""
    import numpy as np

    steps = np.arange(1, count + 1, dtype=np.uint64) + np.uint64(stream << 32)
    return mixed(steps * np.uint64(0x9E3779B97F4A7C15)) | np.uint64(1)


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    """The texts in order, in chunks of about as many characters."""
    chunk: list[str] = []
    size = 0
    for text in texts:
        chunk.append(text)
        size += len(text)
        if size >= CHUNK_CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _of_chunk(texts: Sequence[str], words: int) -> Iterator[Numbers]:
    """The runs of each of some texts, all worked on at once."""
    import numpy as np

    hashes, owners = _words(texts)
    counts = np.bincount(owners, minlength=len(texts))
    starts = np.concatenate([[0], np.cumsum(counts)])
    weights = drawn(words, stream=2)
    every = np.zeros(max(len(hashes) - words + 1, 0), dtype=np.uint64)
    for place in range(words if len(every) else 0):
        every += hashes[place : place + len(every)] * weights[place]
    every = mixed(every)
    for number, text in enumerate(texts):
        first, count = int(starts[number]), int(counts[number])
        if count >= words:
            yield every[first : first + count - words + 1]
        elif count:
            whole = (hashes[first : first + count] * weights[:count]).sum(keepdims=True)
            yield mixed(whole + np.uint64(count))
        else:
            name = hashlib.sha256(text.strip().encode("utf-8", "surrogatepass")).digest()
            yield np.array([int.from_bytes(name[:8], "big")], dtype=np.uint64)


def _words(texts: Sequence[str]) -> tuple[Numbers, NDArray[np.intp]]:
    """The number of every word in turn, and which text it stands in.

    A word's number is a polynomial in its bytes, told by two sums from the texts' beginning: what
    stands before it goes by subtracting, and its place by dividing (Karp and Rabin 1987).
    """
    import numpy as np

    encoded = [text.lower().encode("utf-8", "surrogatepass") for text in texts]
    data = np.frombuffer(b" ".join([*encoded, b""]), dtype=np.uint8)
    inside = _word_bytes()[data]
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    if len(inside) and inside[0]:
        edges = np.concatenate([[0], edges])
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.intp)
    powers, divisors = _powers(max(CHUNK_CHARACTERS, 1 << (len(data) - 1).bit_length()))
    sums = drawn(256, stream=1)[data]
    sums *= powers[: len(data)]
    np.cumsum(sums, out=sums)
    before = np.where(starts > 0, sums[starts - 1], np.uint64(0))
    hashes = (sums[ends - 1] - before) * divisors[starts]
    lasts = np.cumsum([len(text) + 1 for text in encoded])
    return mixed(hashes), np.searchsorted(lasts, starts, side="right")


@functools.lru_cache(maxsize=2)
def _powers(count: int) -> tuple[Numbers, Numbers]:
    """The powers of an odd number from 0 on, and what multiplies each to 1, all mod 2^64."""
    import numpy as np

    def powers(number: int) -> Numbers:
        found = np.full(count, number, dtype=np.uint64)
        found[0] = 1
        return np.cumprod(found)

    return powers(FACTOR), powers(pow(FACTOR, -1, 2**64))


@functools.cache
def _word_bytes() -> NDArray[np.bool_]:
    """Whether each of the 256 bytes belongs to a word."""
    import numpy as np

    return np.array([byte >= 128 or chr(byte).isalnum() or byte == ord("_") for byte in range(256)])
