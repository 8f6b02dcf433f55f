"""Programs tried on the tests of their problems: who passes, who fails, who was cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from outdo.data.problems import Problem
from outdo.records import Cut, Limits, Outcome, Program

LIMITS = Limits(seconds=20.0, cpu_seconds=1.0)
"""Short in CPU time, which other work on the machine doesn't touch, and long on the clock."""


class Runs(Protocol):
    """What is asked of a sandbox: programs in, their outcomes out, in any order."""

    def run(self, programs: Iterable[Program], /) -> Iterator[tuple[int, Outcome]]: ...


@dataclass(frozen=True, slots=True)
class Trial:
    """Whether a program passed all tests of its problem, and what cut it off, if anything did."""

    passed: bool
    cut: Cut | None


def trials(
    programs: Sequence[tuple[Problem, str]], *, sandbox: Runs, limits: Limits = LIMITS
) -> list[Trial]:
    """One trial for each program on its problem's tests, in the order of the programs.

    A program that stands several times is run once.
    """
    distinct = list(dict.fromkeys((problem.name, code) for problem, code in programs))
    by_name = {problem.name: problem for problem, _ in programs}
    found: dict[tuple[str, str], Trial] = {}
    asked = [by_name[name].program(code, limits=limits) for name, code in distinct]
    for index, outcome in sandbox.run(asked):
        passed = by_name[distinct[index][0]].passes(outcome)
        found[distinct[index]] = Trial(passed, outcome.cut)
    return [found[problem.name, code] for problem, code in programs]
