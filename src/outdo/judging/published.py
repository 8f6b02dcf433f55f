"""The reply form of a published judge of pull requests, asked for in other words, read as it is.

YAML with `which_response_was_better` (0 for a tie, 1 or 2), `why`, `score_response1` and
`score_response2`. A reply in this form carries no code, so that one which quotes such a form can
hold two: they must then say the same. Where what is shown holds one, a verdict is only believed if
the reply begins with it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from outdo import text
from outdo.judging import pairwise
from outdo.judging.nouns import ORDERS, Asked, Contest, Order, Verdict, settled
from outdo.judging.pairwise import contradicts, spoken
from outdo.records import Message, Prompt, Side

BETTER, WHY = "which_response_was_better", "why"
SCORES = ("score_response1", "score_response2")

FORM = f"""Reply A is response 1, reply B is response 2. Reply with YAML and nothing else:
```yaml
{BETTER}: 0, 1 or 2; 0 if they are equally good
{WHY}: |
  in a few sentences, what is better and worse in each response
{SCORES[0]}: how good response 1 is, from 1 (useless) to 10
{SCORES[1]}: how good response 2 is, from 1 (useless) to 10
```"""

_OPENING = re.compile(rf"""\s*(?:```\w*\s+)?[\s{{"']*{BETTER}\b""")
_CHOICE = re.compile(rf"""^[ \t]*["']?{BETTER}["']?[ \t]*:[ \t]*["']?(\S*?)["',]*[ \t]*$""", re.M)
_SCORE = tuple(
    re.compile(rf"""^[ \t]*["']?{name}["']?[ \t]*:[ \t]*["']?([\d.]+)["',]*[ \t]*$""", re.M)
    for name in SCORES
)
_WHY = re.compile(
    rf"""^[ \t]*["']?{WHY}["']?[ \t]*:[ \t]*(?:[|>][-+]?[ \t]*\n)?(.*?)"""
    rf"""(?=^[ \t]*["']?(?:{"|".join(SCORES)}|{BETTER})["']?[ \t]*:|^[ \t]*```|\Z)""",
    re.M | re.S,
)


def prompts(
    contest: Contest,
    *,
    orders: Sequence[Order] = ORDERS,
    repeats: float = 0.0,
    times: int = 2,
) -> tuple[Asked, ...]:
    """The calls of one contest in the published form, as `pairwise.prompts` makes them."""
    if settled(contest) is not None:
        return ()
    asked = tuple(_prompt(contest, order) for order in orders)
    return pairwise.repeated(asked, share=repeats, times=times)


def _prompt(contest: Contest, order: Order) -> Asked:
    mark = pairwise.mark_of(contest, order)
    parts = [*pairwise.material(contest, order, mark), FORM]
    messages = (
        Message(role="system", content=pairwise.JUDGE),
        Message(role="user", content="\n\n".join(parts)),
    )
    shown = (pairwise.requested(contest), *contest.shown(order))
    return Asked(
        contest=contest,
        order=order,
        prompt=Prompt(messages=messages),
        mark=mark,
        planted=any(BETTER in one for one in shown),
    )


def read(reply: str, asked: Asked) -> Verdict:
    """The verdict of a reply in the published form, in terms of contestants a and b.

    Response 1 is the one shown first.
    """
    said = spoken(text.plain(reply))
    if said is None:
        return Verdict(choice=None, problem="the reply ends within its thinking")
    if not said.strip():
        return Verdict(choice=None, problem="the reply is empty")
    found = _CHOICE.findall(said)
    if not found:
        return Verdict(choice=None, problem=f"the reply holds no {BETTER}")
    if asked.planted and not _OPENING.match(said):
        problem = "it doesn't begin with its verdict, and what was shown holds one"
        return Verdict(choice=None, problem=problem)
    if len(set(found)) > 1:
        return Verdict(choice=None, problem=f"several {BETTER} that differ")
    sides: dict[str, Side] = {"0": "tie", "1": asked.side(0), "2": asked.side(1)}
    choice = sides.get(found[0])
    because = match[1].strip(" \t\n,\"'") if (match := _WHY.search(said)) else ""
    if choice is None:
        return Verdict(
            choice=None,
            because=because,
            problem=f"the verdict {found[0][:20]!r} is none of 0, 1, 2",
        )
    scores = _scores(said, asked)
    return Verdict(
        choice=choice, scores=scores, because=because, contradicts=contradicts(choice, scores)
    )


def _scores(said: str, asked: Asked) -> tuple[float, float] | None:
    numbers = []
    for pattern in _SCORE:
        match = pattern.search(said)
        if match is None:
            return None
        try:
            numbers.append(float(match[1]))
        except ValueError:
            return None
    first, second = numbers
    if not all(1 <= number <= 10 for number in numbers):
        return None
    return (first, second) if asked.order == "ab" else (second, first)
