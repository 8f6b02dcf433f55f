"""The real tools where something that they stand on isn't there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from outdo.cli.tools import stored_only, tools_for
from outdo.errors import SandboxError, StoreError


def test_a_report_needs_no_sandbox(tmp_path: Path) -> None:
    def refused() -> dict[str, str]:
        raise SandboxError("no Landlock")

    real = replace(tools_for(tmp_path, tier="auto", task="repair"), environment=refused)
    tools = stored_only(real, command="outdo run study.yaml")
    assert tools.environment()["sandbox"] == "none can be had here"
    with pytest.raises(StoreError, match="isn't finished"):
        tools.engine(None, None)  # type: ignore[arg-type]
