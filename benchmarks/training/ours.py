"""outdo's side of a measured run: `outdo.training.train`, as a user calls it."""

from __future__ import annotations

import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

from training.job import Clock, Job, Memory, rows


def perform(job: Job) -> dict[str, Any]:
    """Train on the job's rows; of `dpo` compute the reference first, and tell its time apart."""
    import torch

    from outdo.models.reference import resolve
    from outdo.records import Conversation, Pair, from_json
    from outdo.training import How, Lora, Settings, train

    data = rows(job)
    kind: Any = Pair if job.method == "dpo" else Conversation
    records = [from_json(kind, one["record"]) for one in data]
    reference = resolve(job.model, runs=Path())
    memory = Memory(job.device)
    clock = Clock(job.device)
    settings = Settings(
        method=job.method,
        lora=Lora(rank=job.rank) if job.rank else None,
        epochs=job.epochs,
        learning_rate=job.learning_rate,
        schedule="constant",
        warmup=0.0,
        rows_per_step=job.batch,
        max_length=8192,
        precision=job.precision,
        how=How(
            tokens_per_batch=job.budget,
            device=job.device,
            checkpoint_seconds=1e9,
            checkpointing=job.mode == "checkpointed",
        ),
        **({"share_context": False} if job.mode == "unshared" else {}),
    )

    def on_step(step: Any) -> None:
        clock.losses.append(step.loss)
        clock.step(step.tokens)

    more: dict[str, Any] = {}
    told: dict[str, Any] = {}
    if job.method == "dpo":
        told["reference_seconds"], more["reference"] = referred(
            reference, records, settings, Clock(job.device)
        )
    with tempfile.TemporaryDirectory() as folder:
        report = train(
            reference, records, settings=settings, folder=Path(folder), on_step=on_step, **more
        )
    told |= clock.told() | memory.told()
    told["sequences"] = report.rows * job.epochs * (2 if job.method == "dpo" else 1)
    computed = {f.name: getattr(report, f.name) for f in fields(report) if "token" in f.name}
    return told | {"report": computed, "threads": torch.get_num_threads()}


def referred(
    reference: Any, records: list[Any], settings: Any, clock: Clock
) -> tuple[float, list[tuple[float, float]]]:
    """The reference's log-probabilities of all pairs, and the seconds from the first forward on.

    Loading the model and encoding the rows aren't counted: nor are they on the other side.
    """
    from torch.nn.modules.module import register_module_forward_pre_hook

    from outdo.training import reference_logs

    began: list[float] = []
    hook: Any = None

    def first(*_: Any) -> None:
        began.append(clock.now())
        hook.remove()

    hook = register_module_forward_pre_hook(first)
    found = dict(reference_logs(reference, records, settings=settings))
    return clock.now() - began[0], [found[number] for number in range(len(records))]
