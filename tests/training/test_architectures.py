"""Every method on every architecture: the gradient is that of the conversations computed apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import plain
import tiny
from outdo.models.forest import lay
from outdo.models.reference import ModelReference
from outdo.training import adapt, lean
from outdo.training.settings import Lora, Settings

UNSCORED = ("granite",)
"""What transformers has no class with a score head for."""

EXPERTS = ("mixtral", "qwen3-moe", "deepseek-v3")
"""What peft has no DoRA for."""

FEW = ("sft", "dpo", "reward")
"""One of each kind of loss: tokens, sums of tokens, ends. `make test-slow` tries the others."""

MORE = pytest.mark.slow

SOME = {(kind, FEW[place % 3]) for place, kind in enumerate(tiny.ARCHITECTURES)}

EACH = [
    pytest.param(kind, name, marks=() if (kind, name) in SOME else MORE)
    for kind in tiny.ARCHITECTURES
    for name in plain.METHODS
    if name != "reward" or kind not in UNSCORED
]

ADAPTED = [
    pytest.param(
        kind,
        name,
        Lora(rank=4, dora=dora),
        marks=() if (kind, name) in SOME and dora == (name == "dpo") else MORE,
    )
    for kind in tiny.ARCHITECTURES
    for name in ("sft", "dpo", "reward")
    for dora in (False, True)
    if (name != "reward" or kind not in UNSCORED) and not (dora and kind in EXPERTS)
]


def model_for(kind: str, name: str, **changes: Any) -> Any:
    return tiny.model(kind, head=plain.head(name), initializer_range=0.02, **changes)


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_gradients_equal_those_of_separate_sequences(kind: str, name: str) -> None:
    rows = plain.trees(name, 4)
    assert max(len(path.ids) for tree in rows for path in tree.paths) > 2 * tiny.WINDOW
    batch = lay(rows, [list(range(len(rows)))])
    assert batch.distinct < 0.8 * batch.tokens
    plain.assert_alike(name, model_for(kind, name), rows, tokens=300)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), EACH)
def test_they_do_so_for_any_budget_and_apart(kind: str, name: str) -> None:
    rows, model = plain.trees(name), model_for(kind, name)
    for tokens, packed in ((4096, True), (1, True), (4096, False)):
        plain.assert_alike(name, model, rows, tokens=tokens, packed=packed)


BRANCHING = [kind for kind in tiny.ARCHITECTURES if kind != "gemma2"]
"""What attends by branches where no window is shorter than the rows: all without capped scores."""


@pytest.mark.slow
@pytest.mark.parametrize("name", FEW)
@pytest.mark.parametrize("kind", BRANCHING)
def test_they_do_so_by_branches_under_wide_windows(kind: str, name: str) -> None:
    if name == "reward" and kind in UNSCORED:
        pytest.skip("transformers has no such class")
    rows, model = plain.trees(name), model_for(kind, name, sliding_window=4096)
    with plain.quick(model, rows) as by_branches:
        assert by_branches
    plain.assert_alike(name, model, rows, tokens=300)


def test_they_do_so_where_a_part_of_each_head_is_rotated() -> None:
    turned = {"rope_type": "default", "rope_theta": 1e4, "partial_rotary_factor": 0.5}
    model = model_for("phi3", "sft", rope_parameters=turned, sliding_window=4096)
    cos, _ = model.model.rotary_emb(torch.zeros(1), torch.arange(3)[None])
    assert cos.shape[-1] == 8 and model.config.hidden_size // model.config.num_attention_heads == 16
    plain.assert_alike("sft", model, plain.trees("sft", 3))


def with_adapter(model: Any, lora: Lora, head: str, *, fused: bool) -> Any:
    """The model with an adapter that isn't nought; as peft made it where not `fused`."""
    base = ModelReference(name="tiny", path=None, digest="", kind="model")  # type: ignore[arg-type]
    made = adapt.adapted(model.requires_grad_(False), base, Settings(lora=lora), head=head)
    lean.leave(made)
    if not fused:
        for module in made.modules():
            vars(module).pop("forward", None)
    torch.manual_seed(1)
    for name, weight in adapt.learning(made).items():
        scale = 0.05 * torch.randn_like(weight)
        weight.data = weight.data * (1 + scale) if "magnitude" in name else scale
    return made


@pytest.mark.parametrize(("kind", "name", "lora"), ADAPTED)
def test_adapters_learn_as_peft_would_from_separate_sequences(
    kind: str, name: str, lora: Lora
) -> None:
    rows, head = plain.trees(name, 4), plain.head(name)
    unfused = with_adapter(model_for(kind, name), lora, head, fused=False)
    wanted, gradient = plain.separately(name, unfused, rows)
    model = with_adapter(model_for(kind, name), lora, head, fused=True)
    with plain.quick(model, rows):
        got, grads = plain.in_batches(name, model, rows, tokens=300)
    assert got == pytest.approx(wanted, rel=2e-6)
    assert plain.distance(gradient, grads) <= 1e-5


@pytest.mark.parametrize("kind", ["mixtral", "qwen3-moe"])
def test_the_auxiliary_loss_of_experts_is_left_out(kind: str) -> None:
    asked = model_for(kind, "sft", output_router_logits=True)
    rows = plain.trees("sft", 5)
    wanted, gradient = plain.separately("sft", model_for(kind, "sft"), rows)
    got, grads = plain.in_batches("sft", asked, rows)
    assert got == pytest.approx(wanted, rel=2e-6)
    assert plain.distance(gradient, grads) <= 1e-5
