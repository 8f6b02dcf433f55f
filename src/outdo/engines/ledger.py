"""What calls were begun, and what they cost, on disk: so that a killed process forgets neither.

A line is written before a call goes out and another when it has ended; a torn line is passed over.
No text of a prompt or an answer stands here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outdo.store import explained


class Ledger:
    """Appends to a file; `spent` and `unended` tell what stood there when it was opened.

    A call that never ended may be billed all the same, so `spent` counts what it may have cost.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.spent = 0.0
        self.unended: dict[str, int] = {}
        open_calls: dict[tuple[str, str], float] = {}
        for entry in _entries(path):
            call = (entry["key"], entry["call"])
            if "cost" in entry:
                open_calls.pop(call, None)
                self.spent += entry["cost"]
            else:
                open_calls[call] = entry["most"]
        for (key, _), most in open_calls.items():
            self.unended[key] = self.unended.get(key, 0) + 1
            self.spent += most
        self._begun = 0
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            torn = path.is_file() and not path.read_bytes().endswith(b"\n")
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            if torn:
                os.write(self._file, b"\n")

    def begun(self, key: str, *, most: float) -> str:
        """Writes that a call goes out which may cost `most` US dollars; its name comes back."""
        self._begun += 1
        call = f"{os.getpid()}.{id(self) % 997}.{self._begun}"
        self._write({"key": key, "call": call, "most": most})
        return call

    def ended(self, key: str, call: str, *, cost: float) -> None:
        """Writes that a call has ended, and what it cost."""
        self._write({"key": key, "call": call, "cost": cost})

    def close(self) -> None:
        """No more is written."""
        os.close(self._file)

    def _write(self, entry: dict[str, Any]) -> None:
        with explained(self.path):
            os.write(self._file, (json.dumps(entry) + "\n").encode("ascii"))


def _entries(path: Path) -> Iterator[dict[str, Any]]:
    if not path.is_file():
        return
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # torn by a full disk or a power cut
            continue
        if isinstance(entry, dict) and {"key", "call"} <= set(entry):
            yield entry
