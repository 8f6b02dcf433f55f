"""Attention by plain products of matrices, for bfloat16 on a CPU and rows that aren't long.

There the way back of torch's fused kernel takes twice to three times as long as writing the
scores out; the scores of a row of 500 tokens fit the cache, those of a long one do not, and go
to the fused kernel as ever.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "outdo_dense"
LONGEST = 1024
"""Rows above this go to the fused kernel, whose memory doesn't grow with their square."""


class _Attention(torch.autograd.Function):
    """Softmax(scale q k' | seen) v over [batch, heads, length, width], grouped queries included."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, hidden: Tensor, scale: float
    ) -> Tensor:
        rows, heads, length, width = query.shape
        groups = heads // key.shape[1]
        tall = (query * scale).reshape(rows, key.shape[1], groups * length, width)
        scores = tall @ key.transpose(-1, -2)
        apart = scores.view(rows, key.shape[1] * groups, length, key.shape[2])
        apart.masked_fill_(hidden, torch.finfo(scores.dtype).min)
        shares = torch.softmax(scores, dim=-1)
        ctx.save_for_backward(tall, key, value, shares)
        ctx.scale = scale
        return (shares @ value).view(rows, heads, length, value.shape[-1])

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        tall, key, value, shares = ctx.saved_tensors
        grad = grads[0].reshape(*tall.shape[:-1], value.shape[-1])
        grad_value = shares.transpose(-1, -2) @ grad
        grad_shares = grad @ value.transpose(-1, -2)
        grad_scores = torch._softmax_backward_data(grad_shares, shares, -1, shares.dtype)
        grad_query = (grad_scores @ key).mul_(ctx.scale).view(*grads[0].shape[:-1], key.shape[-1])
        return grad_query, grad_scores.transpose(-1, -2) @ tall, grad_value, None, None


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **more: Any,
) -> tuple[Tensor, None]:
    """Attention as a transformers layer calls it: output [rows, length, heads, width]."""
    length = query.shape[2]
    unlike = dropout or length != key.shape[2] or more.get("position_bias") is not None
    if length > LONGEST or query.dtype != torch.bfloat16 or unlike:
        made, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **more
        )
        return made, None
    if attention_mask is None:
        seen = torch.ones((1, 1, length, length), dtype=torch.bool, device=query.device).tril()
    else:
        seen = attention_mask
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    made = _Attention.apply(query, key, value, ~seen, scale)  # type: ignore[no-untyped-call]
    return made.transpose(1, 2), None


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)


def use(model: Any) -> None:
    """Let the model's layers attend by plain products, where they attended by SDPA."""
    if model.config.get_text_config()._attn_implementation == "sdpa":
        model.set_attn_implementation(NAME)


def leave(model: Any) -> None:
    """Let them attend by SDPA again."""
    if model.config.get_text_config()._attn_implementation == NAME:
        model.set_attn_implementation("sdpa")
