"""Rows that an evaluation set must not share with training: by group, time, text and n-grams.

Runs of 13 words are the measure that Brown et al. (2020) held their training data against. What
is told is the share of the shorter text's runs that the other holds too, so that neither a long
row around a short test nor the other way round goes unseen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outdo.data.shingles import shingles
from outdo.data.sifting import Drop, Gate, Item, each
from outdo.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from outdo.data.shingles import Numbers

WORDS = 13
"""Words in an n-gram."""

SHARE = 0.2
"""The share of n-grams from which on two texts overlap."""

COMMON = 0.05
"""N-grams in more than this share of the evaluation's rows (and in more than 2) count for nothing.

They are what rows of a kind have in common: a template, an instruction, the head of a licence.
"""

SHORTEST = 40
"""Characters, blanks aside, from which on one text alone can be told again."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Hit:
    """The row of the evaluation that a row overlaps most, and the share of n-grams in common."""

    evaluation: str
    share: float


def apart(
    evaluation: Sequence[Item],
    *,
    by_group: bool = True,
    before: str | None = None,
    share: float = SHARE,
) -> list[Gate]:
    """The gates that hold rows apart from an evaluation set, cheapest first.

    With `by_group` no row may be of a group that the evaluation has, with `before` (an ISO date)
    each must be older than that; then no text may be the same, and n-grams less than `share`.
    """
    gates = [_group_gate(evaluation)] if by_group else []
    gates += [_time_gate(before)] if before is not None else []
    return [*gates, _text_gate(evaluation), _ngram_gate(evaluation, share)]


def _group_gate(evaluation: Sequence[Item]) -> Gate:
    groups = {item.group for item in evaluation if item.group}

    def fault(item: Item) -> Drop | None:
        return Drop("of a group in the evaluation", item.group) if item.group in groups else None

    return each("evaluation: group", f"none of the evaluation's {len(groups):,} groups", fault)


def _time_gate(before: str) -> Gate:
    if not _DATE.fullmatch(before):
        raise DataError(f"{before!r} is no date", "like 2024-05-31")

    def fault(item: Item) -> Drop | None:
        day = (item.date or "")[:10]
        if not _DATE.fullmatch(day):
            return Drop("no date is told", item.date or "")
        return None if day < before else Drop(f"not before {before}", day)

    return each("evaluation: time", f"older than {before}", fault)


def _text_gate(evaluation: Sequence[Item]) -> Gate:
    known: dict[str, str] = {}
    for item in evaluation:
        for text in _told_apart(item):
            known.setdefault(text, item.id)

    def fault(item: Item) -> Drop | None:
        found = next((known[text] for text in _told_apart(item) if text in known), None)
        return Drop("a text of the evaluation", f"stands in {found}") if found else None

    return each("evaluation: text", "no text of the evaluation, blanks aside", fault)


def _told_apart(item: Item) -> Iterator[str]:
    """The texts that are long enough to be known again, blanks made one."""
    for text in (*item.texts, item.text):
        if len(plain := " ".join(text.split())) >= SHORTEST:
            yield plain


def _ngram_gate(evaluation: Sequence[Item], share: float) -> Gate:
    if not 0 < share <= 1:
        raise DataError(f"the share of n-grams is {share:g}", "above 0, at most 1")

    def failing(items: Sequence[Item]) -> dict[str, Drop]:
        return {
            item.id: Drop(
                f"shares {WORDS}-grams with the evaluation",
                f"{hit.share:.0%} of the shorter, with {hit.evaluation}",
            )
            for item, hit in zip(items, overlaps(items, evaluation), strict=True)
            if hit is not None and hit.share >= share
        }

    about = f"less than {share:.0%} of the shorter text's {WORDS}-grams in common"
    return Gate(name="evaluation: n-grams", about=about, failing=failing)


def overlaps(items: Sequence[Item], evaluation: Sequence[Item]) -> list[Hit | None]:
    """For each row the evaluation row with which it shares most n-grams; None if with none.

    The share is |a & b| / min(|a|, |b|) of the two sets, common n-grams aside. Of equal ones the
    first by id is told.
    """
    import numpy as np

    known = sorted(evaluation, key=lambda item: item.id)
    if not known:
        return [None] * len(items)
    grams, owners, sizes = _postings(known)
    found: list[Hit | None] = []
    for numbers in shingles((item.text for item in items), words=WORDS):
        first = np.searchsorted(grams, numbers, side="left")
        last = np.searchsorted(grams, numbers, side="right")
        met = np.flatnonzero(last > first)
        if not len(met):
            found.append(None)
            continue
        places = np.concatenate([np.arange(first[n], last[n]) for n in met])
        shared = np.bincount(owners[places], minlength=len(known))
        shares = shared / np.maximum(np.minimum(sizes, len(numbers)), 1)
        best = int(np.argmax(shares))
        found.append(Hit(known[best].id, float(shares[best])))
    return found


def _postings(known: Sequence[Item]) -> tuple[Numbers, NDArray[np.intp], NDArray[np.intp]]:
    """The evaluation's n-grams in order, whose each is, and how many each row has."""
    import numpy as np

    sets = list(shingles((item.text for item in known), words=WORDS))
    grams = np.concatenate(sets)
    owners = np.repeat(np.arange(len(sets)), [len(numbers) for numbers in sets])
    _, inverse, counts = np.unique(grams, return_inverse=True, return_counts=True)
    telling = counts[inverse] <= max(2, COMMON * len(known))
    grams, owners = grams[telling], owners[telling]
    order = np.argsort(grams, kind="stable")
    sizes = np.bincount(owners, minlength=len(known))
    return grams[order], owners[order], sizes
