"""A folder of students' programs with its tests, the students' names kept out of every row.

    programs/<student>/<problem>.py   or   programs/<problem>/<student>.py
    tests/<problem>.yaml              a problem as outdo writes it
    tests/test_<problem>.py           pytest; imports the program by the problem's name
    tests/<problem>.txt               a doctest session
    tests/<problem>.in, .out          what is typed and what is printed; also
    tests/<problem>/*.in, *.out       several of these
    tests/<problem>.md                the statement, beside any of the others

Without tests for a problem, the doctests count that at least half of its programs hold.
"""

from __future__ import annotations

import ast
import contextlib
import hmac
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pygments.lexers.python import PythonLexer
from pygments.token import Comment, String

from outdo.data.doctests import docstring_tests, doctests
from outdo.data.load import checked_program
from outdo.data.place import Place, read_text
from outdo.data.problems import Problem, Test, parse, read_problem
from outdo.data.submissions import Submission
from outdo.errors import DataError

Layout = Literal["student/problem", "problem/student"]

TESTS = "tests"
"""The folder of tests, where it stands among the programs."""

_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_SIGNED = re.compile(
    r"((?:\b(?:authors?|student(?: name| id)?|matric\w*|e-?mail)|^#+\s*(?:name|by|id))\s*[:=]"
    r"|\b(?:written|created|made|solved) by\b:?)(?:(?!\"\"\"|''').)*",
    re.IGNORECASE | re.MULTILINE,
)
_DUNDER = re.compile(r"^__(?:author|email|credits|maintainer)__\s*=.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _File:
    """A program where it stands; `student` is the folder's word for its author."""

    student: str
    problem: str
    path: Path


def read_students(
    folder: Path | str, *, salt: str, tests: Path | str | None = None, layout: Layout | None = None
) -> tuple[tuple[Problem, ...], tuple[Submission, ...]]:
    """The problems of a class and what its students handed in, each under a pseudonym.

    `tests` is the folder of tests, `folder/tests` unless told otherwise. Whoever knows `salt` and
    the names can tell who is who: keep it to yourself. Raises DataError at the file that can't
    be used. A program with a syntax error is a program.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError("there is no such folder", "check the path", where=str(folder))
    if not salt:
        raise DataError("the salt is empty", "give a word of your own, and keep it to yourself")
    tests = folder / TESTS if tests is None else Path(tests)
    found = _test_files(tests)
    files = _arranged(_files(folder, tests), layout, found, folder)
    by_problem: dict[str, list[Path]] = {}
    for each in files:
        by_problem.setdefault(each.problem, []).append(each.path)
    problems = tuple(
        _problem(name, found.get(name, []), programs, tests)
        for name, programs in sorted(by_problem.items())
    )
    submissions = [_submission(each, salt) for each in files]
    submissions.sort(key=lambda each: (each.problem, each.id))
    return problems, tuple(submissions)


def pseudonym(name: str, *, salt: str) -> str:
    """The same word for the same name and salt, from which the name can't be read."""
    return "student-" + hmac.digest(salt.encode(), name.encode(), "sha256").hex()[:10]


def without_names(code: str, name: str) -> str:
    """The program with mail addresses and its author taken out of comments and docstrings.

    What follows a word such as `author:` goes, and so does the name of the author's folder.
    Names in code, and others that nothing betrays, stay: look before you publish.
    """
    words = {name, *(word for word in re.split(r"[\W\d_]+", name) if len(word) > 2)}
    longest_first = sorted(words, key=len, reverse=True)
    known = re.compile(rf"\b(?:{'|'.join(map(re.escape, longest_first))})\b", re.IGNORECASE)
    pieces = PythonLexer(stripnl=False, ensurenl=False).get_tokens(_DUNDER.sub("", code))
    return "".join(
        known.sub("…", _SIGNED.sub(r"\1 …", _MAIL.sub("…", piece)))
        if kind in Comment or kind in String.Doc
        else piece
        for kind, piece in pieces
    )


# ------------------------------------------------------------------ where things stand


def _files(folder: Path, tests: Path) -> list[Path]:
    """The programs, two levels down; hidden ones, links and the tests are passed over."""
    files = [
        path
        for path in sorted(folder.glob("*/*.py"))
        if path.parent != tests
        and not path.is_symlink()
        and not any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
    ]
    if not files:
        raise DataError(
            "the folder holds no program", "like <student>/<problem>.py", where=str(folder)
        )
    return files


def _named(stem: str) -> str:
    return stem.replace("_", "-")


def _test_files(tests: Path) -> dict[str, list[Path]]:
    """Problem to what stands among the tests under its name."""
    found: dict[str, list[Path]] = {}
    for path in sorted(tests.iterdir()) if tests.is_dir() else ():
        stem = path.name.split(".")[0]
        if path.suffix == ".py":
            stem = stem.removeprefix("test_").removesuffix("_test")
        if not stem.startswith("__") and stem != "conftest" and stem:
            found.setdefault(_named(stem), []).append(path)
    return found


def _arranged(
    files: Sequence[Path], layout: Layout | None, tested: Collection[str], folder: Path
) -> list[_File]:
    """The files with student and problem told apart; by the tests' names, unless told how."""
    outer = {_named(path.parent.name) for path in files}
    inner = {_named(path.stem) for path in files}
    if layout is None:
        told_outer, told_inner = len(outer & set(tested)), len(inner & set(tested))
        if told_outer == told_inner and len(outer) == len(inner):
            raise DataError(
                "students and problems can't be told apart",
                "give layout: student/problem or problem/student",
                where=str(folder),
            )
        by_tests = told_inner > told_outer
        by_count = told_inner == told_outer and len(inner) < len(outer)
        layout = "student/problem" if by_tests or by_count else "problem/student"
    if layout == "student/problem":
        return [_File(path.parent.name, _named(path.stem), path) for path in files]
    return [_File(path.stem, _named(path.parent.name), path) for path in files]


def _submission(file: _File, salt: str) -> Submission:
    place = Place(path=str(file.path))
    code = without_names(checked_program(read_text(file.path), place), file.student)
    group = pseudonym(file.student, salt=salt)
    return Submission(problem=file.problem, id=group, code=code, group=group)


# ------------------------------------------------------------------ problems


def _problem(name: str, found: Sequence[Path], programs: Sequence[Path], folder: Path) -> Problem:
    """The problem with the tests that were found for it, or those in the programs themselves."""
    for path in found:
        if path.suffix == ".yaml":
            return replace(read_problem(path), name=name)
    statement = "\n".join(read_text(path) for path in found if path.suffix == ".md")
    tests = tuple(test for path in found for test in _tests(path))
    suite = {path.name: _suite(path, name) for path in found if path.suffix == ".py"}
    if not (tests or suite):
        tests = _shared_doctests(programs)
    if not (tests or suite):
        raise DataError(
            f"the problem {name!r} has no tests",
            f"give {name}.yaml, test_{name.replace('-', '_')}.py, {name}.txt or {name}.in and .out",
            where=str(folder),
        )
    title = name.replace("-", " ").capitalize()
    return Problem(name=name, title=title, statement=statement, tests=tests, suite=suite)


def _tests(path: Path) -> Iterator[Test]:
    if path.is_dir():
        for inner in sorted(path.glob("*.in")):
            yield _typed(inner)
    elif path.suffix == ".in":
        yield _typed(path)
    elif path.suffix == ".txt":
        yield from doctests(read_text(path), Place(path=str(path)))


def _typed(path: Path) -> Test:
    """The test of a pair of files: what is typed, what is printed."""
    out = path.with_suffix(".out")
    if not out.exists():
        raise DataError(f"{path.name} has no {out.name} beside it", where=str(path))
    return Test(expected=read_text(out), how="script", stdin=read_text(path))


def _suite(path: Path, problem: str) -> str:
    """The pytest file, importing the program as `main`, under which the sandbox knows it."""
    tree = parse(read_text(path), Place(path=str(path)), ())
    imports = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and _named(node.module or "") == problem:
            node.module = "main"
            imports += 1
        for alias in node.names if isinstance(node, ast.Import) else ():
            if _named(alias.name) == problem:
                alias.name, alias.asname = "main", alias.asname or alias.name
                imports += 1
    if not imports:
        module = problem.replace("-", "_")
        raise DataError(
            "the tests don't import the program",
            f"write from {module} import …",
            where=str(path),
        )
    return ast.unparse(tree)


def _shared_doctests(programs: Sequence[Path]) -> tuple[Test, ...]:
    """The doctests that at least half of the programs hold: those that came with the task."""
    counts: Counter[Test] = Counter()
    for path in programs:
        with contextlib.suppress(DataError):  # what a student has broken doesn't count
            counts.update(set(docstring_tests(read_text(path), Place(path=str(path)))))
    shared = [test for test, count in counts.items() if 2 * count >= len(programs)]
    return tuple(sorted(shared, key=lambda test: test.call))
