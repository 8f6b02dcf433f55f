"""Data entries of a study that give examples of `hint` and of `write`."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

import outdo
from outdo.cli.sources import content_of, examples_of
from outdo.errors import DataError
from outdo.records import Example
from outdo.sandbox import Sandbox
from outdo.scorers.hints import marks
from outdo.study.sources import Injected, Instructions, Rows, kind_of
from outdo.tasks import critique, hint, repair

BUGGY = "def twice(n):\n    return n + n + {n}\n"
REPAIR = "def twice(n):\n    return n + n\n"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tier="auto", workers=1) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    bugs = [
        {
            "slug": f"p{n % 3}",
            "about": "Twice n.",
            "bad": BUGGY.format(n=n + 1),
            "good": REPAIR,
            "said": "Look at line 2: how often is n added?" if n else "",
        }
        for n in range(12)
    ]
    tasks = [{"instruction": f"Set x to {n}.", "output": f"x = {n}"} for n in range(30)]
    for name, rows in (("bugs", bugs), ("tasks", tasks)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text, "utf-8")
    problems = tmp_path / "problems"
    problems.mkdir()
    brought = Path(outdo.__file__).parent / "embedded" / "problems"
    for path in sorted(brought.glob("*.yaml"))[1:3]:
        shutil.copy(path, problems)
    return tmp_path


def read(spec: object, folder: Path, sandbox: Sandbox, *, task: str) -> list[Example]:
    rows, _ = examples_of(spec, folder, 1, sandbox, task=task)  # type: ignore[arg-type]
    return list(rows)  # type: ignore[arg-type]


INJECTED = {
    **{"source": "inject", "problems": "problems", "count": 6},
    **{"test_per_problem": 1, "test_per_held_out": 1},
}


def test_broken_programs_are_examples_of_both_tasks(folder: Path, sandbox: Sandbox) -> None:
    both = Injected.model_validate({**INJECTED, "tasks": ["repair", "hint"]})
    found = read(both, folder, sandbox, task="repair")
    by_task = {name: [one for one in found if one.task == name] for name in ("repair", "hint")}
    assert len(by_task["repair"]) == len(by_task["hint"]) > 3
    assert len({one.id for one in found}) == len(found)
    for mine, theirs in zip(by_task["repair"], by_task["hint"], strict=True):
        assert (mine.given, mine.group, mine.split) == (theirs.given, theirs.group, theirs.split)
        asked = hint.task.prompt(theirs, variant="direct").messages[1].content
        assert asked.startswith(repair.context(mine.given))
        said = hint.task.gold(theirs)
        assert marks(said, before=theirs.given["program"], after=theirs.wanted["repair"]).good


def test_a_study_of_hints_alone_needs_to_say_no_more(folder: Path, sandbox: Sandbox) -> None:
    found = read(Injected.model_validate(INJECTED), folder, sandbox, task="hint-guarded")
    assert {one.task for one in found} == {"hint"}
    assert Counter(one.split for one in found).keys() == {"train", "test"}


COLUMNS = {"problem": "slug", "statement": "about", "program": "bad", "repair": "good"}


def test_rows_with_hints_need_no_tests(folder: Path, sandbox: Sandbox) -> None:
    columns = {**COLUMNS, "hint": "said"}
    spec = Rows.model_validate(
        {"source": "rows", "path": "bugs.jsonl", "columns": columns, "hold_out": 1}
    )
    found = read(spec, folder, sandbox, task="hint")
    assert len(found) == 12
    assert Counter(one.split for one in found) == {"train": 9, "test": 3}
    told = [hint.task.gold(one) for one in found if one.wanted["hint"]]
    assert set(told) == {"Look at line 2: how often is n added?"}
    (untold,) = [one for one in found if not one.wanted["hint"]]
    assert "line 2" in hint.task.gold(untold).lower()


def test_programs_without_a_fault_are_left_out_of_training_and_counted(
    folder: Path, sandbox: Sandbox
) -> None:
    path = folder / "bugs.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    rows += [{**rows[0], "bad": REPAIR.replace("n + n", f"n + n  # {k}")} for k in range(4)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    spec = Rows.model_validate(
        {"source": "rows", "path": "bugs.jsonl", "columns": COLUMNS, "hold_out": 1}
    )
    found, notes = examples_of(spec, folder, 3, sandbox, task="hint")
    assert any("without a fault that a hint could point at" in note for note in notes)
    assert all(hint.can_be_taught(one) for one in found if one.split == "train")  # type: ignore[union-attr, arg-type]


def test_an_unknown_field_and_a_missing_statement_are_told(folder: Path, sandbox: Sandbox) -> None:
    for columns, problem in (
        ({**COLUMNS, "clue": "said"}, "hint knows no field 'clue'"),
        ({"program": "bad"}, "the row has no statement"),
    ):
        spec = Rows.model_validate({"source": "rows", "path": "bugs.jsonl", "columns": columns})
        with pytest.raises(DataError, match=problem):
            read(spec, folder, sandbox, task="hint")


def test_instructions_are_an_entry_of_a_study(folder: Path, sandbox: Sandbox) -> None:
    spec = Instructions.model_validate(
        {"source": "instructions", "path": "tasks.jsonl", "hold_out": 5}
    )
    assert kind_of(spec, ["write"]) == "examples"
    found = read(spec, folder, sandbox, task="write")
    assert Counter(one.split for one in found) == {"train": 25, "test": 5}
    assert {one.task for one in found} == {"write"}
    assert content_of(spec, folder, task="write") != content_of(spec, folder, task="hint")
    both = spec.model_copy(update={"apart": ["tasks.jsonl"]})
    assert content_of(both, folder, task="write") != content_of(spec, folder, task="write")
    with pytest.raises(DataError, match="no row could be used"):
        read(both, folder, sandbox, task="write")


def test_only_tasks_of_broken_programs_can_be_asked_for() -> None:
    with pytest.raises(ValidationError, match="repair"):
        Injected.model_validate({**INJECTED, "tasks": ["describe"]})


def test_broken_programs_are_drafts_and_their_problems_are_to_be_written(
    folder: Path, sandbox: Sandbox
) -> None:
    spec = Injected.model_validate({**INJECTED, "tasks": ["write", "critique"]})
    found = read(spec, folder, sandbox, task="prefer")
    drafts = [one for one in found if one.task == "critique"]
    asked = [one for one in found if one.task == "write"]
    assert len(drafts) + len(asked) == len(found) == len({one.id for one in found})
    wrong = [one for one in drafts if not one.wanted["reply"]["good_enough"]]
    assert len(wrong) == 6 and len(drafts) - len(wrong) == len(asked)
    for one in drafts:
        answer = critique.task.parse(critique.task.gold(one), one)
        assert "Line" in answer.value["reflection"] or one not in wrong
        program = critique.task.program(one, answer)
        assert program is not None
        ((_, outcome),) = sandbox.run([program])
        scores = {s.metric: s.value for s in critique.task.score(one, answer, outcome)}
        assert scores["passes_after"] == 1.0 and scores.get("mended", 1.0) == 1.0


@pytest.mark.parametrize("task", ["write", "critique"])
def test_a_study_of_one_task_needs_not_name_it(folder: Path, sandbox: Sandbox, task: str) -> None:
    found = read(Injected.model_validate(INJECTED), folder, sandbox, task=task)
    assert {one.task for one in found} == {task}
