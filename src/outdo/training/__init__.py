"""Training: one loop; a method is how a row is laid out and what its loss is.

`train` is the door. What a run is (`Settings`) and how it is carried out (`How`) are apart: the
first names the result, the second only decides how fast it comes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from outdo.models.reference import ModelReference
from outdo.records import Conversation
from outdo.training.report import StepReport, TrainingReport
from outdo.training.settings import How, Lora, Settings

__all__ = ["How", "Lora", "Settings", "StepReport", "TrainingReport", "train"]


def train(
    base: ModelReference,
    rows: Sequence[Conversation],
    *,
    settings: Settings,
    folder: Path,
    validation: Sequence[Conversation] = (),
    on_step: Callable[[StepReport], None] | None = None,
) -> TrainingReport:
    """What the training took and reached; `folder` then holds the adapter or the model.

    A folder in which such a run was cut off is gone on with, from its last checkpoint, to the
    very weights of an uninterrupted run. Raises TrainingError before the first step if the rows
    or the settings are unfit, and later if the loss stops being a number.
    """
    from outdo.training.loop import run

    return run(base, rows, settings=settings, folder=folder, validation=validation, on_step=on_step)
