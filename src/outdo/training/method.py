"""What a method of training is, and what all of them need: log-probabilities of learnt tokens."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from outdo.models.chat import Chat, Encoded
from outdo.training.forest import Batch

R = TypeVar("R", contravariant=True)


class Method(Protocol, Generic[R]):
    """A way to learn from rows of kind R."""

    def encode(self, row: R, chat: Chat) -> Encoded:
        """The row as token ids, and which of them are learnt."""
        ...

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """A sum over the batch, and its weight: the loop divides by the weight of the step."""
        ...


def log_probabilities(model: Any, batch: Batch) -> Tensor:
    """The log-probability of each learnt token [learnt], in float32.

    The output layer sees the hidden states before learnt tokens only. They are picked where the
    backbone hands them over, so whatever the model's own head does (scale, cap, bias) is done.
    """

    def pick(_: Any, __: Any, made: Any) -> Any:
        made["last_hidden_state"] = (
            made["last_hidden_state"].flatten(0, 1).index_select(0, batch.source)[None]
        )
        return made

    whole = model.get_base_model() if hasattr(model, "get_base_model") else model
    picking = whole.base_model.register_forward_hook(pick)
    try:
        made = model(
            input_ids=batch.ids,
            attention_mask=batch.mask(whole.config.get_text_config(), _dtype(whole)),
            position_ids=batch.positions,
            use_cache=False,
        )
    finally:
        picking.remove()
    logits = made.logits[0].float()
    return -torch.nn.functional.cross_entropy(logits, batch.target, reduction="none")


def _dtype(model: Any) -> torch.dtype:
    """What the model computes in here: a mask that is added must be of that type."""
    kind = model.device.type
    if torch.is_autocast_enabled(kind):
        return torch.get_autocast_dtype(kind)
    dtype: torch.dtype = model.dtype
    return dtype
