"""A merged model says what its parts say, and is refused where it doesn't."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from adapters import save_adapter
from transformers import AutoModelForCausalLM, AutoTokenizer

import tiny
from outdo.errors import ModelError
from outdo.models.merge import TOLERANCE, Merged, merge
from outdo.models.reference import ModelReference, resolve
from outdo.models.weights import peft_without_warnings

IDS = torch.tensor([[1, 4, 60, 61, 80, 90, 70, 6]])


def named(path: Path, **more: Any) -> ModelReference:
    return resolve(str(path), runs=path.parent, **more)


def said(folder: Path) -> torch.Tensor:
    with torch.no_grad():
        logits: torch.Tensor = AutoModelForCausalLM.from_pretrained(folder)(IDS).logits
    return logits


def said_beside(base: Path, *adapters: Path) -> torch.Tensor:
    """What plain peft says, adapters beside the weights."""
    from peft import PeftModel

    with peft_without_warnings(), torch.no_grad():
        model = PeftModel.from_pretrained(
            AutoModelForCausalLM.from_pretrained(base), adapters[0], adapter_name="0"
        )
        for number, adapter in enumerate(adapters[1:], start=1):
            model.load_adapter(adapter, str(number))
        model.base_model.set_adapter([str(number) for number in range(len(adapters))])
        logits: torch.Tensor = model.eval()(IDS).logits
    return logits


@pytest.fixture(scope="module")
def adapter(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(llama_folder, tmp_path_factory.mktemp("adapters") / "one", seed=1)


@pytest.fixture(scope="module")
def other(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_adapter(llama_folder, tmp_path_factory.mktemp("adapters") / "two", seed=2)


def test_a_merged_adapter_is_a_plain_directory_that_says_the_same(
    adapter: Path, llama_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "merged"
    merged = merge([(named(adapter), 1.0)], out=out)
    assert merged.dtype == "float32" and merged.difference.logits < 1e-4 < TOLERANCE
    assert merged.difference.changed == 0
    torch.testing.assert_close(said(out), said_beside(llama_folder, adapter), atol=1e-5, rtol=1e-5)
    assert (said(out) - said(llama_folder)).abs().max() > 0.5
    tokenizer = AutoTokenizer.from_pretrained(out)
    assert tokenizer.chat_template == tiny.TEMPLATE
    stops = json.loads((out / "generation_config.json").read_text())["eos_token_id"]
    assert stops == sorted(tokenizer.convert_tokens_to_ids(["</s>", "<|end|>"]))
    assert AutoModelForCausalLM.from_pretrained(out).generation_config.eos_token_id == stops
    assert [path.name for path in out.parent.iterdir()] == ["merged"]


@pytest.mark.parametrize("kind", ["gpt2", "gemma2", "mixtral"])
def test_other_architectures(kind: str, tmp_path: Path) -> None:
    base = tiny.save(tmp_path / "base", kind)
    adapter = save_adapter(base, tmp_path / "adapter")
    merged = merge([(named(adapter), 1.0)], out=tmp_path / "out")
    assert merged.difference.is_lossless
    expected = said_beside(base, adapter)
    torch.testing.assert_close(said(tmp_path / "out"), expected, atol=1e-4, rtol=1e-4)


def test_dora_is_folded_too(llama_folder: Path, tmp_path: Path) -> None:
    adapter = save_adapter(llama_folder, tmp_path / "dora", use_dora=True)
    assert merge([(named(adapter), 1.0)], out=tmp_path / "out").difference.is_lossless
    expected = said_beside(llama_folder, adapter)
    torch.testing.assert_close(said(tmp_path / "out"), expected, atol=1e-4, rtol=1e-4)


def test_a_chain_of_adapters(
    adapter: Path, other: Path, llama_folder: Path, tmp_path: Path
) -> None:
    chain = named(other, base=named(adapter))
    assert merge([(chain, 1.0)], out=tmp_path / "out").difference.is_lossless
    expected = said_beside(llama_folder, adapter, other)
    torch.testing.assert_close(said(tmp_path / "out"), expected, atol=1e-4, rtol=1e-4)


def test_rounding_is_refused_unless_asked_for(adapter: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(
        ModelError, match=r"another one in bfloat16: logits move by up to 0\."
    ) as told:
        merge([(named(adapter), 1.0)], out=out, dtype="bfloat16")
    assert "--lossy" in str(told.value)
    assert list(tmp_path.iterdir()) == []
    merged = merge([(named(adapter), 1.0)], out=out, dtype="bfloat16", lossy=True)
    assert merged.difference.logits > TOLERANCE
    assert AutoModelForCausalLM.from_pretrained(out, dtype="auto").dtype == torch.bfloat16


def test_four_bits_are_refused_unless_asked_for(adapter: Path, tmp_path: Path) -> None:
    pytest.importorskip("bitsandbytes")
    out = tmp_path / "out"
    with pytest.raises(ModelError, match="another one in nf4: logits move by up to"):
        merge([(named(adapter), 1.0)], out=out, dtype="nf4")
    assert list(tmp_path.iterdir()) == []
    merged = merge([(named(adapter), 1.0)], out=out, dtype="nf4", lossy=True)
    assert merged.difference.logits > TOLERANCE
    config = AutoModelForCausalLM.from_pretrained(out).config.quantization_config
    assert config.bnb_4bit_quant_type == "nf4"
    with pytest.raises(ModelError, match="held in few bits"):
        merge([(named(out), 1.0)], out=tmp_path / "again")


def test_it_is_written_as_the_base_is_stored(tmp_path: Path) -> None:
    base = tmp_path / "base"
    tiny.model().to(torch.bfloat16).save_pretrained(base)
    tiny.tokenizer().save_pretrained(base)
    merged = merge([(named(base), 1.0)], out=tmp_path / "out")
    assert (merged.dtype, merged.difference.logits) == ("bfloat16", 0)
    copied = [(folder / "model.safetensors").read_bytes() for folder in (base, tmp_path / "out")]
    assert copied[0] == copied[1]


def test_an_average_of_models_is_that_of_their_weights(llama_folder: Path, tmp_path: Path) -> None:
    second = tiny.save(tmp_path / "second", seed=5)
    merge([(named(llama_folder), 0.25), (named(second), 0.75)], out=tmp_path / "out")
    weights = [
        AutoModelForCausalLM.from_pretrained(folder).state_dict()
        for folder in (llama_folder, second, tmp_path / "out")
    ]
    for name, found in weights[2].items():
        torch.testing.assert_close(found, 0.25 * weights[0][name] + 0.75 * weights[1][name])


def test_an_average_of_adapters_is_that_of_what_they_add(
    adapter: Path, other: Path, llama_folder: Path, tmp_path: Path
) -> None:
    """As peft does it without loss: their ranks side by side, B times A each weighted."""
    from peft import PeftModel

    merge([(named(adapter), 0.5), (named(other), 0.5)], out=tmp_path / "out")
    with peft_without_warnings(), torch.no_grad():
        model = PeftModel.from_pretrained(
            AutoModelForCausalLM.from_pretrained(llama_folder), adapter, adapter_name="a"
        )
        model.load_adapter(other, "b")
        model.add_weighted_adapter(["a", "b"], [0.5, 0.5], "mean", combination_type="cat")
        model.set_adapter("mean")
        expected = model.eval()(IDS).logits
    torch.testing.assert_close(said(tmp_path / "out"), expected, atol=1e-4, rtol=1e-4)


def test_models_that_do_not_fit_each_other(llama_folder: Path, tmp_path: Path) -> None:
    first = named(llama_folder)
    wide = tiny.save(tmp_path / "wide", intermediate_size=96)
    with pytest.raises(ModelError, match=r"built otherwise than .*: model\.layers\.0\.mlp"):
        merge([(first, 0.5), (named(wide), 0.5)], out=tmp_path / "out")
    words = tiny.save(tmp_path / "words")
    tokenizer = tiny.tokenizer()
    tokenizer.add_tokens(["<|more|>"])
    tokenizer.save_pretrained(words)
    with pytest.raises(ModelError, match="its tokens are others than those of"):
        merge([(first, 0.5), (named(words), 0.5)], out=tmp_path / "out")
    scorer = tiny.save(tmp_path / "scorer", head="score")
    with pytest.raises(ModelError, match="writes text, the other scores it"):
        merge([(first, 0.5), (named(scorer), 0.5)], out=tmp_path / "out")
    script = tmp_path / "replies.jsonl"
    script.write_text("{}")
    with pytest.raises(ModelError, match="a script has no weights"):
        merge([(resolve(f"scripted/{script}", runs=tmp_path), 1.0)], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_model_that_scores_keeps_its_head(llama_folder: Path, tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    adapter = save_adapter(llama_folder, tmp_path / "scorer", head="score")
    merged = merge([(named(adapter), 1.0)], out=tmp_path / "out")
    assert merged.head == "score" and merged.difference.is_lossless
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "out")
    assert model.num_labels == 1 and model.score.weight.std() > 0.1


def test_nothing_is_overwritten(llama_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    merge([(named(llama_folder), 1.0)], out=out)
    before = {path.name: path.stat().st_mtime_ns for path in out.iterdir()}
    with pytest.raises(ModelError, match="something here already"):
        merge([(named(llama_folder), 1.0)], out=out)
    assert {path.name: path.stat().st_mtime_ns for path in out.iterdir()} == before


def test_a_failure_leaves_nothing(llama_folder: Path, tmp_path: Path) -> None:
    def about(_: Merged) -> str:
        raise ModelError("no card")

    with pytest.raises(ModelError, match="no card"):
        merge([(named(llama_folder), 1.0)], out=tmp_path / "out", about=about)
    assert list(tmp_path.iterdir()) == []
