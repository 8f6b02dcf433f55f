"""Which of several words on one value counts: an option before the environment before the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from outdo.cli import studies
from outdo.cli.app import app


@pytest.mark.parametrize(
    ("options", "environment", "seed"),
    [
        ([], "", 1),
        ([], "3", 3),
        (["--seed", "4"], "3", 4),
        (["--set", "seed=5"], "3", 5),
    ],
)
def test_a_seed(
    options: list[str], environment: str, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[list[str]] = []

    def run_study(path: Path, *, overrides: list[str], **_: object) -> int:
        told.append(overrides)
        return 0

    monkeypatch.setattr(studies, "run_study", run_study)
    monkeypatch.setenv("OUTDO_SEED", environment) if environment else None
    with pytest.raises(SystemExit):
        app(["run", str(studies.quickstart()), *options])
    (overrides,) = told
    assert studies.load_study(studies.quickstart(), overrides=overrides).seed == seed
