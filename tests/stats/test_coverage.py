"""Intervals hold their level where it is hardest: few groups, alike within, rates near an end."""

from __future__ import annotations

import numpy as np
import pytest

from outdo.stats import compare, mean


def drawn(draw: np.random.Generator, sizes: list[int], rho: float, rates: tuple) -> np.ndarray:
    """Rows of 0s and 1s by group, their correlation within a group being `rho`: 3 categories."""
    rows = []
    for size in sizes:
        own = rates if rho == 0 else draw.dirichlet(np.array(rates) * (1 - rho) / rho)
        rows.append(draw.choice(3, size=size, p=np.asarray(own) / np.sum(own)))
    return np.concatenate(rows)


def covered(sizes: list[int], rho: float, rates: tuple, trials: int, *, paired: bool) -> float:
    draw = np.random.default_rng(11)
    labels = [i for i, size in enumerate(sizes) for _ in range(size)]
    names = [str(i) for i in range(len(labels))]
    groups = dict(zip(names, labels, strict=True))
    hits = 0
    for _ in range(trials):
        kind = drawn(draw, sizes, rho, rates)
        if paired:
            a = dict(zip(names, (kind == 0).astype(float).tolist(), strict=True))
            b = dict(zip(names, (kind == 1).astype(float).tolist(), strict=True))
            told = compare(a, b, share=True, groups=groups, claim="new")
            truth = rates[0] - rates[1]
        else:
            told = mean((kind == 0).astype(float).tolist(), labels, share=True, claim="new")
            truth = rates[0]
        assert told.low is not None
        assert told.high is not None
        hits += told.low <= truth <= told.high
    return hits / trials


GRID = [
    ([10] * 5, 0.5, (0.2, 0.1, 0.7)),
    ([40] * 10, 0.2, (0.05, 0.05, 0.9)),
    ([1] * 10, 0.0, (0.3, 0.1, 0.6)),
    ([1, 2, 4, 8, 16, 32, 40, 3, 5, 7], 0.5, (0.5, 0.1, 0.4)),
]


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize(("sizes", "rho", "rates"), GRID)
def test_a_few_hard_cells_are_covered(
    sizes: list[int], rho: float, rates: tuple, paired: bool
) -> None:
    assert covered(sizes, rho, rates, 120, paired=paired) >= 0.88


@pytest.mark.slow
@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("groups", [5, 10, 30])
@pytest.mark.parametrize("size", [5, 40])
@pytest.mark.parametrize("rho", [0.0, 0.2, 0.5])
@pytest.mark.parametrize("rates", [(0.05, 0.05, 0.9), (0.5, 0.1, 0.4), (0.8, 0.05, 0.15)])
def test_the_grid_is_covered(
    groups: int, size: int, rho: float, rates: tuple, paired: bool
) -> None:
    # 600 trials: three standard errors below 92.5%.
    assert covered([size] * groups, rho, rates, 600, paired=paired) >= 0.893
