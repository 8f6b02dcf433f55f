"""What a model says while it is being trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import tiny
from outdo.engines.living import Living
from outdo.engines.local import Local
from outdo.models.reference import resolve
from outdo.records import Completion, Message, Prompt, Request, Sampling
from outdo.training import How, Lora, Settings, train

REQUESTS = [
    Request(
        prompt=Prompt(messages=(Message(role="user", content=text),)),
        sampling=Sampling(max_tokens=24),
        index=0,
    )
    for text in tiny.TEXT
]
SETTINGS = Settings(
    steps=4,
    learning_rate=1e-2,
    rows_per_step=4,
    precision="float32",
    lora=Lora(rank=4),
    evaluate_every=2,
    how=How(threads=1, device="cpu"),
)


def told(engine: Any) -> dict[str, str]:
    answers = list(engine.complete(REQUESTS))
    assert all(isinstance(answer, Completion) for _, answer in answers)
    return {request.key: answer.text for request, answer in answers}


@pytest.mark.parametrize("checkpointing", [False, True])
def test_it_says_what_it_will_say_when_it_is_kept(
    llama_folder: Path, tmp_path: Path, checkpointing: bool
) -> None:
    base = resolve(str(llama_folder), runs=tmp_path)
    said: list[dict[str, str]] = []

    def score(model: Any) -> float:
        said.append(told(Living(model, base)))
        return float(len(said))

    settings = replace(SETTINGS, how=replace(SETTINGS.how, checkpointing=checkpointing))
    looked = train(base, tiny.talks(8), settings=settings, folder=tmp_path / "a", score=score)
    kept = resolve(str(tmp_path / "a"), runs=tmp_path)
    assert len(said) == 2
    assert said[-1] == told(Local(kept))
    assert said[0] != said[-1]
    assert [look["score"] for look in looked.validation] == [1.0, 2.0]
    unseen = replace(settings, evaluate_every=None)
    plain = train(base, tiny.talks(8), settings=unseen, folder=tmp_path / "b")
    assert plain.loss == looked.loss


def test_it_answers_below_weights_in_half_precision(llama_folder: Path, tmp_path: Path) -> None:
    base = resolve(str(llama_folder), runs=tmp_path)
    said: list[dict[str, str]] = []

    def score(model: Any) -> float:
        said.append(told(Living(model, base)))
        return 0.0

    settings = replace(SETTINGS, precision="bfloat16", steps=2)
    train(base, tiny.talks(8), settings=settings, folder=tmp_path / "a", score=score)
    assert all(said[0].values())


def test_it_rates_as_it_will_rate_when_it_is_kept(llama_folder: Path, tmp_path: Path) -> None:
    base = resolve(str(llama_folder), runs=tmp_path)
    pairs = tiny.pairs(8)
    prompts = [replace(row.prompt, candidates=(row.chosen, row.rejected)) for row in pairs]
    asked = [Request(prompt=prompt, sampling=Sampling()) for prompt in prompts]
    rated: list[dict[str, Any]] = []

    def score(model: Any) -> float:
        rated.append({one.key: answer for one, answer in Living(model, base).complete(asked)})
        return float(len(rated))

    settings = replace(SETTINGS, method="reward")
    train(base, pairs, settings=settings, folder=tmp_path / "a", score=score)
    kept = {
        one.key: answer
        for one, answer in Local(resolve(str(tmp_path / "a"), runs=tmp_path)).complete(asked)
    }
    for key, answer in kept.items():
        assert isinstance(answer, Completion)
        assert rated[-1][key].text == answer.text
        assert rated[-1][key].logprobs == pytest.approx(answer.logprobs, abs=1e-4)
    assert rated[0] != rated[-1]
