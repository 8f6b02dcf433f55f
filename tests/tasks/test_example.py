"""The example of a task of one's own is found by its spelled name, and proves itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from outdo import catalog
from outdo.records import Example

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_a_task_of_ones_own_needs_no_entry_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))
    task = catalog.named(catalog.TASKS, "predict:task", noun="task")
    example = Example(
        id="double/1",
        task="predict",
        given={"program": "def double(x):\n    return 2 * x", "call": "double(3)"},
        wanted={"value": "6"},
        group="double",
        split="test",
        source="own",
    )
    asked = task.prompt(example, variant="direct")
    assert asked.messages[-1].content.endswith("What does double(3) give? Reply with the value.")
    assert task.conversation(example, variant="direct").messages[:-1] == asked.messages
    for reply, value in ((task.gold(example), 1.0), (task.bait(example), 0.0), ("", 0.0)):
        answer = task.parse(reply, example)
        assert task.program(example, answer) is None
        (score,) = task.score(example, answer, None)
        assert (score.metric, score.value) == ("right", value)
    assert task.parse("It is\n`6`\n", example).value == "6"
