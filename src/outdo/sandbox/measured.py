"""Runs in the sandbox, as the main file: what programs cost on inputs that grow.

Standard library alone. It measures programs that nobody trusts: what it returns is their claim,
and only costs of programs that passed their tests elsewhere are asked for.
"""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

BATCH_NS = 300_000
"""Calls are repeated within a round until they take about as long as this."""

ENOUGH_NS = 100_000_000
"""A program that takes this long on an input isn't taken to a larger one."""

Arguments = tuple[list[Any], dict[str, Any]]


class Enough(BaseException):
    """More bytecodes than are counted."""


def measured(
    sources: Sequence[str], entry: str, calls: Sequence[Arguments], most: int, rounds: int
) -> list[list[tuple[int, list[int]]]]:
    """For each program, by call: bytecodes (-1: more than `most`) and nanoseconds of each round.

    A program that raises or disagrees with the first has an empty list. One that is too slow has
    a shorter list than there are calls.
    """
    functions = [loaded(source, entry) for source in sources]
    found: list[list[tuple[int, list[int]]]] = [[] for _ in sources]
    going = [place for place, function in enumerate(functions) if function]
    failed = set(range(len(sources))) - set(going)
    for call in calls:
        wanted: Any = None
        counted: dict[int, int] = {}
        for place in going:
            steps, outcome = followed(functions[place], call, most)
            counted[place] = steps
            if steps >= 0:
                if outcome[0] != "returned" or (wanted is not None and outcome != wanted):
                    failed.add(place)
                wanted = wanted or outcome
        going = [place for place in going if place not in failed]
        whole = [place for place in going if counted[place] >= 0]
        spent = clocked([functions[place] for place in whole], call, rounds)
        times = dict(zip(whole, spent, strict=True))
        for place in going:
            found[place].append((counted[place], times.get(place, [])))
        going = [place for place in whole if min(times[place]) < ENOUGH_NS]
    return [[] if place in failed else row for place, row in enumerate(found)]


def loaded(source: str, entry: str) -> Callable[..., Any] | None:
    """The function of a program; None if it can't be had."""
    space: dict[str, Any] = {"__name__": "main"}
    try:
        exec(compile(source, "program.py", "exec", dont_inherit=True), space)
    except BaseException:
        return None
    return space.get(entry)


def followed(function: Any, call: Arguments, most: int) -> tuple[int, tuple[str, Any, Any]]:
    """The bytecodes of a call, and what came of it with the arguments as they then are."""
    count = 0

    def step(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if event == "opcode":
            count += 1
            if count > most:
                raise Enough
        return step

    arguments, keywords = copy.deepcopy(call)
    before = sys.gettrace()
    try:
        sys.settrace(step)
        value = function(*arguments, **keywords)
        sys.settrace(before)
        return count, ("returned", value, arguments)
    except Enough:
        return -1, ("stopped", None, None)
    except BaseException as error:
        return count, ("raised", type(error).__name__, None)
    finally:
        sys.settrace(before)


def clocked(functions: Sequence[Any], call: Arguments, rounds: int) -> list[list[int]]:
    """The nanoseconds of CPU that each function takes for a call, round by round, in turn."""
    times = [max(1, BATCH_NS // max(1, once(function, call, 1))) for function in functions]
    found: list[list[int]] = [[] for _ in functions]
    for _ in range(rounds):
        for place, function in enumerate(functions):
            found[place].append(once(function, call, min(times[place], 50)))
    return found


def once(function: Any, call: Arguments, times: int) -> int:
    """The nanoseconds of CPU of one call, out of several on copies of its arguments."""
    copies = [copy.deepcopy(call) for _ in range(times)]
    begun = time.thread_time_ns()  # that of the process moves in ticks once its CPU time is limited
    for arguments, keywords in copies:
        function(*arguments, **keywords)
    return (time.thread_time_ns() - begun) // times
