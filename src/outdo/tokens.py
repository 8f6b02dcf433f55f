"""Programs as sequences of tokens, and how far apart two programs are.

The tokens are those of Pygments' Python lexer, which reads any text, Python 2 and broken programs
too: comments and blank lines are dropped, the indent of a line is one token, other blanks vanish.
A docstring is code: it counts as one token, like any string that Pygments gives in one piece.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import Any

import pygments
from pygments.lexers.python import PythonLexer
from pygments.token import Comment, Text
from rapidfuzz.distance import Levenshtein

from outdo import text

SIGNATURE = f"pygments-{pygments.__version__}|levenshtein"
"""What the distances of this module depend on."""

CONTINUATION = "\\\n"


@lru_cache(maxsize=1 << 14)
def code_tokens(code: str) -> tuple[str, ...]:
    """The tokens of a program, as texts."""
    return tuple(_tokens(code))


def distance(before: str, after: str) -> int:
    """The fewest tokens to insert, delete or replace that turn one program into the other."""
    return int(Levenshtein.distance(code_tokens(before), code_tokens(after)))


def nearest(code: str, others: Sequence[str]) -> tuple[int, int] | None:
    """The index of the program closest to `code` and its distance; None among no programs.

    Of several at the same distance the first is taken.
    """
    tokens = code_tokens(code)
    best: tuple[int, int] | None = None
    for index, other in enumerate(others):
        # A cutoff lets the search leave a program as soon as it can't win any more.
        cutoff = None if best is None else best[1] - 1
        apart = int(Levenshtein.distance(tokens, code_tokens(other), score_cutoff=cutoff))
        if best is None or apart < best[1]:
            best = index, apart
        if best[1] == 0:
            break
    return best


@cache
def _lexer() -> Any:
    return PythonLexer(stripnl=False)


def _tokens(code: str) -> Iterator[str]:
    indent, at_margin = "", True
    for kind, piece in _lexer().get_tokens(text.plain(code)):
        if kind in Comment:
            continue
        if kind in Text and (piece.isspace() or piece == CONTINUATION):
            if "\n" in piece:
                indent, at_margin = piece.rpartition("\n")[2], True
            elif at_margin:
                indent += piece
            continue
        if indent and at_margin:
            yield indent
        indent, at_margin = "", False
        yield piece
