"""How a token is drawn, and the keys and values of rows that come and go."""

from __future__ import annotations

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from outdo.engines.cache import ROOM, RowCache, RowLayer
from outdo.engines.decode import Drawing


def test_temperature_zero_takes_the_likeliest() -> None:
    logits = torch.tensor([[0.1, 3.0, 0.2], [5.0, 1.0, 1.0]])
    assert Drawing(temperature=0, top_p=1.0)(logits, None).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("uniform", "token"), [(0.0, 0), (0.19, 0), (0.21, 1), (0.49, 1), (0.51, 2), (0.999999, 2)]
)
def test_a_draw_inverts_the_distribution(uniform: float, token: int) -> None:
    logits = torch.tensor([[0.2, 0.3, 0.5]]).log()
    drawn = Drawing(temperature=1.0, top_p=1.0)(logits, torch.tensor([uniform]).double())
    assert drawn.tolist() == [token]


@pytest.mark.parametrize(("uniform", "token"), [(0.0, 2), (0.62, 2), (0.63, 1), (0.9999, 1)])
def test_top_p_keeps_the_fewest_that_reach_it(uniform: float, token: int) -> None:
    logits = torch.tensor([[0.2, 0.3, 0.5]]).log()
    drawn = Drawing(temperature=1.0, top_p=0.7)(logits, torch.tensor([uniform]).double())
    assert drawn.tolist() == [token]


@settings(deadline=None)
@example(1 - 2**-53, 0)
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 2**20))
def test_a_token_without_probability_is_never_drawn(uniform: float, seed: int) -> None:
    logits = torch.randn(1, 20, generator=torch.Generator().manual_seed(seed))
    logits[0, ::2] = -torch.inf
    for top_p in (1.0, 0.5):
        drawn = Drawing(temperature=0.7, top_p=top_p)(logits, torch.tensor([uniform]).double())
        assert drawn.item() % 2 == 1


def test_draws_follow_the_temperature() -> None:
    logits = torch.tensor([[0.2, 0.3, 0.5]]).log().expand(20_000, 3)
    uniform = torch.rand(20_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    drawn = Drawing(temperature=0.5, top_p=1.0)(logits, uniform)
    shares = torch.bincount(drawn, minlength=3) / 20_000
    assert torch.allclose(shares, torch.tensor([0.04, 0.09, 0.25]) / 0.38, atol=0.01)


def filled(rows: int, length: int) -> RowLayer:
    layer = RowLayer()
    keys = torch.arange(rows * length, dtype=torch.float32).view(rows, 1, length, 1)
    layer.update(keys, keys + 0.5)
    return layer


def test_the_cache_appends_in_place_and_grows() -> None:
    layer = filled(2, 3)
    layer.spread(torch.tensor([1, 0, 1]))
    expected = torch.tensor([[3.0, 4, 5], [0, 1, 2], [3, 4, 5]])
    for step in range(2 * ROOM + 5):
        new = torch.full((3, 1, 1, 1), 100.0 + step)
        keys, values = layer.update(new, new + 0.5)
        expected = torch.cat([expected, new[:, 0, :, 0]], dim=1)
        assert torch.equal(keys[:, 0, :, 0], expected)
        assert torch.equal(values[:, 0, :, 0], expected + 0.5)
    assert layer.get_seq_length() == expected.shape[1]
    assert layer.get_mask_sizes(1) == (expected.shape[1] + 1, 0)
    assert layer.get_max_length() == -1


def test_a_row_that_leaves_gives_its_place_away() -> None:
    cache = RowCache(1)
    keys = torch.arange(6.0).view(3, 1, 2, 1)
    cache.update(keys, keys, 0)
    cache.spread(torch.tensor([0, 1, 2]))
    cache.move(source=torch.tensor([2]), target=torch.tensor([0]), rows=2)
    new = torch.full((2, 1, 1, 1), 9.0)
    got, _ = cache.update(new, new, 0)
    assert got[:, 0, :, 0].tolist() == [[4.0, 5.0, 9.0], [2.0, 3.0, 9.0]]
