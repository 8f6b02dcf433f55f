"""A slip as a change of one place in a syntax tree, and what operators ask of a tree.

Trees are never changed: an operator says which node becomes which, and `rebuilt` gives a new
tree that shares all the rest with the old one.
"""

from __future__ import annotations

import ast
import builtins
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

N = TypeVar("N", bound=ast.AST)
Function = ast.FunctionDef | ast.AsyncFunctionDef
Loop = ast.For | ast.AsyncFor | ast.While

BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True, slots=True)
class Edit:
    """The node `old` becomes the nodes `new`: one, or none or several where it is a statement."""

    old: ast.AST
    new: tuple[ast.AST, ...]


Operator = Callable[[ast.Module], Iterator[Edit]]


def swap(old: ast.AST, *new: ast.AST) -> Edit:
    return Edit(old, new)


def rebuilt(tree: ast.Module, edit: Edit) -> ast.Module:
    """The tree after the edit; a block that lost its last statement holds `pass`."""
    return cast(ast.Module, _rebuilt(tree, edit)[0])


def _rebuilt(node: ast.AST, edit: Edit) -> Sequence[ast.AST]:
    if node is edit.old:
        return edit.new
    changes: dict[str, object] = {}
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            (new,) = _rebuilt(value, edit)
            if new is not value:
                changes[name] = new
        elif isinstance(value, list):
            items = _rebuilt_all(value, edit)
            if len(items) != len(value) or any(map(lambda a, b: a is not b, items, value)):
                changes[name] = items or ([ast.Pass()] if name == "body" else [])
    return (with_fields(node, **changes),) if changes else (node,)


def _rebuilt_all(values: list[object], edit: Edit) -> list[object]:
    items: list[object] = []
    for value in values:
        items.extend(_rebuilt(value, edit) if isinstance(value, ast.AST) else [value])
    return items


def with_fields(node: N, **changes: object) -> N:
    """A copy of the node with some of its fields changed."""
    fields = dict(ast.iter_fields(node)) | changes
    return ast.copy_location(type(node)(**fields), node)


def nodes(tree: ast.AST, kind: type[N]) -> Iterator[N]:
    """All nodes of a kind, in the order of the text (depth first)."""
    return (node for node in _every(tree) if isinstance(node, kind))


@functools.lru_cache(maxsize=1024)  # a tree never changes, and each operator walks it again
def _every(tree: ast.AST) -> tuple[ast.AST, ...]:
    found: list[ast.AST] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))
    return tuple(found)


def functions(tree: ast.AST) -> Iterator[Function]:
    for node in nodes(tree, ast.stmt):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def loops(tree: ast.AST) -> Iterator[Loop]:
    for node in nodes(tree, ast.stmt):
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            yield node


@dataclass(frozen=True, slots=True)
class Block:
    """A list of statements: the field `name` of the node `owner`."""

    owner: ast.AST
    name: str
    statements: list[ast.stmt]

    def pairs(self) -> Iterator[tuple[int, ast.stmt, ast.stmt]]:
        """Every two statements that follow each other, with the place of the first."""
        for place, (first, second) in enumerate(itertools.pairwise(self.statements)):
            yield place, first, second

    def with_two(self, place: int, *new: ast.stmt) -> Edit:
        """The edit that puts `new` for the two statements from `place` on."""
        block = [*self.statements[:place], *new, *self.statements[place + 2 :]]
        return swap(self.owner, with_fields(self.owner, **{self.name: block}))


def blocks(tree: ast.AST) -> Iterator[Block]:
    """All lists of statements, outer ones first."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(tree, name, None)
        if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
            yield Block(tree, name, block)
    for child in ast.iter_child_nodes(tree):
        yield from blocks(child)


def parameters(function: Function) -> list[str]:
    spec = function.args
    return [argument.arg for argument in spec.posonlyargs + spec.args + spec.kwonlyargs]


def stored(tree: ast.AST) -> list[str]:
    """The names that are bound anywhere in it by assignment, each once, in order."""
    found = [node.id for node in nodes(tree, ast.Name) if isinstance(node.ctx, ast.Store)]
    return list(dict.fromkeys(found))


def read(tree: ast.AST) -> set[str]:
    """The names whose value is used in it."""
    used = {node.id for node in nodes(tree, ast.Name) if isinstance(node.ctx, ast.Load)}
    for node in nodes(tree, ast.AugAssign):
        if isinstance(node.target, ast.Name):
            used.add(node.target.id)
    return used


def called(node: ast.AST, *names: str) -> bool:
    """Whether the node is a call of a function of one of these names."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def assigned(node: ast.stmt) -> str | None:
    """The name that a statement `name = value` binds."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1:
        target = node.targets[0]
        return target.id if isinstance(target, ast.Name) else None
    return None


def whole(node: ast.AST | None) -> int | None:
    """The whole number that a literal stands for; truth values are none."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        positive = whole(node.operand)
        return None if positive is None else -positive
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    return None


def load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def store(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def renamed(node: N, old: str, new: str) -> N:
    """A copy in which every use of the name `old` is one of `new`."""
    if isinstance(node, ast.Name):
        return cast(N, ast.Name(new if node.id == old else node.id, node.ctx))
    changes: dict[str, object] = {}
    for name, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            changes[name] = renamed(value, old, new)
        elif isinstance(value, list):
            changes[name] = [
                renamed(item, old, new) if isinstance(item, ast.AST) else item for item in value
            ]
    return with_fields(node, **changes)


def shifted(node: ast.expr, by: int) -> ast.expr:
    """The expression plus `by`, written as a person would: `n - 1` shifted by 1 is `n`."""
    number = whole(node)
    if number is not None:
        return ast.Constant(number + by)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        number = whole(node.right)
        if number is not None:
            return _plus(node.left, by + (number if isinstance(node.op, ast.Add) else -number))
    return _plus(node, by)


def _plus(node: ast.expr, number: int) -> ast.expr:
    if not number:
        return node
    return ast.BinOp(node, ast.Add() if number > 0 else ast.Sub(), ast.Constant(abs(number)))
