"""A task of one's own in one file: what does this call give?

    task: predict:task          # in a study, with this folder on PYTHONPATH

Nothing is run, so `program` gives None; the reply is compared with the known value.
"""

# All tasks' functions have one shape, whether or not they need every argument:
# ruff: noqa: ARG001, ARG005

from __future__ import annotations

from collections.abc import Sequence

from outdo import literals, text
from outdo.records import (
    Answer,
    Conversation,
    Example,
    Message,
    Metric,
    Outcome,
    Prompt,
    Score,
)
from outdo.tasks import Task

RIGHT = Metric(
    name="right",
    heading="Right",
    better="higher",
    unit="share",
    about="share of calls whose value is told",
)


def prompt(example: Example, *, variant: str, shots: Sequence[Example] = ()) -> Prompt:
    """The program, the call, and the question."""
    given = example.given
    asked = (
        f"{text.fence(given['program'])}\n\nWhat does {given['call']} give? Reply with the value."
    )
    return Prompt(messages=(Message(role="user", content=asked),))


def parse(reply: str, example: Example) -> Answer:
    """The last line of the reply, for models like to talk first."""
    lines = reply.strip().splitlines()
    if not lines:
        return Answer(value=None, problem="the reply is empty")
    return Answer(value=lines[-1].strip(" `"))


def score(example: Example, answer: Answer, outcome: Outcome | None) -> tuple[Score, ...]:
    """1 if the value told is the one wanted."""
    right = literals.agrees(answer.value, example.wanted["value"])
    return (Score(metric="right", by="right|literal|v1", value=float(right)),)


def gold(example: Example) -> str:
    """The value itself."""
    return str(example.wanted["value"])


def conversation(example: Example, *, variant: str) -> Conversation:
    """The question as it will be asked, and the value."""
    asked = prompt(example, variant=variant).messages
    return Conversation(
        id=example.id,
        group=example.group,
        task=example.task,
        source=example.source,
        messages=(*asked, Message(role="assistant", content=gold(example))),
    )


task = Task(
    name="predict",
    version="1",
    metrics=(RIGHT,),
    variants=("direct",),
    prompt=prompt,
    parse=parse,
    program=lambda example, answer: None,
    score=score,
    gold=gold,
    bait=lambda example: "I can't tell.",
    conversation=conversation,
)
