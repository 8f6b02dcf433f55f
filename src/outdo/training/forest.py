"""A batch is a forest: token sequences as trees, laid out depth first, several to a row.

`end[j]` is the index just past the subtree of token j, and token i sees token j if and only if
`j <= i < end[j]`; a token's position is its depth. That one array says packing, padding and
the sharing of prefixes. Here each tree is one path: a conversation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from outdo.models.attention import masks
from outdo.models.chat import Encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows [rows, width] of token ids, and what is to be learnt of them.

    Learnt token number k is `target[k]`, said after the token at `source[k]` of the flattened
    rows, by the path `path[k]` (an index into what the batch was made of). `single` says that
    each row is one path from its beginning, which needs no mask of its own.
    """

    ids: Tensor
    positions: Tensor
    end: Tensor
    source: Tensor
    target: Tensor
    path: Tensor
    paths: tuple[int, ...]
    tokens: int
    single: bool

    @property
    def computed(self) -> int:
        """How many tokens go through the model, padding included."""
        return self.ids.numel()

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        moved = {
            name: getattr(self, name).to(device)
            for name in ("ids", "positions", "end", "source", "target", "path")
        }
        return Batch(**moved, paths=self.paths, tokens=self.tokens, single=self.single)

    def mask(self, config: Any, dtype: torch.dtype) -> Any:
        """The attention mask for a model of this configuration; None where causal is enough."""
        if self.single:
            return None
        place = torch.arange(self.ids.shape[1], device=self.ids.device)
        before = place[:, None] >= place[None, :]
        seen = before & (place[None, :, None] < self.end[:, None, :])
        return masks(
            config, seen[:, None], queries=self.positions, keys=self.positions, dtype=dtype
        )


Layout = list[list[int]]
"""For each row of a batch, which paths lie in it, in order."""


def layouts(
    lengths: Sequence[int], paths: Iterable[int], *, tokens: int, packed: bool = True
) -> Iterator[Layout]:
    """The paths in batches of at most `tokens` (padding included), the longest first.

    A row is as long as its batch's longest path; where the batch is `packed`, shorter ones fill
    up what is left of the rows.
    """
    layout: Layout = []
    room: list[int] = []
    width = 0
    for path in sorted(paths, key=lambda path: (-lengths[path], path)):
        length = lengths[path]
        fitting = next((row for row, left in enumerate(room) if left >= length), None)
        if fitting is not None:
            layout[fitting].append(path)
            room[fitting] -= length
            continue
        if layout and (len(layout) + 1) * width > tokens:
            yield layout
            layout, room = [], []
        if not layout:
            width = length
        layout.append([path])
        room.append(width - length if packed else 0)
    if layout:
        yield layout


def lay(encoded: Sequence[Encoded], layout: Layout) -> Batch:
    """The batch of this layout: ids, depths, ends, and the learnt tokens."""
    width = max(sum(len(encoded[path].ids) for path in row) for row in layout)
    ids, positions, end = [], [], []
    source: list[int] = []
    target: list[int] = []
    owner: list[int] = []
    for number, row in enumerate(layout):
        row_ids: list[int] = []
        depth: list[int] = []
        row_end: list[int] = []
        for path in row:
            start, one = len(row_ids), encoded[path]
            said = [place for place, learnt in enumerate(one.learnt) if learnt and place]
            source += [number * width + start + place - 1 for place in said]
            target += [one.ids[place] for place in said]
            owner += [path] * len(said)
            row_ids += one.ids
            depth += range(len(one.ids))
            row_end += [start + len(one.ids)] * len(one.ids)
        padding = range(len(row_ids), width)
        ids.append(row_ids + [0] * len(padding))
        positions.append(depth + [0] * len(padding))
        end.append(row_end + [place + 1 for place in padding])
    return Batch(
        ids=torch.tensor(ids),
        positions=torch.tensor(positions),
        end=torch.tensor(end),
        source=torch.tensor(source, dtype=torch.long),
        target=torch.tensor(target, dtype=torch.long),
        path=torch.tensor(owner, dtype=torch.long),
        paths=tuple(path for row in layout for path in row),
        tokens=sum(len(encoded[path].ids) for row in layout for path in row),
        single=all(len(row) == 1 for row in layout),
    )
