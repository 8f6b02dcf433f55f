"""Small runs on a tiny Llama, and how what they leave is compared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

import tiny
from outdo.training import How, Lora, Settings

ROWS = tiny.talks(12)
SETTINGS = Settings(
    epochs=2,
    learning_rate=3e-3,
    rows_per_step=4,
    precision="float32",
    lora=Lora(rank=4),
    how=How(threads=1, device="cpu", checkpoint_seconds=0),
)


def weights(folder: Path, name: str = "adapter_model.safetensors") -> dict[str, torch.Tensor]:
    """The tensors that a run has left."""
    from safetensors.torch import load_file

    return dict(load_file(folder / name))


def equal(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    """Whether they are the same, bit for bit."""
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def curve(folder: Path) -> list[dict[str, Any]]:
    """The lines of the curve, without the time that they took."""
    lines = [json.loads(line) for line in (folder / "loss.jsonl").read_text().splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]
