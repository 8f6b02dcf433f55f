"""Unified diffs, read and shown.

`parse` reads a diff of any origin and never raises; `render` shows it with the new file's line
numbers, within a budget, and says what it left out.
"""

from outdo.diffs.languages import language_of, unwritten
from outdo.diffs.parsing import NAMELESS, parse
from outdo.diffs.patch import (
    Diff,
    FileDiff,
    Hunk,
    Line,
    Size,
    apply,
    hunk_of,
    new_side,
    old_side,
    size_of,
)
from outdo.diffs.rendering import LEGEND, Rendered, render

__all__ = [
    "LEGEND",
    "NAMELESS",
    "Diff",
    "FileDiff",
    "Hunk",
    "Line",
    "Rendered",
    "Size",
    "apply",
    "hunk_of",
    "language_of",
    "new_side",
    "old_side",
    "parse",
    "render",
    "size_of",
    "unwritten",
]
