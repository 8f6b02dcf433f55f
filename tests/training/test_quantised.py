"""QLoRA: weights in 4 bits that are frozen, adapters in float32 that learn, on the CPU as well."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import plain
import tiny
from outdo.errors import MissingExtra, TrainingError
from outdo.models.reference import ModelReference, resolve
from outdo.models.weights import load_base, peft_without_warnings
from outdo.training import How, Lora, Settings, adapt, lean, train
from runs import equal, weights

pytest.importorskip("bitsandbytes")

SETTINGS = Settings(
    steps=2,
    learning_rate=3e-3,
    rows_per_step=4,
    precision="float32",
    quantise="nf4",
    lora=Lora(rank=4),
    how=How(threads=1, device="cpu", tokens_per_batch=300),
)
FEW = {("llama", "dpo"), ("mixtral", "sft"), ("gpt2", "reward")}
EACH = [
    pytest.param(kind, name, marks=() if (kind, name) in FEW else pytest.mark.slow)
    for kind in ("llama", "gemma2", "phi3", "mixtral", "gpt2")
    for name in plain.METHODS
]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bases")


def base_of(kind: str, folder: Path) -> ModelReference:
    place = folder / kind
    if not place.is_dir():
        tiny.save(place, kind, initializer_range=0.05)
    return resolve(str(place), runs=folder)


def in_four_bits(base: ModelReference, head: str = "lm") -> Any:
    return load_base(base, precision="nf4", computing="float32", device="cpu", head=head)  # type: ignore[arg-type]


def test_linear_layers_are_held_in_four_bits_and_their_scales_in_eight(bases: Path) -> None:
    from bitsandbytes.nn import Linear4bit

    model = in_four_bits(base_of("llama", bases))
    layers = [module for module in model.modules() if isinstance(module, Linear4bit)]
    assert len(layers) == 14
    assert all(one.weight.dtype == torch.uint8 for one in layers)
    assert all(one.weight.quant_state.quant_type == "nf4" for one in layers)
    assert all(one.weight.quant_state.nested for one in layers)
    assert not isinstance(model.lm_head, Linear4bit)


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_gradients_equal_those_of_separate_sequences(kind: str, name: str, bases: Path) -> None:
    base, head = base_of(kind, bases), plain.head(name)
    model = adapt.adapted(in_four_bits(base, head), base, SETTINGS, head=head)
    lean.leave(model)
    torch.manual_seed(1)
    for weight in adapt.learning(model).values():
        weight.data = 0.05 * torch.randn_like(weight)
    plain.assert_alike(name, model, plain.trees(name, 5), tokens=300)


@pytest.mark.parametrize("name", ["sft", pytest.param("dpo", marks=pytest.mark.slow), "reward"])
@pytest.mark.parametrize("dora", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_plain_peft_has_what_was_learnt_on_them(
    name: str, dora: bool, bases: Path, tmp_path: Path
) -> None:
    from peft import PeftModel

    base, rows = base_of("llama", bases), plain.rows(name, 5)
    settings = replace(SETTINGS, method=name, lora=Lora(rank=4, dora=dora))
    report = train(base, rows, settings=settings, folder=tmp_path, validation=rows)
    head = plain.head(name)
    chat_trees = plain.trees(name, 5)
    given = chat_trees if name != "dpo" else _known(base, chat_trees)
    with peft_without_warnings():
        kept = PeftModel.from_pretrained(in_four_bits(base, head), tmp_path).eval()
    with torch.no_grad():
        total = sum(float(plain.loss(name, kept, tree)) for tree in given)
    many = sum(sum(tree.paths[0].learnt) for tree in given) if name == "sft" else len(given)
    assert total / many == pytest.approx(report.validation[-1]["loss"], rel=1e-4)


def _known(base: ModelReference, given: list[Any]) -> list[Any]:
    """The trees with what the quantised base thinks of them: it is what the run starts from."""
    judge = in_four_bits(base)
    with torch.no_grad():
        return [
            replace(
                tree, given=tuple(float(plain.log_probability(judge, one)) for one in tree.paths)
            )
            for tree in given
        ]


@pytest.mark.slow
def test_four_bits_learn_in_bfloat16_too(bases: Path, tmp_path: Path) -> None:
    base, rows = base_of("llama", bases), tiny.talks(6)
    losses = [
        train(
            base,
            rows,
            settings=replace(SETTINGS, precision=precision, steps=6, learning_rate=1e-2),  # type: ignore[arg-type]
            folder=tmp_path / precision,
        ).loss
        for precision in ("float32", "bfloat16")
    ]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


def test_a_run_after_another_equals_the_run_alone(bases: Path, tmp_path: Path) -> None:
    base, rows = base_of("llama", bases), tiny.talks(6)
    for name in ("first", "second"):
        train(base, rows, settings=SETTINGS, folder=tmp_path / name)
    assert equal(weights(tmp_path / "first"), weights(tmp_path / "second"))


def test_they_are_not_trained_themselves() -> None:
    with pytest.raises(TrainingError, match="can't be trained themselves"):
        Settings(quantise="nf4", lora=None)


def test_without_the_library_it_says_which_extra_brings_it(
    bases: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: None)
    with pytest.raises(MissingExtra) as told:
        in_four_bits(base_of("llama", bases))
    assert "outdo[quantise]" in str(told.value.hint)
