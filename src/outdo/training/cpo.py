"""Preferring without a reference: CPO (Xu et al. 2024) and SimPO (Meng et al. 2024).

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
    """-log sigmoid(beta (log p of the chosen - log p of the rejected) - margin) - log p.

    The first two are sums over tokens; the last, which keeps the chosen reply likely, is a token's.
    The margin is the pair's own; a pair without one has none.
    """

    head: Head = "lm"
    needs_reference = False

    def __init__(self, settings: Settings) -> None:
        self.beta = settings.beta

    def conversations(self, row: Pair) -> tuple[Conversation, Conversation]:
        """The chosen reply, then the rejected one."""
        return both_sides(row)

    def tree(self, row: Pair, paths: tuple[Encoded, ...]) -> Tree:
        """Both replies are learnt, behind one prompt; `given` is the pair's margin."""
        return Tree(paths=paths, given=(row.margin or 0.0,))

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """The loss summed over pairs, and how many pairs there are."""
        sums, means = _likelihoods(model, batch)
        total, pairs = preferred(self.beta * (sums[:, 0] - sums[:, 1]) - batch.given[:, 0])
        return total - means[:, 0].sum(), pairs


class Simpo(Cpo):
    """-log sigmoid(beta (log p of the chosen a token - log p of the rejected a token) - margin).

    Length can't be what counts. The margin is the pair's own; a pair without one has none.
    """

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """The loss summed over pairs, and how many pairs there are."""
        _, means = _likelihoods(model, batch)
        return preferred(self.beta * (means[:, 0] - means[:, 1]) - batch.given[:, 0])


def _likelihoods(model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
    """The log-probability of each reply [pairs, 2], and the same a token."""
    sums = path_sums(model, batch).view(-1, 2)
    return sums, sums / torch.bincount(batch.path, minlength=batch.paths).view(-1, 2)
