"""The ways of a judge behind one interface: a prompt maker and a reader.

`ask` wants a written verdict, `choice` lets a model pick A or B by its own probabilities, `reward`
lets a reward model score both replies. All end in the same judgements.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from outdo.errors import DataError, StudyError
from outdo.judging import pairwise, published
from outdo.judging.nouns import (
    ORDERS,
    Asked,
    Contest,
    Judgement,
    Order,
    Verdict,
    judgement,
    settled,
)
from outdo.records import Completion, Message, Prompt

WayName = Literal["ask", "choice", "reward"]
Form = Literal["json", "published"]
"""How a verdict is written: in our own form, or in that of a published judge."""
WAYS: tuple[WayName, ...] = ("ask", "choice", "reward")

CHOOSE = "Which reply is better? Answer with one letter, A or B."


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a judge is asked and read.

    `prompts` are the calls of a contest; `read` makes a verdict of a call and its completion.
    """

    name: WayName
    prompts: Callable[[Contest], tuple[Asked, ...]]
    read: Callable[[Asked, Completion], Verdict]

    def judged(self, asked: Asked, completion: Completion | None, *, by: str) -> Judgement:
        """The judgement of a call; of one that was never answered, None, it says so."""
        if completion is None:
            verdict = Verdict(choice=None, problem="the call was never answered")
        elif completion.finish == "refused":
            verdict = Verdict(choice=None, problem="the judge refused")
        else:
            verdict = self.read(asked, completion)
        return judgement(
            asked.contest,
            verdict,
            by=by,
            order=asked.order,
            repeat=asked.repeat,
            how="failed" if completion is None else "asked",
            planted=asked.planted,
        )

    def unasked(self, contest: Contest, *, by: str) -> Judgement | None:
        """The judgement of a contest that has no calls; None where a judge is needed."""
        verdict = settled(contest)
        if verdict is None:
            return None
        how: Literal["settled", "failed"] = "failed" if verdict.choice is None else "settled"
        return judgement(contest, verdict, by=by, how=how)


def way(
    name: str,
    *,
    scores: bool = False,
    ties: bool = True,
    orders: Sequence[Order] = ORDERS,
    repeats: float = 0.0,
    times: int = 2,
    form: Form = "json",
) -> Way:
    """The way of this name; raises StudyError for one that isn't known.

    `scores`, `ties`, `repeats` and `form` are of written verdicts; the other ways pick, and pick
    alike. The published form always has scores, and ties.
    """
    if name == "ask" and form == "published":
        return Way(
            name="ask",
            prompts=lambda contest: published.prompts(
                contest, orders=orders, repeats=repeats, times=times
            ),
            read=lambda asked, completion: published.read(completion.text, asked),
        )
    if name == "ask":
        return Way(
            name="ask",
            prompts=lambda contest: pairwise.prompts(
                contest, scores=scores, ties=ties, orders=orders, repeats=repeats, times=times
            ),
            read=lambda asked, completion: pairwise.read(completion.text, asked),
        )
    if name == "choice":
        return Way(
            name="choice",
            prompts=lambda contest: choice_prompts(contest, orders=orders),
            read=read_choice,
        )
    if name == "reward":
        return Way(name="reward", prompts=reward_prompts, read=read_reward)
    raise StudyError(f"a judge has no way {name!r}", f"one of {', '.join(WAYS)}")


def choice_prompts(contest: Contest, *, orders: Sequence[Order] = ORDERS) -> tuple[Asked, ...]:
    """The calls that let a model pick a letter, one an order."""
    if settled(contest) is not None:
        return ()
    calls = []
    for order in orders:
        mark = pairwise.mark_of(contest, order)
        parts = [*pairwise.material(contest, order, mark), CHOOSE]
        messages = (
            Message(role="system", content=pairwise.JUDGE),
            Message(role="user", content="\n\n".join(parts)),
        )
        prompt = Prompt(messages=messages, candidates=pairwise.LETTERS)
        calls.append(Asked(contest=contest, order=order, prompt=prompt, mark=mark))
    return tuple(calls)


def reward_prompts(contest: Contest) -> tuple[Asked, ...]:
    """The one call that lets a reward model score both replies: it sees each alone, in no order.

    Raises DataError where the request isn't known: a reward is of a reply to something.
    """
    if settled(contest) is not None:
        return ()
    if not contest.request:
        raise DataError(
            f"example {contest.comparison.example!r} has no prompt",
            "a reward model scores replies to a prompt: give the prompts with the answers",
        )
    # The candidates stand in one order whoever is called a, so that both tellings share a call.
    first, second = contest.shown("ab")
    order: Order = "ab" if first <= second else "ba"
    prompt = Prompt(messages=contest.request, candidates=contest.shown(order))
    return (Asked(contest=contest, order=order, prompt=prompt),)


def read_choice(asked: Asked, completion: Completion) -> Verdict:
    """The letter that was picked, with its probability."""
    return _picked(asked, completion, pairwise.LETTERS)


def read_reward(asked: Asked, completion: Completion) -> Verdict:
    """The reply that was picked, with its probability; equal rewards are a tie."""
    return _picked(asked, completion, asked.prompt.candidates)


def _picked(asked: Asked, completion: Completion, candidates: Sequence[str]) -> Verdict:
    chances = completion.logprobs
    if chances is not None and len(chances) == 2 and chances[0] == chances[1]:
        return Verdict(choice="tie", confidence=0.5)
    if completion.text not in candidates:
        return Verdict(choice=None, problem="the reply is none of the candidates")
    place = candidates.index(completion.text)
    sure = math.exp(chances[place]) if chances is not None and len(chances) == 2 else None
    return Verdict(choice=asked.side(0 if place == 0 else 1), confidence=sure)
