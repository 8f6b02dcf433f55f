"""Weights in parts, one on each process: torch's `fully_shard`, layer by layer.

A layer is put together where it is computed, and its gradients go to whoever holds their part.
Between passes each process has its part of the weights, of their gradients and of the moments.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from outdo.errors import TrainingError
from outdo.training.method import Head
from outdo.training.processes import Processes
from outdo.training.settings import Settings


def check(settings: Settings, processes: Processes, *, scored: bool) -> None:
    """Refuses what can't be had with weights in parts."""
    if not processes.sharded:
        return
    if settings.quantise != "none":
        raise TrainingError("weights of 4 bits can't lie in parts", "strategy: ddp")
    if scored:
        raise TrainingError(
            "a model whose weights lie in parts can't be scored by its task",
            "strategy: ddp, or choose the best by held-out rows",
        )


def shard(model: Any, processes: Processes, *, head: Head) -> None:
    """Let each process hold its part of the weights: gradients are summed, not averaged."""
    whole = model.get_base_model() if hasattr(model, "get_base_model") else model
    mesh = init_device_mesh(model.device.type, (processes.count,))
    layers = set(whole._no_split_modules or ())
    parts = [module for module in whole.modules() if type(module).__name__ in layers]
    parts += [whole] if head == "lm" else [whole.base_model, whole.score]
    for part in parts:
        made = fully_shard(part, mesh=mesh, reshard_after_forward=True)
        made.set_gradient_divide_factor(1.0)
        made.set_force_sum_reduction_for_comms(True)
        made.set_reduce_scatter_unused_params(True, recurse=False)


def whole(tensor: Tensor) -> Tensor:
    """The tensor, put together if it lies in parts: something that all processes do."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def own(tensor: Tensor) -> Tensor:
    """What this process holds of the tensor."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def as_it_lies(tensor: Tensor, like: Tensor) -> Tensor:
    """A whole tensor, the same in each process, on the device and in the parts of another."""
    if not isinstance(like, DTensor):
        return tensor.to(like.device)
    placed = tensor.to(like.to_local().device)
    return distribute_tensor(placed, like.device_mesh, like.placements, src_data_rank=None)
