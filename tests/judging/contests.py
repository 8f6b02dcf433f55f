"""Contests and judgements that tests of several modules share."""

from __future__ import annotations

import json
from typing import Any

from outdo.judging.nouns import Asked, Contest, Judgement, Order, Verdict, judgement
from outdo.records import Comparison, Completion, Message, Sampling, Side


def contest(
    a: str | None = "Return the sum.",
    b: str | None = "Return the product.",
    *,
    example: str = "one",
    request: str = "What does this change do?",
    names: tuple[str, str] = ("tuned", "reference"),
    facts: tuple[str, str] = ("", ""),
    sample: int = 0,
) -> Contest:
    return Contest(
        comparison=Comparison(example=example, a=names[0], b=names[1]),
        request=(Message(role="user", content=request),) if request else (),
        replies=(a, b),
        facts=facts,
        sample=sample,
    )


def said(asked: Asked, verdict: str, **more: Any) -> str:
    """A judge's reply in the form that it was asked for."""
    return json.dumps(
        {"reasons": "because", **more, "verdict": verdict, "code": more.get("code", asked.mark)}
    )


def completion(asked: Asked, text: str, **more: Any) -> Completion:
    return Completion(
        prompt=asked.prompt.key,
        model="judge",
        served_by="test",
        sampling=Sampling(),
        index=asked.repeat,
        text=text,
        finish=more.pop("finish", "stop"),
        **more,
    )


def judged(
    choice: Side | None,
    *,
    example: str = "one",
    order: Order = "ab",
    by: str = "judge",
    repeat: int = 0,
    names: tuple[str, str] = ("tuned", "reference"),
    scores: tuple[float, float] | None = None,
    failed: bool = False,
    lengths: tuple[int, int] = (10, 10),
    sample: int = 0,
) -> Judgement:
    from outdo.judging.pairwise import contradicts

    problem = None if choice else "the reply holds no verdict"
    return judgement(
        contest("x" * lengths[0], "y" * lengths[1], example=example, names=names, sample=sample),
        Verdict(
            choice=choice, scores=scores, problem=problem, contradicts=contradicts(choice, scores)
        ),
        by=by,
        order=order,
        repeat=repeat,
        how="failed" if failed else "asked",
    )
