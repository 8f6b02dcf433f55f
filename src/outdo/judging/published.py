"""The reply form of a published judge of pull requests, read as it is.

YAML with `which_response_was_better` (0 for a tie, 1 or 2), `why`, `score_response1` and
`score_response2`. A reply in this form carries no code, so that one which quotes such a form can
hold two: they must then say the same.
"""

from __future__ import annotations

import re

from outdo import text
from outdo.judging.nouns import Asked, Verdict
from outdo.judging.pairwise import contradicts, spoken
from outdo.records import Side

BETTER, WHY = "which_response_was_better", "why"
SCORES = ("score_response1", "score_response2")

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
