"""The form of a set's answers, where rows are at odds with each other: fence, language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from outdo.data.check.language import natural, programming
from outdo.data.check.nouns import Entry, Finding, Gathered, Shown, drawn, excerpt, finding

MOST = 0.8
"""The share of one language, or form, beyond which the others are odd."""

LOOKED_AT = 20_000
"""Rows whose form is told; a sample stands for the others."""

FEWEST_ODD, ODD = 3, 0.003
"""Odd rows, and their share, from which on they are told: what a text is in is a guess."""

FEWEST = 20
"""Rows whose form is known, from which on there is a usual one."""


def odd_forms(rows: Gathered) -> Iterator[Finding]:
    """Rows whose language, or code whose fence, isn't that of most rows."""
    if rows.sides != ("answer",):
        return
    entries = drawn(rows.entries, LOOKED_AT)
    yield from _odd(
        "language",
        [(entry, natural(entry.replies[0])) for entry in entries],
        todo="drop or translate them, unless the model should speak both",
    )
    yield from _odd(
        "programming language",
        [(entry, programming(entry.replies[0])) for entry in entries],
        todo="drop them, unless the prompts ask for that language",
    )
    yield from _odd(
        "form of code",
        [(entry, _fenced(entry.replies[0])) for entry in entries],
        todo="give all code one form: else the model draws whether to write a fence",
    )


def _fenced(text: str) -> str | None:
    if "```" in text:
        return "in a fence"
    return "bare" if programming(text) == "Python" else None


def _odd(name: str, known: Sequence[tuple[Entry, str | None]], *, todo: str) -> Iterator[Finding]:
    """The rows that are of another kind than most, if there is a usual one."""
    told = [(entry, kind) for entry, kind in known if kind]
    counts = Counter(kind for _, kind in told)
    if len(told) < FEWEST or len(counts) < 2:
        return
    usual, most = counts.most_common(1)[0]
    if most < MOST * len(told) and name != "form of code":
        return
    hits = [Shown(entry.where, excerpt(entry.replies[0])) for entry, kind in told if kind != usual]
    if len(hits) < max(FEWEST_ODD, ODD * len(told)):
        return
    others = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common(4)[1:])
    yield from finding(
        name,
        hits,
        side="answer",
        of=len(known),
        what=f"{most:,} answers are {usual}, and others aren't: {others}",
        todo=todo,
        serious_from=0.2,
    )
