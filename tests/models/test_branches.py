"""Attention by branches gives what attention under a mask gives, forwards and backwards."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

import tiny
from outdo.models import branches
from outdo.models.chat import Encoded
from outdo.models.forest import Batch, Tree, lay


def forest() -> Batch:
    """A trie whose paths leave one another at several depths, beside another one."""
    torch.manual_seed(0)
    stem = tuple(torch.randint(10, 90, (300,)).tolist())
    paths = [(*stem[:depth], *range(100 + n, 150 + n)) for n, depth in enumerate((300, 300, 40, 9))]
    paths.append(tuple(range(7, 320)))
    trees = [
        Tree(paths=(Encoded(ids=path, learnt=(False,) * 9 + (True,) * (len(path) - 9)),))
        for path in paths
    ]
    return lay(trees, [list(range(len(trees)))], flat=True)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_gives_what_a_mask_gives(groups: int, dtype: torch.dtype) -> None:
    batch = forest()
    length = batch.computed
    assert len(batch.branches) == 5 and any(len(one) > 1 for one in batch.branches)
    torch.manual_seed(1)
    shapes = ((1, 4, length, 8), (1, 4 // groups, length, 8), (1, 4 // groups, length, 6))
    given = [torch.randn(shape).to(dtype).requires_grad_() for shape in shapes]
    wanted = torch.randn(1, length, 4, 6).to(dtype)

    mask = branches.masks_of_branches(SimpleNamespace(), batch.branches, None)
    made, _ = branches.attend(SimpleNamespace(), *given, mask, scaling=0.3)
    grads = torch.autograd.grad((made * wanted).sum(), given)

    place = torch.arange(length)
    seen = (place[:, None] >= place) & (place < batch.end[0][:, None]).T
    exact = [one.detach().double().requires_grad_() for one in given]
    q, k, v = exact[0], *(one.repeat_interleave(groups, dim=1) for one in exact[1:])
    scores = (0.3 * q @ k.transpose(2, 3)).masked_fill(~seen, -torch.inf)
    there = (scores.softmax(-1) @ v).transpose(1, 2)
    grads_there = torch.autograd.grad((there * wanted.double()).sum(), exact)

    close = 1e-5 if dtype == torch.float32 else 3e-2
    for one, other in zip((made, *grads), (there, *grads_there), strict=True):
        assert float((one - other).detach().abs().max()) <= close * float(
            other.detach().abs().max()
        )


def test_any_other_mask_goes_to_sdpa() -> None:
    query = torch.randn(1, 2, 5, 4)
    module = SimpleNamespace(is_causal=True)
    made, _ = branches.attend(module, query, query, query, None)
    there = torch.nn.functional.scaled_dot_product_attention(query, query, query, is_causal=True)
    assert torch.equal(made, there.transpose(1, 2))


@pytest.mark.parametrize(
    ("kind", "longest", "fit"),
    [("llama", 400, True), ("mistral", 20, True), ("mistral", 30, False), ("gemma2", 20, False)],
)
def test_models_that_can_attend_by_branches_do(kind: str, longest: int, fit: bool) -> None:
    model = tiny.model(kind)
    assert branches.use(model, longest=longest) is fit
    assert branches.used(model) is fit
    branches.leave(model)
    assert not branches.used(model)


def test_a_flat_batch_has_no_padding_and_computes_short_prefixes_again() -> None:
    def tree(*ids: int) -> Tree:
        return Tree(paths=(Encoded(ids=ids, learnt=(False,) + (True,) * (len(ids) - 1)),))

    stem = tuple(range(10))
    batch = lay([tree(*stem, 1), tree(*stem, 2, 3), tree(0, 1, 7)], [[0, 1, 2]], flat=True)
    assert batch.branches == (((0, 11),), ((0, 10), (11, 13)), ((13, 16),))
    assert (batch.computed, batch.distinct, batch.tokens) == (16, 16, 26)
