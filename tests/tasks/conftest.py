"""Programs run as they are in earnest: in the sandbox, for students' programs may loop for ever."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from outdo.errors import SandboxError
from outdo.records import Outcome, Program
from outdo.sandbox import Sandbox

Run = Callable[[Sequence[Program]], list[Outcome]]


@pytest.fixture(scope="package")
def run() -> Iterator[Run]:
    """The outcomes of programs, in their order."""
    try:
        sandbox = Sandbox(workers=2)
        with sandbox:
            yield lambda programs: [
                outcome for _, outcome in sorted(sandbox.run(programs), key=lambda pair: pair[0])
            ]
    except SandboxError as error:
        pytest.skip(f"no sandbox here: {error}")


@pytest.fixture
def execute(run: Run) -> Callable[[Program], Outcome]:
    return lambda program: run([program])[0]
