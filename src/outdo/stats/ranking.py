"""Three contestants or more, ranked by who was preferred to whom.

Bradley and Terry's model with Davidson's ties: of two contestants of strengths s and t one is
preferred in proportion to e^s, the other to e^t, and neither to v e^((s + t) / 2).
Intervals take whole groups for the evidence: the model leaves each group out in turn, in one step,
and the spread of what comes of that is the variance (the jackknife, CR3), with Student's quantile.
Sources: Bradley and Terry 1952, Biometrika 39; Davidson 1970, JASA 65; for the variance Bell and
McCaffrey 2002, Survey Methodology 28.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from outdo.stats.intervals import FEWEST_GROUPS
from outdo.stats.rates import LEVEL, t_quantile
from outdo.stats.resample import places

if TYPE_CHECKING:
    import numpy as np

STEPS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A contestant's place. `strength` is in log odds, the mean of all contestants being 0.

    `rate` is the chance to be preferred to one of the others, each as likely, ties half. The
    place is within `first` and `last` by tests of each pair at the level.
    """

    name: str
    place: int
    first: int | None
    last: int | None
    strength: float
    strength_low: float | None
    strength_high: float | None
    rate: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The chance that `a` is preferred to `b`, ties half, and the p-value of equal strengths."""

    a: str
    b: str
    rate: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """All contestants, the strongest first, and each pair of them.

    `tie` is the chance of a tie between equals. `by` names the method, or says why there are no
    intervals.
    """

    contestants: tuple[Ranked, ...]
    gaps: tuple[Gap, ...]
    tie: float
    level: float
    n: int
    groups: int
    missing: int
    by: str


def bradley_terry(
    *,
    pairs: Sequence[tuple[str, str]],
    scores: Sequence[float | None],
    groups: Sequence[Hashable] | None = None,
    prior: float = 0.5,
    level: float = LEVEL,
) -> Ranking:
    """The ranking that preferences between pairs of contestants make likeliest.

    A score is 1 where the first of a pair was preferred, 0 where the second, .5 a tie; a score
    between counts in part as a tie, in part as a win. None is left out. `groups` names what each
    comparison is about (an example, a repository): comparisons of one group aren't independent.
    `prior` wins and losses are added to each pair that met, so that a sweep has finite odds.
    Raises ValueError where some contestants are not linked by comparisons.
    """
    import numpy as np

    kept = [i for i, score in enumerate(scores) if score is not None]
    if len(pairs) != len(scores):
        raise ValueError(f"{len(pairs)} pairs have {len(scores)} scores")
    names = sorted({name for i in kept for name in pairs[i]})
    _check(names, [pairs[i] for i in kept])
    where, count = places(None if groups is None else [groups[i] for i in kept], len(kept))
    place = {name: i for i, name in enumerate(names)}
    sides = np.array([[place[name] for name in pairs[i]] for i in kept])
    told = np.array([_outcomes(scores[i]) for i in kept])
    met = np.array(sorted({(min(s), max(s)) for s in sides.tolist()}))
    model = _Model(len(names), ties=bool(told[:, 1].any()))
    sides_all = np.concatenate([sides, met])
    told_all = np.concatenate([told, np.tile([prior, 0.0, prior], (len(met), 1))])
    found = _fit(model, sides_all, told_all)
    spread = _spread(model, found, (sides_all, told_all), where, count)
    quantile = t_quantile(0.5 + level / 2, count - 1) if spread is not None else None
    gaps = tuple(
        _gap(model, names, i, j, found, spread, quantile, count)
        for i, j in combinations(range(len(names)), 2)
    )
    by = "Davidson, jackknife of groups, t"
    if spread is None:
        by = f"{count} of the {FEWEST_GROUPS} groups that an interval needs"
    return Ranking(
        contestants=_ranked(model, names, found, spread, quantile, gaps, level),
        gaps=gaps,
        tie=model.equal_tie(found),
        level=level,
        n=len(kept),
        groups=count,
        missing=len(scores) - len(kept),
        by=by,
    )


def _check(names: Sequence[str], pairs: Sequence[tuple[str, str]]) -> None:
    if len(names) < 2:
        raise ValueError("a ranking needs two contestants at least")
    if alone := [a for a, b in pairs if a == b]:
        raise ValueError(f"{alone[0]} is compared with itself")
    linked, grown = {names[0]}, True
    while grown:
        more = {name for pair in pairs if linked & set(pair) for name in pair}
        grown = not more <= linked
        linked |= more
    if apart := sorted(set(names) - linked):
        raise ValueError(f"{', '.join(apart)}: not compared with {names[0]}, nor through others")


def _outcomes(score: float | None) -> tuple[float, float, float]:
    """How much of a win, a tie and a loss a score is."""
    if score is None or not 0 <= score <= 1:
        raise ValueError(f"a score lies within 0 and 1, unlike {score}")
    return max(0.0, 2 * score - 1), 1 - abs(2 * score - 1), max(0.0, 1 - 2 * score)


# ------------------------------------------------------------------ the model


@dataclass(frozen=True, slots=True)
class _Model:
    """Strengths of contestants, the first one's fixed at 0, then log v if there are ties."""

    size: int
    ties: bool

    @property
    def width(self) -> int:
        return self.size - 1 + self.ties

    def features(self, sides: np.ndarray) -> np.ndarray:
        """What each outcome adds up, shape (comparisons, 3, width): win, tie, loss."""
        import numpy as np

        one = np.eye(self.size)
        first, second = one[sides[:, 0]], one[sides[:, 1]]
        parts = np.stack([first, (first + second) / 2, second], axis=1)[:, :, 1:]
        if not self.ties:
            return parts
        tied = np.zeros((len(sides), 3, 1))
        tied[:, 1] = 1.0
        return np.concatenate([parts, tied], axis=2)

    def chances(self, at: np.ndarray, features: np.ndarray) -> np.ndarray:
        """The chances of win, tie and loss, shape (comparisons, 3)."""
        import numpy as np

        odds = features @ at
        if not self.ties:
            odds[:, 1] = -np.inf
        odds = np.exp(odds - odds.max(axis=1, keepdims=True))
        shares: np.ndarray = odds / odds.sum(axis=1, keepdims=True)
        return shares

    def rate(self, at: np.ndarray, i: int, j: int) -> float:
        """The chance that i is preferred to j, ties half."""
        import numpy as np

        win, tie, _ = self.chances(at, self.features(np.array([[i, j]])))[0]
        return float(win + tie / 2)

    def mean_rate(self, at: np.ndarray, i: int) -> float:
        others = [self.rate(at, i, j) for j in range(self.size) if j != i]
        return math.fsum(others) / len(others)

    def equal_tie(self, at: np.ndarray) -> float:
        """The chance of a tie between equals: v / (2 + v)."""
        return 1 / (1 + 2 * math.exp(-at[-1])) if self.ties else 0.0


def _fit(model: _Model, sides: np.ndarray, told: np.ndarray) -> np.ndarray:
    """The parameters that make the outcomes likeliest, by Newton's method with short steps."""
    import numpy as np

    features = model.features(sides)
    at: np.ndarray = np.zeros(model.width)
    for _ in range(STEPS):
        upward, bend = _derivatives(model, at, features, told)
        step: np.ndarray = np.linalg.lstsq(bend.sum(axis=0), upward.sum(axis=0), rcond=None)[0]
        at = at + step / max(1.0, float(np.abs(step).max()))
        if float(np.abs(step).max()) < 1e-10:
            return at
    raise ValueError("the strengths don't settle: some contestant won all; set a prior above 0")


def _derivatives(
    model: _Model, at: np.ndarray, features: np.ndarray, told: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Each comparison's gradient (n, width) and negative second derivative (n, width, width)."""
    import numpy as np

    chances = model.chances(at, features)
    weight = told.sum(axis=1)
    middle = np.einsum("no,now->nw", chances, features)
    upward = np.einsum("no,now->nw", told, features) - weight[:, None] * middle
    squares = np.einsum("no,now,nov->nwv", chances, features, features)
    bend = weight[:, None, None] * (squares - middle[:, :, None] * middle[:, None, :])
    return upward, bend


def _spread(
    model: _Model,
    at: np.ndarray,
    data: tuple[np.ndarray, np.ndarray],
    where: np.ndarray,
    count: int,
) -> np.ndarray | None:
    """The jackknife's covariance of the parameters; None with too few groups."""
    import numpy as np

    if count < FEWEST_GROUPS:
        return None
    upward, bend = _derivatives(model, at, model.features(data[0]), data[1])
    own = np.zeros((count, model.width))
    bends = np.zeros((count, model.width, model.width))
    np.add.at(own, where, upward[: len(where)])
    np.add.at(bends, where, bend[: len(where)])
    left = bend.sum(axis=0)[None] - bends
    moved = np.stack([np.linalg.lstsq(a, b, rcond=None)[0] for a, b in zip(left, own, strict=True)])
    moved = moved - moved.mean(axis=0)
    covariance: np.ndarray = (count - 1) / count * moved.T @ moved
    return covariance


# ------------------------------------------------------------------ what is told


Told = Callable[["np.ndarray"], float]


def _limits(
    of: Told, at: np.ndarray, spread: np.ndarray | None, quantile: float | None
) -> tuple[float | None, float | None, float | None]:
    """Limits and standard error of a function of the parameters, by its slope there."""
    import numpy as np

    if spread is None or quantile is None:
        return None, None, None
    steps = 1e-5 * np.eye(len(at))
    slope = np.array([(of(at + step) - of(at - step)) / 2e-5 for step in steps])
    error = math.sqrt(max(0.0, float(slope @ spread @ slope)))
    value = of(at)
    return value - quantile * error, value + quantile * error, error


def _odds(share: float) -> float:
    return math.log(share / (1 - share))


def _share(odds: float | None) -> float | None:
    return None if odds is None else 1 / (1 + math.exp(-odds))


def _gap(
    model: _Model,
    names: Sequence[str],
    i: int,
    j: int,
    at: np.ndarray,
    spread: np.ndarray | None,
    quantile: float | None,
    count: int,
) -> Gap:
    from scipy.special import stdtr

    low, high, _ = _limits(lambda x: _odds(model.rate(x, i, j)), at, spread, quantile)
    gap = _limits(lambda x: _strength(x, i) - _strength(x, j), at, spread, quantile)
    p = None
    if gap[2]:
        p = 2 * float(stdtr(count - 1, -abs(_strength(at, i) - _strength(at, j)) / gap[2]))
    return Gap(
        a=names[i], b=names[j], rate=model.rate(at, i, j), low=_share(low), high=_share(high), p=p
    )


def _strength(at: np.ndarray, i: int) -> float:
    return 0.0 if i == 0 else float(at[i - 1])


def _ranked(
    model: _Model,
    names: Sequence[str],
    at: np.ndarray,
    spread: np.ndarray | None,
    quantile: float | None,
    gaps: Sequence[Gap],
    level: float,
) -> tuple[Ranked, ...]:
    size = len(names)

    def centred(x: np.ndarray, i: int) -> float:
        return _strength(x, i) - math.fsum(_strength(x, k) for k in range(size)) / size

    rows = []
    for i, name in enumerate(names):
        weak, strong, _ = _limits(lambda x, i=i: centred(x, i), at, spread, quantile)  # type: ignore[misc]
        low, high, _ = _limits(lambda x, i=i: _odds(model.mean_rate(x, i)), at, spread, quantile)  # type: ignore[misc]
        above, below = _surely(name, gaps, level)
        rows.append(
            Ranked(
                name=name,
                place=1 + sum(centred(at, k) > centred(at, i) + 1e-9 for k in range(size)),
                first=None if spread is None else 1 + above,
                last=None if spread is None else size - below,
                strength=centred(at, i),
                strength_low=weak,
                strength_high=strong,
                rate=model.mean_rate(at, i),
                low=_share(low),
                high=_share(high),
            )
        )
    return tuple(sorted(rows, key=lambda row: (row.place, row.name)))


def _surely(name: str, gaps: Sequence[Gap], level: float) -> tuple[int, int]:
    """How many contestants are surely above and surely below this one."""
    above = below = 0
    for gap in gaps:
        if name in (gap.a, gap.b) and gap.p is not None and gap.p < 1 - level:
            wins = (gap.rate > 0.5) == (name == gap.a)
            above, below = above + (not wins), below + wins
    return above, below
