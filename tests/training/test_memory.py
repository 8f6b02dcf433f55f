"""What a run will need, what is free, and what it took."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
import torch

import tiny
from outdo.errors import TrainingError
from outdo.models.chat import Chat
from outdo.models.forest import Batch, Tree, lay
from outdo.training import How, Settings
from outdo.training.estimate import Needs, fits, needs
from outdo.training.memory import Memory, free_bytes

PLAIN = Settings(how=How(device="cpu"))
CHAT = Chat(tiny.tokenizer())


def batch(copies: int = 1, length: int = 90) -> Batch:
    row = Tree(paths=(CHAT.encode(tiny.talk("b" * length, "x" * length)),))
    return lay([row] * copies, [[number] for number in range(copies)])


def needed(model: Any, one: Batch, settings: Settings = PLAIN, precision: str = "float32") -> Needs:
    return needs(model, one, precision=precision, settings=settings)


def test_a_batch_needs_more_the_more_it_holds() -> None:
    model = tiny.model()
    small, large = needed(model, batch(2)), needed(model, batch(8))
    assert large.batch == pytest.approx(4 * small.batch, rel=0.01)
    assert large.learning == small.learning
    assert needed(model, batch(2), precision="bfloat16").batch < small.batch
    checkpointing = replace(PLAIN, how=How(checkpointing=True))
    deep = tiny.model(num_hidden_layers=8)
    assert needed(deep, batch(8), checkpointing).batch < 0.5 * needed(deep, batch(8)).batch


def test_weights_that_learn_need_room_beside_them() -> None:
    model = tiny.model().requires_grad_(False)
    assert needed(model, batch()).learning == 0
    count = sum(one.numel() for one in model.requires_grad_(True).parameters())
    assert needed(model, batch()).learning == 12 * count


def test_a_batch_that_cannot_fit_is_refused_with_one_that_can() -> None:
    model = tiny.model()
    large = batch(32, 40)
    there = needed(model, large)
    fits(there, large, there.total)
    fits(there, large, None)
    with pytest.raises(TrainingError, match=f"a batch of {large.computed} tokens needs") as caught:
        fits(there, large, there.total - 1)
    fitting = re.search(r"tokens_per_batch to (\d+)", caught.value.hint)
    assert fitting and 0 < int(fitting[1]) < large.computed
    with pytest.raises(TrainingError) as caught:
        fits(there, large, there.learning)
    assert "lower max_length below" in caught.value.hint


def test_what_is_free_is_known_here() -> None:
    free = free_bytes(torch.device("cpu"))
    assert free is None or free > 2**20
    assert free_bytes(torch.device("meta")) is None


def test_a_peak_is_measured_from_its_own_beginning() -> None:
    cpu = torch.device("cpu")
    size = 64 * 2**20
    first = Memory(cpu)
    held = torch.ones(size, dtype=torch.uint8)
    assert first.peak_bytes - first.baseline_bytes >= 0.9 * size
    assert first.bytes_now - first.baseline_bytes >= 0.9 * size
    del held
    second = Memory(cpu)
    assert second.peak_bytes - second.baseline_bytes < 0.5 * size
