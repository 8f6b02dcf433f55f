"""Two tasks of a line each: say a word in capitals, or backwards; the second asks twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

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
from outdo.tasks import Task, Then

RIGHT = Metric(name="right", heading="Right", better="higher", unit="share")


def example(task: str, number: int, split: str) -> Example:
    """A word to be said; words of one number are of one group."""
    return Example(
        id=f"{task}/{split}/{number}",
        task=task,
        given={"word": f"word{number}", "text": " ".join(["filler"] * 20), "size": number % 2},
        wanted={},
        group=f"group {number % 6}",
        split=split,  # type: ignore[arg-type]
        source="made",
    )


def examples(task: str, *, train: int = 4, test: int = 6) -> list[Example]:
    """Rows of one task."""
    rows = [example(task, number, "train") for number in range(train)]
    return rows + [example(task, number, "test") for number in range(test)]


def _prompt(name: str) -> Callable[..., Prompt]:
    def prompt(one: Example, *, variant: str, shots: Sequence[Example] = ()) -> Prompt:
        text = one.given.get("rendered", one.given["text"])
        said = f"{text}\n{name}: {one.given['word']}".strip()
        return Prompt(messages=(Message(role="user", content=said),))

    return prompt


def _fit(one: Example, tokens: int, size: Callable[[str], int]) -> Example:
    """The filler cut to what is left beside the question."""
    words = str(one.given["text"]).split()
    while words and size(" ".join(words)) + 2 > tokens:
        words.pop()
    return replace(one, given={**one.given, "rendered": " ".join(words)})


def _made(name: str, gold: Callable[[str], str], then: Then | None) -> Task:
    prompt = _prompt(name)

    def said(one: Example) -> str:
        return gold(str(one.given["word"]))

    def score(one: Example, answer: Answer, outcome: Outcome | None) -> tuple[Score, ...]:
        return (Score(metric="right", by="test", value=float(answer.value == said(one))),)

    def conversation(one: Example, *, variant: str) -> Conversation:
        messages = prompt(one, variant=variant).messages
        return Conversation(
            id=one.id,
            group=one.group,
            task=name,
            source=one.source,
            messages=(*messages, Message(role="assistant", content=said(one))),
        )

    return Task(
        name=name,
        version="1",
        metrics=(RIGHT,),
        variants=("direct",),
        prompt=prompt,
        parse=lambda reply, _: Answer(value=reply.strip()),
        program=lambda *_: None,
        score=score,
        gold=said,
        bait=lambda _: "no",
        conversation=conversation,
        floors={"same": lambda one, _: str(one.given["word"])} if then is None else {},
        item="word",
        fit=_fit,
        then=then,
    )


def _again(_: Example, answer: Answer) -> Prompt | None:
    if not answer.value:
        return None
    return Prompt(messages=(Message(role="user", content=f"Is it {answer.value}?"),))


upper = _made("upper", str.upper, None)
backwards = _made(
    "backwards",
    lambda word: word[::-1],
    Then(prompt=_again, read=lambda answer, reply: answer if reply == "yes" else Answer(value="")),
)
