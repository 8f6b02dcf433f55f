"""A benchmark of preferences by a server that others wrote, with the embedded model behind it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from test_transformers_serve import SEEDLING, url

from outdo.cli import main
from outdo.data.pairs import CodePair, write_pairs

pytestmark = pytest.mark.slow
__all__ = ["url"]


@pytest.mark.parametrize("way", ["generate", "choice"])
def test_a_served_model_is_benchmarked_and_every_call_is_accounted_for(
    url: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [
        CodePair(
            id=f"p{n}",
            group=f"g{n}",
            source="made",
            criterion="correctness",
            statement="Return the sum of a and b.",
            better=f"def add{n}(a, b):\n    return a + b",
            worse=f"def add{n}(a, b):\n    return a - b",
            split="test",
        )
        for n in range(4)
    ]
    write_pairs(tmp_path / "pairs.jsonl", pairs)
    monkeypatch.chdir(tmp_path)
    words = ["pairs.jsonl", "--model", f"openai-api/here/{SEEDLING}", "--way", way]
    words += ["--base-url", url, "--max-tokens", "12", "--max-connections", "2"]
    monkeypatch.setattr(sys, "argv", ["outdo", "bench", "preference", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    (path,) = tmp_path.glob("runs/bench-*/report/results.json")
    judges = json.loads(path.read_text())["judges"]
    (mine,) = (one for name, one in judges.items() if name.startswith("openai-api"))
    rates = {name: one["value"] for name, one in mine["overall"]["measures"].items()}
    silent = sum(rates[name] for name in ("unreadable", "cut off", "refused", "failed"))
    assert mine["calls"] == 8
    assert 0 <= silent <= 1
    if silent < 1:
        assert rates["accuracy"] is not None
    assert rates["failed"] == 0
    assert mine["cost"]["tokens_in"] > 0 or silent == 1
