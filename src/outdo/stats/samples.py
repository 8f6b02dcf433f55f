"""One value an example, made of its samples.

Samples of one example are no independent evidence: they are folded before anything is paired,
clustered or counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence


def fold(samples: Iterable[tuple[str, float | None, float]]) -> dict[str, float | None]:
    """Example to the weighted mean of its samples, from (example, value, weight).

    A sample of value None is left out; an example without any other is None.
    Raises ValueError for a weight that isn't positive or a value that isn't finite.
    """
    sums: dict[str, tuple[float, float]] = {}
    for example, value, weight in samples:
        if not (weight > 0 and math.isfinite(weight)):
            raise ValueError(f"the weight of a score must be positive, not {weight}")
        if value is not None and not math.isfinite(value):
            raise ValueError(f"a score must be a finite number, not {value}")
        total, weights = sums.get(example, (0.0, 0.0))
        if value is not None:
            total, weights = total + weight * value, weights + weight
        sums[example] = (total, weights)
    return {name: total / weights if weights else None for name, (total, weights) in sums.items()}


def pass_at_k(*, samples: int, passed: int, k: int) -> float:
    """The unbiased chance that at least one of `k` samples passes: 1 - C(n - c, k) / C(n, k).

    `samples` is n, the number drawn, and `passed` is c, how many of them pass.
    Source: Chen et al. 2021, «Evaluating Large Language Models Trained on Code», equation 1.
    """
    if not 0 <= passed <= samples:
        raise ValueError(f"{passed} of {samples} samples can't pass")
    if not 1 <= k <= samples:
        raise ValueError(f"pass@{k} can't be told from {samples} samples")
    return 1 - math.comb(samples - passed, k) / math.comb(samples, k)


def pass_at_k_by_example(
    values: Mapping[str, Sequence[float | None]], *, k: int
) -> dict[str, float | None]:
    """Example to pass@k, from the 0 or 1 of each of its samples; too few samples give None."""
    told = {name: [value for value in row if value is not None] for name, row in values.items()}
    return {
        name: pass_at_k(samples=len(row), passed=sum(value == 1 for value in row), k=k)
        if len(row) >= k
        else None
        for name, row in told.items()
    }
