"""Verified slips as repair examples: each fails a test, and its repair passes them all.

What is tried and kept depends on the seed and the problems alone, never on how many workers ran
or in which order they answered: candidates are drawn up beforehand and kept in that order.
"""

from __future__ import annotations

import ast
import itertools
import math
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from outdo.data.examples import repair_example, with_nearest
from outdo.data.inject.slips import Draft, Slip, difference, drafts, normalised
from outdo.data.inject.trees import called, functions, loops, nodes
from outdo.data.problems import Problem
from outdo.data.split import hold_out
from outdo.data.trial import Runs, trials
from outdo.errors import DataError
from outdo.records import Example, Json, Limits

LIMITS = Limits(seconds=20.0, cpu_seconds=0.5)
"""Exercises take milliseconds; the clock is generous, for CPU time alone is the program's own."""

ENDLESS_SHARE = 0.015
"""How many of the slips that are wanted may run into the time limit: each costs
all of its CPU time."""

LOOPS_FOR_ONE_ENDLESS = 5
"""How many programs that may go on for ever are tried for one that is likely to."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    slip: Slip
    repair: str
    may_loop: bool


@dataclass(slots=True)
class _Vein:
    """A problem, the slips that are still to be tried, and those that have proved true."""

    problem: Problem
    wanted: int
    coming: Iterator[_Candidate]
    waiting: list[_Candidate] = field(default_factory=list)
    found: list[_Candidate] = field(default_factory=list)
    dry: bool = False

    @property
    def owed(self) -> int:
        return max(0, self.wanted - len(self.found))

    @property
    def spent(self) -> bool:
        return self.dry and not self.waiting

    def take(self, number: int, *, endless: int) -> list[_Candidate]:
        """The next candidates, of which at most `endless` may go on for ever; others wait."""
        ready = min(endless, number)
        taken, self.waiting = self.waiting[:ready], self.waiting[ready:]
        endless -= len(taken)
        while len(taken) < number:
            each = next(self.coming, None)
            if each is None:
                self.dry = True
                break
            if each.may_loop and not endless:
                self.waiting.append(each)
            else:
                taken.append(each)
                endless -= each.may_loop
        return taken


def inject(
    problems: Sequence[Problem],
    *,
    seed: int,
    sandbox: Runs,
    count: int | None = None,
    per_problem: int | None = None,
    unseen_per_problem: int | None = None,
    held_out_per_problem: int = 0,
    double: float = 0.0,
    limits: Limits = LIMITS,
) -> tuple[Example, ...]:
    """Repair examples made by breaking the problems' solutions, by problem, balanced over slips.

    `count` is the number over all problems, `per_problem` that of each; `unseen_per_problem`
    replaces it for problems that are held out, all of whose examples are for testing. Of every
    other problem `held_out_per_problem` examples are for testing, the rest for training.
    `double` is the share of programs with two slips. Where a problem allows no more slips, there
    are fewer. Raises DataError if a solution fails its tests, or none could be broken.
    """
    _prove_solutions(problems, sandbox=sandbox, limits=limits)
    veins = [
        _Vein(problem, wanted, _candidates(problem, seed=seed, double=double))
        for problem, wanted in zip(
            problems, _shares(problems, count, per_problem, unseen_per_problem), strict=True
        )
    ]
    _mine(veins, count=count, sandbox=sandbox, limits=limits)
    if not any(vein.found for vein in veins):
        raise DataError("no slip makes any of these programs fail", "give more or harder tests")
    examples = [_example(vein.problem, each) for vein in veins for each in vein.found]
    seen = [example for example in examples if example.split == "train"]
    held = hold_out(seen, per_group=held_out_per_problem, seed=seed)
    return with_nearest([*held, *(each for each in examples if each.split == "test")])


def _shares(
    problems: Sequence[Problem],
    count: int | None,
    per_problem: int | None,
    unseen_per_problem: int | None,
) -> list[int]:
    """How many examples are wanted of each problem."""
    if (count is None) == (per_problem is None):
        raise DataError("how many slips are wanted isn't said", "give count or per_problem")
    shares = [unseen_per_problem if problem.held_out else None for problem in problems]
    fixed = [share for share in shares if share is not None]
    if count is None:
        rest = [per_problem or 0] * len(shares)
    else:
        rest = _even(max(0, count - sum(fixed)), len(shares) - len(fixed))
    parts = iter(rest)
    return [next(parts) if share is None else share for share in shares]


def _even(total: int, parts: int) -> list[int]:
    """A total in parts that differ by one at most."""
    return [total // parts + (part < total % parts) for part in range(parts)]


def _prove_solutions(problems: Sequence[Problem], *, sandbox: Runs, limits: Limits) -> None:
    """Refuse a problem whose own solutions fail: then the tests or the harness are wrong."""
    for problem in problems:
        if not problem.solutions:
            raise DataError(f"the problem {problem.name!r} has no solution to break")
    programs = [(problem, normalised(code)) for problem in problems for code in problem.solutions]
    for (problem, code), trial in zip(
        programs, trials(programs, sandbox=sandbox, limits=limits), strict=True
    ):
        if not trial.passed:
            number = [normalised(each) for each in problem.solutions].index(code) + 1
            raise DataError(
                f"solution {number} of {problem.name!r} fails its own tests"
                + (f" (cut off: {trial.cut})" if trial.cut else ""),
                "mend the solution or the tests",
            )


# ------------------------------------------------------------------ drawing up


def _candidates(problem: Problem, *, seed: int, double: float) -> Iterator[_Candidate]:
    """All slips of all solutions in the order of trial: in turn one of each operator."""
    draw = random.Random(f"{seed}/{problem.name}")
    origins = list(dict.fromkeys(normalised(code) for code in problem.solutions))
    by_operator: dict[str, list[Draft]] = defaultdict(list)
    for origin in origins:
        for draft in drafts(origin):
            by_operator[draft.operator].append(draft)
    for group in by_operator.values():
        draw.shuffle(group)
    names = sorted(by_operator)
    draw.shuffle(names)
    known = set(origins)
    for turn in itertools.zip_longest(*(by_operator[name] for name in names)):
        for draft in turn:
            slip = draft and draft.slip()
            if slip and draw.random() < double:
                slip = _with_second(slip, draft.origin, draw)
            if slip and slip.code not in known:
                known.add(slip.code)
                yield _Candidate(slip, draft.origin, _may_loop(slip.code))


def _with_second(first: Slip, origin: str, draw: random.Random) -> Slip | None:
    """A slip made in what a first one left, told as one: from the origin to the end."""
    second = draw.choice(drafts(first.code)).slip()
    if second is None or second.code == origin:
        return None
    name = f"{first.operator} + {second.operator}"
    return difference(name, origin=origin, broken=second.code)


def _may_loop(code: str) -> bool:
    """Whether the program has what can go on for ever: `while`, recursion, a list that grows."""
    if re.search(r"^\s*while\b", code, re.MULTILINE):
        return True
    tree = ast.parse(code)
    for function in functions(tree):
        if any(called(call, function.name) for call in nodes(function, ast.Call)):
            return True
    for loop in loops(tree):
        walked = ast.dump(loop.iter) if isinstance(loop, ast.For) else ""
        for name in nodes(loop, ast.Attribute):
            if name.attr in ("append", "extend", "insert") and ast.dump(name.value) == walked:
                return True
    return False


# ------------------------------------------------------------------ trying


def _mine(veins: Sequence[_Vein], *, count: int | None, sandbox: Runs, limits: Limits) -> None:
    """Fill every vein with slips that fail; of a `count`, the others make up for a poor one."""
    total = sum(vein.wanted for vein in veins)
    endless = max(4, round(total * ENDLESS_SHARE))
    while True:
        while wave := _wave(veins, endless=endless):
            endless -= _try(wave, sandbox=sandbox, limits=limits)
        rich = [vein for vein in veins if not (vein.owed or vein.spent)]
        missing = sum(vein.owed for vein in veins)
        if count is None or not missing or not rich:
            break
        for vein in veins:
            vein.wanted -= vein.owed
        for vein, more in zip(rich, _even(missing, len(rich)), strict=True):
            vein.wanted += more
    for vein in veins:
        del vein.found[vein.wanted :]


def _wave(veins: Sequence[_Vein], *, endless: int) -> list[tuple[_Vein, _Candidate]]:
    """The candidates to try next: somewhat more than are owed, for some do no harm."""
    loops_each = max(1, LOOPS_FOR_ONE_ENDLESS * endless // len(veins)) if endless > 0 else 0
    return [
        (vein, each)
        for vein in veins
        if vein.owed
        for each in vein.take(math.ceil(vein.owed * 1.3) + 1, endless=loops_each)
    ]


def _try(wave: Sequence[tuple[_Vein, _Candidate]], *, sandbox: Runs, limits: Limits) -> int:
    """How many of the wave never ended; those that fail are found."""
    programs = [(vein.problem, each.slip.code) for vein, each in wave]
    tried = trials(programs, sandbox=sandbox, limits=limits)
    for (vein, each), trial in zip(wave, tried, strict=True):
        # What ate up its memory or broke the interpreter isn't a slip that anybody learns from.
        if not trial.passed and trial.cut in (None, "time"):
            vein.found.append(each)
    return sum(trial.cut == "time" for trial in tried)


# ------------------------------------------------------------------ telling


def _example(problem: Problem, each: _Candidate) -> Example:
    slip = each.slip
    told: dict[str, Json] = {
        "operator": slip.operator,
        "line": slip.line,
        "column": slip.column,
        "before": slip.before,
        "after": slip.after,
    }
    return repair_example(
        problem,
        slip.code,
        name=slip.operator.replace(" ", ""),
        source="inject",
        group=problem.name,
        split="test" if problem.held_out else "train",
        repair=each.repair,
        slip=told,
    )
