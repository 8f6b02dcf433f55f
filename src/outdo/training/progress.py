"""Where a run stands, and the line and the report that say so after each step."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from outdo.records import Json
from outdo.training.plan import Step
from outdo.training.report import StepReport


@dataclass(slots=True)
class Progress:
    """Where a run stands; what a checkpoint holds beside the tensors."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    computed: int = 0
    distinct: int = 0
    learnt: int = 0
    peak_bytes: int = 0
    resumes: int = 0
    loss: float = math.nan
    validation: list[dict[str, Json]] = field(default_factory=list)
    best_step: int | None = None

    def see(self, tokens: int, computed: int, distinct: int, learnt: int) -> None:
        """Add the tokens of a step; see `TrainingReport` for what they are."""
        self.tokens += tokens
        self.computed += computed
        self.distinct += distinct
        self.learnt += learnt

    def line(self, step: Step, rate: float) -> dict[str, Json]:
        """What the curve says of the step just made."""
        return {
            "step": self.step,
            "epoch": round(step.epoch, 6),
            "seconds": round(self.seconds, 3),
            "loss": self.loss,
            "learning_rate": rate,
            "tokens": self.tokens,
        }

    def told(self, step: Step, rate: float, *, steps: int) -> StepReport:
        """What an observer is told of the step just made, of `steps` in all."""
        return StepReport(
            step=self.step,
            steps=steps,
            epoch=step.epoch,
            loss=self.loss,
            learning_rate=rate,
            seconds=self.seconds,
            seconds_left=self.seconds / self.step * (steps - self.step),
            tokens=self.tokens,
            tokens_per_second=self.tokens / max(self.seconds, 1e-9),
        )


@contextlib.contextmanager
def appending(
    path: Path, steps: int, *, writes: bool = True
) -> Iterator[Callable[[dict[str, Json]], None]]:
    """A writer of lines behind the first `steps` whole ones; what a killed run wrote more goes.

    The file is cut in place, never emptied: a process may be killed here too. A process that
    doesn't write leaves the file alone.
    """
    if not writes:
        yield lambda _: None
        return
    with path.open("ab") as out:
        lines = path.read_bytes().splitlines(keepends=True)[:steps]
        out.truncate(sum(map(len, lines)))

        def write(line: dict[str, Json]) -> None:
            out.write(json.dumps(line).encode() + b"\n")
            out.flush()

        yield write
