"""Examples of `hint`: buggy programs as `repair` has them, and hints that people wrote for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from outdo.data.place import content_name
from outdo.records import Example, Split

REPAIR, HINT = "repair", "hint"
TASKS = (REPAIR, HINT)


def for_tasks(repairs: Iterable[Example], tasks: Collection[str]) -> list[Example]:
    """Repair examples for each of the tasks: `hint` has them under ids of its own.

    Group and split stay: nobody is tested on a program that the other task has learnt from. What
    is an example of another task already stays as it is.
    """
    return [
        example if task in (REPAIR, example.task) else _for_hint(example)
        for example in repairs
        for task in TASKS
        if task in tasks
    ]


def _for_hint(example: Example) -> Example:
    wanted = {**example.wanted, "hint": example.wanted.get("hint")}
    return replace(example, id=f"{HINT}/{example.id}", task=HINT, wanted=wanted)


def hint_example(
    *,
    name: str,
    problem: str,
    statement: str,
    preamble: str,
    program: str,
    repair: str | None,
    hint: str | None,
    group: str,
    split: Split,
    source: str,
) -> Example:
    """The example of one buggy program without tests; `hint` is what somebody wrote for it."""
    return Example(
        id=f"{HINT}/{problem}/{name or content_name(program)}",
        task=HINT,
        given={
            "problem": problem,
            "statement": statement,
            "preamble": preamble,
            "program": program,
            "shown": [],
        },
        wanted={"tests": [], "repair": repair, "slip": None, "hint": hint},
        group=group,
        split=split,
        source=source,
    )
