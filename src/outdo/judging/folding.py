"""Orders, repeats, samples and judges folded into one number an example.

Judgements of one example are no independent evidence. Repeats are averaged within an order, orders
within a sample, samples within a judge, judges within a panel; what is left is one number within 0
and 1 for contestant a, or the reason why there is none.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from outdo.judging.nouns import WORTH, Judgement

Missing = Literal["unreadable", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """What all judgements of one example come to, told for contestant a.

    `value` is 1 where a was always preferred and 0 where it never was; None is «could not tell»,
    and `missing` then says why. `lengths` are those of the replies in characters, None where one
    was never given.
    """

    value: float | None
    missing: Missing | None = None
    lengths: tuple[float, float] | None = None

    def swapped(self) -> Folded:
        """The same, told for the other contestant."""
        return Folded(
            value=None if self.value is None else 1 - self.value,
            missing=self.missing,
            lengths=None if self.lengths is None else (self.lengths[1], self.lengths[0]),
        )


def fold(judgements: Iterable[Judgement]) -> dict[str, Folded]:
    """Example to what its judgements come to; all of them are of the same two contestants.

    A judge counts for an example if every order that it was asked in has a choice: with one order
    missing, its liking for a place would count as a liking for a contestant. Of a panel at least
    half of the judges must count. Raises ValueError where contestants differ.
    """
    judgements = list(judgements)
    pairs = {(one.preference.comparison.a, one.preference.comparison.b) for one in judgements}
    if len(pairs) > 1:
        raise ValueError(f"these judgements are of several pairs: {sorted(pairs)}")
    by_example: dict[str, dict[str, list[Judgement]]] = {}
    for one in judgements:
        judges = by_example.setdefault(one.example, {})
        judges.setdefault(one.preference.by, []).append(one)
    return {example: _panel(list(judges.values())) for example, judges in by_example.items()}


def by_pair(judgements: Iterable[Judgement]) -> dict[tuple[str, str], dict[str, Folded]]:
    """Contestant and reference to what their judgements come to, example by example."""
    pairs: dict[tuple[str, str], list[Judgement]] = {}
    for one in judgements:
        comparison = one.preference.comparison
        pairs.setdefault((comparison.a, comparison.b), []).append(one)
    return {pair: fold(each) for pair, each in pairs.items()}


def values(folded: Mapping[str, Folded]) -> dict[str, float | None]:
    """Example to its number, as `stats` takes it."""
    return {example: one.value for example, one in folded.items()}


def _panel(judges: Sequence[Sequence[Judgement]]) -> Folded:
    told = [_judge(each) for each in judges]
    known = [value for value, _ in told if value is not None]
    every = [one for each in judges for one in each]
    lengths = _lengths(every)
    if 2 * len(known) >= len(told):
        return Folded(value=_mean(known), lengths=lengths)
    failed = any(missing == "failed" for _, missing in told)
    return Folded(value=None, missing="failed" if failed else "unreadable", lengths=lengths)


def _judge(judgements: Sequence[Judgement]) -> tuple[float | None, Missing | None]:
    """What one judge thinks of one example, or why that can't be told."""
    samples: dict[int, dict[str, list[Judgement]]] = defaultdict(lambda: defaultdict(list))
    for one in judgements:
        samples[one.sample][one.preference.order].append(one)
    told = [_sample(orders) for orders in samples.values()]
    known = [value for value in told if value is not None]
    if known:
        return _mean(known), None
    return None, "failed" if any(one.how == "failed" for one in judgements) else "unreadable"


def _sample(orders: Mapping[str, Sequence[Judgement]]) -> float | None:
    means = []
    for each in orders.values():
        known = [WORTH[one.choice] for one in each if one.choice is not None]
        if not known:
            return None
        means.append(_mean(known))
    return _mean(means)


def _lengths(judgements: Sequence[Judgement]) -> tuple[float, float] | None:
    """The mean lengths of the replies, over samples; None where none were given."""
    given = {one.sample: one.lengths for one in judgements if one.lengths != (0, 0)}
    if not given:
        return None
    return _mean([a for a, _ in given.values()]), _mean([b for _, b in given.values()])


def _mean(numbers: Sequence[float]) -> float:
    return math.fsum(numbers) / len(numbers)
