"""How far raters agree beyond chance: two raters, many with gaps, or two orders of things.

Each comes with an interval by the bootstrap over whole groups. Full agreement has no spread to
draw from, and its interval, where one can be told, comes from how many items could still disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from outdo.stats.intervals import mean
from outdo.stats.rates import LEVEL
from outdo.stats.resample import DRAWS, interval, places

if TYPE_CHECKING:
    import numpy as np

FEWEST_RANKED = 8

Weights = Literal["linear", "quadratic"]
Scale = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A coefficient of agreement with its interval; None is «could not tell».

    1 is full agreement, 0 what chance gives. `observed` is the share of agreement seen and
    `chance` the share that chance alone gives (None for a tau). `n` items of `groups` groups went
    in, `missing` could not be used; `by` names the interval's method, or says why there is none.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    groups: int
    missing: int
    by: str
    observed: float | None = None
    chance: float | None = None


# ------------------------------------------------------------------ two raters


def cohen_kappa(
    first: Sequence[Hashable | None],
    second: Sequence[Hashable | None],
    *,
    categories: Sequence[Hashable] | None = None,
    weights: Weights | None = None,
    groups: Sequence[Hashable] | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """Cohen's kappa of two raters of the same items; an item that one of them left out is dropped.

    `weights` gives partial agreement by the distance between `categories`, in the order given (or
    sorted); without, only equal ratings agree. Equal ratings in a single category leave kappa
    untold. Sources: Cohen 1960, and 1968 for weights.
    """
    import numpy as np

    told = [
        (a, b, i) for i, (a, b) in enumerate(zip(first, second, strict=True)) if None not in (a, b)
    ]
    names = _categories([x for a, b, _ in told for x in (a, b)], categories)
    place = {name: i for i, name in enumerate(names)}
    own = None if groups is None else [groups[i] for _, _, i in told]
    where, count = places(own, len(told))
    size, closeness = len(names), _closeness(len(names), weights)
    tables = np.zeros((count, size * size))
    cells = np.array([place[a] * size + place[b] for a, b, _ in told], dtype=int)
    np.add.at(tables, (where, cells), 1.0)

    def parts(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        table = (drawn @ tables).reshape(-1, size, size)
        table = table / table.sum(axis=(1, 2), keepdims=True)
        seen = (table * closeness).sum(axis=(1, 2))
        rows, columns = table.sum(axis=2), table.sum(axis=1)
        return seen, np.einsum("di,ij,dj->d", rows, closeness, columns)

    if not told:
        return _none(level, missing=len(first))
    seen, chance = (float(part[0]) for part in parts(np.ones((1, count))))
    value = float(_beyond_chance(np.array([seen]), np.array([chance]))[0])
    if np.isfinite(value) and seen >= 1 - 1e-12:
        low, high, by = _full(len(told), own, chance, level)
    else:
        low, high, by = interval(
            lambda drawn: _beyond_chance(*parts(drawn)), count, level=level, draws=draws, seed=seed
        )
    return Agreement(
        value=value if np.isfinite(value) else None,
        low=low,
        high=high,
        level=level,
        n=len(told),
        groups=count,
        missing=len(first) - len(told),
        by=by,
        observed=seen,
        chance=chance,
    )


def _beyond_chance(seen: np.ndarray, chance: np.ndarray) -> np.ndarray:
    import numpy as np

    open_ = 1 - chance > 1e-12
    return np.where(open_, (seen - chance) / np.where(open_, 1 - chance, 1.0), np.nan)


def _full(
    n: int, groups: Sequence[Hashable] | None, chance: float, level: float
) -> tuple[float | None, float | None, str]:
    """The interval of full agreement: that of the share of agreeing items, beyond this chance."""
    claim: Literal["these", "new"] = "these" if groups is None else "new"
    sure = mean([1.0] * n, groups, share=True, claim=claim, level=level)
    if sure.low is None:
        return None, None, sure.by
    return (sure.low - chance) / (1 - chance), 1.0, f"{sure.by}, of the share that agrees"


def _categories(used: Sequence[Hashable], given: Sequence[Hashable] | None) -> tuple[Hashable, ...]:
    if given is None:
        distinct = set(used)
        if all(isinstance(name, (int, float)) for name in distinct):
            return tuple(sorted(distinct, key=float))  # type: ignore[arg-type]
        return tuple(sorted(distinct, key=str))
    names = tuple(given)
    if extra := sorted({str(name) for name in used if name not in names}):
        raise ValueError(f"{', '.join(extra)}: not among the categories")
    return names


def _closeness(size: int, weights: Weights | None) -> np.ndarray:
    """How far two categories agree, shape (size, size): 1 on the diagonal, 0 at the far ends."""
    import numpy as np

    if weights is None:
        return np.eye(size)
    gaps = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) / max(1, size - 1)
    return 1.0 - (gaps if weights == "linear" else gaps**2)


# ------------------------------------------------------------------ many raters


def krippendorff_alpha(
    ratings: Sequence[Sequence[Hashable | None]],
    *,
    scale: Scale = "nominal",
    categories: Sequence[Hashable] | None = None,
    groups: Sequence[Hashable] | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """Krippendorff's alpha: one row an item, one column a rater, None where one did not rate.

    `scale` says what a distance between ratings means; an interval scale wants numbers, and
    `categories` the order of an ordinal one (else sorted). Items with fewer than two ratings are
    `missing`. Source: Krippendorff 2011, «Computing Krippendorff's Alpha-Reliability».
    """
    import numpy as np

    rows = [[x for x in row if x is not None] for row in ratings]
    kept = [i for i, row in enumerate(rows) if len(row) > 1]
    if not kept:
        return _none(level, missing=len(rows))
    names = _categories([x for i in kept for x in rows[i]], categories)
    where, count = places(None if groups is None else [groups[i] for i in kept], len(kept))
    pairs = _coincidences([rows[i] for i in kept], names, where, count)
    distance = _distance(names, scale)

    def parts(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        table = np.tensordot(drawn, pairs, axes=1)
        totals = table.sum(axis=2)
        whole = totals.sum(axis=1)
        apart = distance(totals)
        seen = (table * apart).sum(axis=(1, 2)) / whole
        spread = np.einsum("di,dij,dj->d", totals, np.broadcast_to(apart, table.shape), totals)
        return seen, spread / (whole * (whole - 1))

    def alpha(drawn: np.ndarray) -> np.ndarray:
        seen, chance = parts(drawn)
        return np.where(chance > 1e-12, 1 - seen / np.where(chance > 1e-12, chance, 1.0), np.nan)

    value = float(alpha(np.ones((1, count)))[0])
    seen, chance = (float(part[0]) for part in parts(np.ones((1, count))))
    low, high, by = interval(alpha, count, level=level, draws=draws, seed=seed)
    return Agreement(
        value=value if np.isfinite(value) else None,
        low=low,
        high=high,
        level=level,
        n=len(kept),
        groups=count,
        missing=len(rows) - len(kept),
        by=by,
        observed=1 - seen if scale == "nominal" else None,
        chance=1 - chance if scale == "nominal" else None,
    )


def _coincidences(
    rows: Sequence[Sequence[Hashable]], names: Sequence[Hashable], where: np.ndarray, count: int
) -> np.ndarray:
    """How often each two categories meet in an item of each group, shape (count, k, k)."""
    import numpy as np

    place = {name: i for i, name in enumerate(names)}
    pairs = np.zeros((count, len(names), len(names)))
    for group, row in zip(where, rows, strict=True):
        held = np.bincount([place[x] for x in row], minlength=len(names)).astype(float)
        pairs[group] += (np.outer(held, held) - np.diag(held)) / (len(row) - 1)
    return pairs


def _distance(names: Sequence[Hashable], scale: Scale) -> Callable[[np.ndarray], np.ndarray]:
    """Squared distances of categories, shape (draws or 1, k, k), from their totals (draws, k)."""
    import numpy as np

    if scale == "ordinal":
        return _ordinal
    if scale == "interval":
        if not all(isinstance(name, (int, float)) for name in names):
            raise ValueError("an interval scale wants numbers")
        numbers = np.array(names, dtype=float)
        apart = np.subtract.outer(numbers, numbers) ** 2
    else:
        apart = 1.0 - np.eye(len(names))
    return lambda _: apart[None]


def _ordinal(totals: np.ndarray) -> np.ndarray:
    """Squared number of ratings between two ranks, half of each rank's own among them."""
    import numpy as np

    middle = np.cumsum(totals, axis=1) - totals / 2
    return (middle[:, :, None] - middle[:, None, :]) ** 2


# ------------------------------------------------------------------ two orders


def kendall_tau(
    first: Sequence[float | None],
    second: Sequence[float | None],
    *,
    groups: Sequence[Hashable] | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Agreement:
    """Kendall's tau-b of two scores of the same things: agreement of their orders, ties allowed.

    A thing without one of the scores is dropped; pairs of things of one group count like any
    other. Below eight things, or groups of them, there is a value and no interval: a bootstrap of
    so few says nothing. Source: Kendall 1945, Biometrika 33.
    """
    import numpy as np

    told = [
        (a, b, i)
        for i, (a, b) in enumerate(zip(first, second, strict=True))
        if a is not None and b is not None
    ]
    where, count = places(None if groups is None else [groups[i] for *_, i in told], len(told))
    if len(told) < 2:
        return _none(level, missing=len(first) - len(told), n=len(told), groups=count)
    x, y = (np.array([row[side] for row in told], dtype=float) for side in (0, 1))
    up, across = np.sign(np.subtract.outer(x, x)), np.sign(np.subtract.outer(y, y))
    sums = np.stack([up * across, up * up, across * across])
    if count < len(told):
        sums = np.stack([_by_group(table, where, count) for table in sums])

    def tau(drawn: np.ndarray) -> np.ndarray:
        agree, left, right = (((drawn @ table) * drawn).sum(axis=1) for table in sums)
        scale = np.sqrt(left * right)
        return np.where(scale > 0, agree / np.where(scale > 0, scale, 1.0), np.nan)

    value = float(tau(np.ones((1, count)))[0])
    low, high, by = None, None, f"{count} of the {FEWEST_RANKED} things that a tau's interval needs"
    if count >= FEWEST_RANKED:
        low, high, by = interval(tau, count, level=level, draws=draws, seed=seed)
    return Agreement(
        value=value if np.isfinite(value) else None,
        low=low,
        high=high,
        level=level,
        n=len(told),
        groups=count,
        missing=len(first) - len(told),
        by=by,
    )


def _by_group(table: np.ndarray, where: np.ndarray, count: int) -> np.ndarray:
    """The table summed over rows and columns of each pair of groups."""
    import numpy as np

    member = np.zeros((count, len(where)))
    member[where, np.arange(len(where))] = 1.0
    summed: np.ndarray = member @ table @ member.T
    return summed


def _none(level: float, *, missing: int, n: int = 0, groups: int = 0) -> Agreement:
    return Agreement(
        value=None,
        low=None,
        high=None,
        level=level,
        n=n,
        groups=groups,
        missing=missing,
        by="no item rated twice",
    )
