"""Programming problems: a statement, tests, and solutions that are known to pass them.

One YAML file a problem, so that a teacher can write one in an editor and a mistake is told with
its line. The first solution is the reference; the first three tests are those a model is shown.
"""

from __future__ import annotations

import ast
import importlib.resources
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, get_args

from outdo import literals
from outdo.data.place import Place, Step, read_yaml
from outdo.errors import DataError
from outdo.records import Call, How, Json, Limits, Outcome, Program

T = TypeVar("T")

SHOWN = 3
"""How many of a problem's tests, from the first on, a prompt may show."""

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_KEYS = ("name", "title", "entry", "statement", "preamble", "held_out", "tests", "solutions")
_CODE_KEYS = ("check", "suite")
_TEST_KEYS = ("call", "expected", "how", "stdin", "id")  # an id is read over


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One use of a program and what must come of it.

    `expected` of a "value" test is a literal; of the other kinds it is text. `how` is that of
    `records.Call`; a "script" has `stdin` and no `call`.
    """

    call: str = ""
    expected: str
    how: How = "value"
    stdin: str = ""

    @property
    def as_call(self) -> Call:
        """What the sandbox is asked to do for this test; it never learns what is expected."""
        return Call(code=self.call, how=self.how, stdin=self.stdin)


Test.__test__ = False  # type: ignore[attr-defined]  # pytest would collect it by its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A statement with its tests; `solutions` pass all of them, the first is the reference.

    `preamble` is code that stands before every program. Tests that are code stand in `check`
    (it defines `check(candidate)`) or in `suite` (pytest files by name, which import the
    program as `main`); `tests` are then what a prompt shows, and no more.
    """

    name: str
    title: str = ""
    statement: str = ""
    entry: str | None = None
    preamble: str = ""
    tests: tuple[Test, ...] = ()
    solutions: tuple[str, ...] = ()
    held_out: bool = False
    check: str | None = None
    suite: Mapping[str, str] = field(default_factory=dict)

    @property
    def reference(self) -> str | None:
        return self.solutions[0] if self.solutions else None

    @property
    def shown(self) -> tuple[Test, ...]:
        return self.tests[:SHOWN]

    def program(self, code: str, *, limits: Limits | None = None) -> Program:
        """What the sandbox runs to try `code` on every test."""
        return Program.tested(
            code,
            preamble=self.preamble,
            calls=tuple(test.as_call for test in self.tests),
            check=self.check,
            entry=self.entry,
            suite=self.suite,
            limits=limits,
        )

    def passes(self, outcome: Outcome) -> bool:
        """Whether a program with this outcome passed all tests."""
        if self.suite or self.check:
            return [output.text for output in outcome.outputs] == ["passed"]
        return len(outcome.outputs) == len(self.tests) and all(
            literals.agrees(output.text, test.expected, how=test.how)
            for output, test in zip(outcome.outputs, self.tests, strict=True)
        )


def read_problems(folder: Path | str) -> tuple[Problem, ...]:
    """The problems of all `*.yaml` files in a folder, by name; a DataError tells file and line."""
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError("there is no such folder", "it should hold *.yaml", where=str(folder))
    paths = sorted(folder.glob("*.yaml"))
    if not paths:
        raise DataError("the folder holds no *.yaml file", where=str(folder))
    return tuple(read_problem(path) for path in paths)


def read_problem(path: Path | str) -> Problem:
    """The problem of one YAML file, whose name is the file's."""
    path = Path(path)
    data, place = read_yaml(path)
    problem = problem_from(data, place)
    if problem.name != path.stem:
        raise place.error(
            f"the name {problem.name!r} isn't the file's",
            f"name the file {problem.name}.yaml, or the problem {path.stem}",
            at=("name",),
        )
    if not _NAME.fullmatch(problem.name):
        raise place.error(
            f"the name {problem.name!r} isn't kebab-case", "like running-total", at=("name",)
        )
    return problem


def embedded_problems() -> tuple[Problem, ...]:
    """The problems that come with outdo, by name."""
    folder = importlib.resources.files("outdo") / "embedded" / "problems"
    with importlib.resources.as_file(folder) as path:
        return read_problems(path)


def problem_from(data: Json, place: Place) -> Problem:
    """The problem that plain data describes, each value checked; `place` tells where it stands."""
    row = _mapping(data, place, (), known=_KEYS + _CODE_KEYS, needed=("name",))
    problem = Problem(
        name=_text(row, "name", place, ()),
        title=_text(row, "title", place, ()),
        statement=_text(row, "statement", place, ()),
        entry=_text(row, "entry", place, ()) or None,
        preamble=_text(row, "preamble", place, ()),
        tests=tuple(
            _test(item, place, ("tests", index))
            for index, item in enumerate(_list(row, "tests", place))
        ),
        solutions=tuple(
            _string(item, place, ("solutions", index))
            for index, item in enumerate(_list(row, "solutions", place))
        ),
        held_out=_truth(row, "held_out", place),
        check=_text(row, "check", place, ()) or None,
        suite=_suite(row.get("suite", {}), place),
    )
    _check_whole(problem, place)
    return problem


def _check_whole(problem: Problem, place: Place) -> None:
    """Refuse what is well-formed and yet can't be used: no tests, solutions that don't compile."""
    if not (problem.tests or problem.check or problem.suite):
        raise place.error("the problem has no tests", "give tests, check or suite", at=("tests",))
    if problem.check and not problem.entry:
        raise place.error("check needs entry", "name the function that it calls", at=("check",))
    for key in ("preamble", "check"):
        parse(getattr(problem, key) or "", place, (key,))
    for index, code in enumerate(problem.solutions):
        tree = parse(code, place, ("solutions", index))
        if problem.entry and not defines(tree, problem.entry):
            raise place.error(
                f"solution {index + 1} doesn't define {problem.entry!r}",
                "entry is the function that tests call",
                at=("solutions", index),
            )


def parse(code: str, place: Place, at: tuple[Step, ...]) -> ast.Module:
    """The syntax tree of trusted code, or a DataError at its place."""
    return _compiled(lambda: ast.parse(code), place, at)


def defines(tree: ast.Module, name: str) -> bool:
    """Whether the module's own statements bind `name`."""
    return any(
        getattr(node, "name", None) == name
        or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name)
        for statement in tree.body
        for node in _bindings(statement)
    )


def _bindings(statement: ast.stmt) -> Iterable[ast.AST]:
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [statement]
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return [ast.Name(alias.asname or alias.name, ast.Store()) for alias in statement.names]
    return ast.walk(statement)


def _test(data: Json, place: Place, at: tuple[Step, ...]) -> Test:
    row = _mapping(data, place, at, known=_TEST_KEYS, needed=("expected",))
    how = _text(row, "how", place, at) or "value"
    if how not in get_args(How):
        raise place.error(
            f"unknown how: {how!r}", f"one of {', '.join(get_args(How))}", at=(*at, "how")
        )
    test = Test(
        call=_text(row, "call", place, at),
        expected=_text(row, "expected", place, at),
        how=how,  # type: ignore[arg-type]  # just checked
        stdin=_text(row, "stdin", place, at),
    )
    if not test.call and how != "script":
        raise place.error("the test has no call", "write what is called", at=at)
    if how == "value":
        _compiled(lambda: ast.parse(test.call.strip(), mode="eval"), place, (*at, "call"))
        _literal(test.expected, place, (*at, "expected"))
    elif how != "script":
        _compiled(lambda: ast.parse(test.call), place, (*at, "call"))
    return test


def _literal(text: str, place: Place, at: tuple[Step, ...]) -> None:
    try:
        literals.literal(text)
    except ValueError:
        raise place.error(
            f"expected {text!r} isn't a Python literal",
            "text needs quotes of its own: \"'abc'\"",
            at=at,
        ) from None


def _compiled(parse: Callable[[], T], place: Place, at: tuple[Step, ...]) -> T:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return parse()
    except SyntaxError as error:
        raise place.error(f"not Python: {error.msg}, line {error.lineno}", at=at) from None
    except (ValueError, MemoryError, RecursionError) as error:
        raise place.error(f"not Python: {error}", at=at) from None


def _suite(data: Json, place: Place) -> dict[str, str]:
    if not isinstance(data, dict):
        raise place.error("suite must map file names to text", at=("suite",))
    return {name: _string(text, place, ("suite", name)) for name, text in sorted(data.items())}


def _mapping(
    data: Json,
    place: Place,
    at: tuple[Step, ...],
    *,
    known: tuple[str, ...],
    needed: tuple[str, ...],
) -> dict[str, Json]:
    if not isinstance(data, dict):
        raise place.error(f"keys and values were expected: {', '.join(known)}", at=at)
    for key in data:
        if key not in known:
            raise place.error(
                f"unknown key {key!r}", f"known are {', '.join(known)}", at=(*at, key)
            )
    for key in needed:
        if data.get(key) is None:
            raise place.error(f"the key {key!r} is missing", at=(*at, key))
    return data


def _list(row: dict[str, Json], key: str, place: Place) -> list[Json]:
    value = row.get(key, [])
    if not isinstance(value, list):
        raise place.error(f"{key} must be a list", "each item begins with -", at=(key,))
    return value


def _text(row: dict[str, Json], key: str, place: Place, at: tuple[Step, ...]) -> str:
    value = row.get(key)
    return "" if value is None else _string(value, place, (*at, key))


def _string(value: Json, place: Place, at: tuple[Step, ...]) -> str:
    if not isinstance(value, str):
        raise place.error(f"{at[-1]} must be text", "put it in quotes", at=at)
    if "\0" in value:
        raise place.error(f"{at[-1]} holds a null byte", at=at)
    return value


def _truth(row: dict[str, Json], key: str, place: Place) -> bool:
    value = row.get(key, False)
    words = {"true": True, "false": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise place.error(f"{key} must be true or false", at=(key,))
