"""How batches go through a model: the same for learning, for looking, and for the reference."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch

from outdo.models import branches
from outdo.models.forest import Batch, Tree, lay, layouts
from outdo.training.processes import Processes


def autocast(model: Any, precision: str) -> Any:
    """A block in which the model computes in `precision`."""
    if precision == "float32":
        return contextlib.nullcontext()
    return torch.autocast(model.device.type, dtype=getattr(torch, precision))


def batches(
    model: Any, trees: Sequence[Tree], numbers: Iterable[int], *, tokens: int, packed: bool
) -> Iterator[Batch]:
    """Some of the trees in batches of at most `tokens`, on the model's device."""
    flat = packed and branches.used(model)
    for layout in layouts(trees, numbers, tokens=tokens, packed=packed, flat=flat):
        yield lay(trees, layout, packed=packed, flat=flat).to(model.device)


def shared_batches(
    model: Any, trees: Sequence[Tree], numbers: Sequence[int], *, processes: Processes, **how: Any
) -> Iterator[tuple[Batch, bool]]:
    """This process's share of the trees in batches, and whether each counts.

    Where a pass is something that all processes do together all have as many: who has fewer goes
    through the least of the trees, which then doesn't count.
    """
    sizes = {number: trees[number].tokens for number in numbers}
    least = min(sizes, key=sizes.__getitem__)
    mine = batches(model, trees, processes.share(numbers, sizes), **how)
    yield from processes.even(mine, spare=lambda: next(batches(model, trees, [least], **how)))
