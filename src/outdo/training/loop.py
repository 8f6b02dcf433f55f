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
from torch import Tensor

from outdo.errors import TrainingError
from outdo.models.forest import Batch, families
from outdo.records import Json, digest
from outdo.training import adapt, checkpoint
from outdo.training.compute import autocast, batches, shared_batches
from outdo.training.estimate import fits, needs
from outdo.training.looks import Looks
from outdo.training.memory import Memory, free_bytes
from outdo.training.method import Method
from outdo.training.plan import Step, learning_rate, plan
from outdo.training.preflight import Rows
from outdo.training.processes import Processes
from outdo.training.progress import Progress, appending
from outdo.training.report import StepReport
from outdo.training.settings import Settings
from outdo.training.shards import whole
from outdo.training.trouble import enough_memory, not_finite

OnStep = Callable[[StepReport], None]

KIN = 0.75
"""Rows are kin if they have this much of their prompts in common."""

FAMILY = 4
"""A family has so many rows, or a quarter of a step's if that is more; but half of it at most, for
the rows of a step should differ."""


class Loop:
    """One run: model, rows, and the steps that are planned."""

    def __init__(
        self,
        *,
        model: Any,
        method: Method[Any],
        rows: Rows,
        looks: Looks,
        tokenizer: Any,
        settings: Settings,
        precision: str,
        packed: bool,
        processes: Processes,
        memory: Memory,
        folder: Path,
        identity: Json,
    ) -> None:
        self.model, self.method, self.settings = model, method, settings
        self.rows, self.trees, self.looks = rows, rows.trees, looks
        self.tokenizer = tokenizer
        self.precision, self.packed, self.memory = precision, packed, memory
        self.folder, self.identity = folder, identity
        self.steps = plan([tree.tokens for tree in rows.trees], settings, self._families())
        self.processes = processes
        self.weights = adapt.learning(model)
        self.optimizer = torch.optim.AdamW(
            self.weights.values(),
            lr=settings.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=True,
        )
        self.estimated_bytes = self.largest = 0

    def _families(self) -> list[list[int]] | None:
        if not (self.settings.share_context and self.packed):
            return None
        rows = self.settings.rows_per_step
        most = max(1, min(rows // 2, max(FAMILY, rows // 4)))
        return families(self.trees, share=KIN, most=most)

    def run(self, on_step: OnStep | None = None) -> Progress:
        """Make the steps that are owed, and say where the run stands then."""
        progress = self._resume()
        self._check_size()
        started, done = time.perf_counter(), progress.seconds
        saved = started
        with appending(
            self.folder / "loss.jsonl", progress.step, writes=self.processes.leads
        ) as curve:
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
                if on_step and self.processes.leads:
                    on_step(progress.told(step, rate, steps=len(self.steps)))
                if self._is_due(time.perf_counter() - saved):
                    self._save(progress)
                    saved = time.perf_counter()
        highest = max(progress.peak_bytes, self.memory.peak_bytes)
        progress.peak_bytes = int(self.processes.highest(highest))
        self.looks.take_best(self.weights, progress)
        return progress

    def _step(self, step: Step, rate: float, progress: Progress) -> float:
        """The mean loss of the step, after which the weights have moved."""
        self._seed(progress.step)
        self.model.train()
        sums = [0.0] * 6
        for batch, counts in self._shared_batches(step.rows):
            made = self._learn(batch, counts=counts, step=progress.step)
            sums = [so_far + more for so_far, more in zip(sums, made, strict=True)]
            if not math.isfinite(sums[0]):
                raise self._not_finite("the loss", batch.trees, progress)
        total, weight, *seen = self.processes.sum(sums)
        progress.see(*map(int, seen))
        if not self._move(rate, weight, progress.step):
            raise self._not_finite("the gradient", step.rows, progress)
        return total / weight

    def _learn(self, batch: Batch, *, counts: bool, step: int) -> tuple[float, ...]:
        """Add a batch's gradient; its loss, weight, and tokens as `Progress.see` takes them.

        Of one that doesn't count there is nothing but what it cost.
        """
        with enough_memory(batch, step=step + 1, rows=self.rows, fitted=self.largest):
            with autocast(self.model, self.precision):
                loss, share = self.method.loss(self.model, batch)
            (loss if counts else 0 * loss).backward()  # type: ignore[no-untyped-call]
        self.largest = max(self.largest, batch.computed)
        if not counts:
            return 0.0, 0.0, 0, batch.computed, 0, 0
        return loss.item(), share, batch.tokens, batch.computed, batch.distinct, len(batch.target)

    def _move(self, rate: float, weight: float, step: int) -> bool:
        """Divide the summed gradient by the summed weight, clip it, and take the step.

        False, and no step, if the gradient is not finite.
        """
        self.processes.add_gradients(self.weights.values())
        gradients = [one.grad for one in self.weights.values() if one.grad is not None]
        norm = float(whole(torch.nn.utils.get_total_norm(gradients))) / weight
        if not math.isfinite(norm):
            return False
        if step == 0 and norm == 0:
            raise TrainingError("no weight that learns has a gradient", "check the LoRA targets")
        clip = self.settings.clip
        scale = min(1.0, clip / norm) / weight if clip else 1 / weight
        torch._foreach_mul_(gradients, scale)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return True

    def _seed(self, step: int) -> None:
        """Draw dropout by seed and step, and otherwise in each process."""
        drawn = [self.settings.seed, step]
        if not self.processes.leads:
            drawn.append(self.processes.rank)
        torch.manual_seed(int(digest(drawn)[:15], 16))

    def _batches(self, numbers: Sequence[int]) -> Iterator[Batch]:
        tokens = self.settings.how.tokens_per_batch
        return batches(self.model, self.trees, numbers, tokens=tokens, packed=self.packed)

    def _shared_batches(self, numbers: Sequence[int]) -> Iterator[tuple[Batch, bool]]:
        return shared_batches(
            self.model,
            self.trees,
            numbers,
            tokens=self.settings.how.tokens_per_batch,
            packed=self.packed,
            processes=self.processes,
        )

    def _check_size(self) -> None:
        """Refuse a batch that can't fit before an hour was spent on those that do.

        Weights in parts are whole while a layer is computed, so nothing is told of them.
        """
        if self.processes.sharded:
            return
        sizes = [tree.tokens for tree in self.trees]
        asked = [sum(sizes[row] for row in step.rows) for step in self.steps]
        heaviest = self.steps[asked.index(max(asked))].rows
        batch = max(self._batches(heaviest), key=lambda one: one.computed)
        longest = max(range(len(sizes)), key=sizes.__getitem__)
        if sizes[longest] > batch.computed:
            batch = next(self._batches([longest]))
        self.model.train()
        needed = needs(self.model, batch, sizes, self._forward)
        expected = max(self.memory.peak_bytes, self.memory.bytes_now + needed.total)
        self.estimated_bytes = expected - self.memory.baseline_bytes
        fits(needed, batch, free_bytes(self.model.device))

    def _forward(self, numbers: Sequence[int]) -> tuple[Batch, Tensor]:
        batch = next(self._batches(numbers))
        with (
            enough_memory(batch, step=1, rows=self.rows, fitted=0),
            autocast(self.model, self.precision),
        ):
            return batch, self.method.loss(self.model, batch)[0]

    def _not_finite(self, what: str, numbers: Sequence[int], progress: Progress) -> TrainingError:
        return not_finite(
            what,
            self.folder / "not_finite.json",
            step=progress.step + 1,
            rows=self.rows,
            numbers=numbers,
            tokenizer=self.tokenizer,
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

    def _is_due(self, seconds: float) -> bool:
        """Whether it is time for a checkpoint; where all must take part, by the leader's clock."""
        due = seconds >= self.settings.how.checkpoint_seconds
        return self.processes.same(due) if self.processes.sharded else due and self.processes.leads

    def _save(self, progress: Progress) -> None:
        progress.peak_bytes = max(progress.peak_bytes, self.memory.peak_bytes)
        checkpoint.save(
            self.folder / "checkpoint",
            weights=self.weights,
            optimizer=self.optimizer,
            state={"identity": self.identity, "progress": asdict(progress)},
            processes=self.processes,
        )
        if self.processes.leads:
            self.looks.forget(progress)
