"""Which token sees which, in the shape that a transformers model takes it.

A mask is given by who may be seen (`seen`) and by the positions of both sides; a sliding window
is then the same rule in positions: a token sees those less than `window` before it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def masks(config: Any, seen: Tensor, *, queries: Tensor, keys: Tensor, dtype: torch.dtype) -> Any:
    """What to pass as `attention_mask`: a tensor, or a dict for models that mix kinds of layers.

    `seen` is bool [rows, 1, queries, keys]; `queries` and `keys` are positions [rows, length].
    """
    window = window_of(config)
    kinds = set(getattr(config, "layer_types", None) or ())
    if window is None:
        return _shaped(config, seen, dtype)
    near = seen & (queries[:, None, :, None] - keys[:, None, None, :] < window)
    if len(kinds) > 1:
        return {
            "full_attention": _shaped(config, seen, dtype),
            "sliding_attention": _shaped(config, near, dtype),
        }
    return _shaped(config, near, dtype)


def has_window(config: Any, length: int) -> bool:
    """Whether some layer's window is shorter than `length` tokens."""
    window = window_of(config)
    return window is not None and window < length


def window_of(config: Any) -> int | None:
    """The sliding window of the layers that have one."""
    kinds = getattr(config, "layer_types", None)
    if kinds is not None and "sliding_attention" not in kinds:
        return None
    if getattr(config, "use_sliding_window", True) is False:
        return None
    window = getattr(config, "sliding_window", None)
    return int(window) if window else None


def _shaped(config: Any, seen: Tensor, dtype: torch.dtype) -> Tensor:
    if config._attn_implementation != "eager":
        return seen
    hidden = torch.zeros(seen.shape, dtype=dtype, device=seen.device)
    return hidden.masked_fill_(~seen, torch.finfo(dtype).min)
