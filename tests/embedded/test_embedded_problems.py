"""The problems that come with outdo: enough of them, well-formed, and true.

Nothing here is untrusted, so plain `exec` runs it: every solution must pass every test, leave
its arguments as they were, and differ from its neighbours in more than names.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Iterator

import pytest

from outdo.data.problems import SHOWN, Problem, embedded_problems
from outdo.literals import literal, same

PROBLEMS = embedded_problems()
each_problem = pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem.name)


def namespace(solution: str) -> dict[str, object]:
    names: dict[str, object] = {}
    exec(solution, names)
    return names


def call_arguments(problem: Problem) -> Iterator[tuple[str, list[object]]]:
    """Each test's call with its arguments, which must be plain literals in order."""
    for test in problem.tests:
        call = ast.parse(test.call, mode="eval").body
        assert isinstance(call, ast.Call), test.call
        assert not call.keywords, test.call
        assert ast.unparse(call.func) == problem.entry
        yield test.call, [ast.literal_eval(argument) for argument in call.args]


class Renamed(ast.NodeTransformer):
    """Numbers the names that a program binds, in the order in which they first stand in it."""

    def __init__(self, bound: set[str]) -> None:
        self.bound = bound
        self.numbers: dict[str, str] = {}

    def number(self, name: str) -> str:
        if name not in self.bound:
            return name
        return self.numbers.setdefault(name, f"name_{len(self.numbers)}")

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.number(node.id), node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self.number(node.arg))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.name = self.number(node.name)
        return self.generic_visit(node)


def shape(solution: str) -> str:
    """The program's syntax tree without the names that its writer chose."""
    tree = ast.parse(solution)
    bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    bound |= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return ast.dump(Renamed(bound).visit(tree))


def test_there_are_enough_and_fifteen_stay_unseen() -> None:
    assert len(PROBLEMS) >= 60
    assert sum(problem.held_out for problem in PROBLEMS) >= 15


def test_each_has_a_title_and_an_entry_of_its_own() -> None:
    assert len({problem.title for problem in PROBLEMS}) == len(PROBLEMS)
    assert len({problem.entry for problem in PROBLEMS}) == len(PROBLEMS)


@each_problem
def test_it_has_the_parts_of_a_problem(problem: Problem) -> None:
    assert problem.title
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", problem.entry or "")
    assert not (problem.preamble or problem.check or problem.suite)
    assert len(re.findall(r"\w[.]\W", problem.statement + " ")) >= 2, "at least two sentences"
    assert 8 <= len(problem.tests) <= 12
    assert 6 <= len(problem.solutions) <= 8


@each_problem
def test_its_tests_are_distinct_and_no_constant_passes_them(problem: Problem) -> None:
    assert len({test.call for test in problem.tests}) == len(problem.tests)
    assert {test.how for test in problem.tests} == {"value"}
    answers = Counter(test.expected for test in problem.tests)
    assert max(answers.values()) <= len(problem.tests) - 2
    assert len({test.expected for test in problem.tests[:SHOWN]}) > 1


@each_problem
def test_every_solution_passes_every_test(problem: Problem) -> None:
    for number, solution in enumerate(problem.solutions, start=1):
        for test in problem.tests:
            found = eval(test.call, namespace(solution))
            assert same(found, literal(test.expected)), (number, test.call, found, test.expected)


@each_problem
def test_no_solution_changes_its_arguments(problem: Problem) -> None:
    for number, solution in enumerate(problem.solutions, start=1):
        for call, arguments in call_arguments(problem):
            names: dict[str, object] = {**namespace(solution), "arguments": arguments}
            before = copy.deepcopy(arguments)
            eval(f"{problem.entry}(*arguments)", names)
            assert arguments == before, (number, call)


@each_problem
def test_solutions_are_plain_and_differ_in_more_than_names(problem: Problem) -> None:
    shapes = Counter(shape(solution) for solution in problem.solutions)
    assert max(shapes.values()) == 1
    for solution in problem.solutions:
        assert solution.strip() == ast.unparse(ast.parse(solution))


def test_no_solution_of_an_unseen_problem_solves_a_seen_one() -> None:
    seen = {shape(code) for p in PROBLEMS if not p.held_out for code in p.solutions}
    unseen = {shape(code): p.name for p in PROBLEMS if p.held_out for code in p.solutions}
    assert not [name for code, name in unseen.items() if code in seen]
