"""Prices, budgets and estimates."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback import request

from outdo.engines.budget import Budget
from outdo.engines.estimate import Estimate, estimate, most_cost
from outdo.engines.ledger import Ledger
from outdo.engines.prices import Price, prices
from outdo.errors import EngineError, TransientError
from outdo.models.served import Served, served

PRICE = Price(tokens_in=2.0, tokens_out=10.0)


def model(name: str) -> Served:
    return served(name, environment={"AWS_REGION": "eu-west-1", "MY_BASE_URL": "https://a.test/v1"})


# ------------------------------------------------------------------ prices


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("openai/gpt-4o-2024-08-06", "openai/gpt-4o"),
        ("openai/gpt-4-0613", "openai/gpt-4"),
        ("anthropic/claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"),
        ("anthropic/claude-3-5-haiku-latest", "anthropic/claude-3-5-haiku"),
        ("google/gemini-2.0-flash-001", "google/gemini-2.0-flash"),
        ("bedrock/anthropic.claude-3-haiku-20240307-v1:0", "bedrock/anthropic.claude-3-haiku"),
    ],
)
def test_a_dated_version_costs_what_its_model_does(name: str, like: str) -> None:
    assert prices().price(model(name)) == prices().table[like]


@pytest.mark.parametrize(
    "name", ["openai/gpt-4o-audio-preview", "openai/gpt-9", "anthropic/claude-sonnet-4-9-20300101"]
)
def test_another_model_has_no_price_because_its_name_begins_alike(name: str) -> None:
    assert prices().price(model(name)) is None


def test_the_packaged_prices_say_of_when_they_are() -> None:
    assert prices().known == "2025-11-01"
    assert all(0 < p.tokens_in <= p.tokens_out for p in prices().table.values())


def test_a_users_file_goes_first_and_may_name_many_at_once(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(
        "prices:\n  openai/gpt-4o: {in: 1, out: 2}\n  openai-api/my/*: {in: 0.5, out: 0.5}\n"
    )
    own = prices(path)
    assert own.price(model("openai/gpt-4o")) == Price(tokens_in=1.0, tokens_out=2.0)
    assert own.price(model("openai-api/my/x/y")) == Price(tokens_in=0.5, tokens_out=0.5)
    assert own.price(model("openai/gpt-4o-mini")) == prices().table["openai/gpt-4o-mini"]


def test_a_long_prompt_is_charged_whole_by_its_own_price() -> None:
    price = prices().price(model("google/gemini-2.5-pro"))
    assert price is not None and price.long is not None and price.long_from is not None
    at, above = price.of(price.long_from, 0), price.of(price.long_from + 1, 0)
    assert at == pytest.approx(price.long_from * price.tokens_in / 1e6)
    assert above == pytest.approx((price.long_from + 1) * price.long.tokens_in / 1e6)
    assert price.of(price.long_from + 1, 1e6) - above == pytest.approx(price.long.tokens_out)


def test_an_estimate_charges_each_call_by_its_own_length() -> None:
    price = Price(
        tokens_in=1.0, tokens_out=1.0, long_from=500, long=Price(tokens_in=9.0, tokens_out=9.0)
    )
    short, long = request("x" * 400), request("x" * 4000)
    alone = [estimate([one], price=price) for one in (short, long)]
    both = estimate([short, long], price=price)
    assert both == alone[0] + alone[1]
    assert alone[1].cost == pytest.approx(9 * (alone[1].tokens_in + alone[1].tokens_out) / 1e6)
    assert alone[0].cost == pytest.approx((alone[0].tokens_in + alone[0].tokens_out) / 1e6)


def test_what_is_served_here_is_free() -> None:
    here = served("openai-api/my/m", base_url="http://localhost:8000/v1")
    assert prices().price(here) == Price(tokens_in=0.0, tokens_out=0.0)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "not YAML"),
        ("[]", "no prices"),
        ("prices: {m: 3}", "has in and out"),
        ("prices: {m: {in: 1}}", "has in and out"),
        ("prices: {m: {in: 1, out: -1}}", "no price"),
        ("prices: {m: {in: 1, out: .nan}}", "no price"),
        ("prices: {m: {in: true, out: 1}}", "no price"),
        ("prices: {m: {in: 1, out: 1, long: 2}}", "from, in and out"),
        ("prices: {m: {in: 1, out: 1, long: {from: 0, in: 1, out: 1}}}", "no number of tokens"),
    ],
)
def test_a_bad_file_of_prices_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "prices.yaml"
    path.write_text(text)
    with pytest.raises(EngineError, match=problem) as caught:
        prices(path)
    assert caught.value.where.startswith(str(path))


def test_a_missing_file_of_prices_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="can't be read"):
        prices(tmp_path / "none.yaml")


# ------------------------------------------------------------------ budgets


@given(st.lists(st.tuples(st.floats(0.001, 2), st.floats(0, 1)), max_size=60), st.floats(0, 20))
def test_a_budget_is_never_passed(calls: list[tuple[float, float]], limit: float) -> None:
    budget, out = Budget(limit), []
    for number, (most, share) in enumerate(calls):
        if budget.reserve(most):
            out.append((most, most * share))
        if number % 3 == 2 and out:
            budget.settle(*out.pop(0))
        assert budget.spent + budget.reserved <= limit * (1 + 1e-9)
    for most, cost in out:
        budget.settle(most, cost)
    assert budget.spent <= limit * (1 + 1e-9)
    assert budget.reserved == pytest.approx(0.0, abs=1e-9)


def test_the_error_says_what_is_spent_and_how_to_go_on() -> None:
    budget = Budget(5.0, spent=4.99)
    error = budget.passed(0.5)
    assert isinstance(error, TransientError)
    assert "$5.00" in str(error) and "$4.9900" in str(error) and "raise --budget" in str(error)


@pytest.mark.parametrize("limit", [-1.0, math.inf, math.nan])
def test_no_budget_is_none(limit: float) -> None:
    with pytest.raises(EngineError, match="no budget"):
        Budget(limit)


# ------------------------------------------------------------------ the ledger


def test_a_ledger_remembers_what_was_spent_and_what_never_ended(tmp_path: Path) -> None:
    path = tmp_path / "calls" / "ledger.jsonl"
    first = Ledger(path)
    done = first.begun("a", most=0.5)
    first.ended("a", done, cost=0.2)
    first.begun("b", most=0.5)
    first.begun("b", most=0.5)
    first.close()
    again = Ledger(path)
    assert again.unended == {"b": 2}
    assert again.spent == pytest.approx(1.2)


def test_a_torn_line_of_a_ledger_costs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.begun("a", most=0.5)
    ledger.close()
    path.write_bytes(path.read_bytes() + b'{"key": "b", "ca')
    second = Ledger(path)
    second.begun("c", most=0.25)
    second.close()
    assert Ledger(path).unended == {"a": 1, "c": 1}


# ------------------------------------------------------------------ estimates


def test_an_estimate_counts_calls_tokens_and_money() -> None:
    asked = [request("x" * 360, max_tokens=100), request("y" * 360, max_tokens=100)]
    told = estimate(asked, price=PRICE)
    per_call = 360 + len("Be brief.") + 2 * 8
    assert (told.calls, told.tokens_out) == (2, 200)
    assert told.tokens_in == 2 * math.ceil(per_call / 4)
    assert told.cost == pytest.approx((told.tokens_in * 2 + 200 * 10) / 1e6)
    assert told.at_most == pytest.approx(2 * most_cost(asked[0], PRICE))


def test_with_a_tokenizer_at_hand_the_count_is_its_own() -> None:
    told = estimate([request("a b c")], price=None, count=lambda text: len(text.split()))
    assert told.tokens_in == 3 + 2 + 2 * 8
    assert told.cost is None and told.at_most is None


def test_estimates_add_up_and_an_unknown_price_stays_unknown() -> None:
    known = estimate([request("a")], price=PRICE)
    unknown = estimate([request("a")], price=None)
    assert (known + known).cost == pytest.approx(2 * (known.cost or 0))
    assert (known + unknown).cost is None
    assert (known + unknown).calls == 2
    assert Estimate() + known == known


@given(st.text(max_size=200), st.integers(1, 50))
def test_no_answer_costs_more_than_at_most(text: str, max_tokens: int) -> None:
    asked = request(text, max_tokens=max_tokens)
    tokens_in = len(text.encode("utf-8", "replace")) + len("Be brief.")
    assert most_cost(asked, PRICE) >= PRICE.of(tokens_in, max_tokens)
