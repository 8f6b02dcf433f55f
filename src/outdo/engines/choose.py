"""A reply picked among candidates: by how likely each is after the prompt, or by its score.

The candidates of a prompt are the paths of one tree, so that the prompt is computed once, and a
batch holds as many trees as its budget of tokens allows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from outdo.errors import PermanentError
from outdo.models.attention import has_window
from outdo.models.chat import Chat, Encoded
from outdo.models.forest import Batch, Tree, lay, layouts
from outdo.models.logprobs import computing_dtype, path_scores, path_sums
from outdo.models.reference import Head
from outdo.records import Conversation, Message, Prompt

EXACT, ROUGH = 1e-3, 5e-2
"""By how much a path may differ, relatively, from itself computed alone: float32, and else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which candidate it is, the log-probabilities of all among themselves, its share of time."""

    tree: int
    picked: int
    logprobs: tuple[float, ...]
    seconds: float


def candidates(prompt: Prompt, chat: Chat, *, head: Head, context: int) -> Tree | PermanentError:
    """The prompt with each candidate behind it, as a tree; or why it can't be answered.

    A model that says tokens is asked for all of a candidate, its end included; where every
    candidate is one token, as letters are, for that token alone.
    """
    paths = [chat.encode(_with_reply(prompt, reply)) for reply in prompt.candidates]
    if (longest := _longest(Tree(paths=tuple(paths)))) > context:
        return PermanentError(f"{longest} tokens are more than the context of {context}")
    starts = [_start(path) for path in paths]
    if head == "lm":
        letters = all(len(path.ids) == at + 2 for path, at in zip(paths, starts, strict=True))
        paths = [
            _asked(path, at, at + 1 if letters else len(path.ids))
            for path, at in zip(paths, starts, strict=True)
        ]
    if len({path.ids for path in paths}) < len(paths):
        return PermanentError("two candidates are the same tokens")
    return Tree(paths=tuple(paths))


def _with_reply(prompt: Prompt, reply: str) -> Conversation:
    said = Message(role="assistant", content=reply)
    messages = (*prompt.messages, said)
    return Conversation(id="candidate", group="", task="", source="", messages=messages)


def _start(path: Encoded) -> int:
    """Where the last answer begins; earlier ones are part of what is given."""
    start = len(path.learnt)
    while start and path.learnt[start - 1]:
        start -= 1
    return start


def _asked(path: Encoded, start: int, end: int) -> Encoded:
    """The path up to `end`, of which the tokens from `start` count."""
    return Encoded(ids=path.ids[:end], learnt=(False,) * start + (True,) * (end - start))


@torch.inference_mode()
def choices(
    model: Any,
    trees: Sequence[Tree],
    *,
    head: Head,
    tokens: int,
    activate: Callable[[], None],
    per_token: Collection[int] = (),
) -> Iterator[Chosen]:
    """What the model picks of each tree's paths, by batches of at most `tokens`.

    `activate` is called before each batch: between two, another engine may use the weights. Of the
    trees numbered in `per_token` it is the path that is likeliest a token.
    """
    judge = path_scores if head == "score" else path_sums
    activate()
    packed = _packs(model, trees, judge)
    for layout in layouts(trees, range(len(trees)), tokens=tokens, packed=packed):
        activate()
        clock = time.perf_counter()
        batch = lay(trees, layout, packed=packed).to(model.device)
        values = iter(judge(model, batch).tolist())
        seconds = (time.perf_counter() - clock) / len(batch.trees)
        for tree in batch.trees:
            found = [next(values) for _ in trees[tree].paths]
            if tree in per_token and head == "lm":
                found = [
                    value / sum(path.learnt)
                    for value, path in zip(found, trees[tree].paths, strict=True)
                ]
            told = _among_themselves(found)
            picked = max(range(len(told)), key=told.__getitem__)
            yield Chosen(tree=tree, picked=picked, logprobs=told, seconds=seconds)


def _among_themselves(values: Sequence[float]) -> tuple[float, ...]:
    """The values less the logarithm of the sum of their exponentials."""
    most = max(values)
    total = most + math.log(sum(math.exp(value - most) for value in values))
    return tuple(value - total for value in values)


def _packs(model: Any, trees: Sequence[Tree], judge: Callable[[Any, Batch], Tensor]) -> bool:
    """Whether paths that lie together come out as each does alone: a recurrent model's don't.

    Tried on two of the shortest, and on one that is longer than some layer's window.
    """
    order = sorted(range(len(trees)), key=lambda tree: trees[tree].tokens)
    config = model.config.get_text_config()
    beyond = [tree for tree in order if has_window(config, _longest(trees[tree]))]
    tried = list(dict.fromkeys([*order[:2], *beyond[:1]]))
    alone = judge(model, lay(trees, [[tree] for tree in tried], packed=False).to(model.device))
    try:
        together = judge(model, lay(trees, [tried]).to(model.device))
    except (RuntimeError, TypeError, ValueError, IndexError):
        return False  # it takes no mask of this kind
    most = EXACT if computing_dtype(model) == torch.float32 else ROUGH
    return bool((together - alone).abs().max() < most * alone.abs().max().clamp(min=1))


def _longest(tree: Tree) -> int:
    return max(len(path.ids) for path in tree.paths)
