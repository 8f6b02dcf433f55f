"""A benchmark of preferences of our own, made anew on any machine: verified pairs of one style.

Each pair is a program and the same program made worse, so that no author's style gives it away: a
bug that a test shows, a slower way that is measured, a weakness that a rule finds. Nor does length:
of each criterion the better program is as often the longer one as the shorter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import yaml

import outdo
from outdo.data.pairs import CodePair
from outdo.data.place import read_text
from outdo.data.problems import Problem
from outdo.data.trial import Runs
from outdo.data.verified import Code, correct, faster, safer
from outdo.data.verified.evened import evened
from outdo.data.verified.faster import VARIANTS
from outdo.data.verified.findings import signature
from outdo.errors import MissingExtra
from outdo.records import digest

VERSION = "2"
"""Names how the pairs are made; a change of what comes out of it changes it."""
SAFE = Path(outdo.__file__).parent / "embedded" / "safe_programs.yaml"
"""Programs that come with outdo, each safe where such programs often aren't."""


def own_pairs(
    problems: Sequence[Problem],
    *,
    seed: int,
    sandbox: Runs,
    per_problem: int = 3,
    dropped: Counter[str] | None = None,
) -> list[CodePair]:
    """Pairs of each criterion, about `per_problem` of each problem, all of them to test with.

    `dropped` counts what gave no pair, and why; without Bandit there are no pairs of security.
    """
    dropped = Counter() if dropped is None else dropped
    count = per_problem * len(problems)
    right = correct(problems, count=count, seed=seed, sandbox=sandbox)
    fast = faster(problems, seed=seed, sandbox=sandbox, per_problem=per_problem, dropped=dropped)
    same_style = [one for one in fast if one.source == VARIANTS]
    dropped["efficiency pairs of two authors"] += len(fast) - len(same_style)
    made = [*right, *same_style, *_safe(seed=seed, per_problem=per_problem, dropped=dropped)]
    order = sorted(made, key=lambda one: (one.criterion, digest([seed, one.id])))
    tests = [replace(one, split="test") for one in order]
    return evened(tests, seed=seed, dropped=dropped)


def made_of() -> dict[str, str]:
    """What decides which pairs come out, beside problems, settings and the seed."""
    try:
        rules = signature()
    except MissingExtra:
        rules = "none"
    return {"pairs": VERSION, "programs": digest(read_text(SAFE)), "rules": rules}


def safe_programs() -> list[Code]:
    """The safe programs that come with outdo, a group each."""
    rows = yaml.safe_load(read_text(SAFE))
    return [
        Code(
            id=row["name"],
            group=row["name"],
            code=row["code"],
            statement=row["statement"],
            split="test",
        )
        for row in rows
    ]


def _safe(*, seed: int, per_problem: int, dropped: Counter[str]) -> list[CodePair]:
    try:
        return safer(safe_programs(), per_program=per_problem, seed=seed, dropped=dropped)
    except MissingExtra as error:
        dropped[f"pairs of security: {error}"] += 1
        return []
