"""A reward model: one number for a whole text, higher for the better of two replies."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from outdo.models.chat import Encoded
from outdo.models.forest import Batch, Tree
from outdo.models.logprobs import path_scores
from outdo.records import Conversation, Pair
from outdo.training.method import Head, both_sides, preferred
from outdo.training.settings import Settings


class Reward:
    """-log sigmoid(score of the chosen - score of the rejected - margin), read at the end.

    The margin is the pair's own, as in Touvron et al. 2023; a pair without one has none.
    """

    head: Head = "score"
    needs_reference = False

    def __init__(self, settings: Settings) -> None:
        """There is nothing to set."""

    def conversations(self, row: Pair) -> tuple[Conversation, Conversation]:
        """The chosen reply, then the rejected one."""
        return both_sides(row)

    def tree(self, row: Pair, paths: tuple[Encoded, ...]) -> Tree:
        """Two texts, and by how much the first should be better."""
        return Tree(paths=paths, given=(row.margin or 0.0,))

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """The loss summed over pairs, and how many pairs there are."""
        scores = path_scores(model, batch).view(-1, 2)
        return preferred(scores[:, 0] - scores[:, 1] - batch.given[:, 0])
