"""Training written plainly: one unpadded conversation at a time, by transformers' own forward."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

import tiny
from outdo import catalog
from outdo.models import branches, narrow
from outdo.models.chat import Chat, Encoded
from outdo.models.forest import Tree
from outdo.training import lean
from outdo.training.compute import batches
from outdo.training.settings import Settings

PAIRED = ("dpo", "dpo-normalised", "ipo", "cpo", "simpo", "reward")
METHODS = ("sft", "rationale", "choice", *PAIRED)


def method(name: str, beta: float = 0.1) -> Any:
    return catalog.named(catalog.METHODS, name, noun="method")(Settings(method=name, beta=beta))


def head(name: str) -> str:
    return "score" if name == "reward" else "lm"


def rows(name: str, count: int) -> list[Any]:
    if name in PAIRED:
        return tiny.pairs(count)
    return tiny.comparisons(count) if name == "choice" else tiny.samples(count)


def encoded(row: Any) -> Encoded:
    """A conversation as its tiny tokenizer has it."""
    return Chat(tiny.tokenizer()).encode(row)


def trees(name: str, count: int = 7) -> list[Tree]:
    """Rows as trees; where there is a reference, it thinks something of each path."""
    chat, how = Chat(tiny.tokenizer()), method(name)
    made = []
    for number, row in enumerate(rows(name, count)):
        tree = how.tree(row, tuple(chat.encode(talk) for talk in how.conversations(row)))
        if how.needs_reference:
            lengths = [sum(path.learnt) for path in tree.paths]
            tree = replace(tree, given=(-5.9 * lengths[0] - number % 2, -6.1 * lengths[1]))
        made.append(tree)
    return made


def log_probability(model: Any, path: Any) -> Tensor:
    """That of all learnt tokens of one conversation."""
    logits = model(input_ids=torch.tensor([path.ids])).logits[0, :-1]
    target = torch.tensor(path.ids[1:])
    learnt = torch.tensor(path.learnt[1:])
    return logits.log_softmax(-1)[torch.arange(len(target)), target][learnt].sum()


def score(model: Any, path: Any) -> Tensor:
    return model(input_ids=torch.tensor([path.ids])).logits[0, 0]


def loss(name: str, model: Any, tree: Tree, beta: float = 0.1) -> Tensor:
    """The loss of one row, from the equation of its method."""
    if name == "reward":
        better, worse = (score(model, path) for path in tree.paths)
        return -torch.sigmoid(better - worse - tree.given[0]).log()
    if name == "choice":
        right, wrong = (path.ids[-1] for path in tree.paths)
        logits = model(input_ids=torch.tensor([tree.paths[0].ids[:-1]])).logits[0, -1]
        return -torch.sigmoid(logits[right] - logits[wrong]).log()
    said = [log_probability(model, path) for path in tree.paths]
    if name in ("sft", "rationale"):
        return -said[0]
    means = [one / sum(path.learnt) for one, path in zip(said, tree.paths, strict=True)]
    if name == "cpo":
        return -torch.sigmoid(beta * (said[0] - said[1]) - tree.given[0]).log() - means[0]
    if name == "simpo":
        return -torch.sigmoid(beta * (means[0] - means[1]) - tree.given[0]).log()
    gains = [one - known for one, known in zip(said, tree.given, strict=True)]
    if name != "dpo":
        gains = [gain / sum(path.learnt) for gain, path in zip(gains, tree.paths, strict=True)]
    away = gains[0] - gains[1]
    return (away - 1 / (2 * beta)) ** 2 if name == "ipo" else -torch.sigmoid(beta * away).log()


def gradients(model: Any) -> dict[str, Tensor]:
    return {name: w.grad.clone() for name, w in model.named_parameters() if w.grad is not None}


def separately(name: str, model: Any, given: list[Tree]) -> tuple[float, dict[str, Tensor]]:
    """Loss and gradient, each conversation computed alone."""
    model.zero_grad(set_to_none=True)
    total = 0.0
    for tree in given:
        one = loss(name, model, tree)
        one.backward()
        total += one.item()
    return total, gradients(model)


def in_batches(
    name: str, model: Any, given: list[Tree], *, tokens: int = 4096, packed: bool = True
) -> tuple[float, dict[str, Tensor]]:
    """Loss and gradient as the loop computes them."""
    model.zero_grad(set_to_none=True)
    total = weights = 0.0
    for batch in batches(model, given, range(len(given)), tokens=tokens, packed=packed):
        one, weight = method(name).loss(model, batch)
        one.backward()
        total += one.item()
        weights += weight
    single = name in ("sft", "rationale")
    assert weights == (sum(sum(t.paths[0].learnt) for t in given) if single else len(given))
    return total, gradients(model)


@contextlib.contextmanager
def quick(model: Any, given: list[Tree]) -> Iterator[bool]:
    """A block in which the model computes as in a run; whether it attends by branches."""
    below = model.get_base_model() if hasattr(model, "get_base_model") else model
    longest = max(len(path.ids) for tree in given for path in tree.paths)
    lean.use(below)
    by_branches = branches.use(below, longest=longest)
    if by_branches:
        narrow.use(below)
    try:
        yield by_branches
    finally:
        lean.leave(below)
        narrow.leave(below)
        branches.leave(below)


def distance(one: dict[str, Tensor], two: dict[str, Tensor]) -> float:
    """The largest difference between two gradients, as a share of the largest gradient."""
    assert one.keys() == two.keys()
    largest = max(float(grad.abs().max()) for grad in one.values())
    assert math.isfinite(largest) and largest > 0
    return max(float((two[name] - grad).abs().max()) for name, grad in one.items()) / largest


def assert_alike(name: str, model: Any, given: list[Tree], **how: Any) -> None:
    """The loop's loss and gradient are those of the conversations computed apart."""
    wanted, gradient = separately(name, model, given)
    for quickly in (False, True):
        with quick(model, given) if quickly else contextlib.nullcontext():
            got, grads = in_batches(name, model, given, **how)
        assert math.isclose(got, wanted, rel_tol=2e-6), (quickly, got, wanted)
        assert distance(gradient, grads) <= 1e-5, quickly
