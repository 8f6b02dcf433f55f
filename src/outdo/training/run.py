"""A run from its rows to its account: what `outdo.training.train` does."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from outdo import catalog
from outdo.errors import TrainingError
from outdo.machine import hardware
from outdo.models.chat import Chat
from outdo.models.reference import ModelReference
from outdo.models.weights import device_named, load_chat
from outdo.records import Json, digest, to_json
from outdo.store import write_json
from outdo.training import adapt, preflight, shards
from outdo.training.encoded import encoded_rows
from outdo.training.held import held_base
from outdo.training.looks import Looks, ScoreOf
from outdo.training.loop import Loop, OnStep
from outdo.training.memory import Memory, keep_pages
from outdo.training.method import Head, Method
from outdo.training.preflight import Row, Rows
from outdo.training.processes import ALONE, Processes
from outdo.training.progress import Progress
from outdo.training.reference import Logs, logs
from outdo.training.report import StepReport, TrainingReport
from outdo.training.settings import Settings


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
    processes: Processes = ALONE,
) -> TrainingReport:
    """See `outdo.training.train`; each of several processes calls this with the same rows."""
    device = device_named(settings.how.device)
    precision = preflight.precision(settings.precision, device)
    preflight.base(base, settings)
    preflight.looks(settings, held_out=bool(validation), scored=score is not None)
    shards.check(settings, processes, scored=score is not None)
    if settings.how.threads:
        torch.set_num_threads(settings.how.threads)
    memory = Memory(device)
    keep_pages()
    method = catalog.named(catalog.METHODS, settings.method, noun="method")(settings)
    preflight.head(base, method.head)
    known = _reference(method, base, [*rows, *validation], reference, settings, processes)
    chat = load_chat(base)
    reading = functools.partial(_rows, base=base, method=method, chat=chat, settings=settings)
    learnt = reading(rows, known)
    held_out = reading(validation, known and known[len(rows) :])
    folder.mkdir(parents=True, exist_ok=True)
    with held_base(
        base, settings, precision=precision, head=method.head, sharded=processes.sharded
    ) as bare:
        packed = preflight.packs(bare, (*learnt.trees, *held_out.trees), head=method.head)
        model = _learner(bare, base, settings, method.head, processes)
        shared: dict[str, Any] = {
            "method": method,
            "settings": settings,
            "precision": precision,
            "packed": packed,
            "processes": processes,
        }
        looks = Looks(trees=held_out.trees, score=score, folder=folder / "checkpoint", **shared)
        loop = Loop(
            model=model,
            rows=learnt,
            looks=looks,
            tokenizer=chat.tokenizer,
            memory=memory,
            folder=folder,
            identity=_identity(base, rows, validation, reference, settings, precision),
            **shared,
        )
        with _logs(settings, folder, processes) as told:
            progress = loop.run(_both(on_step, told))
        adapt.keep(model, base, folder, processes=processes)
        report = _report(base, loop, progress, learnt, held_out)
    if processes.leads:
        write_json(folder / "training.json", to_json(report))
    return report


def _learner(
    bare: Any, base: ModelReference, settings: Settings, head: Head, processes: Processes
) -> Any:
    """The model with the weights that learn, alike in all processes, and in parts if so wanted."""
    model = adapt.adapted(bare, base, settings, head=head)
    if settings.how.checkpointing:
        adapt.checkpoint(model)
    processes.begin_alike(adapt.learning(model).values())
    if processes.sharded:
        shards.shard(model, processes, head=head)
    return model


def _rows(
    given: Sequence[Row],
    known: Sequence[Logs] | None,
    *,
    base: ModelReference,
    method: Method[Any],
    chat: Chat,
    settings: Settings,
) -> Rows:
    """The rows as trees, with what the reference thinks of them where the method asks for it."""
    if not given:
        return preflight.NO_ROWS
    checked = encoded_rows(given, base=base, method=method, chat=chat, settings=settings)
    return checked if known is None else checked.given(known)


def _identity(
    base: ModelReference,
    rows: Sequence[Row],
    validation: Sequence[Row],
    reference: Sequence[Logs | None] | None,
    settings: Settings,
    precision: str,
) -> Json:
    """What a checkpoint must be of, to be gone on with."""
    return {
        **settings.what,
        "precision": precision,
        "base": base.digest,
        "rows": digest(list(rows)),
        "validation": digest(list(validation)),
        "reference": None
        if reference is None
        else digest([one and list(one) for one in reference]),
    }


def _reference(
    method: Method[Any],
    base: ModelReference,
    rows: Sequence[Row],
    given: Sequence[Logs | None] | None,
    settings: Settings,
    processes: Processes,
) -> Sequence[Logs] | None:
    """What the reference thinks of each row; if nobody brings it, the base is asked now."""
    if not method.needs_reference:
        return None
    if given is None:
        told = processes.gathered(
            dict(logs(base, rows, settings=settings, processes=processes))  # type: ignore[arg-type]
        )
        given = [told[number] for number in range(len(rows))]
    if len(given) != len(rows):
        raise TrainingError(
            f"the reference knows {len(given)} rows, there are {len(rows)}",
            "give it the rows for validation as well, behind those to learn from",
        )
    return [one or (math.nan, math.nan) for one in given]


def _report(
    base: ModelReference, loop: Loop, progress: Progress, rows: Rows, held_out: Rows
) -> TrainingReport:
    parameters = list(loop.model.parameters())
    notes = [
        *rows.notes,
        *(f"held out: {note}" for note in held_out.notes),
        *preflight.notes(loop.model, loop.settings, packed=loop.packed),
    ]
    return TrainingReport(
        base={"name": base.name, "digest": base.bottom.digest},
        settings=to_json(loop.settings),
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
        longest_cut=rows.longest_cut,
        loss=progress.loss,
        validation=tuple(progress.validation),
        best_step=progress.best_step,
        precision=loop.precision,
        device=str(loop.model.device),
        hardware=_hardware(loop.model.device),
        threads=torch.get_num_threads(),
        processes=loop.processes.count,
        resumes=progress.resumes,
        notes=tuple(notes),
    )


def _hardware(device: torch.device) -> str:
    """The machine's name: its accelerator, or its processor, cores and memory."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else hardware()


def _logs(settings: Settings, folder: Path, processes: Processes) -> Any:
    """A block with whoever else is told of each step, as the settings name them."""
    if not (settings.how.log_to and processes.leads):
        return contextlib.nullcontext()
    from outdo.training.logs import open_logs

    return open_logs(settings.how.log_to, folder, folder.name.removesuffix(".part"))


def _both(*observers: OnStep | None) -> OnStep:
    def told(step: StepReport) -> None:
        for one in observers:
            if one is not None:
                one(step)

    return told
