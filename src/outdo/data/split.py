"""Which rows train and which are held out: by problem, and by distinct program.

A choice depends on the seed and the rows' own names, never on their order. No syntax tree stands
on both sides: whoever has trained on a program hasn't been tested on it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from outdo.data.examples import syntax_name
from outdo.errors import DataError
from outdo.records import Example, Split, digest

R = TypeVar("R")
By = Callable[[Example], str]


def problem_of(example: Example) -> str:
    """The problem that an example belongs to; its group, where it names none."""
    return str(example.given.get("problem", example.group))


def hold_out(
    examples: Sequence[Example],
    *,
    per_group: int,
    seed: int,
    split: Split = "test",
    by: By = problem_of,
) -> tuple[Example, ...]:
    """The rows, with `per_group` distinct programs of each group moved from training to `split`.

    A group that has fewer gives half of them. Rows that aren't for training pass unchanged.
    Of rows with one syntax tree one is held out, and the others are left out.
    """
    trees = _by_tree(example for example in examples if example.split == "train")
    groups: dict[str, list[str]] = defaultdict(list)
    for tree, rows in trees.items():
        groups[by(rows[0])].append(tree)
    chosen: set[str] = set()
    for group, names in groups.items():
        number = per_group if len(names) >= per_group else len(names) // 2
        chosen.update(sorted(names, key=lambda tree: _draw(seed, group, tree))[:number])
    return tuple(
        row if row.split != "train" or tree not in chosen else replace(row, split=split)
        for tree, row in ((_tree(row), row) for row in examples)
        if row.split != "train" or tree not in chosen or row is trees[tree][0]
    )


def set_aside(
    rows: Sequence[R], share: float, *, seed: int, group: Callable[[R], str]
) -> tuple[list[R], list[R]]:
    """The rows to learn from, and whole groups of rows set aside: about `share` of all.

    Groups are taken in an order that the seed draws, each if it brings the number of rows nearer
    to the share; at least one is taken, and one is left. Raises DataError if there is only one.
    """
    sizes = Counter(group(row) for row in rows)
    order = sorted(sizes, key=lambda name: _draw(seed, "aside", name))
    if len(order) < 2:
        raise DataError("all rows are of one group", "leave validation out, or add groups")
    wanted = share * len(rows)
    aside: set[str] = set()
    taken = 0
    for name in order:
        if abs(taken + sizes[name] - wanted) < abs(taken - wanted) and len(aside) < len(order) - 1:
            aside.add(name)
            taken += sizes[name]
    aside = aside or {min(order, key=lambda name: sizes[name])}
    return (
        [row for row in rows if group(row) not in aside],
        [row for row in rows if group(row) in aside],
    )


def _by_tree(examples: Iterable[Example]) -> dict[str, list[Example]]:
    """Rows of one syntax tree together, the first by id first."""
    trees: dict[str, list[Example]] = defaultdict(list)
    for row in sorted(examples, key=lambda row: row.id):
        trees[_tree(row)].append(row)
    return trees


def _tree(example: Example) -> str:
    program = example.given.get("program")
    return syntax_name(program) if isinstance(program, str) else digest(example.given)


def _draw(seed: int, *names: str) -> str:
    """A number that only the seed and the names decide, to sort by."""
    return digest([seed, *names])
