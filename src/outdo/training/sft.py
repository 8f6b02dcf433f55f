"""Supervised fine-tuning: say what the assistant said.

The loss of a step is the mean over all its learnt tokens, however they were split in batches.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from outdo.models.chat import Chat, Encoded
from outdo.records import Conversation
from outdo.training.forest import Batch
from outdo.training.method import log_probabilities


class Sft:
    """Cross-entropy on the assistant's turns."""

    def encode(self, row: Conversation, chat: Chat) -> Encoded:
        """The conversation's ids; the assistant's turns are learnt, each with its end."""
        return chat.encode(row)

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """Minus the sum of log-probabilities, and how many there are."""
        return -log_probabilities(model, batch).sum(), float(len(batch.target))


method = Sft()
