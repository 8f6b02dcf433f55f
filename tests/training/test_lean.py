"""The small operations give what the model's own modules give, forwards and backwards."""

from __future__ import annotations

import pytest
import torch

import tiny
from outdo.training import lean


def gradients(model: torch.nn.Module, ids: torch.Tensor) -> list[torch.Tensor]:
    model.zero_grad(set_to_none=True)
    out = model(input_ids=ids, labels=ids)
    out.loss.backward()
    return [
        out.logits.detach(),
        *(w.grad.clone() for w in model.parameters() if w.grad is not None),
    ]


@pytest.mark.parametrize(
    ("kind", "found"),
    [
        ("llama", 7),
        ("qwen2", 7),
        ("qwen3", 11),
        ("mistral", 7),
        ("granite", 7),
        ("phi3", 5),
        ("gemma2", 0),
        ("gpt2", 0),
    ],
)
def test_a_model_computes_what_it_computed(kind: str, found: int) -> None:
    model = tiny.model(kind)
    torch.manual_seed(0)
    ids = torch.randint(10, 390, (2, 21))
    before = gradients(model, ids)
    assert lean.use(model) == found
    after = gradients(model, ids)
    size = max(float(one.abs().max()) for one in before[1:])
    assert torch.allclose(before[0], after[0], atol=1e-4)
    for one, other in zip(before[1:], after[1:], strict=True):
        assert float((one - other).abs().max()) <= 1e-5 * size


def test_a_module_that_computes_something_else_stays() -> None:
    model = tiny.model()
    norm = model.model.norm
    own = type(norm).forward
    norm.forward = lambda x: own(norm, x) + 1
    assert lean.use(model) == 6
    assert torch.equal(norm.forward(torch.zeros(1, 1, 64)), torch.ones(1, 1, 64))


def test_a_rotation_turns_back_on_the_way_back() -> None:
    x = torch.randn(1, 2, 5, 8, dtype=torch.float64, requires_grad=True)
    angle = torch.randn(1, 5, 4, dtype=torch.float64).repeat(1, 1, 2)
    assert torch.autograd.gradcheck(
        lambda one: lean.rotate(one, one, angle.cos(), angle.sin())[0], (x,)
    )
