"""A program and its repair, side by side in one column: what was taken out and what put in.

Lines are matched first, then the tokens within lines that changed. Pure text in, pure text out:
escaping is the template's, so that a program can't become markup.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

MOST_LINES = 80
MOST_CHARACTERS = 200
CONTEXT = 3
"""Unchanged lines that are shown around a change."""

Kind = Literal["same", "out", "in", "skip"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a diff, as (text, changed) pieces."""

    kind: Kind
    pieces: tuple[tuple[str, bool], ...]


def changes(before: str, after: str) -> list[Line]:
    """The lines of a diff from one program to another; what is too long is cut, and says so."""
    old, old_cut = _lines(before)
    new, new_cut = _lines(after)
    told = list(_told(old, new))
    if old_cut or new_cut:
        told.append(_skip(f"{old_cut:,} and {new_cut:,} more lines"))
    return told


def _lines(text: str) -> tuple[list[str], int]:
    lines = text.replace("\x00", "\N{SYMBOL FOR NULL}").splitlines()
    kept = [_shortened(line) for line in lines[:MOST_LINES]]
    return kept, len(lines) - len(kept)


def _shortened(line: str) -> str:
    if len(line) <= MOST_CHARACTERS:
        return line
    return f"{line[:MOST_CHARACTERS]}… {len(line) - MOST_CHARACTERS:,} more characters"


def _told(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    groups = list(matcher.get_grouped_opcodes(CONTEXT))
    if not groups:
        yield _skip("no change")
    end = 0
    for group in groups:
        if skipped := group[0][1] - end:
            yield _skip(_unchanged(skipped))
        for tag, i, j, k, m in group:
            if tag == "equal":
                yield from (Line(kind="same", pieces=((line, False),)) for line in old[i:j])
            else:
                yield from _block(old[i:j], new[k:m])
        end = group[-1][2]
    if groups and (skipped := len(old) - end):
        yield _skip(_unchanged(skipped))


def _unchanged(count: int) -> str:
    return f"{count} unchanged line" + ("" if count == 1 else "s")


def _skip(text: str) -> Line:
    return Line(kind="skip", pieces=((text, False),))


def _block(old: Sequence[str], new: Sequence[str]) -> Iterator[Line]:
    """A changed block: line against line where both sides have as many, else whole lines."""
    if len(old) != len(new):
        yield from (Line(kind="out", pieces=((line, True),)) for line in old)
        yield from (Line(kind="in", pieces=((line, True),)) for line in new)
        return
    pairs = [_tokens_changed(a, b) for a, b in zip(old, new, strict=True)]
    yield from (Line(kind="out", pieces=out) for out, _ in pairs)
    yield from (Line(kind="in", pieces=put) for _, put in pairs)


Pieces = tuple[tuple[str, bool], ...]


def _tokens_changed(old: str, new: str) -> tuple[Pieces, Pieces]:
    a, b = _tokens(old), _tokens(new)
    out: list[tuple[str, bool]] = []
    put: list[tuple[str, bool]] = []
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    for tag, i, j, k, m in matcher.get_opcodes():
        if i < j:
            out.append(("".join(a[i:j]), tag != "equal"))
        if k < m:
            put.append(("".join(b[k:m]), tag != "equal"))
    return tuple(out), tuple(put)


def _tokens(line: str) -> list[str]:
    return re.findall(r"\w+|\s+|[^\w\s]", line)
