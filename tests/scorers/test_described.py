"""The published spread of BLEU over 100 instructions: mean, median, variance and deviation."""

from __future__ import annotations

from typing import Any

import pytest

from outdo.scorers.bleu import sentence_bleu
from outdo.stats.describing import describe


@pytest.mark.parametrize(
    ("model", "published"),
    [
        ("base", (0.231, 0.101, 0.083, 0.288)),
        ("sft", (0.227, 0.117, 0.087, 0.295)),
        ("dpo", (0.074, 0.000, 0.021, 0.144)),
    ],
)
def test_the_published_spread_of_bleu(
    thesis: list[dict[str, Any]], model: str, published: tuple[float, ...]
) -> None:
    found = describe(
        [sentence_bleu(candidate=x["outputs"][model], reference=x["reference"]) for x in thesis]
    )
    assert found is not None
    numbers = (found.mean, found.median, found.variance, found.deviation)
    assert numbers == pytest.approx(published, abs=0.0005)
