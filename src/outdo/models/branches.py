"""Attention over tries on a CPU: each branch looks at what it grew from and at itself, no more.

A row that holds many sequences has a mask that hides most of what is computed under it. Here the
scores that a mask would hide are never made: the new tokens of each path are taken in blocks, and
a block is multiplied with the keys before its end on its own path. Scores of long paths are made
anew on the way back, so nothing is kept that grows with the square of a length.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from outdo.models.attention import has_window

NAME = "outdo_branches"
BLOCK = 128
"""Queries at a time: fewer would be many small products, more would make scores to be hidden."""

KEPT = 512
"""Shares of a block that sees no more keys are kept for the way back; longer ones are made anew."""

Span = tuple[int, int]
Branch = tuple[Span, ...]
"""Where the tokens of a path lie, as spans of the row; those of the last span are new with it."""


class _Attention(torch.autograd.Function):
    """Softmax(scale q k') v over [1, heads, length, width], grouped queries included.

    Queries may be those of some places of the row alone: the `wanted` ones, in order.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        scale: float,
        branches: Sequence[Branch],
        wanted: Sequence[int] | None,
    ) -> Tensor:
        q, k, v = _grouped(query, key), key[0], value[0]
        made = v.new_empty(query.shape[2], query.shape[1], v.shape[-1])
        kept: list[Tensor | None] = []
        for branch in branches:
            keys, values = _along(k, branch), _along(v, branch)
            for rows, hidden, end in _blocks(branch, wanted, k.dtype):
                shares = _shares(q[:, :, rows], keys[:, :end], hidden, scale)
                said = shares @ values[:, :end]
                made[rows] = said.view(-1, len(hidden), said.shape[-1]).transpose(0, 1)
                kept.append(shares if end <= KEPT else None)
        ctx.save_for_backward(query, key, value)
        ctx.scale, ctx.branches, ctx.wanted, ctx.kept = scale, branches, wanted, kept
        return made[None]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        query, key, value = ctx.saved_tensors
        q, k, v = _grouped(query, key), key[0], value[0]
        grad = grads[0][0].transpose(0, 1).reshape(*q.shape[:3], v.shape[-1])
        grad_q, grad_k, grad_v = q.new_empty(q.shape), torch.zeros_like(k), torch.zeros_like(v)
        kept = iter(ctx.kept)
        for branch in ctx.branches:
            keys, values = _along(k, branch), _along(v, branch)
            to_k, to_v = _room(grad_k, keys, branch), _room(grad_v, values, branch)
            for rows, hidden, end in _blocks(branch, ctx.wanted, k.dtype):
                block = q[:, :, rows]
                shares = next(kept)
                if shares is None:
                    shares = _shares(block, keys[:, :end], hidden, ctx.scale)
                back = grad[:, :, rows].reshape(len(v), -1, v.shape[-1])
                to_v[:, :end].baddbmm_(shares.transpose(1, 2), back)
                drift = back @ values[:, :end].transpose(1, 2)
                drift = torch._softmax_backward_data(drift, shares, -1, shares.dtype)
                grad_q[:, :, rows] = _product(drift, keys[:, :end], ctx.scale).view(block.shape)
                to_k[:, :end].baddbmm_(
                    drift.transpose(1, 2),
                    block.reshape(len(k), -1, block.shape[-1]),
                    alpha=ctx.scale,
                )
            if len(branch) > 1:
                _add_along(grad_k, to_k, branch)
                _add_along(grad_v, to_v, branch)
        return grad_q.view(query.shape), grad_k[None], grad_v[None], None, None, None


def _grouped(query: Tensor, key: Tensor) -> Tensor:
    """Queries as [key heads, queries a key head, length, width]."""
    return query[0].view(key.shape[1], -1, *query.shape[2:])


def _product(a: Tensor, b: Tensor, scale: float) -> Tensor:
    """The products of matrices times a number, in one pass."""
    return torch.baddbmm(a.new_empty(1), a, b, beta=0, alpha=scale)


def _blocks(
    branch: Branch, wanted: Sequence[int] | None, dtype: torch.dtype
) -> Iterator[tuple[slice, Tensor, int]]:
    """The branch's new tokens in blocks: queries, what is hidden from each, and the keys' end.

    What is hidden is added to the scores of the block's own tokens, which come last.
    """
    first, last = branch[-1]
    before = sum(stop - start for start, stop in branch[:-1])
    for start in range(first, last, BLOCK):
        stop = min(start + BLOCK, last)
        hidden, end = _later(stop - start, dtype), before + stop - first
        if wanted is None:
            yield slice(start, stop), hidden, end
            continue
        rows = slice(bisect.bisect_left(wanted, start), bisect.bisect_left(wanted, stop))
        if rows.start < rows.stop:
            yield rows, hidden[[place - start for place in wanted[rows]]], end


def _along(tensor: Tensor, branch: Branch) -> Tensor:
    """Keys or values [heads, length, width] along a path."""
    spans = [tensor[:, start:stop] for start, stop in branch]
    return spans[0] if len(spans) == 1 else torch.cat(spans, dim=1)


def _room(whole: Tensor, part: Tensor, branch: Branch) -> Tensor:
    """Where the gradient of a path's keys or values adds up: in its place, if it is one piece."""
    return whole[:, slice(*branch[0])] if len(branch) == 1 else torch.zeros_like(part)


def _add_along(whole: Tensor, part: Tensor, branch: Branch) -> None:
    done = 0
    for start, stop in branch:
        whole[:, start:stop] += part[:, done : done + stop - start]
        done += stop - start


def _shares(block: Tensor, keys: Tensor, hidden: Tensor, scale: float) -> Tensor:
    """How each query of a block divides its attention, [key heads, queries, keys]."""
    heads, groups, count, width = block.shape
    tall = block.reshape(heads, groups * count, width)
    scores = _product(tall, keys.transpose(1, 2), scale)
    own = scores.view(heads * groups, count, -1)[:, :, keys.shape[1] - hidden.shape[1] :]
    own.add_(hidden)
    return torch.softmax(scores, dim=-1)


@functools.lru_cache(maxsize=2 * BLOCK)
def _later(count: int, dtype: torch.dtype) -> Tensor:
    """What hides from each of `count` tokens those that come later."""
    return torch.full((count, count), -torch.inf, dtype=dtype).triu(1)


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
    """Attention as a transformers layer calls it: output [rows, length, heads, width].

    A mask that says where the branches lie is followed; with any other this is SDPA.
    """
    branches = getattr(attention_mask, "branches", None)
    if branches is None or dropout:
        made, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **more
        )
        return made, None
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    return along(query, key, value, scale, branches), None


def along(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    scale: float,
    branches: Sequence[Branch],
    wanted: Sequence[int] | None = None,
) -> Tensor:
    """Attention along branches [1, queries, heads, width], of `wanted` places or of all."""
    query, key, value = _alike(query, key, value)
    with torch.autocast(query.device.type, enabled=False):
        made: Tensor = _Attention.apply(  # type: ignore[no-untyped-call]
            query, key, value, scale, branches, wanted
        )
    return made


def _alike(*given: Tensor) -> tuple[Tensor, ...]:
    """Tensors in the type that products are computed in here, as autocast would have them."""
    kind = given[0].device.type
    if not torch.is_autocast_enabled(kind):
        return given
    dtype = torch.get_autocast_dtype(kind)
    return tuple(one.to(dtype) for one in given)


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)


def masks_of_branches(config: Any, branches: Sequence[Branch], wanted: Tensor | None) -> Any:
    """What to pass as `attention_mask` for one row of tries with these branches.

    `wanted` are the places in the row whose hidden states are asked for, if not all are.
    """
    brings = torch.ones(1, 1, 1, 1, dtype=torch.bool)
    brings.branches, brings.wanted = branches, wanted  # type: ignore[attr-defined]
    kinds = set(getattr(config, "layer_types", None) or ())
    return dict.fromkeys(kinds, brings) if len(kinds) > 1 else brings


def use(model: Any, *, longest: int) -> bool:
    """Let the model's layers attend by branches; whether they do.

    Not on another device than a CPU, where attention isn't SDPA, where it drops at random, or
    where a window is shorter than the `longest` path.
    """
    config = model.config.get_text_config()
    plain = config._attn_implementation == "sdpa" and not getattr(config, "attention_dropout", 0)
    if model.device.type == "cpu" and plain and not has_window(config, longest):
        model.set_attn_implementation(NAME)
    return used(model)


def used(model: Any) -> bool:
    """Whether the model's layers attend by branches."""
    config = model.config.get_text_config()
    return bool(config._attn_implementation == NAME)


def leave(model: Any) -> None:
    """Let the model's layers attend by SDPA again."""
    if used(model):
        model.set_attn_implementation("sdpa")
