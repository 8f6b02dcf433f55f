"""What Bandit's rules find in programs: rule, CWE, line. It reads them and runs none.

Bandit is asked as a process of its own, once for many programs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outdo.errors import DataError, MissingExtra
from outdo.records import Json

SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A place where a rule found a weakness; `cwe` is its number, 0 where the rule names none."""

    rule: str
    name: str
    cwe: int
    line: int
    severity: str
    confidence: str


def signature() -> str:
    """Which rules say so; raises MissingExtra where Bandit isn't installed."""
    if importlib.util.find_spec("bandit") is None:
        raise MissingExtra.of("bandit", "security")
    return f"bandit {importlib.metadata.version('bandit')}"


def findings(programs: Sequence[str]) -> list[list[Finding] | None]:
    """What the rules find in each program, by line; None for one that they can't read.

    Marks in comments that tell Bandit to be silent aren't heeded.
    """
    signature()
    with tempfile.TemporaryDirectory(prefix="outdo-bandit-") as folder:
        root = Path(folder)
        for number, code in enumerate(programs):
            (root / f"p{number}.py").write_bytes(code.encode("utf-8", "surrogatepass"))
        report = _report(root) if programs else {"results": [], "errors": []}
    found: list[list[Finding] | None] = [[] for _ in programs]
    for one in report["errors"]:
        found[_number(one["filename"])] = None
    for one in report["results"]:
        row = found[_number(one["filename"])]
        if row is not None:
            row.append(
                Finding(
                    rule=one["test_id"],
                    name=one["test_name"],
                    cwe=int((one.get("issue_cwe") or {}).get("id") or 0),
                    line=one["line_number"],
                    severity=one["issue_severity"].lower(),
                    confidence=one["issue_confidence"].lower(),
                )
            )
    return [None if row is None else sorted(row, key=lambda f: (f.line, f.rule)) for row in found]


def _number(name: str) -> int:
    return int(Path(name).stem[1:])


def _report(root: Path) -> dict[str, Json]:
    out = root / "report.json"
    flags = ["-q", "-r", "-f", "json", "--exit-zero", "--ignore-nosec", "-o", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "bandit", *flags, str(root)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        cwd=root,
    )
    if not out.is_file():
        said = done.stderr.strip().splitlines()[-1:] or ["no report"]
        raise DataError(f"bandit failed: {said[0]}", "run `python -m bandit --version`")
    report = json.loads(out.read_text("utf-8"))
    assert isinstance(report, dict)
    return report
