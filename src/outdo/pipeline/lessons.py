"""From data to the rows that a run learns from: which, in which order, and which are held out."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from outdo import catalog
from outdo.data.mixture import mixed
from outdo.errors import StudyError
from outdo.pipeline.asking import Size, fitted
from outdo.pipeline.fields import field_of
from outdo.records import Conversation, Example, Pair, digest
from outdo.tasks import Task

Row = Conversation | Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one item of data teaches: its rows, and the example that they were made of, if any."""

    id: str
    group: str
    rows: tuple[Row, ...]
    example: Example | None = None

    def field(self, name: str) -> str:
        """A field of the example; of rows that were read as they are, their group or source."""
        if self.example is not None:
            return field_of(self.example, name)
        if name not in ("group", "source"):
            problem = f"the rows have no field {name!r}"
            raise StudyError(problem, "rows of a file have a group and a source")
        return self.group if name == "group" else self.rows[0].source


def of_examples(
    task: Task,
    examples: Iterable[Example],
    *,
    method: str,
    variant: str,
    context: int | None = None,
    size: Size | None = None,
) -> list[Lesson]:
    """Examples as a method learns from them: a pair each, or a conversation for each view.

    With `context` a prompt takes at most so many tokens, as `size` counts them. Raises StudyError
    if the method wants pairs and the task has none.
    """
    if catalog.ROWS.get(method) == "pair" and task.pair is None:
        problem = f"{method} learns from pairs, and {task.name} makes none of its examples"
        raise StudyError(problem, "make some under `pairs`, or read them with source: pairs")
    fit = functools.partial(fitted, task, context=context, size=size)
    return [
        Lesson(
            id=example.id,
            group=example.group,
            rows=_rows(task, fit(example), method=method, variant=variant),
            example=example,
        )
        for example in examples
    ]


def _rows(task: Task, example: Example, *, method: str, variant: str) -> tuple[Row, ...]:
    if catalog.ROWS.get(method) == "pair" and task.pair is not None:
        return (task.pair(example),)
    return tuple(task.conversation(view, variant=variant) for view in task.views(example))


def of_rows(rows: Iterable[Row]) -> list[Lesson]:
    """Rows that are learnt from as they are."""
    return [Lesson(id=row.id, group=row.group, rows=(row,)) for row in rows]


def chosen(
    sets: Mapping[str, Sequence[Lesson]],
    weights: Mapping[str, float | None],
    *,
    limit: int | None,
    seed: int,
) -> list[Lesson]:
    """At most `limit` lessons of all sets, mixed as their weights say.

    Those of a single set come in an order of their own, so that a larger limit only adds.
    """
    if len(sets) == 1:
        (lessons,) = sets.values()
        return sorted(lessons, key=lambda one: digest([seed, one.id]))[:limit]
    shares = {name: weight for name, weight in weights.items() if weight is not None}
    return mixed(sets, shares or None, seed=seed)[:limit]


def rows_of(lessons: Iterable[Lesson]) -> list[Row]:
    """The rows of all lessons, in order."""
    return [row for lesson in lessons for row in lesson.rows]
