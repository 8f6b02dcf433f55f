"""Sources of examples: what each kind of data entry in a study means."""

from __future__ import annotations

from pathlib import Path

from outdo.data.inject import inject
from outdo.data.problems import Problem, embedded_problems, read_problems
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
    raise NotImplementedError


def _injected(
    spec: Injected, root: Path, seed: int, sandbox: Runner
) -> tuple[list[Example], list[str]]:
    examples = inject(
        problems_of(spec.problems, root),
        count=spec.count,
        held_out_per_problem=spec.test_per_problem,
        unseen_per_problem=spec.test_per_held_out,
        double=spec.double,
        seed=seed,
        sandbox=sandbox,
    )
    return list(examples), []
