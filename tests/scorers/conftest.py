"""Real code for the tests of similarity."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]


def rows(*parts: str) -> list[dict[str, Any]]:
    """The rows of a file of the shared data; skips where it is absent."""
    path = Path(os.environ.get("OUTDO_DATA", ROOT / "shared" / "data")).joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path} isn't there: set OUTDO_DATA")
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="session")
def thesis() -> list[dict[str, Any]]:
    """100 instructions, each with its reference and three models' outputs."""
    return rows("thesis-sft-dpo", "test-100.jsonl")


@pytest.fixture(scope="session")
def pairs() -> list[tuple[str, str]]:
    """2,000 pairs of real answers: some code, some prose, some both."""
    return [(r["rejected"], r["chosen"]) for r in rows("thesis-sft-dpo", "dpo-2000.jsonl.gz")]
