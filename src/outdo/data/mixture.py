"""Several sets of rows as one to learn from."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TypeVar

from outdo.errors import DataError

R = TypeVar("R")


def mixed(
    parts: Mapping[str, Sequence[R]], weights: Mapping[str, float] | None, *, seed: int
) -> list[R]:
    """The rows of all parts in one order, which the seed, the names and the rows decide.

    Without weights: every row of every part, once. With weights there are as many rows, n in all,
    and a part's share of them is its weight over the sum of weights: n * w / sum(w), rounded so
    that the shares add up to n (largest remainders first, then by name). A part of m rows whose
    share is c gives each row c // m times, and c % m of them, drawn without repetition, once more.
    So a part may lose rows, and rows may stand several times, under one id.

    Raises DataError if a part is empty, or weights aren't positive or aren't those of the parts.
    """
    names = sorted(parts)
    if empty := [name for name in names if not parts[name]]:
        raise DataError(f"{empty[0]} has no rows", "leave it out of the mixture")
    sizes = {name: len(parts[name]) for name in names}
    counts = sizes if weights is None else _shares(_checked(weights, sizes), sum(sizes.values()))
    rows: list[R] = []
    for name in names:
        whole, rest = divmod(counts[name], sizes[name])
        draw = random.Random(f"{seed}/{name}")
        rows += [*parts[name]] * whole + draw.sample(list(parts[name]), rest)
    random.Random(seed).shuffle(rows)
    return rows


def _checked(weights: Mapping[str, float], sizes: Mapping[str, int]) -> Mapping[str, float]:
    for name in sorted(set(weights) ^ set(sizes)):
        problem = "has no weight" if name in sizes else "has a weight, and is no part"
        raise DataError(f"{name} {problem}", f"weights for {', '.join(sizes)}")
    for name, weight in weights.items():
        if not 0 < weight < float("inf"):
            raise DataError(f"the weight of {name} is {weight}", "above 0; leave out what has none")
    return weights


def _shares(weights: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers in proportion to the weights that add up to `total`: largest remainders."""
    exact = {name: Fraction(weight) for name, weight in weights.items()}
    whole = sum(exact.values())
    wanted = {name: total * weight / whole for name, weight in exact.items()}
    shares = {name: int(share) for name, share in wanted.items()}
    order = sorted(shares, key=lambda name: (shares[name] - wanted[name], name))
    for name in order[: total - sum(shares.values())]:
        shares[name] += 1
    return shares
