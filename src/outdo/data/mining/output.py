"""The file that a miner writes, and beside it where the miner stopped: what is there is never lost.

Rows are appended; now and then the number of bytes that are whole is stored with the counts and
with whatever the miner needs to go on. A run that begins again cuts off what stands behind those
bytes, so that no row is there twice and none is torn.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from outdo.data.card import card
from outdo.data.mining.tally import Tally
from outdo.errors import DataError
from outdo.records import Json
from outdo.store import explained, write_json, write_text

SECONDS_BETWEEN = 2.0
"""How long work goes on before it is made safe again."""

_ENCODER = json.JSONEncoder(ensure_ascii=False)

Progress = Callable[[int, int | None, int], None]
"""Told how many were looked at, how many there are if that is known, and how many rows are kept."""


@dataclass(slots=True)
class Output:
    """Rows on their way into a file; `stopped` is what the last run said of where it stopped."""

    path: Path
    tally: Tally
    options: Mapping[str, Json]
    stopped: Mapping[str, Json]
    _stream: IO[bytes]
    _safe_at: float

    @property
    def beside(self) -> Path:
        """The file that says where a run stopped."""
        return _beside(self.path)

    def write(self, row: Mapping[str, Json], *, characters: int) -> None:
        """Append a row."""
        line = _ENCODER.encode(row).encode("utf-8", "surrogatepass") + b"\n"
        with explained(self.path):
            self._stream.write(line)
        self.tally.keep(line, date=str(row.get("date") or ""), characters=characters)

    def is_due(self) -> bool:
        """Whether it is time to make safe what was done."""
        return time.monotonic() - self._safe_at >= SECONDS_BETWEEN

    def save(self, stopped: Mapping[str, Json]) -> None:
        """Make safe all that was written, and with it where to go on."""
        with explained(self.path):
            self._stream.flush()
            size = self._stream.tell()
        state = {"options": dict(self.options), "bytes": size, "stopped": dict(stopped)}
        write_text(self.beside, json.dumps({**state, "tally": self.tally.state()}) + "\n")
        self._safe_at = time.monotonic()

    def tell(self, *, about: Mapping[str, Json], group: str, licence: str, title: str) -> Json:
        """Write the report and the data card beside the rows; the report comes back."""
        told = self.tally.told(about=about, group=group, licence=licence)
        write_json(self.path.with_suffix(".report.json"), told)
        write_text(self.path.with_suffix(".card.md"), card(told, title=title))
        return told


def _beside(path: Path) -> Path:
    return path.with_suffix(".state.json")


@contextlib.contextmanager
def opened(
    path: Path | str, *, options: Mapping[str, Json], gates: Sequence[tuple[str, str]]
) -> Iterator[Output]:
    """The output file, held for this process, as a run with the same options left it.

    Raises DataError if it is no JSONL file, if something else stands there, if it was begun with
    other options, or if another process writes it.
    """
    path = Path(path)
    if path.suffix != ".jsonl":
        raise DataError("rows are written as JSON lines", "name it ….jsonl", where=str(path))
    state = _state(path, options)
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("ab")
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            hint = "wait for it, or name another file"
            raise DataError("another process writes this file", hint, where=str(path)) from None
        state = _state(path, options)
        if (size := path.stat().st_size) < state["bytes"]:
            hint = f"remove it and {_beside(path).name} to begin again"
            problem = f"the file has {size:,} bytes and had {state['bytes']:,}"
            raise DataError(problem, hint, where=str(path))
        stream.truncate(state["bytes"])
        stream.seek(0, 2)
        told = state["tally"]
        tally = Tally.of_state(gates, told) if told else Tally(gates)
        rows = Output(path, tally, options, state["stopped"], stream, time.monotonic())
        if not rows.beside.exists():
            rows.save({})
        yield rows


def _state(path: Path, options: Mapping[str, Json]) -> dict[str, Json]:
    """What the last run left, or a beginning."""
    beside = _beside(path)
    if not beside.exists():
        if path.exists() and path.stat().st_size:
            hint = "name another file: what is there isn't touched"
            raise DataError("this file is there already", hint, where=str(path))
        return {"bytes": 0, "stopped": {}, "tally": None}
    try:
        state: dict[str, Json] = json.loads(beside.read_text("utf-8"))
        begun = state["options"]
        _ = state["bytes"], state["stopped"], state["tally"]
    except (ValueError, KeyError, TypeError):
        hint = f"remove it and {path.name} to begin again"
        raise DataError("this isn't where a run stopped", hint, where=str(beside)) from None
    wanted = json.loads(json.dumps(dict(options)))
    if begun != wanted:
        changed = sorted(key for key in {*begun, *wanted} if begun.get(key) != wanted.get(key))
        hint = "name another file, or give the same options"
        problem = f"the file was begun with another {', '.join(changed)}"
        raise DataError(problem, hint, where=str(path))
    return state
