"""What the benchmark of mining mines, and what it says of it."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path

from mining import alike, history, scan

PATH = Path(__file__).resolve().parents[2] / "benchmarks" / "mining.py"


def script() -> object:
    """The benchmark's own file, which has the name of its package."""
    spec = importlib.util.spec_from_file_location("benchmark_of_mining", PATH)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_history_is_the_same_in_every_run() -> None:
    once, again = (hashlib.sha256(b"".join(history.stream(50))).hexdigest() for _ in range(2))
    assert once == again
    assert b"".join(history.stream(60)).startswith(b"".join(history.stream(50)))


def test_every_edit_of_the_history_is_kept(tmp_path: Path) -> None:
    history.made(tmp_path / "r.git", commits=40)
    told = scan.scanned(tmp_path / "r.git", tmp_path / "o.jsonl")
    assert (told["commits"], told["kept"]) == (41, 40)
    assert told["seconds"] > 0 and told["peak_mb"] > 0


def test_a_part_is_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    history.made(tmp_path / "r.git", commits=5)
    told = script().scans(tmp_path / "r.git", tmp_path, repeats=1)  # type: ignore[attr-defined]
    assert told["commits"] == 6 and told["commits_per_second"] > 0


def test_copies_among_rows_are_found() -> None:
    rows = alike.rows(100)
    assert rows == alike.rows(100) and len(rows) == 100
    assert alike.measured(100)["dropped"] == 5
