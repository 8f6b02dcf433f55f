"""The loop: the same for every method, which brings `conversations`, `tree` and `loss`.

A step is a set of rows. Its batches add up gradients of sums, which are divided once, by the
weight of all of them: so it is one step however much fits in memory at a time.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from outdo.errors import TrainingError
from outdo.models.forest import Batch, Tree, families
from outdo.records import Json, digest
from outdo.store import write_json
from outdo.training import adapt, checkpoint, preflight
from outdo.training.compute import autocast, batches
from outdo.training.looks import Looks
from outdo.training.memory import Memory
from outdo.training.method import Method
from outdo.training.plan import Step, learning_rate, plan
from outdo.training.progress import Progress, appending
from outdo.training.report import StepReport
from outdo.training.settings import Settings

OnStep = Callable[[StepReport], None]

KIN = 0.75
"""Rows are kin if they have this much of their prompts in common."""

FAMILIES_PER_STEP = 4
"""A step has at least so many families, for its rows should differ."""


class Loop:
    """One run: model, rows, and the steps that are planned."""

    def __init__(
        self,
        *,
        model: Any,
        method: Method[Any],
        trees: Sequence[Tree],
        looks: Looks,
        settings: Settings,
        precision: str,
        packed: bool,
        memory: Memory,
        folder: Path,
        identity: Json,
    ) -> None:
        self.model, self.method, self.settings = model, method, settings
        self.trees, self.looks = trees, looks
        self.precision, self.packed, self.memory = precision, packed, memory
        self.folder, self.identity = folder, identity
        self.steps = plan([tree.tokens for tree in trees], settings, self._families())
        self.weights = adapt.learning(model)
        self.optimizer = torch.optim.AdamW(
            self.weights.values(),
            lr=settings.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.estimated_bytes = 0

    def _families(self) -> list[list[int]] | None:
        if not (self.settings.share_context and self.packed):
            return None
        most = max(1, self.settings.rows_per_step // FAMILIES_PER_STEP)
        return families(self.trees, share=KIN, most=most)

    def run(self, on_step: OnStep | None = None) -> Progress:
        """Make the steps that are owed, and say where the run stands then."""
        progress = self._resume()
        self._check_size()
        started, done = time.perf_counter(), progress.seconds
        saved = started
        with appending(self.folder / "loss.jsonl", progress.step) as curve:
            for step in self.steps[progress.step :]:
                if self.looks.is_spent(progress):
                    break
                rate = learning_rate(progress.step, len(self.steps), self.settings)
                progress.loss = self._step(step, rate, progress)
                progress.step += 1
                last = progress.step == len(self.steps)
                self.looks.look(self.model, self.weights, step=step, progress=progress, last=last)
                progress.seconds = done + time.perf_counter() - started
                curve(progress.line(step, rate))
                if on_step:
                    on_step(progress.told(step, rate, steps=len(self.steps)))
                if time.perf_counter() - saved >= self.settings.how.checkpoint_seconds:
                    self._save(progress)
                    saved = time.perf_counter()
        progress.peak_bytes = max(progress.peak_bytes, self.memory.peak_bytes)
        self.looks.take_best(self.weights, progress)
        return progress

    def _step(self, step: Step, rate: float, progress: Progress) -> float:
        """The mean loss of the step, after which the weights have moved."""
        torch.manual_seed(int(digest([self.settings.seed, progress.step])[:15], 16))
        self.model.train()
        total = weight = 0.0
        for batch in self._batches(step.rows):
            with autocast(self.model, self.precision):
                loss, share = self.method.loss(self.model, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
            weight += share
            if not math.isfinite(total):
                self._refuse(batch, progress.step, step)
            progress.tokens += batch.tokens
            progress.computed += batch.computed
            progress.distinct += batch.distinct
            progress.learnt += len(batch.target)
        self._move(rate, weight, progress.step)
        return total / weight

    def _move(self, rate: float, weight: float, step: int) -> None:
        """Divide the summed gradient by the summed weight, clip it, and take the step."""
        gradients = [one.grad for one in self.weights.values() if one.grad is not None]
        norm = float(torch.nn.utils.get_total_norm(gradients)) / weight
        if not math.isfinite(norm):
            raise TrainingError(
                f"the gradient at step {step + 1} is not finite", "lower learning_rate"
            )
        if step == 0 and norm == 0:
            raise TrainingError("no weight that learns has a gradient", "check the LoRA targets")
        clip = self.settings.clip
        scale = min(1.0, clip / norm) / weight if clip else 1 / weight
        torch._foreach_mul_(gradients, scale)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def _batches(self, numbers: Sequence[int]) -> Iterator[Batch]:
        tokens = self.settings.how.tokens_per_batch
        return batches(self.model, self.trees, numbers, tokens=tokens, packed=self.packed)

    def _check_size(self) -> None:
        """Refuse a batch that can't fit before an hour was spent on those that do."""
        longest = max(range(len(self.trees)), key=lambda row: self.trees[row].tokens)
        batch = next(self._batches([longest]))
        tokens = max(self.settings.how.tokens_per_batch, batch.computed)
        self.estimated_bytes = preflight.fits(
            self.model, batch, tokens=tokens, precision=self.precision, settings=self.settings
        )

    def _refuse(self, batch: Batch, step: int, planned: Step) -> None:
        path = self.folder / "not_finite.json"
        write_json(
            path,
            {
                "step": step + 1,
                "rows": list(batch.trees),
                "ids": batch.ids.tolist(),
                "epoch": planned.epoch,
            },
        )
        raise TrainingError(
            f"the loss at step {step + 1} is not a number",
            f"lower learning_rate; the batch is in {path}",
        )

    def _resume(self) -> Progress:
        state = checkpoint.load(
            self.folder / "checkpoint",
            weights=self.weights,
            optimizer=self.optimizer,
            identity=self.identity,
        )
        if state is None:
            return Progress()
        progress = Progress(**state["progress"])
        progress.resumes += 1
        return progress

    def _save(self, progress: Progress) -> None:
        progress.peak_bytes = max(progress.peak_bytes, self.memory.peak_bytes)
        checkpoint.save(
            self.folder / "checkpoint",
            weights=self.weights,
            optimizer=self.optimizer,
            state={"identity": self.identity, "progress": asdict(progress)},
        )
