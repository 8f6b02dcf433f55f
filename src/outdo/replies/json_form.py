"""JSON as models write it: read strictly, or after one pass that mends what breaks the form."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from outdo.records import Json
from outdo.replies.fitting import Group, Kind, Rules, Scalar, Written
from outdo.replies.yaml_form import DEEPEST, Unreadable

TRAILING = "trailing comma"
SINGLE = "single quotes"
COMMENTS = "comments"
WORDS = "words of Python"
BARE = "unquoted names"
INNER = "quotes within text"
BREAKS = "line breaks in text"
CUT = "cut end"
MORE = "prose around"

_WORDS = {"True": "true", "False": "false", "None": "null", "undefined": "null", "NaN": "null"}
_CLOSERS = {"{": "}", "[": "]"}
_BARE = re.compile(r"[A-Za-z_][\w-]*")
_AFTER_TEXT = re.compile(r"\s{0,200}(?:[,:}\]]|\Z|//|#)")
_ORDINARY = re.compile(r"[^\"'\\\n]+")
"""What stands in a text as it is."""
_BEFORE_NAME = re.compile(r"\s{0,200}:")


class _Pairs(tuple[tuple[str, Json], ...]):
    """An object's names and values as they were written: a name that stands twice is told."""

    __slots__ = ()


def read(text: str) -> Written:
    """The object or list that a text is; raises Unreadable."""
    try:
        value = json.loads(text, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error) if isinstance(error, ValueError) else "too deep") from None
    return _written(value, cut=False, depth=0)


def mended(text: str, rules: Rules) -> Written:
    """The object or list that a text begins with, after mending; raises Unreadable."""
    mender = _Mender(text, rules)
    mender.pass_over()
    if mender.stack and (value := mender.closed()) is not None:
        rules.note(CUT)
        return _written(value[0], cut=True, depth=0)
    try:
        value = json.loads("".join(mender.out), strict=False, object_pairs_hook=_Pairs)
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None
    if text[mender.at :].strip():
        rules.note(MORE)
    return _written(value, cut=False, depth=0)


@dataclass(slots=True)
class _Mender:
    """One pass over a text; `out` is what is kept, `stack` the brackets that are still open."""

    text: str
    rules: Rules
    at: int = 0
    out: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)
    stops: list[tuple[int, str]] = field(default_factory=list)

    def pass_over(self) -> None:
        while self.at < len(self.text):
            mark = self.text[self.at]
            if mark in "\"'":
                self._string(mark)
            elif mark in "{[":
                self._open(mark)
            elif mark in "}]":
                self._close()
                if not self.stack:
                    return
            elif mark == "#" or self.text.startswith("//", self.at):
                self._comment()
            elif match := _BARE.match(self.text, self.at):
                self._word(match)
            else:
                if mark == ",":
                    self._stop()
                self.out.append(mark)
                self.at += 1

    def _open(self, mark: str) -> None:
        self.stack.append(_CLOSERS[mark])
        if len(self.stack) > DEEPEST:
            raise Unreadable("nested too deep")
        self.out.append(mark)
        self.at += 1
        self._stop()

    def _stop(self) -> None:
        """Here the text could end, if it had to: before a comma, or within an empty bracket."""
        self.stops.append((len(self.out), "".join(reversed(self.stack))))

    def _close(self) -> None:
        self.at += 1
        if not self.stack:
            return
        place = len(self.out) - 1
        while place >= 0 and self.out[place].isspace():
            place -= 1
        if place >= 0 and self.out[place] == ",":
            del self.out[place]
            self.rules.note(TRAILING)
        self.out.append(self.stack.pop())

    def _comment(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end
        self.rules.note(COMMENTS)

    def _word(self, match: re.Match[str]) -> None:
        word = match[0]
        self.at = match.end()
        if _BEFORE_NAME.match(self.text, self.at):
            self.rules.note(BARE)
            self.out.append(json.dumps(word))
        elif word in _WORDS:
            self.rules.note(WORDS)
            self.out.append(_WORDS[word])
        else:
            self.out.append(word)

    def _string(self, quote: str) -> None:
        if quote == "'":
            self.rules.note(SINGLE)
        said = ['"']
        self.at += 1
        while self.at < len(self.text):
            if plain := _ORDINARY.match(self.text, self.at):
                said.append(plain[0])
                self.at = plain.end()
                continue
            mark = self.text[self.at]
            if mark == "\\" and self.at + 1 < len(self.text):
                follows = self.text[self.at + 1]
                said.append("'" if follows == "'" else mark + follows)
                self.at += 2
                continue
            self.at += 1
            if mark == quote:
                if _AFTER_TEXT.match(self.text, self.at):
                    break
                said.append('\\"' if quote == '"' else "'")
                self.rules.note(INNER)
            elif mark == "\n":
                self.rules.note(BREAKS)
                said.append("\\n")
            else:
                said.append('\\"' if mark == '"' else mark)
        self.out.append("".join(said).removesuffix("\\") + '"')

    def closed(self) -> tuple[Json] | None:
        """The value of a text that was cut, its brackets closed at the last place that can be."""
        ends = [(len(self.out), "".join(reversed(self.stack))), *reversed(self.stops[-6:])]
        for length, closers in ends:
            try:
                whole = "".join(self.out[:length]) + closers
                return (json.loads(whole, strict=False, object_pairs_hook=_Pairs),)
            except (ValueError, RecursionError):
                continue
        return None


def _written(value: Json, *, cut: bool, depth: int) -> Written:
    """The value as it was written; with `cut`, whatever stands at the very end may be torn."""
    if depth > DEEPEST:
        raise Unreadable("nested too deep")
    if isinstance(value, _Pairs):
        last = len(value) - 1
        pairs = tuple(
            (name, _written(item, cut=cut and place == last, depth=depth + 1))
            for place, (name, item) in enumerate(value)
        )
        return Group(pairs=pairs, last=cut, cut=cut)
    if isinstance(value, list):
        last = len(value) - 1
        items = tuple(
            _written(item, cut=cut and place == last, depth=depth + 1)
            for place, item in enumerate(value)
        )
        return Group(items=items, last=cut, cut=cut)
    if isinstance(value, str):
        return Scalar(text=value, kind="text")
    kind: Kind = "null" if value is None else "word"
    return Scalar(text=json.dumps(value), kind=kind)


def write(value: Json) -> str:
    """The value as JSON on one line, as it is written."""
    return json.dumps(value, ensure_ascii=False)
