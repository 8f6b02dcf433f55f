"""Places in a program's text, and the text with some of them written anew, all else as it was."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from outdo import text


@dataclass(frozen=True, slots=True)
class Change:
    """Bytes from `start` to `end` of a program, in UTF-8, become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Source:
    """A program that has a syntax tree, and where its nodes stand."""

    code: str
    tree: ast.Module

    @classmethod
    def of(cls, code: str) -> Source | None:
        """The source, or None where the text has no syntax tree."""
        code = text.plain(code)
        tree = text.syntax_tree(code)
        return None if tree is None else cls(code, tree)

    @cached_property
    def data(self) -> bytes:
        return self.code.encode("utf-8")

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.data.split(b"\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """What names of imported modules and of what is imported from them stand for."""
        found: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for one in node.names:
                    found[one.asname or one.name.partition(".")[0]] = (
                        one.name if one.asname else one.name.partition(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for one in node.names:
                    found[one.asname or one.name] = f"{node.module}.{one.name}"
        return found

    def called(self, node: ast.AST) -> str:
        """The whole dotted name of what a call calls, imports resolved; empty if it has none."""
        if not isinstance(node, ast.Call):
            return ""
        return self.dotted(node.func)

    def dotted(self, node: ast.AST) -> str:
        """The whole dotted name that an expression is, imports resolved; empty if it is none."""
        names: list[str] = []
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        head = self.modules.get(node.id, node.id)
        return ".".join([head, *reversed(names)])

    @cached_property
    def calls(self) -> Sequence[tuple[str, ast.Call]]:
        """All calls with the dotted names of what they call, in the order of the text."""
        found = [node for node in self.nodes if isinstance(node, ast.Call)]
        found.sort(key=lambda one: (one.lineno, one.col_offset))
        return [(self.called(node), node) for node in found]

    @cached_property
    def nodes(self) -> Sequence[ast.AST]:
        """All nodes, as `ast.walk` gives them."""
        return list(ast.walk(self.tree))

    def at(self, node: ast.AST) -> tuple[int, int]:
        """Where a node begins and ends, in bytes."""
        return (
            self._starts[node.lineno - 1] + node.col_offset,  # type: ignore[attr-defined]
            self._starts[node.end_lineno - 1] + node.end_col_offset,  # type: ignore[attr-defined]
        )

    def said(self, node: ast.AST) -> str:
        """The text of a node, as it is written."""
        start, end = self.at(node)
        return self.data[start:end].decode("utf-8")

    def put(self, node: ast.AST, new: str) -> Change:
        """The change that writes a node anew."""
        return Change(*self.at(node), new)

    def without(self, call: ast.Call, word: ast.keyword) -> Change:
        """The change that takes a keyword out of a call, with the comma that goes with it."""
        start, end = self.at(word)
        before = self.data[self.at(call.func)[1] : start].rstrip()
        if before.endswith(b","):
            start = self.at(call.func)[1] + len(before) - 1
        else:
            after = self.data[end : self.at(call)[1]]
            end += len(after) - len(after.lstrip(b" ,"))
        return Change(start, end, "")

    def extended(self, call: ast.Call, more: str) -> Change:
        """The change that gives a call one more argument, after those it has."""
        last = [*call.args, *call.keywords]
        if last:
            end = max(self.at(one)[1] for one in last)
            return Change(end, end, f", {more}")
        end = self.at(call)[1] - 1
        return Change(end, end, more)

    def changed(self, changes: Iterable[Change]) -> str | None:
        """The text after the changes; None if two overlap, or it has no syntax tree any more."""
        parts: list[bytes] = []
        at = 0
        for change in sorted(changes, key=lambda one: (one.start, one.end)):
            if change.start < at:
                return None
            parts += [self.data[at : change.start], change.text.encode("utf-8")]
            at = change.end
        said = b"".join([*parts, self.data[at:]]).decode("utf-8")
        return said if text.syntax_tree(said) is not None else None
