"""Programs that were handed in for problems: read from rows, tried, and sorted by what they do.

What a data set says of a program ("correct", "wrong") is a claim. The tests decide: a program
that is said to be wrong and passes, or the other way round, is left out and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from outdo.data.load import (
    SAME_AGAIN,
    checked_program,
    mapped,
    own_id,
    problem_of_row,
    unrepeated,
)
from outdo.data.place import Place, content_name
from outdo.data.problems import Problem, read_problem, read_problems
from outdo.data.rows import Mistakes, read_rows
from outdo.data.trial import LIMITS, Runs, trials
from outdo.errors import DataError
from outdo.records import Json, Limits

Claim = Literal["correct", "buggy"]

PASSES_THOUGH_BUGGY = "said to be buggy, but passes every test"
FAILS_THOUGH_CORRECT = "said to be correct, but fails a test"
SEEN_OTHERWISE = "passes here and not at its source, or the other way round"
OTHER_KIND = "neither of the kinds that are kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A program handed in for a problem; `group` is its author, where that is known.

    `claim` is what its source says of it, `passed` whether its source saw it pass.
    """

    problem: str
    id: str
    code: str
    group: str | None = None
    claim: Claim | None = None
    passed: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """Submissions by what the tests say, and how many were left out for which reason."""

    buggy: tuple[Submission, ...]
    correct: tuple[Submission, ...]
    dropped: Mapping[str, int]


def read_problem_set(
    path: Path | str, *, columns: Mapping[str, str] | None = None, how: str = ""
) -> tuple[Problem, ...]:
    """The problems of a folder of YAML files, of one such file, or of a data file's rows.

    `columns` maps the fields of a problem (`problem` is its name, `reference` a solution) to
    columns; `how` is that of tests which don't say.
    """
    path = Path(path)
    if path.is_dir() and any(path.glob("*.yaml")):
        return read_problems(path)
    if path.suffix == ".yaml":
        return (read_problem(path),)
    problems: dict[str, Problem] = {}
    places: dict[str, Place] = {}
    for row in read_rows(path):
        problem = problem_of_row(mapped(row, columns), row.place, how=how)
        unrepeated(problem.name, row.place, places)
        problems[problem.name] = problem
    return tuple(problems.values())


def read_submissions(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    correct: Collection[str] = (),
    buggy: Collection[str] = (),
    mistakes: Mistakes | None = None,
) -> tuple[Submission, ...]:
    """The programs of a data file, by id.

    `columns` maps `problem`, `program`, and where they are known `id`, `group`, `kind` and
    `passed`. With `kind`, rows whose kind is among `correct` or `buggy` are kept, the others
    counted in `mistakes`.
    """
    mistakes = mistakes or Mistakes()
    kinds: dict[str, Claim] = dict.fromkeys(correct, "correct")
    kinds.update(dict.fromkeys(buggy, "buggy"))
    found: list[Submission] = []
    places: dict[str, Place] = {}
    for row in read_rows(path, mistakes):
        try:
            fields = mapped(row, columns)
            if kinds and fields.get("kind") not in kinds:
                mistakes.drop(OTHER_KIND, where=row.place.at())
                continue
            each = _submission(fields, row.place, kinds.get(str(fields.get("kind"))))
        except DataError as error:
            mistakes.tell(error)
            continue
        key = f"{each.problem}/{each.id}"
        if key in places and not own_id(fields):
            mistakes.drop(SAME_AGAIN, where=row.place.at())
            continue
        unrepeated(key, row.place, places)
        found.append(each)
    return tuple(sorted(found, key=lambda each: (each.problem, each.id)))


def _submission(fields: Mapping[str, Json], place: Place, claim: Claim | None) -> Submission:
    if not fields.get("problem"):
        raise place.error("the row names no problem", "map a column to problem")
    code = checked_program(fields.get("program"), place)
    group, passed = fields.get("group"), fields.get("passed")
    if not isinstance(passed, bool | None):
        raise place.error("passed must be true, false or null")
    return Submission(
        problem=str(fields["problem"]),
        id=own_id(fields) or content_name(f"{group}/{code}"),
        code=code,
        group=None if group is None else str(group),
        claim=claim,
        passed=passed,
    )


def sort_out(
    submissions: Iterable[Submission],
    problems: Sequence[Problem],
    *,
    sandbox: Runs | None,
    limits: Limits = LIMITS,
) -> Sorted:
    """The submissions by whether they pass all tests of their problem.

    With a sandbox they are run, and those on which it and the source disagree are left out;
    without one, what their source saw (`passed`) counts. Raises DataError if a problem isn't
    known, or neither a sandbox nor `passed` can tell.
    """
    every = list(submissions)
    by_name = {problem.name: problem for problem in problems}
    for each in every:
        if each.problem not in by_name:
            raise DataError(
                f"the program {each.id!r} is for the problem {each.problem!r}, which isn't there",
                f"known are {', '.join(sorted(by_name)[:9])}",
            )
    if sandbox is None:
        passed = [_claimed(each) for each in every]
    else:
        programs = [(by_name[each.problem], each.code) for each in every]
        passed = [trial.passed for trial in trials(programs, sandbox=sandbox, limits=limits)]
    dropped: Counter[str] = Counter()
    kept: dict[bool, list[Submission]] = {True: [], False: []}
    for each, passes in zip(every, passed, strict=True):
        if reason := _contradiction(each, passes):
            dropped[reason] += 1
        else:
            kept[passes].append(each)
    return Sorted(buggy=tuple(kept[False]), correct=tuple(kept[True]), dropped=dropped)


def _contradiction(each: Submission, passes: bool) -> str | None:
    """How what a program does here contradicts what its source says of it, if it does."""
    if each.claim == "buggy" and (passes or each.passed):
        return PASSES_THOUGH_BUGGY
    if each.claim == "correct" and (not passes or each.passed is False):
        return FAILS_THOUGH_CORRECT
    return None if each.passed in (None, passes) else SEEN_OTHERWISE


def _claimed(each: Submission) -> bool:
    if each.passed is None:
        raise DataError(
            f"whether {each.problem}/{each.id} passes isn't known",
            "give a sandbox, or map a column to passed",
        )
    return each.passed
