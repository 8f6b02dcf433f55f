"""The examples of `outdo compare` draw the verdicts that they are named after."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from outdo.data.bridges import matched, read_answers
from outdo.engines.scripted import from_file
from outdo.judging import Contest, Judgement, fold, values, way
from outdo.records import Comparison, Completion, Message, Sampling
from outdo.stats import verdict

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "compare"
WORDS = ("better", "worse", "equivalent", "inconclusive")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("made", ROOT / "scripts" / "make_examples.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_files_are_what_the_script_makes(script: ModuleType) -> None:
    made = script.files()
    assert {path.name for path in FOLDER.glob("*.jsonl")} == set(made)
    for name, text in made.items():
        assert (FOLDER / name).read_text("utf-8") == text, "run scripts/make_examples.py"


def judged(word: str) -> list[Judgement]:
    """The scripted judge's verdicts on one of the files against the reference."""
    mine, theirs = read_answers(FOLDER / f"{word}.jsonl"), read_answers(FOLDER / "reference.jsonl")
    ask, engine = way("ask"), from_file(FOLDER / "judge.jsonl")
    found = []
    for id in matched(mine, theirs).ids:
        contest = Contest(
            comparison=Comparison(example=id, a=mine.name, b=theirs.name),
            request=(Message(role="user", content=mine.prompt(id) or ""),),
            replies=(mine.answers[id][0], theirs.answers[id][0]),
        )
        if (settled := ask.unasked(contest, by="judge")) is not None:
            found.append(settled)
        for asked in ask.prompts(contest):
            ((_, reply),) = engine.complete([asked.request(Sampling())])
            assert isinstance(reply, Completion)
            found.append(ask.judged(asked, reply, by="judge"))
    return found


@pytest.mark.parametrize("word", WORDS)
def test_each_file_draws_its_verdict(word: str) -> None:
    judgements = judged(word)
    assert all(one.verdict.problem is None for one in judgements)
    told = values(fold(judgements))
    assert len(told) == 60 and None not in told.values()
    other = {id: None if value is None else 1 - value for id, value in told.items()}
    found = verdict(told, other, better="higher", share=True, margin=0.1)
    assert found.word == word, found
