from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def rows() -> Callable[[str], list[dict[str, Any]]]:
    """The rows of a file of real data, by its name below the folder of data sets."""
    folder = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))

    def read(name: str) -> list[dict[str, Any]]:
        if not (folder / name).is_file():
            pytest.skip(f"{folder / name} isn't there: set OUTDO_DATA")
        with gzip.open(folder / name, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    return read


@pytest.fixture(scope="session")
def pull_requests(rows: Callable[[str], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return rows("pull-requests-permissive/prs.jsonl.gz")


@pytest.fixture(scope="session")
def commits(rows: Callable[[str], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return rows("commits-permissive/commits.jsonl.gz")
