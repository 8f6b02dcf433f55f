"""A diff as a prompt shows it: the new side numbered, the old side apart.

Every row of code begins with its number or with «-», so that nothing within the code can pass for
a row of ours. What is not shown is named, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from outdo.diffs import fitting
from outdo.diffs.enclosing import definition
from outdo.diffs.fitting import Block, Piece
from outdo.diffs.languages import unwritten
from outdo.diffs.patch import Diff, FileDiff, Hunk, new_side

LONGEST_LINE = 5_000
"""Characters of a line beyond which nobody wrote it: its file is left out."""

REACH = 8
"""Lines between a hunk and its definition that are shown; farther, only the definition is."""

LEGEND = """\
The change is shown file by file. A row "12 +code" is line 12 of the new file, added by the \
change; a row "12  code" is line 12, unchanged. Rows "-code" below "removed before line 12" were \
deleted there. Files that are not shown are listed at the end."""
"""What a system message says of the form."""

NO_ROOM = fitting.NO_ROOM


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A diff as text.

    `lines` has, for each path, the rows shown of the new file: number to text, context included.
    `left_out` has paths of which no line is shown, `cut` those of which some are not, each with
    the reason; `files_shown` the others and the cut ones. `problems` are the diff's, and those
    of sources that don't fit it.
    """

    text: str
    files_shown: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    cut: tuple[tuple[str, str], ...]
    lines: Mapping[str, Mapping[int, str]] = field(repr=False)
    problems: tuple[str, ...] = ()


def render(
    diff: Diff,
    *,
    budget: int | None = None,
    count: Callable[[str], int] = len,
    sources: Mapping[str, str] | None = None,
) -> Rendered:
    """The diff as a prompt shows it, `count(text) <= budget` where there is a budget.

    `sources` has texts of new files by path: hunks then show the definition they stand in, instead
    of what their header names. With too small a budget the largest language goes first, whole
    files before single hunks; deleted files and hunks that only delete become names. A budget in
    which not even a list of names fits gives an empty text.
    """
    problems = list(diff.problems)
    blocks = [_block(file, sources or {}, problems) for file in diff.files]
    chosen = fitting.whole(blocks)
    if budget is not None:
        chosen = fitting.fit(blocks, budget=budget, count=count)
    return Rendered(
        text=chosen.text,
        files_shown=tuple(dict.fromkeys(block.path for block in blocks if chosen.shows(block))),
        left_out=tuple(
            (block.path, block.why or chosen.reason(block))
            for block in blocks
            if not chosen.shows(block)
        ),
        cut=tuple(chosen.cuts()),
        lines=_shown_lines(blocks, chosen),
        problems=tuple(problems),
    )


def _shown_lines(blocks: Sequence[Block], chosen: fitting.Choice) -> dict[str, dict[int, str]]:
    lines: dict[str, dict[int, str]] = {}
    for block in blocks:
        for piece in chosen.pieces(block):
            if piece.lines:
                lines.setdefault(block.path, {}).update(piece.lines)
    return lines


def _block(file: FileDiff, sources: Mapping[str, str], problems: list[str]) -> Block:
    """One file's rows, as far as they may be shown at all."""
    why = file.unread or unwritten(file.path) or ("binary" if file.binary else None)
    if file.submodule:
        why = None
    if why is None and any(
        len(line.text) > LONGEST_LINE for hunk in file.hunks for line in hunk.lines
    ):
        why = f"has lines of over {LONGEST_LINE:,} characters"
    pieces: tuple[Piece, ...] = ()
    if why is None and not file.submodule:
        source = _source(file, sources, problems)
        pieces = tuple(_pieces(file, source))
    return Block(
        path=file.path,
        head=f"File: {file.path} ({', '.join(_about(file))})\n",
        language=file.language or "",
        weight=file.changed_lines,
        deleted=file.change == "deleted" and bool(pieces),
        pieces=pieces,
        why=why,
    )


def _about(file: FileDiff) -> Iterator[str]:
    """What the head of a file says of it."""
    if file.submodule:
        yield "submodule"
    if file.change in {"renamed", "copied"}:
        yield f"{file.change} from {file.old_path}"
    else:
        yield {"added": "new file", "deleted": "deleted"}.get(file.change, "changed")
    if file.language:
        yield file.language
    before, after = file.modes
    if before and after and before != after:
        yield f"mode {before} to {after}"
    if file.submodule:
        for hunk in file.hunks:
            yield from (f"{line.kind}{line.text.split()[-1][:12]}" for line in hunk.lines)


def _source(
    file: FileDiff, sources: Mapping[str, str], problems: list[str]
) -> Sequence[str] | None:
    """The new file's lines, if its text is at hand and is the one that the diff speaks of."""
    if file.path not in sources or not file.hunks or file.change == "deleted":
        return None
    rows = [row.removesuffix("\r") for row in sources[file.path].split("\n")]
    for number, text in new_side(file).items():
        if number > len(rows) or rows[number - 1] != text.removesuffix("\r"):
            problems.append(f"{file.path}: the text given is not the new file's (line {number})")
            return None
    return rows


def _pieces(file: FileDiff, source: Sequence[str] | None) -> Iterator[Piece]:
    """The rows of each hunk, and the head above them."""
    shown_to = 0
    for hunk in file.hunks:
        extra = _context(hunk, source, shown_to) if source is not None else []
        lines = dict(extra)
        rows = [f"{number}  {text}\n" for number, text in extra]
        if extra and extra[-1][0] + 1 < hunk.new_start:
            rows.append("...\n")
        new, old = _rows(hunk, lines)
        section = "" if extra else hunk.section
        yield Piece(
            head=_head(hunk, section),
            rows=(*rows, *new, *old),
            where=_where(hunk),
            lines=lines,
            deletes_only=hunk.deletes_only,
        )
        shown_to = hunk.new_start + hunk.new_count - 1


def _rows(hunk: Hunk, lines: dict[int, str]) -> tuple[list[str], list[str]]:
    """The rows of the new side, noted in `lines` too, and of the old, in runs by their place."""
    new: list[str] = []
    old: list[str] = []
    number = hunk.new_start + (hunk.new_count == 0)
    place = -1
    for line in hunk.lines:
        if line.new is None:
            if place != number:
                place = number
                old.append(f"removed before line {number}\n" if hunk.new_start else "removed\n")
            old.append(f"-{_one_row(line.text)}\n")
            continue
        number = line.new + 1
        text = _one_row(line.text)
        lines[line.new] = text
        new.append(f"{line.new} {line.kind}{text}\n")
    return new, old


def _head(hunk: Hunk, section: str) -> str:
    within = f", in {_one_row(section)}" if section else ""
    note = ", only the ends of lines change" if _ends_only(hunk) else ""
    return f"@ {_where(hunk)}{within}{note}\n"


def _where(hunk: Hunk) -> str:
    if hunk.new_count == 0:
        return f"after line {hunk.new_start}" if hunk.new_start else "whole file"
    if hunk.new_count == 1:
        return f"line {hunk.new_start}"
    return f"lines {hunk.new_start}-{hunk.new_start + hunk.new_count - 1}"


def _ends_only(hunk: Hunk) -> bool:
    """Whether the lines that go and those that come are the same but for what ends them."""
    gone = [line.text for line in hunk.lines if line.kind == "-"]
    return bool(gone) and gone == [line.text for line in hunk.lines if line.kind == "+"]


def _context(hunk: Hunk, source: Sequence[str], shown_to: int) -> list[tuple[int, str]]:
    """Lines above a hunk, up to the definition of its first change, that no hunk shows yet."""
    change = hunk.new_start
    for before, line in pairwise((None, *hunk.lines)):
        if line is not None and line.kind != " ":
            change = line.new or ((before.new or change) if before else change)
            break
    opened = definition(source, change)
    if opened is None or opened >= hunk.new_start or opened <= shown_to:
        return []
    last = hunk.new_start if hunk.new_start - opened <= REACH else opened + 1
    return [(number, _one_row(source[number - 1])) for number in range(opened, last)]


def _one_row(text: str) -> str:
    """The text as one row: a carriage return within it, which others may break at, made visible."""
    return text.replace("\r", "\u240d") if "\r" in text else text
