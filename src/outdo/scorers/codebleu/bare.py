"""Programs without comments and docstrings, as the published CodeBLEU takes them out."""

from __future__ import annotations

import re
import sys
import tokenize

_BRACES = re.compile(
    r"""//.*?$|/\*.*?\*/|'(?:\\.|[^\\'])*'|"(?:\\.|[^\\"])*\"""", re.DOTALL | re.MULTILINE
)

_ITEMS = re.compile(
    r'''
    \#[^\n]*
    | """(?:[^"\\]|\\.|"(?!""))*""" | ''['](?:[^'\\]|\\.|'(?!''))*''[']
    | "(?!"")[^\n"\\]*(?:\\.[^\n"\\]*)*" | '(?!'')[^\n'\\]*(?:\\.[^\n'\\]*)*'
    | ["'\\]
    ''',
    re.DOTALL | re.VERBOSE,
)
"""Comments, strings, and what can't be read here."""

_AFFIXES = frozenset({"", "b", "br", "r", "rb", "f", "fr", "rf", "u"})
_DOUBT = "'"
"""How a sketch marks a string that may be a statement; other strings are an x, comments a #."""

_GROUP = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
_CLOSING = frozenset(")]}")
_BRACKET = re.compile(r"[()\[\]{}]")

_ROWS = re.compile(r"[^\n]*\n|[^\n]+")
_ODD = re.compile(r"[\t\f\r\x00]|\\\n")
_QUICK = sys.version_info < (3, 12)
"""Whether `tokenize` is the one whose rules `_cut` knows."""


def bare(code: str, language: str) -> str:
    """The program without comments, blank lines and, in Python, strings that are statements.

    A Python program that `tokenize` refuses stays as it is. Blanks at the ends of lines vanish.
    """
    if language == "python":
        try:
            cut = _cut(code) if _QUICK and not _ODD.search(code) else None
            code = _tokenized(code) if cut is None else cut
        except (tokenize.TokenError, SyntaxError):
            return code
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
    """`_tokenized` of a plain program, by what a sketch of it tells.

    None where only `tokenize` can tell: odd strings, brackets closed that weren't opened. Raises
    what `tokenize` does of a bracket that stays open, and of indents that don't match.
    """
    if code[:1] in (" ", "\n"):
        return None
    kept: list[str] = []
    sketch: list[str] = []
    doubted: list[int] = []
    since = depth = 0
    for item in _ITEMS.finditer(code):
        start, end = item.span()
        if end - start == 1 and code[start] != "#":
            return None
        gap = code[since:start]
        since = end
        depth += _opened(gap)
        if code[start] == "#":
            kept.append(gap)
            sketch += gap, "#"
            continue
        head = code[code.rfind("\n", 0, start) + 1 : start]
        affix = head.lstrip(" ")
        if affix.lower() not in _AFFIXES:
            kept += gap, item[0]
            sketch += gap, "x"
            continue
        # A string that begins its row: at the margin it goes, in brackets it stays.
        gap = gap.removesuffix(affix)
        at_margin = len(head) == len(affix)
        kept += gap, "" if at_margin else affix + item[0]
        sketch += gap, "x" if at_margin or depth else _DOUBT
        if sketch[-1] == _DOUBT:
            doubted.append(len(kept) - 1)
    if not kept:
        return None if _statements(code) is None else code
    sketch.append(code[since:])
    starting = _statements("".join(sketch))
    if starting is None:
        return None
    for place, starts in zip(doubted, starting, strict=True):
        if starts:
            kept[place] = ""
    kept.append(code[since:])
    return "".join(kept)


def _opened(text: str) -> int:
    """How many brackets a text opens more than it closes."""
    closed = text.count(")") + text.count("]") + text.count("}")
    return text.count("(") + text.count("[") + text.count("{") - closed


def _statements(sketch: str) -> list[bool] | None:
    """Whether each doubted string begins a statement; None where brackets don't match.

    It does behind an indent or the end of a statement, not behind an empty row or a way back.
    """
    found = 1
    while found:
        sketch, found = _GROUP.subn("x", sketch)
    brackets = _BRACKET.findall(sketch)
    if brackets:
        if _CLOSING.isdisjoint(brackets):
            raise tokenize.TokenError("a bracket is never closed")
        return None
    starting: list[bool] = []
    indents, after_blank = [0], False
    for row in sketch.split("\n"):
        text = row.lstrip(" ")
        if not text or text[0] == "#":
            after_blank = True
            continue
        column = len(row) - len(text)
        starts = column > indents[-1] or (column == indents[-1] and not after_blank)
        after_blank = False
        if column > indents[-1]:
            indents.append(column)
        while column < indents[-1]:
            indents.pop()
        if column != indents[-1]:
            raise IndentationError("a row goes back to no indent that there was")
        if text[0] == _DOUBT:
            starting.append(starts)
    return starting
