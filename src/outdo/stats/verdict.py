"""The only place where an interval becomes a word.

A 95% interval of the difference above 0 is «better», below is «worse»; a 90% interval within the
margin is «equivalent»; anything else is «inconclusive», with how many items would settle it.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from outdo.stats.intervals import Claim, Values
from outdo.stats.paired import LEVEL_WITHIN, Difference, Runs, as_runs, compare
from outdo.stats.rates import LEVEL, quantile

Word = Literal["better", "worse", "equivalent", "inconclusive"]
POWER = 0.80
"""The chance that the needed number of items settles the matter, were the difference as seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What may be said of `a` against `b`, and from which difference.

    `needed` is how many items would settle an inconclusive one, and `needed_runs` how many training
    runs, where more items alone would not. `worst` is the word that would stand if every missing
    value spoke against what was found; it is None where nothing is missing.
    """

    word: Word
    found: Difference
    needed: int | None = None
    needed_runs: int | None = None
    worst: Word | None = None


def verdict(
    a: Runs,
    b: Runs,
    *,
    better: Literal["higher", "lower"],
    share: bool,
    claim: Claim = "these",
    groups: Mapping[str, Hashable] | None = None,
    margin: float | None = None,
    same_runs: bool = False,
) -> Verdict:
    """The word for contestant a against b, of one value an example (see `samples.fold`).

    A contestant is one mapping, or one for each of its training runs (see `paired.compare`, for
    `same_runs` too). `groups` maps an example to its group: under the claim «new» whole groups are
    the evidence, under «these» the example is. `margin` is the largest difference that counts as
    none; without one nothing is «equivalent».
    """
    if claim == "new" and groups is None:
        raise ValueError("a claim about new groups needs the groups")
    if margin is not None and margin <= 0:
        raise ValueError(f"a margin is a positive number, not {margin}")
    found = compare(a, b, share=share, groups=groups, claim=claim, same_runs=same_runs)
    word = read(found, better=better, margin=margin)
    worst = None
    if share and found.missing:
        sign = _leaning(found)
        other = compare(
            _filled(as_runs(a), -sign),
            _filled(as_runs(b), sign),
            share=True,
            groups=groups,
            claim=claim,
            same_runs=same_runs,
        )
        worst = read(other, better=better, margin=margin)
    plan = needed(found, margin=margin) if word == "inconclusive" else (None, None)
    return Verdict(word=word, found=found, needed=plan[0], needed_runs=plan[1], worst=worst)


def read(
    found: Difference, *, better: Literal["higher", "lower"], margin: float | None = None
) -> Word:
    """The word for a difference a - b of which more, or less, is better."""
    if found.low is None or found.high is None:
        return "inconclusive"
    if found.low > 0 or found.high < 0:
        return "better" if (found.low > 0) == (better == "higher") else "worse"
    if margin is None or found.low_within is None or found.high_within is None:
        return "inconclusive"
    within = -margin < found.low_within and found.high_within < margin
    return "equivalent" if within else "inconclusive"


def needed(found: Difference, *, margin: float | None = None) -> tuple[int | None, int | None]:
    """How many items, and how many training runs, would settle it with 80% power.

    That is, were the difference what it seems to be. Runs are None where more items alone do;
    items where as many as there are would do. Both are None where neither helps: no difference
    and no margin, or no spread to plan by.
    """
    if found.difference is None or found.low is None or found.high is None:
        return None, None
    allowed = _allowed(abs(found.difference), margin)
    if allowed is None:
        return None, None
    z = quantile(0.5 + LEVEL / 2, found.freedom)
    variance = ((found.high - found.low) / (2 * z)) ** 2
    runs, lucky = max(found.runs_a, found.runs_b), found.between * variance
    # A score interval of n items is about as wide as a plain one of n + z² items.
    one = (1 - found.between) * (found.n + z * z) * variance
    if lucky < allowed:
        return max(found.n + 1, math.ceil(one / (allowed - lucky))), None
    if one / found.n < allowed / 2:
        return None, max(runs + 1, math.ceil(lucky * runs / (allowed - one / found.n)))
    return max(found.n + 1, math.ceil(2 * one / allowed)), math.ceil(2 * lucky * runs / allowed)


def _allowed(size: float, margin: float | None) -> float | None:
    """The largest variance of the difference that settles it, by the easier of the two ends.

    These are telling the difference from 0, and keeping it within the margin.
    """
    z, reserve = _normal(0.5 + LEVEL / 2), _normal(POWER)
    allowed = [(size / (z + reserve)) ** 2] if size > 1e-9 else []
    if margin is not None and size < margin:
        # Below this distance from 0 both ends of the margin press, and each gets half the risk.
        press = _normal(0.5 + POWER / 2) if size < margin / 10 else reserve
        allowed.append(((margin - size) / (_normal(0.5 + LEVEL_WITHIN / 2) + press)) ** 2)
    return max(allowed, default=None)


def population(
    claim: Claim,
    *,
    items: int,
    groups: int,
    item: str = "program",
    group: str = "problem",
) -> str:
    """The sentence that says which population is meant."""
    items_told = f"{items} {plural(item, items)}"
    others = plural(group, 2)
    if claim == "new":
        return (
            f"The claim is about new {others}: whole {others} are the evidence, "
            f"{groups} in all with {items_told}."
        )
    these = f"this one {group}" if groups == 1 else f"these {groups} {others}"
    return (
        f"The claim is about {these}: what is counted is the distinct {item}, "
        f"{items} in all, and nothing is said about other {others}."
    )


def plural(noun: str, count: int) -> str:
    """The noun as it stands after a number: 1 program, 2 programs, 3 repositories."""
    if count == 1:
        return noun
    if noun.endswith("y") and noun[-2:-1] not in ("", *"aeiou"):
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "ch", "sh")) else f"{noun}s"


def _leaning(found: Difference) -> int:
    return -1 if found.difference is not None and found.difference < 0 else 1


def _filled(runs: Sequence[Values], sign: int) -> list[Values]:
    """Missing values at the end of the scale: 1 for a positive sign, else 0."""
    end = 1.0 if sign > 0 else 0.0
    return [{name: end if value is None else value for name, value in run.items()} for run in runs]


def _normal(probability: float) -> float:
    return NormalDist().inv_cdf(probability)
