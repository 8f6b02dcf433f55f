"""Supervised fine-tuning: say what the assistant said.

The loss of a step is the mean over all its learnt tokens, however they were split in batches.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from outdo.models.chat import Encoded
from outdo.models.forest import Batch, Tree
from outdo.models.logprobs import log_probabilities
from outdo.records import Conversation
from outdo.training.method import Head
from outdo.training.settings import Settings


class Sft:
    """Cross-entropy on the assistant's turns, each with its end."""

    head: Head = "lm"
    needs_reference = False

    def __init__(self, settings: Settings) -> None:
        """There is nothing to set."""

    def conversations(self, row: Conversation) -> tuple[Conversation]:
        """The row itself."""
        return (row,)

    def tree(self, row: Conversation, paths: tuple[Encoded, ...]) -> Tree:  # noqa: ARG002
        """All of the assistant's turns are learnt."""
        return Tree(paths=paths)

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """Minus the sum of log-probabilities, and how many there are."""
        return -log_probabilities(model, batch).sum(), float(len(batch.target))
