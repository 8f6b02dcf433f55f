"""Repair examples: a problem, a program that fails it, and what is known about its repair."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from outdo import text, tokens
from outdo.data.place import content_name
from outdo.data.problems import Problem
from outdo.records import Example, Json, Split, to_json


def repair_example(
    problem: Problem,
    program: str,
    *,
    name: str,
    source: str,
    group: str,
    split: Split = "train",
    repair: str | None = None,
    slip: Mapping[str, Json] | None = None,
) -> Example:
    """The example of one buggy program; its id is made of the problem, `name` and the content."""
    return Example(
        id=f"{problem.name}/{name}/{content_name(program)}",
        task="repair",
        given={
            "problem": problem.name,
            "statement": problem.statement,
            "preamble": problem.preamble,
            "program": program,
            "shown": to_json(problem.shown),
        },
        wanted={
            "tests": to_json(problem.tests),
            "check": problem.check,
            "suite": dict(problem.suite) or None,
            "entry": problem.entry,
            "repair": repair,
            "nearest": None,
            "reference": problem.reference,
            "slip": dict(slip) if slip else None,
        },
        group=group,
        split=split,
        source=source,
    )


def with_nearest(examples: Sequence[Example]) -> tuple[Example, ...]:
    """The examples, the held-out ones with the nearest repair of their problem's training rows.

    A problem without training rows has no nearest program: None.
    """
    known: dict[str, dict[str, None]] = defaultdict(dict)
    for row in examples:
        if row.split == "train" and row.wanted["repair"]:
            known[row.given["problem"]][row.wanted["repair"]] = None
    return tuple(
        row if row.split == "train" else _with_nearest(row, sorted(known[row.given["problem"]]))
        for row in examples
    )


def _with_nearest(example: Example, known: Sequence[str]) -> Example:
    found = tokens.nearest(example.given["program"], known)
    near = known[found[0]] if found else None
    return replace(example, wanted={**example.wanted, "nearest": near})


@functools.lru_cache(maxsize=1 << 14)
def syntax_name(program: str) -> str:
    """The name of a program's syntax tree; of its text, blanks aside, where it has none.

    Two programs of one name differ in layout and comments only.
    """
    tree = text.syntax_tree(program)
    return content_name(ast.dump(tree) if tree else " ".join(program.split()), digits=24)
