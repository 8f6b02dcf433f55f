"""FlexAttention on a GPU: the forest's rule as a function, so that no mask of its size is held.

A dense mask of a row of 32,768 tokens has a billion entries. FlexAttention asks the rule itself,
and skips the blocks in which nobody sees anybody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask
from transformers.utils import is_torch_flex_attn_available

from outdo.models.attention import window_of

NAME = "flex_attention"
LONG = 2048
"""Rows below this are served by SDPA under a mask, which needs no compiling."""

Rule = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def use(model: Any, *, longest: int) -> bool:
    """Let the model attend by rules, if it is on a GPU and paths are long; whether it does."""
    config = model.config.get_text_config()
    fit = (
        model.device.type == "cuda"
        and longest >= LONG
        and config._attn_implementation == "sdpa"
        and getattr(model, "_supports_flex_attn", False)
        and is_torch_flex_attn_available()
    )
    if fit:
        model.set_attn_implementation(NAME)
    return used(model.config)


def used(config: Any) -> bool:
    """Whether a model of this configuration attends by rules."""
    return bool(config.get_text_config()._attn_implementation == NAME)


def leave(model: Any) -> None:
    """Let the model attend by SDPA again."""
    if used(model.config):
        model.set_attn_implementation("sdpa")


def sees(end: Tensor) -> Rule:
    """Token q sees token k if it stands in its subtree; `end` [rows, length] as in a `Batch`."""

    def rule(row: Tensor, head: Tensor, q: Tensor, k: Tensor) -> Tensor:  # noqa: ARG001
        return (k <= q) & (q < end[row, k])

    return rule


def sees_near(end: Tensor, positions: Tensor, window: int) -> Rule:
    """The same within a window, counted in positions."""
    whole = sees(end)

    def rule(row: Tensor, head: Tensor, q: Tensor, k: Tensor) -> Tensor:
        return whole(row, head, q, k) & (positions[row, q] - positions[row, k] < window)

    return rule


def block_masks(config: Any, end: Tensor, positions: Tensor) -> BlockMask | dict[str, BlockMask]:
    """What to pass as `attention_mask` to a model of this configuration that attends by rules."""
    window = window_of(config)
    if window is None:
        return _blocks(sees(end), end)
    near = _blocks(sees_near(end, positions, window), end)
    if len(set(getattr(config, "layer_types", None) or ())) > 1:
        return {"full_attention": _blocks(sees(end), end), "sliding_attention": near}
    return near


def _blocks(rule: Rule, end: Tensor) -> BlockMask:
    rows, length = end.shape
    return create_block_mask(rule, rows, None, length, length, device=end.device)
