"""A server that fails loses no answer, makes none up, and ends no run; nor does a kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from faulty import KINDS, Faulty
from hypothesis import given, settings
from hypothesis import strategies as st
from loopback import Loopback, Reply, chat, error, request, texts

from outdo.engines.calls import Patience
from outdo.engines.ledger import Ledger
from outdo.engines.provider import check_model
from outdo.engines.remote import RemoteOptions, open_remote
from outdo.errors import EngineError, TransientError
from outdo.models.served import served
from outdo.records import Completion
from outdo.store import Store

QUICK = Patience(first=0.002, longest=0.02)


def engine(server: Loopback, **options: Any) -> Any:
    options = {"patience": QUICK, **options}
    return open_remote(
        "openai-api/local/m", options=RemoteOptions(base_url=f"{server.url}/v1", **options)
    )


def check(rates: dict[str, float], *, rows: int, salt: int = 0) -> None:
    """Every row is answered by its own answer, once, and every call is accounted for."""
    asked = [request(f"q{number}") for number in range(rows)]
    with Faulty(rates, salt=salt) as server:
        remote = engine(server, timeout=1.0, max_connections=32)
        said = list(remote.complete(asked))
        assert len(said) == rows
        assert texts(said) == {f"q{n}": f"answer to q{n}" for n in range(rows)}
        assert remote.tally.calls >= len(server.seen)
        assert remote.tally.answered == rows
        assert remote.tally.calls == rows + sum(remote.tally.failed.values())
        assert remote.tally.retries == remote.tally.calls - rows
        known = {"throttled": "rate", "broken": "server", "garbage": "form", "liar": "model"}
        for kind, name in known.items():
            assert remote.tally.failed[name] == server.drawn[kind]
        assert remote.tally.failed["network"] == server.drawn["cut"]
        assert remote.tally.failed["time"] >= server.drawn["hang"]


@pytest.mark.parametrize("kind", KINDS)
def test_one_fault_at_thirty_percent(kind: str) -> None:
    check({kind: 0.3}, rows=20 if kind == "hang" else 100)


@settings(max_examples=6)
@given(
    weights=st.lists(st.floats(0, 1), min_size=len(KINDS), max_size=len(KINDS)),
    total=st.floats(0, 0.3),
    salt=st.integers(0, 1000),
)
def test_all_faults_together(weights: list[float], total: float, salt: int) -> None:
    whole = sum(weights) or 1.0
    rates = {kind: total * w / whole for kind, w in zip(KINDS, weights, strict=True)}
    check(rates, rows=40, salt=salt)


def test_a_row_that_always_fails_stays_owed_and_the_others_are_answered() -> None:
    def answer(seen: Any) -> Reply:
        return error("oops", status=500) if seen.asked == "bad" else Reply(chat("ok"))

    got = []
    with Loopback(answer) as server:
        remote = engine(server, patience=Patience(faults=4, first=0.002))
        with pytest.raises(TransientError, match="1 of the calls failed as often as they may"):
            for asked, said in remote.complete([request(t) for t in ("a", "bad", "b", "c")]):
                got.append((asked, said))
        assert texts(got) == {"a": "ok", "b": "ok", "c": "ok"}
        assert len([one for one in server.seen if one.asked == "bad"]) == 4


def test_nobody_there_is_told_soon() -> None:
    with Loopback(lambda _: Reply()) as server:
        address = server.url
    remote = open_remote(
        "openai-api/local/m", options=RemoteOptions(base_url=address, patience=QUICK)
    )
    with pytest.raises(EngineError, match="no connection") as caught:
        list(remote.complete([request(f"q{n}") for n in range(50)]))
    assert "address" in caught.value.hint


def test_a_server_of_another_model_is_told_soon() -> None:
    with Loopback(lambda _: Reply(chat("x", model="other"))) as server:
        with pytest.raises(EngineError, match="asked for 'm', and 'other' answered") as caught:
            list(engine(server).complete([request(f"q{n}") for n in range(50)]))
        assert "as it calls itself" in caught.value.hint
        renamed = engine(server, served_as="other")
        assert len(list(renamed.complete([request("q")]))) == 1


def test_bad_requests_alone_are_no_missing_rows() -> None:
    with Loopback(lambda _: error("your account wants a header")) as server:
        got = []
        with pytest.raises(EngineError, match="wants a header"):
            got.extend(engine(server).complete([request(f"q{n}") for n in range(50)]))
        assert got == []


def test_a_provider_that_stays_silent_is_given_up() -> None:
    with Loopback(lambda _: error("slow down", status=429)) as server:
        remote = engine(server, patience=Patience(first=0.01, longest=0.05, silence=0.3))
        with pytest.raises(TransientError, match="no answer for 0 seconds"):
            list(remote.complete([request(f"q{n}") for n in range(5)]))


def test_retry_after_is_obeyed_by_all_calls() -> None:
    times: list[tuple[float, str]] = []

    def answer(seen: Any) -> Reply:
        times.append((time.monotonic(), seen.asked))
        if len(times) == 1:
            return error("slow down", status=429, headers={"Retry-After": "1"})
        return Reply(chat("ok"))

    with Loopback(answer) as server:
        remote = engine(server, max_connections=1)
        assert len(list(remote.complete([request("a"), request("b")]))) == 2
    first, *others = [when for when, _ in times]
    assert len(others) == 2 and min(others) - first >= 1.0


def test_the_window_halves_where_the_provider_says_so_and_calls_fit_it() -> None:
    with Faulty({"throttled": 0.3}, seconds=0.01) as server:
        remote = engine(server, max_connections=16)
        assert len(list(remote.complete([request(f"q{n}") for n in range(60)]))) == 60
        assert remote.limiter.halvings > 0 and remote.limiter.limit < 16
        assert server.most_at_once <= 16


def test_calls_go_out_at_once_and_never_more_than_allowed() -> None:
    with Loopback(lambda _: Reply(chat("ok"), hang=0.05)) as server:
        remote = engine(server, max_connections=8)
        assert len(list(remote.complete([request(f"q{n}") for n in range(40)]))) == 40
        assert 2 <= server.most_at_once <= 8


def test_a_reader_that_leaves_frees_the_places() -> None:
    with Loopback(lambda _: Reply(chat("ok"))) as server:
        remote = engine(server)
        some = remote.complete([request(f"q{n}") for n in range(30)])
        next(iter(some))
        some.close()
        assert remote.limiter.out == 0
        assert len(list(remote.complete([request(f"q{n}") for n in range(30)]))) == 30


@pytest.mark.parametrize(
    ("asked", "said", "same"),
    [
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("claude-x-latest", "claude-x-20250929", True),
        ("claude-sonnet-4-0", "claude-sonnet-4-20250514", True),
        ("org/Some_Model", "some-model", True),
        ("./folder/seedling", "/abs/folder/seedling@main", True),
        ("m", "", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("m", "somebody-else", False),
        ("llama-3", "llama-4", False),
    ],
)
def test_a_version_is_the_same_model_and_another_name_is_not(
    asked: str, said: str, same: bool
) -> None:
    model = served(f"openai/{asked}", base_url="http://127.0.0.1:1")
    if same:
        check_model(model, said)
    else:
        with pytest.raises(TransientError, match=said):
            check_model(model, said)


# ------------------------------------------------------------------ after a kill

CHILD = """
import json, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from loopback import request
from outdo.engines.ledger import Ledger
from outdo.engines.provider import check_model
from outdo.engines.remote import RemoteOptions, open_remote
from outdo.records import to_json
from outdo.store import Row, Store

folder, url, most = Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
ledger = Ledger(folder / "calls.jsonl")
asked = {one.key: one for one in (request(f"q{n}") for n in range(200))}
engine = open_remote(
    "openai-api/local/m",
    options=RemoteOptions(base_url=url, max_connections=most, ledger=ledger),
)
def make(owed):
    for one, said in engine.complete([asked[key] for key in owed]):
        yield Row(key=one.key, about={}, record=to_json(said))
rows = Store(folder).rows("generate", {"model": engine.model}, {}).fill(asked, make)
print(json.dumps({"rows": len(rows), "calls": engine.tally.calls, "remade": engine.tally.remade}))
"""


def test_a_killed_process_makes_at_most_the_calls_in_flight_again(tmp_path: Path) -> None:
    most = 8
    here = str(Path(__file__).parent)
    with Faulty({}, seconds=0.02) as server:
        command = [sys.executable, "-c", CHILD, here, str(tmp_path), f"{server.url}/v1", str(most)]
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while len(server.seen) < 60:
            time.sleep(0.005)
            assert child.poll() is None
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        stage = Store(tmp_path).rows("generate", {"model": _label(server)}, {})
        before = stage.read()
        assert 0 < len(before) < 200
        again = subprocess.run(command, capture_output=True, text=True, check=True)
        told = json.loads(again.stdout)
        after = stage.read()
        seen = len(server.seen)
    assert told["rows"] == 200 and told["calls"] == 200 - len(before)
    assert {key: after[key] for key in before} == before, "what was stored is not asked again"
    assert {row.record["text"] for row in after.values()} == {f"answer to q{n}" for n in range(200)}
    assert 0 < told["remade"] <= most, "those in flight are counted"
    assert 200 <= seen <= 200 + most
    assert Ledger(tmp_path / "calls.jsonl").unended, "the ledger still shows what the kill cost"


def _label(server: Loopback) -> str:
    return str(engine(server).model)


def test_answers_come_one_by_one_the_moment_they_arrive() -> None:
    def answer(seen: Any) -> Reply:
        return Reply(chat("ok"), hang=2.0 if seen.asked == "slow" else 0.0)

    with Loopback(answer) as server:
        said = engine(server).complete([request("slow"), request("fast")])
        begun = time.monotonic()
        asked, completion = next(said)
        assert asked.prompt.messages[-1].content == "fast" and isinstance(completion, Completion)
        assert time.monotonic() - begun < 1.9
        said.close()
