"""Sources of examples: what each kind of data entry in a study means."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from outdo.data.bridges.commits import read_commits
from outdo.data.chats import read_conversations, read_pairs
from outdo.data.commit_pairs import commit_pairs
from outdo.data.examples import with_nearest
from outdo.data.frozen import held_to, read_frozen
from outdo.data.hints import HINT, for_tasks
from outdo.data.inject import inject
from outdo.data.instructions import ids_of, read_instructions
from outdo.data.load import load
from outdo.data.pairs import GENERAL, apart, choices, evened, reworded
from outdo.data.pairs import read_pairs as read_code_pairs
from outdo.data.preferences import first_failures, preferences, shared
from outdo.data.problems import Problem, embedded_problems, read_problems
from outdo.data.pulls import TASKS as PULL_TASKS
from outdo.data.pulls import pull_examples, read_pulls
from outdo.data.repairs import student_repairs
from outdo.data.reviews import read_reviews
from outdo.data.rows import Mistakes
from outdo.data.split import hold_out
from outdo.data.students import read_students
from outdo.data.submissions import Submission, read_problem_set, read_submissions
from outdo.errors import DataError
from outdo.pipeline.protocols import Rows as ReadRows
from outdo.protocols import Runner
from outdo.records import Conversation, Example, Json, Pair, digest, to_json
from outdo.store import file_digest
from outdo.study import Conversations, Data, Folder, Injected, PairRows, Programs, Rows
from outdo.study.sources import Commits, Comparable, Instructions, Pulls, Reviews
from outdo.tasks import drafting
from outdo.tasks.hint import can_be_taught

HINTS = ("hint", "hint-guarded")
"""Names of the task whose examples are those of `hint`."""

VERSION = "3"
"""Names how sources become examples; a change of what comes out of them changes it."""


def content_of(spec: Data, root: Path, *, task: str) -> Json:
    """What decides a data entry's examples beside its settings: content, task, and our own code.

    A folder of students counts by a digest alone, for its files bear the students' names, and by
    the salt that hides them.
    """
    read: Json
    if isinstance(spec, Injected):
        read = digest([to_json(problem) for problem in problems_of(spec.problems, root)])
    elif isinstance(spec, Programs):
        read = [_digest(root / spec.programs), _digest(root / spec.problems)]
    elif isinstance(spec, Instructions):
        read = [_digest(root / path) for path in (spec.path, *spec.apart)]
    elif isinstance(spec, Folder):
        read = digest([_digest(root / spec.path), salt()])
    else:
        read = _digest(root / spec.path)
    if isinstance(spec, Conversations) or spec.frozen is None:
        return {"version": VERSION, "task": task, "read": read}
    frozen = read_frozen(Path(spec.frozen)).digest
    return {"version": VERSION, "task": task, "read": read, "frozen": frozen}


def problems_of(name: str, root: Path) -> tuple[Problem, ...]:
    """The problems of a folder; `embedded` are those that outdo brings along."""
    return embedded_problems() if name == "embedded" else read_problems(root / name)


def _digest(path: Path) -> str:
    """The digest of a file, or of all files of a folder and their names."""
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        return digest([[p.relative_to(path).as_posix(), _digest(p)] for p in files])
    if not path.is_file():
        hint = "paths start from data_root: change it with --set data_root=..."
        raise DataError("there is no such file", hint, where=str(path))
    try:
        return file_digest(path)
    except OSError as error:
        raise DataError(f"the file can't be read: {error.strerror}", where=str(path)) from error


def examples_of(
    spec: Data, root: Path, seed: int, sandbox: Runner, *, task: str
) -> tuple[ReadRows, list[str]]:
    """The examples of a data entry, or its rows to learn from, and what was dropped, in words.

    For the task `prefer` broken programs become choices between them and their repairs, unless the
    entry names tasks of its own.
    """
    if isinstance(spec, Conversations):
        return _as_they_are(spec, root)
    if isinstance(spec, PairRows) and not spec.of_programs([task]):
        return _as_they_are(spec, root)
    examples, notes = _read(spec, root, seed, sandbox, task=task)
    if isinstance(spec, (Injected, Programs, Folder, Rows)):
        examples, left_out = _of_tasks(examples, spec.tasks, task=task, sandbox=sandbox)
        notes = [*notes, *left_out]
    if task == "prefer" and isinstance(spec, (Injected, Programs, Folder)) and not spec.tasks:
        failures = first_failures(examples, sandbox=sandbox)
        beyond: Counter[str] = Counter()
        examples = preferences(examples, seed=seed, failures=failures, dropped=beyond)
        notes = [*notes, *_told(beyond)]
        if known := shared(examples):
            said = f"{known:,} test pairs have the right program of a training pair"
            notes.append(f"{said}: their problems have no other")
    if isinstance(spec, Comparable):
        examples, uneven = _compared(examples, spec, seed=seed)
        notes = [*notes, *uneven]
    if spec.frozen is not None:
        examples = held_to(examples, read_frozen(Path(spec.frozen)), where=spec.frozen)
    return examples, notes


def _compared(
    examples: list[Example], spec: Comparable, *, seed: int
) -> tuple[list[Example], list[str]]:
    """The pairs of programs as the entry wants them, and in words how many that leaves out."""
    if (spec.criterion, spec.comments, spec.lengths) == ("given", "keep", "any"):
        return examples, []
    if not any(example.task == "prefer" for example in examples):
        raise DataError(
            "criterion, comments and lengths are of pairs of programs", "the study's task is prefer"
        )
    criterion = {"given": None, "general": GENERAL, "absent": ""}[spec.criterion]
    shown = _worded(examples, bare=spec.comments == "strip")
    kept = evened(shown, seed=seed) if spec.lengths == "even" else shown
    lost = len(shown) - len(kept)
    return _worded(kept, criterion=criterion), _told(
        {"so that the better program is as often the shorter one": lost} if lost else {}
    )


def _worded(
    examples: list[Example], *, criterion: str | None = None, bare: bool = False
) -> list[Example]:
    """The examples, the pairs of programs among them reworded."""
    return [
        reworded(example, criterion=criterion, bare=bare) if example.task == "prefer" else example
        for example in examples
    ]


def _of_tasks(
    examples: Sequence[Example], tasks: Sequence[str] | None, *, task: str, sandbox: Runner
) -> tuple[list[Example], list[str]]:
    """Repair examples for the tasks that are asked for, and in words whom no hint can be taught."""
    alone = {**dict.fromkeys(HINTS, HINT), "write": "write", "critique": "critique"}
    asked = tasks or [alone.get(task, "repair")]
    if examples and examples[0].task == "repair" and asked != ["repair"]:
        repairs, examples = examples, for_tasks(examples, asked)
        if "write" in asked:
            examples += drafting.instructions(repairs)
        if "critique" in asked:
            failures = first_failures(repairs, sandbox=sandbox)
            examples += drafting.drafts(repairs, failures=failures)
    kept = [row for row in examples if row.split != "train" or can_be_taught(row)]
    lost = len(examples) - len(kept)
    reason = {"programs without a fault that a hint could point at": lost} if lost else {}
    return kept, _told(reason)


def _as_they_are(spec: Conversations | PairRows, root: Path) -> tuple[ReadRows, list[str]]:
    """Conversations or pairs of a file; repeated rows are counted and left out."""
    mistakes = Mistakes(dropping=spec.drop)
    read: Iterable[Conversation] | Iterable[Pair]
    if isinstance(spec, Conversations):
        read = read_conversations(
            root / spec.path, format=spec.format, columns=spec.columns, mistakes=mistakes
        )
    else:
        read = read_pairs(
            root / spec.path, format=spec.format, columns=spec.columns, mistakes=mistakes
        )
    rows = list(read)
    return rows, _told(mistakes.counts)  # type: ignore[return-value]


def _read(
    spec: Injected | Programs | Folder | Rows | PairRows | Pulls | Reviews | Commits | Instructions,
    root: Path,
    seed: int,
    sandbox: Runner,
    *,
    task: str,
) -> tuple[list[Example], list[str]]:
    match spec:
        case Injected():
            return _injected(spec, root, seed, sandbox)
        case Programs():
            problems = read_problem_set(
                root / spec.problems, columns=spec.problem_columns, how=spec.how
            )
            programs = read_submissions(
                root / spec.programs,
                columns=spec.program_columns,
                correct=spec.correct,
                buggy=spec.buggy,
            )
            return _repairs(spec, problems, programs, seed, sandbox)
        case Folder():
            problems, programs = read_students(root / spec.path, salt=salt())
            return _repairs(spec, problems, programs, seed, sandbox)
        case Rows():
            return _rows(spec, root, seed, task)
        case PairRows():
            return _pairs_of_programs(spec, root, seed, task)
        case Pulls():
            return _pulls(spec, root, seed, task)
        case Reviews():
            return _reviews(spec, root)
        case Commits():
            return _commits(spec, root, seed, task)
        case Instructions():
            return _instructions(spec, root, seed, sandbox)


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


def _repairs(
    spec: Programs | Folder,
    problems: Sequence[Problem],
    programs: Sequence[Submission],
    seed: int,
    sandbox: Runner,
) -> tuple[list[Example], list[str]]:
    repairs = student_repairs(
        problems=problems,
        programs=programs,
        seed=seed,
        sandbox=sandbox,
        held_out_per_problem=spec.hold_out,
        injected=spec.inject,
    )
    return list(repairs.examples), _told(repairs.dropped)


def _rows(spec: Rows, root: Path, seed: int, task: str) -> tuple[list[Example], list[str]]:
    if spec.tasks:
        task = "repair" if "repair" in spec.tasks else HINT
    task = HINT if task in HINTS else task
    loaded = load(root / spec.path, task=task, columns=spec.columns, how=spec.how, drop=spec.drop)
    examples = loaded.examples
    if not any(example.split == "test" for example in examples):
        examples = hold_out(examples, per_group=spec.hold_out, seed=seed)
    if task == "repair":
        examples = with_nearest(examples)
    return list(examples), _told(loaded.dropped)


def _pairs_of_programs(
    spec: PairRows, root: Path, seed: int, task: str
) -> tuple[list[Example], list[str]]:
    if task != "prefer":
        problem = f"pairs of programs give no examples of {task!r}"
        raise DataError(problem, "the task is prefer", where=spec.path)
    mistakes = Mistakes(dropping=spec.drop)
    pairs = list(read_code_pairs(root / spec.path, mistakes))
    return choices(apart(pairs, spec.hold_out, seed=seed), seed=seed), _told(mistakes.counts)


def _pulls(spec: Pulls, root: Path, seed: int, task: str) -> tuple[list[Example], list[str]]:
    asked: Sequence[str] = spec.tasks if spec.tasks else [task]
    tasks = [name for name in PULL_TASKS if name in asked]
    if not tasks:
        raise DataError(
            f"pull requests give no examples of {task!r}",
            f"set tasks, some of {', '.join(PULL_TASKS)}",
            where=spec.path,
        )
    mistakes, dropped = Mistakes(dropping=spec.drop), Counter[str]()
    path, columns, licences = root / spec.path, spec.columns, spec.licences
    pulls = list(read_pulls(path, columns=columns, licences=licences, mistakes=mistakes))
    examples = pull_examples(
        pulls,
        tasks=tasks,
        seed=seed,
        inject=spec.inject,
        hold_out=spec.hold_out,
        newest=spec.newest,
        count=spec.count,
        sizes=spec.sizes,
        dropped=dropped,
    )
    return examples, _told(mistakes.counts + dropped)


def _reviews(spec: Reviews, root: Path) -> tuple[list[Example], list[str]]:
    mistakes, dropped = Mistakes(dropping=spec.drop), Counter[str]()
    read = read_reviews(root / spec.path, columns=spec.columns, dropped=dropped, mistakes=mistakes)
    return list(read), _told(mistakes.counts + dropped)


def _commits(spec: Commits, root: Path, seed: int, task: str) -> tuple[list[Example], list[str]]:
    if task != "prefer":
        raise DataError(
            f"commits give no examples of {task!r}", "the task is prefer", where=spec.path
        )
    mistakes, dropped = Mistakes(dropping=spec.drop), Counter[str]()
    pairs = commit_pairs(
        read_commits(root / spec.path, mistakes=mistakes),
        seed=seed,
        hold_out=spec.hold_out,
        count=spec.count,
        dropped=dropped,
    )
    return choices(pairs, seed=seed), _told(mistakes.counts + dropped)


def _instructions(
    spec: Instructions, root: Path, seed: int, sandbox: Runner
) -> tuple[list[Example], list[str]]:
    read = read_instructions(
        root / spec.path,
        form=spec.form,
        columns=spec.columns,
        seed=seed,
        hold_out=None if spec.hold_out == "all" else spec.hold_out,
        most=spec.plus,
        apart={name for path in spec.apart for name in ids_of(root / path)},
        sandbox=sandbox,
        mistakes=Mistakes(dropping=spec.drop),
    )
    return list(read.examples), _told(read.dropped)


def _told(dropped: Mapping[str, int]) -> list[str]:
    """What was left out, in words."""
    told = sorted((reason, count) for reason, count in dropped.items() if count)
    return [f"{count:,} left out: {reason}" for reason, count in told]


def salt() -> str:
    """The secret that pseudonyms are made with: `OUTDO_SALT`, or one of this user's own.

    It is drawn once and kept where only the user can read it, so that a student has the same
    pseudonym in every study made here, and nobody who has the studies alone can undo it.
    """
    if given := os.environ.get("OUTDO_SALT"):
        return given
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    path = home / "outdo" / "salt"
    if not path.is_file():
        try:
            _draw_salt(path)
        except OSError as error:
            problem = f"the salt for pseudonyms can't be kept: {error.strerror}"
            raise DataError(problem, "set OUTDO_SALT", where=str(path)) from error
    return path.read_text("ascii")


def _draw_salt(path: Path) -> None:
    """Put a new secret in its place, whole, unless another process was faster."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, aside = tempfile.mkstemp(dir=path.parent)  # for its owner's eyes alone
    try:
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(secrets.token_hex(16))
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    finally:
        Path(aside).unlink()
