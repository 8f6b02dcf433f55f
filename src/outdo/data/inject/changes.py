"""Bugs put into the lines that a real diff adds: one line a diff, all else as its author wrote it.

The operators are those that break whole programs. What differs is the writing: only the tokens that
an operator changes are written anew, so that neither quotes nor blanks betray the line.
"""

from __future__ import annotations

import ast
import difflib
import io
import itertools
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from outdo import diffs, text
from outdo.data.inject.slips import OPERATORS
from outdo.data.inject.trees import Edit, Operator, rebuilt
from outdo.diffs import FileDiff, Hunk
from outdo.diffs.roles import is_test
from outdo.records import digest

SUITED = (
    *("comparison", "negation", "connective", "missing-condition", "short-or"),
    *("arithmetic", "division", "precedence", "range-bound", "index", "slice-bound"),
    *("wrong-method", "wrong-function", "string-case", "swapped-arguments"),
    *("accumulator-update", "wrong-jump", "missing-return", "lost-result", "wrong-variable"),
)
"""Operators whose bug can be seen, or suspected, from the lines around it."""

HUNKS = 8
"""Hunks of a diff that are looked at, drawn by digest: the operators take the time."""

TRIES = 12
"""Drafts that are written out before a diff is given up."""

CONTEXT = 3
"""Lines at either end of a hunk that may be left aside where they end within a bracket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenDiff:
    """A diff with one added line broken: by which operator, in which file and line of the new side.

    `before` and `after` are the whole line, as its author wrote it and as it stands in `diff`.
    """

    diff: str
    file: str
    line: int
    operator: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """Lines of a hunk's new side that have a tree: those from the row `start` on."""

    file: FileDiff
    hunk: Hunk
    number: int
    lines: Sequence[str]
    start: int
    parsed: text.Fragment

    @property
    def name(self) -> str:
        return f"{self.file.path}:{self.hunk.new_start}"


@dataclass(frozen=True, slots=True)
class _Draft:
    operator: str
    piece: _Piece
    row: int
    edit: Edit

    @property
    def name(self) -> list[object]:
        old = self.edit.old
        new = [ast.dump(node) for node in self.edit.new]
        return [self.operator, self.piece.name, self.row, getattr(old, "col_offset", 0), new]


def broken_diff(diff: str, *, seed: int, names: Sequence[str] = SUITED) -> BrokenDiff | None:
    """The diff with a bug in one line of Python that it adds, or None where none can be put.

    Which one is drawn by the seed and the diff's own content: first the operator, so that rare
    ones come up as often as common ones where both apply, then the place. The line differs in
    its syntax tree, still parses among its neighbours, and is none that the hunk removes.
    """
    own = digest([seed, diff])
    drafts: dict[str, list[_Draft]] = defaultdict(list)
    operators = {name: OPERATORS[name] for name in names}
    for piece in itertools.islice(_pieces(diffs.parse(diff), own), HUNKS):
        for draft in _drafts(piece, operators):
            drafts[draft.operator].append(draft)
    queues = [
        sorted(drafts[name], key=lambda draft: digest([own, draft.name]))
        for name in sorted(drafts, key=lambda name: digest([own, name]))
    ]
    turns = itertools.chain.from_iterable(itertools.zip_longest(*queues))
    for draft in itertools.islice((one for one in turns if one is not None), TRIES):
        if (found := _written_out(diff, draft)) is not None:
            return found
    return None


# ------------------------------------------------------------------ where a bug may stand


def _pieces(diff: diffs.Diff, own: str) -> Iterator[_Piece]:
    """The hunks of Python that add lines and have a tree, tests last, each in an order of its own.

    Files that a prompt doesn't show can't be reviewed.
    """
    found = []
    number = 0
    for file in diff.files:
        for hunk in file.hunks:
            shown = file.language == "Python" and diffs.unwritten(file.path) is None
            if shown and any(line.kind == "+" for line in hunk.lines):
                found.append((is_test(file.path), digest([own, number]), file, hunk, number))
            number += 1
    for _, _, file, hunk, number in sorted(found, key=lambda one: one[:2]):
        lines = [line.text for line in hunk.lines if line.kind != "-"]
        for start, stop in ((0, 0), (CONTEXT, 0), (0, CONTEXT), (CONTEXT, CONTEXT)):
            kept = lines[start : len(lines) - stop]
            if (parsed := text.fragment(kept)) is not None:
                yield _Piece(file, hunk, number, kept, start, parsed)
                break


def _drafts(piece: _Piece, operators: Mapping[str, Operator]) -> Iterator[_Draft]:
    """What each operator would do within one line that the hunk adds."""
    rows = [line for line in piece.hunk.lines if line.kind != "-"][piece.start :]
    added = {row for row, line in enumerate(rows[: len(piece.lines)]) if line.kind == "+"}
    for name, operator in operators.items():
        for edit in operator(piece.parsed.tree):
            old = edit.old
            line = getattr(old, "lineno", None)
            if line is None or line != getattr(old, "end_lineno", None) or len(edit.new) != 1:
                continue
            if name == "range-bound" and _counts_to_a_number(old):
                continue
            row = line - piece.parsed.above - 1
            if row in added:
                yield _Draft(name, piece, row, edit)


def _counts_to_a_number(old: ast.AST) -> bool:
    """Whether it is a call as `range(25)`: nobody can tell that 26 is wrong."""
    return isinstance(old, ast.Call) and all(isinstance(one, ast.Constant) for one in old.args)


# ------------------------------------------------------------------ writing it out


def _written_out(diff: str, draft: _Draft) -> BrokenDiff | None:
    """The diff with the draft's line in it; None unless it is what the operator meant."""
    piece, row = draft.piece, draft.row
    before = piece.lines[row]
    after = _with_edit(before, draft.edit, left=piece.parsed.left)
    if after is None or after == before:
        return None
    lines = [*piece.lines[:row], after, *piece.lines[row + 1 :]]
    parsed = text.fragment(lines)
    meant = ast.unparse(rebuilt(piece.parsed.tree, draft.edit))
    if parsed is None or ast.unparse(parsed.tree) != meant:
        return None
    if meant == ast.unparse(piece.parsed.tree) or after in _removed(piece.hunk):
        return None
    line = [one for one in piece.hunk.lines if one.kind != "-"][piece.start + row]
    changed = _with_line(diff, piece, line, after)
    if changed is None or line.new is None:
        return None
    return BrokenDiff(
        diff=changed,
        file=piece.file.path,
        line=line.new,
        operator=draft.operator,
        before=before,
        after=after,
    )


def _removed(hunk: Hunk) -> set[str]:
    """The lines that the hunk removes: a bug that puts one back would be no line of the diff."""
    return {line.text for line in hunk.lines if line.kind == "-"}


def _with_line(diff: str, piece: _Piece, line: diffs.Line, after: str) -> str | None:
    """The diff's text with another text in one added line of the hunk, which keeps its end."""
    rows = diff.split("\n")
    headers = [place for place, row in enumerate(rows) if row.startswith("@@ -")]
    if piece.number >= len(headers):
        return None
    place = headers[piece.number]
    for one in piece.hunk.lines:
        place += 1
        while place < len(rows) and rows[place].startswith("\\"):
            place += 1
        if one is line:
            break
    if place >= len(rows) or rows[place].removesuffix("\r") != "+" + line.text:
        return None
    end = "\r" if rows[place].endswith("\r") else ""
    changed = "\n".join([*rows[:place], f"+{after}{end}", *rows[place + 1 :]])
    files = [file for file in diffs.parse(changed).files if file.path == piece.file.path]
    sides = [diffs.new_side(file).get(line.new or 0) for file in files]
    return changed if after in sides else None


def _with_edit(line: str, edit: Edit, *, left: int) -> str | None:
    """The line with the edit in it, every token that stays written as it was."""
    old, (new,) = edit.old, edit.new
    start, end = getattr(old, "col_offset", 0) + left, getattr(old, "end_col_offset", 0) + left
    data = line.encode("utf-8", "surrogatepass")
    segment = data[start:end].decode("utf-8", "replace")
    changed = respelled(segment, old=ast.unparse(old), new=ast.unparse(new))
    if changed is None:
        return None
    head, tail = (part.decode("utf-8", "surrogatepass") for part in (data[:start], data[end:]))
    return f"{head}{changed}{tail}"


@dataclass(frozen=True, slots=True)
class _Token:
    said: str
    start: int
    end: int


def respelled(segment: str, *, old: str, new: str) -> str | None:
    """`segment`, which says what `old` says, changed as `old` is into `new`; None if it doesn't.

    Tokens that both have keep their spelling: quotes, numbers, blanks.
    """
    own, was, becomes = _tokens(segment), _tokens(old), _tokens(new)
    if own is None or was is None or becomes is None:
        return None
    if [one.said for one in own] != [one.said for one in was]:
        return None
    matcher = difflib.SequenceMatcher(
        None, [one.said for one in was], [one.said for one in becomes], autojunk=False
    )
    spelt = {one.said: segment[one.start : one.end] for one in own}

    def written(first: int, last: int) -> str:
        """New tokens, the literals among them as the segment spells them."""
        said = [
            spelt.get(one.said, new[one.start : one.end]) + new[one.end : after.start]
            for one, after in itertools.pairwise(becomes[first:last])
        ]
        final = becomes[last - 1]
        return "".join([*said, spelt.get(final.said, new[final.start : final.end])])

    parts = []
    at = 0
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        begin = own[i].start if i < len(own) else len(segment)
        if tag == "replace":
            end, said = own[j - 1].end, written(k, m)
        elif tag == "delete":
            end, said = own[j].start if j < len(own) else len(segment), ""
        elif m < len(becomes):
            end, said = begin, written(k, m) + new[becomes[m - 1].end : becomes[m].start]
        else:
            begin = end = own[-1].end
            said = new[becomes[k - 1].end : becomes[k].start] + written(k, m)
        parts += [segment[at:begin], said]
        at = end
    return "".join([*parts, segment[at:]]).rstrip()


def _tokens(code: str) -> list[_Token] | None:
    """The tokens of a line of code, or None if it has none; literals by what they stand for."""
    found = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.start[0] > 1 or token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
                continue
            if token.type in (tokenize.COMMENT, tokenize.INDENT, tokenize.ERRORTOKEN):
                return None
            if token.string:
                found.append(_Token(_said(token), token.start[1], token.end[1]))
    except (tokenize.TokenError, SyntaxError):
        return None
    return found or None


def _said(token: tokenize.TokenInfo) -> str:
    if token.type not in (tokenize.STRING, tokenize.NUMBER):
        return token.string
    try:
        return repr(ast.literal_eval(token.string))
    except (ValueError, SyntaxError):
        return token.string
