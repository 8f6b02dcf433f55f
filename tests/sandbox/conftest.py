from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdo.sandbox import Sandbox, probe


@pytest.fixture(scope="session", params=["linux", "namespaces"])
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    if why := probe()[request.param]:
        pytest.skip(f"tier {request.param}: {why}")
    with Sandbox(request.param, workers=1) as made:
        yield made


@pytest.fixture(scope="session")
def shared_data() -> Path:
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("OUTDO_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"no data at {folder}: set OUTDO_DATA")
    return folder


@pytest.fixture(scope="session")
def linux() -> Iterator[Sandbox]:
    if why := probe()["linux"]:
        pytest.skip(f"tier linux: {why}")
    with Sandbox("linux", workers=2) as made:
        yield made
