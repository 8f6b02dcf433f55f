"""A study under a launcher: one process carries it out, the others take part in its trainings.

The first one, the leader, reads, writes, prints and holds locks. The others wait until it tells
them of a run, make it together with it, and wait again, until it is done.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import torch.distributed as dist

from outdo import training
from outdo.models.reference import ModelReference
from outdo.records import Conversation, Pair
from outdo.training.looks import ScoreOf
from outdo.training.loop import OnStep
from outdo.training.processes import Together, launched, meeting_place
from outdo.training.report import TrainingReport
from outdo.training.settings import How

Rows = Sequence[Conversation] | Sequence[Pair]

A_STUDY = timedelta(days=30)
"""So long may the leader be busy with other things than training."""

GOODBYE = timedelta(seconds=30)
"""So long does the leader wait for the others to leave."""

_told = itertools.count()
"""How often the leader has told the others something, counted in each process."""


def follow() -> None:
    """Take part in each run that the leader begins, until it is done with all its work."""
    try:
        while (job := _next_job()) is not None:
            training.train(**job)
    finally:
        with contextlib.suppress(dist.DistError):
            meeting_place().set(f"left/{launched()[0]}", "")


def _next_job() -> dict[str, Any] | None:
    store, key = meeting_place(), f"told/{next(_told)}"
    store.wait([key], A_STUDY)
    if store.get(key) == b"done":
        return None
    with Together(How()) as processes:
        job: dict[str, Any] = processes.same({})
    return job


def train(
    base: ModelReference,
    rows: Rows,
    *,
    score: ScoreOf | None = None,
    on_step: OnStep | None = None,
    **told: Any,
) -> TrainingReport:
    """`outdo.training.train`, together with those who follow."""
    if launched()[1] > 1:
        meeting_place().set(f"told/{next(_told)}", "run")
        asked = None if score is None else _never_asked
        with Together(How()) as processes:
            processes.same({"base": base, "rows": rows, "score": asked, **told})
    return training.train(base, rows, score=score, on_step=on_step, **told)


def _never_asked(model: Any) -> float:
    """Stands for the leader's score in those who follow: only the leader is asked."""
    raise NotImplementedError(f"{type(model).__name__} is scored by the leader")


def release() -> None:
    """Let those who follow end, and wait a moment until they have heard of it."""
    store = meeting_place()
    store.set(f"told/{next(_told)}", "done")
    with contextlib.suppress(dist.DistError):
        store.wait([f"left/{rank}" for rank in range(1, launched()[1])], GOODBYE)
