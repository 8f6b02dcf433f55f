"""Which prompts a model is asked: every view of every example, with shots where they are shown.

An example of a task that can cut what it shows is first cut to the tokens that a prompt may take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from outdo.errors import DataError, StudyError
from outdo.pipeline.duties import Duties
from outdo.records import Example, Request, Sampling, digest
from outdo.study import Answering
from outdo.tasks import Task

Shots = Mapping[str, Sequence[Example]]
"""The examples that prompts show as solved, by the name of their task."""

Size = Callable[[str], int]
"""How many tokens a text is to a model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One sample that an example is owed: how it is shown, and what is requested.

    `place` is the number of the view among those of the example.
    """

    task: Task
    example: Example
    view: Example
    place: int
    request: Request


def asked(
    task: Task,
    ask: Answering,
    examples: Sequence[Example],
    shots: Sequence[Example],
    *,
    seed: int,
    size: Size | None = None,
) -> Iterator[Asked]:
    """All samples of all views of the examples, in order; `size` counts where a context is set."""
    sampling = sampled(ask, seed=seed)
    for example in examples:
        for place, whole in enumerate(task.views(example)):
            view = fitted(task, whole, ask.context, size)
            prompt = task.prompt(view, variant=ask.prompt, shots=shots)
            for index in range(ask.samples):
                request = Request(prompt=prompt, sampling=sampling, index=index)
                yield Asked(task=task, example=example, view=view, place=place, request=request)


def asked_of_all(
    duties: Duties,
    ask: Answering,
    examples: Sequence[Example],
    shots: Shots,
    *,
    seed: int,
    size: Size | None = None,
) -> Iterator[Asked]:
    """The same of examples of several tasks, each asked by its own."""
    for example in examples:
        task = duties.of(example)
        yield from asked(task, ask, [example], shots.get(task.name, ()), seed=seed, size=size)


def sampled(ask: Answering, *, seed: int) -> Sampling:
    """How the answers of an entry are drawn."""
    temperature = None if ask.temperature == "provider" else ask.temperature
    return Sampling(temperature=temperature, top_p=ask.top_p, max_tokens=ask.max_tokens, seed=seed)


def fitted(task: Task, example: Example, context: int | None, size: Size | None) -> Example:
    """The example as it is shown where a prompt takes at most `context` tokens."""
    if context is None or task.fit is None or size is None:
        return example
    return task.fit(example, context, size)


def shots_for(
    task: Task,
    ask: Answering,
    *,
    training: Sequence[Example],
    test: Sequence[Example],
    seed: int,
    where: str,
) -> list[Example]:
    """Training examples to show as solved: the same for all prompts, each of another group.

    Raises an error for people where the prompt shows none and some are wanted, shows some and
    none are, or more are wanted than there are.
    """
    first = next((example for example in training if has_gold(task, example)), None)
    shows = first is not None and bool(test) and _shows(task, [first], test[0], ask.prompt)
    solved = [example for example in training if has_gold(task, example)] if ask.shots else []
    shots = _drawn(solved, ask.shots, seed)
    if shows and not ask.shots:
        problem = f"the prompt {ask.prompt!r} shows solved examples, and shots is 0"
        raise StudyError(problem, "set shots: 2, or choose another prompt", where=where)
    if len(shots) < ask.shots:
        hint = f"{len(solved)} training rows have a known answer: lower shots, or add rows"
        raise DataError(f"{ask.shots} shots can't be shown", hint, where=where)
    if ask.shots and test and not shows:
        hint = "choose one that shows examples, such as few-shot, or set shots: 0"
        raise StudyError(f"the prompt {ask.prompt!r} shows no shots", hint, where=where)
    return shots


def has_gold(task: Task, example: Example) -> bool:
    """Whether the example has a known answer."""
    try:
        return bool(task.gold(example))
    except DataError:
        return False


def _shows(task: Task, shots: Sequence[Example], example: Example, variant: str) -> bool:
    shown = task.prompt(example, variant=variant, shots=shots)
    return shown != task.prompt(example, variant=variant)


def _drawn(solved: Sequence[Example], count: int, seed: int) -> list[Example]:
    order = sorted(solved, key=lambda e: digest(["shots", seed, e.id]))
    firsts = {example.group: example for example in reversed(order)}
    distinct = sorted(firsts.values(), key=lambda e: digest(["shots", seed, e.id]))
    return [*distinct, *(e for e in order if e not in firsts.values())][:count]
