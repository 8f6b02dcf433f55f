"""The rule that FlexAttention is given is the forest's; tried on a CPU, forwards."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch.nn.attention.flex_attention import BlockMask, create_mask, flex_attention

import tiny
from outdo.models import flex
from outdo.models.chat import Encoded
from outdo.models.forest import Batch, Tree, lay


def forest() -> Batch:
    """Two rows of tries with padding."""
    paths = [(1, 2, 3, 4), (1, 2, 3, 5, 6), (1, 9, 9, 9, 9, 9, 9, 9), (8, 8)]
    trees = [Tree(paths=(Encoded(ids=path, learnt=(True,) * len(path)),)) for path in paths]
    return lay(trees, [[0, 1, 3], [2]])


@pytest.mark.parametrize(("kind", "window"), [("llama", None), ("mistral", 3), ("gemma3", 3)])
def test_the_rule_is_the_mask(kind: str, window: int | None) -> None:
    batch = forest()
    changes = {} if window is None else {"sliding_window": window}
    config = tiny.configuration(kind, attn_implementation="sdpa", **changes)
    dense = batch.mask(config, torch.float32)
    config._attn_implementation = flex.NAME
    rules = batch.mask(config, torch.float32)
    pairs = (
        [(dense, rules)]
        if window is None or kind == "mistral"
        else [(dense[layer], rules[layer]) for layer in ("full_attention", "sliding_attention")]
    )
    for mask, rule in pairs:
        assert isinstance(rule, BlockMask)
        rows, length = batch.ids.shape
        made = create_mask(rule.mask_mod, rows, 1, length, length, device="cpu")
        assert torch.equal(made, mask.expand_as(made))


def test_attention_by_the_rule_is_attention_under_the_mask() -> None:
    batch = forest()
    config = tiny.configuration("llama", attn_implementation="sdpa")
    mask = batch.mask(config, torch.float32)
    config._attn_implementation = flex.NAME
    rule = batch.mask(config, torch.float32)
    torch.manual_seed(0)
    q, k, v = torch.randn(3, *batch.ids.shape[:1], 2, batch.ids.shape[1], 16).unbind()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is slow uncompiled
        made = flex_attention(q, k, v, block_mask=rule)
    there = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    assert torch.allclose(made, there, atol=1e-5)


def test_a_cpu_is_served_in_other_ways() -> None:
    model = tiny.model()
    assert not flex.use(model, longest=32_768)
