"""Adapters with random weights on tiny models, as plain peft writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from outdo.models.weights import peft_without_warnings


def save_adapter(
    base: Path, folder: Path, *, seed: int = 0, head: str = "lm", **changes: Any
) -> Path:
    """A LoRA adapter on the model in `base` that changes its answers by much."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    torch.manual_seed(seed)
    auto = AutoModelForSequenceClassification if head == "score" else AutoModelForCausalLM
    more: dict[str, Any] = {"num_labels": 1} if head == "score" else {}
    model = auto.from_pretrained(base, dtype=torch.float32, **more)
    kind = "SEQ_CLS" if head == "score" else "CAUSAL_LM"
    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": kind}
    with peft_without_warnings():
        adapted = get_peft_model(model, LoraConfig(**(settings | changes)))
        for name, weight in adapted.named_parameters():
            if "lora_B" in name or "modules_to_save" in name:
                torch.nn.init.normal_(weight, std=0.2)
        adapted.save_pretrained(folder)
    return folder
