"""Before anything is run: how many items it takes, and what so many items can show.

Two contestants answer the same items. What counts is how often their results differ at all
(`discordant`), the difference to be shown, and how alike the items of one group are.
Source: Connor 1987, Biometrics 43, equation 1; the design effect as in Kish 1965.
"""

from __future__ import annotations

import math

from outdo.stats.rates import LEVEL, quantile

POWER = 0.80


def items_needed(
    *,
    difference: float,
    discordant: float,
    group_size: float = 1.0,
    correlation: float = 0.0,
    power: float = POWER,
    level: float = LEVEL,
) -> int:
    """How many items show a difference of paired shares with this power.

    `discordant` is the share of items on which the two are expected to differ, at least the size
    of the difference. `group_size` items of a group are alike by `correlation` (intraclass). For
    judged pairs the difference is wins less losses, and `discordant` what isn't a tie.
    """
    size = abs(difference)
    if not 0 < size <= discordant <= 1:
        raise ValueError(
            f"a difference of {difference} wants between {size} and 1 of items to differ, "
            f"not {discordant}"
        )
    z, reserve = quantile(0.5 + level / 2), quantile(power)
    reach = z * math.sqrt(discordant) + reserve * math.sqrt(max(0.0, discordant - size * size))
    plain = (reach / size) ** 2
    return math.ceil(plain * _effect(group_size, correlation) - 1e-9)


def smallest_difference(
    *,
    n: int,
    discordant: float,
    group_size: float = 1.0,
    correlation: float = 0.0,
    power: float = POWER,
    level: float = LEVEL,
) -> float | None:
    """The smallest difference of paired shares that n items show with this power.

    Arguments as in `items_needed`. None where not even items that all differ one way would do.
    """
    if not (n > 0 and 0 < discordant <= 1):
        raise ValueError(f"{n} items of which {discordant} differ can't be planned with")
    size = n / _effect(group_size, correlation)
    z, reserve = quantile(0.5 + level / 2), quantile(power)
    # √size d - z √q = r √(q - d²), squared, is a quadratic equation of the difference d.
    lead = size + reserve**2
    half = math.sqrt(size * discordant) * z
    rest = (z * z - reserve**2) * discordant
    found = (half + math.sqrt(max(0.0, half * half - lead * rest))) / lead
    return found if found <= discordant else None


def _effect(group_size: float, correlation: float) -> float:
    if not (group_size >= 1 and 0 <= correlation <= 1):
        raise ValueError("a group has an item at least, and a correlation lies within 0 and 1")
    return 1 + (group_size - 1) * correlation
