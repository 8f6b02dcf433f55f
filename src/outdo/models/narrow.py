"""The last layer for those tokens alone whose hidden states are asked for.

All tokens give keys and values there; but a query, and all that follows from it, is needed only
of a token after which something is learnt.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from torch import Tensor

from outdo.models import branches

LAYERS = {"LlamaDecoderLayer", "MistralDecoderLayer", "Qwen2DecoderLayer", "Qwen3DecoderLayer"}
"""Layers that norm, attend, add, norm, transform, add, and nothing else."""


def use(model: Any) -> None:
    """Let the model's last layer be narrow, where it is of a kind that can, and the batch asks."""
    layer = _last(model)
    if type(layer).__name__ in LAYERS:
        layer.forward = functools.partial(_forward, layer, layer.forward)


def leave(model: Any) -> None:
    """Let the last layer be as it was."""
    if (layer := _last(model)) is not None:
        vars(layer).pop("forward", None)


def _last(model: Any) -> Any:
    layers = getattr(model.base_model, "layers", None)
    return layers[-1] if layers else None


def _forward(
    layer: Any, whole: Any, hidden: Tensor, attention_mask: Any = None, **more: Any
) -> Tensor:
    """The layer's output [rows, length, width]; [1, wanted, width] where a mask says what is."""
    places = getattr(attention_mask, "wanted", None)
    if places is None:
        made: Tensor = whole(hidden, attention_mask=attention_mask, **more)
        return made
    attention = layer.self_attn
    normed = layer.input_layernorm(hidden)
    query = _heads(attention, "q", normed[:, places])
    key, value = _heads(attention, "k", normed), _heads(attention, "v", normed)
    cos, sin = more["position_embeddings"]
    query = _rotated(layer, query, cos[:, places], sin[:, places])
    key = _rotated(layer, key, cos, sin)
    said = branches.along(
        query, key, value, attention.scaling, attention_mask.branches, places.tolist()
    )
    some = hidden[:, places] + attention.o_proj(said.flatten(-2))
    out: Tensor = some + layer.mlp(layer.post_attention_layernorm(some))
    return out


def _heads(attention: Any, name: str, x: Tensor) -> Tensor:
    """Queries, keys or values [1, heads, length, width], normed where the model does that."""
    made = getattr(attention, f"{name}_proj")(x).unflatten(-1, (-1, attention.head_dim))
    norm = getattr(attention, f"{name}_norm", None)
    heads: Tensor = made if norm is None else norm(made)
    return heads.transpose(1, 2)


def _rotated(layer: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turned by positions, as the layer's own module does it."""
    rotate = sys.modules[type(layer.self_attn).__module__].apply_rotary_pos_emb
    made: Tensor = rotate(x, x[:, :1], cos, sin)[0]
    return made
