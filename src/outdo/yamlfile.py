"""YAML whose every key knows its line, so that a mistake can be pointed at.

`composed` reads any YAML text into nodes, `YamlFile` a study with its types and its `<<: *anchor`.
A key that stands twice is a mistake here: YAML itself would silently take the last.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from outdo.errors import OutdoError, StudyError

Place = tuple[str | int, ...]
"""The way to a value: keys, and positions in lists."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The fast one, where PyYAML was built with it; they differ in the words of a mistake alone."""

_EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")


@dataclass(frozen=True, slots=True)
class YamlFile:
    """The data of a file, and `of`: place to `file:line`."""

    path: Path
    data: dict[str, Any] = field(default_factory=dict)
    of: dict[Place, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> YamlFile:
        """The file, read. Raises StudyError if it isn't there, isn't YAML or isn't a mapping."""
        try:
            text = path.read_text("utf-8")
        except FileNotFoundError as error:
            raise StudyError("there is no such study file", where=str(path)) from error
        except (UnicodeDecodeError, OSError) as error:
            raise StudyError(f"it can't be read: {error}", where=str(path)) from error
        file = cls(path)
        try:
            data = file._value(composed(text, path=path, refusal=StudyError), ())
        except RecursionError as error:
            raise StudyError("it is nested without end", where=str(path)) from error
        if not isinstance(data, dict):
            raise StudyError("a study is a mapping of keys to values", where=f"{path}:1")
        file.data.update(data)
        return file

    def where(self, place: Place) -> str:
        """File and line of a place, or of the nearest thing around it."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.of:
                return self.of[place[:length]]
        return f"{self.path}:1"

    def _value(self, node: yaml.Node | None, place: Place) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*place, i)) for i, item in enumerate(node.value)]
        return number(self._scalar(node)) if node is not None else None

    def _item(self, node: yaml.Node, place: Place) -> Any:
        self.of[place] = self._line(node)
        return self._value(node, place)

    def _mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        own: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise StudyError("a key is a word", where=self._line(key_node))
            key = str(key_node.value)
            if key in own:
                where = self._line(key_node)
                raise StudyError(f"{key!r} is there twice", "rename one", where=where)
            own.add(key)
        yaml.SafeLoader("").flatten_mapping(node)  # `<<: *anchor`: the node's own keys come last
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(self._scalar(key_node))
            self.of[*place, key] = self._line(key_node)
            built[key] = self._value(value_node, (*place, key))
        return built

    def _scalar(self, node: yaml.Node) -> Any:
        try:
            return yaml.SafeLoader("").construct_object(node, deep=True)
        except (yaml.MarkedYAMLError, ValueError) as error:
            said = error.problem if isinstance(error, yaml.MarkedYAMLError) else error
            raise StudyError(f"this is no plain value: {said}", where=self._line(node)) from error

    def _line(self, node: yaml.Node) -> str:
        return f"{self.path}:{node.start_mark.line + 1}"


def composed(text: str, *, path: Path, refusal: type[OutdoError]) -> yaml.Node | None:
    """The nodes of a YAML text; None if it holds nothing.

    Raises `refusal` at the line of a mistake, RecursionError if the text is nested too deep.
    """
    try:
        return yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1 if mark else 1}"
        raise refusal(f"this is not YAML: {error.problem}", where=where) from error
    except yaml.YAMLError as error:
        problem = str(error).splitlines()[0]
        raise refusal(f"this is not YAML: {problem}", where=str(path)) from error


def number(value: Any) -> Any:
    """The value, where `2e-3` is a number, as everyone means it (YAML 1.1 reads a string)."""
    if isinstance(value, str) and _EXPONENT.fullmatch(value):
        return float(value)
    return value
