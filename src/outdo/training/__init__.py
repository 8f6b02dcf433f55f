"""Training: one loop; a method is how a row is laid out and what its loss is.

`train` is the door. What a run is (`Settings`) and how it is carried out (`How`) are apart: the
first names the result, the second only decides how fast it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from outdo.models.reference import ModelReference
from outdo.records import Conversation, Pair
from outdo.training.report import StepReport, TrainingReport
from outdo.training.settings import How, Lora, Settings

__all__ = ["How", "Lora", "Settings", "StepReport", "TrainingReport", "reference_logs", "train"]


def train(
    base: ModelReference,
    rows: Sequence[Conversation] | Sequence[Pair],
    *,
    settings: Settings,
    folder: Path,
    validation: Sequence[Conversation] | Sequence[Pair] = (),
    reference: Sequence[tuple[float, float] | None] | None = None,
    score: Callable[[Any], float] | None = None,
    on_step: Callable[[StepReport], None] | None = None,
) -> TrainingReport:
    """What the training took and reached; `folder` then holds the adapter or the model.

    A folder in which such a run was cut off is gone on with, from its last checkpoint, to the
    very weights of an uninterrupted run. `reference` has the (chosen, rejected) log-probabilities
    of each of `rows` and then of `validation`, for a method that needs them; without it the base
    is asked first. `score` is the task's own score of the model, higher for better, which then
    decides what is best. Where a launcher such as torchrun has started several processes, each
    calls this with the same arguments; the first one writes, and tells `on_step`. Raises
    TrainingError before the first step if the rows or the settings
    are unfit, and later if the loss stops being a number.
    """
    from outdo.training.processes import Together
    from outdo.training.run import run

    with Together(settings.how) as processes:
        return run(
            base,
            rows,
            settings=settings,
            folder=folder,
            validation=validation,
            reference=reference,
            score=score,
            on_step=on_step,
            processes=processes,
        )


def reference_logs(
    model: ModelReference, rows: Sequence[Pair], *, settings: Settings
) -> Iterator[tuple[int, tuple[float, float] | None]]:
    """The log-probabilities of both replies of each pair under `model`, by the pair's number.

    Each is the sum over the reply's tokens, its end included, in nats: (chosen, rejected), as soon
    as it is there, in any order. A pair that a run with these settings would not learn from, as
    being too long or alike, has None.
    """
    from outdo.training.reference import logs

    yield from logs(model, rows, settings=settings)
