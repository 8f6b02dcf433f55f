"""Keys and values of a batch whose rows leave when they are finished.

The buffers are made with room ahead and written in place, so a step copies one token and not
the whole past; a row that leaves gives its place to the last one, so a step computes no dead row.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, CacheLayerMixin

ROOM = 64
"""How many tokens the buffers grow by when they are full."""


class RowLayer(CacheLayerMixin):  # type: ignore[misc]
    """One layer's keys and values: buffers [rows, heads, capacity, width], filled to `length`."""

    is_sliding = False

    def __init__(self) -> None:
        super().__init__()
        self.length = 0
        self.rows = 0

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """Take the first keys and values as they are; `spread` makes room."""
        self.keys, self.values = key_states, value_states
        self.rows, self.length = key_states.shape[0], key_states.shape[2]
        self.is_initialized = True

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """All keys and values of the rows in play, with the new ones written behind."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            return key_states, value_states
        start, self.length = self.length, self.length + key_states.shape[2]
        if self.length > self.keys.shape[2]:
            self.spread(torch.arange(self.rows, device=self.keys.device), filled=start)
        self.keys[: self.rows, :, start : self.length] = key_states
        self.values[: self.rows, :, start : self.length] = value_states
        return self.keys[: self.rows, :, : self.length], self.values[: self.rows, :, : self.length]

    def spread(self, rows: Tensor, *, filled: int | None = None) -> None:
        """Let row i be what row `rows[i]` was, in new buffers with room ahead."""
        filled = self.length if filled is None else filled
        self.rows = len(rows)
        self.keys = _roomy(self.keys, rows, filled, self.length + ROOM)
        self.values = _roomy(self.values, rows, filled, self.length + ROOM)

    def move(self, *, source: Tensor, target: Tensor, rows: int) -> None:
        """Put rows `source` in the places `target`, and keep the first `rows`."""
        self.keys[target, :, : self.length] = self.keys[source, :, : self.length]
        self.values[target, :, : self.length] = self.values[source, :, : self.length]
        self.rows = rows

    def get_seq_length(self) -> int:
        """How many tokens a row holds, padding included."""
        return self.length

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """The length of the keys that the next query sees, and where they begin."""
        return self.length + query_length, 0

    def get_max_length(self) -> int:
        """-1: there is no maximum."""
        return -1


def _roomy(old: Tensor, rows: Tensor, filled: int, capacity: int) -> Tensor:
    new = old.new_empty((len(rows), old.shape[1], capacity, old.shape[3]))
    new[:, :, :filled] = old[rows, :, :filled]
    return new


class RowCache(Cache):  # type: ignore[misc]
    """The layers' buffers, as a transformers model takes them."""

    def __init__(self, layers: int) -> None:
        super().__init__(layers=[RowLayer() for _ in range(layers)])

    def spread(self, rows: Tensor) -> None:
        """Let row i be what row `rows[i]` was, with room for what will be said."""
        for layer in self.layers:
            layer.spread(rows)

    def move(self, *, source: Tensor, target: Tensor, rows: int) -> None:
        """Put rows `source` in the places `target`, and keep the first `rows`."""
        for layer in self.layers:
            layer.move(source=source, target=target, rows=rows)
