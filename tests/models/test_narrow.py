"""A narrow last layer gives what a whole one gives, and computes no more than is asked for."""

from __future__ import annotations

import pytest
import torch

import tiny
from outdo.models import branches, narrow
from outdo.models.chat import Chat
from outdo.models.forest import Tree, lay
from outdo.models.logprobs import log_probabilities


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3", "mistral"])
def test_it_gives_what_the_whole_layer_gives(kind: str) -> None:
    chat = Chat(tiny.tokenizer())
    trees = [Tree(paths=(chat.encode(row),)) for row in tiny.talks(4)]
    batch = lay(trees, [[0, 1, 2, 3]], flat=True)
    changes = {"sliding_window": 512} if kind in ("mistral", "qwen2") else {}
    model = tiny.model(kind, initializer_range=0.02, **changes)
    assert branches.use(model, longest=200)
    seen: list[int] = []
    model.model.layers[-1].mlp.register_forward_pre_hook(lambda _, x: seen.append(x[0].shape[1]))

    def learnt() -> tuple[torch.Tensor, list[torch.Tensor]]:
        model.zero_grad(set_to_none=True)
        said = log_probabilities(model, batch)
        said.sum().backward()
        return said.detach(), [w.grad for w in model.parameters() if w.grad is not None]

    whole, there = learnt()
    narrow.use(model)
    some, here = learnt()
    narrow.leave(model)
    again, _ = learnt()

    assert seen == [batch.computed, len(batch.source), batch.computed]
    assert len(batch.source) < batch.computed
    assert torch.allclose(some, whole, atol=1e-5) and torch.equal(again, whole)
    size = max(float(one.abs().max()) for one in there)
    for one, other in zip(here, there, strict=True):
        assert float((one - other).abs().max()) <= 1e-5 * size


def test_layers_of_other_kinds_stay_whole() -> None:
    model = tiny.model("granite")
    narrow.use(model)
    assert "forward" not in vars(model.model.layers[-1])
