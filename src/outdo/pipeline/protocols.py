"""Those that the pipeline works with, as it sees them: engines, a trainer, a sandbox, a watcher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from outdo.errors import PermanentError
from outdo.models.reference import ModelReference
from outdo.records import Completion, Conversation, Example, Json, Outcome, Program, Request
from outdo.study import Answering, Data, Run


class Engine(Protocol):
    """Whoever answers prompts; each answer comes the moment it is there, in any order."""

    @property
    def model(self) -> str: ...

    @property
    def served_by(self) -> str: ...

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]: ...


class Runner(Protocol):
    """Whoever runs untrusted programs; outcomes come as they finish, with the program's number."""

    @property
    def tier(self) -> str: ...

    @property
    def signature(self) -> str: ...

    def run(self, programs: Iterable[Program]) -> Iterator[tuple[int, Outcome]]: ...


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


class Trainer(Protocol):
    """Whoever trains: rows in, a folder with weights, `training.json` and `loss.jsonl` out."""

    def __call__(
        self,
        base: ModelReference,
        rows: Sequence[Conversation],
        *,
        run: Run,
        folder: Path,
        on_step: OnStep,
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """Everything that touches the world on the pipeline's behalf.

    `settings` gives what of a run's settings decides its weights, to name the stage by.
    """

    sandbox: Callable[[], AbstractContextManager[Runner]]
    engine: Callable[[ModelReference, Answering], Engine]
    train: Trainer
    settings: Callable[[Run], Json]
    resolve: Callable[[str], ModelReference]
    data_what: Callable[[Data, Path], Json]
    data: Callable[[Data, Path, int, Runner], tuple[list[Example], list[str]]]
    environment: Callable[[], Mapping[str, Json]]


class Tally(Protocol):
    """A running count of one stage's rows or steps."""

    def __call__(self, done: int, *, total: int | None = None, note: str = "") -> None: ...


class Watch(Protocol):
    """Whoever looks on: told what begins, how far it is, and whom it waits for."""

    def stage(
        self, title: str, *, total: int | None, unit: str
    ) -> AbstractContextManager[Tally]: ...

    def waiting(self, holder: str) -> None: ...
