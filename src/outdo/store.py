"""Stages on disk: work that is named by what was asked, resumed by what is there.

A stage is a folder `<kind>-<12 hex of its question>`. Row stages grow a line at a time and owe
what is not there yet; artifact stages are built aside and renamed when whole. A process may be
killed at any instant: the same command goes on, and no whole row is made again.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from outdo.errors import StoreError
from outdo.records import Json, canonical, digest

SYNC_EVERY_SECONDS = 2.0
"""A power cut loses at most this much of a row stage; a killed process loses nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A stored row: its name, what it is about (for readers), and the record itself.

    A row that can never be answered has no record but the reason, under `missing`.
    """

    key: str
    about: Mapping[str, Json]
    record: Json = None
    missing: str | None = None

    def line(self) -> str:
        data = {"key": self.key, "about": dict(self.about), "record": self.record}
        if self.missing is not None:
            data["missing"] = self.missing
        return json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False) + "\n"


Make = Callable[[list[str]], Iterable[Row]]
"""Makes the rows of the given keys, in any order, each the moment it is there."""

OnWait = Callable[[str], None]
"""Is told who holds a stage that another process is working on."""


@dataclass(frozen=True, slots=True)
class Store:
    """All stages below one folder, shared by the studies that stand beside them."""

    root: Path

    def rows(self, kind: str, what: Mapping[str, Json], how: Mapping[str, Json]) -> RowStage:
        """The row stage for the question `what`; `how` is written down but names nothing."""
        return RowStage(*self._stage(kind, what, how))

    def artifact(self, kind: str, what: Mapping[str, Json], how: Mapping[str, Json]) -> Artifact:
        """The artifact stage for the question `what`."""
        return Artifact(*self._stage(kind, what, how))

    def stages(self) -> Iterator[Path]:
        """The folders of all whole or growing stages, by name."""
        folder = self.root / ".stages"
        if folder.is_dir():
            yield from sorted(p for p in folder.iterdir() if (p / "what.json").is_file())

    def _stage(
        self, kind: str, what: Mapping[str, Json], how: Mapping[str, Json]
    ) -> tuple[Path, Mapping[str, Json], Mapping[str, Json]]:
        return self.root / ".stages" / stage_name(kind, what), what, how


def stage_name(kind: str, what: Mapping[str, Json]) -> str:
    """The folder name of a stage: its kind and 12 hexadecimal digits of its question."""
    return f"{kind}-{digest(what)[:12]}"


# ------------------------------------------------------------------ rows


@dataclass(frozen=True, slots=True)
class RowStage:
    """Rows that are named one by one; sealed when all that were wanted are there."""

    folder: Path
    what: Mapping[str, Json]
    how: Mapping[str, Json]

    @property
    def name(self) -> str:
        return self.folder.name

    def fill(
        self, wanted: Iterable[str], make: Make, *, on_wait: OnWait | None = None
    ) -> dict[str, Row]:
        """The wanted rows by key, in the order asked: those stored, and those made now.

        `make` is called once, with the keys that are owed, in order. Each row it yields is
        appended at once; what it has yielded stays, whatever happens to it afterwards.
        """
        keys = list(dict.fromkeys(wanted))
        with holding(self.folder, on_wait=on_wait):
            _write_identity(self.folder, self.what, self.how)
            there = self._recover()
            if owed := [key for key in keys if key not in there]:
                (self.folder / "done.json").unlink(missing_ok=True)
                self._append(owed, make, there)
            if not (self.folder / "done.json").is_file():
                self._seal(there)
        return {key: there[key] for key in keys}

    def read(self) -> dict[str, Row]:
        """The whole rows that are stored, by key; a torn last line is passed over."""
        path = self.folder / "rows.jsonl"
        return _parse(path)[0] if path.is_file() else {}

    def _recover(self) -> dict[str, Row]:
        path = self.folder / "rows.jsonl"
        if not path.is_file():
            return {}
        rows, whole = _parse(path)
        if whole < path.stat().st_size:
            (self.folder / "done.json").unlink(missing_ok=True)
            os.truncate(path, whole)
        done = self.folder / "done.json"
        if done.is_file() and _read_json(done) != _sealing(rows):
            raise StoreError(
                "the rows are not those that were sealed",
                "restore the file, or delete the folder to make them again",
                where=str(path),
            )
        return rows

    def _append(self, owed: list[str], make: Make, there: dict[str, Row]) -> None:
        expected = set(owed)
        with _Appender(self.folder / "rows.jsonl") as out:
            for row in make(owed):
                if row.key not in expected:
                    raise ValueError(f"{self.name}: row {row.key} was not asked for, or came twice")
                expected.remove(row.key)
                out.write(row.line())
                there[row.key] = row
        if expected:
            raise ValueError(f"{self.name}: {len(expected)} rows were asked for and never made")

    def _seal(self, rows: Mapping[str, Row]) -> None:
        (self.folder / "rows.jsonl").touch()
        write_json(self.folder / "done.json", _sealing(rows))


class _Appender:
    """Appends whole lines; one that doesn't fit on the disk leaves no trace."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> _Appender:
        with explained(self.path):
            self.file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        self.synced = time.monotonic()
        return self

    def write(self, line: str) -> None:
        data = line.encode("ascii")
        before = os.fstat(self.file).st_size
        with explained(self.path):
            try:
                while data:
                    data = data[os.write(self.file, data) :]
            except OSError:
                os.ftruncate(self.file, before)
                raise
            if time.monotonic() - self.synced > SYNC_EVERY_SECONDS:
                os.fsync(self.file)
                self.synced = time.monotonic()

    def __exit__(self, *_: object) -> None:
        with explained(self.path):
            try:
                os.fsync(self.file)
            finally:
                os.close(self.file)


def _parse(path: Path) -> tuple[dict[str, Row], int]:
    """The rows of a file by key, and how many bytes of it are whole lines."""
    rows: dict[str, Row] = {}
    whole = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                break
            row = _parse_line(line, f"{path}:{number}")
            if row.key in rows:
                raise StoreError(
                    f"row {row.key} is there twice",
                    "delete the folder to make its rows again",
                    where=f"{path}:{number}",
                )
            rows[row.key] = row
            whole += len(line)
    return rows, whole


def _parse_line(line: bytes, where: str) -> Row:
    try:
        return Row(**json.loads(line))
    except (ValueError, TypeError) as error:
        raise StoreError(
            "this line is no stored row",
            "something else wrote here: delete the folder to make its rows again",
            where=where,
        ) from error


def _sealing(rows: Mapping[str, Row]) -> Json:
    """What `done.json` holds: how many rows, and a digest that neither order nor usage changes."""
    content = hashlib.sha256()
    for key in sorted(rows):
        row = rows[key]
        content.update(canonical([key, row.about, row.record, row.missing]).encode("ascii"))
    return {"rows": len(rows), "digest": content.hexdigest()}


# ------------------------------------------------------------------ artifacts


@dataclass(frozen=True, slots=True)
class Artifact:
    """A folder that is there whole, or not at all."""

    folder: Path
    what: Mapping[str, Json]
    how: Mapping[str, Json]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def is_done(self) -> bool:
        return (self.folder / "done.json").is_file()

    def build(self, make: Callable[[Path], None], *, on_wait: OnWait | None = None) -> Path:
        """The folder, made by `make(part)` if it isn't there.

        `part` outlives a killed process, so that `make` may leave checkpoints in it and go on;
        what it leaves there under `checkpoint` is not part of the artifact.
        """
        part = self.folder.with_name(self.folder.name + ".part")
        with holding(self.folder, on_wait=on_wait):
            if self.is_done:
                self._check_whole()
                return self.folder
            with explained(part):
                part.mkdir(parents=True, exist_ok=True)
                if not (part / "done.json").is_file():  # else: killed when only the name was owed
                    make(part)
                    _write_identity(part, self.what, self.how)
                    write_json(part / "done.json", {"files": _listing(part)})
                shutil.rmtree(part / "checkpoint", ignore_errors=True)
                shutil.rmtree(self.folder, ignore_errors=True)
                part.rename(self.folder)
                _sync_folder(self.folder.parent)
        return self.folder

    def _check_whole(self) -> None:
        _write_identity(self.folder, self.what, self.how)
        for name, entry in _read_json(self.folder / "done.json")["files"].items():
            path = self.folder / name
            if not path.is_file() or path.stat().st_size != entry["bytes"]:
                raise StoreError(
                    "a file of this stage is missing or was cut",
                    "delete the folder to make it again",
                    where=str(path),
                )


def _listing(folder: Path) -> dict[str, Json]:
    """Relative path to size and SHA-256 of every file of an artifact's folder."""
    return {
        path.relative_to(folder).as_posix(): {
            "bytes": path.stat().st_size,
            "sha256": file_digest(path),
        }
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in ("checkpoint", "done.json")
    }


# ------------------------------------------------------------------ files


def file_digest(path: Path) -> str:
    """The SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_json(path: Path, data: Json) -> None:
    """Write a JSON file so that a reader sees the old one or the new one, never a part."""
    write_text(path, json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old one or the new one, never a part."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with aside.open("w", encoding="utf-8", errors="surrogatepass") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_json(path: Path) -> Json:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise StoreError(
            "this file is not whole", "delete its folder to make it again", where=str(path)
        ) from error


def _write_identity(folder: Path, what: Mapping[str, Json], how: Mapping[str, Json]) -> None:
    path = folder / "what.json"
    if path.is_file() and canonical(_read_json(path)) != canonical(what):
        raise StoreError(
            "this folder answers another question",
            "it was changed by hand, or its name collides: move it away",
            where=str(path),
        )
    if not path.is_file():
        write_json(folder / "how.json", dict(how))
        write_json(path, dict(what))


_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
"""Not allowed, or something that is no folder stands where a folder should be."""


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turns a full disk or a forbidden folder into an error that says so; nothing is lost by it."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or path)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            hint = "free some space; the same command goes on from the last whole row"
            raise StoreError("the disk is full", hint, where=where) from error
        if error.errno in _FORBIDDEN:
            hint = "choose another folder with --log-dir"
            raise StoreError("this can't be written", hint, where=where) from error
        raise


# ------------------------------------------------------------------ one at a time


@contextlib.contextmanager
def holding(folder: Path, *, on_wait: OnWait | None = None) -> Iterator[None]:
    """Holds a folder for this process; a second one waits, and is told for whom.

    The lock ends with the process, however it ends.
    """
    path = folder.with_name(f".{folder.name}.lock")
    with explained(path):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+", encoding="utf-8")
    with lock:
        if not _try_lock(lock):
            if on_wait is not None:
                lock.seek(0)
                on_wait(lock.read().strip() or "another process")
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        lock.truncate()
        lock.write(_who())
        lock.flush()
        try:
            yield
        finally:
            fcntl.flock(lock, fcntl.LOCK_UN)  # a forked child that outlives us has a copy of it


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _who() -> str:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200]
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return f"process {os.getpid()} on {socket.gethostname()} since {since}: {command}"
