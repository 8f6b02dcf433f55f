"""Programs without their comments, their layout as it was: no line moves, no text changes.

A judge may read comments or not; whoever takes them out must change nothing else. What is found
are tokens, so that a `#` within a text stays.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator

from outdo import text
from outdo.errors import DataError

Span = tuple[int, int, int, int]
"""Line (from 1) and column (in characters) where something begins, and where it ends."""


def without_comments(code: str, *, docstrings: bool = False) -> str:
    """The program without comments; with `docstrings` those go too, `pass` where nothing is left.

    It has as many lines as before, and the same syntax tree but for docstrings. Blanks before a
    comment go with it. Raises DataError if the code has no syntax tree.
    """
    code = text.plain(code)
    tree = text.syntax_tree(code)
    if tree is None:
        raise DataError("the program has no syntax tree", "its comments can't be told for certain")
    lines = code.split("\n")
    for span in _comments(code):
        _cut(lines, span)
        row = span[0] - 1
        lines[row] = lines[row].rstrip(" \t")
    for span, alone in _docstrings(tree, lines) if docstrings else ():
        _cut(lines, span)
        row = span[0] - 1
        lines[row] = (lines[row] + "pass") if alone else lines[row].rstrip(" \t")
    return "\n".join(lines)


def _comments(code: str) -> list[Span]:
    try:
        return [
            (*token.start, *token.end)
            for token in tokenize.generate_tokens(io.StringIO(code).readline)
            if token.type == tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError) as error:
        raise DataError(f"the program has no tokens: {error}", "it has a syntax tree") from None


def _docstrings(tree: ast.Module, lines: list[str]) -> Iterator[tuple[Span, bool]]:
    """Where docstrings stand, and whether one is all that its block holds; last ones first.

    One that shares its lines with other code is left.
    """
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        match node.body[:1]:
            case [ast.Expr(value=ast.Constant(value=str())) as said]:
                span = _span(said, lines)
                before = lines[span[0] - 1][: span[1]]
                after = lines[span[2] - 1][span[3] :]
                if not before.strip() and not after.strip():
                    alone = len(node.body) == 1 and not isinstance(node, ast.Module)
                    found.append((span, alone))
    yield from sorted(found, reverse=True)


def _span(node: ast.Expr, lines: list[str]) -> Span:
    """Where a statement stands, its columns in characters."""
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = _characters(lines[node.lineno - 1], node.col_offset)
    return (
        node.lineno,
        start,
        node.end_lineno,
        _characters(lines[node.end_lineno - 1], node.end_col_offset),
    )


def _characters(line: str, column: int) -> int:
    return len(line.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "surrogatepass"))


def _cut(lines: list[str], span: Span) -> None:
    """Empty a span, the lines that it went over left where they are."""
    first, start, last, end = span
    if first == last:
        line = lines[first - 1]
        lines[first - 1] = line[:start] + line[end:]
        return
    lines[first - 1] = lines[first - 1][:start]
    lines[last - 1] = lines[last - 1][end:]
    for row in range(first, last - 1):
        lines[row] = ""
