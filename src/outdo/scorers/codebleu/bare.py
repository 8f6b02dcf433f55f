"""Programs without comments and docstrings, as the published CodeBLEU takes them out."""

from __future__ import annotations

import re
import sys
import tokenize

_BRACES = re.compile(
    r"""//.*?$|/\*.*?\*/|'(?:\\.|[^\\'])*'|"(?:\\.|[^\\"])*\"""", re.DOTALL | re.MULTILINE
)

_ITEMS = re.compile(
    r"""
    (?:\b(?i:br?|rb?|fr?|rf|u))?
    (?: \"{3}(?:[^"\\]|\\.|"(?!""))*\"{3} | '{3}(?:[^'\\]|\\.|'(?!''))*'{3}
      | "(?!"")[^\n"\\]*(?:\\.[^\n"\\]*)*" | '(?!'')[^\n'\\]*(?:\\.[^\n'\\]*)*' )
    | \#[^\n]* | [()\[\]{}] | \n[ ]* | ["'\\]
    """,
    re.DOTALL | re.VERBOSE,
)
"""Strings, comments, brackets, the blanks that a line begins with, and what can't be read here."""

_ROWS = re.compile(r"[^\n]*\n|[^\n]+")
_ODD = re.compile(r"[\t\f\r\x00]|\\\n")
_QUICK = sys.version_info < (3, 12)
"""Whether `tokenize` is the one whose rules `_cut` knows."""


def bare(code: str, language: str) -> str:
    """The program without comments, blank lines and, in Python, strings that are statements.

    A Python program that `tokenize` refuses stays as it is. Blanks at the ends of lines vanish.
    """
    if language == "python":
        cut = _cut(code) if _QUICK and not _ODD.search(code) else None
        if cut is None:
            try:
                cut = _tokenized(code)
            except (tokenize.TokenError, SyntaxError):
                return code
        code = cut
    else:
        code = _BRACES.sub(lambda found: " " if found[0][0] == "/" else found[0], code)
    return "\n".join([line for line in code.split("\n") if line.strip()])


def _tokenized(code: str) -> str:
    """The tokens written again at their columns, but for comments and strings that are statements.

    Such a string follows an indent or the end of a statement, or stands at the margin.
    """
    written = []
    before, row, column = tokenize.INDENT, -1, 0
    rows = iter(_ROWS.findall(code))
    for kind, text, (top, left), (bottom, right), _ in tokenize.generate_tokens(
        lambda: next(rows, "")
    ):
        if top > row:
            column = 0
        if left > column:
            written.append(" " * (left - column))
        if kind == tokenize.STRING:
            if before not in (tokenize.INDENT, tokenize.NEWLINE) and left > 0:
                written.append(text)
        elif kind != tokenize.COMMENT:
            written.append(text)
        before, row, column = kind, bottom, right
    return "".join(written)


def _cut(code: str) -> str | None:
    """What `_tokenized` gives, in one pass over strings, comments and brackets.

    None where only `tokenize` can tell: odd strings, brackets or indents that don't match.
    """
    if code[:1] in (" ", "\n"):
        return None
    kept, since, depth = [], 0, 0
    indents, margin, starts = [0], 0, True
    for item in _ITEMS.finditer(code):
        text, start, end = item[0], item.start(), item.end()
        first = text[0]
        if first == "\n":
            margin = end
            if depth:
                continue
            following = code[end : end + 1]
            if following in ("", "\n", "#"):
                starts = False
                continue
            starts = _stepped(indents, end - start - 1, blank_before=_is_blank(code, start))
            if not indents:
                return None
        elif first == "#":
            kept.append(code[since:start])
            since = end
        elif first in "([{":
            depth += 1
        elif first in ")]}":
            depth -= 1
            if depth < 0:
                return None
        elif len(text) == 1:
            return None
        else:
            column = start - code.rfind("\n", 0, start) - 1
            if not column or (starts and not depth and start == margin):
                kept.append(code[since:start])
                since = end
    if depth:
        return None
    kept.append(code[since:])
    return "".join(kept)


def _is_blank(code: str, end: int) -> bool:
    """Whether the line that ends there holds nothing but blanks and a comment."""
    line = code[code.rfind("\n", 0, end) + 1 : end].lstrip(" ")
    return not line or line[0] == "#"


def _stepped(indents: list[int], column: int, *, blank_before: bool) -> bool:
    """Whether a string that begins this line is a statement's; keeps the stack of indents.

    The stack is empty afterwards where the line goes back to an indent that there wasn't.
    """
    if column > indents[-1]:
        indents.append(column)
        return True
    if column == indents[-1]:
        return not blank_before
    while indents and column < indents[-1]:
        indents.pop()
    if indents and indents[-1] != column:
        indents.clear()
    return False
