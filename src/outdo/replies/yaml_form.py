"""YAML as models write it: read event by event, never constructed, and mended by its lines.

No tag is obeyed, no alias followed, and no word becomes a truth value: values keep their letters.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from outdo.records import Json
from outdo.replies.fitting import UNQUOTED, Group, Kind, Rules, Scalar, Written
from outdo.replies.shapes import Shape, names, texts

DEEPEST = 20
"""Levels of nesting that are read; no form asks for more than four."""

LINES_CUT = 3
"""Lines that may go from the end of a reply that was cut within them."""

TABS = "tabs"
CUT = "cut end"
MORE = "prose around"

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_Dumper: type = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_TEXT = "tag:yaml.org,2002:str"
_NULL = "tag:yaml.org,2002:null"
_RESOLVER: Any = yaml.resolver.Resolver()
_REST = re.compile(r"[ \t]+#[^\n]*")
_BLOCK = re.compile(r"[|>][+-]?[0-9]?[+-]?[ \t]*(?:#.*)?$")


class Unreadable(ValueError):
    """Why a text isn't of the form."""


def read(text: str, rules: Rules) -> Written:
    """The first document of a text; raises Unreadable. Documents behind it are passed over."""
    if _deep_flow(text):
        raise Unreadable("nested too deep")
    loader = _Loader(text)
    try:
        found = _document(loader, text)
        if _another(loader):
            rules.note(MORE)
    except yaml.YAMLError as error:
        raise Unreadable(_told(error)) from None
    finally:
        loader.dispose()
    return found


def _another(loader: Any) -> bool:
    """Whether something stands behind the first document, be it YAML or not."""
    try:
        return not loader.check_event(yaml.StreamEndEvent)
    except yaml.YAMLError:
        return True


def _deep_flow(text: str) -> bool:
    """Whether far more brackets open than close: libyaml's time grows with the square of that."""
    depth = 0
    for mark in re.findall(r"[\[{}\]]", text):
        depth = depth + 1 if mark in "[{" else max(0, depth - 1)
        if depth > 8 * DEEPEST:
            return True
    return False


def _told(error: yaml.YAMLError) -> str:
    problem = str(getattr(error, "problem", None) or "not YAML")
    mark = getattr(error, "problem_mark", None)
    return f"{problem} in line {mark.line + 1}" if mark is not None else problem


@dataclass(slots=True)
class _Open:
    """A list or an object whose end isn't read yet."""

    pairs: bool
    start: int
    items: list[Written] = field(default_factory=list)


def _document(loader: Any, text: str) -> Written:
    """The first document out of its events, one by one: a deep one ends here, not in the stack."""
    end = len(text.rstrip())
    open_: list[_Open] = []
    while loader.check_event():
        event = loader.get_event()
        begins, ends = event.start_mark.index, event.end_mark.index
        done: Written
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable("an alias (*name) stands in it")
        if isinstance(event, yaml.CollectionStartEvent):
            pairs = isinstance(event, yaml.MappingStartEvent)
            open_.append(_Open(pairs, begins))
            if len(open_) > DEEPEST:
                raise Unreadable("nested too deep")
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            done = _group(open_.pop(), text, ends, end)
        elif isinstance(event, yaml.ScalarEvent):
            done = _scalar(event, text)
        elif isinstance(event, yaml.DocumentEndEvent):
            break
        else:
            continue
        if not open_:
            loader.get_event()  # the end of the document
            return done
        open_[-1].items.append(done)
    raise Unreadable("it is empty")


def _group(opened: _Open, text: str, stop: int, end: int) -> Group:
    source, last = _dedented(text, opened.start, stop), stop >= end
    if not opened.pairs:
        return Group(items=tuple(opened.items), source=source, last=last)
    names, values = opened.items[::2], opened.items[1::2]
    said = (one.text if isinstance(one, Scalar) else "" for one in names)
    return Group(pairs=tuple(zip(said, values, strict=True)), source=source, last=last)


def _scalar(event: Any, text: str) -> Scalar:
    if event.style:  # none at all, or an empty one, for unquoted text
        return Scalar(text=event.value, kind="text")
    tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, (True, False))
    kind: Kind = "text" if tag == _TEXT else "null" if tag == _NULL else "word"
    rest = _REST.match(text, event.end_mark.index)
    return Scalar(text=event.value, kind=kind, rest=rest[0].rstrip() if rest else "")


def _dedented(text: str, start: int, stop: int) -> str:
    """The source of a group, its lines moved to the margin with its first."""
    column = start - (text.rfind("\n", 0, start) + 1)
    first, *others = text[start:stop].rstrip().split("\n")
    blank = " " * column
    return "\n".join([first, *(line.removeprefix(blank) for line in others)])


# ------------------------------------------------------------------ mending


def mended(text: str, shape: Shape, rules: Rules) -> Written:
    """A text that isn't YAML, read after its tabs, its unquoted texts or its end were mended.

    Raises Unreadable with what was wrong at first.
    """
    try:
        return read(text, rules)
    except Unreadable as error:
        first = error
    lines = text.split("\n")
    if (untabbed := _without_tabs(lines)) != lines:
        lines = untabbed
        if (found := _try(lines, rules, TABS)) is not None:
            return found
        rules.note(TABS)
    quoted = _with_quotes(lines, shape)
    if quoted != lines:
        if (found := _try(quoted, rules, UNQUOTED)) is not None:
            return found
        rules.note(UNQUOTED)
    for fewer in range(1, min(LINES_CUT, len(quoted) - 1) + 1):
        if (found := _try(quoted[:-fewer], rules, CUT)) is not None:
            return found
    raise first


def _try(lines: Sequence[str], rules: Rules, rule: str) -> Written | None:
    try:
        found = read("\n".join(lines), rules)
    except Unreadable:
        return None
    rules.note(rule)
    return found


def _without_tabs(lines: Sequence[str]) -> list[str]:
    """The lines with two blanks for each tab before their first letter."""
    found = []
    for line in lines:
        body = line.lstrip(" \t")
        indent = line[: len(line) - len(body)]
        found.append(indent.replace("\t", "  ") + body)
    return found


def _with_quotes(lines: Sequence[str], shape: Shape) -> list[str]:
    """The lines with quotes around each text that can't stand without them."""
    known, said = names(shape), texts(shape)
    word = "|".join(sorted(map(re.escape, known), key=len, reverse=True)) or r"(?!)"
    field = re.compile(rf"(?P<head>[ ]*(?:-[ ]+)*)(?P<name>{word})[ ]*:[ ]+(?P<rest>\S.*)$")
    opened = re.compile(rf"(?P<head>[ ]*(?:-[ ]+)*)(?P<name>{word})[ ]*:(?:[ ]|$)")
    item = re.compile(r"(?P<head>[ ]*-[ ]+)(?P<rest>\S.*)$")
    found: list[str] = []
    block = -1  # the indent of the name that a block of text stands under
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        if block >= 0 and (not line.strip() or indent > block):
            found.append(line)
            continue
        block = -1
        match = field.match(line) or (None if opened.match(line) else item.match(line))
        if match is None:
            found.append(line)
            continue
        rest = match["rest"].rstrip()
        name = match.groupdict().get("name")
        if _BLOCK.match(rest):
            block = len(match["head"])
            found.append(line)
        elif (name is None or name in said) and not _stands(rest):
            quoted = "'" + rest.replace("'", "''") + "'"
            found.append(line[: match.start("rest")] + quoted)
        else:
            found.append(line)
    return found


def _stands(rest: str) -> bool:
    """Whether a text can stand behind a name as it is."""
    try:
        found = read(f"a: {rest}", Rules())
    except Unreadable:
        return False
    pairs = found.pairs if isinstance(found, Group) else None
    return pairs is not None and isinstance(pairs[0][1], Scalar)


# ------------------------------------------------------------------ writing


class _Writer(_Dumper):  # type: ignore[misc]
    """Texts of several lines as blocks, so that code stays code; no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _text(writer: yaml.SafeDumper, said: str) -> yaml.ScalarNode:
    style = "|" if "\n" in said.strip("\n") else None
    return writer.represent_scalar(_TEXT, said, style=style)


_Writer.add_representer(str, _text)


def write(value: Json) -> str:
    """The value as YAML, its fields in their order, that a strict reader reads back."""
    said: str = yaml.dump(value, Dumper=_Writer, sort_keys=False, allow_unicode=True, width=1 << 20)
    return said.removesuffix("\n...\n").rstrip("\n")
