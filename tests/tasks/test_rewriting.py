"""Commit-Instruct and Critic-Evol: what is asked, and that no word but yes is taken for a yes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outdo import catalog, replies
from outdo.engines.openai_chat import is_closed
from outdo.errors import DataError, StudyError
from outdo.records import Example
from outdo.tasks import Task, commit_instruct, critique
from outdo.tasks.rewriting import (
    DOUBLED,
    FORM,
    LACKING,
    NEITHER,
    STRANGE,
    TORN,
    Rewriting,
    fault,
)

GOLDEN = Path(__file__).parent / "golden"
DIFF = """\
diff --git a/shop/till.py b/shop/till.py
--- a/shop/till.py
+++ b/shop/till.py
@@ -1,4 +1,3 @@
 def total(rows):
-    found = []
-    for row in rows: found = found + [row]
-    return sum(found)
+    return sum(rows)
"""
NAIVE = "def total(rows):\n    found = []\n    for row in rows: found = found + [row]\n"
NAIVE += "    return sum(found)"
BETTER = "def total(rows):\n    return sum(rows)"
YES: dict[str, Any] = {
    "reasons": "A list was built to be summed.",
    "improves": True,
    "criterion": "efficiency",
    "instruction": "Return the sum of the rows.",
    "naive_code": NAIVE,
    "improved_code": BETTER,
    "feedback": "The naive program copies the list once a row.",
}
REVISED: dict[str, Any] = {
    "reflection": "It copies the list once a row.",
    "good_enough": False,
    "criterion": "efficiency",
    "revision": BETTER,
    "feedback": "The rows are summed as they come.",
}
GIVEN: dict[str, dict[str, Any]] = {
    "commit-instruct": {
        "repo": "shop/till",
        "message": "Sum the rows at once\n\n```\nnot a fence\n```",
        "language": "Python",
        "diff": DIFF,
    },
    "critique": {
        "statement": "Return the sum of the rows.",
        "preamble": "import math",
        "draft": NAIVE,
        "language": "Python",
    },
}
WHOLE = {"commit-instruct": YES, "critique": REVISED}
TASKS: dict[str, Task] = {"commit-instruct": commit_instruct.task, "critique": critique.task}
WAYS: dict[str, Rewriting] = {
    "commit-instruct": commit_instruct.rewriting,
    "critique": critique.rewriting,
}
BOTH = pytest.mark.parametrize("name", TASKS)


def example(name: str, *, wanted: dict[str, Any] | None = None, **given: Any) -> Example:
    return Example(
        id=f"{name}/1",
        task=name,
        given={**GIVEN[name], **given},
        wanted=wanted or {},
        group="shop/till",
        split="train",
        source="commits.jsonl",
    )


def ended(name: str) -> dict[str, Any]:
    """The reply that decides that nothing is to be written."""
    way = WAYS[name]
    return {way.why: WHOLE[name][way.why], way.decides: not way.goes_on}


# ------------------------------------------------------------------ the question


@BOTH
@pytest.mark.parametrize("variant", ["direct", "json", "brief"])
def test_prompts_to_the_letter(name: str, variant: str) -> None:
    asked = TASKS[name].prompt(example(name), variant=variant)
    said = "\n".join(f"[{one.role}]\n{one.content}\n" for one in asked.messages)
    golden = GOLDEN / f"{name}-{variant}.txt"
    assert said == golden.read_text("utf-8"), f"{golden} is what the prompt was"


@BOTH
def test_the_schema_is_one_that_servers_hold_to(name: str) -> None:
    assert TASKS[name].prompt(example(name), variant="direct").schema is None
    schema = TASKS[name].prompt(example(name), variant="json").schema
    assert schema is not None and is_closed(schema)
    way = WAYS[name]
    assert schema["properties"][way.decides] == {"type": "boolean"}
    blank = dict.fromkeys(way.told, "") | {"criterion": "none"}
    filled = {**ended(name), **blank}
    assert set(filled) == set(schema["required"])
    assert TASKS[name].parse(json.dumps(filled), example(name)).value == ended(name)


@BOTH
def test_the_catalog_knows_them_and_no_variant_is_made_up(name: str) -> None:
    assert catalog.named(catalog.TASKS, name, noun="task") is TASKS[name]
    with pytest.raises(StudyError, match="has no variant 'loud'"):
        TASKS[name].prompt(example(name), variant="loud")


@pytest.mark.parametrize("lacking", ["statement", "draft"])
def test_a_critique_needs_a_statement_and_a_draft(lacking: str) -> None:
    with pytest.raises(DataError, match=f"has no '{lacking}'"):
        critique.task.prompt(example("critique", **{lacking: " "}), variant="json")


def test_a_commit_is_cut_to_what_a_prompt_may_take() -> None:
    rows = "".join(f"+    first_{n} = {n}\n" for n in range(400))
    long = example("commit-instruct", diff=f"{DIFF}@@ -9,1 +8,401 @@\n x = 1\n{rows}")
    fit = commit_instruct.task.fit
    assert fit is not None
    cut = fit(long, 4_000, len)
    sizes = [
        sum(len(m.content) for m in commit_instruct.task.prompt(one, variant="json").messages)
        for one in (long, cut)
    ]
    assert sizes[0] > 4_000 >= sizes[1]
    assert fit(long, 1_000_000, len).given["rendered"]
    with pytest.raises(DataError, match="takes more than 100 tokens"):
        fit(long, 100, len)


# ------------------------------------------------------------------ the reading


@BOTH
@pytest.mark.parametrize("form", ["yaml", "json"])
def test_whole_replies_are_read_in_both_forms(name: str, form: Any) -> None:
    for value in (WHOLE[name], ended(name)):
        answer = TASKS[name].parse(replies.write(value, form=form), example(name))
        assert answer.value == value
        assert fault(answer) == "" and not answer.repaired_by
    assert WAYS[name].goes(TASKS[name].parse(replies.write(WHOLE[name]), example(name)))
    assert not WAYS[name].goes(TASKS[name].parse(replies.write(ended(name)), example(name)))


@BOTH
def test_what_stands_behind_a_no_is_not_looked_at(name: str) -> None:
    said = {**ended(name), "criterion": "whatever", "feedback": ["a", "b"]}
    answer = TASKS[name].parse(json.dumps(said), example(name))
    assert answer.value == ended(name)


def test_code_may_stand_in_a_fence_or_indented() -> None:
    said = {**YES, "improved_code": f"```python\n{BETTER}\n```", "naive_code": f"\n    {NAIVE}\n"}
    said["naive_code"] = "\n".join(f"    {line}" for line in NAIVE.split("\n"))
    answer = commit_instruct.task.parse(json.dumps(said), example("commit-instruct"))
    assert answer.value == YES
    assert answer.repaired_by == "fence in improved_code"


UNREAD = {
    "NOTE": FORM,
    "I'm sorry, but I can't help with this commit.": FORM,
    "": FORM,
    json.dumps([YES]): FORM,
    json.dumps({**YES, "improves": "NOTE"}): NEITHER,
    json.dumps({**YES, "improves": "probably"}): NEITHER,
    json.dumps({**YES, "improves": 1}): NEITHER,
    json.dumps({**YES, "improves": None}): NEITHER,
    json.dumps({**YES, "criterion": "elegance"}): STRANGE,
    json.dumps({**YES, "criterion": "none"}): LACKING,
    json.dumps({n: v for n, v in YES.items() if n != "improves"}): LACKING,
    json.dumps({n: v for n, v in YES.items() if n != "feedback"}): LACKING,
    json.dumps({**YES, "naive_code": "\n"}): LACKING,
    json.dumps({**YES, "reasons": ""}): LACKING,
    f'{json.dumps(YES)[:-1]}, "improves": false}}': DOUBLED,
    f'{json.dumps(YES)[:-1]}, "improved_code": "x = 1"}}': DOUBLED,
    f"{replies.write(YES)}\nimproves: yes": DOUBLED,
    json.dumps(YES)[:-30]: TORN,
}


@pytest.mark.parametrize("reply", UNREAD, ids=range(len(UNREAD)))
def test_a_reply_that_leaves_it_open_is_told_and_gives_nothing(reply: str) -> None:
    answer = commit_instruct.task.parse(reply, example("commit-instruct"))
    assert fault(answer) == UNREAD[reply], answer


@pytest.mark.parametrize("word", ["yes", "true", "Yes", "on"])
def test_yes_is_yes_however_it_is_written(word: str) -> None:
    said = replies.write(YES).replace("improves: true", f"improves: {word}")
    answer = commit_instruct.task.parse(said, example("commit-instruct"))
    assert answer.value == YES and fault(answer) == ""


# ------------------------------------------------------------------ scores and rows


@BOTH
def test_gold_earns_full_marks_and_the_bait_none(name: str) -> None:
    one = example(name, wanted={"reply": WHOLE[name]})
    task = TASKS[name]
    best = {s.metric: s.value for s in task.score(one, task.parse(task.gold(one), one), None)}
    assert best == {"valid": 1.0, "decided": 1.0, "changed": 1.0}
    worst = {s.metric: s.value for s in task.score(one, task.parse(task.bait(one), one), None)}
    assert worst == {"valid": 0.0, "decided": 0.0}
    with pytest.raises(DataError, match="nobody knows the reply"):
        task.gold(example(name))


@pytest.mark.parametrize(
    "same",
    [f"\n{NAIVE}\n", NAIVE.replace("    ", "  "), f"# summed\n{NAIVE}", NAIVE.replace("[]", "[ ]")],
)
def test_the_same_code_is_no_change_whatever_its_layout(same: str) -> None:
    one = example("critique")
    answer = critique.task.parse(json.dumps({**REVISED, "revision": same}), one)
    (changed,) = [s.value for s in critique.task.score(one, answer, None) if s.metric == "changed"]
    assert changed == 0.0


def test_of_other_languages_layout_is_blanks() -> None:
    one = example("commit-instruct", language="Go")
    said = {**YES, "naive_code": "a := 1\nb := 2", "improved_code": "a  := 1\n\nb := 2"}
    answer = commit_instruct.task.parse(json.dumps(said), one)
    scores = {s.metric: s.value for s in commit_instruct.task.score(one, answer, None)}
    assert scores["changed"] == 0.0


@BOTH
@pytest.mark.parametrize("variant", ["direct", "json", "brief"])
def test_what_is_taught_is_what_is_asked(name: str, variant: str) -> None:
    one = example(name, wanted={"reply": WHOLE[name]})
    row = TASKS[name].conversation(one, variant=variant)
    assert row.messages[:-1] == TASKS[name].prompt(one, variant=variant).messages
    assert TASKS[name].parse(row.messages[-1].content, one).value == WHOLE[name]
