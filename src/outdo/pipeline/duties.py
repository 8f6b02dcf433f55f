"""The tasks of a study, and which of them an example belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from outdo import catalog
from outdo.errors import StudyError
from outdo.records import Example
from outdo.study import Study
from outdo.tasks import Task, guarded


@dataclass(frozen=True, slots=True)
class Duties:
    """The tasks of a study in its order. A single one handles every example."""

    tasks: tuple[Task, ...]

    def of(self, example: Example) -> Task:
        """The task that handles an example. Raises StudyError if the study doesn't name it."""
        if len(self.tasks) == 1:
            return self.tasks[0]
        for task in self.tasks:
            if task.name == example.task:
                return task
        hint = f"name it under `task`, beside {', '.join(task.name for task in self.tasks)}"
        problem = f"the study has no task {example.task!r}"
        raise StudyError(problem, hint, where=f"example {example.id}")

    def mine(self, task: Task, examples: Iterable[Example]) -> list[Example]:
        """Those of the examples that a task handles."""
        return [example for example in examples if self.of(example) is task]

    def guarded(self) -> Duties:
        """The same tasks, each withholding by rule what its user must not see."""
        return Duties(tuple(guarded(task) for task in self.tasks))

    @property
    def names(self) -> str:
        """The tasks in words."""
        return ", ".join(task.name for task in self.tasks)


def duties_of(study: Study) -> Duties:
    """The tasks that a study names. Raises StudyError for one that isn't there."""
    found = [catalog.named(catalog.TASKS, name, noun="task") for name in study.tasks]
    return Duties(tuple(found))


def chosen(study: Study, duties: Duties, names: Sequence[str] | None) -> list[Task]:
    """Those of a study's tasks that an entry names, in the study's order; all if it names none."""
    spelt = zip(study.tasks, duties.tasks, strict=True)
    return [task for name, task in spelt if names is None or name in names]


def without(tasks: Sequence[Task], kind: str, name: str) -> list[Task]:
    """The tasks that have no variant, or no floor, of a name."""
    return [task for task in tasks if name not in getattr(task, kind)]
