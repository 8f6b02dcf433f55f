"""Answers from a model on this machine, held against transformers' own generation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import tiny
from outdo.engines.local import Local
from outdo.errors import ModelError, PermanentError
from outdo.models.reference import resolve
from outdo.models.weights import Weights, peft_without_warnings
from outdo.records import Completion, Message, Prompt, Request, Sampling

LENGTHS = (1, 5, 9, 60, 60, 3, 40)
KINDS = ["llama", "qwen2", "phi3", "mistral", "gemma2", "granite", "gpt2"]


def request(text: str, index: int = 0, **sampling: Any) -> Request:
    prompt = Prompt(messages=(Message(role="user", content=text),))
    return Request(prompt=prompt, index=index, sampling=Sampling(**{"max_tokens": 40, **sampling}))


def requests(**sampling: Any) -> list[Request]:
    return [
        request("x" * length + f" return {number}", **sampling)
        for number, length in enumerate(LENGTHS)
    ]


def told(engine: Local, asked: list[Request]) -> list[Completion]:
    """The completions in the order asked."""
    found = {}
    for one, answer in engine.complete(asked):
        assert isinstance(answer, Completion)
        found[one.key] = answer
    return [found[one.key] for one in asked]


@pytest.fixture(scope="module")
def engine(llama_folder: Path) -> Local:
    return Local(resolve(str(llama_folder), runs=llama_folder))


def by_transformers(engine: Local, one: Request) -> tuple[str, str]:
    """The reply and its finish as `generate` gives them for this prompt alone."""
    import torch

    chat = engine.weights.chat
    ids = torch.tensor([chat.prompt_ids(one.prompt)])
    made = engine.weights.model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=one.sampling.max_tokens,
        do_sample=False,
        eos_token_id=sorted(chat.stop_ids),
        pad_token_id=0,
    )
    said = made[0, ids.shape[1] :].tolist()
    stopped = said[-1] in chat.stop_ids
    return chat.text(said[:-1] if stopped else said), "stop" if stopped else "length"


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_answers_are_those_of_transformers(tmp_path: Path, kind: str) -> None:
    folder = tiny.save(tmp_path / kind, kind, seed=3)
    engine = Local(resolve(str(folder), runs=tmp_path))
    asked = requests()
    answers = told(engine, asked)
    assert [(a.text, a.finish) for a in answers] == [by_transformers(engine, one) for one in asked]


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_an_answer_does_not_depend_on_its_neighbours(engine: Local, temperature: float) -> None:
    asked = requests(temperature=temperature, top_p=0.9)
    together = told(engine, asked)
    alone = [told(engine, [one])[0] for one in asked]
    assert together == alone


def test_samples_of_a_prompt_differ_and_come_back(engine: Local) -> None:
    asked = [request("def f(", index, temperature=1.0) for index in range(6)]
    first = told(engine, asked)
    assert len({answer.text for answer in first}) > 1
    assert told(engine, asked[::-1])[::-1] == first
    other = [request("def f(", index, temperature=1.0, seed=1) for index in range(6)]
    assert [a.text for a in told(engine, other)] != [a.text for a in first]


def test_a_completion_says_what_was_asked_and_what_it_took(engine: Local) -> None:
    asked = request("def f(", max_tokens=7)
    (answer,) = told(engine, [asked])
    assert answer.prompt == asked.prompt.key and answer.sampling == asked.sampling
    assert answer.model == engine.reference.label == engine.model
    assert answer.served_by == "transformers/float32"
    assert answer.finish == "length" and answer.usage.tokens_out == 7
    assert answer.usage.tokens_in == len(engine.weights.chat.prompt_ids(asked.prompt))
    assert answer.usage.seconds > 0


def test_a_stop_string_ends_an_answer_before_it(engine: Local) -> None:
    (whole,) = told(engine, [request("def f(", temperature=1.0)])
    mark = whole.text[9:12]
    (cut,) = told(engine, [request("def f(", temperature=1.0, stop=("never said", mark))])
    assert cut.text == whole.text[: whole.text.index(mark)] and cut.finish == "stop"
    assert cut.usage.tokens_out < whole.usage.tokens_out


def test_rows_of_different_lengths_and_limits_share_a_batch(engine: Local) -> None:
    asked = [request("x" * n, max_tokens=limit) for n, limit in ((50, 90), (3, 2), (20, 70))]
    answers = told(engine, asked)
    for one, answer in zip(asked, answers, strict=True):
        assert (answer.text, answer.finish) == by_transformers(engine, one)


def test_a_prompt_that_fills_the_context_is_never_answered(engine: Local) -> None:
    asked = [request("x" * 4000), request("def f(", max_tokens=3)]
    answers = {one.key: answer for one, answer in engine.complete(asked)}
    refused = answers[asked[0].key]
    assert isinstance(refused, PermanentError) and "fill the context of 512" in str(refused)
    assert isinstance(answers[asked[1].key], Completion)


def test_an_answer_ends_where_the_context_does(engine: Local) -> None:
    room = 5
    chat = engine.weights.chat
    text = "x"
    while len(chat.prompt_ids(request(text).prompt)) < 512 - room:
        text += "x"
    (answer,) = told(engine, [request(text, max_tokens=100)])
    assert answer.usage.tokens_out <= room


def test_small_memory_makes_small_batches_and_the_same_answers(
    engine: Local, llama_folder: Path
) -> None:
    narrow = Local(engine.reference, weights=engine.weights, cache_bytes=1, rows_per_batch=2)
    assert told(narrow, requests()) == told(engine, requests())


def adapter(folder: Path, base: Path, *, seed: int) -> Path:
    """A LoRA adapter with random weights on the base."""
    import torch
    from peft import LoraConfig, get_peft_model

    model = tiny.model()
    torch.manual_seed(seed)
    config = LoraConfig(
        r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"
    )
    with peft_without_warnings():
        model = get_peft_model(model, config)
    model.peft_config["default"].base_model_name_or_path = str(base)
    model.save_pretrained(folder, save_embedding_layers=False)
    return folder


def test_who_was_loaded_for_a_choice_may_write_after_another_has_had_its_turn(
    llama_folder: Path, tmp_path: Path
) -> None:
    one, two = (
        resolve(str(adapter(tmp_path / f"a{seed}", llama_folder, seed=seed)), runs=tmp_path)
        for seed in (1, 2)
    )
    choice = Prompt(messages=requests()[0].prompt.messages, candidates=("A", "B"))
    weights = Weights(one.bottom)
    first, second = (Local(reference, weights=weights) for reference in (one, two))
    list(first.complete([Request(prompt=choice, sampling=Sampling())]))
    texts = [[answer.text for answer in told(engine, requests())] for engine in (second, first)]
    alone = [[answer.text for answer in told(Local(one), requests())] for one in (two, one)]
    assert texts == alone


def test_adapters_take_turns_on_one_base(llama_folder: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    base = resolve(str(llama_folder), runs=tmp_path)
    one, two = (
        resolve(str(adapter(tmp_path / f"a{seed}", llama_folder, seed=seed)), runs=tmp_path)
        for seed in (1, 2)
    )
    weights = Weights(base)
    before = {name: w.clone() for name, w in weights.model.state_dict().items()}
    engines = [Local(reference, weights=weights) for reference in (base, one, two)]
    answers = [told(engine, requests()) for engine in engines]
    assert len({tuple(a.text for a in told) for told in answers}) == 3
    assert told(engines[0], requests()) == answers[0]
    assert told(engines[1], requests()) == answers[1]
    after = told(engines[0], requests()) and weights.model.state_dict()
    kept = {name.replace(".base_layer", ""): w for name, w in after.items() if "lora" not in name}
    assert all((kept[name] == w).all() for name, w in before.items())
    plain = Local(base)
    with peft_without_warnings():
        plain.weights.model = PeftModel.from_pretrained(plain.weights.model, one.path).eval()
    assert [by_transformers(plain, q)[0] for q in requests()] == [a.text for a in answers[1]]


def test_engines_may_be_asked_in_turns(llama_folder: Path, tmp_path: Path) -> None:
    base = resolve(str(llama_folder), runs=tmp_path)
    tuned = resolve(str(adapter(tmp_path / "a", llama_folder, seed=1)), runs=tmp_path)
    weights = Weights(base)
    engines = [Local(reference, weights=weights, rows_per_batch=4) for reference in (base, tuned)]
    alone = [{one.key: a for one, a in engine.complete(requests())} for engine in engines]
    streams = zip(*(engine.complete(requests()) for engine in engines), strict=True)
    mixed = list(streams)
    assert [{one.key: a for one, a in side} for side in zip(*mixed, strict=True)] == alone


def test_an_adapter_of_another_base_is_refused(llama_folder: Path, tmp_path: Path) -> None:
    other = tiny.save(tmp_path / "other", seed=9)
    foreign = resolve(str(adapter(tmp_path / "a", other, seed=1)), runs=tmp_path)
    weights = Weights(resolve(str(llama_folder), runs=tmp_path))
    with pytest.raises(ModelError, match="stands on another model"):
        weights.activate(foreign)


def test_a_model_without_a_tokenizer_is_refused(llama_folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("config.json", "model.safetensors"):
        (bare / name).write_bytes((llama_folder / name).read_bytes())
    with pytest.raises(ModelError, match="no tokenizer"):
        Local(resolve(str(bare), runs=tmp_path))
