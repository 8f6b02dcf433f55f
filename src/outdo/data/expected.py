"""Expected outputs of inputs, made once by running a solution that is known to be right.

Inputs come as JSON, which knows neither tuples nor sets. Where the assertions that they were made
from stand beside them, these say what is meant, and all inputs are read in that way.
"""

from __future__ import annotations

import ast
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outdo import text
from outdo.data.place import Place
from outdo.data.problems import Test
from outdo.data.trial import Runs
from outdo.records import Call, Json, Limits, Program

LIMITS = Limits(seconds=60.0, cpu_seconds=6.0, memory_bytes=2**30, output_bytes=8 * 2**20)
"""Half of the time that answers have: an input that takes long would be lost to chance."""
LONGEST = 20_000
"""Characters of a call or an answer that is kept: longer ones cost more than they tell."""

NO_OUTPUT = "inputs for which the canonical solution gives no literal in time"
TOO_LONG = f"inputs or outputs of more than {LONGEST:,} characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A solution, and the calls whose outputs are owed: those of the problem, and those added."""

    code: str
    base: tuple[str, ...]
    plus: tuple[str, ...]


def ordered(
    code: str,
    *,
    entry: str,
    base: Json,
    plus: Json,
    assertion: str = "",
    most: int | None = None,
    place: Place,
) -> Ordered:
    """The calls of `entry` with lists of arguments; `assertion` tells kinds that JSON can't.

    At most `most` of the added ones are taken, spread evenly. Raises DataError where an input
    isn't a list.
    """
    lists = []
    for name, inputs in (("base_input", base), ("plus_input", plus or [])):
        if not isinstance(inputs, list) or not all(isinstance(one, list) for one in inputs):
            raise place.error(f"{name} isn't a list of lists of arguments")
        lists.append(inputs)
    shape = shape_of(lists[0], arguments_of(assertion, entry))
    added = lists[1]
    if most is not None and len(added) > most:
        added = [added[n * len(added) // most] for n in range(most)]
    first, more = ([_call(entry, one, shape) for one in inputs] for inputs in (lists[0], added))
    return Ordered(code=code, base=tuple(first), plus=tuple(dict.fromkeys(more)))


def _call(entry: str, arguments: Sequence[Json], shape: Mapping[int, Shape]) -> str:
    """The call as code, or nothing for values that have no literal."""
    values = [shaped(value, shape.get(number)) for number, value in enumerate(arguments)]
    try:
        return f"{entry}({', '.join(spelled(value) for value in values)})"
    except (ValueError, RecursionError):  # an int of more digits than Python writes, or a depth
        return ""


def spelled(value: object) -> str:
    """The value as Python code that gives it back, infinities too."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, list):
        return f"[{', '.join(map(spelled, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(spelled, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, (set, frozenset)):
        items = ", ".join(sorted(map(spelled, value)))
        return f"{{{items}}}" if items else "set()"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{spelled(k)}: {spelled(v)}' for k, v in value.items())}}}"
    return repr(value)


# ------------------------------------------------------------------ what JSON can't say


@dataclass(frozen=True, slots=True)
class Shape:
    """What a JSON value stands for: a kind, and the shapes of what is in it.

    `items` is that of all items of a list; `fields` has one for each place, where they differ.
    """

    kind: str
    items: Shape | None = None
    fields: tuple[Shape | None, ...] = ()


def arguments_of(assertion: str, entry: str) -> list[list[object]]:
    """The arguments of each assertion's call of `entry`, those that are literals."""
    tree = text.syntax_tree(assertion)
    found: list[list[object]] = []
    for statement in tree.body if tree else ():
        calls = [
            node
            for node in ast.walk(statement)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == entry
        ]
        try:
            found.append([ast.literal_eval(node) for node in calls[0].args] if calls else [])
        except (ValueError, TypeError, RecursionError):
            found.append([])
    return found


def shape_of(base: Sequence[Sequence[Json]], meant: Sequence[Sequence[object]]) -> dict[int, Shape]:
    """Place of an argument to its shape, as far as the assertions agree on it."""
    shapes: dict[int, list[Shape | None]] = {}
    for inputs, arguments in zip(base, meant, strict=False):
        if len(inputs) == len(arguments):
            for place, (value, meaning) in enumerate(zip(inputs, arguments, strict=True)):
                shapes.setdefault(place, []).append(_shape(value, meaning))
    merged = {place: _merged(found) for place, found in shapes.items()}
    return {place: shape for place, shape in merged.items() if shape is not None}


def _shape(value: Json, meant: object) -> Shape | None:
    if isinstance(value, list) and isinstance(meant, (list, tuple)) and len(value) == len(meant):
        inner = tuple(_shape(one, other) for one, other in zip(value, meant, strict=True))
        return Shape(type(meant).__name__, _merged(inner), inner)
    if isinstance(value, list) and isinstance(meant, (set, frozenset)):
        tuples = meant and all(isinstance(item, tuple) for item in meant)
        return Shape("set", Shape("tuple") if tuples else None)
    if isinstance(value, str) and isinstance(meant, complex):
        return Shape("complex")
    if isinstance(value, dict) and isinstance(meant, dict):
        pairs = [_shape(value[str(key)], item) for key, item in meant.items() if str(key) in value]
        keys = {type(key).__name__ for key in meant}
        kind = "dict of int" if keys == {"int"} else "dict"
        return Shape(kind, _merged(pairs))
    return None


def _merged(found: Iterable[Shape | None]) -> Shape | None:
    """One shape of several; None where they are of two kinds."""
    known = [shape for shape in found if shape is not None]
    if not known or len({shape.kind for shape in known}) > 1:
        return None
    widths = {len(shape.fields) for shape in known}
    fields: tuple[Shape | None, ...] = ()
    if len(widths) == 1:
        columns = zip(*(shape.fields for shape in known), strict=True)
        fields = tuple(_merged(column) for column in columns)
    return Shape(known[0].kind, _merged(shape.items for shape in known), fields)


def shaped(value: Json, shape: Shape | None) -> Any:
    """The value that a JSON value of this shape stands for; as it is where it doesn't fit."""
    if shape is None:
        return value
    if isinstance(value, list) and shape.kind in ("list", "tuple", "set"):
        same = shape.items is None and len(shape.fields) == len(value)
        inner = shape.fields if same else (shape.items,) * len(value)
        items = [shaped(one, each) for one, each in zip(value, inner, strict=True)]
        return _gathered(items, shape.kind)
    if shape.kind == "complex" and isinstance(value, str):
        try:
            return complex(value)
        except ValueError:
            return value
    if isinstance(value, dict) and shape.kind.startswith("dict"):
        ints = shape.kind == "dict of int"
        return {
            int(key) if ints and key.lstrip("-").isdigit() else key: shaped(item, shape.items)
            for key, item in value.items()
        }
    return value


def _gathered(items: list[Any], kind: str) -> Any:
    try:
        return {"list": list, "tuple": tuple, "set": set}[kind](items)
    except TypeError:  # a list has no place in a set
        return items


# ------------------------------------------------------------------ the outputs


def expected_outputs(
    orders: Sequence[Ordered], *, sandbox: Runs
) -> tuple[list[tuple[tuple[Test, ...], tuple[Test, ...]]], dict[str, int]]:
    """The base tests and the added ones of each order, and how many inputs were left out.

    An input is left out if the solution raises, gives nothing that is a literal, or either is
    too long.
    """
    lost: Counter[str] = Counter()
    made: dict[int, dict[str, str]] = {}
    programs = [_asked(order) for order in orders]
    for number, outcome in sandbox.run(programs):
        calls = programs[number].calls
        made[number] = {
            call.code: output.text
            for call, output in zip(calls, outcome.outputs, strict=False)
            if output.text is not None
        }
    tested = []
    for number, order in enumerate(orders):
        sides = [_tests(calls, made.get(number, {}), lost) for calls in (order.base, order.plus)]
        tested.append((sides[0], sides[1]))
    return tested, dict(lost)


def _asked(order: Ordered) -> Program:
    calls = dict.fromkeys(call for call in (*order.base, *order.plus) if 0 < len(call) <= LONGEST)
    return Program.tested(order.code, calls=tuple(Call(code=call) for call in calls), limits=LIMITS)


def _tests(
    calls: Sequence[str], outputs: Mapping[str, str], lost: Counter[str]
) -> tuple[Test, ...]:
    kept = []
    for call in calls:
        answer = outputs.get(call)
        if answer is None:
            lost[TOO_LONG if len(call) > LONGEST else NO_OUTPUT] += 1
        elif len(answer) > LONGEST:
            lost[TOO_LONG] += 1
        else:
            kept.append(Test(call=call, expected=answer))
    return tuple(kept)
