"""Files as plain data that still knows its lines, so that an error can say where.

A reader gives back Python values and, beside them, the line on which each value stands. The
mistake of a user is then one line: file, line, what is wrong, what to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from outdo.errors import DataError
from outdo.records import Json
from outdo.yamlfile import composed

Step = str | int
"""A key or an index on the way from a document to one of its values."""

MAX_TEXT_BYTES = 2**20
"""The largest program or problem file that is read; what people write is a thousand times less."""

MAX_DEPTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A file and the line of each value in it; `line` is where the whole begins."""

    path: str
    line: int = 1
    lines: Mapping[tuple[Step, ...], int] = field(default_factory=dict)

    def at(self, *steps: Step) -> str:
        """`file:line` of the value that the steps lead to, or of the nearest one around it."""
        for end in range(len(steps), 0, -1):
            if steps[:end] in self.lines:
                return f"{self.path}:{self.lines[steps[:end]]}"
        return f"{self.path}:{self.line}"

    def error(self, problem: str, hint: str = "", *, at: Sequence[Step] = ()) -> DataError:
        return DataError(problem, hint, where=self.at(*at))


def read_text(path: Path, *, limit: int = MAX_TEXT_BYTES) -> str:
    """The text of a UTF-8 file with line ends as `\\n`; refused if it's missing, huge or binary."""
    where = str(path)
    try:
        size = path.stat().st_size
        if size > limit:
            raise DataError(
                f"the file has {size:,} bytes", f"at most {limit:,} are read", where=where
            )
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError("there is no such file", "check the path", where=where) from None
    except OSError as error:
        raise DataError(f"the file can't be read: {error.strerror}", where=where) from None
    return decoded(data, where=where)


def decoded(data: bytes, *, where: str, line: int = 1) -> str:
    """The bytes as text, `\\n` at line ends; refused, with the line, if they aren't UTF-8 text.

    `line` is the number of the first line.
    """
    if (null := data.find(b"\0")) >= 0:
        raise DataError(
            "the file holds a null byte",
            "it isn't text, or it was saved as UTF-16: save it as UTF-8",
            where=f"{where}:{data.count(10, 0, null) + line}",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line += data.count(10, 0, error.start)
        raise DataError(
            "the file isn't UTF-8", "save it as UTF-8", where=f"{where}:{line}"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_yaml(path: Path) -> tuple[Json, Place]:
    """One YAML document and its lines; every scalar stays the text that was written.

    Whoever reads the values gives them their types, so that `expected: True` and
    `expected: "True"` are one thing. Aliases and keys that stand twice are refused.
    """
    text = read_text(path)
    try:
        node = composed(text, path=path, refusal=DataError)
    except RecursionError:
        raise DataError("the values are nested too deep", where=str(path)) from None
    if node is None:
        raise DataError("the file is empty", where=str(path))
    lines: dict[tuple[Step, ...], int] = {}
    value = _plain(node, (), lines, set(), str(path))
    return value, Place(path=str(path), lines=lines)


def _plain(
    node: yaml.Node,
    steps: tuple[Step, ...],
    lines: dict[tuple[Step, ...], int],
    seen: set[int],
    path: str,
) -> Json:
    line = lines.setdefault(steps, node.start_mark.line + 1)
    if id(node) in seen:
        raise DataError("an alias (*name) stands here", "write it out", where=f"{path}:{line}")
    if len(steps) > MAX_DEPTH:
        raise DataError("the values are nested too deep", where=f"{path}:{line}")
    seen.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [
            _plain(item, (*steps, index), lines, seen, path)
            for index, item in enumerate(node.value)
        ]
    result: dict[str, Json] = {}
    for key, item in node.value:
        name, line = key.value, key.start_mark.line + 1
        if not isinstance(name, str):
            raise DataError("a key must be a word", where=f"{path}:{line}")
        if name in result:
            raise DataError(f"the key {name!r} stands twice", where=f"{path}:{line}")
        lines[(*steps, name)] = line
        result[name] = _plain(item, (*steps, name), lines, seen, path)
    return result


def content_name(text: str, *, digits: int = 12) -> str:
    """A short name of a text by its content, for ids."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]
