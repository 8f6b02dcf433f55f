"""A chain of methods on files that people have, through the real tools."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tiny
from outdo.cli.tools import tools_for
from outdo.pipeline import prepare
from outdo.store import Store
from outdo.study import load_study

STUDY = """
study: chain
task: repair
data:
  asked: {source: rows, path: rows.jsonl, hold_out: 1}
  talks: {source: conversations, path: talks.jsonl}
  judged: {source: pairs, path: pairs.jsonl}
models: {tiny: ./tiny}
train:
  sft: &settings
    {model: tiny, data: talks, learning_rate: 1e-2, precision: float32, epochs: 2}
  dpo: {<<: *settings, model: sft, method: dpo, data: judged, learning_rate: [1e-4, 1e-3]}
  other: {<<: *settings, model: sft, method: dpo, data: judged, reference: tiny}
answer:
  tiny: {model: tiny, data: asked}
"""


class Silent:
    """A watcher that says nothing."""

    @contextlib.contextmanager
    def stage(self, *_: object, **__: object) -> Iterator[Any]:
        yield lambda *_, **__: None

    def waiting(self, holder: str) -> None:
        """Nobody is waited for."""


def written(path: Path, rows: list[Any]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.mark.slow
def test_dpo_is_held_against_the_model_that_it_starts_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny.save(tmp_path / "tiny")
    test = {"call": "f(1)", "expected": "1"}
    asked = {
        "problem": "same",
        "statement": "Same.",
        "tests": [test],
        "repair": "def f(x): return x",
    }
    written(Path("rows.jsonl"), [{**asked, "program": f"def f(x): return {n}"} for n in range(4)])
    written(Path("talks.jsonl"), [{"prompt": t, "completion": t[:20]} for t in tiny.TEXT])
    pairs = [{"prompt": t, "chosen": t[:20], "rejected": t[5:30]} for t in tiny.TEXT]
    written(Path("pairs.jsonl"), pairs)
    Path("study.yaml").write_text(STUDY)
    tools = tools_for(Path("runs"), tier="auto", task="repair")
    study = load_study(Path("study.yaml"))
    folders = prepare(study, store=Store(Path("runs")), tools=tools, watch=Silent())
    assert list(folders) == [
        "sft",
        "dpo learning rate 0.0001",
        "dpo learning rate 0.001",
        "other",
    ]
    first = {
        name: json.loads((folder / "loss.jsonl").read_text().splitlines()[0])["loss"]
        for name, folder in folders.items()
    }
    assert first["dpo learning rate 0.0001"] == pytest.approx(math.log(2), abs=1e-6)
    assert first["dpo learning rate 0.001"] == pytest.approx(math.log(2), abs=1e-6)
    assert abs(first["other"] - math.log(2)) > 1e-3
    stages = sorted(path.name for path in Path("runs/.stages").glob("reference-*"))
    assert len(stages) == 2
