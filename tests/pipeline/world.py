"""A study's tools without a model: scripted answers, a trainer that writes a folder, real programs.

The store, the sandbox, the task and the statistics are the real ones.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from outdo.data.examples import repair_example, with_nearest
from outdo.data.problems import Problem, Test
from outdo.errors import PermanentError
from outdo.models.reference import ModelReference
from outdo.pipeline import Tools
from outdo.pipeline.protocols import Counting
from outdo.records import (
    Completion,
    Conversation,
    Example,
    Json,
    Pair,
    Request,
    Usage,
    digest,
)
from outdo.report import Findings
from outdo.sandbox import Sandbox
from outdo.store import Store
from outdo.study import Run, Study, load_study

STUDY = """
study: scripted
task: repair
data:
  sums: {source: inject}
models:
  small: ./small
train:
  tuned: {model: small}
answer:
  base: {model: small}
  base few-shot: {model: small, prompt: few-shot, shots: 2}
  tuned: {model: tuned}
compare:
  repair:
    answers: [tuned, base, base few-shot]
    floors: [unchanged, reference]
    against: [base, base few-shot]
"""

GOOD = "```python\ndef f(x):\n    return x + {n}\n```"
BAD = "```python\ndef f(x):\n    return x - {n}\n```"


def problem(n: int) -> Problem:
    """The problem to add `n`, whose wrong programs take something away."""
    tests = tuple(Test(call=f"f({x})", expected=str(x + n)) for x in range(5))
    return Problem(
        name=f"add-{n}",
        title=f"Add {n}",
        statement=f"Add {n} to x.",
        entry="f",
        tests=tests,
        solutions=(f"def f(x):\n    return x + {n}\n",),
    )


def examples(*, problems: int = 3, train: int = 4, test: int = 3) -> list[Example]:
    """Rows of several problems; each is a group of its own."""
    rows = []
    for n in range(1, problems + 1):
        for i in range(train + test):
            made = repair_example(
                problem(n),
                f"def f(x):\n    return x - {n} - {i}\n",
                name=str(i),
                source="first" if n == 1 else "later",
                group=f"add-{n}",
                split="train" if i < train else "test",
                repair=problem(n).reference,
            )
            rows.append(made)
    return list(with_nearest(rows))


Say = Callable[[str, Request], str | Exception]
"""What a model of a name says to a request; an exception is a reply too, or ends the engine."""


def number(request: Request) -> str:
    """The number that the problem of a prompt adds."""
    return request.prompt.messages[-1].content.partition("Add ")[2].partition(" ")[0]


def tuned_is_right(model: str, request: Request) -> str:
    return (GOOD if "train" in model else BAD).format(n=number(request))


@dataclass
class World:
    """What the tools have been asked for, and what they say."""

    root: Path
    rows: list[Example] = field(default_factory=examples)
    say: Say = tuned_is_right
    asked: list[tuple[str, Request]] = field(default_factory=list)
    trained: dict[str, list[Any]] = field(default_factory=dict)
    validated: dict[str, list[Any]] = field(default_factory=dict)
    told: dict[str, list[Any] | None] = field(default_factory=dict)
    scores: list[float] = field(default_factory=list)
    referred: list[tuple[str, Pair]] = field(default_factory=list)
    file_rows: list[Any] = field(default_factory=list)
    by_count: dict[int, list[Example]] = field(default_factory=dict)
    unlearnt: str | None = None
    data_made: int = 0
    findings: list[Findings] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return Store(self.root / "runs")

    @property
    def tools(self) -> Tools:
        return Tools(
            sandbox=lambda: Sandbox(tier="auto", workers=1),
            engine=lambda model, _: _Engine(model, self),
            living=lambda model, _: _Engine(model, self),
            counting=lambda model: Counting(lambda text: len(text.split()), model.kind != "api"),
            train=self._train,
            settings=lambda run: run.settings.model_dump(mode="json"),
            reference=self._reference,
            reference_settings=lambda run: {"max_length": run.settings.max_length},
            resolve=self._resolve,
            data_what=lambda *_: digest([self.rows, self.file_rows]),
            data=self._data,
            environment=lambda: {"outdo": "0", "sandbox": "real"},
        )

    def study(self, text: str = STUDY, *overrides: str) -> Study:
        path = self.root / "study.yaml"
        path.write_text(text)
        return load_study(path, overrides=overrides)

    def _data(self, spec: Any, *_: object) -> tuple[list[Any], list[str]]:
        self.data_made += 1
        if spec.source in ("conversations", "pairs"):
            return self.file_rows, []
        rows = self.by_count.get(getattr(spec, "count", 0), self.rows)
        return rows, ["one row was dropped"]

    def _resolve(self, name: str) -> ModelReference:
        if not name.startswith("run/"):
            return ModelReference(name=name, path=self.root, digest=digest(name))
        folder = self.root / "runs" / name.split("/")[1] / "stages" / name.split("/")[2]
        content = (folder / "weights").read_text("utf-8")
        return ModelReference(name=name, path=folder, digest=digest(content))

    def _train(
        self,
        base: ModelReference,
        rows: Sequence[Conversation | Pair],
        *,
        run: Run,
        folder: Path,
        validation: Sequence[Conversation | Pair],
        reference: Sequence[tuple[float, float] | None] | None,
        score: Callable[[Any], float] | None,
        on_step: Callable[[Any], None],
    ) -> None:
        ids = sorted(row.id for row in rows)
        self.trained[digest([base.digest, ids, run.seed])] = list(rows)
        self.validated[run.name] = list(validation)
        self.told[run.name] = None if reference is None else list(reference)
        weights = json.dumps([base.digest, ids, run.seed, run.settings.method])
        if score is not None:
            living = ModelReference(name="train living", path=folder, digest=digest(weights))
            self.scores.append(score(living))
        (folder / "weights").write_text(weights, "utf-8")
        on_step(_Step())
        line = {"step": 1, "epoch": 1.0, "seconds": 1.0, "loss": 0.5, "tokens": 9}
        (folder / "loss.jsonl").write_text(json.dumps({**line, "learning_rate": 0.1}) + "\n")
        (folder / "training.json").write_text(json.dumps(REPORT))

    def _reference(
        self, model: ModelReference, pairs: Sequence[Pair], _: Run
    ) -> Iterator[tuple[int, tuple[float, float] | None]]:
        for number, pair in enumerate(pairs):
            self.referred.append((model.name, pair))
            logs = (-float(len(pair.chosen)), -float(len(pair.rejected)))
            yield number, None if self.unlearnt and self.unlearnt in pair.chosen else logs


REPORT: dict[str, Json] = {
    "seconds": 1.0,
    "peak_bytes": 10,
    "baseline_bytes": 5,
    "trainable": 1,
    "total": 2,
    "steps": 1,
    "epochs": 1.0,
    "tokens": 9,
    "tokens_per_second": 9.0,
    "loss": 0.5,
}


@dataclass(frozen=True)
class _Step:
    step: int = 1
    steps: int = 1
    loss: float = 0.5
    tokens_per_second: float = 9.0


@dataclass(frozen=True)
class _Engine:
    reference: ModelReference
    world: World

    @property
    def model(self) -> str:
        return self.reference.label

    served_by = "script"

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        for request in requests:
            said = self.world.say(self.reference.name, request)
            if isinstance(said, Exception) and not isinstance(said, PermanentError):
                raise said
            self.world.asked.append((self.reference.name, request))
            if isinstance(said, PermanentError):
                yield request, said
                continue
            completion = Completion(
                prompt=request.prompt.key,
                model=self.model,
                served_by=self.served_by,
                sampling=request.sampling,
                index=request.index,
                text=said,
                finish="stop",
                usage=Usage(seconds=len(self.world.asked), tokens_out=1),
            )
            yield request, completion


class Silent:
    """A watcher that remembers what it was told."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.counts: dict[str, tuple[int, int]] = {}
        self.waited: list[str] = []

    @contextlib.contextmanager
    def stage(self, title: str, **_: object) -> Iterator[Any]:
        self.stages.append(title)
        first: list[int] = []

        def tally(done: int, *, total: int | None = None, note: str = "") -> None:
            first.append(done)
            self.counts[title] = (first[0], done)

        yield tally

    def waiting(self, holder: str) -> None:
        self.waited.append(holder)
