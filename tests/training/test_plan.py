"""Which rows come when, and at what rate."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.errors import TrainingError
from outdo.training import How, Lora, Settings
from outdo.training.plan import learning_rate, plan


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 3), st.integers(0, 5))
def test_an_epoch_shows_every_row_once(rows: int, per_step: int, epochs: int, seed: int) -> None:
    made = plan([1] * rows, Settings(rows_per_step=per_step, epochs=epochs, seed=seed))
    shown = [row for step in made for row in step.rows]
    for epoch in range(epochs):
        assert sorted(shown[epoch * rows : (epoch + 1) * rows]) == list(range(rows))
    assert made[-1].epoch == epochs
    assert all(len(step.rows) <= per_step for step in made)


def test_the_order_is_the_seeds_and_the_epochs() -> None:
    def order(**changes: int) -> list[tuple[int, ...]]:
        return [
            step.rows for step in plan([1] * 20, Settings(rows_per_step=20, epochs=2, **changes))
        ]

    assert order() == order() and order()[0] != order()[1] and order(seed=1) != order()


def test_the_first_budget_that_is_spent_ends_the_run() -> None:
    lengths = [10] * 8
    assert len(plan(lengths, Settings(rows_per_step=4))) == 2
    assert len(plan(lengths, Settings(rows_per_step=4, steps=7))) == 7
    assert len(plan(lengths, Settings(rows_per_step=4, steps=7, epochs=1))) == 2
    assert len(plan(lengths, Settings(rows_per_step=4, max_tokens_seen=90))) == 3
    assert len(plan(lengths, Settings(rows_per_step=4, max_tokens_seen=80))) == 2


@pytest.mark.parametrize(
    ("schedule", "step", "rate"),
    [
        ("cosine", 0, 0.5),
        ("cosine", 1, 1.0),
        ("cosine", 2, 1.0),
        ("cosine", 6, 0.5),
        ("linear", 0, 0.5),
        ("linear", 2, 1.0),
        ("linear", 4, 0.75),
        ("linear", 9, 0.125),
        ("constant", 0, 0.5),
        ("constant", 9, 1.0),
    ],
)
def test_rates(schedule: str, step: int, rate: float) -> None:
    made = Settings(schedule=schedule, learning_rate=1.0, warmup=0.2)  # type: ignore[arg-type]
    assert learning_rate(step, 10, made) == pytest.approx(rate)


def test_the_way_it_is_carried_out_names_nothing() -> None:
    assert Settings(how=How(tokens_per_batch=64)).what == Settings().what
    assert Settings(lora=Lora(rank=8)).what != Settings().what
    assert "how" not in Settings().what


def test_the_version_of_our_own_code_names_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Settings().what
    monkeypatch.setattr("outdo.training.settings.VERSION", "next")
    assert Settings().what == {**before, "version": "next"} != before


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"steps": -1},
        {"rows_per_step": 0},
        {"max_length": 0},
        {"learning_rate": 0.0},
        {"warmup": 1.0},
        {"lora": Lora(rank=0)},
        {"how": How(tokens_per_batch=0)},
    ],
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(TrainingError) as caught:
        Settings(**wrong)  # type: ignore[arg-type]
    assert caught.value.hint
