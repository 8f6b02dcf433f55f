"""Replies picked among candidates, held against the model asked about each of them alone."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import tiny
from outdo.engines.local import Local
from outdo.errors import EngineError, ModelError, PermanentError
from outdo.models.reference import resolve
from outdo.models.weights import Weights, peft_without_warnings
from outdo.records import Completion, Conversation, Message, Prompt, Request, Sampling

LETTERS = ("A", "B")
PROGRAMS = (
    "def f(x):\n    return x + 1",
    "def f(x):\n    for y in x:\n        x = y\n    return x",
)
KINDS = ["llama", "qwen2", "phi3", "mistral", "gemma2", "gemma3", "gpt2"]


def request(text: str, candidates: tuple[str, ...], *, shots: int = 0) -> Request:
    earlier = [Message(role="user", content="Which?"), Message(role="assistant", content="A")]
    asked = Message(role="user", content=text)
    prompt = Prompt(messages=(*(earlier * shots), asked), candidates=candidates)
    return Request(prompt=prompt, sampling=Sampling())


def requests(candidates: tuple[str, ...]) -> list[Request]:
    """Prompts of many lengths, of which some share a beginning."""
    texts = [f"{'x' * length} which, {number}?" for number, length in enumerate((1, 60, 9, 60, 3))]
    return [request(text, candidates) for text in texts]


def told(engine: Local, asked: list[Request]) -> list[Completion]:
    """The completions in the order asked."""
    found = {one.key: answer for one, answer in engine.complete(asked)}
    answers = [found[one.key] for one in asked]
    assert all(isinstance(answer, Completion) for answer in answers)
    return answers  # type: ignore[return-value]


def ids_of(engine: Local, one: Request, reply: str) -> list[int]:
    talk = Conversation(
        id="", group="", task="", source="",
        messages=(*one.prompt.messages, Message(role="assistant", content=reply)),
    )  # fmt: skip
    return list(engine.weights.chat.encode(talk).ids)


@torch.no_grad()
def likelihoods(engine: Local, one: Request, *, ends: bool) -> list[float]:
    """What transformers gives for each candidate alone, its end included or not."""
    start = len(engine.weights.chat.prompt_ids(one.prompt))
    values = []
    for reply in one.prompt.candidates:
        ids = ids_of(engine, one, reply)[: None if ends else -1]
        logits = engine.weights.model(torch.tensor([ids])).logits[0].float()
        each = logits.log_softmax(-1)[range(start - 1, len(ids) - 1), ids[start:]]
        values.append(float(each.sum()))
    return values


@torch.no_grad()
def ratings(engine: Local, one: Request) -> list[float]:
    rows = [torch.tensor([ids_of(engine, one, reply)]) for reply in one.prompt.candidates]
    return [float(engine.weights.model(ids).logits[0, 0]) for ids in rows]


def shares(values: list[float]) -> list[float]:
    return torch.tensor(values, dtype=torch.float64).log_softmax(-1).tolist()


def check(answer: Completion, one: Request, values: list[float]) -> None:
    assert answer.logprobs == pytest.approx(shares(values), abs=2e-4)
    assert answer.text == one.prompt.candidates[values.index(max(values))]


@pytest.fixture(scope="module")
def engine(llama_folder: Path) -> Local:
    return Local(resolve(str(llama_folder), runs=llama_folder))


@pytest.mark.parametrize("kind", KINDS)
def test_letters_are_read_from_their_logits_alone(tmp_path: Path, kind: str) -> None:
    folder = tiny.save(tmp_path / kind, kind, seed=3)
    engine = Local(resolve(str(folder), runs=tmp_path))
    asked = requests(LETTERS)
    answers = told(engine, asked)
    for one, answer in zip(asked, answers, strict=True):
        check(answer, one, likelihoods(engine, one, ends=False))
    assert sum(math.exp(each) for each in answers[0].logprobs or ()) == pytest.approx(1)


@pytest.mark.parametrize("kind", KINDS)
def test_programs_are_weighed_whole_through_their_end(tmp_path: Path, kind: str) -> None:
    folder = tiny.save(tmp_path / kind, kind, seed=3)
    engine = Local(resolve(str(folder), runs=tmp_path))
    asked = requests(PROGRAMS)
    for one, answer in zip(asked, told(engine, asked), strict=True):
        check(answer, one, likelihoods(engine, one, ends=True))


def test_programs_may_be_weighed_by_their_tokens(engine: Local) -> None:
    whole = requests(PROGRAMS)
    asked = [replace(one, prompt=replace(one.prompt, per_token=True)) for one in whole]
    answers = told(engine, [*asked, *whole])
    for one, answer, plain in zip(asked, answers, answers[len(asked) :], strict=False):
        sums = likelihoods(engine, one, ends=True)
        start = len(engine.weights.chat.prompt_ids(one.prompt))
        tokens = [len(ids_of(engine, one, reply)) - start for reply in one.prompt.candidates]
        check(answer, one, [value / count for value, count in zip(sums, tokens, strict=True)])
        check(plain, one, sums)


@pytest.mark.parametrize("kind", ["llama", "mistral", "gemma2", "gpt2"])
def test_a_model_with_a_score_is_asked_for_the_score_of_each_text(
    tmp_path: Path, kind: str
) -> None:
    folder = tiny.save(tmp_path / kind, kind, seed=3, head="score")
    engine = Local(resolve(str(folder), runs=tmp_path))
    asked = requests(PROGRAMS)
    for one, answer in zip(asked, told(engine, asked), strict=True):
        check(answer, one, ratings(engine, one))


def test_an_adapter_with_a_score_answers_by_it(llama_folder: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(4)
    config = LoraConfig(
        r=4, target_modules="all-linear", init_lora_weights=False, task_type="SEQ_CLS"
    )
    with peft_without_warnings():
        model = get_peft_model(tiny.model(head="score"), config)
    model.peft_config["default"].base_model_name_or_path = str(llama_folder)
    model.save_pretrained(tmp_path / "a", save_embedding_layers=False)
    engine = Local(resolve(str(tmp_path / "a"), runs=tmp_path))
    asked = requests(PROGRAMS)
    for one, answer in zip(asked, told(engine, asked), strict=True):
        check(answer, one, ratings(engine, one))
    plain = Weights(engine.reference.bottom)
    with pytest.raises(ModelError, match="needs weights with the head 'score'"):
        Local(engine.reference, weights=plain)


@pytest.mark.parametrize("candidates", [LETTERS, PROGRAMS])
def test_an_answer_does_not_depend_on_its_neighbours(
    engine: Local, candidates: tuple[str, ...]
) -> None:
    asked = requests(candidates)
    together = told(engine, asked)
    narrow = Local(engine.reference, weights=engine.weights, tokens_per_batch=1)
    for others in (
        [told(engine, [one])[0] for one in asked],
        told(engine, asked[::-1])[::-1],
        told(narrow, asked),
    ):
        assert [one.text for one in others] == [one.text for one in together]
        for one, other in zip(together, others, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)


def test_the_order_of_candidates_decides_nothing(engine: Local) -> None:
    forth, back = requests(PROGRAMS), requests(PROGRAMS[::-1])
    answers = told(engine, [*forth, *back])
    for one, other in zip(answers[: len(forth)], answers[len(forth) :], strict=True):
        assert one.text == other.text
        assert one.logprobs == pytest.approx((other.logprobs or ())[::-1], abs=1e-4)


def test_answers_of_earlier_turns_are_given_and_not_asked_for(engine: Local) -> None:
    for candidates, ends in ((LETTERS, False), (PROGRAMS, True)):
        one = request("And now?", candidates, shots=2)
        check(told(engine, [one])[0], one, likelihoods(engine, one, ends=ends))


def test_letters_of_a_tokenizer_without_template(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "plain", template=None)
    engine = Local(resolve(str(folder), runs=tmp_path))
    one = request("Which?", LETTERS)
    check(told(engine, [one])[0], one, likelihoods(engine, one, ends=False))


def test_open_questions_and_choices_may_be_asked_at_once(engine: Local) -> None:
    letters = request("Which?", LETTERS)
    prompt = Prompt(messages=letters.prompt.messages)
    opened = Request(prompt=prompt, sampling=Sampling(max_tokens=3))
    chosen, written = told(engine, [letters, opened])
    assert chosen.text in LETTERS and chosen.finish == "stop" and chosen.usage.tokens_in > 0
    assert written.logprobs is None and written.usage.tokens_out == 3
    assert chosen.model == engine.reference.label and chosen.prompt == letters.prompt.key


def test_what_can_not_be_weighed_is_never_answered(engine: Local) -> None:
    long = request("x" * 4000, LETTERS)
    alike = request("Which?", ("A", "A"))
    good = request("Which?", LETTERS)
    answers = {one.key: answer for one, answer in engine.complete([long, alike, good])}
    assert "more than the context of 512" in str(answers[long.key])
    assert str(answers[alike.key]) == "two candidates are the same tokens"
    assert all(isinstance(answers[one.key], PermanentError) for one in (long, alike))
    assert isinstance(answers[good.key], Completion)


def test_a_model_that_rates_is_not_asked_to_write(tmp_path: Path) -> None:
    engine = Local(resolve(str(tiny.save(tmp_path / "m", head="score")), runs=tmp_path))
    asked = Request(
        prompt=Prompt(messages=(Message(role="user", content="?"),)), sampling=Sampling()
    )
    with pytest.raises(EngineError, match="rates texts and writes none"):
        list(engine.complete([asked]))


def test_a_recurrent_model_is_asked_about_each_path_apart(tmp_path: Path) -> None:
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 8, "initializer_range": 0.2}
    folder = tmp_path / "mamba"
    MambaForCausalLM(MambaConfig(vocab_size=400, **sizes)).save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    engine = Local(resolve(str(folder), runs=tmp_path))
    asked = requests(PROGRAMS)
    for one, answer in zip(asked, told(engine, asked), strict=True):
        check(answer, one, likelihoods(engine, one, ends=True))
