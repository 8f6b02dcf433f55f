"""The task prefer: its prompts to the letter, verdicts read, both orders, rows and floors."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from outdo import catalog
from outdo.errors import DataError, StudyError
from outdo.records import Example, Message
from outdo.tasks.prefer import task

GOLDEN = Path(__file__).parent / "golden"
RIGHT = """\
def running_total(numbers):
    out = []
    s = 0
    for n in numbers:
        s += n
        out.append(s)
    return out
"""
WRONG = RIGHT.replace("s += n", "s = n")
EVIDENCE = {
    "slip": {
        "operator": "accumulator-update",
        "line": 5,
        "column": 11,
        "before": "        s += n",
        "after": "        s = n",
    },
    "test": {
        "call": "running_total([1, 2, 3])",
        "expected": "[1, 3, 6]",
        "gave": "[1, 2, 3]",
        "error": None,
    },
}


def example(
    *, given: dict[str, Any] | None = None, wanted: dict[str, Any] | None = None
) -> Example:
    return Example(
        id="running-total/1",
        task="prefer",
        given={
            "problem": "running-total",
            "statement": "Return a new list in which each item is the sum so far.\n",
            "criterion": "correctness",
            "first": WRONG,
            "second": RIGHT,
            **(given or {}),
        },
        wanted={"choice": "second", "evidence": EVIDENCE, **(wanted or {})},
        group="running-total",
        split="test",
        source="own",
    )


def other(name: str, *, right: str, wrong: str) -> Example:
    """A training example whose better program stands first."""
    given = {"problem": name, "first": right, "second": wrong}
    return dataclasses.replace(
        example(given=given, wanted={"choice": "first"}), id=f"{name}/1", group=name, split="train"
    )


SHOT = other(
    "double", right="def double(x):\n    return 2 * x", wrong="def double(x):\n    return x"
)


def rendered(messages: tuple[Message, ...]) -> str:
    return "".join(f"[{message.role}]\n{message.content}\n" for message in messages)


def golden(name: str) -> str:
    return (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


# ------------------------------------------------------------------ prompts


@pytest.mark.parametrize("variant", task.variants)
def test_prompts_are_golden(variant: str) -> None:
    asked = task.prompt(example(), variant=variant)
    assert rendered(asked.messages) == golden(f"prefer-{variant}")
    assert asked.schema is None


@pytest.mark.parametrize("variant", task.variants)
def test_training_rows_are_golden(variant: str) -> None:
    row = task.conversation(example(), variant=variant)
    assert rendered(row.messages) == golden(f"prefer-{variant}-row")
    assert row.messages[:-1] == task.prompt(example(), variant=variant).messages
    assert (row.id, row.group) == (f"prefer/{variant}/running-total/1/second", "running-total")
    assert (row.task, row.source) == ("prefer", "own")


def test_a_letter_is_chosen_among_letters_and_a_program_among_programs() -> None:
    candidates = {v: task.prompt(example(), variant=v).candidates for v in task.variants}
    assert candidates["compare"] == candidates["few-shot"] == ("A", "B")
    assert candidates["reasons"] == ()
    assert candidates["reward"] == candidates["likelihood"] == candidates["likelihood-normalised"]
    assert candidates["reward"] == (f"```python\n{WRONG}```", f"```python\n{RIGHT}```")


def test_the_instruction_alone_tells_of_neither_program() -> None:
    swapped = task.views(example())[1]
    for variant in ("reward", "likelihood", "likelihood-normalised"):
        asked = task.prompt(example(), variant=variant)
        assert "def " not in rendered(asked.messages)
        assert asked.messages == task.prompt(swapped, variant=variant).messages


def test_a_likelihood_counts_as_it_stands_or_a_token() -> None:
    asked = {v: task.prompt(example(), variant=v) for v in task.variants}
    assert {name for name, one in asked.items() if one.per_token} == {"likelihood-normalised"}
    assert asked["likelihood"].key != asked["likelihood-normalised"].key
    assert asked["likelihood"].key == asked["reward"].key, "a name from before stays"


def test_shots_are_earlier_turns_of_few_shot_alone() -> None:
    bare = task.prompt(example(), variant="few-shot").messages
    assert bare == task.prompt(example(), variant="compare").messages
    shown = task.prompt(example(), variant="few-shot", shots=[SHOT])
    system, question, verdict, last = shown.messages
    assert (system, last) == bare and shown.candidates == ("A", "B")
    assert question == task.prompt(SHOT, variant="compare").messages[1]
    assert verdict == Message(role="assistant", content="A")
    for variant in task.variants:
        with_shots = task.prompt(example(), variant=variant, shots=[SHOT])
        differs = with_shots != task.prompt(example(), variant=variant)
        assert differs == (variant == "few-shot")


def test_a_preamble_and_another_criterion_are_told() -> None:
    ex = example(given={"preamble": "import math", "criterion": "readability"})
    asked = task.prompt(ex, variant="compare").messages[-1].content
    assert "These lines run first:\n```python\nimport math\n```\n\nA:\n" in asked
    assert "What counts is readability. " in asked


def test_an_unknown_variant_is_refused() -> None:
    with pytest.raises(StudyError, match="prefer has no variant 'direct'"):
        task.prompt(example(), variant="direct")


# ------------------------------------------------------------------ both orders


def test_the_views_are_both_orders_of_one_example() -> None:
    as_it_is, swapped = task.views(example())
    assert as_it_is == example()
    assert (swapped.given["first"], swapped.given["second"]) == (RIGHT, WRONG)
    assert (swapped.wanted["choice"], swapped.id) == ("first", "running-total/1")
    assert task.views(swapped)[1] == example()
    assert swapped.wanted["evidence"] == EVIDENCE


@pytest.mark.parametrize("variant", task.variants)
def test_the_orders_are_two_questions_and_two_rows(variant: str) -> None:
    views = task.views(example())
    assert len({task.prompt(view, variant=variant).key for view in views}) == 2
    assert len({task.conversation(view, variant=variant).id for view in views}) == 2


def test_an_example_without_a_choice_is_refused() -> None:
    for use in (task.views, task.gold, task.pair):
        assert use is not None
        with pytest.raises(DataError, match="doesn't say which program is better"):
            use(example(wanted={"choice": None}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("statement", "first", "second") for value in (None, " ", 3)),
        ("criterion", " "),
        ("criterion", 3),
    ],
)
def test_what_an_example_lacks_is_named(name: str, value: object) -> None:
    with pytest.raises(DataError, match=f"'running-total/1' has no '{name}'"):
        task.prompt(example(given={name: value}), variant="compare")


# ------------------------------------------------------------------ reading and scores

VERDICTS = [
    ("B", "second", None),
    ("A\n", "first", None),
    ("A forgets to add.\n\nB", "second", None),
    ("A forgets to add.\r\n\r\nB\r\n", "second", None),
    ("**B**", "second", "marks around the letter"),
    ("(A).", "first", "marks around the letter"),
    ("Answer: B", "second", "words around the letter"),
    ("My verdict is **A**.", "first", "words around the letter"),
    ("I'd choose program B.", "second", "words around the letter"),
    ("Program A", "first", "words around the letter"),
    ("B is better.", "second", "words around the letter"),
    (f"```python\n{WRONG}```", "first", None),
    (f"```python\n{RIGHT}```", "second", None),
]


@pytest.mark.parametrize(("reply", "side", "rule"), VERDICTS)
def test_a_verdict_is_read(reply: str, side: str, rule: str | None) -> None:
    answer = task.parse(reply, example())
    assert (answer.value, answer.repaired_by, answer.problem) == (side, rule, None)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "  \n",
        "C",
        "a",
        "Both.",
        "A or B",
        "I choose a",
        "B is worse than A",
        "B\nor not",
        "def f(): pass",
    ],
)
def test_what_is_no_verdict_is_missing_and_no_loss(reply: str) -> None:
    answer = task.parse(reply, example())
    assert answer.value is None and answer.problem
    (score,) = task.score(example(), answer, None)
    assert (score.metric, score.value, score.because) == ("accuracy", None, answer.problem)


def test_gold_is_right_and_bait_is_wrong_in_both_orders() -> None:
    for view in task.views(example()):
        for reply, value in ((task.gold(view), 1.0), (task.bait(view), 0.0)):
            answer = task.parse(reply, view)
            assert task.program(view, answer) is None
            (score,) = task.score(view, answer, None)
            assert (score.value, score.by) == (value, "accuracy|choice|v1")


# ------------------------------------------------------------------ training rows


def test_a_pair_holds_what_will_be_scored() -> None:
    assert task.pair is not None
    for view in task.views(example()):
        row = task.pair(view)
        asked = task.prompt(view, variant="reward")
        assert row.prompt.messages == asked.messages and row.prompt.candidates == ()
        assert {row.chosen, row.rejected} == set(asked.candidates)
        assert row.chosen == f"```python\n{RIGHT}```"
        assert (row.criterion, row.margin, row.evidence) == ("correctness", None, EVIDENCE)
        assert (row.id, row.group, row.source) == ("prefer/running-total/1", "running-total", "own")


def reasons_of(ex: Example) -> list[str]:
    return task.conversation(ex, variant="reasons").messages[-1].content.splitlines()


def test_reasons_name_the_worse_program_and_end_in_the_letter_of_the_better() -> None:
    for view, worse in zip(task.views(example()), "AB", strict=True):
        broken, shown, blank, letter = reasons_of(view)
        assert broken == f"Line 5 of {worse} reads `s = n` where it should read `s += n`."
        assert shown.startswith(f"For `running_total([1, 2, 3])`, {worse} gives `[1, 2, 3]`; ")
        assert (blank, letter) == ("", task.gold(view))
        assert task.parse("\n".join(reasons_of(view)), view).value == view.wanted["choice"]


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ({"before": "", "after": "    return s"}, "Line 5 of A: `return s` does not belong there."),
        (
            {"before": "    s = 0\n    t = 1", "after": ""},
            "Line 5 of A: `s = 0`, `t = 1` is missing.",
        ),
        ({"before": "  s", "after": "s"}, "Line 5 of A must be indented differently: `s`."),
        ({"line": None}, "A reads `s = n` where it should read `s += n`."),
    ],
)
def test_reasons_tell_lost_and_added_lines(slip: dict[str, Any], told: str) -> None:
    evidence = {"slip": {**EVIDENCE["slip"], **slip}}
    assert reasons_of(example(wanted={"evidence": evidence})) == [told, "", "B"]


@pytest.mark.parametrize(
    ("test", "told"),
    [
        (
            {"gave": None, "error": "TypeError: no"},
            "For `f(1)`, A raises TypeError: no; right is `2`.",
        ),
        ({"gave": None}, "For `f(1)`, A gives nothing; right is `2`."),
        (
            {"error": "stopped: out of time"},
            "For `f(1)`, A is stopped: out of time; right is `2`.",
        ),
        ({"gave": "3", "call": "", "stdin": "1"}, "For the input '1', A gives `3`; right is `2`."),
    ],
)
def test_reasons_tell_what_a_test_showed(test: dict[str, Any], told: str) -> None:
    evidence = {"test": {"call": "f(1)", "expected": "2", **test}}
    assert reasons_of(example(wanted={"evidence": evidence})) == [told, "", "B"]


def test_without_evidence_there_are_no_reasons_to_learn() -> None:
    bare = example(wanted={"evidence": None})
    with pytest.raises(DataError, match="has no evidence to give reasons from"):
        task.conversation(bare, variant="reasons")
    assert task.conversation(bare, variant="compare").messages[-1].content == "B"


# ------------------------------------------------------------------ floors


def floor(name: str, ex: Example, training: list[Example] | None = None) -> str:
    return task.floors[name](ex, training or [])


def test_every_floor_gives_a_verdict() -> None:
    assert sorted(task.floors) == ["first", "longer", "nearest", "patterns", "shorter"]
    for make in task.floors.values():
        assert task.parse(make(example(), [SHOT]), example()).value in ("first", "second")


def test_floors_look_at_programs_and_not_at_places() -> None:
    """All but `first` choose the same program in both orders, unless it makes no difference."""
    long = RIGHT.replace("    return", "    print(out)\n    return")
    ex, swapped = task.views(example(given={"first": long}))
    assert (floor("first", ex), floor("first", swapped)) == ("A", "A")
    for name, sides in {"shorter": "BA", "longer": "AB", "patterns": "BA"}.items():
        assert floor(name, ex) + floor(name, swapped) == sides
    same = example(given={"first": RIGHT})
    assert [floor(name, same, [SHOT]) for name in sorted(task.floors)] == ["A"] * 5


def test_the_nearest_floor_looks_at_the_same_problem_first() -> None:
    right = RIGHT.replace("out", "result")
    same = other("running-total", right=right, wrong=right.replace("s += n", "s = n"))
    misleading = other("sums", right=WRONG, wrong=RIGHT)
    for view in task.views(example()):
        assert floor("nearest", view, [misleading, same]) == task.gold(view)
        assert floor("nearest", view, [misleading]) == task.bait(view)
    assert floor("nearest", example(), []) == "A"


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (
            "def f(x):\n    for y in x:\n        y\n    return 1",
            "def f(x):\n    for y in x:\n        return 1",
        ),
        ("for i in range(len(x)):\n    x", "for i in range(len(x) + 1):\n    x"),
        ("t += 1", "t = 1"),
        ("return x", "print(x)"),
    ],
)
def test_patterns_of_right_programs(better: str, worse: str) -> None:
    ex = example(given={"first": worse, "second": better})
    assert floor("patterns", ex) == "B"


def test_the_catalog_finds_the_task() -> None:
    assert catalog.named(catalog.TASKS, "prefer", noun="task") is task
    assert (task.name, task.item, task.version) == ("prefer", "pair", "1")
