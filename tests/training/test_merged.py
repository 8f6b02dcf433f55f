"""What was trained as an adapter says the same once it is merged into the base."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from outdo.models.merge import merge
from outdo.models.reference import resolve
from outdo.models.weights import peft_without_warnings
from outdo.training import Lora, train
from runs import ROWS, SETTINGS


@pytest.mark.parametrize("lora", [Lora(rank=4), Lora(rank=4, dora=True)])
def test_merged_is_adapter(lora: Lora, llama_folder: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    base = resolve(str(llama_folder), runs=tmp_path)
    settings = replace(SETTINGS, lora=lora, learning_rate=3e-2)
    train(base, ROWS, settings=settings, folder=tmp_path / "adapter")
    adapter = resolve(str(tmp_path / "adapter"), runs=tmp_path)
    merge([(adapter, 1.0)], out=tmp_path / "merged")

    ids = torch.tensor([[1, 4, 60, 61, 80, 90, 70, 6]])
    with torch.no_grad(), peft_without_warnings():
        bare = AutoModelForCausalLM.from_pretrained(llama_folder)
        before = bare(ids).logits.clone()
        beside = PeftModel.from_pretrained(bare, tmp_path / "adapter").eval()(ids).logits
        merged = AutoModelForCausalLM.from_pretrained(tmp_path / "merged")(ids).logits
    moved = float((beside - before).abs().max())
    assert moved > 0.1
    assert float((merged - beside).abs().max()) < 1e-4 * moved
