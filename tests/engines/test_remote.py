"""The door to models behind APIs: keys, money, features, candidates."""

from __future__ import annotations

import logging
from dataclasses import replace
from math import exp, log
from typing import Any

import pytest
from loopback import Loopback, Reply, Seen, chat, error, request, texts

from outdo.engines.budget import Budget, OutOfBudget
from outdo.engines.calls import Patience
from outdo.engines.openai_chat import OpenAIChat
from outdo.engines.prices import Price, Prices
from outdo.engines.remote import RemoteOptions, open_remote
from outdo.errors import EngineError, MissingExtra, PermanentError
from outdo.records import Completion, Request

PRICES = Prices(own={"openai-api/*": Price(tokens_in=1000.0, tokens_out=1000.0)})
COST = (19 + 10) / 1000
"""Of one answer of `chat`, at those prices."""


def engine(server: Loopback, **options: Any) -> Any:
    options = {"patience": Patience(first=0.002), **options}
    return open_remote(
        "openai-api/local/m", options=RemoteOptions(base_url=f"{server.url}/v1", **options)
    )


# ------------------------------------------------------------------ before anything is asked


@pytest.mark.parametrize(
    ("name", "environment", "problem", "hint"),
    [
        ("openai/m", {}, "OPENAI_API_KEY is not set", "export OPENAI_API_KEY=..."),
        ("anthropic/m", {"ANTHROPIC_API_KEY": " "}, "ANTHROPIC_API_KEY is not set", "export"),
        ("google/m", {}, "GEMINI_API_KEY or GOOGLE_API_KEY is not set", "export GEMINI_API_KEY"),
        (
            "openai-api/far-off/m",
            {"FAR_OFF_BASE_URL": "https://far.example.test/v1"},
            "FAR_OFF_API_KEY is not set",
            "export FAR_OFF_API_KEY",
        ),
        ("nobody/m", {}, "there is no such provider", "openai/<model>"),
    ],
)
def test_what_is_missing_is_told(
    name: str, environment: dict[str, str], problem: str, hint: str
) -> None:
    with pytest.raises(EngineError, match=problem) as caught:
        open_remote(name, environment=environment)
    assert hint in caught.value.hint


def test_local_only_asks_no_other_machine() -> None:
    with pytest.raises(EngineError, match="is another machine"):
        open_remote(
            "openai/m",
            options=RemoteOptions(local_only=True),
            environment={"OPENAI_API_KEY": "k"},
        )
    with Loopback(lambda _: Reply(chat("ok"))) as server:
        assert len(list(engine(server, local_only=True).complete([request("q")]))) == 1


def test_without_vllm_the_server_is_pointed_to() -> None:
    pytest.importorskip("openai")
    try:
        import vllm  # noqa: F401
    except ImportError:
        with pytest.raises(MissingExtra, match="VLLM_BASE_URL"):
            open_remote("vllm/org/base", environment={})
    else:
        pytest.skip("vllm is installed here")


def test_a_key_is_written_nowhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    key = "sk-very-secret"
    with Loopback(lambda _: error(f"you sent {key}: too much context length")) as server:
        remote = open_remote(
            "openai-api/local/m",
            options=RemoteOptions(base_url=f"{server.url}/v1"),
            environment={"LOCAL_API_KEY": key},
        )
        ((_, said),) = remote.complete([request("q")])
        assert server.seen[0].headers["authorization"] == f"Bearer {key}"
    assert isinstance(said, PermanentError) and key not in str(said)
    assert key not in caplog.text and key not in remote.model + remote.served_by


# ------------------------------------------------------------------ money


def test_every_answer_says_what_it_cost_and_the_tally_sums_it() -> None:
    with Loopback(lambda _: Reply(chat("ok"))) as server:
        remote = engine(server, prices=PRICES)
        costs = [said.usage.cost for _, said in remote.complete([request(t) for t in "abc"])]
    assert costs == pytest.approx([COST] * 3)
    assert remote.tally.cost == pytest.approx(3 * COST)
    assert remote.tally.line() == "$0.0870"


def test_a_budget_stops_before_it_is_passed_and_goes_on_when_raised() -> None:
    asked = [request(f"q{n}", max_tokens=20) for n in range(30)]
    with Loopback(lambda _: Reply(chat("ok"))) as server:
        budget = Budget(0.5)
        remote = engine(server, prices=PRICES, budget=budget)
        got: list[tuple[Request, Any]] = []
        with pytest.raises(OutOfBudget, match=r"raise --budget to go on"):
            got.extend(remote.complete(asked))
        assert 0 < len(got) < 30 and budget.spent <= 0.5 and budget.reserved == 0
        assert budget.spent == pytest.approx(len(got) * COST)
        there = {one.key for one, _ in got}
        left = [one for one in asked if one.key not in there]
        more = engine(server, prices=PRICES, budget=Budget(5.0, spent=budget.spent))
        assert len(list(more.complete(left))) == len(left)
        assert len(server.seen) == 30, "nothing is paid for twice"


def test_a_call_that_may_be_billed_counts_as_if_it_were() -> None:
    replies = [Reply(raw=b"{"), Reply(chat("ok"))]
    with Loopback(lambda _: replies.pop(0)) as server:
        budget = Budget(5.0)
        remote = engine(server, prices=PRICES, budget=budget)
        list(remote.complete([request("q", max_tokens=20)]))
    assert budget.spent > COST + 20 / 1000


def test_without_a_price_there_is_no_budget_and_the_cost_is_unknown() -> None:
    environment = {"FAR_API_KEY": "k", "FAR_BASE_URL": "https://far.example.test/v1"}
    told: list[str] = []
    remote: Any = open_remote(
        "openai-api/far/m", options=RemoteOptions(tell=told.append), environment=environment
    )
    assert told == ["openai-api/far/m: no price is known, so its cost isn't either"]
    assert remote.tally.line() == "cost unknown"
    with pytest.raises(EngineError, match="a budget can't be kept") as caught:
        open_remote(
            "openai-api/far/m", options=RemoteOptions(budget=Budget(1.0)), environment=environment
        )
    assert "openai-api/far/m: {in:" in caught.value.hint


# ------------------------------------------------------------------ candidates


def choice(*candidates: str) -> Request:
    asked = request("Which is better? Answer A or B.", max_tokens=4)
    return replace(asked, prompt=replace(asked.prompt, candidates=candidates))


def likely(*tokens: tuple[str, float], first: str = "") -> dict[str, Any]:
    top = [{"token": t, "logprob": p, "bytes": None} for t, p in tokens]
    places = [{"token": tokens[0][0], "logprob": tokens[0][1], "top_logprobs": top}]
    if first:
        places.insert(0, {"token": first, "logprob": -0.1, "top_logprobs": []})
    return {"content": places, "refusal": None}


def picked(answer: Any, asked: Request) -> tuple[Any, list[Seen], Any]:
    with Loopback(answer) as server:
        remote = engine(server)
        ((_, said),) = remote.complete([asked])
    return said, server.seen, remote


def test_a_candidate_is_chosen_by_the_probabilities_of_the_first_token() -> None:
    told = likely(
        ("B", log(0.5)), (" A", log(0.3)), ("a", log(0.1)), ("The", log(0.05)), first="\n"
    )
    said, seen, _ = picked(lambda _: Reply(chat("B", logprobs=told)), choice("A", "B"))
    assert seen[0].body["logprobs"] is True and seen[0].body["top_logprobs"] == 20
    assert said.text == "B"
    assert [exp(one) for one in said.logprobs] == pytest.approx([0.4 / 0.9, 0.5 / 0.9])


def test_a_candidate_that_isnt_among_the_likely_has_at_most_what_the_least_of_them_has() -> None:
    told = likely(("A", log(0.9)), ("The", log(0.01)))
    said, _, _ = picked(lambda _: Reply(chat("A", logprobs=told)), choice("A", "B"))
    assert exp(said.logprobs[1]) == pytest.approx(0.01 / 0.91)


def test_without_log_probabilities_the_written_letter_counts() -> None:
    refusal = error("logprobs is not supported", param="logprobs")
    said, seen, remote = picked(
        lambda s: refusal if "logprobs" in s.body else Reply(chat("**B**.")), choice("A", "B")
    )
    assert (said.text, said.logprobs, len(seen)) == ("B", None, 2)
    assert any("log-probabilities" in note for note in remote.notes)


@pytest.mark.parametrize("text", ["", "Both are fine.", "A or B", "AB"])
def test_a_reply_that_names_no_candidate_picks_none(text: str) -> None:
    said, _, _ = picked(lambda _: Reply(chat(text)), choice("A", "B"))
    assert isinstance(said, PermanentError) and "none of the candidates" in str(said)


@pytest.mark.parametrize(
    "candidates", [("a whole reply of many words", "b"), ("better", "best"), ("", "B")]
)
def test_candidates_that_a_chat_api_cant_tell_apart_are_refused(
    candidates: tuple[str, ...],
) -> None:
    with (
        Loopback(lambda _: Reply(chat("A"))) as server,
        pytest.raises(EngineError, match="can't choose among these candidates"),
    ):
        list(engine(server).complete([choice(*candidates)]))
    assert server.seen == []


# ------------------------------------------------------------------ what is kept


def test_the_answer_carries_who_gave_it_and_how_it_was_drawn() -> None:
    asked = request("q", index=3, temperature=None, seed=5)
    with Loopback(lambda _: Reply(chat("ok", model="m-20250101"))) as server:
        remote = engine(server)
        ((one, said),) = remote.complete([asked])
    assert one == asked and isinstance(said, Completion)
    assert (said.index, said.sampling, said.model) == (3, asked.sampling, remote.model)
    assert said.served_by == "openai/m-20250101"
    assert server.seen[0].body["seed"] == asked.seed & (2**31 - 1)


def test_samples_of_one_prompt_have_seeds_of_their_own() -> None:
    with Loopback(lambda _: Reply(chat("ok"))) as server:
        list(engine(server).complete([request("q", index=n, temperature=1.0) for n in range(5)]))
    assert len({one.body["seed"] for one in server.seen}) == 5


def test_one_client_is_shared_by_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[OpenAIChat] = []
    begin = OpenAIChat.__init__

    def counted(self: OpenAIChat, *args: Any, **named: Any) -> None:
        made.append(self)
        begin(self, *args, **named)

    monkeypatch.setattr(OpenAIChat, "__init__", counted)
    with Loopback(lambda _: Reply(chat("ok"))) as server:
        remote = engine(server)
        assert texts(remote.complete([request(t) for t in "abcdef"])) == dict.fromkeys(
            "abcdef", "ok"
        )
    assert len(made) == 1
