"""Logs of Inspect, as JSON or in its packed form `.eval`; they are read and never written.

A sample's epochs are its samples here. One that ended in an error was never answered.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from outdo.data.bridges.answers import Found
from outdo.data.place import Place
from outdo.errors import DataError, MissingExtra
from outdo.records import Json

ZSTANDARD = 93
"""The number of the compression method that newer logs use, and that `zipfile` can't read."""
MAX_ENTRY_BYTES = 256 * 2**20
ATTACHED = "attachment://"
_HEADER = 30
"""Bytes of a zip entry's own header before its name."""


def read_json(log: Mapping[str, Json], path: Path) -> Iterator[Found]:
    """The answers of a log that is one JSON object."""
    place = Place(path=str(path))
    samples = log.get("samples")
    if not isinstance(samples, list):
        raise place.error("the log holds no samples", "it may hold a header only: log the samples")
    for sample in samples:
        yield _found(sample, _model(log), place)


def read_packed(path: Path) -> Iterator[Found]:
    """The answers of a packed log, sample by sample in the order of their names."""
    place = Place(path=str(path))
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
            entries = {entry.filename: entry for entry in archive.infolist()}
            header = entries.get("header.json") or entries.get("_journal/start.json")
            if header is None:
                raise place.error("the log has no header", "it isn't one of Inspect's")
            model = _model(_json(archive, stream, header, place))
            for name in sorted(entries):
                if name.startswith("samples/") and name.endswith(".json"):
                    yield _found(_json(archive, stream, entries[name], place), model, place)
    except FileNotFoundError:
        raise DataError("there is no such file", "check the path", where=str(path)) from None
    except (zipfile.BadZipFile, EOFError, struct.error, OSError) as error:
        raise place.error(f"the log is torn: {error}", "copy it again") from None


def _json(
    archive: zipfile.ZipFile, stream: BinaryIO, entry: zipfile.ZipInfo, place: Place
) -> dict[str, Any]:
    if entry.file_size > MAX_ENTRY_BYTES:
        raise place.error(f"{entry.filename} has {entry.file_size:,} bytes")
    if entry.compress_type == ZSTANDARD:
        data = _unpacked(stream, entry, place)
    else:
        data = archive.read(entry)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise place.error(f"{entry.filename} isn't JSON", "copy the log again") from None
    if not isinstance(value, dict):
        raise place.error(f"{entry.filename} isn't an object")
    return value


def _unpacked(stream: BinaryIO, entry: zipfile.ZipInfo, place: Place) -> bytes:
    try:
        import pyarrow
    except ModuleNotFoundError:
        raise MissingExtra.of("pyarrow", "data") from None
    stream.seek(entry.header_offset)
    name, extra = struct.unpack("<HH", stream.read(_HEADER)[26:30])
    stream.seek(name + extra, 1)
    packed = stream.read(entry.compress_size)
    try:
        data: bytes = pyarrow.decompress(
            packed, decompressed_size=entry.file_size, codec="zstd", asbytes=True
        )
    except (pyarrow.ArrowException, OSError) as error:
        raise place.error(f"{entry.filename} is torn: {error}", "copy the log again") from None
    return data


def _model(log: Mapping[str, Json]) -> str:
    told = log.get("eval")
    return str(told.get("model") or "") if isinstance(told, Mapping) else ""


def _found(sample: Json, model: str, place: Place) -> Found:
    if not isinstance(sample, Mapping) or "id" not in sample:
        raise place.error("a sample has no id")
    attached = sample.get("attachments")
    attached = attached if isinstance(attached, Mapping) else {}
    output = sample.get("output")
    choices = output.get("choices") if isinstance(output, Mapping) else None
    texts = []
    if isinstance(choices, list) and choices and not sample.get("error"):
        message = choices[0].get("message") if isinstance(choices[0], Mapping) else None
        if isinstance(message, Mapping):
            texts.append(_text(message.get("content"), attached))
    return Found(
        id=str(sample["id"]),
        texts=tuple(texts),
        prompt=_prompt(sample.get("input"), attached),
        place=place,
        name=model,
    )


def _prompt(asked: Json, attached: Mapping[str, Json]) -> str | None:
    """What the model was asked: a text, or the system's and the user's messages."""
    if isinstance(asked, str):
        return _text(asked, attached)
    if not isinstance(asked, list):
        return None
    said = [
        _text(each.get("content"), attached)
        for each in asked
        if isinstance(each, Mapping) and each.get("role") in ("system", "user")
    ]
    return "\n\n".join(said) or None


def _text(content: Json, attached: Mapping[str, Json]) -> str:
    """The text of a message; its reasoning and its pictures are no part of the answer."""
    if isinstance(content, str):
        if content.startswith(ATTACHED):
            return str(attached.get(content.removeprefix(ATTACHED), content))
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(
        _text(part.get("text"), attached)
        for part in content
        if isinstance(part, Mapping) and part.get("type") == "text"
    )
