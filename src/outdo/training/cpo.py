"""Contrastive preference optimisation (Xu et al. 2024): preferring without a reference.

What counts is the likelihood of the replies themselves, so a model that learns so is a judge by its
likelihood: of two programs, the better one is the one that it would rather write.
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


class Cpo:
    """-log sigmoid(beta (log p of the chosen - log p of the rejected)) - log p of the chosen.

    The first two are sums over tokens; the last, which keeps the chosen reply likely, is a token's.
    """

    head: Head = "lm"
    needs_reference = False

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
        sums = path_sums(model, batch).view(-1, 2)
        lengths = torch.bincount(batch.path, minlength=batch.paths).view(-1, 2)
        total, pairs = preferred(self.beta * (sums[:, 0] - sums[:, 1]))
        return total - (sums[:, 0] / lengths[:, 0]).sum(), pairs
