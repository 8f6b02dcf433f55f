"""How often 95% intervals about new groups hold the truth, over a fixed grid.

Shares of 0s and 1s in groups of one size or of many, alike within a group or not, by
`outdo.stats.intervals.shares_by_group`: what `stats.mean` gives for such values. Beside it the way
in which a widely used arena adds up battles: each judged in both orders, both counted, a percentile
bootstrap over all of them. The grid, the trials and the seed are fixed.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import platform
import resource
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import scipy
from scipy.special import betaln, gammaln

from outdo.stats import mean
from outdo.stats.intervals import shares_by_group

HERE = Path(__file__).resolve().parent
SEED = 20_240_601
TRIALS = 2000
GROUPS = (5, 10, 30, 100)
SIZES = (1, 2, 5, 10, 20, 40, "1 to 40")
CORRELATIONS = (0.0, 0.2, 0.5)
RATES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
DRAWS = 400
CHECKED = 2
"""So many trials of each cell are asked of `stats.mean` too, row by row."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the grid; `size` is that of every group, or names a mixture."""

    groups: int
    size: int | str
    correlation: float
    rate: float

    def sizes(self) -> np.ndarray:
        """The size of each group, shape (groups,)."""
        if isinstance(self.size, int):
            return np.full(self.groups, self.size)
        return np.round(np.linspace(1, 40, self.groups)).astype(int)

    def source(self) -> np.random.Generator:
        """The cell's own random numbers, whatever other cells are asked."""
        size = self.size if isinstance(self.size, int) else 0
        places = (round(100 * self.correlation), round(100 * self.rate))
        return np.random.default_rng([SEED, self.groups, size, *places])


def grid(*, quick: bool) -> Iterator[Cell]:
    """All cells; groups of one row can't be alike, and stand once."""
    for groups in GROUPS:
        for size in (1, 5, 40) if quick else SIZES:
            for correlation in CORRELATIONS:
                for rate in (0.05, 0.3) if quick else RATES:
                    if size != 1 or not correlation:
                        yield Cell(groups, size, correlation, rate)


# ------------------------------------------------------------------ data


def chances(size: int, cell: Cell) -> np.ndarray:
    """The beta-binomial chances of 0 to `size` successes in a group."""
    k = np.arange(size + 1)
    ways = gammaln(size + 1) - gammaln(k + 1) - gammaln(size - k + 1)
    if not cell.correlation or size == 1:
        return np.exp(ways + k * np.log(cell.rate) + (size - k) * np.log1p(-cell.rate))
    strength = (1 - cell.correlation) / cell.correlation
    a, b = cell.rate * strength, (1 - cell.rate) * strength
    return np.exp(ways + betaln(k + a, size - k + b) - betaln(a, b))


def drawn(cell: Cell, trials: int) -> np.ndarray:
    """Successes of each group, shape (trials, groups), evenly spread over their sum.

    Sums are drawn by systematic sampling from their exact distribution, and the groups then given
    their sum: each trial is a fair draw, and together they lie closer to the true coverage than
    as many independent ones would.
    """
    source, sizes = cell.source(), cell.sizes()
    own = {int(size): chances(int(size), cell) for size in sizes}
    rest = [np.ones(1)]
    for size in sizes[::-1]:
        rest.append(np.convolve(own[int(size)], rest[-1]))
    rest.reverse()
    below = np.cumsum(rest[0]) / rest[0].sum()
    left = np.searchsorted(below, (np.arange(trials) + source.random(trials)) / trials)
    hits = np.empty((trials, len(sizes)), dtype=int)
    for place, size in enumerate(sizes):
        after = left[:, None] - np.arange(size + 1)
        later = rest[place + 1]
        within = (after >= 0) & (after < len(later))
        weight = np.where(within, later[np.clip(after, 0, len(later) - 1)], 0) * own[int(size)]
        heaped = weight.cumsum(axis=1)
        pick = source.random(trials)[:, None] * heaped[:, -1:]
        hits[:, place] = (heaped <= pick).sum(axis=1).clip(max=size)
        left = left - hits[:, place]
    return hits


# ------------------------------------------------------------------ intervals


def ours(hits: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The limits of each trial; trials that differ in the order of groups alone are asked once."""
    if len(set(sizes.tolist())) == 1:
        hits = np.sort(hits, axis=1)
    kinds, which = np.unique(hits, axis=0, return_inverse=True)
    # So many at once stay within a core's cache.
    parts = [shares_by_group(kinds[at : at + 64], sizes) for at in range(0, len(kinds), 64)]
    low, high = (np.concatenate(side) for side in zip(*parts, strict=True))
    return low[which], high[which]


def row_by_row(hits: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """The limits of one trial as a report asks for them: a value and a group for each row."""
    values = [float(i < k) for k, n in zip(hits, sizes, strict=True) for i in range(n)]
    labels = np.repeat(np.arange(len(sizes)), sizes).tolist()
    told = mean(values, labels, share=True, claim="new")
    assert told.low is not None
    assert told.high is not None
    return told.low, told.high


def arena(hits: np.ndarray, sizes: np.ndarray, source: np.random.Generator) -> np.ndarray:
    """Limits by a percentile bootstrap over battles, groups ignored, both orders counted apart.

    Both orders agree here, as a judge without a leaning would have it. Drawing 2n battles from n
    verdicts that stand twice is a binomial draw at the rate seen.
    """
    n = int(sizes.sum())
    rates = hits.sum(axis=1) / n
    again = source.binomial(2 * n, rates[:, None], size=(len(rates), DRAWS)) / (2 * n)
    return np.quantile(again, [0.025, 0.975], axis=1)


def measured(cell: Cell, trials: int) -> dict[str, object]:
    """The cell's row: coverage and mean width of our intervals, and the arena's coverage."""
    hits, sizes = drawn(cell, trials), cell.sizes()
    low, high = ours(hits, sizes)
    for place in np.linspace(0, trials - 1, CHECKED).astype(int):
        told = row_by_row(hits[place], sizes)
        assert np.allclose(told, (low[place], high[place]), atol=1e-5), (cell, place)
    theirs = arena(hits, sizes, cell.source())
    return {
        "groups": cell.groups,
        "size": cell.size,
        "correlation": cell.correlation,
        "rate": cell.rate,
        "coverage": round(float(((low <= cell.rate) & (cell.rate <= high)).mean()), 4),
        "width": round(float((high - low).mean()), 4),
        "arena": round(float(((theirs[0] <= cell.rate) & (cell.rate <= theirs[1])).mean()), 4),
    }


# ------------------------------------------------------------------ the report


def summary(rows: list[dict[str, object]]) -> dict[str, object]:
    """The two bounds and where they lie, and the arena's share over cells and in its worst."""
    told = sorted(rows, key=lambda row: float(str(row["coverage"])))
    many = [row for row in told if int(str(row["groups"])) >= 30]
    theirs = [float(str(row["arena"])) for row in rows]
    alike = [float(str(row["arena"])) for row in rows if row["correlation"] == CORRELATIONS[1]]
    return {
        "lowest": told[0]["coverage"],
        "lowest_at": told[0],
        "lowest_from_30_clusters": many[0]["coverage"],
        "highest_from_30_clusters": many[-1]["coverage"],
        "highest_from_30_clusters_at": many[-1],
        "mean": round(float(np.mean([float(str(row["coverage"])) for row in rows])), 4),
        "arena_mean": round(float(np.mean(theirs)), 4),
        "arena_mean_at_correlation_0.2": round(float(np.mean(alike)), 4),
        "arena_lowest": min(theirs),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a coarse grid; stores nothing")
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "coverage.json")
    asked = parser.parse_args()
    cells = list(grid(quick=asked.quick))
    rows = []
    with multiprocessing.get_context("spawn").Pool(asked.workers) as pool:
        for row in pool.imap(partial(measured, trials=asked.trials), cells):
            rows.append(row)
            if len(rows) % 50 == 0 or len(rows) == len(cells):
                print(f"{len(rows)} of {len(cells)} cells", flush=True)
        pool.close()
        pool.join()
    told = summary(rows)
    print(json.dumps(told, indent=2))
    if asked.quick:
        return
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    about = {
        "trials": asked.trials,
        "cells": len(rows),
        "seed": SEED,
        "cpu_seconds": round(used.ru_utime + used.ru_stime),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scipy": scipy.__version__,
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    head = json.dumps({**told, "about": about}, indent=1)
    asked.out.write_text(f'{head[:-2]},\n "grid": [\n{lines}\n ]\n}}\n')


if __name__ == "__main__":
    main()
