"""Which rows are learnt at which step, and at what rate: a pure function of the settings."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from outdo.training.settings import Settings


@dataclass(frozen=True, slots=True)
class Step:
    """The rows of one step, and how many epochs are done after it."""

    rows: tuple[int, ...]
    epoch: float


def plan(
    lengths: Sequence[int], settings: Settings, families: Sequence[Sequence[int]] | None = None
) -> list[Step]:
    """All steps of the run, in order; `lengths` are the rows' tokens.

    The order is drawn anew for each epoch. The rows of a family stay together in it.
    """
    together = families or [[row] for row in range(len(lengths))]
    steps: list[Step] = []
    seen = 0
    epoch = 0
    unlimited = settings.steps is None and settings.max_tokens_seen is None
    epochs = 1 if unlimited and settings.epochs is None else settings.epochs
    while epochs is None or epoch < epochs:
        shuffled = list(together)
        random.Random(f"{settings.seed}/{epoch}").shuffle(shuffled)
        order = [row for family in shuffled for row in family]
        for start in range(0, len(order), settings.rows_per_step):
            if len(steps) == settings.steps or seen >= (settings.max_tokens_seen or math.inf):
                return steps
            rows = tuple(order[start : start + settings.rows_per_step])
            steps.append(Step(rows, epoch + (start + len(rows)) / len(order)))
            seen += sum(lengths[row] for row in rows)
        epoch += 1
    return steps


def learning_rate(step: int, steps: int, settings: Settings) -> float:
    """The rate at step number `step`, counted from 0: a linear rise, then the schedule to 0."""
    rise = math.ceil(settings.warmup * steps)
    if step < rise:
        return settings.learning_rate * (step + 1) / rise
    done = (step - rise) / max(1, steps - rise)
    match settings.schedule:
        case "cosine":
            return settings.learning_rate * (1 + math.cos(math.pi * done)) / 2
        case "linear":
            return settings.learning_rate * (1 - done)
        case "constant":
            return settings.learning_rate
