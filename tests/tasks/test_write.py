"""The task write: prompts to the letter, replies read, and gold and bait really run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from outdo import catalog
from outdo.errors import DataError, StudyError
from outdo.records import Answer, Example, Outcome, Output
from outdo.sandbox import Sandbox
from outdo.scorers import likeness
from outdo.tasks.write import task

STUB = 'def double(n):\n    """Twice n.\n\n    >>> double(2)\n    4\n    """'
REFERENCE = f"{STUB}\n    return 2 * n"


def test_of(call: str, expected: str) -> dict[str, str]:
    return {"call": call, "expected": expected, "how": "value", "stdin": ""}


test_of.__test__ = False  # type: ignore[attr-defined]

TESTS = [test_of("double(2)", "4"), test_of("double('a')", "'aa'")]
PLUS = [test_of("double([])", "[]")]


def example(**changed: Any) -> Example:
    blank: dict[str, Any] = {"input": "", "stub": "", "preamble": "", "examples": []}
    tested: dict[str, Any] = {"check": None, "suite": None, "tolerance": None}
    return Example(
        id="write/double",
        task="write",
        given={"instruction": "Write double(n).", **blank, **changed.pop("given", {})},
        wanted={
            **{"reference": REFERENCE, "tests": TESTS, "plus": [], "entry": "double"},
            **{**tested, **changed.pop("wanted", {})},
        },
        group="double",
        split="test",
        source="own",
    )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tier="auto", workers=1) as made:
        yield made


def scored(sandbox: Sandbox, reply: str, one: Example) -> dict[str, float | None]:
    answer = task.parse(reply, one)
    program = task.program(one, answer)
    outcome = None if program is None else dict(sandbox.run([program]))[0]
    return {score.metric: score.value for score in task.score(one, answer, outcome)}


def test_the_prompt_says_what_is_given_and_no_more() -> None:
    assert catalog.named(catalog.TASKS, "write", noun="task") is task
    said = task.prompt(example(), variant="direct").messages
    assert said[1].content == "Write double(n).\n\nReply with the code alone, whole, in one block."
    full = {"input": "[1]\n", "preamble": "import math", "examples": ["double(2) -> 4"]}
    said = task.prompt(example(given=full), variant="direct").messages
    assert said[1].content == (
        "Write double(n).\n\nInput:\n[1]\n\nThese lines run first:\n```python\nimport math\n```"
        "\n\nFor example:\ndouble(2) -> 4\n\nReply with the code alone, whole, in one block."
    )
    stub = task.prompt(example(given={"instruction": "", "stub": STUB}), variant="direct")
    assert stub.messages[1].content.startswith(f"```python\n{STUB}\n```\n\nReply")
    assert "2 * n" not in stub.messages[1].content


def test_mistakes_are_told() -> None:
    with pytest.raises(StudyError, match="write has no variant 'poem'"):
        task.prompt(example(), variant="poem")
    with pytest.raises(DataError, match="no instruction"):
        task.prompt(example(given={"instruction": " "}), variant="direct")
    with pytest.raises(DataError, match="no reference"):
        task.gold(example(wanted={"reference": None}))
    with pytest.raises(StudyError, match="no training rows with a plan"):
        task.conversation(example(), variant="chain-of-thought")


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        ("```python\ndef double(n):\n    return 2 * n\n```", None),
        ("def double(n):\n    return 2 * n", "no fence"),
        ("    return 2 * n", "goes on from the head of the function"),
        ("```python\nreturn 2 * n\n```", "goes on from the head of the function"),
        ("```python\n    m = n\n\n    return 2 * m\n```", "goes on from the head of the function"),
    ],
)
def test_replies_are_read_and_pass(sandbox: Sandbox, reply: str, rule: str | None) -> None:
    one = example(given={"stub": STUB})
    assert task.parse(reply, one).repaired_by == rule
    assert scored(sandbox, reply, one)["passed"] == 1


def test_gold_passes_and_bait_and_the_floors_do_not(sandbox: Sandbox) -> None:
    one = example(given={"stub": STUB}, wanted={"plus": PLUS})
    gold = scored(sandbox, task.gold(one), one)
    assert gold == {
        **{"passed": 1, "passed_base": 1, "valid": 1},
        **{"edits": 0, "bleu": 1, "codebleu": 1},
    }
    for reply in (task.bait(one), task.floors["stub"](one, []), task.floors["nearest"](one, [])):
        bait = scored(sandbox, reply, one)
        assert bait["passed"] == bait["passed_base"] == 0 and bait["valid"] == 1
    assert task.floors["nearest"](one, [one]) == task.gold(one)


def test_added_tests_are_told_apart_from_those_of_the_problem(sandbox: Sandbox) -> None:
    one = example(wanted={"plus": PLUS})
    narrow = "```python\ndef double(n):\n    return 2 * n if n else 0\n```"
    found = scored(sandbox, narrow, one)
    assert (found["passed"], found["passed_base"]) == (0, 1)
    assert "passed_base" not in scored(sandbox, narrow, example())


def test_floats_agree_within_the_tolerance_of_the_example(sandbox: Sandbox) -> None:
    third = [test_of("double(1)", "2.0000001")]
    reply = "```python\ndef double(n):\n    return 2.0 * n\n```"
    assert scored(sandbox, reply, example(wanted={"tests": third}))["passed"] == 0
    near = example(wanted={"tests": third, "tolerance": 1e-6})
    assert scored(sandbox, reply, near)["passed"] == 1


def test_a_check_runs_in_a_process_of_its_own(sandbox: Sandbox) -> None:
    check = "def check(candidate):\n    assert abs(candidate(2) - 4) < 0.1"
    one = example(wanted={"tests": [], "check": check})
    assert scored(sandbox, task.gold(one), one)["passed"] == 1
    assert scored(sandbox, task.bait(one), one)["passed"] == 0


def test_without_tests_only_form_and_effort_are_told(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = example(wanted={"tests": [], "entry": None})
    assert "codebleu" in scored(sandbox, task.gold(one), one)
    monkeypatch.setitem(likeness.SIGNATURES, "codebleu", None)
    assert task.program(one, Answer(value="x = 1")) is None
    assert set(scored(sandbox, task.gold(one), one)) == {"valid", "edits", "bleu"}


@pytest.mark.parametrize("reply", ["", "No.", "<think>", "x" * 70_000])
def test_a_reply_without_a_program_passes_nothing(sandbox: Sandbox, reply: str) -> None:
    found = scored(sandbox, reply, example(wanted={"plus": PLUS}))
    assert found["passed"] == found["passed_base"] == found["valid"] == found["bleu"] == 0


def test_a_sandbox_that_failed_tells_nothing() -> None:
    answer = task.parse(task.gold(example()), example())
    failed = {score.metric: score.value for score in task.score(example(), answer, None)}
    assert failed["passed"] is None and failed["valid"] == 1
    cut = Outcome(outputs=(Output(text="4"),), cut="time")
    assert {s.metric: s.value for s in task.score(example(), answer, cut)}["passed"] == 0


@pytest.mark.parametrize("code", ["\x00", "\ud800", "(" * 300, "\tif", "print 'a'", "x=1\n" * 900])
def test_odd_programs_never_stop_it(code: str) -> None:
    one = example(given={"stub": STUB})
    for answer in (task.parse(f"```python\n{code}\n```", one), Answer(value=code)):
        found = task.score(one, answer, None)
        assert all(score.value is None or score.value == score.value for score in found)


def test_a_row_teaches_the_reference() -> None:
    row = task.conversation(example(), variant="direct")
    assert row.messages[:-1] == task.prompt(example(), variant="direct").messages
    assert row.messages[-1].content == task.gold(example())
