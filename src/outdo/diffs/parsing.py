"""Unified diffs, read leniently: whatever the text, files come back, and problems with places.

A hunk is as long as its header says, since only that tells a removed «-- a» from the header of the
next file. Where a header lies, the lines decide, and a problem says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from outdo.diffs.languages import language_of
from outdo.diffs.patch import Change, Diff, FileDiff, Hunk, Line

MOST_PROBLEMS = 20
"""Problems told one by one; the rest are counted."""

NAMELESS = "(no name)"
"""The path of hunks that stand under no file's header."""

_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(rb'((?:\\[0-3][0-7]{2})+)|\\(["\\])')
_OCTAL = re.compile(rb"\\([0-3][0-7]{2})")
_UNFIT = re.compile("[\x00\ud800-\udfff]")
_MODE = re.compile(r"(old|new|deleted file|new file) mode ([0-7]{6})$")
_BINARY = re.compile(r"(?:Binary files|Files) (.+) and (.+) differ$")
_SUBMODULE = re.compile(r"Submodule (.+?) (?:[0-9a-f]{7,}|contains|\(new|\(deleted)")
_PREFIXES = {("a/", "b/"), ("b/", "a/"), ("i/", "w/"), ("c/", "i/"), ("c/", "w/"), ("o/", "w/")}
_EXTENDED = (
    *("old mode ", "new mode ", "deleted file mode ", "new file mode ", "index "),
    *("copy from ", "copy to ", "rename from ", "rename to ", "rename old ", "rename new "),
    *("similarity index ", "dissimilarity index "),
)
_FURNITURE = ("diff ", "Index: ", "======", "index ")


def parse(text: str | bytes) -> Diff:
    """The files and hunks of a unified diff, git's or plain; it never raises.

    Bytes are read as UTF-8. What can't be is replaced by U+FFFD and told, as is all that
    stands in no file: a diff of which nothing could be read has no files and a problem.
    """
    reader = _Reader()
    reader.lines = _split(text, reader.problems)
    _whole(reader)
    if not reader.files and not reader.problems and any(line.strip() for line in reader.lines):
        reader.tell("no file's changes can be read from here on", 0)
    _tell_repeats(reader)
    if reader.left_over > 0:
        reader.problems.append(f"{reader.left_over} more problems")
    return Diff(files=tuple(reader.files), problems=tuple(reader.problems))


@dataclass
class _Reader:
    """The lines, how far they are read, and what was found."""

    lines: Sequence[str] = ()
    at: int = 0
    files: list[FileDiff] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_over: int = 0

    def line(self, ahead: int = 0) -> str | None:
        here = self.at + ahead
        return self.lines[here] if here < len(self.lines) else None

    def tell(self, problem: str, at: int) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"line {at + 1}: {problem}")
        else:
            self.left_over += 1


@dataclass
class _Header:
    """What the lines before a file's first hunk say."""

    old: str = ""
    new: str = ""
    moved: Change | None = None
    modes: tuple[str | None, str | None] = (None, None)
    change: Change = "changed"
    binary: bool = False


def _split(text: str | bytes, problems: list[str]) -> list[str]:
    """The lines of a text, mended where no file could hold it; a line feed alone ends one."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    fit = text.isascii() and "\0" not in text
    if found := 0 if fit else len(_UNFIT.findall(text)):
        text = _UNFIT.sub("\ufffd", text)
        problems.append(f"not UTF-8 text: {found} bytes or characters replaced by U+FFFD")
    lines = text.removeprefix("\ufeff").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    # Git ends its own lines with a line feed, whatever the files do: else the whole was converted.
    header = next((line for line in lines if line.startswith(("diff ", "--- ", "@@ -"))), "")
    if header.endswith("\r"):
        lines = [line.removesuffix("\r") for line in lines]
    return lines


def _whole(reader: _Reader) -> None:
    """Reads one file after another; runs of lines that belong to none are told."""
    strange: int | None = None
    while (line := reader.line()) is not None:
        start, before = reader.at, len(reader.files)
        if _one(reader, line):
            if strange is not None:
                _tell_strange(reader, strange, start)
            strange = None
            if len(reader.files) == before and reader.at == start:
                reader.at += 1
            continue
        if strange is None and line.strip():
            strange = start
        reader.at += 1
    if strange is not None:
        _tell_strange(reader, strange, reader.at)


def _tell_strange(reader: _Reader, start: int, end: int) -> None:
    rows = sum(bool(line.strip()) for line in reader.lines[start:end])
    what = "1 line that belongs" if rows == 1 else f"{rows} lines that belong"
    reader.tell(f"{what} to no file, passed over", start)


def _tell_repeats(reader: _Reader) -> None:
    """Tells files with a new side of their own in several patches, whose numbers then differ."""
    times = Counter(
        file.path for file in reader.files if file.change != "deleted" and file.path != NAMELESS
    )
    repeated = [path for path, count in times.items() if count > 1]
    if repeated:
        reader.tell(f"a series of patches: {', '.join(repeated[:3])} changes more than once", 0)


def _one(reader: _Reader, line: str) -> bool:
    """Reads what begins here; False if nothing of a diff does."""
    if line.startswith("diff --git "):
        _git_file(reader)
    elif line.startswith(("diff --cc ", "diff --combined ")):
        _combined(reader)
    elif _starts_plain(reader):
        _plain_file(reader)
    elif line.startswith("@@ -") and _HUNK.match(line):
        _nameless(reader)
    elif match := _differ(line):
        reader.at += 1
        header = _Header(binary=True)
        header.old, header.new = _names(match[1], match[2])
        reader.files.append(_file(header, ()))
    elif match := _SUBMODULE.match(line):
        _submodule_log(reader, match[1])
    elif line.rstrip() == "--":
        reader.at += 2  # a mail's signature: the line below it is git's version
    elif not line.startswith(_FURNITURE):
        return False
    return True


# ------------------------------------------------------------------ one file


def _git_file(reader: _Reader) -> None:
    start = reader.at
    header = _Header()
    named = str(reader.line())[len("diff --git ") :]
    reader.at += 1
    told: dict[str, str] = {}
    while (line := reader.line()) is not None and line.startswith(_EXTENDED):
        _extended(header, line, told)
        reader.at += 1
    if reader.line() == "GIT binary patch":
        header.binary = True
        _skip_to_next(reader)
    elif (line := reader.line()) is not None and _differ(line):
        header.binary = True
        reader.at += 1
    plain = _starts_plain(reader)
    _name(header, named, told, _sides(reader) if plain else None)
    if plain:
        reader.at += 2
    if not header.new:
        reader.tell("a file's header without a name that can be read", start)
        header.old = header.new = NAMELESS
    reader.files.append(_file(header, _hunks(reader) if not header.binary else ()))


def _differ(line: str) -> re.Match[str] | None:
    # Asked for first, the end keeps the search linear on a long line.
    return _BINARY.match(line) if line.endswith(" differ") else None


def _extended(header: _Header, line: str, told: dict[str, str]) -> None:
    """Notes one of git's own lines between the header and the hunks."""
    if mode := _MODE.match(line):
        which, value = mode[1], mode[2]
        before, after = header.modes
        old = which in {"old", "deleted file"}
        header.modes = (value, after) if old else (before, value)
        if which == "deleted file":
            header.change = "deleted"
        elif which == "new file":
            header.change = "added"
        return
    words = line.split(" ", 2)
    if words[0] in {"rename", "copy"} and len(words) == 3:
        header.moved = "renamed" if words[0] == "rename" else "copied"
        told["old" if words[1] in {"from", "old"} else "new"] = unquoted(words[2])


def _name(header: _Header, named: str, told: dict[str, str], sides: tuple[str, str] | None) -> None:
    """Names a file by its plainest witness: rename lines, then `---` and `+++`, then `diff`."""
    both = _both(named)
    if "old" in told and "new" in told:
        header.old, header.new = told["old"], told["new"]
        return
    old, new = both or ("", "")
    if sides:
        old = sides[0] if sides[0] != "/dev/null" else (old or sides[1])
        new = sides[1] if sides[1] != "/dev/null" else (new or sides[0])
        if sides[0] == "/dev/null" != sides[1]:
            header.change = "added"
        elif sides[1] == "/dev/null" != sides[0]:
            header.change = "deleted"
    header.old, header.new = _stripped(old, new)
    if both is None and header.change != "changed":
        header.old, header.new = _one_stripped(old), _one_stripped(new)
    if header.change == "added":
        header.old = header.new
    elif header.change == "deleted":
        header.new = header.old
    if header.old != header.new and header.moved is None:
        header.moved = "renamed"


def _plain_file(reader: _Reader) -> None:
    old, new = _sides(reader)
    reader.at += 2
    header = _Header()
    if old == "/dev/null" != new:
        header.change = "added"
        header.old = header.new = _one_stripped(new)
    elif new == "/dev/null" != old:
        header.change = "deleted"
        header.old = header.new = _one_stripped(old)
    else:
        header.old, header.new = _names(old, new)
    reader.files.append(_file(header, _hunks(reader)))


def _nameless(reader: _Reader) -> None:
    reader.tell("hunks without a file's header", reader.at)
    reader.files.append(_file(_Header(old=NAMELESS, new=NAMELESS), _hunks(reader)))


def _combined(reader: _Reader) -> None:
    start = reader.at
    path = unquoted(str(reader.line()).split(" ", 2)[2]) or NAMELESS
    reader.tell(f"{path}: a merge's combined diff, which has no two sides", start)
    _skip_to_next(reader)
    unread = "a merge's combined diff"
    reader.files.append(
        FileDiff(path=path, old_path=path, language=language_of(path), unread=unread)
    )


def _submodule_log(reader: _Reader, path: str) -> None:
    """Git's other form for submodules: a line, and the commits' subjects below it."""
    reader.at += 1
    while (line := reader.line()) is not None and line.startswith(("  > ", "  < ")):
        reader.at += 1
    if reader.files and reader.files[-1].path == path and reader.files[-1].submodule:
        return  # «contains modified content» stands on a line of its own
    reader.files.append(FileDiff(path=path, old_path=path, submodule=True))


def _skip_to_next(reader: _Reader) -> None:
    reader.at += 1
    while (line := reader.line()) is not None and not line.startswith("diff --"):
        reader.at += 1


def _file(header: _Header, hunks: tuple[Hunk, ...]) -> FileDiff:
    submodule = "160000" in header.modes or _points_at_commits(hunks)
    return FileDiff(
        path=header.new,
        old_path=header.old,
        change=header.moved or header.change,
        binary=header.binary,
        submodule=submodule,
        language=None if submodule else language_of(header.new),
        hunks=hunks,
        modes=header.modes,
    )


def _points_at_commits(hunks: Sequence[Hunk]) -> bool:
    """Whether all that changes is the commit that a submodule stands at."""
    if len(hunks) != 1 or len(hunks[0].lines) > 2:
        return False
    return all(line.text.startswith("Subproject commit ") for line in hunks[0].lines)


# ------------------------------------------------------------------ hunks


def _hunks(reader: _Reader) -> tuple[Hunk, ...]:
    found = []
    while (line := reader.line()) is not None and (match := _HUNK.match(line)):
        found.append(_hunk(reader, match))
    return tuple(found)


def _hunk(reader: _Reader, match: re.Match[str]) -> Hunk:
    """One hunk; the reader then stands behind its last line."""
    begun = reader.at
    old_start, new_start = int(match[1]), int(match[3])
    old_owed = 1 if match[2] is None else int(match[2])
    new_owed = 1 if match[4] is None else int(match[4])
    owed = old_owed, new_owed
    # A side without lines names the line before it.
    old, new = old_start + (old_owed == 0), new_start + (new_owed == 0)
    first_old, first_new = old, new
    lines: list[Line] = []
    source, at = reader.lines, reader.at + 1
    while at < len(source):
        row = source[at]
        kind = row[:1]
        open_ = old_owed > 0 or new_owed > 0
        if kind == "\\":
            if lines:
                lines[-1] = _unended(lines[-1])
        elif not _belongs(source, at, old_owed, new_owed):
            break
        else:
            text, end = (row[1:-1], "\r\n") if row.endswith("\r") else (row[1:], "\n")
            if kind == "+":
                lines.append(Line("+", text, None, new, end))
                new, new_owed = new + 1, new_owed - 1
            elif kind == "-":
                lines.append(Line("-", text, old, None, end))
                old, old_owed = old + 1, old_owed - 1
            elif kind == " " or open_:
                lines.append(Line(" ", text, old, new, end))
                old, new = old + 1, new + 1
                old_owed, new_owed = old_owed - 1, new_owed - 1
        at += 1
    reader.at = at
    counts = old - first_old, new - first_new
    if counts != owed:
        said = f"{owed[0]} and {owed[1]}"
        reader.tell(f"a hunk of {counts[0]} and {counts[1]} lines that claims {said}", begun)
    return Hunk(
        old_start=first_old - (counts[0] == 0),
        old_count=counts[0],
        new_start=first_new - (counts[1] == 0),
        new_count=counts[1],
        section=match[5].rstrip(),
        lines=tuple(lines),
    )


def _belongs(source: Sequence[str], at: int, old_owed: int, new_owed: int) -> bool:
    """Whether a row is a line of the hunk before it."""
    row = source[at]
    kind = row[:1]
    if kind not in {" ", "+", "-", "", "\r"}:
        return False
    if old_owed > 0 or new_owed > 0:
        if kind != "-" or not _is_plain_header(source, at):
            # An editor may have taken the blank off an empty line of context.
            return True
        # Two last owed lines before the next hunk are lines; any others are the next file.
        return (old_owed, new_owed) == (1, 1) or not _is_hunk(source, at + 2)
    if row.rstrip() == "--" or _is_plain_header(source, at):
        return False
    return kind in {" ", "+", "-"}


def _is_plain_header(source: Sequence[str], at: int) -> bool:
    return (
        source[at].startswith("--- ") and at + 1 < len(source) and source[at + 1].startswith("+++ ")
    )


def _is_hunk(source: Sequence[str], at: int) -> bool:
    return at < len(source) and source[at].startswith("@@ -")


def _unended(line: Line) -> Line:
    # A carriage return before the missing line feed is a character of the line.
    text = line.text + line.end.removesuffix("\n")
    return Line(line.kind, text, line.old, line.new, "")


# ------------------------------------------------------------------ names


def unquoted(name: str) -> str:
    """A path as git writes it, its quotes and octal bytes undone; one line, whatever it holds.

    Control characters stay the escapes that git wrote; a bare carriage return becomes one.
    """
    match = _QUOTED.fullmatch(name.strip())
    if match is None:
        return name.rstrip("\r").replace("\r", "\\r")

    def mended(found: re.Match[bytes]) -> bytes:
        octal: bytes | None = found[1]
        if octal is None:
            return found[2]
        raw = bytes(int(one, 8) for one in _OCTAL.findall(octal))
        return octal if min(raw) < 0x20 or 0x7F in raw else raw

    raw = _ESCAPED.sub(mended, match[1].encode("utf-8"))
    return raw.decode("utf-8", "replace").replace("\r", "\\r")


def _starts_plain(reader: _Reader) -> bool:
    return reader.line() is not None and _is_plain_header(reader.lines, reader.at)


def _sides(reader: _Reader) -> tuple[str, str]:
    """What stands after `---` and `+++`, without times."""
    old, new = str(reader.line())[4:], str(reader.line(1))[4:]
    return _untimed(old), _untimed(new)


def _untimed(name: str) -> str:
    return unquoted(name if name.startswith('"') else name.partition("\t")[0].rstrip())


def _names(old: str, new: str) -> tuple[str, str]:
    """The two names of a file without git's header: the shorter, if they differ by a prefix."""
    old, new = _stripped(unquoted(old), unquoted(new))
    if old == "/dev/null":
        return new, new
    if new == "/dev/null":
        return old, old
    if old != new:
        # «diff -u x.orig x» and «diff -ru old/x new/x» change one file, in place.
        same_name = old.rpartition("/")[2] == new.rpartition("/")[2]
        if same_name or old in {f"{new}.orig", f"{new}~", f"{new}.bak", f"{new}.old"}:
            old = new
    return old, new


def _stripped(old: str, new: str) -> tuple[str, str]:
    """Two names without git's prefixes, which always differ from each other."""
    if (old[:2], new[:2]) in _PREFIXES:
        return old[2:], new[2:]
    return old, new


def _one_stripped(name: str) -> str:
    return name[2:] if name[:2] in {"a/", "b/"} else name


def _both(named: str) -> tuple[str, str] | None:
    """The two names of `diff --git`, prefixes and all; None where their border can't be told."""
    named = named.rstrip("\r")
    if '"' in named:
        parts = _QUOTED.findall(named)
        if len(parts) == 2:
            return unquoted(f'"{parts[0]}"'), unquoted(f'"{parts[1]}"')
        if len(parts) == 1:
            quoted = f'"{parts[0]}"'
            if named.startswith(quoted):
                return unquoted(quoted), named[len(quoted) + 1 :]
            return named[: -len(quoted) - 1], unquoted(quoted)
        return None
    # Names that differ by prefixes of one letter are equally long: the border is the middle.
    middle = len(named) // 2
    if named[middle : middle + 1] == " ":
        old, new = named[:middle], named[middle + 1 :]
        if old == new or (old[2:] == new[2:] and (old[:2], new[:2]) in _PREFIXES):
            return old, new
    if named.count(" ") == 1:
        old, _, new = named.partition(" ")
        return old, new
    return None
