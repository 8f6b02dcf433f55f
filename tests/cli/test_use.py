"""A model put to use on files: what a person is told, and what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outdo.cli.use import repair_files
from outdo.errors import DataError

BROKEN = "def double(x):\n    return x + 3\n"
MENDED = "def double(x):\n    return x * 2\n"


def repaired(folder: Path, *names: str, reply: str = MENDED, **changes: object) -> int:
    said = {"match": "", "reply": f"```python\n{reply}```"}
    (folder / "script.jsonl").write_text(json.dumps(said) + "\n")
    for name in names:
        (folder / name).write_text(BROKEN)
    asked = {
        "model": f"scripted/{folder / 'script.jsonl'}",
        "statement": "Return twice x.",
        "tests": ["double(2)=4", "double(x=5) = 10"],
        "prompt": "direct",
        "temperature": 0.0,
        "max_tokens": 100,
        "samples": 1,
        "seed": 1,
        "write": False,
        "log_dir": folder / "runs",
        "tier": "auto",
        **changes,
    }
    return repair_files([folder / name for name in names], **asked)  # type: ignore[arg-type]


def test_files_with_one_program_are_all_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repaired(tmp_path, "a.py", "b.py") == 0
    told = capsys.readouterr().out
    assert told.count("passes the tests") == 2
    assert "-    return x + 3" in told and "+    return x * 2" in told
    assert (tmp_path / "a.py").read_text() == BROKEN


def test_a_repair_that_passes_is_written_when_told(tmp_path: Path) -> None:
    assert repaired(tmp_path, "a.py", write=True) == 0
    assert (tmp_path / "a.py").read_text() == MENDED


def test_a_repair_that_fails_is_told_and_never_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repaired(tmp_path, "a.py", reply="def double(x):\n    return x\n", write=True) == 1
    assert "fails the tests" in capsys.readouterr().out
    assert (tmp_path / "a.py").read_text() == BROKEN


def test_without_tests_a_repair_is_called_untested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repaired(tmp_path, "a.py", tests=[]) == 0
    assert "untested" in capsys.readouterr().out


def test_a_test_that_is_no_call_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a test is CALL=EXPECTED"):
        repaired(tmp_path, "a.py", tests=["double = 4"])
