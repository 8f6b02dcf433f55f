from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdo.data.problems import Problem, Test
from outdo.sandbox import Sandbox

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(workers=2) as made:
        yield made


@pytest.fixture(scope="session")
def refactory() -> Path:
    return _shared("refactory-intropynus")


@pytest.fixture
def total() -> Problem:
    """A problem that two quite different programs solve."""
    return Problem(
        name="running-total",
        title="Running total",
        statement="Return the running totals.",
        entry="running_total",
        tests=(
            Test(call="running_total([1, 2, 3])", expected="[1, 3, 6]"),
            Test(call="running_total([])", expected="[]"),
            Test(call="running_total([5])", expected="[5]"),
            Test(call="running_total([-1, 1, 4])", expected="[-1, 0, 4]"),
        ),
        solutions=(
            "def running_total(numbers):\n"
            "    totals, total = [], 0\n"
            "    for number in numbers:\n"
            "        total += number\n"
            "        totals.append(total)\n"
            "    return totals\n",
            "def running_total(numbers):\n"
            "    totals = []\n"
            "    i = 0\n"
            "    while i < len(numbers):\n"
            "        totals.append(sum(numbers[:i + 1]))\n"
            "        i += 1\n"
            "    return totals\n",
        ),
    )


@pytest.fixture(scope="session")
def pull_requests() -> Path:
    return _shared("pull-requests-permissive")


@pytest.fixture(scope="session")
def thesis() -> Path:
    return _shared("thesis-sft-dpo")


@pytest.fixture(scope="session")
def aacr() -> Path:
    return _shared("aacr-bench")


def _shared(name: str) -> Path:
    folder = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data")) / name
    if not folder.is_dir():
        pytest.skip(f"{folder} isn't there: set OUTDO_DATA")
    return folder
