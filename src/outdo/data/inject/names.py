"""Slips with names: the wrong variable, a name that hides another, an argument that is changed."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outdo.data.inject.trees import (
    BUILTINS,
    Edit,
    Function,
    assigned,
    called,
    functions,
    load,
    loops,
    nodes,
    parameters,
    renamed,
    store,
    stored,
    swap,
    with_fields,
)

_WALKERS = ("len", "sum", "sorted", "min", "max", "list", "set", "enumerate", "any", "all")
_COPIES = ("list", "sorted", "set", "dict")


def wrong_variable(tree: ast.Module) -> Iterator[Edit]:
    """Another variable of the same function and of a similar use stands in its place."""
    for function in functions(tree):
        names = list(dict.fromkeys(parameters(function) + stored(function)))
        uses = _uses(function)
        for node in nodes(function, ast.Name):
            if node.id in names and isinstance(node.ctx, ast.Load):
                alike = [n for n in names if n != node.id and uses[n] & uses[node.id]]
                yield from (swap(node, load(other)) for other in alike[:2])


def _uses(function: Function) -> dict[str, set[str]]:
    """What each name of a function is used as: "items" if it is walked over, "number", "text"."""
    uses: dict[str, set[str]] = {}

    def note(node: ast.AST | None, use: str) -> None:
        if isinstance(node, ast.Name):
            uses.setdefault(node.id, set()).add(use)

    for node in nodes(function, ast.AST):
        if isinstance(node, ast.For | ast.comprehension):
            note(node.iter, "items")
            note(node.target, "item")
        elif isinstance(node, ast.Subscript):
            note(node.value, "items")
            note(node.slice, "number")
        elif isinstance(node, ast.Compare | ast.BinOp | ast.AugAssign):
            for child in ast.iter_child_nodes(node):
                note(child, "number")
        elif isinstance(node, ast.Call):
            use = "items" if called(node, *_WALKERS) else "argument"
            for argument in node.args:
                note(argument, use)
        elif isinstance(node, ast.Return):
            note(node.value, "result")
        elif isinstance(node, ast.Attribute):
            note(node.value, "object")
        elif isinstance(node, ast.Name):
            uses.setdefault(node.id, set())
    uses.update({name: set() for name in parameters(function) if name not in uses})
    return uses


def shadowed_name(tree: ast.Module) -> Iterator[Edit]:
    """A loop's variable takes the name of the list, of an outer loop or of an argument."""
    for function in functions(tree):
        outer = parameters(function)
        for loop in loops(function):
            if isinstance(loop, ast.While) or not isinstance(loop.target, ast.Name):
                continue
            own = loop.target.id
            for other in dict.fromkeys(outer + _walked(loop)):
                if other != own:
                    body = [renamed(statement, own, other) for statement in loop.body]
                    yield swap(loop, with_fields(loop, target=store(other), body=body))
            outer = [*outer, own]


def _walked(loop: ast.For | ast.AsyncFor) -> list[str]:
    return [loop.iter.id] if isinstance(loop.iter, ast.Name) else []


def shadowed_builtin(tree: ast.Module) -> Iterator[Edit]:
    """A variable takes the name of a built-in function that the program calls."""
    for function in functions(tree):
        calls = [call.func for call in nodes(function, ast.Call)]
        used = [name.id for name in calls if isinstance(name, ast.Name) and name.id in BUILTINS]
        own = [name for name in stored(function) if name not in parameters(function)]
        for builtin in dict.fromkeys(used):
            for name in own[:2]:
                body = [renamed(statement, name, builtin) for statement in function.body]
                yield swap(function, with_fields(function, body=body))


def mutated_argument(tree: ast.Module) -> Iterator[Edit]:
    """The caller's own list is changed, where a copy was meant."""
    for function in functions(tree):
        own = set(parameters(function))
        for node in nodes(function, ast.expr):
            copied = _copied(node)
            if isinstance(copied, ast.Name) and copied.id in own:
                yield swap(node, copied)
        for statement in nodes(function, ast.stmt):
            yield from _sorted_in_place(statement, own)
            yield from _grown_in_place(statement)


def _copied(node: ast.expr) -> ast.expr | None:
    """The original of `list(x)`, `x[:]` or `x.copy()`."""
    if called(node, *_COPIES) and isinstance(node, ast.Call) and len(node.args) == 1:
        return node.args[0]
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        part = node.slice
        return None if part.lower or part.upper or part.step else node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.value if node.func.attr == "copy" and not node.args else None
    return None


def _sorted_in_place(statement: ast.stmt, own: set[str]) -> Iterator[Edit]:
    """`y = sorted(x)` becomes `x.sort()` and `y = x`."""
    name = assigned(statement)
    if name is None or not isinstance(statement, ast.Assign):
        return
    call = statement.value
    if called(call, "sorted") and isinstance(call, ast.Call) and len(call.args) == 1:
        origin = call.args[0]
        if isinstance(origin, ast.Name) and origin.id in own:
            sort = ast.Call(ast.Attribute(origin, "sort", ast.Load()), [], call.keywords)
            again = [] if origin.id == name else [with_fields(statement, value=origin)]
            yield swap(statement, ast.Expr(sort), *again)


def _grown_in_place(statement: ast.stmt) -> Iterator[Edit]:
    """`x = x + y` becomes `x += y`, which changes a list that somebody else may hold."""
    name = assigned(statement)
    if name is None or not isinstance(statement, ast.Assign):
        return
    sum_ = statement.value
    if isinstance(sum_, ast.BinOp) and isinstance(sum_.left, ast.Name) and sum_.left.id == name:
        yield swap(statement, ast.AugAssign(store(name), sum_.op, sum_.right))
