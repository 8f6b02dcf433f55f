"""Which files and hunks of a diff are shown when not all of it fits.

A budget is counted by somebody else's function, usually a model's tokenizer, and that is what
costs: each piece is counted once, the sums decide, and only what comes of it is counted whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

NO_ROOM = "no room"
DELETED = "deleted, its lines not shown"
LONGEST_TOKEN = 100
"""Characters that a token is taken to span at most: a longer text is too long, uncounted."""

MOST_MISSES = 16
"""Pieces in a row that did not fit, after which no smaller one is looked for."""

LISTED_SHARE = 4
"""One part in so many of a budget may go to the list of what is not shown."""

_SMALLEST = 2
"""Counts below which no piece can fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A hunk as it would be shown: a head, its rows, and the new file's lines among them."""

    head: str
    rows: tuple[str, ...]
    where: str
    lines: Mapping[int, str] = field(repr=False)
    deletes_only: bool = False

    @property
    def text(self) -> str:
        return self.head + "".join(self.rows)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """A file as it would be shown; `why` says that it never is, and for what reason.

    Blocks are told apart by identity, for a series of patches names a file more than once.
    """

    path: str
    head: str
    language: str
    weight: int
    pieces: tuple[Piece, ...]
    deleted: bool = False
    why: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is shown: for each block the pieces, or None where it is only listed.

    `listed` limits how many files are named at the end; None names all.
    """

    blocks: tuple[Block, ...]
    shown: Mapping[int, tuple[Piece, ...] | None]
    listed: int | None = None
    blank: bool = False

    def shows(self, block: Block) -> bool:
        """Whether the file has a head of its own in the text."""
        return not self.blank and self.shown[id(block)] is not None

    def pieces(self, block: Block) -> tuple[Piece, ...]:
        """The hunks that are shown of a file."""
        return () if self.blank else self.shown[id(block)] or ()

    def reason(self, block: Block) -> str:
        """Why a file that could be shown is not."""
        return DELETED if block.deleted and not self.blank else NO_ROOM

    def cuts(self) -> Iterator[tuple[str, str]]:
        """The files of which some hunks are not shown, and how many."""
        for block in self.blocks:
            pieces = self.pieces(block)
            if self.shows(block) and (gone := _gone(block, pieces)):
                yield block.path, f"{len(gone)} of {len(block.pieces)} hunks not shown whole"

    @property
    def text(self) -> str:
        """All of it, ended by a line feed; nothing where there is no file."""
        if self.blank:
            return ""
        parts = [
            _file_text(block, self.pieces(block)) for block in self.blocks if self.shows(block)
        ]
        if rows := self._list():
            parts.append("Not shown:\n" + "".join(rows))
        return "\n".join(parts)

    def _list(self) -> list[str]:
        rows = [
            _listed(block, block.why or self.reason(block))
            for block in self.blocks
            if not self.shows(block)
        ]
        if self.listed is None or len(rows) <= self.listed:
            return rows
        more = len(rows) - self.listed
        return [*rows[: self.listed], f"* {more} more files\n"]


def whole(blocks: Sequence[Block]) -> Choice:
    """All that may be shown."""
    shown = {id(block): None if block.why else block.pieces for block in blocks}
    return Choice(blocks=tuple(blocks), shown=shown)


def fit(blocks: Sequence[Block], *, budget: int, count: Callable[[str], int]) -> Choice:
    """What fits: all of it if it can, else the largest language's files first."""
    everything = whole(blocks)
    text = everything.text
    if len(text) <= budget * LONGEST_TOKEN and count(text) <= budget:
        return everything
    return _settle(_Purse(blocks, budget, count).choice(), budget=budget, count=count)


def _settle(choice: Choice, *, budget: int, count: Callable[[str], int]) -> Choice:
    """The choice less what keeps its text, counted whole, above the budget."""
    kept = [id(b) for b in ranked(choice.blocks) if choice.shown[id(b)] is not None]
    while (taken := count(choice.text)) > budget:
        if kept:
            # Sums of pieces are off by little: what was taken last goes, a hunk or some rows.
            last = kept[-1]
            fewer = _smaller(choice.shown[last] or ())
            choice = replace(choice, shown={**choice.shown, last: fewer})
            if fewer is None:
                kept.pop()
            if not kept:
                choice = replace(choice, listed=_fewer(choice, budget, taken))
        elif choice.listed:
            choice = replace(choice, listed=choice.listed // 2)
        elif choice.listed is None:
            choice = replace(choice, listed=_fewer(choice, budget, taken))
        else:
            return replace(choice, blank=True)
    return choice


def _smaller(pieces: tuple[Piece, ...]) -> tuple[Piece, ...] | None:
    """The pieces without the last, or the only one without its last tenth; None if none is left."""
    if len(pieces) > 1:
        return pieces[:-1]
    if pieces and (rows := len(pieces[0].rows) * 9 // 10):
        return (_beginning(pieces[0], rows),)
    return None


def _fewer(choice: Choice, budget: int, taken: int) -> int:
    rows = len(choice.blocks) if choice.listed is None else choice.listed
    return min(rows, max(0, rows * budget // max(taken, 1)))


def ranked(blocks: Sequence[Block]) -> list[Block]:
    """The blocks that may be shown, those of the language with most changed lines first.

    Deleted files come last: their names say what matters.
    """
    share: dict[str, int] = {}
    for block in blocks:
        if block.why is None:
            share[block.language] = share.get(block.language, 0) + block.weight
    able = [block for block in blocks if block.why is None]
    return sorted(able, key=lambda b: (b.deleted, -share[b.language], b.language))


class _Purse:
    """A budget while it is spent, and what it was spent on."""

    def __init__(self, blocks: Sequence[Block], budget: int, count: Callable[[str], int]) -> None:
        self.blocks = tuple(blocks)
        self.count = count
        self.misses = 0
        self.shown: dict[int, tuple[Piece, ...] | None] = {id(b): None for b in blocks}
        rows = {id(block): len(_listed(block, block.why or NO_ROOM)) for block in blocks}
        self.listed, listing = self._room_for_names(budget)
        # A file that is shown leaves the list: its share of the list's cost comes back.
        characters = sum(rows.values()) or 1
        whole_list = self.listed is None
        self.refund = {
            key: listing * n // characters if whole_list else 0 for key, n in rows.items()
        }
        self.left = budget - listing

    def _room_for_names(self, budget: int) -> tuple[int | None, int]:
        """How many names may be listed, and what the list of them takes."""
        everything = Choice(blocks=self.blocks, shown=self.shown)
        text = everything.text
        if len(text) <= budget * LONGEST_TOKEN:
            taken = self.count(text)
            if len(self.blocks) <= LISTED_SHARE or taken * LISTED_SHARE <= budget:
                return None, taken
            names = len(self.blocks) * budget // (LISTED_SHARE * max(taken, 1))
        else:
            names = budget // (LISTED_SHARE * _SMALLEST * 4)
        fewer = replace(everything, listed=names)
        return names, self.count(fewer.text)

    def choice(self) -> Choice:
        """Whole files, then hunks, in rank; the beginning of one hunk if nothing else fits."""
        ranks = ranked(self.blocks)
        for block in ranks:
            if block.deleted:
                continue
            if self.misses >= MOST_MISSES or self.left < _SMALLEST:
                break
            self._take(block)
        if all(self.shown[id(block)] is None for block in ranks):
            self._take_beginning(ranks)
        return Choice(blocks=self.blocks, shown=self.shown, listed=self.listed)

    def _afford(self, text: str, refund: int = 0) -> bool:
        """Pays for a text if there is room for it."""
        left = self.left + refund
        if len(text) > left * LONGEST_TOKEN or (cost := self.count(text)) > left:
            self.misses += 1
            return False
        self.left = left - cost
        self.misses = 0
        return True

    def _take(self, block: Block) -> None:
        kept = tuple(piece for piece in block.pieces if not piece.deletes_only)
        refund = self.refund[id(block)]
        if self._afford(_file_text(block, kept) + "\n", refund):
            self.shown[id(block)] = kept
            return
        if len(kept) < 2:
            return
        # The line that names what is cut may grow with each hunk: the longest form is paid for.
        before = self.left
        if not self._afford(_file_text(block, ()) + "\n", refund):
            return
        taken: list[Piece] = []
        for piece in kept:
            if self.misses >= MOST_MISSES or self.left < _SMALLEST:
                break
            if self._afford(piece.text):
                taken.append(piece)
        if taken:
            self.shown[id(block)] = tuple(taken)
        else:
            self.left = before

    def _take_beginning(self, ranks: Sequence[Block]) -> None:
        """Shows as many rows as fit of the first hunk that has any."""
        block = next((b for b in ranks if b.pieces and not b.deleted), None)
        if block is None:
            return
        piece = next((p for p in block.pieces if not p.deletes_only), block.pieces[0])
        room = self.left + self.refund[id(block)]
        low, high = 0, min(len(piece.rows), max(room, 0))
        while low < high:
            middle = (low + high + 1) // 2
            text = _file_text(block, (_beginning(piece, middle),)) + "\n"
            fits = len(text) <= room * LONGEST_TOKEN and self.count(text) <= room
            low, high = (middle, high) if fits else (low, middle - 1)
        if low:
            self.shown[id(block)] = (_beginning(piece, low),)


def _beginning(piece: Piece, rows: int) -> Piece:
    """The first rows of a piece, and the lines among them."""
    if rows >= len(piece.rows):
        return piece
    kept = piece.rows[:rows]
    numbers = {int(row.partition(" ")[0]) for row in kept if row[:1].isdigit()}
    lines = {number: text for number, text in piece.lines.items() if number in numbers}
    return replace(piece, rows=kept, lines=lines)


# ------------------------------------------------------------------ text

_NAMED_CUTS = 8
"""Hunks of a file that are named when they are not shown; the rest are counted."""


def _gone(block: Block, pieces: Sequence[Piece]) -> list[Piece]:
    """The hunks of a file that are not shown whole."""
    whole_ones = {(piece.where, len(piece.rows)) for piece in pieces}
    return [p for p in block.pieces if (p.where, len(p.rows)) not in whole_ones]


def _file_text(block: Block, pieces: Sequence[Piece]) -> str:
    text = block.head + "".join(piece.text for piece in pieces)
    if gone := _gone(block, pieces):
        named = ", ".join(piece.where for piece in gone[:_NAMED_CUTS])
        more = len(gone) - _NAMED_CUTS
        tail = f" and {more} more places" if more > 0 else ""
        text += f"@ not shown whole: {named}{tail}\n"
    return text


def _listed(block: Block, why: str) -> str:
    return f"* {block.path}: {why}\n"
