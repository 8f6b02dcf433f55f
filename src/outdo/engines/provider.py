"""What an engine needs of a provider: one call, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Protocol

from outdo.engines.faults import Again, of_form
from outdo.errors import EngineError
from outdo.models.served import Served
from outdo.records import Finish, Message, Prompt, Request

LONGEST_CANDIDATE = 16
"""Characters of a candidate that a chat API may be asked to choose: a letter, a word."""

SEED_BITS = 31
"""What all providers that take a seed accept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A reply as the provider gave it: `model` is its own name for what answered.

    `likely` are the likeliest first tokens and their log-probabilities, where they were asked for.
    """

    text: str
    finish: Finish
    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    likely: tuple[tuple[str, float], ...] = ()


class Provider(Protocol):
    """One way to ask. `without` names the features (of `faults.FEATURES`) that are left out."""

    served: Served

    def ask(self, request: Request, *, without: frozenset[str]) -> Said:
        """The reply. Raises the errors of `faults`, and nothing else that a person could mend."""
        ...


def seed(request: Request) -> int:
    """The request's seed in as many bits as every provider takes."""
    return request.seed & ((1 << SEED_BITS) - 1)


def parts(messages: Sequence[Message]) -> tuple[str, list[Message]]:
    """The system's words, and the turns after them."""
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    return system, [m for m in messages if m.role != "system"]


def number(value: object) -> int:
    """A count of tokens, 0 where the provider tells none."""
    return int(value) if isinstance(value, (int, float)) and value >= 0 else 0


def text_of(value: object, *, where: str) -> str:
    """The value if it is a text; else the reply has another form than a reply has."""
    if not isinstance(value, str):
        raise of_form(f"{where} is no text")
    return value


# ------------------------------------------------------------------ which model answered


_VERSION = re.compile(
    r"([-:@](latest|preview|main|\d{4}-\d\d-\d\d|\d\d-\d{4}|\d{3,}|v\d+(:\d+)?|0))+$|\.gguf$"
)
"""What a provider may add to a model's name, or leave out: date, version, revision."""


def check_model(served: Served, said: str) -> None:
    """Raises Again if the reply says that quite another model gave it.

    Folders before a name and versions behind it may differ; a reply that names none is believed.
    """
    if not said or _plain(said) == _plain(served.asked_for):
        return
    problem = f"asked for {served.asked_for!r}, and {said!r} answered"
    raise Again(problem, kind="model", billed=True)


def _plain(name: str) -> str:
    """The name without folder, version and case."""
    last = name.rstrip("/").rpartition("/")[2].lower()
    return _VERSION.sub("", last).replace("_", "-")


# ------------------------------------------------------------------ candidates


def check_candidates(prompt: Prompt, *, where: str) -> None:
    """Raises EngineError if the candidates are none that a chat API can choose among.

    They must be short and begin differently, such as A and B: whole replies are for models that
    run here, which give a text's probability or score.
    """
    firsts = {candidate.strip()[:1].casefold() for candidate in prompt.candidates}
    short = all(0 < len(c.strip()) <= LONGEST_CANDIDATE for c in prompt.candidates)
    if not short or len(firsts) < len(prompt.candidates):
        raise EngineError(
            "a chat API can't choose among these candidates",
            "let it choose letters, or take a model that runs here",
            where=where,
        )


def chosen(
    prompt: Prompt, likely: Sequence[tuple[str, float]]
) -> tuple[str, tuple[float, ...]] | None:
    """The likeliest candidate, and the log-probabilities of all, normalised among them.

    `likely` are the tokens that may come first. One that begins a candidate counts for it; a
    candidate that none begins has at most the probability of the least likely one told. None if
    no candidate is begun by any.
    """
    floor = min((value for _, value in likely), default=0.0)
    sums = [
        sum(exp(value) for token, value in likely if _begins(candidate, token))
        for candidate in prompt.candidates
    ]
    if not any(sums):
        return None
    logs = [log(one) if one else floor for one in sums]
    whole = log(sum(exp(one) for one in logs))
    picked = prompt.candidates[max(range(len(logs)), key=lambda i: logs[i])]
    return picked, tuple(one - whole for one in logs)


def named(prompt: Prompt, text: str) -> str | None:
    """The candidate that a written reply names, and nothing but it."""
    plain = text.strip().strip("\"'`*.()[]: \n").casefold()
    return next((c for c in prompt.candidates if c.strip().casefold() == plain), None)


def _begins(candidate: str, token: str) -> bool:
    said = token.strip().casefold()
    return bool(said) and candidate.strip().casefold().startswith(said)
