"""A server that others wrote: `transformers serve` with the embedded model, on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from loopback import request

import outdo
from outdo.engines.remote import RemoteOptions, open_remote
from outdo.records import Completion

pytestmark = pytest.mark.slow
SEEDLING = Path(outdo.__file__).parent / "embedded" / "seedling"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server, once it listens."""
    for needed in ("transformers", "fastapi", "uvicorn"):
        pytest.importorskip(needed)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve", str(SEEDLING)]
    script = Path(sys.executable).with_name("transformers")
    if script.is_file():
        command = [str(script), "serve", str(SEEDLING)]
    said = tmp_path_factory.mktemp("serve") / "log"
    with said.open("wb") as log:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
        )
    try:
        until = time.monotonic() + 240
        while not _listens(port):
            assert server.poll() is None and time.monotonic() < until, said.read_text()[-2000:]
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(30)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def engine(url: str) -> Any:
    options = RemoteOptions(base_url=url, max_connections=2, timeout=120.0)
    return open_remote(f"openai-api/here/{SEEDLING}", options=options)


def test_it_answers_every_request_once(url: str) -> None:
    remote = engine(url)
    asked = [request(f"def add(a, b):  # {n}", max_tokens=12) for n in range(4)]
    said = dict(remote.complete(asked))
    assert set(said) == set(asked)
    for completion in said.values():
        assert isinstance(completion, Completion), completion
        assert "seedling" in completion.served_by
        assert completion.finish in ("stop", "length")
        assert completion.usage.tokens_in > 0 and 0 < completion.usage.tokens_out <= 12
    assert any(one.text for one in said.values() if isinstance(one, Completion))
    assert remote.tally.answered == 4 and remote.tally.priced and remote.tally.cost == 0


def test_greedy_answers_are_the_same_twice(url: str) -> None:
    asked = [request("def add(a, b):", max_tokens=12)]
    texts = [[one.text for _, one in engine(url).complete(asked)] for _ in range(2)]
    assert texts[0] == texts[1]


def test_a_schema_costs_no_answer_whatever_the_server_makes_of_it(url: str) -> None:
    from dataclasses import replace

    plain = request("Say yes.", max_tokens=12)
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    asked = replace(plain, prompt=replace(plain.prompt, schema=schema))
    ((_, said),) = engine(url).complete([asked])
    assert isinstance(said, Completion)
