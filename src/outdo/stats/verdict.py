"""The only place where an interval becomes a word.

A 95% interval of the difference above 0 is «better», below is «worse»; a 90% interval within the
margin is «equivalent»; anything else is «inconclusive», with how many items would settle it.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from outdo.stats.intervals import Claim
from outdo.stats.paired import LEVEL, LEVEL_WITHIN, Difference, compare

Word = Literal["better", "worse", "equivalent", "inconclusive"]
POWER = 0.80
"""The chance that the needed number of items settles the matter, were the difference as seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What may be said of `a` against `b`, and from which difference.

    `needed` is how many items would settle an inconclusive one. `worst` is the word that would
    stand if every missing value spoke against what was found; it is None where nothing is missing.
    """

    word: Word
    found: Difference
    needed: int | None = None
    worst: Word | None = None


def verdict(
    a: Mapping[str, float | None],
    b: Mapping[str, float | None],
    *,
    better: Literal["higher", "lower"],
    share: bool,
    claim: Claim = "these",
    groups: Mapping[str, Hashable] | None = None,
    margin: float | None = None,
) -> Verdict:
    """The word for contestant a against b, of one value an example (see `samples.fold`).

    `groups` maps an example to its group: under the claim «new» whole groups are the evidence,
    under «these» the example is. `margin` is the largest difference that counts as
    none; without one nothing is «equivalent».
    """
    if claim == "new" and groups is None:
        raise ValueError("a claim about new groups needs the groups")
    if margin is not None and margin <= 0:
        raise ValueError(f"a margin is a positive number, not {margin}")
    found = compare(a, b, share=share, groups=groups, claim=claim)
    word = read(found, better=better, margin=margin)
    worst = None
    if share and found.missing:
        sign = _leaning(found)
        low, high = _filled(a, b, -sign), _filled(b, a, sign)
        other = compare(low, high, share=True, groups=groups, claim=claim)
        worst = read(other, better=better, margin=margin)
    needed = items_needed(found, margin=margin) if word == "inconclusive" else None
    return Verdict(word=word, found=found, needed=needed, worst=worst)


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


def items_needed(found: Difference, *, margin: float | None = None) -> int | None:
    """How many items would settle it with 80% power, were the difference what it seems to be.

    The easier of the two ends counts: telling the difference from 0, or keeping it within the
    margin. None where neither can be reached: no difference and no margin, or no spread to plan by.
    """
    if found.difference is None or found.low is None or found.high is None:
        return None
    z, reserve = _normal(0.5 + LEVEL / 2), _normal(POWER)
    # A score interval of n items is about as wide as a plain one of n + z² items.
    one = (found.n + z * z) * ((found.high - found.low) / (2 * z)) ** 2
    size = abs(found.difference)
    wanted = [one * ((z + reserve) / size) ** 2] if size > 1e-9 else []
    if margin is not None and size < margin:
        # Below this distance from 0 both ends of the margin press, and each gets half the risk.
        press = _normal(0.5 + POWER / 2) if size < margin / 10 else reserve
        wanted.append(one * ((_normal(0.5 + LEVEL_WITHIN / 2) + press) / (margin - size)) ** 2)
    return max(found.n + 1, math.ceil(min(wanted))) if wanted else None


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


def _filled(
    values: Mapping[str, float | None], others: Mapping[str, float | None], sign: int
) -> dict[str, float | None]:
    """Missing values of paired examples at the end of the scale: 1 for a positive sign, else 0."""
    end = 1.0 if sign > 0 else 0.0
    return {
        name: end if value is None and name in others else value for name, value in values.items()
    }


def _normal(probability: float) -> float:
    return NormalDist().inv_cdf(probability)
