"""Tests that are code, turned into calls with literal answers where they are nothing more.

A call whose answer is known as a literal is compared where the program can't reach; only what is
truly code (tolerances, loops, helpers) needs a checker's process.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from outdo.sandbox import literal

_ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def calls_of_check(
    test: str, *, entry: str, candidate: str = "candidate"
) -> tuple[tuple[str, str], ...] | None:
    """Each call and its expected literal, if `test` only asserts `candidate(...) == literal`.

    `test` defines `check(candidate)`, or is a list of assertions itself. In the calls, `candidate`
    is named `entry`. None if any statement is more than that: then `test` must run as it is.
    Both sides are to be compared by `==`, as the assertions do.
    """
    try:
        body = _checked(ast.parse(test).body)
    except (SyntaxError, ValueError):
        return None
    found = []
    for statement in body:
        if _is_idle(statement):
            continue
        pair = _pair(statement, candidate=candidate, entry=entry)
        if pair is None:
            return None
        found.append(pair)
    return tuple(found) or None


def _checked(body: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
    """The statements of the function `check`, if there is one beside mere constants."""
    checks = [node for node in body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    if len(checks) != 1 or checks[0].decorator_list:
        return body
    rest = [node for node in body if node is not checks[0] and not _is_constant(node)]
    return [*rest, *checks[0].body]


def _is_constant(statement: ast.stmt) -> bool:
    """True for an assignment of a literal to a name, such as HumanEval's METADATA."""
    return isinstance(statement, ast.Assign) and _is_literal(statement.value)


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


def _is_idle(statement: ast.stmt) -> bool:
    """True for a docstring, `pass`, a bare name such as `print`, and `assert True`."""
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant() | ast.Name(id="print")):
            return True
        case ast.Assert(test=ast.Constant(value=value)):
            return bool(value)
    return False


def _pair(statement: ast.stmt, *, candidate: str, entry: str) -> tuple[str, str] | None:
    match statement:
        case ast.Assert(
            test=ast.Compare(
                left=ast.Call(func=ast.Name(id=name)) as call, ops=[ast.Eq()], comparators=[wanted]
            )
        ) if name == candidate and all(_is_constant_value(node) for node in _arguments(call)):
            pass
        case _:
            return None
    try:
        expected = literal.write(_value(wanted), limit=1 << 20)
    except (ValueError, TypeError, ArithmeticError):
        return None
    renamed = ast.Call(func=ast.Name(id=entry), args=call.args, keywords=call.keywords)
    return ast.unparse(ast.fix_missing_locations(renamed)), expected


def _arguments(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    for keyword in call.keywords:
        yield keyword.value if keyword.arg else ast.Name(id="**")


def _is_constant_value(node: ast.expr) -> bool:
    try:
        _value(node)
    except (ValueError, TypeError, ArithmeticError):
        return False
    return True


def _value(node: ast.expr) -> object:
    """The value of a literal in which numbers may be added, multiplied and divided."""
    match node:
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _ARITHMETIC:
            values = _value(left), _value(right)
            if not all(type(value) in (int, float, complex) for value in values):
                raise ValueError("arithmetic on what is no number")
            return _ARITHMETIC[type(op)](*values)
        case ast.List(elts=items):
            return [_value(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(_value(item) for item in items)
        case ast.Set(elts=items):
            return {_value(item) for item in items}
        case ast.Dict(keys=names, values=items) if None not in names:
            pairs = zip((name for name in names if name), items, strict=True)
            return {_value(name): _value(item) for name, item in pairs}
    return ast.literal_eval(node)


def self_contained(test: str, *, prompt: str, entry: str) -> str:
    """`test` after everything that `prompt` defines except `entry` itself.

    HumanEval's tests may call helpers that its prompt defines (`poly`, `encode_cyclic`). A checker
    must have them from the prompt: the program under test could have changed its own.
    """
    try:
        body = ast.parse(prompt).body
    except SyntaxError:
        return test
    kept = [node for node in body if not (isinstance(node, ast.FunctionDef) and node.name == entry)]
    return "\n\n".join([*(ast.unparse(node) for node in kept), test])
