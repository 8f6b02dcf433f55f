"""The definition that a line stands in, found by indentation and the words that open one.

Heuristic on purpose: it reads any language, broken files too, and a miss costs context alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

FARTHEST = 400
"""Lines above a change that are searched for the definition that holds it."""

_OPENS = re.compile(
    r"\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|unsafe"
    r"|extern|override|virtual|inline|sealed|data|open|pub(?:\([a-z]+\))?)\s+)*"
    r"(?:def|class|function\*?|func|fn|fun|impl|trait|struct|enum|interface|module|namespace|object"
    r"|record|sub|proc|defmodule|defp|macro_rules!)\b"
)
_STATEMENT = re.compile(r"\s*(?:if|else|for|while|switch|catch|try|do|with|return|case)\b")


def definition(lines: Sequence[str], first: int) -> int | None:
    """The number, from 1, of the line that opens what line `first` stands in, or None.

    A line stands in the nearest definition above it that is indented less.
    """
    row = first - 1
    while row < len(lines) and not lines[row].strip():
        row += 1
    if row >= len(lines):
        return None
    depth = _depth(lines[row])
    for above in range(first - 2, max(first - 2 - FARTHEST, -1), -1):
        if depth == 0:
            return None
        line = lines[above]
        if not line.strip() or _depth(line) >= depth:
            continue
        if _is_definition(line):
            return above + 1
        depth = _depth(line)
    return None


def _depth(line: str) -> int:
    expanded = line.expandtabs(4)
    return len(expanded) - len(expanded.lstrip())


def _is_definition(line: str) -> bool:
    if _OPENS.match(line):
        return True
    # C and its kin open a function without a word for it.
    return line.rstrip().endswith("{") and "(" in line and not _STATEMENT.match(line)
