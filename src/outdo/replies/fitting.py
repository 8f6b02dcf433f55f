"""What was written, held against what was wanted.

Both forms are read into the same two nouns: a `Scalar` keeps the letters that were written, so that
a title `No` stays «No» and is never false, and a `Group` knows its source.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from outdo.records import Json
from outdo.replies.shapes import Fields, Flag, Many, OneOf, Shape, Text, Whole

Kind = Literal["text", "word", "null"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """One value as it was written.

    `kind` is "text" where the form itself says text, "word" where a naive reader would take it for
    a number, a date or a truth value, "null" for nothing. `rest` is what follows on the line of an
    unquoted text from a number sign on, which YAML takes for a comment.
    """

    text: str
    kind: Kind
    rest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A list, or pairs of names and values; `source` is its text where the form keeps it.

    `last` says that nothing stands behind it, so that a cut may have ended it, `cut` that one did.
    """

    items: tuple[Written, ...] = ()
    pairs: tuple[tuple[str, Written], ...] | None = None
    source: str | None = None
    last: bool = False
    cut: bool = False


Written = Scalar | Group


class Misfit(Exception):
    """What was written isn't of the shape: where, and what is wrong. `telling` ranks it."""

    def __init__(self, problem: str, *, where: str = "", telling: int = 1) -> None:
        super().__init__(f"{where} {problem}" if where else problem)
        self.where = where
        self.telling = telling


@dataclass(slots=True)
class Rules:
    """The rules that were needed, each once, in order."""

    used: dict[str, None] = field(default_factory=dict)

    def note(self, rule: str) -> None:
        self.used[rule] = None


YES, NO = ("true", "yes", "on", "y"), ("false", "no", "off", "n")
NOTHING = ("none", "null", "~", "n/a", "[]", "nothing")

WORD_AS_TEXT = "word read as text"
NUMBER_SIGN = "number sign kept"
UNQUOTED = "unquoted text"
RESPELLED = "name respelled"
WORDED = "value respelled"
UNKNOWN_FIELDS = "unknown fields dropped"
REPEATED = "repeated field"
ONE_AS_LIST = "single item as a list"
NO_LIST = "nothing as an empty list"
WITHOUT_NAME = "list without its name"
CUT = "cut end"


def fitted(written: Written, shape: Shape, rules: Rules, where: str = "") -> Json:
    """The value, of exactly the shape; raises Misfit, and notes the rules that were needed."""
    match shape:
        case Text():
            return _text(written, shape, rules, where)
        case OneOf():
            return _one_of(_scalar(written, where), shape, rules, where)
        case Whole():
            return _whole(_scalar(written, where), shape, rules, where)
        case Flag():
            return _flag(_scalar(written, where), rules, where)
        case Many():
            return _many(written, shape, rules, where)
        case Fields():
            return _fields(written, shape, rules, where)


def _scalar(written: Written, where: str) -> Scalar:
    if isinstance(written, Group):
        raise Misfit("should be one value", where=where)
    return written


def _text(written: Written, shape: Text, rules: Rules, where: str) -> str:
    if isinstance(written, Group):
        if written.source is None:
            raise Misfit("should be text", where=where)
        rules.note(UNQUOTED)
        said = written.source
    else:
        if written.kind == "word":
            rules.note(WORD_AS_TEXT)
        if written.rest:
            rules.note(NUMBER_SIGN)
        said = written.text + written.rest
    if not shape.empty and not said.strip():
        raise Misfit("is empty", where=where)
    return said


def _one_of(written: Scalar, shape: OneOf, rules: Rules, where: str) -> str:
    said = written.text.strip()
    if said in shape.words:
        return said
    known = {_plain_word(word): word for word in shape.words}
    if (word := known.get(_plain_word(said))) is not None:
        rules.note(WORDED)
        return word
    raise Misfit(f"is {_quoted(said)}, none of {', '.join(shape.words)}", where=where)


def _plain_word(word: str) -> str:
    return re.sub(r"[\W_]+", "", word).lower()


def _whole(written: Scalar, shape: Whole, rules: Rules, where: str) -> int:
    said = written.text.strip()
    match = re.fullmatch(r"([+-]?[0-9]{1,15})(\.0*)?(?:\s*/\s*[0-9]{1,15})?", said)
    if match is None:
        raise Misfit(f"is {_quoted(said)}, not a whole number", where=where)
    if written.kind == "text" or match[0] != match[1]:
        rules.note(WORDED)
    number = int(match[1])
    if (shape.low is not None and number < shape.low) or (
        shape.high is not None and number > shape.high
    ):
        bounds = [str(one) for one in (shape.low, shape.high) if one is not None]
        raise Misfit(f"is {number}, beyond {' to '.join(bounds)}", where=where)
    return number


def _flag(written: Scalar, rules: Rules, where: str) -> bool:
    said = written.text.strip().lower()
    if said not in (*YES, *NO):
        raise Misfit(f"is {_quoted(written.text)}, neither yes nor no", where=where)
    if said not in ("true", "false") or written.kind == "text":
        rules.note(WORDED)
    return said in YES


def _many(written: Written, shape: Many, rules: Rules, where: str) -> list[Json]:
    # An end behind a list's name is no empty list: nobody wrote that there is nothing.
    if (written.cut and not written.items) if isinstance(written, Group) else not written.text:
        raise Misfit("has nothing in it", where=where)
    if isinstance(written, Scalar):
        if written.text.strip().lower().rstrip(".") in NOTHING:
            rules.note(NO_LIST)
            return []
        rules.note(ONE_AS_LIST)
        return [fitted(written, shape.of, rules, f"{where}[0]")]
    if written.pairs is not None:
        rules.note(ONE_AS_LIST)
        return [fitted(written, shape.of, rules, f"{where}[0]")]
    found = []
    for place, item in enumerate(written.items):
        try:
            found.append(fitted(item, shape.of, rules, f"{where}[{place}]"))
        except Misfit as misfit:
            # A reply of which nothing is left would say that there is nothing.
            if not found or place + 1 < len(written.items) or not _cut(item, shape.of, misfit):
                raise
            rules.note(CUT)
    return found


def _cut(item: Written, shape: Shape, misfit: Misfit) -> bool:
    """Whether the very last item ends before or within a field, as a reply does that is cut."""
    if isinstance(item, Scalar):
        return item.kind == "null"
    if not item.last or item.pairs is None or not isinstance(shape, Fields):
        return False
    said = [name for name, _ in item.pairs]
    begun = said == list(shape.of)[: len(said)]
    return begun and (len(said) < len(shape.needed) or misfit.where.endswith(f".{said[-1]}"))


def _fields(written: Written, shape: Fields, rules: Rules, where: str) -> dict[str, Json]:
    if isinstance(written, Scalar) or written.pairs is None:
        lists = [name for name, one in shape.of.items() if isinstance(one, Many)]
        if isinstance(written, Group) and len(lists) == 1 and set(shape.needed) <= set(lists):
            rules.note(WITHOUT_NAME)
            return {lists[0]: fitted(written, shape.of[lists[0]], rules, lists[0])}
        raise Misfit("should have fields " + ", ".join(shape.of), where=where, telling=0)
    said = _named(written.pairs, shape, rules)
    telling = 2 if said else 0
    for name in shape.needed:
        if name not in said:
            raise Misfit("is missing", where=f"{where}.{name}" if where else name, telling=telling)
    value = {}
    for name, one in shape.of.items():
        if name not in said or (name in shape.optional and _is_null(said[name])):
            continue
        try:
            value[name] = fitted(said[name], one, rules, f"{where}.{name}" if where else name)
        except Misfit as misfit:
            misfit.telling = telling
            raise
    return value


def _is_null(written: Written) -> bool:
    return isinstance(written, Scalar) and written.kind == "null"


def _named(
    pairs: tuple[tuple[str, Written], ...], shape: Fields, rules: Rules
) -> dict[str, Written]:
    """The values of the shape's fields, under their own names; the last of a name that repeats."""
    known = {_plain_word(name): name for name in shape.of}
    said: dict[str, Written] = {}
    for name, value in pairs:
        field_name = name if name in shape.of else known.get(_plain_word(name))
        if field_name is None:
            rules.note(UNKNOWN_FIELDS)
            continue
        if field_name != name:
            rules.note(RESPELLED)
        if field_name in said:
            rules.note(REPEATED)
        said[field_name] = value
    return said


def _quoted(said: str) -> str:
    return repr(said if len(said) <= 40 else said[:37] + "...")
