"""The base of a sweep, loaded once: each run borrows it and gives it back as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, cast

import torch

from outdo.models import branches, flex, narrow
from outdo.models.reference import ModelReference
from outdo.models.weights import DTYPES, Precision, load_base
from outdo.training import lean
from outdo.training.method import Head
from outdo.training.settings import Settings

_held: dict[tuple[str, ...], Any] = {}
"""The base that was used last, by its digest and how it is held; never more than one."""


@contextlib.contextmanager
def held_base(
    reference: ModelReference,
    settings: Settings,
    *,
    precision: str,
    head: Head = "lm",
    sharded: bool = False,
) -> Iterator[Any]:
    """A block with the frozen model at the bottom of `reference`; nobody else has it meanwhile.

    Below adapters it is held in the precision of computing, so that it is not cast anew in every
    batch. Whatever the block put on it is taken off again. A base whose own weights are to be
    trained, which has a head of its own or is to be laid in parts, is not kept.
    """
    place = (reference.bottom.digest, precision, settings.quantise, settings.how.device)
    lasting = settings.lora is not None and head == "lm" and not sharded
    model = _held.pop(place, None) if lasting else None
    if model is None:
        _held.clear()
        model = _loaded(reference, settings, precision=precision, head=head)
    try:
        yield model
    finally:
        lean.leave(model)
    if lasting:
        _bare(model)
        _held[place] = model.eval().requires_grad_(False)


def _loaded(reference: ModelReference, settings: Settings, *, precision: str, head: Head) -> Any:
    quantised = settings.quantise != "none"
    model = load_base(
        reference,
        precision="nf4" if quantised else "float32",
        computing=cast(Precision, precision),
        device=settings.how.device,
        head=head,
        seed=settings.seed,
    )
    model.requires_grad_(False)
    if settings.lora is not None and not quantised:
        for weight in model.parameters():
            weight.data = weight.data.to(DTYPES[precision])
    return model


@contextlib.contextmanager
def in_float32(model: Any) -> Iterator[None]:
    """A block in which a model that is held in fewer bits computes exactly."""
    kept = {weight: weight.data for weight in model.parameters() if weight.is_floating_point()}
    for weight in kept:
        weight.data = weight.data.to(torch.float32)
    yield
    for weight, data in kept.items():
        weight.data = data


def _bare(model: Any) -> None:
    """Take adapters, checkpointing of activations and our own attention off again."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(model.named_modules()):
        if isinstance(module, BaseTunerLayer) and not name.endswith(".base_layer"):
            above, _, own = name.rpartition(".")
            setattr(model.get_submodule(above), own, module.get_base_layer())
    vars(model).pop("peft_config", None)
    model.activation_checkpointing_disable()
    model.disable_input_require_grads()
    narrow.leave(model)
    branches.leave(model)
    flex.leave(model)
