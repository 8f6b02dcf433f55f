"""Which of two is better, answered by one letter: P(A) is read from two logits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from torch import Tensor

from outdo.errors import TrainingError
from outdo.models.chat import Encoded
from outdo.models.forest import Batch, Tree
from outdo.models.logprobs import path_sums
from outdo.records import Conversation
from outdo.training.method import Head, preferred
from outdo.training.settings import Settings

OTHER = {"A": "B", "B": "A"}


class Choice:
    """Cross-entropy between the two letters, and nothing said about any other token.

    A row is a conversation that ends in the right letter. Beside it stands the same one with the
    wrong letter: all but the last token is shared.
    """

    head: Head = "lm"
    needs_reference = False

    def __init__(self, settings: Settings) -> None:
        """There is nothing to set."""

    def conversations(self, row: Conversation) -> tuple[Conversation, Conversation]:
        """The conversation with the right letter, then with the wrong one."""
        *before, said = row.messages
        other = OTHER.get(said.content)
        if other is None:
            raise TrainingError(
                f"the answer is {said.content[:20]!r}, not A or B",
                "choice learns from comparisons; rationale from those with reasons",
                where=row.id,
            )
        return row, replace(row, messages=(*before, replace(said, content=other)))

    def tree(self, row: Conversation, paths: tuple[Encoded, ...]) -> Tree:
        """The prompt, and behind it one token for each letter."""
        right, wrong = (_through_first(path) for path in paths)
        if right.ids[:-1] != wrong.ids[:-1] or right.ids[-1] == wrong.ids[-1]:
            raise TrainingError("the tokenizer has no token for each letter", where=row.id)
        return Tree(paths=(right, wrong))

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        """The loss summed over comparisons, and how many there are."""
        letters = path_sums(model, batch).view(-1, 2)
        return preferred(letters[:, 0] - letters[:, 1])


def _through_first(path: Encoded) -> Encoded:
    """The path up to its last answer's first learnt token, which alone is learnt."""
    end = len(path.learnt) - 1
    while path.learnt[end - 1]:
        end -= 1
    return Encoded(ids=path.ids[: end + 1], learnt=(False,) * end + (True,))
