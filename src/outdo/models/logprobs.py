"""What a model thinks of the paths of a batch: log-probabilities of tokens, scores of ends.

The output layer sees only the hidden states that are needed. They are picked where the backbone
hands them over, so whatever the model's own head does (scale, cap, bias) is done.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from outdo.models.forest import Batch

CHUNK = 2**20
"""How many logits are looked at in float32 at a time."""


class _Chosen(torch.autograd.Function):
    """log softmax(logits)[pick, target], with the gradient written over the logits themselves.

    The logits, which no other operation needs on its way back, are held once and in the type that
    they were computed in; their float32 form exists a slice at a time.
    """

    @staticmethod
    def forward(ctx: Any, logits: Tensor, pick: Tensor, target: Tensor) -> Tensor:
        normal = torch.cat([part.float().logsumexp(-1) for part in _slices(logits)])
        ctx.save_for_backward(logits, pick, target, normal)
        return logits[pick, target].float() - normal[pick]

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        logits, pick, target, normal = ctx.saved_tensors
        grad = grads[0]
        weight = torch.zeros_like(normal).index_add_(0, pick, grad)
        done = 0
        for part in _slices(logits.detach()):
            rows = slice(done, done + len(part))
            shares = part.float().sub_(normal[rows, None]).exp_().mul_(-weight[rows, None])
            if shares is not part:
                part.copy_(shares)
            done += len(part)
        out = logits.detach()
        out.index_put_((pick, target), grad.to(out.dtype), accumulate=True)
        return out, None, None


def _slices(logits: Tensor) -> tuple[Tensor, ...]:
    parts: tuple[Tensor, ...] = torch.split(logits, max(1, CHUNK // logits.shape[-1]))
    return parts


def log_probabilities(model: Any, batch: Batch) -> Tensor:
    """The log-probability of each learnt token [learnt], in float32."""
    logits = _forward(model, batch, batch.source).logits[0]
    chosen: Tensor = _Chosen.apply(  # type: ignore[no-untyped-call]
        logits, batch.pick, batch.target
    )
    return chosen


def path_sums(model: Any, batch: Batch) -> Tensor:
    """The log-probability of all that is learnt on each path [paths], in float32."""
    one_by_one = log_probabilities(model, batch)
    return one_by_one.new_zeros(batch.paths).index_add_(0, batch.path, one_by_one)


def path_scores(model: Any, batch: Batch) -> Tensor:
    """What a model with a score head makes of each path's end [paths], in float32."""
    whole = _whole(model)
    places, ends = torch.unique(batch.last, return_inverse=True)
    hidden = whole.base_model(**_inputs(whole, batch, places)).last_hidden_state
    scores: Tensor = whole.score(_picked(hidden, places)[0])
    return scores[ends, 0].float()


def _forward(model: Any, batch: Batch, places: Tensor) -> Any:
    """The model's output, its head having seen only the hidden states at `places`."""
    whole = _whole(model)
    with _picking(whole, places):
        return model(**_inputs(whole, batch, places))


@contextlib.contextmanager
def _picking(whole: Any, places: Tensor) -> Iterator[None]:
    """A block in which the backbone hands over the hidden states at `places` alone."""

    def pick(_: Any, __: Any, made: Any) -> Any:
        made["last_hidden_state"] = _picked(made["last_hidden_state"], places)
        return made

    handle = whole.base_model.register_forward_hook(pick)
    try:
        yield
    finally:
        handle.remove()


def _picked(hidden: Tensor, places: Tensor) -> Tensor:
    """The hidden states at `places` [1, places, width], if the last layer hasn't picked them."""
    if hidden.shape[:2] == (1, len(places)):
        return hidden
    return hidden.flatten(0, 1).index_select(0, places)[None]


def _inputs(whole: Any, batch: Batch, places: Tensor) -> dict[str, Any]:
    """What the model is called with; experts are never asked for their auxiliary loss."""
    config = whole.config.get_text_config()
    experts = {"output_router_logits": False} if hasattr(config, "output_router_logits") else {}
    return {
        "input_ids": batch.ids,
        "attention_mask": batch.mask(config, computing_dtype(whole), places),
        "position_ids": batch.positions,
        "use_cache": False,
        **experts,
    }


def _whole(model: Any) -> Any:
    """The transformers model below an adapter, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def computing_dtype(model: Any) -> torch.dtype:
    """What the model computes in here: a mask that is added must be of that type."""
    kind = model.device.type
    if torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    dtype: torch.dtype = model.dtype
    return dtype
