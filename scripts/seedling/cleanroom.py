"""Keeps the held-out problems out: nothing that equals or solves one of them gets through.

Held-out problems are read here and only here, to refuse text. A program is refused if one of its
functions equals a held-out solution whatever its names are, or if it passes all tests of a
held-out problem; so is any text that holds a sentence of a held-out statement.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from exercise import PROGRAM_FAILURES, Exercise, alarm, defined

from outdo.data.problems import Problem


def skeleton(function: ast.FunctionDef) -> str:
    """The function's shape: its syntax tree with names numbered in order of appearance."""
    numbers: dict[str, str] = {}
    text = ast.dump(function)

    def numbered(match: re.Match[str]) -> str:
        name = match.group(2)
        return f"{match.group(1)}='{numbers.setdefault(name, f'_{len(numbers)}')}'"

    return re.sub(r"\b(id|arg|name)='(\w+)'", numbered, text)


def skeletons(code: str) -> set[str]:
    """The shapes of all functions of a program."""
    return {
        skeleton(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)
    }


@dataclass(slots=True)
class Cleanroom:
    """Says of programs and texts whether they are `clean`; remembers shapes it has tried."""

    held_out: Sequence[Problem]
    shapes: set[str] = field(init=False)
    sentences: tuple[str, ...] = field(init=False)
    known: dict[str, bool] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        codes = [code for problem in self.held_out for code in problem.solutions]
        self.shapes = {shape for code in codes for shape in skeletons(code)}
        self.sentences = tuple(
            sentence
            for problem in self.held_out
            for sentence in re.split(r"(?<=\.)\s", squeezed(problem.statement))
            if len(sentence) > 40
        )

    def admits_text(self, text: str) -> bool:
        """Whether the text holds no sentence of a held-out statement."""
        plain = squeezed(text)
        return not any(sentence in plain for sentence in self.sentences)

    def admits_code(self, code: str) -> bool:
        """Whether no function of the program has the shape of a held-out solution's."""
        return not (self.shapes & skeletons(code))

    def admits(self, exercise: Exercise) -> bool:
        """Whether the statement and all programs of an exercise are clean, run included."""
        return self.admits_text(exercise.statement) and all(
            self._fails_held_out(program, exercise.entry) for program in exercise.programs
        )

    def _fails_held_out(self, program: str, entry: str) -> bool:
        shape = "".join(sorted(skeletons(program)))
        if shape not in self.known:
            function = defined(program, entry)
            self.known[shape] = self.admits_code(program) and not any(
                solves(function, problem) for problem in self.held_out
            )
        return self.known[shape]


def squeezed(text: str) -> str:
    """The text in lower case with single blanks, names in backticks made alike."""
    return re.sub(r"\s+", " ", re.sub(r"`\w+`", "`_`", text)).strip().lower()


def solves(function: Callable[..., object], problem: Problem) -> bool:
    """Whether the function passes all «value» tests of the problem, called by its entry's name."""
    assert problem.entry is not None
    tests = [test for test in problem.tests if test.how == "value"]
    if not tests:
        return False
    for test in tests:
        try:
            with alarm(0.05):
                result = eval(test.call, {problem.entry: function})
        except PROGRAM_FAILURES:
            return False
        if result != ast.literal_eval(test.expected):
            return False
    return True
