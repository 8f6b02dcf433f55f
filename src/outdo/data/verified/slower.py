"""Slow variants of a fast program, in its own style: what people write who don't see the cost.

Each way is a rewriting of the syntax tree that keeps what is computed wherever its conditions hold,
and costs more as inputs grow. Whether it does, only the tests and a measurement can say: a
condition on a tree can't see what a name is bound to elsewhere.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from outdo import text
from outdo.data.inject.trees import Function, blocks, called, functions, load, loops, nodes, store

Way = Callable[[ast.Module], Iterator[ast.Module]]


@dataclass(frozen=True, slots=True)
class Slow:
    """A slow variant: the way it was made by, and its program as `ast.unparse` writes it."""

    way: str
    code: str


def slow_variants(code: str, *, ways: Mapping[str, Way] | None = None) -> tuple[Slow, ...]:
    """All variants that the ways make of a program, each once; none where it has no tree."""
    tree = text.syntax_tree(code)
    if tree is None:
        return ()
    found: dict[str, Slow] = {}
    origin = ast.unparse(tree)
    for name, way in (ways or WAYS).items():
        for changed in way(tree):
            said = ast.unparse(ast.fix_missing_locations(changed))
            if said != origin and text.syntax_tree(said) is not None:
                found.setdefault(said, Slow(name, said))
    return tuple(found.values())


# ------------------------------------------------------------------ rewriting


class _Swap(ast.NodeTransformer):
    """Puts other nodes in the place of some, found by identity; None takes a statement out."""

    def __init__(self, new: Mapping[int, ast.AST | list[ast.stmt] | None]) -> None:
        self.new = new

    def visit(self, node: ast.AST) -> ast.AST | list[ast.stmt] | None:
        if id(node) in self.new:
            return self.new[id(node)]
        return super().visit(node)  # type: ignore[no-any-return]


def _swapped(
    tree: ast.Module, swaps: Mapping[ast.AST, ast.AST | list[ast.stmt] | None]
) -> ast.Module:
    """A copy of the tree with other nodes in the place of some."""
    order = {id(node): place for place, node in enumerate(ast.walk(tree))}
    twin = copy.deepcopy(tree)
    there = dict(enumerate(ast.walk(twin)))
    new = {id(there[order[id(old)]]): copy.deepcopy(one) for old, one in swaps.items()}
    changed = _Swap(new).visit(twin)
    assert isinstance(changed, ast.Module)
    for block in nodes(changed, ast.stmt):
        if getattr(block, "body", None) == []:
            block.body = [ast.Pass()]  # type: ignore[attr-defined]
    return changed


def _bound(function: Function, name: str) -> list[ast.stmt]:
    """The statements of a function that bind a name, by whatever means."""
    return [
        one
        for one in nodes(function, ast.stmt)
        if one is not function
        and not hasattr(one, "body")
        and any(isinstance(n.ctx, ast.Store) and n.id == name for n in nodes(one, ast.Name))
    ] + [
        one
        for one in nodes(function, ast.stmt)
        if isinstance(one, ast.For | ast.AsyncFor)
        and any(n.id == name for n in nodes(one.target, ast.Name))
    ]


def _only(function: Function, name: str) -> ast.Assign | None:
    """The one statement `name = value` that binds a name in a function; None if there are more."""
    bound = _bound(function, name)
    if len(bound) != 1 or any(n.arg == name for n in nodes(function.args, ast.arg)):
        return None
    (one,) = bound
    plain = isinstance(one, ast.Assign) and [ast.unparse(t) for t in one.targets] == [name]
    return one if plain and isinstance(one, ast.Assign) else None


def _uses(function: Function, name: str) -> list[ast.Name]:
    return [n for n in nodes(function, ast.Name) if n.id == name and isinstance(n.ctx, ast.Load)]


def _names_set(function: Function) -> Iterator[tuple[str, ast.Assign]]:
    """Names that a function binds once, by a plain assignment, with that assignment."""
    for one in nodes(function, ast.Assign):
        target = one.targets[0]
        if isinstance(target, ast.Name) and _only(function, target.id) is one:
            yield target.id, one


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(load(name), list(arguments), [])


def _method(node: ast.AST, owner: str, *names: str) -> ast.Call | None:
    """The node, if it calls a method of one of these names of the variable `owner`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=of), attr=attr)) if of == owner:
            return node if attr in names else None
    return None


def _in_loops(function: Function) -> set[ast.AST]:
    """Every node that stands in the body of a loop, or in what a `while` asks each time."""
    inside: set[ast.AST] = set()
    for loop in loops(function):
        parts = [*loop.body, *([loop.test] if isinstance(loop, ast.While) else [])]
        inside.update(node for part in parts for node in ast.walk(part))
    return inside


def _repeated(function: Function) -> set[ast.AST]:
    """What a function does more than once: in loops, and for each item of a comprehension."""
    inside = _in_loops(function)
    for one in nodes(function, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):  # type: ignore[arg-type]
        parts = [*ast.iter_child_nodes(one)]
        inside.update(node for part in parts for node in ast.walk(part))
        inside -= set(ast.walk(one.generators[0].iter))
    return inside


# ------------------------------------------------------------------ wrong containers


def list_for_set(tree: ast.Module) -> Iterator[ast.Module]:
    """`seen = set()` becomes a list, where it is only added to and asked for members."""
    for function in functions(tree):
        for name, bound in _names_set(function):
            made = _as_list(bound.value)
            swaps = _as_list_uses(function, name) if made is not None else None
            if made is not None and swaps is not None:
                yield _swapped(tree, {bound.value: made, **swaps})


def _as_list(value: ast.expr) -> ast.expr | None:
    if called(value, "set", "frozenset") and isinstance(value, ast.Call) and not value.keywords:
        return _call("list", *value.args) if value.args else ast.List([], ast.Load())
    if isinstance(value, ast.SetComp):
        return ast.ListComp(value.elt, value.generators)
    if isinstance(value, ast.Set):
        return ast.List(value.elts, ast.Load())
    return None


def _as_list_uses(function: Function, name: str) -> dict[ast.AST, ast.AST] | None:
    """What becomes of the uses of a set that is a list now; None if one needs a set."""
    swaps: dict[ast.AST, ast.AST] = {}
    known: set[ast.AST] = set()
    for node in ast.walk(function):
        match node:
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[asked]):
                known.add(asked)
        if isinstance(node, ast.Expr) and (added := _method(node.value, name, "add")):
            assert isinstance(added.func, ast.Attribute)
            known.add(added.func.value)
            swaps[added.func] = ast.Attribute(load(name), "append", ast.Load())
    return swaps if all(use in known for use in _uses(function, name)) else None


def copied_keys(tree: ast.Module) -> Iterator[ast.Module]:
    """`key in table` becomes `key in list(table)` where it is asked again and again."""
    for function in functions(tree):
        often = _repeated(function)
        for name, bound in _names_set(function):
            if not (
                isinstance(bound.value, ast.Dict | ast.DictComp | ast.Set | ast.SetComp)
                or called(bound.value, "dict", "set", "frozenset", "Counter")
            ):
                continue
            for node in nodes(function, ast.Compare):
                match node:
                    case ast.Compare(
                        ops=[ast.In() | ast.NotIn()], comparators=[ast.Name(id=used) as asked]
                    ) if used == name and node in often:
                        yield _swapped(tree, {asked: _call("list", load(name))})


def popped_from_front(tree: ast.Module) -> Iterator[ast.Module]:
    """A deque becomes a list: `popleft()` is `pop(0)`, `appendleft(x)` is `insert(0, x)`."""
    for function in functions(tree):
        for name, bound in _names_set(function):
            value = bound.value
            is_deque = called(value, "deque") or ast.unparse(value).startswith("collections.deque(")
            if not is_deque or not isinstance(value, ast.Call) or value.keywords:
                continue
            if len(value.args) > 1:
                continue
            made = _call("list", *value.args) if value.args else ast.List([], ast.Load())
            swaps: dict[ast.AST, ast.AST] = {value: made}
            for node in nodes(function, ast.Call):
                attribute = ast.Attribute(load(name), "", ast.Load())
                if _method(node, name, "popleft"):
                    attribute.attr = "pop"
                    swaps[node] = ast.Call(attribute, [ast.Constant(0)], [])
                elif _method(node, name, "appendleft"):
                    attribute.attr = "insert"
                    swaps[node] = ast.Call(attribute, [ast.Constant(0), *node.args], [])
            if len(swaps) > 1:
                yield _swapped(tree, swaps)


# ------------------------------------------------------------------ grown by copying


def concatenated_list(tree: ast.Module) -> Iterator[ast.Module]:
    """`items.append(x)` in a loop becomes `items = items + [x]`, a copy of all each time."""
    for function in functions(tree):
        often = _in_loops(function)
        for name, bound in _names_set(function):
            if not (isinstance(bound.value, ast.List) or called(bound.value, "list")):
                continue
            swaps: dict[ast.AST, ast.AST] = {}
            for node in nodes(function, ast.Expr):
                grown = _method(node.value, name, "append")
                if grown and node in often and len(grown.args) == 1:
                    more = ast.BinOp(load(name), ast.Add(), ast.List(grown.args, ast.Load()))
                    swaps[node] = ast.Assign([store(name)], more)
            if swaps and not _shared(function, name):
                yield _swapped(tree, dict(swaps))


def _shared(function: Function, name: str) -> bool:
    """Whether an inner function uses the name: it would no longer see the same list."""
    inner = [one for one in functions(function) if one is not function]
    return any(_uses(one, name) for one in inner)


def inserted_at_front(tree: ast.Module) -> Iterator[ast.Module]:
    """A list that is filled, then turned round where it is used, is filled from its front."""
    for function in functions(tree):
        often = _in_loops(function)
        for name, bound in _names_set(function):
            if not isinstance(bound.value, ast.List) or bound.value.elts:
                continue
            swaps: dict[ast.AST, ast.AST] = {}
            turned: list[ast.AST] = []
            for node in ast.walk(function):
                if (grown := _method(node, name, "append")) and node in often:
                    front = ast.Attribute(load(name), "insert", ast.Load())
                    swaps[node] = ast.Call(front, [ast.Constant(0), *grown.args], [])
                if isinstance(node, ast.Subscript) and ast.unparse(node) == f"{name}[::-1]":
                    turned.append(node)
            if swaps and turned and len(_uses(function, name)) == len(swaps) + len(turned):
                yield _swapped(tree, {**swaps, **{node: load(name) for node in turned}})


# ------------------------------------------------------------------ computed again

WHOLE = ("sum", "max", "min", "sorted", "set", "list", "tuple", "Counter", "len", "reversed")
"""Functions that look at all of their argument, and change nothing."""

CHANGING = (
    *("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "add"),
    *("discard", "update", "popleft", "appendleft", "popitem", "setdefault"),
)


def recomputed_in_loop(tree: ast.Module) -> Iterator[ast.Module]:
    """A value that is computed once before a loop is computed at each use in it."""
    for function in functions(tree):
        often = _repeated(function)
        for name, bound in _names_set(function):
            value = bound.value
            if bound in often or not _looks_at_all(value) or _touched(function, value):
                continue
            if any(_method(node, name, *CHANGING) for node in ast.walk(function)):
                continue
            uses = _uses(function, name)
            again = [use for use in uses if use in often and not _stored_in(function, use)]
            if not again:
                continue
            swaps: dict[ast.AST, ast.AST | list[ast.stmt] | None] = dict.fromkeys(again, value)
            if len(again) == len(uses):
                swaps[bound] = None
            yield _swapped(tree, swaps)


def _looks_at_all(value: ast.expr) -> bool:
    """Whether it is a call or a comprehension that goes through a whole collection."""
    if isinstance(value, ast.ListComp | ast.SetComp | ast.DictComp):
        return not any(isinstance(node, ast.Call | ast.Await) for node in ast.walk(value))
    if not called(value, *WHOLE) or not isinstance(value, ast.Call):
        return False
    inner = [node for part in value.args for node in nodes(part, ast.Call)]
    return not called(value, "len") and all(called(node, *WHOLE, "range") for node in inner)


def _touched(function: Function, value: ast.expr) -> bool:
    """Whether a name in the value is bound more than once, or changed in place."""
    for used in {node.id for node in nodes(value, ast.Name) if isinstance(node.ctx, ast.Load)}:
        own = any(n.arg == used for n in nodes(function.args, ast.arg))
        inner = {n.id for g in ast.walk(value) if isinstance(g, ast.comprehension)
                 for n in nodes(g.target, ast.Name)}  # fmt: skip
        if used not in inner and len(_bound(function, used)) + own > 1:
            return True
        for node in ast.walk(function):
            if _method(node, used, *CHANGING):
                return True
            match node:
                case ast.Subscript(value=ast.Name(id=of), ctx=ast.Store() | ast.Del()):
                    if of == used:
                        return True
    return False


def _stored_in(function: Function, use: ast.Name) -> bool:
    """Whether the use is `name[...] = ...`: the copy would be lost."""
    return any(
        isinstance(node, ast.Subscript) and node.value is use and not isinstance(node.ctx, ast.Load)
        for node in ast.walk(function)
    )


def sorted_in_loop(tree: ast.Module) -> Iterator[ast.Module]:
    """What is sorted before a loop is sorted once more at each turn."""
    for function in functions(tree):
        for block in blocks(function):
            for place, first in enumerate(block.statements):
                name = _sorts(first)
                rest = block.statements[place + 1 :]
                loop = next((one for one in rest if isinstance(one, ast.For | ast.While)), None)
                if name is None or loop is None:
                    continue
                if isinstance(loop, ast.For) and ast.unparse(loop.iter) == name:
                    continue
                again = ast.Assign([store(name)], _call("sorted", load(name)))
                longer = copy.copy(loop)
                longer.body = [again, *loop.body]
                yield _swapped(tree, {loop: longer})


def _sorts(statement: ast.stmt) -> str | None:
    """The name of what a statement sorts, without a key and from the least on."""
    match statement:
        case ast.Assign(
            targets=[ast.Name(id=name)],
            value=ast.Call(func=ast.Name(id="sorted"), args=[_], keywords=[]),
        ):
            return name
        case ast.Expr(
            value=ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="sort"), args=[], keywords=[]
            )
        ):
            return name
    return None


def sorted_for_extreme(tree: ast.Module) -> Iterator[ast.Module]:
    """`max(items)` becomes `sorted(items)[-1]`, `min(items)` `sorted(items)[0]`."""
    for node in nodes(tree, ast.Call):
        place = {"max": -1, "min": 0}.get(ast.unparse(node.func))
        if place is None or len(node.args) != 1 or node.keywords:
            continue
        if isinstance(node.args[0], ast.Starred):
            continue
        at = ast.UnaryOp(ast.USub(), ast.Constant(1)) if place else ast.Constant(0)
        yield _swapped(tree, {node: ast.Subscript(_call("sorted", node.args[0]), at, ast.Load())})


def counted_again(tree: ast.Module) -> Iterator[ast.Module]:
    """`Counter(items)` becomes a table that counts through all items for each."""
    for node in nodes(tree, ast.Call):
        named = ast.unparse(node.func) in ("Counter", "collections.Counter")
        if not named or len(node.args) != 1 or not isinstance(node.args[0], ast.Name):
            continue
        items = node.args[0].id
        item = "item" if items != "item" else "each"
        count = ast.Call(ast.Attribute(load(items), "count", ast.Load()), [load(item)], [])
        each = ast.comprehension(store(item), load(items), [], 0)
        yield _swapped(tree, {node: ast.DictComp(load(item), count, [each])})


def recomputed_sum(tree: ast.Module) -> Iterator[ast.Module]:
    """`total += items[i]` in a loop over all places becomes `total = sum(items[:i + 1])`."""
    for loop in loops(tree):
        match loop:
            case ast.For(
                target=ast.Name(id=index),
                iter=ast.Call(
                    func=ast.Name(id="range"),
                    args=[ast.Call(func=ast.Name(id="len"), args=[ast.Name(id=items)])],
                ),
            ):
                pass
            case _:
                continue
        for one in loop.body:
            match one:
                case ast.AugAssign(
                    target=ast.Name(id=total),
                    op=ast.Add(),
                    value=ast.Subscript(value=ast.Name(id=of), slice=ast.Name(id=at)),
                ) if of == items and at == index:
                    upper = ast.BinOp(load(index), ast.Add(), ast.Constant(1))
                    part = ast.Subscript(load(items), ast.Slice(None, upper), ast.Load())
                    new = ast.Assign([store(total)], _call("sum", part))
                    yield _swapped(tree, {one: new})


def forgotten_memo(tree: ast.Module) -> Iterator[ast.Module]:
    """What was computed before is computed again: no cache, no look into the table of answers."""
    for function in functions(tree):
        kept = [one for one in function.decorator_list if not _caches(one)]
        if len(kept) < len(function.decorator_list):
            plain = copy.copy(function)
            plain.decorator_list = kept
            yield _swapped(tree, {function: plain})
        for node in nodes(function, ast.If):
            match node:
                case ast.If(
                    test=ast.Compare(left=key, ops=[ast.In()], comparators=[ast.Name(id=table)]),
                    body=[ast.Return(value=ast.Subscript(value=ast.Name(id=of), slice=at))],
                    orelse=[],
                ) if of == table and ast.unparse(key) == ast.unparse(at):
                    yield _swapped(tree, {node: None})


def _caches(decorator: ast.expr) -> bool:
    return ast.unparse(decorator).partition("(")[0] in (
        *("cache", "lru_cache", "functools.cache", "functools.lru_cache"),
    )


# ------------------------------------------------------------------ further than needed


def whole_range(tree: ast.Module) -> Iterator[ast.Module]:
    """A search that may end at the square root goes on to the number itself."""
    for node in nodes(tree, ast.Call):
        if not called(node, "range") or len(node.args) not in (2, 3):
            continue
        number = _rooted(node.args[1])
        if number is not None:
            upto = ast.Call(node.func, [node.args[0], number, *node.args[2:]], [])
            yield _swapped(tree, {node: upto})
    for loop in nodes(tree, ast.While):
        match loop.test:
            case ast.Compare(
                left=ast.BinOp(left=ast.Name(id=a), op=ast.Mult(), right=ast.Name(id=b)),
                ops=[ast.LtE()],
                comparators=[ast.Name() as number],
            ) if a == b:
                yield _swapped(tree, {loop.test: ast.Compare(load(a), [ast.Lt()], [number])})


def _rooted(bound: ast.expr) -> ast.expr | None:
    """The number up to whose square root the bound of a range goes."""
    match bound:
        case ast.BinOp(left=root, op=ast.Add(), right=ast.Constant(value=1)):
            bound = root
    match bound:
        case ast.Call(
            func=ast.Name(id="int"),
            args=[ast.BinOp(left=number, op=ast.Pow(), right=ast.Constant(value=0.5))],
        ):
            return number
        case ast.Call(
            func=ast.Name(id="int"),
            args=[ast.Call(func=ast.Name(id="sqrt") | ast.Attribute(attr="sqrt"), args=[number])],
        ):
            return number
        case ast.Call(func=ast.Name(id="isqrt") | ast.Attribute(attr="isqrt"), args=[number]):
            return number
    return None


def eager_quantifier(tree: ast.Module) -> Iterator[ast.Module]:
    """`any(... for ...)` looks at all items, in a list, before it says so; `all` likewise."""
    for node in nodes(tree, ast.Call):
        match node:
            case ast.Call(
                func=ast.Name(id="any" | "all"), args=[ast.GeneratorExp() as each], keywords=[]
            ):
                yield _swapped(tree, {each: ast.ListComp(each.elt, each.generators)})


WAYS: Mapping[str, Way] = {
    function.__name__.replace("_", "-"): function
    for function in (
        list_for_set,
        copied_keys,
        popped_from_front,
        concatenated_list,
        inserted_at_front,
        recomputed_in_loop,
        sorted_in_loop,
        sorted_for_extreme,
        counted_again,
        recomputed_sum,
        forgotten_memo,
        whole_range,
        eager_quantifier,
    )
}
"""Every way by the name that a pair's evidence carries."""
