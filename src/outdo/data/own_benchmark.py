"""A benchmark of preferences of our own, made anew on any machine: verified pairs of one style.

Each pair is a program and the same program made worse, so that neither length nor its author's
style gives it away: a bug that a test shows, or a slower way that is measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from outdo.data.inject import inject
from outdo.data.pairs import CodePair
from outdo.data.preferences import first_failures, pairs_of
from outdo.data.problems import Problem
from outdo.data.trial import Runs
from outdo.data.verified.faster import VARIANTS, faster
from outdo.records import digest

VERSION = "1"
"""Names how the pairs are made; a change of what comes out of it changes it."""


def own_pairs(
    problems: Sequence[Problem],
    *,
    seed: int,
    sandbox: Runs,
    per_problem: int = 3,
    dropped: Counter[str] | None = None,
) -> list[CodePair]:
    """Pairs of each criterion, at most `per_problem` of each problem, all of them to test with.

    `dropped` counts what gave no pair, and why.
    """
    dropped = Counter() if dropped is None else dropped
    correct = _correct(problems, seed=seed, sandbox=sandbox, per_problem=per_problem)
    fast = faster(problems, seed=seed, sandbox=sandbox, per_problem=per_problem, dropped=dropped)
    same_style = [one for one in fast if one.source == VARIANTS]
    dropped["efficiency pairs of two authors"] += len(fast) - len(same_style)
    made = [*correct, *same_style]
    order = sorted(made, key=lambda one: (one.criterion, digest([seed, one.id])))
    return [replace(one, split="test") for one in order]


def _correct(
    problems: Sequence[Problem], *, seed: int, sandbox: Runs, per_problem: int
) -> list[CodePair]:
    """Programs with a bug put in, beside themselves without it."""
    broken = inject(problems, per_problem=per_problem, seed=seed, sandbox=sandbox)
    return pairs_of(broken, failures=first_failures(broken, sandbox=sandbox))
