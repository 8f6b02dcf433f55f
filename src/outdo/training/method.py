"""What a method of training is: how a row is learnt from, and what its loss is."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor

from outdo.models.chat import Encoded
from outdo.models.forest import Batch, Tree
from outdo.models.reference import Head as Head
from outdo.records import Conversation, Message, Pair

R = TypeVar("R", contravariant=True)


class Method(Protocol, Generic[R]):
    """A way to learn from rows of kind R; made from the settings of a run.

    Each row is one or several conversations, which are encoded and checked like any other; `tree`
    then says what is learnt of them. With `needs_reference`, `Tree.given` begins with what the
    reference model thinks of each path.
    """

    head: Head
    needs_reference: bool

    def conversations(self, row: R) -> tuple[Conversation, ...]:
        """The conversations of a row, one for each path of its tree."""
        ...

    def tree(self, row: R, paths: tuple[Encoded, ...]) -> Tree:
        """What is learnt of the encoded conversations."""
        ...

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """A sum over the batch, and its weight: the loop divides by the weight of the step."""
        ...


def both_sides(row: Pair) -> tuple[Conversation, Conversation]:
    """The better reply of a pair, then the worse one, each behind the same prompt."""
    chosen, rejected = (
        Conversation(
            id=row.id,
            group=row.group,
            task="",
            source=row.source,
            messages=(*row.prompt.messages, Message(role="assistant", content=reply)),
        )
        for reply in (row.chosen, row.rejected)
    )
    return chosen, rejected


def preferred(margins: Tensor) -> tuple[Tensor, float]:
    """Minus the log-likelihood that the first of two is preferred (Bradley and Terry 1952)."""
    return -torch.nn.functional.logsigmoid(margins).sum(), float(len(margins))
