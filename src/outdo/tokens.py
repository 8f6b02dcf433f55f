"""Programs as sequences of tokens, and how far apart two programs are.

The tokens are those of Pygments' Python lexer, which reads any text, Python 2 and broken programs
too: comments and blank lines are dropped, the indent of a line is one token, other blanks vanish.
A docstring is code: it counts as one token, like any string that Pygments gives in one piece.

Plain programs are cut by one expression, which gives the same tokens in a twentieth of the time;
whatever it has no rule for goes to Pygments whole.
"""

from __future__ import annotations

import re
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
    code = text.plain(code)
    quick = _quick_tokens(code)
    return tuple(_tokens(code)) if quick is None else tuple(quick)


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


_PIECES = re.compile(
    r"""
    \n[ \t]* | [ \t]+ | \\\n | \#[^\n]*
    | (?:[rR][bBfFtT]?|[bBfFtT][rR]?|[uU])?
      (?: "{3}(?:[^"\\]|\\[\s\S]|"(?!""))*"{3} | '{3}(?:[^'\\]|\\[\s\S]|'(?!''))*'{3}
        | "(?!"")(?:[^"\\\n]|\\[\s\S])*" | '(?!'')(?:[^'\\\n]|\\[\s\S])*' )
    | yield\ from\b | @?[A-Za-z_][A-Za-z0-9_]*
    | (?:[0-9](?:_?[0-9])*\.(?:[0-9](?:_?[0-9])*)?|\.[0-9](?:_?[0-9])*)
      (?:[eE][+-]?[0-9](?:_?[0-9])*)?
    | [0-9](?:_?[0-9])*[eE][+-]?[0-9](?:_?[0-9])*j?
    | 0[oO](?:_?[0-7])+ | 0[bB](?:_?[01])+ | 0[xX](?:_?[a-fA-F0-9])+ | [0-9](?:_?[0-9])*
    | != | == | << | >> | := | [-~+/*%=<>&^|.\]{}:(),;\[@]
    | (?P<odd>[\s\S])
    """,
    re.VERBOSE,
)
"""A plain program, cut: a row's end with the next one's indent, blanks, comments, strings, words,
numbers, marks. What is `odd` isn't plain."""

_HARD = re.compile(
    r"[^\x00-\x7f]|^[ \t]*(?:match|case)\b|\b(?:def|class|from|import)[ \t]*\\"
    r"|\bclass\s+[^A-Za-z_\s]|\bfrom\s*\.+[0-9]",
    re.MULTILINE,
)
"""What Pygments reads by rules that look around: soft keywords, names cut by a continued line."""

_QUOTES = frozenset("'\"")
_BRACED = re.compile(r"\{[^{}'\"\\\n]*\}")


def _quick_tokens(code: str) -> list[str] | None:
    """The tokens of a plain program; None if it isn't one."""
    if _HARD.search(code):
        return None
    found: list[str] = []
    add = found.append
    indent, at_margin = "", True
    for cut in _PIECES.finditer(code):
        piece = cut[0]
        first = piece[0]
        if first == "\n":
            indent, at_margin = piece[1:], True
            continue
        if first in " \t":
            if at_margin:
                indent += piece
            continue
        if first == "#":
            continue
        if cut.lastgroup:
            return None
        if piece == CONTINUATION:
            indent, at_margin = "", True
            continue
        if at_margin and indent:
            add(indent)
        if piece[-1] in _QUOTES:
            parts = _string_tokens(piece, at_margin)
            if parts is None:
                return None
            found += parts
        else:
            add(piece)
        at_margin = False
    return found


@lru_cache(maxsize=1 << 12)
def _string_tokens(literal: str, at_margin: bool) -> tuple[str, ...] | None:
    """The tokens of a string; None where its end isn't certain."""
    affix = literal[: min(literal.find(quote) % (len(literal) + 1) for quote in _QUOTES)]
    rest = literal[len(affix) :]
    triple = rest[:3] in ("'''", '"""')
    if not affix or affix.lower() in ("r", "u", "b", "br", "rb"):
        if at_margin and triple:
            # A docstring ends at the first three quotes, escaped or not.
            return None if "\\" in rest else tuple(part for part in (affix, rest) if part)
        plain = rest[1:-1]
        if not triple and plain and not any(mark in plain for mark in "\\'\"%{\n"):
            return tuple(part for part in (affix, rest[0], plain, rest[0]) if part)
    elif any(mark in _BRACED.sub("", rest) for mark in "{}"):
        return None
    # Behind a name no string is a docstring.
    pieces = [
        piece
        for kind, piece in _lexer().get_tokens(f"x={literal}")
        if kind not in Text or not piece.isspace()
    ]
    return tuple(pieces[2:]) if pieces[-1][-1] in _QUOTES else None


@cache
def _lexer() -> Any:
    return PythonLexer(stripnl=False)


def _tokens(code: str) -> Iterator[str]:
    indent, at_margin = "", True
    for kind, piece in _lexer().get_tokens(code):
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
