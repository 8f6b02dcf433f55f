"""A run's state on disk: one safetensors file that is replaced whole, or not at all.

With the weights that learn and the optimiser's moments lies all that the rest follows from: the
step. Order, rate and dropout are functions of the seed and the step, so a resumed run makes the
very steps that an uninterrupted one makes.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from outdo.errors import TrainingError
from outdo.records import Json
from outdo.training.processes import ALONE, Processes
from outdo.training.shards import as_it_lies, whole

Weights = Mapping[str, torch.nn.Parameter]


def save(
    folder: Path,
    *,
    weights: Weights,
    optimizer: torch.optim.Optimizer,
    state: Mapping[str, Json],
    processes: Processes = ALONE,
) -> None:
    """Write the checkpoint so that a reader finds the old one or the new one.

    Of several processes the leader writes; where weights lie in parts all of them must call.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for name, weight in weights.items():
        tensors[f"weight/{name}"] = whole(weight.detach()).cpu().contiguous()
        for moment, value in optimizer.state[weight].items():
            tensors[f"{moment}/{name}"] = whole(torch.as_tensor(value)).cpu().contiguous()
    if processes.leads:
        _replace(folder / "state.safetensors", tensors, {"state": json.dumps(state)})


def save_weights(path: Path, weights: Weights, *, processes: Processes = ALONE) -> None:
    """Write the weights that learn, alone; see `save` for several processes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {name: whole(one.detach()).cpu().contiguous() for name, one in weights.items()}
    if processes.leads:
        _replace(path, tensors, {})


def load_weights(path: Path, weights: Weights) -> None:
    """Put back the weights that `save_weights` wrote. Raises TrainingError if the file is torn."""
    with _readable(path), safe_open(path, framework="pt") as stored, torch.no_grad():
        for name, weight in weights.items():
            weight.copy_(as_it_lies(stored.get_tensor(name), weight))


def _replace(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a file so that a reader finds the old one or the new one."""
    aside = path.with_name(f".{path.name}")
    with plain_errors():
        save_file(dict(tensors), aside, metadata=metadata)
    with aside.open("rb+") as written:
        os.fsync(written.fileno())
    aside.replace(path)


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turns what safetensors says of a full disk or a forbidden folder into the OSError it is."""
    try:
        yield
    except SafetensorError as error:
        if said := re.search(r"os error (\d+)", str(error)):
            raise OSError(int(said[1]), str(error)) from error
        raise


def load(
    folder: Path, *, weights: Weights, optimizer: torch.optim.Optimizer, identity: Json
) -> dict[str, Json] | None:
    """The state that was saved, with weights and moments put back; None if there is none.

    Raises TrainingError if the file is torn, or of a run that is not `identity`.
    """
    path = folder / "state.safetensors"
    if not path.is_file():
        return None
    with _readable(path), safe_open(path, framework="pt") as stored:
        state: dict[str, Json] = json.loads(stored.metadata()["state"])
        tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    if other := _difference(state["identity"], identity):
        raise TrainingError(
            f"the checkpoint is of another run: {other}",
            "delete it to begin again",
            where=str(path),
        )
    _put_back(tensors, weights, optimizer)
    return state


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            "the checkpoint can't be read",
            "delete the folder that it lies in to begin again",
            where=str(path),
        ) from error


def _put_back(
    tensors: Mapping[str, Tensor], weights: Weights, optimizer: torch.optim.Optimizer
) -> None:
    moments: dict[str, dict[str, Any]] = {name: {} for name in weights}
    with torch.no_grad():
        for stored, tensor in tensors.items():
            kind, _, name = stored.partition("/")
            if kind == "weight":
                weights[name].copy_(as_it_lies(tensor, weights[name]))
            elif kind == "step":
                moments[name][kind] = tensor
            else:
                moments[name][kind] = as_it_lies(tensor, weights[name])
    for name, weight in weights.items():
        if moments[name]:
            optimizer.state[weight] = moments[name]


def _difference(stored: Json, wanted: Json) -> str:
    """The first thing in which two runs differ, in words; empty if they don't."""
    for name in wanted:
        if stored.get(name) != wanted[name]:
            return f"{name} was {stored.get(name)!r}, is {wanted[name]!r}"
    return ""
