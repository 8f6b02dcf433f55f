"""The loop: the same for every method, which brings `encode` and `loss`.

A step is a set of rows. Its batches add up gradients of sums, which are divided once, by the
weight of all of them: so it is one step however much fits in memory at a time.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from outdo import catalog
from outdo.errors import TrainingError
from outdo.machine import hardware
from outdo.models.forest import Batch, Tree, families
from outdo.models.reference import ModelReference
from outdo.models.weights import device_named, load_chat
from outdo.records import Json, digest, to_json
from outdo.store import write_json
from outdo.training import adapt, checkpoint, preflight
from outdo.training.compute import autocast, batches
from outdo.training.held import held_base
from outdo.training.memory import Memory
from outdo.training.method import Method
from outdo.training.plan import Step, learning_rate, plan
from outdo.training.preflight import Row
from outdo.training.reference import Logs, logs
from outdo.training.report import StepReport, TrainingReport
from outdo.training.settings import Settings

OnStep = Callable[[StepReport], None]
ScoreOf = Callable[[Any], float]
"""The task's own score of a model, higher for better."""

KIN = 0.75
"""Rows are kin if they have this much of their prompts in common."""

FAMILIES_PER_STEP = 4
"""A step has at least so many families, for its rows should differ."""


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


def best(looks: Sequence[dict[str, Json]]) -> dict[str, Json]:
    """The first look that found the highest score, or without scores the lowest loss."""
    return max(looks, key=lambda look: look.get("score", -look.get("loss", math.inf)))


def run(
    base: ModelReference,
    rows: Sequence[Row],
    *,
    settings: Settings,
    folder: Path,
    validation: Sequence[Row] = (),
    reference: Sequence[Logs | None] | None = None,
    score: ScoreOf | None = None,
    on_step: OnStep | None = None,
) -> TrainingReport:
    """See `outdo.training.train`."""
    device = device_named(settings.how.device)
    precision = preflight.precision(settings.precision, device)
    preflight.base(base, settings)
    if settings.how.threads:
        torch.set_num_threads(settings.how.threads)
    memory = Memory(device)
    method = catalog.named(catalog.METHODS, settings.method, noun="method")(settings)
    chat = load_chat(base)
    everything = [*rows, *validation]
    known = _reference(method, base, everything, reference, settings)
    learnt = preflight.rows(rows, method=method, chat=chat, settings=settings)
    held_out = (
        preflight.rows(validation, method=method, chat=chat, settings=settings)
        if validation
        else preflight.NO_ROWS
    )
    if known is not None:
        learnt = learnt.given(known[: len(rows)])
        held_out = held_out.given(known[len(rows) :])
    folder.mkdir(parents=True, exist_ok=True)
    identity = {
        **settings.what,
        "precision": precision,
        "base": base.digest,
        "rows": digest(list(rows)),
    }
    with held_base(base, settings, precision=precision, head=method.head) as bare:
        packed = preflight.packs(bare, learnt.trees, head=method.head)
        model = adapt.adapted(bare, base, settings, precision=precision, head=method.head)
        if settings.how.checkpointing:
            adapt.checkpoint(model)
        loop = Loop(
            model=model,
            method=method,
            trees=learnt.trees,
            held_out=held_out.trees,
            score=score,
            settings=settings,
            precision=precision,
            packed=packed,
            memory=memory,
            folder=folder,
            identity=identity,
        )
        with _logs(settings, folder) as told:
            progress = loop.run(_both(on_step, told))
        adapt.keep(model, base, folder)
        report = _report(base, settings, loop, progress, rows=learnt)
    write_json(folder / "training.json", to_json(report))
    return report


def _reference(
    method: Method[Any],
    base: ModelReference,
    rows: Sequence[Row],
    given: Sequence[Logs | None] | None,
    settings: Settings,
) -> Sequence[Logs] | None:
    """What the reference thinks of each row; if nobody brings it, the base is asked now."""
    if not method.needs_reference:
        return None
    if given is None:
        told = dict(logs(base, rows, settings=settings))  # type: ignore[arg-type]
        given = [told[number] for number in range(len(rows))]
    if len(given) != len(rows):
        raise TrainingError(
            f"the reference knows {len(given)} rows, there are {len(rows)}",
            "give it the rows for validation as well, behind those to learn from",
        )
    return [one or (math.nan, math.nan) for one in given]


class Loop:
    """One run: model, rows, and the steps that are planned."""

    def __init__(
        self,
        *,
        model: Any,
        method: Method[Any],
        trees: Sequence[Tree],
        held_out: Sequence[Tree],
        score: ScoreOf | None,
        settings: Settings,
        precision: str,
        packed: bool,
        memory: Memory,
        folder: Path,
        identity: Json,
    ) -> None:
        self.model, self.method, self.settings = model, method, settings
        self.trees, self.held_out, self.score = trees, held_out, score
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
        with _appending(self.folder / "loss.jsonl", progress.step) as curve:
            for step in self.steps[progress.step :]:
                if self._is_spent(progress):
                    break
                rate = learning_rate(progress.step, len(self.steps), self.settings)
                progress.loss = self._step(step, rate, progress)
                progress.step += 1
                self._look(step, progress)
                progress.seconds = done + time.perf_counter() - started
                curve(_line(step, rate, progress))
                if on_step:
                    on_step(self._told(step, rate, progress))
                if time.perf_counter() - saved >= self.settings.how.checkpoint_seconds:
                    self._save(progress)
                    saved = time.perf_counter()
        progress.peak_bytes = max(progress.peak_bytes, self.memory.peak_bytes)
        self._take_best(progress)
        return progress

    def _step(self, step: Step, rate: float, progress: Progress) -> float:
        """The mean loss of the step, after which the weights have moved."""
        torch.manual_seed(int(digest([self.settings.seed, progress.step])[:15], 16))
        self.model.train()
        total = weight = 0.0
        for batch in self._batches(self.trees, step.rows):
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

    def _batches(self, trees: Sequence[Tree], numbers: Iterable[int]) -> Iterator[Batch]:
        tokens = self.settings.how.tokens_per_batch
        return batches(self.model, trees, numbers, tokens=tokens, packed=self.packed)

    # -------------------------------------------------------------- looking at held-out rows

    def _look(self, step: Step, progress: Progress) -> None:
        """Judge the weights as they are, where it is time to; the best so far are kept aside."""
        if not (self.held_out or self.score) or not self._is_time(step, progress):
            return
        found: dict[str, Json] = {"step": progress.step, "epoch": step.epoch}
        if self.held_out:
            found["loss"] = self._held_out_loss()
        if self.score:
            self.model.eval()
            found["score"] = self.score(self.model)
        progress.validation.append(found)
        if self.settings.keep == "best" and best(progress.validation) is found:
            checkpoint.save_weights(self._best_path, self.weights)

    def _is_time(self, step: Step, progress: Progress) -> bool:
        every = self.settings.evaluate_every
        due = step.epoch.is_integer() if every is None else progress.step % every == 0
        return due or progress.step == len(self.steps)

    def _held_out_loss(self) -> float:
        """The mean loss over the held-out rows."""
        self.model.eval()
        total = weight = 0.0
        with torch.no_grad(), autocast(self.model, self.precision):
            for batch in self._batches(self.held_out, range(len(self.held_out))):
                loss, share = self.method.loss(self.model, batch)
                total += loss.item()
                weight += share
        return total / weight

    def _is_spent(self, progress: Progress) -> bool:
        """Whether the last looks, as many as the run has patience for, found nothing better."""
        patience, seen = self.settings.patience, progress.validation
        return patience is not None and len(seen) > patience and best(seen) in seen[:-patience]

    def _take_best(self, progress: Progress) -> None:
        """Put the best weights back, if they are not the last."""
        if self.settings.keep == "last" or not progress.validation:
            return
        progress.best_step = best(progress.validation)["step"]
        if progress.best_step != progress.step:
            checkpoint.load_weights(self._best_path, self.weights)

    @property
    def _best_path(self) -> Path:
        return self.folder / "checkpoint" / "best.safetensors"

    # -------------------------------------------------------------- small matters

    def _check_size(self) -> None:
        """Refuse a batch that can't fit before an hour was spent on those that do."""
        longest = max(range(len(self.trees)), key=lambda row: self.trees[row].tokens)
        batch = next(self._batches(self.trees, [longest]))
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

    def _told(self, step: Step, rate: float, progress: Progress) -> StepReport:
        seconds = progress.seconds
        return StepReport(
            step=progress.step,
            steps=len(self.steps),
            epoch=step.epoch,
            loss=progress.loss,
            learning_rate=rate,
            seconds=seconds,
            seconds_left=seconds / progress.step * (len(self.steps) - progress.step),
            tokens=progress.tokens,
            tokens_per_second=progress.tokens / max(seconds, 1e-9),
        )


def _line(step: Step, rate: float, progress: Progress) -> dict[str, Json]:
    return {
        "step": progress.step,
        "epoch": round(step.epoch, 6),
        "seconds": round(progress.seconds, 3),
        "loss": progress.loss,
        "learning_rate": rate,
        "tokens": progress.tokens,
    }


@contextlib.contextmanager
def _appending(path: Path, steps: int) -> Iterator[Callable[[dict[str, Json]], None]]:
    """A writer of lines behind the first `steps` whole ones; what a killed run wrote more goes.

    The file is cut in place, never emptied: a process may be killed here too.
    """
    with path.open("ab") as out:
        lines = path.read_bytes().splitlines(keepends=True)[:steps]
        out.truncate(sum(map(len, lines)))

        def write(line: dict[str, Json]) -> None:
            out.write(json.dumps(line).encode() + b"\n")
            out.flush()

        yield write


def _report(
    base: ModelReference,
    settings: Settings,
    loop: Loop,
    progress: Progress,
    *,
    rows: preflight.Rows,
) -> TrainingReport:
    parameters = list(loop.model.parameters())
    return TrainingReport(
        base={"name": base.name, "digest": base.bottom.digest},
        settings=to_json(settings),
        seconds=progress.seconds,
        peak_bytes=progress.peak_bytes,
        baseline_bytes=loop.memory.baseline_bytes,
        estimated_bytes=loop.estimated_bytes,
        trainable=sum(one.numel() for one in loop.weights.values()),
        total=sum(one.numel() for one in parameters),
        steps=progress.step,
        epochs=loop.steps[progress.step - 1].epoch,
        tokens=progress.tokens,
        tokens_computed=progress.computed,
        tokens_learnt=progress.learnt,
        tokens_shared=progress.tokens - progress.distinct,
        tokens_per_second=progress.tokens / max(progress.seconds, 1e-9),
        padding_share=1 - progress.distinct / progress.computed,
        shared_share=1 - progress.distinct / progress.tokens,
        packed=loop.packed,
        rows=len(rows.trees),
        rows_cut=rows.cut,
        rows_dropped=rows.dropped,
        loss=progress.loss,
        validation=tuple(progress.validation),
        best_step=progress.best_step,
        precision=loop.precision,
        device=str(loop.model.device),
        hardware=_hardware(loop.model.device),
        threads=torch.get_num_threads(),
        processes=1,
        resumes=progress.resumes,
    )


def _hardware(device: torch.device) -> str:
    """The machine's name: its accelerator, or its processor, cores and memory."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else hardware()


def _logs(settings: Settings, folder: Path) -> Any:
    """A block with whoever else is told of each step, as the settings name them."""
    if not settings.how.log_to:
        return contextlib.nullcontext()
    from outdo.training.logs import open_logs

    return open_logs(settings.how.log_to, folder, folder.name)


def _both(*observers: OnStep | None) -> OnStep:
    def told(step: StepReport) -> None:
        for one in observers:
            if one is not None:
                one(step)

    return told
