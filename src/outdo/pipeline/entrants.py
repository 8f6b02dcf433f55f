"""Who stands in a study's tables: contestants with all that they said, and the tables."""

from __future__ import annotations

from dataclasses import dataclass

from outdo.pipeline.stages import Scored
from outdo.records import Completion, Example, Prompt
from outdo.study import Answering, Compared, Study
from outdo.tasks import Task


@dataclass(frozen=True, slots=True)
class Reply:
    """One sample of one example: the completion and its scores, or why there is none.

    `view` numbers the task's ways of showing the example, `run` the training run that answered.
    `second` is what it said when asked about its first reply. A `withheld` reply is seen by nobody.
    """

    example: Example
    index: int
    completion: Completion | str
    scored: Scored | None
    view: int = 0
    run: int = 0
    prompt: Prompt | None = None
    second: Completion | None = None
    withheld: bool = False

    @property
    def said(self) -> list[Completion]:
        """All that was answered, for what it cost."""
        first = [self.completion] if isinstance(self.completion, Completion) else []
        return [*first, *([self.second] if self.second else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """A contestant with all its replies; `entry` is its name before a matrix was expanded.

    Each reply has the number of the training run that gave it, of those that `trainings` names.
    """

    name: str
    entry: str
    model: str
    ask: Answering
    data: str
    replies: tuple[Reply, ...]
    floor: bool = False
    trainings: tuple[str, ...] = ()
    leaves_out: str | None = None

    @property
    def like(self) -> str:
        """What tells it from the others of its matrix, ` r=4`; empty for one that is alone."""
        return self.name.removeprefix(self.entry)


def everybody(study: Study) -> Compared:
    """The table of a study that names none: all answers, against those of untrained models."""
    untrained = [name for name, entry in study.answer.items() if entry.model in study.models]
    names = list(study.answer)
    return Compared(answers=names, against=untrained or names[:1])


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of the study for one task: its name in the results, and who stands in it."""

    name: str
    task: Task
    spec: Compared
    entrants: tuple[Entrant, ...]

    @property
    def examples(self) -> dict[str, Example]:
        """The examples that somebody answered, by id."""
        return {r.example.id: r.example for one in self.entrants for r in one.replies}

    @property
    def best(self) -> str:
        """The name of the strongest of the baselines by the headline metric; the first if equal."""
        metric = self.task.metrics[0]
        sign = 1 if metric.better == "higher" else -1
        baselines = [e for name in self.spec.against for e in self.entrants if e.entry == name]
        return max(baselines, key=lambda e: sign * _mean(e, metric.name)).name


def _mean(entrant: Entrant, metric: str) -> float:
    values = [
        score.value
        for reply in entrant.replies
        if reply.scored is not None
        for score in reply.scored.scores
        if score.metric == metric and score.value is not None
    ]
    return sum(values) / len(values) if values else 0.0


def table_name(task: Task, title: str) -> str:
    """The name of a table in the results: the task, and the table's title where it differs."""
    return task.name if title in ("", task.name) else f"{task.name}, {title}"
