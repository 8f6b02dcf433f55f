"""What the pipeline asks of the world, as it sees it: engines, a trainer, a sandbox, a watcher."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from outdo.errors import ModelError
from outdo.models.reference import ModelReference
from outdo.protocols import Engine, Runner
from outdo.records import Conversation, Example, Json, Pair
from outdo.scorers.bertscore import Encoder
from outdo.study import Answering, Data, Encoding, Run

Rows = list[Example] | list[Conversation] | list[Pair]
"""What a data entry gives: rows of one kind."""

Logs = tuple[float, float]
"""The log-probabilities of a pair's chosen and rejected reply, in nats."""

ScoreOf = Callable[[Any], float]
"""The task's own score of a model that is being trained, higher for better."""


class Step(Protocol):
    """How far training is: step `step` of `steps`, its loss, and tokens a second so far."""

    @property
    def step(self) -> int: ...

    @property
    def steps(self) -> int: ...

    @property
    def loss(self) -> float: ...

    @property
    def tokens_per_second(self) -> float: ...


OnStep = Callable[[Step], None]


@dataclass(frozen=True, slots=True)
class Counting:
    """How many tokens a text is to a model; `exact` where its own tokenizer counts."""

    size: Callable[[str], int]
    exact: bool = True


class Trainer(Protocol):
    """Whoever trains: rows in, a folder with weights, `training.json` and `loss.jsonl` out.

    `reference` has the log-probabilities of each of `rows` and then of `validation`, for methods
    that need them.
    """

    def __call__(
        self,
        base: ModelReference,
        rows: Sequence[Conversation | Pair],
        *,
        run: Run,
        folder: Path,
        validation: Sequence[Conversation | Pair],
        reference: Sequence[Logs | None] | None,
        score: ScoreOf | None,
        on_step: OnStep,
    ) -> None: ...


def _no_encoder(model: ModelReference, _: Encoding) -> Encoder:
    raise ModelError("no vectors can be had here", "leave similarity out", where=model.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Everything that touches the world on the pipeline's behalf.

    `settings` gives what of a run's settings decides its weights, and `reference_settings` what of
    them decides the log-probabilities that `reference` gives of pairs by number, None for a pair
    that isn't learnt from; stages are named by them. `living` is the engine of a model in memory
    that is being trained from another, `counting` the tokenizer of one, `encoder` gives a model's
    vectors.
    """

    sandbox: Callable[[], AbstractContextManager[Runner]]
    engine: Callable[[ModelReference, Answering], Engine]
    living: Callable[[Any, ModelReference], Engine]
    counting: Callable[[ModelReference], Counting]
    train: Trainer
    settings: Callable[[Run], Json]
    reference: Callable[[ModelReference, Sequence[Pair], Run], Iterator[tuple[int, Logs | None]]]
    reference_settings: Callable[[Run], Mapping[str, Json]]
    resolve: Callable[[str], ModelReference]
    data_what: Callable[[Data, Path], Json]
    data: Callable[[Data, Path, int, Runner], tuple[Rows, list[str]]]
    environment: Callable[[], Mapping[str, Json]]
    encoder: Callable[[ModelReference, Encoding], Encoder] = _no_encoder


class Tally(Protocol):
    """A running count of one stage's rows or steps."""

    def __call__(self, done: int, *, total: int | None = None, note: str = "") -> None: ...


class Watch(Protocol):
    """Whoever looks on: told what begins, how far it is, and whom it waits for."""

    def stage(
        self, title: str, *, total: int | None, unit: str
    ) -> AbstractContextManager[Tally]: ...

    def waiting(self, holder: str) -> None: ...
