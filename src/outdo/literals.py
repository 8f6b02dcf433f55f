"""Whether what a program gave is what was expected.

Values are compared as Python compares them, with the kinds kept apart that `==` would mix: True
is not 1, a tuple is not a list. An int and a float are both numbers: 2 is 2.0, and floats agree
when they differ by rounding alone. Text is compared with the blanks around it taken off.
"""

from __future__ import annotations

import ast
import math
import warnings
from typing import TypeGuard

from outdo.sandbox import literal as written

TOLERANCE = 1e-9
"""The relative difference below which two floats are one number."""

_NUMBERS = {"inf": math.inf, "nan": math.nan}


def literal(text: str) -> object:
    """The Python value that a literal writes; `inf` and `nan` stand for themselves.

    Raises ValueError if the text is no literal, or nested too deep to be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval")
        return ast.literal_eval(_WithInfinities().visit(tree))
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"not a literal: {text[:80]!r}") from error


def same(found: object, expected: object, *, tolerance: float = TOLERANCE) -> bool:
    """Whether two values of literals are equal, kinds and all; `tolerance` is relative."""
    if _is_number(found) and _is_number(expected):
        return _close(found, expected, tolerance)
    if type(found) is not type(expected):
        return False
    if isinstance(found, (list, tuple)) and isinstance(expected, (list, tuple)):
        return len(found) == len(expected) and all(
            same(one, other, tolerance=tolerance)
            for one, other in zip(found, expected, strict=True)
        )
    if isinstance(found, dict) and isinstance(expected, dict):
        ours = {marked(key): value for key, value in found.items()}
        theirs = {marked(key): value for key, value in expected.items()}
        return ours.keys() == theirs.keys() and all(
            same(value, theirs[key], tolerance=tolerance) for key, value in ours.items()
        )
    return bool(marked(found) == marked(expected))


def agrees(
    output: str | None, expected: str, *, how: str = "value", tolerance: float = TOLERANCE
) -> bool:
    """Whether the output of a call is the expected one; None (an exception) never is.

    `how` is that of `records.Call`: a "value" is compared as a literal, all else as text.
    `expected` is trusted and may be spelled freely; `output` is what the sandbox wrote.
    """
    if output is None:
        return False
    if output.strip() == expected.strip():
        return True
    if how != "value":
        return False
    try:
        return same(written.read(output), literal(expected), tolerance=tolerance)
    except ValueError:
        return False


def marked(value: object) -> object:
    """The value in a form in which `==` keeps bool and number, tuple and list apart.

    The form is hashable: lists, sets and dicts become tuples and frozen sets.
    """
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, tuple(marked(item) for item in value))
    if isinstance(value, (set, frozenset)):
        return ("set", frozenset(marked(item) for item in value))
    if isinstance(value, dict):
        return ("dict", frozenset((marked(key), marked(item)) for key, item in value.items()))
    return ("bool", value) if isinstance(value, bool) else value


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _close(found: float, expected: float, tolerance: float) -> bool:
    if found == expected:
        return True
    if isinstance(found, int) and isinstance(expected, int):
        return False
    try:
        return math.isclose(found, expected, rel_tol=tolerance) or (
            math.isnan(found) and math.isnan(expected)
        )
    except OverflowError:  # an int beyond the floats
        return False


class _WithInfinities(ast.NodeTransformer):
    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in _NUMBERS:
            return node
        return ast.copy_location(ast.Constant(_NUMBERS[node.id]), node)
