"""A model put to use on files: the task's own prompt, its own parser, and the sandbox."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax

from outdo import catalog
from outdo.cli.tools import tools_for
from outdo.data.examples import repair_example
from outdo.data.place import read_text
from outdo.data.problems import Problem, Test
from outdo.errors import DataError
from outdo.protocols import Engine, Runner
from outdo.records import Completion, Example, Prompt, Request, Sampling
from outdo.store import write_text
from outdo.study import Answering
from outdo.tasks import Task


@dataclass(frozen=True, slots=True)
class Repair:
    """A proposed repair of one file; `passed` is None where there is no test to run."""

    code: str | None
    passed: bool | None
    because: str


def repair_files(
    files: Sequence[Path],
    *,
    model: str,
    statement: str,
    tests: Sequence[str],
    prompt: str,
    temperature: float,
    max_tokens: int,
    samples: int,
    seed: int,
    write: bool,
    log_dir: Path,
    tier: str,
) -> int:
    """Print a repair of each file as a diff, or write it; 1 if one has none that passes."""
    task: Task = catalog.named(catalog.TASKS, "repair", noun="task")
    tools = tools_for(log_dir, tier=tier, task=task.name)
    shown = [_test(text) for text in tests]
    examples = {path: _example(path, _statement(statement), shown) for path in files}
    prompts = {path: task.prompt(example, variant=prompt) for path, example in examples.items()}
    sampling = Sampling(temperature=temperature, max_tokens=max_tokens, seed=seed)
    engine = tools.engine(tools.resolve(model), Answering(model=model))
    replies = _replies(engine, prompts.values(), sampling=sampling, samples=samples)
    with tools.sandbox() as sandbox:
        found = {
            path: _best(list(_tried(task, sandbox, example, replies[prompts[path].key])))
            for path, example in examples.items()
        }
    for path, repair in found.items():
        _tell(path, repair, write=write)
    return 0 if all(repair.code and repair.passed is not False for repair in found.values()) else 1


def _statement(text: str) -> str:
    return read_text(Path(text[1:])) if text.startswith("@") else text


def _test(text: str) -> Test:
    """A test as it is typed: `double(2)=4`."""
    for place, letter in enumerate(text):
        if letter == "=" and _is_call(text[:place]):
            return Test(call=text[:place].strip(), expected=text[place + 1 :].strip())
    raise DataError("a test is CALL=EXPECTED", "as in --test 'double(2)=4'", where=text)


def _is_call(text: str) -> bool:
    try:
        return isinstance(ast.parse(text.strip(), mode="eval").body, ast.Call)
    except SyntaxError:
        return False


def _example(path: Path, statement: str, tests: Sequence[Test]) -> Example:
    problem = Problem(name=path.stem, title=path.stem, statement=statement, tests=tuple(tests))
    program = read_text(path)
    return repair_example(problem, program, name="file", source=str(path), group=path.stem)


def _replies(
    engine: Engine, prompts: Iterable[Prompt], *, sampling: Sampling, samples: int
) -> dict[str, list[str]]:
    """The replies to each prompt by its key, in the order of the samples; equal prompts share."""
    distinct = {prompt.key: prompt for prompt in prompts}
    answers = engine.complete(
        [
            Request(prompt=prompt, sampling=sampling, index=index)
            for prompt in distinct.values()
            for index in range(samples)
        ]
    )
    replies: dict[str, list[str]] = {key: [] for key in distinct}
    for request, completion in sorted(answers, key=lambda answer: answer[0].index):
        if isinstance(completion, Completion):
            replies[request.prompt.key].append(completion.text)
    return replies


def _tried(
    task: Task, sandbox: Runner, example: Example, replies: Sequence[str]
) -> Iterator[Repair]:
    """Each reply with what its program did."""
    for reply in replies:
        answer = task.parse(reply, example)
        program = task.program(example, answer)
        if program is None:
            yield Repair(None, False, answer.problem or "the reply holds no program")
        elif not example.wanted["tests"]:
            yield Repair(str(answer.value), None, "no test was given")
        else:
            ((_, outcome),) = sandbox.run([program])
            first = task.score(example, answer, outcome)[0]
            yield Repair(str(answer.value), first.value == 1, first.because)


def _best(repairs: Sequence[Repair]) -> Repair:
    """The first that passes, else the first that is a program, else the first."""
    if not repairs:
        return Repair(None, False, "the model gave no answer")
    return max(repairs, key=lambda one: (one.passed is True, one.code is not None))


def _tell(path: Path, repair: Repair, *, write: bool) -> None:
    verdict = {True: "passes the tests", False: "fails the tests", None: "untested"}
    because = f" ({repair.because})" if repair.because else ""
    print(f"{path}: {verdict[repair.passed]}{because}")
    if repair.code is None:
        return
    before, after = read_text(path), repair.code.rstrip("\n") + "\n"
    if write and repair.passed is not False:
        write_text(path, after)
    diff = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), str(path), str(path)
    )
    Console(soft_wrap=True).print(
        Syntax("".join(diff) or "unchanged", "diff", background_color="default")
    )
