"""Doctests as tests: what is typed into a session, and what it must display."""

from __future__ import annotations

import ast
import doctest
import re
from collections.abc import Iterator, Sequence

from outdo import text
from outdo.data.place import Place
from outdo.data.problems import Test


def doctests(session: str, place: Place) -> tuple[Test, ...]:
    """The tests of a text with `>>>` lines.

    Examples that are single expressions are tests of their own; where one sets up another, the
    session is one test. Raises DataError at the line of an example that can't be compared.
    """
    try:
        examples = doctest.DocTestParser().get_examples(session)
    except ValueError as error:
        raise place.error(f"not a doctest: {error}") from None
    for example in examples:
        if any(example.options.values()):
            raise Place(path=place.path, line=place.line + example.lineno).error(
                "a doctest with options can't be compared exactly", "write the output out in full"
            )
    if all(_is_expression(example.source) and example.want for example in examples):
        return tuple(_test([example]) for example in examples)
    shown = [example for example in examples if example.want]
    return (_test(examples),) if shown else ()


def docstring_tests(code: str, place: Place) -> tuple[Test, ...]:
    """The doctests of all docstrings of a program; none, if it has no syntax tree."""
    tree = text.syntax_tree(code)
    found = _docstrings(tree) if tree else ()
    return tuple(test for docstring in found for test in doctests(docstring, place))


def _docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring and ">>>" in docstring:
                yield docstring


def _is_expression(source: str) -> bool:
    tree = text.syntax_tree(source)
    return tree is not None and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)


def _test(examples: Sequence[doctest.Example]) -> Test:
    return Test(
        call="".join(example.source for example in examples),
        expected="".join(_displayed(example) for example in examples).strip("\n"),
        how="session",
    )


def _displayed(example: doctest.Example) -> str:
    """What the session must show: an exception without its stack, blank lines as such."""
    if example.exc_msg is not None:
        return f"Traceback (most recent call last):\n{example.exc_msg}"
    return re.sub(r"^<BLANKLINE>$", "", example.want, flags=re.MULTILINE)
