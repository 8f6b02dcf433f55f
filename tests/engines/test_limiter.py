"""How many calls may be out at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from outdo.engines.limiter import Limiter


def answered(limiter: Limiter, count: int) -> None:
    for _ in range(count):
        limiter.well()


def test_it_starts_at_twenty_and_doubles_for_each_window_of_answers() -> None:
    limiter = Limiter(100)
    assert limiter.limit == 20
    answered(limiter, 19)
    assert limiter.limit == 20
    answered(limiter, 1)
    assert limiter.limit == 40
    answered(limiter, 40)
    assert limiter.limit == 80
    answered(limiter, 80)
    assert limiter.limit == 100


def test_it_never_starts_above_what_the_user_allows() -> None:
    assert Limiter(3).limit == 3


def test_a_burst_of_429_halves_it_once() -> None:
    limiter = Limiter(100)
    for begun in (1.0, 2.0, 3.0):
        limiter.throttled(begun=begun, now=4.0, wait=None)
    assert (limiter.limit, limiter.halvings) == (10, 1)
    limiter.throttled(begun=4.5, now=5.0, wait=None)
    assert (limiter.limit, limiter.halvings) == (5, 2)


def test_after_a_halving_it_grows_by_little() -> None:
    limiter = Limiter(100)
    limiter.throttled(begun=0.0, now=1.0, wait=None)
    answered(limiter, 10)
    assert limiter.limit == 11


def test_nothing_starts_before_the_time_that_the_provider_asked_for() -> None:
    limiter = Limiter(100)
    limiter.throttled(begun=0.0, now=10.0, wait=3.0)
    assert not limiter.is_open(12.9)
    assert limiter.is_open(13.0)
    limiter.throttled(begun=0.0, now=11.0, wait=1.0)
    assert not limiter.is_open(12.5), "a shorter wait doesn't take back a longer one"


def test_it_is_shut_when_all_places_are_taken() -> None:
    limiter = Limiter(2)
    limiter.begin()
    limiter.begin()
    assert not limiter.is_open(0.0)
    limiter.end()
    assert limiter.is_open(0.0)


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), max_size=200), st.integers(1, 100))
def test_the_window_stays_between_one_and_the_most(events: list[float | None], most: int) -> None:
    limiter = Limiter(most)
    for now, begun in enumerate(events):
        if begun is None:
            limiter.well()
        else:
            limiter.throttled(begun=begun, now=float(now), wait=None)
        assert 1 <= limiter.limit <= most
