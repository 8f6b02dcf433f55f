"""The loop: the same for every method, which brings `encode` and `loss`.

A step is a set of rows. Its batches add up gradients of sums, which are divided once, by the
weight of all of them: so it is one step however much fits in memory at a time.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from outdo import catalog
from outdo.errors import TrainingError
from outdo.models.chat import Encoded
from outdo.models.reference import ModelReference
from outdo.models.weights import device_named, load_base, load_chat
from outdo.records import Conversation, Json, digest, to_json
from outdo.store import write_json
from outdo.training import adapt, checkpoint, preflight
from outdo.training.forest import Batch, lay, layouts
from outdo.training.memory import Memory
from outdo.training.method import Method
from outdo.training.plan import Step, learning_rate, plan
from outdo.training.report import StepReport, TrainingReport
from outdo.training.settings import Settings

OnStep = Callable[[StepReport], None]


@dataclass(slots=True)
class Progress:
    """Where a run stands; what a checkpoint holds beside the tensors."""

    step: int = 0
    seconds: float = 0.0
    tokens: int = 0
    computed: int = 0
    learnt: int = 0
    peak_bytes: int = 0
    resumes: int = 0
    loss: float = math.nan
    validation: list[dict[str, Json]] = field(default_factory=list)


def run(
    base: ModelReference,
    rows: Sequence[Conversation],
    *,
    settings: Settings,
    folder: Path,
    validation: Sequence[Conversation] = (),
    on_step: OnStep | None = None,
) -> TrainingReport:
    """See `outdo.training.train`."""
    device = device_named(settings.how.device)
    precision = preflight.precision(settings.precision, device)
    preflight.base(base, settings)
    if settings.how.threads:
        torch.set_num_threads(settings.how.threads)
    memory = Memory(device)
    method: Method[Conversation] = catalog.named(catalog.METHODS, settings.method, noun="method")
    chat = load_chat(base)
    learnt = preflight.rows(rows, method=method, chat=chat, settings=settings)
    held_out = (
        preflight.rows(validation, method=method, chat=chat, settings=settings).encoded
        if validation
        else ()
    )
    model = load_base(base, device=settings.how.device).requires_grad_(False)
    packed = preflight.packs(model, learnt.encoded)
    model = adapt.adapted(model, base, settings, precision=precision)
    folder.mkdir(parents=True, exist_ok=True)
    identity = {
        **settings.what,
        "precision": precision,
        "base": base.digest,
        "rows": digest(list(rows)),
    }
    loop = Loop(
        model=model,
        method=method,
        rows=learnt.encoded,
        held_out=held_out,
        settings=settings,
        precision=precision,
        packed=packed,
        memory=memory,
        folder=folder,
        identity=identity,
    )
    progress = loop.run(on_step)
    adapt.keep(model, base, folder)
    report = _report(base, settings, loop, progress, rows=learnt)
    write_json(folder / "training.json", to_json(report))
    return report


class Loop:
    """One run: model, rows, and the steps that are planned."""

    def __init__(
        self,
        *,
        model: Any,
        method: Method[Conversation],
        rows: Sequence[Encoded],
        held_out: Sequence[Encoded],
        settings: Settings,
        precision: str,
        packed: bool,
        memory: Memory,
        folder: Path,
        identity: Json,
    ) -> None:
        self.model, self.method, self.settings = model, method, settings
        self.rows, self.held_out = rows, held_out
        self.precision, self.packed, self.memory = precision, packed, memory
        self.folder, self.identity = folder, identity
        self.lengths = [len(row.ids) for row in rows]
        self.steps = plan(self.lengths, settings)
        self.weights = adapt.learning(model)
        self.optimizer = torch.optim.AdamW(
            self.weights.values(),
            lr=settings.learning_rate,
            betas=settings.betas,
            weight_decay=settings.weight_decay,
            fused=True,
        )

    def run(self, on_step: OnStep | None = None) -> Progress:
        """Make the steps that are owed, and say where the run stands then."""
        progress = self._resume()
        self._check_size()
        started, done = time.perf_counter(), progress.seconds
        saved = started
        with _appending(self.folder / "loss.jsonl", progress.step) as curve:
            for step in self.steps[progress.step :]:
                rate = learning_rate(progress.step, len(self.steps), self.settings)
                progress.loss = self._step(step, rate, progress)
                progress.step += 1
                self._validate(step, progress)
                progress.seconds = done + time.perf_counter() - started
                curve(_line(step, rate, progress))
                if on_step:
                    on_step(self._told(step, rate, progress))
                if time.perf_counter() - saved >= self.settings.how.checkpoint_seconds:
                    self._save(progress)
                    saved = time.perf_counter()
        progress.peak_bytes = max(progress.peak_bytes, self.memory.peak_bytes)
        return progress

    def _step(self, step: Step, rate: float, progress: Progress) -> float:
        """The mean loss of the step, after which the weights have moved."""
        torch.manual_seed(int(digest([self.settings.seed, progress.step])[:15], 16))
        self.model.train()
        total = weight = 0.0
        for batch in self._batches(self.rows, step.rows):
            with self._autocast():
                loss, share = self.method.loss(self.model, batch)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.item()
            weight += share
            if not math.isfinite(total):
                self._refuse(batch, progress.step, step)
            progress.tokens += batch.tokens
            progress.computed += batch.computed
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

    def _batches(self, encoded: Sequence[Encoded], rows: Sequence[int]) -> Iterator[Batch]:
        lengths = [len(one.ids) for one in encoded]
        tokens = self.settings.how.tokens_per_batch
        for layout in layouts(lengths, rows, tokens=tokens, packed=self.packed):
            yield lay(encoded, layout).to(self.model.device)

    def _autocast(self) -> Any:
        if self.precision == "float32":
            return contextlib.nullcontext()
        return torch.autocast(self.model.device.type, dtype=getattr(torch, self.precision))

    def _validate(self, step: Step, progress: Progress) -> None:
        """The mean loss over the held-out rows, at the end of each epoch and of the run."""
        last = progress.step == len(self.steps)
        if not self.held_out or not (last or step.epoch.is_integer()):
            return
        self.model.eval()
        total = weight = 0.0
        with torch.no_grad(), self._autocast():
            for batch in self._batches(self.held_out, range(len(self.held_out))):
                loss, share = self.method.loss(self.model, batch)
                total += loss.item()
                weight += share
        progress.validation.append(
            {"step": progress.step, "epoch": step.epoch, "loss": total / weight}
        )

    def _check_size(self) -> None:
        """Refuse a batch that can't fit before an hour was spent on those that do."""
        itemsize = 4 if self.precision == "float32" else 2
        longest = max(range(len(self.rows)), key=lambda row: self.lengths[row])
        count = max(1, self.settings.how.tokens_per_batch // self.lengths[longest])
        batch = lay(self.rows, [[longest]] * min(count, self.settings.rows_per_step))
        preflight.fits(self.model, batch, itemsize=itemsize)

    def _refuse(self, batch: Batch, step: int, planned: Step) -> None:
        path = self.folder / "not_finite.json"
        write_json(
            path,
            {
                "step": step + 1,
                "rows": list(batch.paths),
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
        trainable=sum(one.numel() for one in loop.weights.values()),
        total=sum(one.numel() for one in parameters),
        steps=progress.step,
        epochs=loop.steps[-1].epoch,
        tokens=progress.tokens,
        tokens_computed=progress.computed,
        tokens_learnt=progress.learnt,
        tokens_per_second=progress.tokens / max(progress.seconds, 1e-9),
        padding_share=1 - progress.tokens / progress.computed,
        packed=loop.packed,
        rows=len(rows.encoded),
        rows_cut=rows.cut,
        rows_dropped=rows.dropped,
        loss=progress.loss,
        validation=tuple(progress.validation),
        precision=loop.precision,
        device=str(loop.model.device),
        threads=torch.get_num_threads(),
        resumes=progress.resumes,
    )
