"""Direct preference optimisation (Rafailov et al. 2023), and two relatives of it.

What counts is how much likelier than under the reference the chosen reply has become, less the
same for the rejected one. The reference is the model that the run starts from, unless another is
named; what it thinks is computed once, and comes with the rows.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from outdo.models.chat import Encoded
from outdo.models.forest import Batch, Tree
from outdo.models.logprobs import path_sums
from outdo.records import Conversation, Pair
from outdo.training.method import Head, both_sides, preferred
from outdo.training.settings import Settings


class Dpo:
    """-log sigmoid(beta (gain of the chosen - gain of the rejected)), gains summed over tokens."""

    head: Head = "lm"
    needs_reference = True

    def __init__(self, settings: Settings) -> None:
        self.beta = settings.beta

    def conversations(self, row: Pair) -> tuple[Conversation, Conversation]:
        """The chosen reply, then the rejected one."""
        return both_sides(row)

    def tree(self, row: Pair, paths: tuple[Encoded, ...]) -> Tree:  # noqa: ARG002
        """Both replies are learnt, behind one prompt."""
        return Tree(paths=paths)

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """The loss summed over pairs, and how many pairs there are."""
        gains = self.gains(model, batch)
        return preferred(self.beta * (gains[:, 0] - gains[:, 1]))

    def gains(self, model: Any, batch: Batch) -> Tensor:
        """How much likelier than under the reference each reply is [pairs, 2], in nats."""
        return path_sums(model, batch).view(-1, 2) - batch.given


class DpoNormalised(Dpo):
    """The same with gains divided by the number of tokens, so that length can't be what counts."""

    def gains(self, model: Any, batch: Batch) -> Tensor:
        """How much likelier than under the reference each reply is [pairs, 2], a token."""
        lengths = torch.bincount(batch.path, minlength=batch.paths).view(-1, 2)
        return super().gains(model, batch) / lengths


class Ipo(DpoNormalised):
    """(gain of the chosen - gain of the rejected - 1 / (2 beta))^2 (Azar et al. 2023).

    Gains are a token's, as the authors of the paper have computed them.
    """

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """The loss summed over pairs, and how many pairs there are."""
        gains = self.gains(model, batch)
        away = gains[:, 0] - gains[:, 1] - 1 / (2 * self.beta)
        return away.square().sum(), float(len(gains))
