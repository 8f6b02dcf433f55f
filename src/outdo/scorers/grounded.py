"""Whether what a reply says of a diff is there: files, lines, and code on the new side."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from outdo import text

Sides = Mapping[str, Mapping[int, str]]
"""Path to the lines that a diff shows of the new file, by number."""


def file_meant(said: str, paths: Iterable[str]) -> str | None:
    """The path that a reply means, git's prefixes, marks and a leading `./` taken off; or None."""
    known = set(paths)
    name = said.strip().strip("`'\"").strip()
    for candidate in (name, name.removeprefix("./"), name.removeprefix("/")):
        if candidate in known:
            return candidate
        if candidate[:2] in ("a/", "b/") and candidate[2:] in known:
            return candidate[2:]
    return None


def lines_missing(file: str, *, first: int, last: int, sides: Sides) -> str:
    """Why the lines aren't in the diff, or nothing if both ends are on its new side, in order."""
    path = file_meant(file, sides)
    if path is None:
        return f"{file} is not in the diff"
    if first > last:
        return f"{file}: {first} to {last} is no range"
    absent = [str(line) for line in dict.fromkeys((first, last)) if line not in sides[path]]
    return f"{file}: line {' and '.join(absent)} is not in the diff" if absent else ""


def block_of(code: str, lines: Mapping[int, str]) -> tuple[int, int] | None:
    """The first and last number of the only block of lines that reads like `code`, or None.

    Layout doesn't count: indents, blanks at ends of lines, blank lines around. Numbers must
    follow each other, and the block must be the only one.
    """
    wanted = [row.strip() for row in _rows(code)]
    if not wanted:
        return None
    starts = [
        number
        for number, line in lines.items()
        if line.strip() == wanted[0]
        and all(
            number + ahead in lines and lines[number + ahead].strip() == one
            for ahead, one in enumerate(wanted)
        )
    ]
    return (starts[0], starts[0] + len(wanted) - 1) if len(starts) == 1 else None


def _rows(code: str) -> list[str]:
    """The rows of some code without the blank ones around it."""
    rows = code.split("\n")
    while rows and not rows[0].strip():
        rows.pop(0)
    while rows and not rows[-1].strip():
        rows.pop()
    return rows


def around(lines: Mapping[int, str], first: int, last: int) -> tuple[int, int]:
    """The first and last number of the run of lines that these stand in."""
    while first - 1 in lines:
        first -= 1
    while last + 1 in lines:
        last += 1
    return first, last


def with_block(
    lines: Mapping[int, str],
    *,
    existing: str,
    improved: str,
    first: int,
    last: int,
    run: tuple[int, int],
) -> list[str]:
    """The run of lines with `improved` for those from `first` to `last`, indented as they were.

    `existing` is how the reply wrote these lines. Where `improved` is laid out row by row like it,
    each row takes the indent of the line that it replaces; else the first row does, and the others
    move with it.
    """
    before = [lines[number] for number in range(run[0], first)]
    after = [lines[number] for number in range(last + 1, run[1] + 1)]
    there = [lines[number] for number in range(first, last + 1)]
    said, wanted = _rows(existing), _rows(improved)
    if [_indent(row) for row in said] == [_indent(row) for row in wanted]:
        placed = [_indent(line) + row.lstrip() for line, row in zip(there, wanted, strict=True)]
    else:
        placed = _moved(wanted, to=_indent(there[0]))
    return [*before, *placed, *after]


def _moved(rows: Sequence[str], *, to: str) -> list[str]:
    """The rows, the first with the indent `to` and all others as far from it as they were."""
    if not rows:
        return []
    had = _indent(rows[0])
    moved = []
    for row in rows:
        own = _indent(row)
        if own.startswith(had):
            indent = to + own[len(had) :]
        else:
            indent = to[: max(0, len(to) - len(had) + len(own))]
        moved.append(indent + row.lstrip() if row.strip() else "")
    return moved


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def same_code(one: Sequence[str], other: Sequence[str], *, python: bool) -> bool:
    """Whether two runs of lines are one program up to layout, by syntax tree where they can be."""
    if python:
        trees = [text.fragment(lines) for lines in (one, other)]
        if trees[0] is not None and trees[1] is not None:
            return _same_tree(trees[0].tree, trees[1].tree)
    plain = [[" ".join(line.split()) for line in lines if line.strip()] for lines in (one, other)]
    return plain[0] == plain[1]


def _same_tree(one: object, other: object) -> bool:
    """Whether two syntax trees are one, wherever they stand; ended by their first difference."""
    waiting = [(one, other)]
    while waiting:
        a, b = waiting.pop()
        if type(a) is not type(b):
            return False
        if isinstance(a, ast.AST) and isinstance(b, ast.AST):
            waiting += [(getattr(a, name, None), getattr(b, name, None)) for name in a._fields]
        elif isinstance(a, list) and isinstance(b, list):
            if len(a) != len(b):
                return False
            waiting += zip(a, b, strict=True)
        elif a != b:
            return False
    return True
