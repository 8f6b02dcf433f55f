"""Slips within one expression: bounds, comparisons, arithmetic, calls and their arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from outdo.data.inject.trees import (
    Edit,
    called,
    loops,
    nodes,
    shifted,
    swap,
    whole,
    with_fields,
)

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
_DIVISIONS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.FloorDiv: (ast.Div, ast.Mod),
    ast.Div: (ast.FloorDiv,),
    ast.Mod: (ast.FloorDiv, ast.Div),
}
_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Add,),
    ast.Pow: (ast.Mult,),
}
_METHODS = {
    "append": ("extend",),
    "extend": ("append",),
    "sort": ("reverse",),
    "reverse": ("sort",),
    "lower": ("upper",),
    "upper": ("lower",),
    "strip": ("lstrip", "rstrip"),
    "lstrip": ("strip",),
    "rstrip": ("strip",),
    "startswith": ("endswith",),
    "endswith": ("startswith",),
    "find": ("rfind",),
    "index": ("count",),
    "keys": ("values",),
    "values": ("keys",),
    "items": ("keys",),
    "add": ("discard",),
    "isdigit": ("isalpha",),
    "isalpha": ("isalnum",),
    "isalnum": ("isalpha",),
    "insert": ("append",),
    "union": ("intersection",),
    "intersection": ("union",),
    "title": ("upper",),
}
_FUNCTIONS = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sum": "len",
    "reversed": "sorted",
}
_CONVERSIONS = ("int", "str", "float", "list", "len", "abs", "set", "sorted", "tuple", "round")


def range_bound(tree: ast.Module) -> Iterator[Edit]:
    """`range` begins or ends one off, or has lost its step."""
    for call in nodes(tree, ast.Call):
        if not called(call, "range") or not call.args or call.keywords:
            continue
        for place, argument in enumerate(call.args[:2]):
            for by in (-1, 1):
                arguments = [*call.args[:place], shifted(argument, by), *call.args[place + 1 :]]
                yield swap(call, with_fields(call, args=arguments))
        if len(call.args) == 1:
            yield swap(call, with_fields(call, args=[ast.Constant(1), *call.args]))
        if len(call.args) == 3:
            yield swap(call, with_fields(call, args=call.args[:2]))


def index(tree: ast.Module) -> Iterator[Edit]:
    """An item is taken one place beside the right one."""
    counters = _counters(tree)
    for item in nodes(tree, ast.Subscript):
        at = item.slice
        counts = isinstance(at, ast.Name) and at.id in counters
        beside = isinstance(at, ast.BinOp) and whole(at.right) is not None
        if whole(at) is not None or counts or beside:
            yield from (swap(item, with_fields(item, slice=shifted(at, by))) for by in (-1, 1))


def _counters(tree: ast.Module) -> set[str]:
    """Names that count places: the variable of a loop over range or enumerate, or `i += 1`."""
    names = set()
    for loop in loops(tree):
        if isinstance(loop, ast.While):
            continue
        target = loop.target
        if called(loop.iter, "enumerate") and isinstance(target, ast.Tuple):
            target = target.elts[0]
        if called(loop.iter, "range", "enumerate") and isinstance(target, ast.Name):
            names.add(target.id)
    for step in nodes(tree, ast.AugAssign):
        if isinstance(step.target, ast.Name) and whole(step.value) is not None:
            names.add(step.target.id)
    return names


def slice_bound(tree: ast.Module) -> Iterator[Edit]:
    """A slice begins or ends one off, or has lost a bound or its step."""
    for part in nodes(tree, ast.Slice):
        for name in ("lower", "upper"):
            bound = getattr(part, name)
            if bound is not None:
                for by in (-1, 1):
                    yield swap(part, with_fields(part, **{name: shifted(bound, by)}))
                yield swap(part, with_fields(part, **{name: None}))
        if part.step is not None:
            yield swap(part, with_fields(part, step=None))


def constant(tree: ast.Module) -> Iterator[Edit]:
    """A whole number in a condition or a calculation is one off."""
    for node in nodes(tree, ast.expr):
        if isinstance(node, ast.Compare | ast.BinOp):
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.Constant) and whole(child) is not None:
                    yield from (swap(child, shifted(child, by)) for by in (-1, 1))


def comparison(tree: ast.Module) -> Iterator[Edit]:
    """A comparison leaves out or takes in the bound, or points the other way."""
    for node in nodes(tree, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _COMPARISONS.get(type(operator), ()):
                ops = [*node.ops[:place], other(), *node.ops[place + 1 :]]
                yield swap(node, with_fields(node, ops=ops))


def negation(tree: ast.Module) -> Iterator[Edit]:
    """A `not` is lost, or stands where none belongs."""
    for node in nodes(tree, ast.expr):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield swap(node, node.operand)
        elif isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.In | ast.NotIn):
            other = ast.NotIn() if isinstance(node.ops[0], ast.In) else ast.In()
            yield swap(node, with_fields(node, ops=[other, *node.ops[1:]]))
    for case in nodes(tree, ast.If):
        if isinstance(case.test, ast.Call | ast.Name):
            yield swap(case.test, ast.UnaryOp(ast.Not(), case.test))


def connective(tree: ast.Module) -> Iterator[Edit]:
    """`and` stands for `or`, or `or` for `and`."""
    for node in nodes(tree, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield swap(node, with_fields(node, op=other))


def missing_condition(tree: ast.Module) -> Iterator[Edit]:
    """One of several conditions is forgotten."""
    for node in nodes(tree, ast.BoolOp):
        for place in range(len(node.values)):
            rest = node.values[:place] + node.values[place + 1 :]
            yield swap(node, rest[0] if len(rest) == 1 else with_fields(node, values=rest))


def short_or(tree: ast.Module) -> Iterator[Edit]:
    """`x == a or x == b` is written as `x == a or b`."""
    for node in nodes(tree, ast.BoolOp):
        first, *rest = node.values
        for place, other in enumerate(rest, start=1):
            if not (isinstance(first, ast.Compare) and isinstance(other, ast.Compare)):
                continue
            if ast.dump(first.left) == ast.dump(other.left) and len(other.ops) == 1:
                values = [*node.values[:place], other.comparators[0], *node.values[place + 1 :]]
                yield swap(node, with_fields(node, values=values))


def division(tree: ast.Module) -> Iterator[Edit]:
    """Whole, true division and remainder are taken for each other."""
    yield from _with_other_operator(tree, _DIVISIONS)


def arithmetic(tree: ast.Module) -> Iterator[Edit]:
    """A wrong operator, or the two sides of a difference the wrong way round."""
    yield from _with_other_operator(tree, _ARITHMETIC)
    for node in nodes(tree, ast.BinOp):
        if isinstance(node.op, ast.Sub):
            yield swap(node, with_fields(node, left=node.right, right=node.left))


def _with_other_operator(
    tree: ast.Module, table: dict[type[ast.operator], tuple[type[ast.operator], ...]]
) -> Iterator[Edit]:
    for node in nodes(tree, ast.BinOp):
        if not any(_is_sequence(side) for side in (node.left, node.right)):
            for other in table.get(type(node.op), ()):
                yield swap(node, with_fields(node, op=other()))


def _is_sequence(node: ast.expr) -> bool:
    """Whether it is text or a list on the face of it: nobody subtracts these."""
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return text or isinstance(node, ast.List | ast.ListComp | ast.JoinedStr | ast.Tuple)


def precedence(tree: ast.Module) -> Iterator[Edit]:
    """Brackets that matter are forgotten: `(a + b) * c` is written as `a + b * c`."""
    for node in nodes(tree, ast.expr):
        if isinstance(node, ast.BinOp):
            yield from _without_brackets(node)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.BoolOp):
            inner = node.operand  # of a `not`: no other operator takes one
            first = with_fields(node, operand=inner.values[0])
            yield swap(node, with_fields(inner, values=[first, *inner.values[1:]]))
        elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And):
            yield from _without_brackets_around_or(node)


def _without_brackets(node: ast.BinOp) -> Iterator[Edit]:
    left, right = node.left, node.right
    tight = isinstance(node.op, ast.Mult | ast.Div | ast.FloorDiv | ast.Mod)
    if tight and isinstance(left, ast.BinOp) and isinstance(left.op, ast.Add | ast.Sub):
        yield swap(node, ast.BinOp(left.left, left.op, ast.BinOp(left.right, node.op, right)))
    if not isinstance(right, ast.BinOp) or not isinstance(right.op, ast.Add | ast.Sub):
        return
    if tight or isinstance(node.op, ast.Sub):
        yield swap(node, ast.BinOp(ast.BinOp(left, node.op, right.left), right.op, right.right))


def _without_brackets_around_or(node: ast.BoolOp) -> Iterator[Edit]:
    *most, last = node.values
    if isinstance(last, ast.BoolOp):
        tight = ast.BoolOp(ast.And(), [*most, last.values[0]])
        yield swap(node, ast.BoolOp(ast.Or(), [tight, *last.values[1:]]))
    first, *rest = node.values
    if isinstance(first, ast.BoolOp):
        tight = ast.BoolOp(ast.And(), [first.values[-1], *rest])
        yield swap(node, ast.BoolOp(ast.Or(), [*first.values[:-1], tight]))


def wrong_method(tree: ast.Module) -> Iterator[Edit]:
    """A method is taken for its neighbour: append and extend, sort and reverse."""
    for call in nodes(tree, ast.Call):
        if isinstance(call.func, ast.Attribute):
            for other in _METHODS.get(call.func.attr, ()):
                yield swap(call, with_fields(call, func=with_fields(call.func, attr=other)))


def wrong_function(tree: ast.Module) -> Iterator[Edit]:
    """A function is taken for its counterpart: min and max, any and all."""
    for call in nodes(tree, ast.Call):
        if isinstance(call.func, ast.Name) and call.func.id in _FUNCTIONS:
            yield swap(call.func, ast.Name(_FUNCTIONS[call.func.id], ast.Load()))


def string_case(tree: ast.Module) -> Iterator[Edit]:
    """Letters are compared or kept without bringing them to one case."""
    for call in nodes(tree, ast.Call):
        method = call.func if isinstance(call.func, ast.Attribute) and not call.args else None
        if method and method.attr in ("lower", "upper", "casefold"):
            yield swap(call, method.value)


def missing_conversion(tree: ast.Module) -> Iterator[Edit]:
    """A value is used without the call that turns it into what is needed."""
    for call in nodes(tree, ast.Call):
        plain = called(call, *_CONVERSIONS) and len(call.args) == 1 and not call.keywords
        if plain and not isinstance(call.args[0], ast.GeneratorExp | ast.Starred):
            yield swap(call, call.args[0])


def swapped_arguments(tree: ast.Module) -> Iterator[Edit]:
    """Two arguments that stand side by side are the wrong way round."""
    for call in nodes(tree, ast.Call):
        for place in range(len(call.args) - 1):
            one, other = call.args[place : place + 2]
            if not any(isinstance(argument, ast.Starred) for argument in (one, other)):
                arguments = [*call.args[:place], other, one, *call.args[place + 2 :]]
                yield swap(call, with_fields(call, args=arguments))


def missing_keyword(tree: ast.Module) -> Iterator[Edit]:
    """A named argument such as `reverse=True` or `key=...` is forgotten."""
    for call in nodes(tree, ast.Call):
        for place in range(len(call.keywords)):
            rest = call.keywords[:place] + call.keywords[place + 1 :]
            yield swap(call, with_fields(call, keywords=rest))


def index_for_element(tree: ast.Module) -> Iterator[Edit]:
    """The place is used where the item at that place is meant."""
    counters = _counters(tree)
    for item in nodes(tree, ast.Subscript):
        at = item.slice
        if isinstance(item.ctx, ast.Load) and isinstance(at, ast.Name) and at.id in counters:
            yield swap(item, at)
