"""The task repair: its prompts to the letter, its gold and bait really run, each score exact."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outdo import catalog, text, tokens
from outdo.errors import DataError, StudyError
from outdo.records import Answer, Call, Example, Message, Outcome, Output, Program, Score
from outdo.tasks.repair import context, reasons, task

GOLDEN = Path(__file__).parent / "golden"
BUGGY = """\
def running_total(numbers):
    out = []
    s = 0
    for n in numbers:
        out.append(s)
    return out
"""
REPAIR = BUGGY.replace("        out", "        s += n\n        out")
FAR = """\
def running_total(numbers):
    return [sum(numbers[: i + 1]) for i in range(len(numbers))]
"""
TESTS = [
    {"call": "running_total([1, 2, 3])", "expected": "[1, 3, 6]", "how": "value", "stdin": ""},
    {"call": "running_total([])", "expected": "[]", "how": "value", "stdin": ""},
    {"call": "running_total([5])", "expected": "[5]", "how": "value", "stdin": ""},
    {"call": "running_total([2, -2])", "expected": "[2, 0]", "how": "value", "stdin": ""},
]
COPY = """\
def running_total(numbers):
    if numbers == [1, 2, 3]:
        return [1, 3, 6]
    return numbers
"""


def example(
    *, given: dict[str, Any] | None = None, wanted: dict[str, Any] | None = None
) -> Example:
    return Example(
        id="running-total/1",
        task="repair",
        given={
            "problem": "running-total",
            "statement": "Return a new list in which each item is the sum so far.\n",
            "preamble": "",
            "program": BUGGY,
            "shown": TESTS[:3],
            **(given or {}),
        },
        wanted={
            "tests": TESTS,
            "check": None,
            "suite": None,
            "entry": "running_total",
            "repair": REPAIR,
            "nearest": FAR,
            "reference": FAR,
            "slip": None,
            **(wanted or {}),
        },
        group="running-total",
        split="test",
        source="own",
    )


SHOT = dataclasses.replace(
    example(
        given={
            "problem": "double",
            "statement": "Return twice x.",
            "program": "def double(x):\n    return x",
            "shown": [{"call": "double(2)", "expected": "4"}],
        },
        wanted={"repair": "def double(x):\n    return 2 * x", "nearest": None},
    ),
    id="double/1",
    split="train",
)


def scored(ex: Example, reply: str, run: Callable[[Program], Outcome]) -> dict[str, Score]:
    answer = task.parse(reply, ex)
    program = task.program(ex, answer)
    return by_name(task.score(ex, answer, run(program) if program else None))


def by_name(scores: tuple[Score, ...]) -> dict[str, Score]:
    assert len({score.metric for score in scores}) == len(scores)
    return {score.metric: score for score in scores}


def values(scores: dict[str, Score]) -> dict[str, float | None]:
    return {name: score.value for name, score in scores.items()}


# ------------------------------------------------------------------ prompts


def rendered(messages: tuple[Message, ...]) -> str:
    return "".join(f"[{message.role}]\n{message.content}\n" for message in messages)


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("variant", task.variants)
def test_prompts_are_golden(variant: str) -> None:
    shots = [SHOT] if variant == "few-shot" else []
    asked = task.prompt(example(), variant=variant, shots=shots)
    assert rendered(asked.messages) == golden(f"repair-{variant}")
    assert asked.schema is None


@pytest.mark.parametrize("variant", task.variants)
def test_training_rows_are_golden(variant: str) -> None:
    row = task.conversation(example(), variant=variant)
    assert rendered(row.messages) == golden(f"repair-{variant}-row")


@pytest.mark.parametrize("variant", task.variants)
def test_a_training_row_begins_with_the_very_prompt(variant: str) -> None:
    row = task.conversation(example(), variant=variant)
    assert row.messages[:-1] == task.prompt(example(), variant=variant).messages
    assert row.messages[-1].role == "assistant"
    assert (row.id, row.group) == (f"repair/{variant}/running-total/1", "running-total")
    assert (row.task, row.source) == ("repair", "own")


def test_variants_share_all_that_stands_before_the_instruction() -> None:
    shared = context(example().given)
    for variant in task.variants:
        last = task.prompt(example(), variant=variant).messages[-1].content
        assert last.startswith(f"{shared}\n\nRepair the program with as few changes as possible. ")


def test_shots_are_for_few_shot_alone() -> None:
    direct = task.prompt(example(), variant="direct", shots=[SHOT])
    assert direct == task.prompt(example(), variant="direct")
    assert direct == task.prompt(example(), variant="few-shot")


def test_the_known_repair_and_hidden_tests_are_not_in_the_prompt() -> None:
    for variant in task.variants:
        asked = rendered(task.prompt(example(), variant=variant).messages)
        assert "s += n" not in asked
        assert "[2, -2]" not in asked
        assert "sum(" not in asked


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(StudyError) as caught:
        task.prompt(example(), variant="guess")
    assert str(caught.value) == (
        "repair has no variant 'guess' (one of direct, few-shot, chain-of-thought)"
    )


def test_a_preamble_is_shown_where_the_program_leans_on_it() -> None:
    preamble = "import heapq as h\nfrom math import inf\nLIMIT, (a, b) = 1, (2, 3)\ndef f(): pass\n"
    assert "run first" not in context(example(given={"preamble": preamble}).given)
    for used in ("h", "inf", "LIMIT", "b", "f"):
        given = example(given={"preamble": preamble, "program": f"x = {used}"}).given
        assert f"\n\nThese lines run first:\n{text.fence(preamble)}\n\n```python\nx" in context(
            given
        )
    broken = example(given={"preamble": "if", "program": "if x: pass"}).given
    assert "run first" not in context(broken)


def test_every_kind_of_test_is_shown_on_one_line() -> None:
    shown = [
        {"how": "script", "stdin": "1\n2\n", "expected": "3\n"},
        {"how": "session", "call": "x = 1\nx", "expected": "1"},
        {"how": "printed", "call": "f(1)", "expected": "a\nb"},
        {"how": "printed", "call": "f(2)", "expected": ""},
    ]
    end = context(example(given={"shown": shown}).given).rpartition("```\n")[2]
    assert end.split("\n") == [
        r"input '1\n2\n' -> '3\n'",
        r"'x = 1\nx' -> 1",
        r"f(1) -> 'a\nb'",
        "f(2) -> ''",
    ]


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("a\nb\nc", "a\nx\nc", "Line 2 should not read `b` but `x`."),
        ("a\nb\nc", "a\nc", "Line 2 must go: `b`."),
        ("a\nc", "a\n b\nc", "After line 1 this is missing: `b`."),
        ("c", "b\nc", "At the beginning this is missing: `b`."),
        ("a\n  b\n  c\nd", "a\nb\nc\nd", "Lines 2 to 3 must be indented differently: `b`, `c`."),
        ("a\nb\nc\nd", "a\nx\nd", "Lines 2 to 3 should not read `b`, `c` but `x`."),
        (
            "a\nb\nc",
            "x\nb\ny",
            "Line 1 should not read `a` but `x`.\nLine 3 should not read `c` but `y`.",
        ),
        ("a\n\nb", "a\nb", ""),
        ("a\r\nb", "a\nb", ""),
    ],
)
def test_reasons_are_told_from_the_difference(before: str, after: str, told: str) -> None:
    assert reasons(before=before, after=after) == told


# ------------------------------------------------------------------ reading


def test_a_reply_is_read_by_the_entry_that_the_tests_call() -> None:
    other = "def other(x):\n    return 'a long way from being the answer'\n"
    reply = f"{text.fence(REPAIR)}\n\nBefore:\n{text.fence(other * 9)}"
    expected = Answer(
        value=REPAIR.strip("\n"), repaired_by="last block that defines the entry", problem=None
    )
    assert task.parse(reply, example()) == expected
    assert task.parse(reply, example(wanted={"entry": None})) == expected


def test_a_chain_of_thought_ends_in_the_final_program() -> None:
    row = task.conversation(example(), variant="chain-of-thought")
    thought = f"At first I had\n{text.fence(BUGGY)}\n{row.messages[-1].content}"
    assert task.parse(thought, example()).value == REPAIR.strip("\n")


def test_a_reply_without_a_program_is_an_answer_with_a_problem() -> None:
    answer = task.parse("Sorry.", example())
    assert answer == Answer(value=None, problem="the reply holds no program")
    assert task.program(example(), answer) is None


def test_a_program_that_does_not_parse_is_run_all_the_same() -> None:
    answer = task.parse("```python\ndef running_total(:\n```", example())
    assert answer == Answer(value="def running_total(:")
    assert task.program(example(), answer) is not None


# ------------------------------------------------------------------ programs


def test_a_program_has_its_preamble_and_all_the_calls() -> None:
    ex = example(given={"preamble": "\nimport heapq\n\n"})
    assert task.program(ex, Answer(value="x = 1")) == Program(
        files={"main.py": "import heapq\n\nx = 1\n"},
        calls=tuple(Call(code=test["call"]) for test in TESTS),
    )
    assert task.program(example(), Answer(value="x = 1")).files == {"main.py": "x = 1\n"}  # type: ignore[union-attr]


def test_a_script_reads_its_input() -> None:
    ex = example(wanted={"tests": [{"how": "script", "stdin": "3\n", "expected": "6"}]})
    program = task.program(ex, Answer(value="x"))
    assert program is not None
    assert program.calls == (Call(how="script", stdin="3\n"),)


def test_a_check_is_handed_the_entry_and_a_suite_its_files() -> None:
    check = "def check(candidate):\n    assert candidate([1]) == [1]\n"
    checked = task.program(example(wanted={"check": check}), Answer(value="x"))
    assert checked == Program(files={"main.py": "x\n"}, check=check, entry="running_total")
    suite = {"test_b.py": "b", "test_a.py": "a", "main.py": "forged"}
    ex = example(wanted={"suite": {"test_b.py": "b", "test_a.py": "a"}})
    assert task.program(ex, Answer(value="x")) == Program(
        files={"main.py": "x\n", "test_a.py": "a", "test_b.py": "b"},
        suite=("test_a.py", "test_b.py"),
    )
    assert (
        task.program(example(wanted={"suite": suite}), Answer(value="x")).files["main.py"] == "x\n"
    )  # type: ignore[union-attr]


# ------------------------------------------------------------------ scores


def test_gold_earns_full_marks(execute: Callable[[Program], Outcome]) -> None:
    scores = scored(example(), task.gold(example()), execute)
    assert values(scores) == {
        "rpass": 1.0,
        "redit": 5.0,
        "rpass_near": 1.0,
        "rpass_among_near": 1.0,
        "valid": 1.0,
        "copied_answers": 0.0,
    }
    assert list(scores) == [metric.name for metric in task.metrics]
    assert scores["rpass_near"].because == "5 token edits, 22 to the nearest correct program"


def test_bait_earns_none(execute: Callable[[Program], Outcome]) -> None:
    scores = scored(example(), task.bait(example()), execute)
    assert values(scores) == {
        "rpass": 0.0,
        "rpass_near": 0.0,
        "rpass_among_near": 0.0,
        "valid": 1.0,
        "copied_answers": 0.0,
    }
    assert scores["rpass"].because == "running_total([1, 2, 3]) gave [0, 0, 0], not [1, 3, 6]"


def test_copied_answers_fail_the_other_tests_and_are_flagged(
    execute: Callable[[Program], Outcome],
) -> None:
    scores = scored(example(), text.fence(COPY), execute)
    assert scores["rpass"].value == 0.0
    assert scores["rpass"].because == "running_total([2, -2]) gave [2, -2], not [2, 0]"
    assert scores["copied_answers"].value == 1.0
    assert scores["copied_answers"].because == "holds the answer of running_total([1, 2, 3])"


def test_a_repair_farther_than_the_nearest_program_is_not_near(
    execute: Callable[[Program], Outcome],
) -> None:
    far = scored(example(wanted={"nearest": REPAIR}), text.fence(FAR), execute)
    assert values(far) == {
        "rpass": 1.0,
        "redit": 22.0,
        "rpass_near": 0.0,
        "valid": 1.0,
        "copied_answers": 0.0,
    }
    assert far["rpass_near"].because == "22 token edits, 5 to the nearest correct program"
    as_far = scored(example(), text.fence(FAR), execute)
    assert (as_far["rpass_near"].value, as_far["rpass_among_near"].value) == (1.0, 1.0)


def test_without_a_nearest_program_nothing_is_near(
    execute: Callable[[Program], Outcome],
) -> None:
    ex = example(wanted={"nearest": None})
    assert list(scored(ex, task.gold(ex), execute)) == ["rpass", "redit", "valid", "copied_answers"]
    assert list(scored(ex, "", execute)) == ["rpass", "valid", "copied_answers"]


def test_a_reply_without_a_program_repairs_nothing(
    execute: Callable[[Program], Outcome],
) -> None:
    scores = scored(example(), "I don't know.", execute)
    assert values(scores) == {"rpass": 0.0, "rpass_near": 0.0, "valid": 0.0, "copied_answers": 0.0}
    assert {score.because for score in scores.values()} == {"the reply holds no program", ""}


def test_a_program_with_a_syntax_error_is_not_valid(
    execute: Callable[[Program], Outcome],
) -> None:
    scores = scored(example(), "```python\ndef running_total(numbers:\n```", execute)
    assert scores["rpass"].value == 0.0
    assert scores["valid"].value == 0.0
    assert scores["valid"].because == "the program does not parse"


def test_a_sandbox_that_failed_leaves_the_passing_open() -> None:
    answer = task.parse(task.gold(example()), example())
    scores = by_name(task.score(example(), answer, None))
    assert values(scores) == {
        "rpass": None,
        "rpass_near": None,
        "rpass_among_near": None,
        "valid": 1.0,
        "copied_answers": 0.0,
    }
    assert scores["rpass"].because == "the sandbox failed"


@pytest.mark.parametrize(
    "field", [{"check": "def check(candidate): pass"}, {"suite": {"t.py": ""}}]
)
def test_a_whole_test_passes_or_fails(field: dict[str, Any]) -> None:
    ex = example(wanted=field)
    answer = task.parse(task.gold(ex), ex)
    passed = by_name(task.score(ex, answer, Outcome(outputs=(Output(text="passed"),))))
    failed = by_name(task.score(ex, answer, Outcome(outputs=(Output(error="AssertionError"),))))
    assert (passed["rpass"].value, failed["rpass"].value) == (1.0, 0.0)
    assert failed["rpass"].because == "AssertionError"


def test_signatures_say_what_the_scores_depend_on() -> None:
    answer = Answer(value=REPAIR)
    outcome = Outcome(outputs=tuple(Output(text=test["expected"]) for test in TESTS))
    scores = by_name(task.score(example(), answer, outcome))
    assert scores["rpass"].by == "rpass|tests:all|v1"
    assert scores["redit"].by.startswith("redit|pygments-2.")
    assert scores["redit"].by.endswith("|levenshtein|v1")
    assert scores["rpass_near"].by.startswith("rpass_near|tests:all|pygments-2.")
    assert scores["rpass_among_near"].by.startswith("rpass_among_near|tests:all|pygments-2.")
    assert scores["valid"].by.startswith("valid|python-3.")
    assert scores["copied_answers"].by == "copied_answers|shown|v1"
    suite = example(wanted={"suite": {"test_it.py": ""}})
    assert task.score(suite, answer, None)[0].by == "rpass|pytest:one process|v1"
    assert task.score(suite, Answer(value=None), None)[0].by == "rpass|pytest:one process|v1"


def test_metrics_tell_how_they_are_read() -> None:
    assert {
        metric.name: (metric.better, metric.unit, metric.common) for metric in task.metrics
    } == {
        "rpass": ("higher", "share", False),
        "redit": ("lower", "tokens", True),
        "rpass_near": ("higher", "share", False),
        "rpass_among_near": ("higher", "share", True),
        "valid": ("higher", "share", False),
        "copied_answers": ("lower", "share", False),
    }


# ------------------------------------------------------------------ training rows and floors


def test_an_example_without_a_repair_can_only_be_tested() -> None:
    ex = example(wanted={"repair": None})
    assert task.prompt(ex, variant="direct") == task.prompt(example(), variant="direct")
    for use in (task.gold, lambda ex: task.conversation(ex, variant="direct")):
        with pytest.raises(DataError, match="'running-total/1' has no known repair"):
            use(ex)


def floor(name: str, ex: Example, training: list[Example]) -> str | None:
    return task.parse(task.floors[name](ex, training), ex).value


def test_floors_paste_what_is_at_hand() -> None:
    assert sorted(task.floors) == ["nearest", "reference", "unchanged"]
    assert floor("unchanged", example(), []) == BUGGY.strip("\n")
    assert floor("reference", example(), []) == FAR.strip("\n")
    assert floor("nearest", example(wanted={"nearest": COPY}), []) == COPY.strip("\n")
    assert floor("reference", example(wanted={"reference": None}), []) is None


def test_the_nearest_floor_looks_at_the_same_problem_first() -> None:
    ex = example(wanted={"nearest": None})
    same = example(wanted={"repair": FAR})
    other = dataclasses.replace(
        example(given={"problem": "other"}, wanted={"repair": BUGGY.replace("0", "1")})
    )
    without = example(wanted={"repair": None})
    assert floor("nearest", ex, [other, same, without, SHOT]) == FAR.strip("\n")
    nearer = example(wanted={"repair": REPAIR})
    assert floor("nearest", ex, [same, nearer]) == REPAIR.strip("\n")
    assert floor("nearest", ex, [SHOT, other]) == BUGGY.replace("0", "1").strip("\n")
    assert floor("nearest", ex, [without]) == BUGGY.strip("\n")


def test_the_catalog_finds_the_task() -> None:
    assert catalog.named(catalog.TASKS, "repair", noun="task") is task
    assert task.name == "repair"


def test_the_version_names_all_that_a_stored_score_depends_on() -> None:
    version, *depends = task.version.split("|")
    assert version == "1"
    assert "|".join(depends) == f"{tokens.SIGNATURE}|python-3.{sys.version_info.minor}"
