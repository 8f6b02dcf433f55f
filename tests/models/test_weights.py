"""Loading: a head that rates texts, adapters with such a head, weights in 4 bits."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import torch

import tiny
from outdo.errors import MissingExtra, ModelError
from outdo.models.reference import resolve
from outdo.models.weights import Weights, load_base, peft_without_warnings

IDS = torch.tensor([[1, 20, 30, 40, 50, 60]])
RATING = [kind for kind in tiny.ARCHITECTURES if kind != "granite"]


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def rating(model: Any) -> float:
    with torch.no_grad():
        return float(model(IDS).logits[0, 0])


def adapter(folder: Path, base: Path, *, seed: int, head: str = "score", **more: Any) -> Path:
    """A LoRA adapter with random weights, its head included, on the base."""
    from peft import LoraConfig, get_peft_model

    model = tiny.model(head=head)
    torch.manual_seed(seed)
    kind = "SEQ_CLS" if head == "score" else "CAUSAL_LM"
    config = LoraConfig(
        r=4, target_modules="all-linear", init_lora_weights=False, task_type=kind, **more
    )
    with peft_without_warnings():
        model = get_peft_model(model, config)
    if head == "score":
        torch.nn.init.normal_(model.base_model.model.score.modules_to_save["default"].weight)
    model.peft_config["default"].base_model_name_or_path = str(base)
    model.save_pretrained(folder, save_embedding_layers=False)
    return folder


# ------------------------------------------------------------------ a head that rates


@pytest.mark.parametrize("kind", RATING)
def test_a_new_head_is_the_same_every_time_and_disturbs_no_other_draw(
    tmp_path: Path, kind: str
) -> None:
    reference = resolve(str(tiny.save(tmp_path / kind, kind)), runs=tmp_path)
    torch.manual_seed(5)
    first = load_base(reference, head="score")
    drawn = torch.rand(1)
    torch.manual_seed(5)
    assert torch.rand(1) == drawn
    assert torch.equal(load_base(reference, head="score").score.weight, first.score.weight)
    other = load_base(reference, head="score", seed=1)
    assert not torch.equal(other.score.weight, first.score.weight)
    assert first.score.weight.shape[0] == 1 and first.config.num_labels == 1
    words = load_base(reference)
    assert torch.equal(words.get_input_embeddings().weight, first.get_input_embeddings().weight)


def test_a_model_that_rates_is_known_by_its_files_and_keeps_its_head(tmp_path: Path) -> None:
    reference = resolve(str(tiny.save(tmp_path / "m", head="score")), runs=tmp_path)
    assert reference.head == "score"
    assert rating(Weights(reference).model) == pytest.approx(rating(tiny.model(head="score")))


def test_a_tokenizer_without_padding_gives_its_end_to_pad_with(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "m")
    edit(folder / "config.json", pad_token_id=None)
    edit(folder / "tokenizer_config.json", pad_token=None)
    model = load_base(resolve(str(folder), runs=tmp_path), head="score")
    assert model.config.pad_token_id == 2


def test_what_can_not_rate_is_refused(tmp_path: Path) -> None:
    granite = resolve(str(tiny.save(tmp_path / "granite", "granite")), runs=tmp_path)
    with pytest.raises(ModelError, match="no model of type 'granite' that rates texts"):
        load_base(granite, head="score")
    folder = tiny.save(tmp_path / "m", head="score")
    edit(folder / "config.json", id2label={"0": "a", "1": "b"}, label2id={"a": 0, "b": 1})
    with pytest.raises(ModelError, match="tells 2 labels apart"):
        load_base(resolve(str(folder), runs=tmp_path), head="score")


# ------------------------------------------------------------------ adapters that rate


@pytest.mark.parametrize("more", [{}, {"use_dora": True}])
def test_an_adapter_brings_its_head_and_is_folded(
    llama_folder: Path, tmp_path: Path, more: dict[str, Any]
) -> None:
    from peft import PeftModel

    one, two = (
        resolve(str(adapter(tmp_path / f"a{seed}", llama_folder, seed=seed, **more)), runs=tmp_path)
        for seed in (1, 2)
    )
    assert one.head == two.head == "score" and one.bottom.head == "lm"
    weights = Weights(one)
    bare = rating(weights.model)
    rated = []
    for reference in (one, two, one):
        weights.activate(reference)
        rated.append(rating(weights.model))
        with peft_without_warnings():
            plain = PeftModel.from_pretrained(load_base(one, head="score"), reference.path)
        assert rated[-1] == pytest.approx(rating(plain.eval()), rel=1e-4)
    assert rated[0] == rated[2] and len({bare, *rated}) == 3
    weights.activate(one.bottom)
    assert rating(weights.model) == bare


# ------------------------------------------------------------------ 4 bits


@pytest.mark.parametrize("head", ["lm", "score"])
def test_weights_in_four_bits_stay_near_and_the_head_stays_whole(
    llama_folder: Path, tmp_path: Path, head: Any
) -> None:
    pytest.importorskip("bitsandbytes")
    reference = resolve(str(llama_folder), runs=tmp_path)
    exact = load_base(reference, head=head)
    held = load_base(reference, precision="nf4", computing="float32", head=head)
    layer = held.base_model.layers[0].mlp.up_proj
    assert layer.weight.dtype == torch.uint8 and layer.weight.quant_state.nested
    assert layer.weight.quant_type == "nf4" and layer.compute_dtype == torch.float32
    whole = held.score if head == "score" else held.lm_head
    assert whole.weight.dtype == torch.float32
    with torch.no_grad():
        away = (held(IDS).logits - exact(IDS).logits).abs().mean()
    assert 0 < away < (0.6 if head == "lm" else 1.5)


def test_an_adapter_on_four_bits_answers_unfolded(llama_folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    tuned = resolve(str(adapter(tmp_path / "a", llama_folder, seed=1)), runs=tmp_path)
    weights = Weights(tuned, precision="nf4")
    bare = rating(weights.model)
    weights.activate(tuned)
    changed = rating(weights.model)
    weights.activate(tuned.bottom)
    assert changed != bare == rating(weights.model)


def test_without_bitsandbytes_the_extra_is_named(
    llama_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "bitsandbytes" else find(name, *rest),
    )
    with pytest.raises(MissingExtra, match="bitsandbytes is not installed") as caught:
        load_base(resolve(str(llama_folder), runs=tmp_path), precision="nf4")
    assert "outdo[quantise]" in str(caught.value)
