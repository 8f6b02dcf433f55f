"""Answers that don't parse, where answers are programs or JSON.

A set is one of programs if most of its answers without a fence parse as Python and look like it;
an answer within a fence says itself what it is. Answers that only look odd among the others, prose
in a set of programs, are found by that too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from outdo.data.check.language import programming
from outdo.data.check.nouns import Entry, Finding, Gathered, Shown, drawn, excerpt, finding
from outdo.text import extract, syntax_tree

LOOKED_AT = 10_000
"""Answers of a side that are parsed; a sample stands for the others."""

MOST = 0.5
"""The share of answers that must be of a kind, for the others to be faulty."""

TOLD_BY = 500
"""Answers that tell what a set's answers are."""


def unparsed(rows: Gathered) -> Iterator[Finding]:
    """The findings on answers that don't parse, side by side."""
    entries = drawn(rows.entries, LOOKED_AT)
    kind = _kind(entries)
    for side in rows.sides if kind else ():
        reads = _is_json if kind == "JSON" else _is_python
        hits = [
            Shown(entry.where, excerpt(entry.texts(side)[-1]))
            for entry in entries
            if not reads(entry.texts(side)[-1])
        ]
        learnt = side != "rejected"
        yield from finding(
            "doesn't parse",
            hits,
            side=side,
            of=len(entries),
            what=f"{side if side != 'answer' else 'all'} replies are {kind}, and these don't parse",
            todo=(
                f"drop those that aren't {kind}, or mend them: the model learns to write such"
                if learnt
                else "check that they were rejected for what they do, not for being broken"
            ),
            serious_from=0.05 if learnt else 0.2,
        )


def _kind(entries: Sequence[Entry]) -> str | None:
    """What the first replies of most rows are: Python, JSON, or None for anything else."""
    step = max(1, len(entries) // TOLD_BY)
    replies = [entry.replies[0] for entry in entries[::step]]
    if sum(map(_is_json, replies)) > MOST * len(replies):
        return "JSON"
    python = sum(programming(reply) == "Python" and _is_python(reply) for reply in replies)
    return "Python" if python > MOST * len(replies) else None


def _is_json(text: str) -> bool:
    """Whether it is a JSON object or list."""
    if text.lstrip()[:1] not in ("{", "["):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_python(text: str) -> bool:
    """Whether the program in it parses; without a fence all of it is the program."""
    if "```" not in text and "~~~" not in text:
        return syntax_tree(text) is not None
    code = extract(text).code
    return code is not None and syntax_tree(code) is not None
