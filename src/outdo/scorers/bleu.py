"""BLEU of one text or of many: as NLTK computes it, and as sacreBLEU does (Papineni et al. 2002).

The two differ in tokens, in what becomes of an order without matches, and in short texts, so that
a number means nothing without its signature.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from outdo.errors import DataError

Tokenizer = Literal["whitespace", "13a"]
Smoothing = Literal["none", "epsilon", "add-one", "halving", "short"]

WEIGHTS = (0.25, 0.25, 0.25, 0.25)
EPSILON = 0.1
SHORT = 5
"""What the smoothing `short` divides the logarithm of a text's length by: k of Chen and Cherry."""

TINY = 2.0**-1022
"""The smallest normal float: what NLTK puts for a precision of 0 where nothing smooths."""

VERSION = 1


@dataclass(frozen=True, slots=True)
class Counts:
    """Matches and n-grams of each order, and lengths in tokens; counts of texts can be summed."""

    matches: tuple[int, ...]
    totals: tuple[int, ...]
    candidate: int
    reference: int


def signature(
    *,
    tokenizer: Tokenizer = "whitespace",
    smoothing: Smoothing = "none",
    weights: Sequence[float] = WEIGHTS,
) -> str:
    """What the numbers of `sentence_bleu` and `corpus_bleu` depend on."""
    told = ",".join(f"{weight:g}" for weight in weights)
    return f"bleu|form:nltk|tok:{tokenizer}|smooth:{smoothing}|weights:{told}|v{VERSION}"


SACRE_SIGNATURE = f"bleu|form:sacrebleu|nrefs:1|case:mixed|eff:yes|tok:13a|smooth:exp|v{VERSION}"
"""Of `sacre_sentence_bleu`; in a corpus no order is left out, and it says `eff:no`."""


def sentence_bleu(
    *,
    candidate: str,
    reference: str,
    tokenizer: Tokenizer = "whitespace",
    smoothing: Smoothing = "none",
    weights: Sequence[float] = WEIGHTS,
) -> float:
    """BLEU of one text in [0, 1], equal to NLTK's `sentence_bleu` of the same tokens.

    Without smoothing an order without matches counts as the smallest float: the score is then next
    to 0, also of equal texts shorter than the highest order. No word in common, or an empty text,
    is 0. Smoothings are those of Chen and Cherry (2014): `epsilon` is their first, `add-one` their
    second, `halving` their third, `short` their fourth, as NLTK has them.
    """
    split = TOKENIZERS[tokenizer]
    counts = count(split(candidate), split(reference), orders=len(weights))
    return _nltk(counts, smoothing=smoothing, weights=weights)


def corpus_bleu(
    *,
    candidates: Sequence[str],
    references: Sequence[str],
    tokenizer: Tokenizer = "whitespace",
    smoothing: Smoothing = "none",
    weights: Sequence[float] = WEIGHTS,
) -> float:
    """BLEU of many texts in [0, 1]: matches and lengths are summed first, as NLTK's `corpus_bleu`.

    It is not the mean of sentences. No texts at all score 0.
    """
    # NLTK counts one n-gram of each order for a text that is too short to have any.
    counts = _summed(
        candidates, references, split=TOKENIZERS[tokenizer], orders=len(weights), least=1
    )
    return _nltk(counts, smoothing=smoothing, weights=weights)


def sacre_sentence_bleu(*, candidate: str, reference: str) -> float:
    """BLEU of one text as sacreBLEU computes a sentence's, over 100, so that it lies in [0, 1].

    Tokens of mteval 13a, exponential smoothing, and orders longer than the text left out.
    """
    counts = count(mteval_13a(candidate), mteval_13a(reference))
    return _sacre(counts, effective=True)


def sacre_corpus_bleu(*, candidates: Sequence[str], references: Sequence[str]) -> float:
    """BLEU of many texts as sacreBLEU's `corpus_bleu` computes it, over 100."""
    counts = _summed(candidates, references, split=mteval_13a, orders=4, least=0)
    return _sacre(counts, effective=False)


def count(candidate: Sequence[str], reference: Sequence[str], *, orders: int = 4) -> Counts:
    """Clipped matches and n-grams of each order, of tokens."""
    matches: list[int] = []
    totals: list[int] = []
    for order in range(1, orders + 1):
        totals.append(max(0, len(candidate) - order + 1))
        # Where no n-gram is shared, no longer one is.
        none = order > 1 and not matches[-1]
        matches.append(0 if none else _shared(candidate, reference, order))
    return Counts(tuple(matches), tuple(totals), len(candidate), len(reference))


def _shared(candidate: Sequence[str], reference: Sequence[str], order: int) -> int:
    """How many n-grams two texts share, each as often as in the one that has it less often."""
    said, wanted = _ngrams(candidate, order), _ngrams(reference, order)
    both = set(said).intersection(wanted)
    if not both:
        return 0
    # Most n-grams stand once in a text: only those that both have are counted.
    mine, theirs = (Counter(filter(both.__contains__, ngrams)) for ngrams in (said, wanted))
    return sum(map(min, map(mine.__getitem__, both), map(theirs.__getitem__, both)))


def _ngrams(tokens: Sequence[str], order: int) -> Sequence[object]:
    if order == 1:
        return tokens
    return list(zip(*(tokens[start:] for start in range(order)), strict=False))


def _summed(
    candidates: Sequence[str],
    references: Sequence[str],
    *,
    split: Callable[[str], list[str]],
    orders: int,
    least: int,
) -> Counts:
    same_length(candidates, references)
    each = [
        count(split(one), split(other), orders=orders)
        for one, other in zip(candidates, references, strict=True)
    ]
    return Counts(
        _columns((counts.matches for counts in each), orders),
        _columns(([max(least, t) for t in counts.totals] for counts in each), orders),
        sum(counts.candidate for counts in each),
        sum(counts.reference for counts in each),
    )


def _columns(rows: Iterable[Sequence[int]], orders: int) -> tuple[int, ...]:
    sums = [0] * orders
    for row in rows:
        for place, value in enumerate(row):
            sums[place] += value
    return tuple(sums)


def same_length(candidates: Sequence[object], references: Sequence[object]) -> None:
    """Raise if there is not one reference for each candidate."""
    if len(candidates) != len(references):
        raise DataError(
            f"{len(candidates)} candidates and {len(references)} references",
            "each candidate needs its own reference, at the same place",
        )


# ------------------------------------------------------------------ two ways to a number


def _nltk(counts: Counts, *, smoothing: Smoothing, weights: Sequence[float]) -> float:
    if not counts.matches or not counts.matches[0]:
        return 0.0
    precisions = SMOOTHINGS[smoothing](counts)
    logs = (w * math.log(p) for w, p in zip(weights, precisions, strict=True) if p > 0)
    return _brevity(counts) * math.exp(math.fsum(logs))


def _brevity(counts: Counts) -> float:
    """The penalty of what is shorter than its reference; of nothing at all it is 0."""
    if counts.candidate > counts.reference:
        return 1.0
    return math.exp(1 - counts.reference / counts.candidate) if counts.candidate else 0.0


def _fractions(counts: Counts) -> list[tuple[int, int]]:
    return [(m, max(1, t)) for m, t in zip(counts.matches, counts.totals, strict=True)]


def _unsmoothed(counts: Counts) -> list[float]:
    return [m / t if m else TINY for m, t in _fractions(counts)]


def _epsilon(counts: Counts) -> list[float]:
    return [m / t if m else EPSILON / t for m, t in _fractions(counts)]


def _add_one(counts: Counts) -> list[float]:
    first, *more = _fractions(counts)
    return [first[0] / first[1], *((m + 1) / (t + 1) for m, t in more)]


def _halving(counts: Counts) -> list[float]:
    found, halvings = [], 1
    for m, t in _fractions(counts):
        found.append(m / t if m else 1 / (2**halvings * t))
        halvings += not m
    return found


def _short(counts: Counts) -> list[float]:
    found, halvings = [], 1
    for m, t in _fractions(counts):
        if m or counts.candidate <= 1:
            found.append(m / t)
        else:
            found.append(1 / (2**halvings * SHORT / math.log(counts.candidate)) / t)
            halvings += 1
    return found


SMOOTHINGS: dict[Smoothing, Callable[[Counts], list[float]]] = {
    "none": _unsmoothed,
    "epsilon": _epsilon,
    "add-one": _add_one,
    "halving": _halving,
    "short": _short,
}


def _sacre(counts: Counts, *, effective: bool) -> float:
    if not any(counts.matches) or not counts.candidate:
        return 0.0
    logs, halvings, orders = [], 1, len(counts.matches)
    for order, (m, t) in enumerate(zip(counts.matches, counts.totals, strict=True)):
        if not t:
            # A corpus has its orders; of a sentence those longer than itself are left out.
            if not effective:
                return 0.0
            orders = order
            break
        halvings *= 1 if m else 2
        logs.append(math.log((m or 1 / halvings) / t))
    short = counts.candidate < counts.reference
    brevity = math.exp(1 - counts.reference / counts.candidate) if short else 1.0
    return brevity * math.exp(sum(logs) / orders)


# ------------------------------------------------------------------ tokens


_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_MARKS = re.compile(r"([ -&(-+/:-@\[-`{-~])")
_POINT_AFTER = re.compile(r"([^0-9])([.,])")
_POINT_BEFORE = re.compile(r"([.,])([^0-9])")
_DASH = re.compile(r"([0-9])(-)")


def mteval_13a(text: str) -> list[str]:
    """The tokens of NIST's `mteval-v13a`, the default of sacreBLEU."""
    text = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    if "&" in text:
        for entity, mark in _ENTITIES:
            text = text.replace(entity, mark)
    text = _MARKS.sub(r" \1 ", f" {text} ")
    text = _POINT_AFTER.sub(r"\1 \2 ", text)
    text = _POINT_BEFORE.sub(r" \1 \2", text)
    return _DASH.sub(r"\1 \2 ", text).split()


TOKENIZERS: dict[Tokenizer, Callable[[str], list[str]]] = {
    "whitespace": str.split,
    "13a": mteval_13a,
}
