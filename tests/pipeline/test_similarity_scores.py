"""Likeness in vectors as further scores of a study's replies: stored, told, and paid for once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
import pytest
from world import Silent, World

from outdo.errors import StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline import Report, Tools, carry_out
from outdo.records import Example, Request
from outdo.store import Store
from outdo.study import Encoding

STUDY = """
study: alike
task: write
data:
  asked: {source: instructions, path: x}
models:
  small: ./small
  other: ./other
similarity:
  bertscore: ./bert
answer:
  small: {model: small}
compare:
  write: {answers: [small], against: [small]}
"""
BOTH = STUDY.replace("answers: [small]", "answers: [small, other]").replace(
    "compare:", "  other: {model: other}\ncompare:"
)


def example(number: int, split: str = "test") -> Example:
    return Example(
        id=f"{split}-{number}",
        task="write",
        given={"instruction": f"Give back {number}.", "input": ""},
        wanted={"reference": f"def f():\n    return {number}"},
        group=f"{number}",
        split=split,  # type: ignore[arg-type]
        source="made",
    )


@dataclass
class Words:
    """An encoder whose tokens are words; equal ones are near, and no others."""

    read: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    asked: list[Encoding] = field(default_factory=list)
    signature: str = "words"

    def encode(self, texts: Sequence[str], *, contexts: Sequence[str] | None) -> Sequence[Any]:
        self.read += texts
        self.behind += contexts or []
        return [_Words(text) for text in texts]

    def given(self, _: ModelReference, spec: Encoding) -> Words:
        self.asked.append(spec)
        return self


class _Words:
    windows = 1
    places: ClassVar[dict[str, int]] = {}

    def __init__(self, text: str) -> None:
        self.tokens = text.split() or ["."]
        self.ids = [self.places.setdefault(one, len(self.places)) for one in self.tokens]
        self.special = [False] * len(self.ids)
        self.vectors = np.eye(64, dtype=np.float32)[self.ids]


def said(model: str, request: Request) -> str:
    """The reference from the small one, and something else of the other."""
    number = request.prompt.messages[-1].content.partition("back ")[2].partition(".")[0]
    if "other" in model:
        return "```python\ndef f():\n    pass\n```" if number != "1" else "I can't."
    return f"```python\ndef f():\n    return {number}\n```"


@pytest.fixture(autouse=True)
def rows(world: World) -> None:
    world.rows, world.say = [example(n) for n in range(3)], said


def run(world: World, text: str, words: Words, *overrides: str) -> Report:
    tools: Tools = replace(world.tools, encoder=words.given)
    study = world.study(text, *overrides)
    return carry_out(study, store=world.store, tools=tools, watch=Silent())


def means(report: Report) -> dict[str, dict[str, float | None]]:
    (table,) = report.results.tables
    return {
        line.contestant.name: {name: cell.value for name, cell in line.cells.items()}
        for line in table.lines
    }


def test_replies_are_compared_with_their_references(world: World) -> None:
    words = Words()
    found = means(run(world, BOTH, words))
    for part in ("precision", "recall", "f1", "f3"):
        assert found["small"][f"bertscore_{part}"] == pytest.approx(1.0)
    # `def f(): pass` has two of its three words in the reference, which has four; the reply without
    # a program has none.
    assert found["other"]["bertscore_precision"] == pytest.approx(2 / 3 * 2 / 3)
    assert found["other"]["bertscore_recall"] == pytest.approx(2 / 4 * 2 / 3)
    assert words.asked == [Encoding(model="./bert")]

    again, more = Words(), Words()
    run(world, BOTH, again)
    assert not again.asked, "what is stored is not compared again"
    run(world, BOTH.replace("./bert", "./roberta"), more)
    assert len(more.asked) == 1, "another model, other scores"


def test_one_more_contestant_pays_for_itself_alone(world: World) -> None:
    run(world, STUDY, Words())
    words = Words()
    run(world, BOTH, words)
    assert not any("return" in text for text in words.read[: len(words.read) // 2])


def test_context_is_read_and_an_entry_of_models_may_be_named(world: World) -> None:
    words = Words()
    text = STUDY.replace("bertscore: ./bert", "codebertscore: {model: other, context: true}")
    found = means(run(world, text, words))
    assert "codebertscore_f1" in found["small"] and "bertscore_f1" not in found["small"]
    assert set(words.behind) == {f"Give back {n}." for n in range(3)}


def test_a_task_without_references_is_refused_with_its_line(world: World) -> None:
    text = STUDY.replace("task: write", "task: repair")
    with pytest.raises(StudyError, match="holds no answer against a reference") as caught:
        run(world, text, Words())
    assert caught.value.where.endswith(f":{text.splitlines().index('similarity:') + 1}")


def test_a_model_without_vectors_is_refused_with_its_line(world: World) -> None:
    def resolve(name: str) -> ModelReference:
        kind = "api" if name.startswith("openai/") else "model"
        return ModelReference(name=name, path=world.root, digest="0" * 64, kind=kind)  # type: ignore[arg-type]

    tools = replace(world.tools, resolve=resolve)
    study = world.study(STUDY.replace("./bert", "openai/gpt-4o"))
    with pytest.raises(StudyError, match="'openai/gpt-4o' gives no vectors") as caught:
        carry_out(study, store=Store(world.root / "runs"), tools=tools, watch=Silent())
    assert ":" in caught.value.where


# ------------------------------------------------------------------ kept apart

TRAINED = """
study: apart
task: write
apart: 0.2
data:
  asked: {source: instructions, path: x}
models:
  small: ./small
train:
  tuned: {model: small}
answer:
  tuned: {model: tuned}
  small: {model: small}
"""
LONG = "\n".join(f"    total = total * {n} + offset_{n}" for n in range(9))


def long(number: int, split: str, body: str) -> Example:
    one = example(number, split)
    return replace(one, wanted={"reference": f"def f(total):\n{body}\n    return {number}"})


def test_training_rows_that_the_tests_hold_are_left_out_and_told(world: World) -> None:
    other = LONG.replace("total", "sum").replace("offset", "shift")
    world.rows = [
        long(1, "test", LONG),
        long(2, "train", LONG),
        long(3, "train", other),
        replace(long(4, "train", other), wanted=long(1, "test", LONG).wanted),
    ]
    run(world, TRAINED, Words())
    (rows,) = world.trained.values()
    assert [row.id for row in rows] == ["write/direct/train-3"]
    said = " ".join(world.findings[-1].notes)
    assert "asked: 2 of 3 training rows left out that overlap 1 test examples" in said


def test_a_set_of_which_nothing_is_left_is_refused(world: World) -> None:
    world.rows = [long(1, "test", LONG), long(2, "train", LONG)]
    with pytest.raises(Exception, match="1 of 1 training rows left out"):
        run(world, TRAINED, Words())
    assert not world.trained


def test_a_source_without_tests_can_be_learnt_from_and_not_asked(world: World) -> None:
    world.rows = [example(n, "train") for n in range(3)]
    text = TRAINED.replace("path: x}", "path: x, hold_out: 0}")
    with pytest.raises(StudyError, match="'asked' has no example to test with") as caught:
        run(world, text, Words())
    assert "study.yaml:" in caught.value.where and not world.trained
