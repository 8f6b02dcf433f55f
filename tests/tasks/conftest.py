"""Programs run plainly, for the tasks' own gold and bait: trusted code, so no sandbox."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import pytest

from outdo.records import Call, Outcome, Output, Program
from outdo.sandbox import literal


def executed(program: Program) -> Outcome:
    """What the calls of a program give, each in a namespace of its own."""
    return Outcome(outputs=tuple(_output(program.files["main.py"], call) for call in program.calls))


def _output(code: str, call: Call) -> Output:
    space: dict[str, Any] = {"__name__": "main"}
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "main.py", "exec"), space)
            value = eval(call.code, space)
    except Exception as error:
        return Output(error=f"{type(error).__name__}: {error}")
    if call.how == "printed":
        return Output(text=f"{printed.getvalue()}{value}\n")
    return Output(text=literal.write(value, limit=10_000))


@pytest.fixture
def execute() -> Callable[[Program], Outcome]:
    return executed
