"""Tasks: what is asked, how the reply is read, and what it is worth.

A task is a frozen value of functions. It describes work and never does any: it returns a prompt
for an engine or a program for the sandbox, and later reads what came of it. To make one of your
own, write a module that ends in `task = Task(...)` and name it `my_package.module:task`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from outdo.records import (
    Answer,
    Conversation,
    Example,
    Metric,
    Outcome,
    Pair,
    Program,
    Prompt,
    Score,
)

Floor = Callable[[Example, Sequence[Example]], str]
"""A reply that needs no model, from an example and the training examples."""


class PromptMaker(Protocol):
    """The prompt of an example in a variant; `shots` are training examples shown as solved."""

    def __call__(
        self, example: Example, *, variant: str, shots: Sequence[Example] = ()
    ) -> Prompt: ...


class ConversationMaker(Protocol):
    """The training row of an example in a variant: its prompt, and the reply to be learnt."""

    def __call__(self, example: Example, *, variant: str) -> Conversation: ...


Fit = Callable[[Example, int, Callable[[str], int]], Example]
"""The example cut so that its prompt takes at most so many tokens, as the function counts them."""

Guard = Callable[[Answer, Example], Answer]
"""An answer as its user may see it: where it is withheld, the reason instead of the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Then:
    """A second question to the same model, about the answer that it gave.

    `prompt` is None where the answer leaves nothing to ask; `read` gives the answer as the second
    reply leaves it, and the first one as it was where that reply can't be read.
    """

    prompt: Callable[[Example, Answer], Prompt | None]
    read: Callable[[Answer, str], Answer]


def unrun(example: Example, answer: Answer) -> None:
    """None: nothing is run."""


def alone(example: Example) -> tuple[Example, ...]:
    """The example as the only view of itself."""
    return (example,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A piece of work, described by pure functions.

    `version` names the prompts, the parser and the scores: a change of any of them changes it.
    `program` gives None where nothing can be run, and `score` then receives no outcome; an
    outcome that is None although there was a program means that the sandbox failed.
    `gold` is a reply that must earn full marks, `bait` one that must not. `item` names what an
    example is, in the singular. `views` are the ways to show one example, all under its id: each is
    asked, and each is a training row. `pair` is the row of methods that learn from two replies.
    `fit` cuts what an example shows to a number of tokens, and `then` asks a second time.
    `guard` gives an answer that must not be seen without its value, and any other as it is.
    """

    name: str
    version: str
    metrics: tuple[Metric, ...]
    variants: tuple[str, ...]
    prompt: PromptMaker
    parse: Callable[[str, Example], Answer]
    program: Callable[[Example, Answer], Program | None] = unrun
    score: Callable[[Example, Answer, Outcome | None], tuple[Score, ...]]
    gold: Callable[[Example], str]
    bait: Callable[[Example], str]
    conversation: ConversationMaker
    floors: Mapping[str, Floor] = field(default_factory=dict)
    item: str = "program"
    views: Callable[[Example], tuple[Example, ...]] = alone
    pair: Callable[[Example], Pair] | None = None
    fit: Fit | None = None
    then: Then | None = None
    guard: Guard | None = None


def guarded(task: Task) -> Task:
    """The same task where what its user must not see is withheld; itself if it has no guard."""
    if task.guard is None:
        return task
    return replace(
        task,
        version=f"{task.version}|guarded",
        parse=partial(_held, task.parse, task.guard),
        guard=None,
    )


def _held(
    parse: Callable[[str, Example], Answer], guard: Guard, reply: str, example: Example
) -> Answer:
    return guard(parse(reply, example), example)
