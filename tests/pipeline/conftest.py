"""The world in which scripted studies run."""

from __future__ import annotations

from pathlib import Path

import pytest
from world import World

from outdo.report import Findings, files


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Tools whose reports are computed but not drawn: figures take seconds, and are not ours."""
    made = World(tmp_path)

    def keep(findings: Findings, found: object, folder: Path) -> None:
        made.findings.append(findings)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "index.html").write_text("")

    monkeypatch.setattr(files, "write", keep)
    return made
