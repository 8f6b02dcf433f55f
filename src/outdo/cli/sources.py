"""Sources of examples: what each kind of data entry in a study means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from outdo.data.inject import inject
from outdo.data.problems import Problem, embedded_problems, read_problems
from outdo.data.repairs import student_repairs
from outdo.data.submissions import read_problem_set, read_submissions
from outdo.errors import DataError
from outdo.pipeline.protocols import Runner
from outdo.records import Example, Json, digest, to_json
from outdo.store import file_digest
from outdo.study import Data, Injected, Programs


def content_of(spec: Data, root: Path) -> Json:
    """What a data entry reads, by content: its problems, or the digests of its files."""
    if isinstance(spec, Injected):
        return digest([to_json(problem) for problem in problems_of(spec.problems, root)])
    paths = [spec.programs, spec.problems] if isinstance(spec, Programs) else [spec.path]
    return [_digest(root / path) for path in paths]


def problems_of(name: str, root: Path) -> tuple[Problem, ...]:
    """The problems of a folder; `embedded` are those that outdo brings along."""
    return embedded_problems() if name == "embedded" else read_problems(root / name)


def _digest(path: Path) -> Json:
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        return {p.relative_to(path).as_posix(): file_digest(p) for p in files}
    if not path.is_file():
        hint = "paths start from data_root: change it with --set data_root=..."
        raise DataError("there is no such file", hint, where=str(path))
    return file_digest(path)


def examples_of(
    spec: Data, root: Path, seed: int, sandbox: Runner
) -> tuple[list[Example], list[str]]:
    """The examples of a data entry, and what was dropped on the way, in words."""
    if isinstance(spec, Injected):
        return _injected(spec, root, seed, sandbox)
    if isinstance(spec, Programs):
        return _programs(spec, root, seed, sandbox)
    raise NotImplementedError


def _injected(
    spec: Injected, root: Path, seed: int, sandbox: Runner
) -> tuple[list[Example], list[str]]:
    problems = problems_of(spec.problems, root)
    examples = inject(
        problems,
        count=spec.count,
        held_out_per_problem=spec.test_per_problem,
        unseen_per_problem=spec.test_per_held_out,
        double=spec.double,
        seed=seed,
        sandbox=sandbox,
    )
    held_out = {problem.name for problem in problems if problem.held_out}
    return [_told_apart(example, held_out) for example in examples], []


def _told_apart(example: Example, held_out: set[str]) -> Example:
    """The example, its source saying whether training sees its problem at all."""
    seen = "problems never seen" if example.given["problem"] in held_out else "problems seen"
    return replace(example, source=seen)


def _programs(
    spec: Programs, root: Path, seed: int, sandbox: Runner
) -> tuple[list[Example], list[str]]:
    repairs = student_repairs(
        problems=read_problem_set(root / spec.problems, columns=spec.problem_columns, how=spec.how),
        programs=read_submissions(
            root / spec.programs,
            columns=spec.program_columns,
            correct=spec.correct,
            buggy=spec.buggy,
        ),
        seed=seed,
        sandbox=sandbox,
        held_out_per_problem=spec.hold_out,
        injected=spec.inject,
    )
    return list(repairs.examples), _told(repairs.dropped)


def _told(dropped: Mapping[str, int]) -> list[str]:
    """What was left out, in words."""
    return [f"{count:,} left out: {reason}" for reason, count in sorted(dropped.items())]
