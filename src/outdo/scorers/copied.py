"""Answers that a program copied from the tests it was shown, instead of computing them.

What is looked for is a branch or a table that leads from the arguments of a shown test to its
expected answer, both written as literals. A base case (`if n == 0: return 1`) is none, and a
table that the problem itself calls for goes beyond what was shown.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outdo import literals, text

MANY_LEAVES = 3
"""From this many values on, a container written out as an answer is no coincidence."""


@dataclass(frozen=True, slots=True)
class _Branch:
    """Literals that a condition names, and literals that then are the answer."""

    inputs: frozenset[object]
    answers: frozenset[object]
    trivial: bool


@dataclass(frozen=True, slots=True)
class _Shown:
    call: str
    arguments: tuple[object, ...]
    answer: object
    trivial: bool
    compound: bool


def copied_answers(code: str, *, before: str, shown: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """The shown calls whose answers `code` holds as literals, and the program `before` did not.

    `shown` are pairs of a call and its expected answer, as written. A program without a syntax
    tree has copied nothing that could pass.
    """
    tree = text.syntax_tree(code)
    tests = [test for call, answer in shown if (test := _read(call, answer)) is not None]
    if tree is None or not tests:
        return ()
    old_tree = text.syntax_tree(before) or ast.Module(body=[], type_ignores=[])
    old = set(_branches(old_tree))
    new = [branch for branch in _branches(tree) if branch not in old]
    wholes = set(_whole_answers(tree)) - set(_whole_answers(old_tree))
    copies = [test for test in tests if _is_copied(test, new, wholes)]
    return tuple(test.call for test in (copies or _table(tests, new)))


def _is_copied(test: _Shown, branches: Sequence[_Branch], wholes: set[object]) -> bool:
    """Whether one test alone shows it: its compound input, or its long answer, is written out."""
    if test.answer in wholes:
        return True
    return test.compound and any(_leads(branch, test) for branch in branches)


def _table(tests: Sequence[_Shown], branches: Sequence[_Branch]) -> list[_Shown]:
    """The tests with simple inputs that a table of nothing but shown answers holds."""
    telling = [branch for branch in branches if not branch.trivial]
    held = {
        branch: [test for test in tests if not test.trivial and _leads(branch, test)]
        for branch in telling
    }
    if len(held) < 2 or not all(held.values()):
        return []
    return [test for test in tests if any(test in found for found in held.values())]


def _leads(branch: _Branch, test: _Shown) -> bool:
    if test.answer not in branch.answers:
        return False
    return test.arguments in branch.inputs or all(
        argument in branch.inputs for argument in test.arguments
    )


# ------------------------------------------------------------------ what the tests say


def _read(call: str, answer: str) -> _Shown | None:
    """The test with its literals; None if its arguments are not all literals, or there are none."""
    tree = text.syntax_tree(call.strip())
    if tree is None or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return None
    used = tree.body[0].value
    if not isinstance(used, ast.Call):
        return None
    nodes = [*used.args, *(keyword.value for keyword in used.keywords)]
    values = [_value(node) for node in nodes]
    if not values or any(value is None for value in values):
        return None
    found = [value[0] for value in values if value is not None]
    return _Shown(
        call=call,
        arguments=tuple(_form(value) for value in found),
        answer=_form(answer),
        trivial=all(_is_trivial(value) for value in found),
        compound=any(_leaves(value) >= 2 for value in found),
    )


def _value(node: ast.AST | None) -> tuple[object] | None:
    """The literal's value in a tuple of one, for a value may be None."""
    try:
        return (ast.literal_eval(node),) if isinstance(node, ast.expr) else None
    except (ValueError, TypeError, RecursionError):
        return None


def _form(value: object) -> object:
    """The value such that a list, a tuple and their text are one, and True is not 1."""
    if isinstance(value, str):
        try:
            read = literals.literal(value)
        except ValueError:
            return value
        return value if isinstance(read, str) and read == value else _form(read)
    if isinstance(value, (list, tuple)):
        return tuple(_form(item) for item in value)
    if isinstance(value, (set, frozenset)):
        return ("set", frozenset(_form(item) for item in value))
    if isinstance(value, dict):
        return ("dict", frozenset((_form(key), _form(item)) for key, item in value.items()))
    return literals.marked(value)


def _leaves(value: object) -> int:
    if isinstance(value, dict):
        return sum(_leaves(key) + _leaves(item) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return sum(_leaves(item) for item in value)
    return 1


def _is_trivial(value: object) -> bool:
    """Whether a value is one that base cases name: none, one, two, empty, a single letter."""
    if isinstance(value, (int, float)):
        return abs(value) <= 2
    if isinstance(value, (str, bytes)):
        return len(value) <= 1
    if isinstance(value, (list, tuple, set, frozenset)):
        return len(value) <= 1 and all(_is_trivial(item) for item in value)
    return not value


# ------------------------------------------------------------------ what the program says


def _branches(tree: ast.AST) -> Iterator[_Branch]:
    """All branches and table entries of a program that lead from literals to literal answers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If):
            yield from _branch([node.test], _answers(node.body))
        elif isinstance(node, ast.IfExp):
            yield from _branch([node.test], [node.body])
        elif isinstance(node, ast.match_case):
            yield from _branch([node.pattern], _answers(node.body))
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if key is not None:
                    yield from _branch([key], [value])


def _branch(conditions: Sequence[ast.AST], answers: Sequence[ast.expr]) -> Iterator[_Branch]:
    found = [value[0] for node in answers if (value := _value(node)) is not None]
    named = [value for node in conditions for value in _named(node)]
    if found and named:
        yield _Branch(
            frozenset(map(_form, named)),
            frozenset(map(_form, found)),
            all(map(_is_trivial, named)),
        )


def _named(condition: ast.AST) -> Iterator[object]:
    """The literals that a condition names, whole; the parts of a container are not apart."""
    owed = [condition]  # no recursion: conditions may be nested deeper than Python's stack
    while owed:
        node = owed.pop()
        value = _value(node)
        if value is None:
            owed += ast.iter_child_nodes(node)
        else:
            yield value[0]


def _answers(body: Sequence[ast.stmt]) -> list[ast.expr]:
    """What the statements return, assign or print, without those nested in others."""
    found: list[ast.expr] = []
    for statement in body:
        if isinstance(statement, (ast.Return, ast.Assign)) and statement.value is not None:
            found.append(statement.value)
        elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            called = statement.value.func
            if isinstance(called, ast.Name) and called.id == "print":
                found += statement.value.args
    return found


def _whole_answers(tree: ast.AST) -> Iterator[object]:
    """The long containers that a program returns as they are written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Return):
            value = _value(node.value)
            if value is not None and _leaves(value[0]) >= MANY_LEAVES:
                yield _form(value[0])
