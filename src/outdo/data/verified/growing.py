"""Larger inputs for a function, of the kinds that its tests use: what its cost grows with.

Each family grows one argument, or all collections at once, and leaves the rest as a test has it.
Inputs follow from the test and the family's name alone. Whether a program takes them is for
running it to say: not every list of numbers is a permutation, not every text a date.
"""

from __future__ import annotations

import ast
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outdo import text
from outdo.data.expected import spelled
from outdo.data.problems import Problem

SIZES = (16, 64, 256, 1024)
"""Items of a grown collection; a grown number has the same values times itself."""

MOST = 4
"""Families that are made of a problem, at most."""

Values = dict[str, Any]
Grow = Callable[[Any, int, random.Random], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Inputs of growing size: `name` says what grows, and how; `calls` are argument lists as code.

    A call is the text of a tuple `(arguments, keywords)`; sizes are of the items that grow.
    """

    name: str
    sizes: tuple[int, ...]
    calls: tuple[str, ...]


def families(problem: Problem, *, sizes: Sequence[int] = SIZES) -> tuple[Family, ...]:
    """The families of inputs of a problem's entry; none where its tests show no literal arguments.

    The test with the most to grow from is the one whose other arguments are kept.
    """
    entry = entry_of(problem)
    known = [call for test in problem.tests if (call := arguments(test.call, entry))]
    if not known:
        return ()
    base = max(known, key=lambda call: sum(_width(value) for value in call.values()))
    found: dict[tuple[str, ...], Family] = {}
    for name, places, grow in _growths(base, known):
        calls = tuple(_spelled(_grown(base, places, grow, size, name)) for size in sizes)
        if all(len(call) <= 200_000 for call in calls):
            found.setdefault(calls, Family(name=name, sizes=tuple(sizes), calls=calls))
    return tuple(found.values())[:MOST]


def entry_of(problem: Problem) -> str | None:
    """The function that a problem's tests call: its entry, or what most of them begin with."""
    if problem.entry:
        return problem.entry
    heads = Counter(test.call.partition("(")[0].strip() for test in problem.tests)
    named = [(number, head) for head, number in heads.items() if head.isidentifier()]
    return max(named)[1] if named else None


def arguments(call: str, entry: str | None) -> Values:
    """The arguments of a call of `entry`, by place ("0", "1", …) or name; empty if they aren't all
    literals."""
    tree = text.syntax_tree(call.strip())
    match tree.body if tree else []:
        case [ast.Expr(value=ast.Call(func=ast.Name(id=name)) as asked)] if name == entry:
            pass
        case _:
            return {}
    named = {word.arg or "**": word.value for word in asked.keywords}
    try:
        placed = {str(place): ast.literal_eval(one) for place, one in enumerate(asked.args)}
        return {**placed, **{name: ast.literal_eval(one) for name, one in named.items()}}
    except (ValueError, TypeError, RecursionError):
        return {}


def _width(value: object) -> int:
    return len(value) if isinstance(value, list | tuple | str | dict | set) else 1


def _spelled(values: Values) -> str:
    placed = [spelled(value) for name, value in values.items() if name.isdigit()]
    named = [f"{name!r}: {spelled(value)}" for name, value in values.items() if not name.isdigit()]
    return f"([{', '.join(placed)}], {{{', '.join(named)}}})"


def _grown(base: Values, places: Sequence[str], grow: Grow, size: int, name: str) -> Values:
    drawn = random.Random(f"{name}/{size}")
    return {
        place: grow(value, size, drawn) if place in places else value
        for place, value in base.items()
    }


# ------------------------------------------------------------------ what grows


def _growths(base: Values, known: Sequence[Values]) -> Iterator[tuple[str, tuple[str, ...], Grow]]:
    wide = tuple(
        p for p, value in base.items() if isinstance(value, list | tuple | str | dict | set)
    )
    ordered = {place for place in wide if _always_sorted([call.get(place) for call in known])}
    for name, grow in WIDENING.items():
        for place in wide:
            if name != "sorted" or place in ordered:
                yield f"{name} argument {place}", (place,), grow
        if len(wide) > 1:
            yield f"{name} arguments {' and '.join(wide)}", wide, grow
    for place, value in base.items():
        if type(value) is int:
            yield f"larger argument {place}", (place,), _larger
    if any(isinstance(v, list | tuple) and any(isinstance(i, list | tuple) for i in v)
           for v in base.values()):  # fmt: skip
        yield "square", wide, _square


def _always_sorted(values: Sequence[object]) -> bool:
    """Whether these are lists of numbers or texts that are all in order."""
    lists = [value for value in values if isinstance(value, list) and len(value) > 1]
    try:
        return bool(lists) and all(value == sorted(value) for value in lists)
    except TypeError:
        return False


def _distinct(value: Any, size: int, drawn: random.Random) -> Any:
    """A collection of the kind of `value` whose items are as different as its kind allows."""
    if isinstance(value, str):
        letters = sorted(set(value)) or ["a"]
        return "".join(drawn.choice(letters) for _ in range(size))
    if isinstance(value, dict):
        keys = _items(list(value) or ["a"], size, drawn)
        kinds = list(value.values()) or [0]
        return {key: _like(kinds[n % len(kinds)], size, drawn) for n, key in enumerate(keys)}
    return _as(value, _items(list(value) or [0], size, drawn))


def _repeated(value: Any, size: int, _drawn: random.Random) -> Any:
    """The items of `value` over and over."""
    if isinstance(value, dict | set) or not value:
        return value
    times = size // len(value) + 1
    if isinstance(value, str):
        return (value * times)[:size]
    return _as(value, (list(value) * times)[:size])


def _in_order(value: Any, size: int, drawn: random.Random) -> Any:
    grown = _distinct(value, size, drawn)
    try:
        return _as(value, sorted(grown)) if isinstance(grown, list | tuple) else grown
    except TypeError:
        return grown


def _larger(value: int, size: int, _drawn: random.Random) -> int:
    """A number that grows, odd or even as `value` is."""
    return size * 4 + value % 2


def _square(value: Any, size: int, drawn: random.Random) -> Any:
    """A table with as many rows as columns, of about `size` cells; other values as they are."""
    rows = [row for row in value if isinstance(row, list | tuple)] if not isinstance(
        value, dict | str
    ) else []  # fmt: skip
    side = max(1, round(size**0.5))
    items = [item for row in rows for item in row]
    if not rows or len(rows) < len(value):
        return value
    grown = [_as(rows[0], [_like(drawn.choice(items or [0]), side, drawn) for _ in range(side)])
             for _ in range(side)]  # fmt: skip
    return _as(value, grown)


WIDENING: Mapping[str, Grow] = {"distinct": _distinct, "repeated": _repeated, "sorted": _in_order}


def _items(sample: Sequence[Any], size: int, drawn: random.Random) -> list[Any]:
    """`size` items like those of a sample, different from each other where their kind allows."""
    kinds = {type(item) for item in sample}
    if kinds == {int}:
        low = -10 * size if min(sample) < 0 else 0 if min(sample) == 0 else 1
        return drawn.sample(range(low, 10 * size), size)
    return [_like(sample[n % len(sample)], size, drawn) for n in range(size)]


def _like(item: Any, size: int, drawn: random.Random) -> Any:
    """One item like another: of its kind, its sign, its letters and about its length."""
    if isinstance(item, bool) or item is None:
        return drawn.choice([True, False]) if item is not None else None
    if isinstance(item, int):
        low = -10 * size if item < 0 else 0
        return drawn.randrange(low, 10 * size)
    if isinstance(item, float):
        return round(drawn.uniform(-size if item < 0 else 0, size), 3)
    if isinstance(item, str):
        letters = "abcdefghijklmnopqrstuvwxyz" if item.isalpha() and item.islower() else item
        return "".join(drawn.choice(letters) for _ in item) if letters else item
    if isinstance(item, list | tuple):
        return _as(item, [_like(one, size, drawn) for one in item])
    return item


def _as(value: Any, items: list[Any]) -> Any:
    """The items as a collection of the kind of `value`."""
    if isinstance(value, set):
        try:
            return set(items)
        except TypeError:
            return value
    return tuple(items) if isinstance(value, tuple) else items
