"""Looks at held-out rows while a run goes on: what is best so far, and when to stop looking."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from outdo.models.forest import Tree
from outdo.records import Json
from outdo.training import checkpoint
from outdo.training.checkpoint import Weights
from outdo.training.compute import autocast, shared_batches
from outdo.training.method import Method
from outdo.training.plan import Step
from outdo.training.processes import Processes
from outdo.training.progress import Progress
from outdo.training.settings import Settings

ScoreOf = Callable[[Any], float]
"""The task's own score of a model, higher for better."""


def best(looks: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """The first look that found the highest score, or without scores the lowest loss.

    A look that found no number is the worst.
    """

    def worth(look: dict[str, Json]) -> float:
        if look.get("score", look.get("loss")) is None:
            return -math.inf
        return float(look["score"] if "score" in look else -look["loss"])

    return max(looks, key=worth)


class Looks:
    """Judges a model on rows that it doesn't learn from, or by the task's own score."""

    def __init__(
        self,
        *,
        trees: Sequence[Tree],
        score: ScoreOf | None,
        method: Method[Any],
        settings: Settings,
        precision: str,
        packed: bool,
        processes: Processes,
        folder: Path,
    ) -> None:
        self.trees, self.score = trees, score
        self.method, self.settings = method, settings
        self.precision, self.packed = precision, packed
        self.processes, self.folder = processes, folder

    def look(
        self, model: Any, weights: Weights, *, step: Step, progress: Progress, last: bool
    ) -> None:
        """Judge the model as it is, where it is time to; the best weights are kept aside."""
        if not (self.trees or self.score) or not (last or self._is_time(step, progress)):
            return
        model.eval()
        found: dict[str, Json] = {"step": progress.step, "epoch": step.epoch}
        if self.trees:
            found["loss"] = _number(self._loss(model))
        if self.score:
            with torch.no_grad():
                mine = self.score(model) if self.processes.leads else math.nan
            found["score"] = _number(self.processes.same(mine))
        progress.validation.append(found)
        if self.settings.keep != "best" or best(progress.validation) is not found:
            return
        if self.processes.leads or self.processes.sharded:
            path = self._path(progress.step)
            checkpoint.save_weights(path, weights, processes=self.processes)

    def _is_time(self, step: Step, progress: Progress) -> bool:
        every = self.settings.evaluate_every
        return step.epoch.is_integer() if every is None else progress.step % every == 0

    def _loss(self, model: Any) -> float:
        """The mean loss over the held-out rows."""
        total = weight = 0.0
        with torch.no_grad(), autocast(model, self.precision):
            for batch, counts in shared_batches(
                model,
                self.trees,
                range(len(self.trees)),
                tokens=self.settings.how.tokens_per_batch,
                packed=self.packed,
                processes=self.processes,
            ):
                loss, share = self.method.loss(model, batch)
                if counts:
                    total += loss.item()
                    weight += share
        total, weight = self.processes.sum([total, weight])
        return total / weight

    def is_spent(self, progress: Progress) -> bool:
        """Whether the last looks, as many as the run has patience for, found nothing better."""
        patience, seen = self.settings.patience, progress.validation
        return patience is not None and len(seen) > patience and best(seen) in seen[:-patience]

    def take_best(self, weights: Weights, progress: Progress) -> None:
        """Put the best weights back, if they are wanted and are not the last."""
        if self.settings.keep == "last" or not progress.validation:
            return
        progress.best_step = best(progress.validation)["step"]
        if progress.best_step != progress.step:
            checkpoint.load_weights(self._path(progress.best_step), weights)

    def forget(self, progress: Progress) -> None:
        """Delete the best weights of before, once a checkpoint knows of the better ones."""
        kept = self._path(best(progress.validation)["step"]) if progress.validation else None
        for path in self.folder.glob("best-*.safetensors"):
            if path != kept:
                path.unlink(missing_ok=True)

    def _path(self, step: int) -> Path:
        return self.folder / f"best-{step}.safetensors"


def _number(found: float) -> float | None:
    """What was found, if it is one."""
    return found if math.isfinite(found) else None
