"""How much memory a batch will take: told before the first step, compared with the peak after it.

What waits for the way back is not guessed from an architecture: a few rows of the heaviest batch go
through the model, first the longest alone, and what the graph then holds is counted. What comes
with more tokens is theirs, the rest is there once. Gradients and moments follow from the weights
that learn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from outdo.errors import TrainingError
from outdo.models.forest import Batch
from outdo.training import adapt

ALLOCATOR = {"cpu": 1.5}
"""What is taken for each byte that is wanted: on a CPU freed pieces lie between those in use.

Measured (docs/notebook.md); elsewhere 1.1, as the device's allocator takes whole blocks.
"""

TRIED = 3
"""About so many times the longest row's tokens are tried, in rows of all lengths."""

Forward = Callable[[Sequence[int]], tuple[Batch, Tensor]]
"""The loss of the rows of these numbers, in one batch, with all that it keeps for the way back."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes above those of the model: of the weights that learn, and of one batch."""

    learning: int
    batch: int

    @property
    def total(self) -> int:
        return self.learning + self.batch


def needs(model: Any, batch: Batch, sizes: Sequence[int], forward: Forward) -> Needs:
    """What a step with this batch takes beside the model; `sizes` are all rows' tokens.

    Beside what waits, as much as a layer keeps is passing through. With checkpointing of
    activations all layers keep their inputs, and one is made anew while it is on its way back.
    """
    learning = sum(one.numel() for one in model.parameters() if one.requires_grad)
    checkpointing = model.is_activation_checkpointing
    if checkpointing:
        model.activation_checkpointing_disable()
    kept = _kept(model, batch, sizes, forward)
    if checkpointing:
        adapt.checkpoint(model)
    config = model.config.get_text_config()
    layer = kept / config.num_hidden_layers
    inputs = batch.computed * config.hidden_size * 4 * config.num_hidden_layers
    wanted = inputs + 3 * layer if checkpointing else kept + layer
    return Needs(
        learning=3 * 4 * learning, batch=int(wanted * ALLOCATOR.get(model.device.type, 1.1))
    )


def _kept(model: Any, batch: Batch, sizes: Sequence[int], forward: Forward) -> int:
    """How many bytes wait for the way back after the whole batch went through."""
    order = sorted(batch.trees, key=lambda number: -sizes[number])
    small, alone = held(model, lambda: forward(order[:1]))
    if len(order) == 1:
        return small
    total = sum(sizes[number] for number in order)
    some = order[:: max(1, round(total / (TRIED * sizes[order[0]])))]
    large, together = held(model, lambda: forward(some))
    each = (large - small) / max(1, together.computed - alone.computed)
    return int(large + each * (batch.computed - together.computed))


def held(model: Any, forward: Callable[[], tuple[Batch, Tensor]]) -> tuple[int, Batch]:
    """How many bytes a forward pass leaves for the way back, the model's own aside; its batch."""
    own = {one.untyped_storage().data_ptr() for one in (*model.parameters(), *model.buffers())}
    seen: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        batch, loss = forward()
    del loss
    return sum(seen.values()), batch


def fits(needed: Needs, batch: Batch, free: int | None) -> None:
    """Refuses a batch that needs more than is free, and says what would fit."""
    if free is None or needed.total <= free:
        return
    longest = batch.tokens // batch.paths
    room = max(0, free - needed.learning)
    fitting = int(batch.computed * room / needed.batch) // 64 * 64
    raise TrainingError(
        f"a batch of {batch.computed} tokens needs about {needed.total / 2**30:.1f} GiB, "
        f"{free / 2**30:.1f} are free",
        f"lower tokens_per_batch to {fitting}"
        if fitting >= longest and len(batch.trees) > 1
        else "lower max_length, train fewer weights, or set checkpointing",
    )
