"""Slips with statements: cases, indents, returns, accumulators, and updates that are forgotten."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outdo.data.inject.trees import (
    Edit,
    Loop,
    assigned,
    blocks,
    called,
    load,
    loops,
    nodes,
    read,
    store,
    stored,
    swap,
    with_fields,
)

_IN_PLACE = ("append", "extend", "insert", "remove", "sort", "reverse", "add", "update")
_WRONG_UPDATES: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Sub,
}


def missing_case(tree: ast.Module) -> Iterator[Edit]:
    """A case is forgotten: a guard, an `elif`, an `else`."""
    for node in nodes(tree, ast.If):
        yield swap(node, *node.orelse)
        if node.orelse:
            yield swap(node, with_fields(node, orelse=[]))


def missing_test(tree: ast.Module) -> Iterator[Edit]:
    """What belongs to one case is done in every case."""
    for node in nodes(tree, ast.If):
        if not node.orelse:
            yield swap(node, *node.body)


def swapped_branches(tree: ast.Module) -> Iterator[Edit]:
    """The two branches of an `if` are the wrong way round."""
    for node in nodes(tree, ast.If):
        if node.orelse and not isinstance(node.orelse[0], ast.If):
            yield swap(node, with_fields(node, body=node.orelse, orelse=node.body))
    for choice in nodes(tree, ast.IfExp):
        yield swap(choice, with_fields(choice, body=choice.orelse, orelse=choice.body))


def broken_chain(tree: ast.Module) -> Iterator[Edit]:
    """`elif` is written as `if`, so that a second case applies after the first."""
    for node in nodes(tree, ast.If):
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            yield swap(node, with_fields(node, orelse=[]), node.orelse[0])


def wrong_indent(tree: ast.Module) -> Iterator[Edit]:
    """A statement has slipped out of a loop or an `if`, or into it."""
    for node in nodes(tree, ast.stmt):
        if isinstance(node, ast.For | ast.While | ast.If) and len(node.body) > 1:
            *body, last = node.body
            yield swap(node, with_fields(node, body=body), last)
    for block in blocks(tree):
        for place, node, after in block.pairs():
            if isinstance(after, ast.Return):
                continue  # that is an early return
            if isinstance(node, ast.For | ast.While | ast.If):
                yield block.with_two(place, _ending_with(node, after))


def early_return(tree: ast.Module) -> Iterator[Edit]:
    """A function answers before its loop is done."""
    for block in blocks(tree):
        for place, node, after in block.pairs():
            if not isinstance(after, ast.Return):
                continue
            if isinstance(node, ast.For | ast.While | ast.If):
                yield block.with_two(place, _ending_with(node, after))
            if isinstance(node, ast.For | ast.While):
                yield from _else_returns(node, after)


def _ending_with(node: ast.For | ast.While | ast.If, last: ast.stmt) -> ast.stmt:
    return with_fields(node, body=[*node.body, last])


def _else_returns(loop: ast.For | ast.While, after: ast.Return) -> Iterator[Edit]:
    """`if found: return ...` in a loop gets an `else` that returns at once."""
    for node in loop.body:
        if isinstance(node, ast.If) and not node.orelse and isinstance(node.body[-1], ast.Return):
            yield swap(node, with_fields(node, orelse=[after]))


def reset_in_loop(tree: ast.Module) -> Iterator[Edit]:
    """What was collected so far is thrown away in every turn of the loop."""
    for block in blocks(tree):
        for place, node in enumerate(block.statements):
            name = assigned(node)
            for loop in block.statements[place + 1 :]:
                if name and isinstance(loop, ast.For | ast.While) and name in _changed(loop):
                    yield swap(loop, with_fields(loop, body=[node, *loop.body]))


def _changed(loop: Loop) -> set[str]:
    """Names that a loop binds anew, adds to, or grows in place."""
    grown = [_grown(call) for call in nodes(loop, ast.Call)]
    return {*stored(loop), *(name for name in grown if name)}


def _grown(node: ast.AST) -> str | None:
    """The name `x` of `x.append(...)` and its like."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute) and function.attr in _IN_PLACE:
        return function.value.id if isinstance(function.value, ast.Name) else None
    return None


def accumulator_start(tree: ast.Module) -> Iterator[Edit]:
    """What is collected, counted or compared begins at a wrong value."""
    for block in blocks(tree):
        for place, node in enumerate(block.statements):
            name = assigned(node)
            later = [
                item
                for item in block.statements[place + 1 :]
                if isinstance(item, ast.For | ast.While)
            ]
            if isinstance(node, ast.Assign) and any(name in stored(loop) for loop in later):
                for value in _wrong_starts(node.value):
                    yield swap(node, with_fields(node, value=value))


def _wrong_starts(value: ast.expr) -> Iterator[ast.expr]:
    if isinstance(value, ast.Constant):
        yield from (ast.Constant(other) for other in _wrong_constants(value.value))
    elif isinstance(value, ast.Subscript | ast.UnaryOp) or called(value, "float", "len"):
        yield ast.Constant(0)


def _wrong_constants(value: object) -> tuple[int | str | bool, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return {0: (1,), 1: (0, 2)}.get(value, (0, 1))
    if value is None:
        return (0,)
    return (" ",) if value == "" else ()


def accumulator_update(tree: ast.Module) -> Iterator[Edit]:
    """`+=` is written as `=`, or another operator stands before `=`."""
    for node in nodes(tree, ast.AugAssign):
        if isinstance(node.target, ast.Name):
            yield swap(node, ast.Assign([node.target], node.value, lineno=0))
        if other := _WRONG_UPDATES.get(type(node.op)):
            yield swap(node, with_fields(node, op=other()))
    for statement in nodes(tree, ast.Assign):
        value = statement.value
        if isinstance(value, ast.BinOp) and isinstance(value.left, ast.Name):
            yield from [swap(value, value.right)] * (value.left.id == assigned(statement))


def forgotten_update(tree: ast.Module) -> Iterator[Edit]:
    """A step of a loop is left out: a counter stands still, an item is not kept."""
    for loop in loops(tree):
        used = read(loop)
        for block in blocks(loop):
            for node in block.statements:
                grows = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
                steps = isinstance(node, ast.AugAssign) or assigned(node) in used
                if (grows or steps) and len(block.statements) > 1:
                    yield swap(node)


def missing_return(tree: ast.Module) -> Iterator[Edit]:
    """The result is worked out, and not returned."""
    for node in nodes(tree, ast.Return):
        if node.value is not None and not isinstance(node.value, ast.Constant):
            yield swap(node, ast.Expr(node.value))


def printed_result(tree: ast.Module) -> Iterator[Edit]:
    """The result is printed where it should be returned."""
    for node in nodes(tree, ast.Return):
        if node.value is not None:
            yield swap(node, ast.Expr(ast.Call(load("print"), [node.value], [])))


def lost_result(tree: ast.Module) -> Iterator[Edit]:
    """`x = x.strip()` loses its `x =`, or `x.sort()`, which gives None, has won one."""
    for node in nodes(tree, ast.Assign):
        if isinstance(node.value, ast.Call) and assigned(node) in read(node.value):
            yield swap(node, ast.Expr(node.value))
    for call in nodes(tree, ast.Expr):
        if name := _grown(call.value):
            yield swap(call, ast.Assign([store(name)], call.value, lineno=0))


def wrong_jump(tree: ast.Module) -> Iterator[Edit]:
    """A loop goes on where it should end, or ends where it should go on."""
    for node in nodes(tree, ast.stmt):
        if isinstance(node, ast.Break):
            yield swap(node, ast.Continue())
            yield swap(node, ast.Pass())
        elif isinstance(node, ast.Continue):
            yield swap(node, ast.Break())
            yield swap(node, ast.Pass())


def single_turn(tree: ast.Module) -> Iterator[Edit]:
    """`if` stands where a `while` is needed."""
    for node in nodes(tree, ast.While):
        if not any(isinstance(child, ast.Break | ast.Continue) for child in ast.walk(node)):
            yield swap(node, ast.If(node.test, node.body, node.orelse))


def swapped_statements(tree: ast.Module) -> Iterator[Edit]:
    """Two statements of a loop stand in the wrong order."""
    simple = (ast.Assign, ast.AugAssign, ast.Expr)
    for loop in loops(tree):
        for block in blocks(loop):
            for place, first, second in block.pairs():
                if isinstance(first, simple) and isinstance(second, simple):
                    yield block.with_two(place, second, first)
