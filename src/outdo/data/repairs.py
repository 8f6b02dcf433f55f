"""Real repair examples: each buggy program with the nearest correct one as its repair.

A student's program is best mended towards the nearest program that somebody got right. Only
training rows may give it; a problem that is left out of training has no such program.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from outdo import text, tokens
from outdo.data.examples import repair_example, syntax_name
from outdo.data.inject import inject, normalised
from outdo.data.problems import Problem
from outdo.data.split import hold_out, problem_of
from outdo.data.submissions import Submission, sort_out
from outdo.data.trial import Runs
from outdo.errors import DataError
from outdo.records import Example

SOURCE = "submissions"

MOST_BROKEN = 60
"""How many correct programs of a problem are drawn to have slips put into them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """Repair examples, split, and how many programs were left out for which reason."""

    examples: tuple[Example, ...]
    dropped: Mapping[str, int]


def student_repairs(
    *,
    problems: Sequence[Problem],
    programs: Sequence[Submission],
    seed: int,
    sandbox: Runs | None = None,
    held_out_per_problem: int = 25,
    normalise: bool = True,
    injected: int = 0,
    source: str = SOURCE,
) -> Repairs:
    """The buggy programs as examples, some of each problem held out for testing.

    Without a sandbox, what the programs' source saw decides which are buggy. `normalise` writes
    all programs by `ast.unparse`, those that have a syntax tree. `injected` training rows are
    made by breaking correct programs (needs a sandbox).
    """
    rows = real_pairs(problems, programs, sandbox=sandbox, normalise=normalise, source=source)
    split = hold_out(rows.examples, per_group=held_out_per_problem, seed=seed)
    examples = _with_what_is_known(split, rows, injected=injected, seed=seed, sandbox=sandbox)
    return Repairs(examples=examples, dropped=rows.dropped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairs:
    """Every buggy program as an example not yet split, its `repair` the nearest correct program.

    `correct` holds the distinct correct programs of each problem.
    """

    examples: tuple[Example, ...]
    problems: tuple[Problem, ...]
    correct: Mapping[str, tuple[str, ...]]
    dropped: Mapping[str, int]


def real_pairs(
    problems: Sequence[Problem],
    programs: Sequence[Submission],
    *,
    sandbox: Runs | None,
    normalise: bool = True,
    source: str = SOURCE,
) -> Pairs:
    """The buggy programs, each with the nearest correct one of the same problem as its repair.

    A problem that nobody got right gives its reference, if it has one. Raises DataError if no
    program is buggy, or a program's problem isn't known.
    """
    sorted_out = sort_out(programs, problems, sandbox=sandbox)
    if not sorted_out.buggy:
        raise DataError("no program fails a test", "there is nothing to repair")
    by_name = {problem.name: problem for problem in problems}
    shape = written if normalise else str
    correct: dict[str, dict[str, None]] = {name: {} for name in by_name}
    for each in sorted_out.correct:
        correct[each.problem][shape(each.code)] = None
    pools = {name: tuple(sorted(codes)) for name, codes in correct.items()}
    nearest = _Nearest({name: codes or by_name[name].solutions for name, codes in pools.items()})
    examples = tuple(
        repair_example(
            by_name[each.problem],
            program,
            name=each.id,
            source=source,
            group=each.group or each.problem,
            repair=nearest.of(each.problem, program),
        )
        for each in sorted_out.buggy
        for program in [shape(each.code)]
    )
    return Pairs(
        examples=examples, problems=tuple(problems), correct=pools, dropped=sorted_out.dropped
    )


def written(code: str) -> str:
    """The code as `ast.unparse` writes it, or as it stands if it has no syntax tree."""
    return code if text.syntax_tree(code) is None else normalised(code)


class _Nearest:
    """The nearest program of a problem, looked for once for each distinct program."""

    def __init__(self, pools: Mapping[str, Sequence[str]]) -> None:
        self.pools = pools
        self.known: dict[tuple[str, str], str | None] = {}

    def of(self, problem: str, program: str) -> str | None:
        if (problem, program) not in self.known:
            found = tokens.nearest(program, self.pools[problem])
            self.known[problem, program] = self.pools[problem][found[0]] if found else None
        return self.known[problem, program]


def _with_what_is_known(
    split: Sequence[Example], pairs: Pairs, *, injected: int, seed: int, sandbox: Runs | None
) -> tuple[Example, ...]:
    """The rows with `nearest` where training knows the problem, and injected rows after them."""
    trained = {problem_of(row) for row in split if row.split == "train"}
    rows = [
        replace(row, wanted={**row.wanted, "nearest": row.wanted["repair"]})
        if problem_of(row) in trained
        else row
        for row in split
    ]
    if not injected:
        return tuple(rows)
    if sandbox is None:
        raise DataError("injected rows can't be verified", "give a sandbox")
    broken = inject(_to_break(pairs, trained, seed), count=injected, seed=seed, sandbox=sandbox)
    tested = {syntax_name(row.given["program"]) for row in rows if row.split == "test"}
    return (*rows, *(row for row in broken if syntax_name(row.given["program"]) not in tested))


def _to_break(pairs: Pairs, trained: Collection[str], seed: int) -> list[Problem]:
    """The trained problems, their solutions a draw from the correct programs with syntax trees."""
    problems = []
    for problem in pairs.problems:
        codes = [code for code in pairs.correct[problem.name] if text.syntax_tree(code)]
        if codes and problem.name in trained:
            draw = random.Random(f"{seed}/{problem.name}")
            chosen = tuple(draw.sample(codes, min(len(codes), MOST_BROKEN)))
            problems.append(replace(problem, solutions=chosen, held_out=False))
    return problems
