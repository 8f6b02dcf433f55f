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
    """The number of every word in turn, and which text it stands in."""
    import numpy as np

    encoded = [text.lower().encode("utf-8", "surrogatepass") for text in texts]
    data = np.frombuffer(b" ".join([*encoded, b""]), dtype=np.uint8)
    inside = _word_bytes()[data]
    edges = np.diff(inside.astype(np.int8), prepend=np.int8(0))
    starts = np.flatnonzero(edges == 1)
    if not len(starts):
        return np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.intp)
    lengths = np.flatnonzero(edges == -1) - starts
    firsts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    places = np.arange(int(lengths.sum())) - np.repeat(firsts, lengths)
    powers = np.full(int(lengths.max()), 0xD6E8FEB86659FD93, dtype=np.uint64)
    powers[0] = 1
    terms = drawn(256, stream=1)[data[inside]] * np.cumprod(powers)[places]
    ends = np.cumsum([len(text) + 1 for text in encoded])
    owners = np.searchsorted(ends, starts, side="right")
    return mixed(np.add.reduceat(terms, firsts)), owners


@functools.cache
def _word_bytes() -> NDArray[np.bool_]:
    """Whether each of the 256 bytes belongs to a word."""
    import numpy as np

    return np.array([byte >= 128 or chr(byte).isalnum() or byte == ord("_") for byte in range(256)])
