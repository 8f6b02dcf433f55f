"""Kills without a model: children that answer and score from a script die at any instant."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from pathlib import Path

from world import STUDY, Silent, World

from outdo.pipeline import carry_out
from outdo.records import Request, canonical

FORK = multiprocessing.get_context("fork")


def slowly(model: str, request: Request) -> str:
    """A reply of the row's own, a millisecond after it was asked for."""
    time.sleep(0.001)
    return f"```python\ndef f(x):\n    return x + {request.seed % 3 + 1}\n```"


def carried(root: Path) -> None:
    world = World(root, say=slowly)
    study = world.study(STUDY, "answer.base.samples=4", "answer.base.temperature=1")
    carry_out(study, store=world.store, tools=world.tools, watch=Silent())


def stored(root: Path) -> dict[str, bytes]:
    """The whole rows of every stage."""
    return {
        path.parent.name: content[: content.rfind(b"\n") + 1]
        for path in (root / "runs" / ".stages").glob("*/rows.jsonl")
        for content in [path.read_bytes()]
    }


def by_key(content: bytes) -> dict[str, str]:
    rows = [json.loads(line) for line in content.splitlines()]
    assert len({row["key"] for row in rows}) == len(rows)
    return {row["key"]: canonical(row) for row in rows}


def killed(root: Path, *, more: int) -> bool:
    """Whether a child was killed once it had stored so many more bytes; else it has finished."""
    before = sum(map(len, stored(root).values()))
    child = FORK.Process(target=carried, args=(root,))
    child.start()
    while child.is_alive() and sum(map(len, stored(root).values())) - before < more:
        time.sleep(0.001)
    if child.is_alive():
        os.kill(child.pid or 0, signal.SIGKILL)
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode != 0


def test_rows_survive_their_process_and_are_never_made_again(world: World) -> None:
    whole, torn = world.root / "whole", world.root / "torn"
    for root in (whole, torn):
        root.mkdir()
    carried(whole)
    expected = stored(whole)
    size = sum(map(len, expected.values()))
    chance = random.Random(7)
    seen: list[dict[str, bytes]] = []
    while killed(torn, more=chance.randint(1, size // 8)):
        seen.append(stored(torn))
    found = stored(torn)
    assert len(seen) >= 6
    assert found.keys() == expected.keys()
    for name, content in expected.items():
        assert by_key(found[name]) == by_key(content)
        done = Path("runs/.stages") / name / "done.json"
        assert (torn / done).read_bytes() == (whole / done).read_bytes()
    for earlier in seen:
        for name, content in earlier.items():
            assert found[name].startswith(content)
