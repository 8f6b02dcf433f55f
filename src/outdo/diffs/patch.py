"""What a unified diff says: files, hunks and lines, with the numbers of both sides.

A line's text comes without its end, which stands beside it, so that `apply` gives the new file
back byte for byte whatever ends its lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal[" ", "+", "-"]
Change = Literal["added", "deleted", "changed", "renamed", "copied"]
Size = Literal["small", "medium", "large"]

SMALL = 20
"""Changed lines, added and removed together, up to which a diff is small."""

MEDIUM = 100
"""Changed lines up to which it is medium; beyond, it is large."""


class Line(NamedTuple):
    """One line of a hunk: `old` and `new` are its numbers on each side, from 1, where it stands.

    A tuple, for a frozen dataclass takes three times as long to make, and a diff is mostly lines.

    `end` is a line feed, a carriage return and a line feed, or nothing at a file's very end.
    """

    kind: Kind
    text: str
    old: int | None
    new: int | None
    end: str = "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """Lines that stand together; the counts are those of `lines`, whatever the header claimed.

    A side of no lines starts at the line after which it would stand, 0 at a file's beginning.
    `section` is what the header says after its numbers, often the enclosing definition.
    """

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    section: str
    lines: tuple[Line, ...]

    @property
    def deletes_only(self) -> bool:
        """Whether lines go and none comes."""
        kinds = {line.kind for line in self.lines}
        return "-" in kinds and "+" not in kinds


@dataclass(frozen=True, slots=True, kw_only=True)
class FileDiff:
    """What happens to one file; `old_path` differs from `path` where it was renamed or copied.

    `modes` are git's, before and after, where the diff tells them. `unread` says why a file that
    the diff changes has no hunks here, if its form can't be read.
    """

    path: str
    old_path: str
    change: Change = "changed"
    binary: bool = False
    submodule: bool = False
    language: str | None = None
    hunks: tuple[Hunk, ...] = ()
    modes: tuple[str | None, str | None] = (None, None)
    unread: str | None = None

    @property
    def changed_lines(self) -> int:
        """Lines that come and lines that go, together."""
        return sum(line.kind != " " for hunk in self.hunks for line in hunk.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The files of a diff in its order, and what in it could not be read, with line numbers."""

    files: tuple[FileDiff, ...] = ()
    problems: tuple[str, ...] = field(default=())

    @property
    def paths(self) -> tuple[str, ...]:
        """The files' names after the change, each once."""
        return tuple(dict.fromkeys(file.path for file in self.files))


def new_side(file: FileDiff) -> dict[int, str]:
    """The lines that the diff shows of the new file, by their numbers there."""
    return {line.new: line.text for line in _lines(file) if line.new is not None}


def old_side(file: FileDiff) -> dict[int, str]:
    """The lines that the diff shows of the old file, by their numbers there."""
    return {line.old: line.text for line in _lines(file) if line.old is not None}


def hunk_of(file: FileDiff, line: int) -> Hunk | None:
    """The hunk whose new side holds this line of the new file, or None."""
    for hunk in file.hunks:
        if hunk.new_start <= line < hunk.new_start + hunk.new_count:
            return hunk
    return None


def apply(file: FileDiff, old_text: str) -> str | None:
    """The new file's text, or None where the diff does not fit the old one to the letter."""
    old = _ended(old_text)
    new: list[str] = []
    done = 0
    for hunk in file.hunks:
        first = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        before = [line.text + line.end for line in hunk.lines if line.kind != "+"]
        if first < done or old[first : first + len(before)] != before:
            return None
        new += old[done:first]
        new += (line.text + line.end for line in hunk.lines if line.kind != "-")
        done = first + len(before)
    return "".join(new + old[done:]) if done <= len(old) else None


def size_of(diff: Diff) -> Size:
    """How much a diff changes: `small` up to 20 changed lines, `medium` up to 100, else `large`."""
    changed = sum(file.changed_lines for file in diff.files)
    if changed <= SMALL:
        return "small"
    return "medium" if changed <= MEDIUM else "large"


def _lines(file: FileDiff) -> Iterator[Line]:
    return (line for hunk in file.hunks for line in hunk.lines)


def _ended(text: str) -> list[str]:
    """The lines of a text with their ends; only a line feed ends one."""
    lines = [f"{line}\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines
