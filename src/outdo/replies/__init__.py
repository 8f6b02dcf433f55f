"""Structured replies, in YAML or JSON, read into values of a known shape.

A model must not lose an answer to a missing quote; but every rule that was needed to read it is
named, and what can't be read, or is of another shape, is an answer that says so. `read` never
raises and never guesses a value that wasn't written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from outdo import text
from outdo.records import Answer, Json
from outdo.replies import json_form, yaml_form
from outdo.replies.fitting import Misfit, Rules, Written, fitted
from outdo.replies.shapes import (
    Fields,
    Flag,
    Many,
    OneOf,
    Shape,
    Text,
    Whole,
    breaches,
    json_schema,
    names,
)
from outdo.replies.yaml_form import Unreadable

__all__ = [
    "WRONG_SCHEMA",
    "Fields",
    "Flag",
    "Form",
    "Many",
    "OneOf",
    "Outcome",
    "Shape",
    "Text",
    "Whole",
    "breaches",
    "json_schema",
    "outcome",
    "read",
    "write",
]

Form = Literal["auto", "yaml", "json"]
Outcome = Literal["ok", "repaired", "wrong schema", "unreadable"]

WRONG_SCHEMA, UNREADABLE = "wrong schema: ", "unreadable: "
THINKING, FENCE, PROSE, CONTROL = "thinking", "fence", "prose around", "control characters"
MOST_BLOCKS = 8
"""Fenced blocks that are tried, the last ones of a reply."""

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x85\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_FENCED = re.compile(r"\A(`{3,}|~{3,})[^\n`]*\n(.*?)\n?[ \t]*(?:\1[`~]*)?\s*\Z", re.DOTALL)


def read(reply: str, *, shape: Shape, form: Form = "auto") -> Answer:
    """The value in a reply, the rules that were needed, or the problem that prevented one.

    With "auto" a reply that begins with a bracket is tried as JSON first; YAML is tried for any,
    and JSON mended. `problem` begins with «wrong schema: » where something could be read, and
    with «unreadable: » where nothing could.
    """
    noted = Rules()
    said = text.spoken(text.plain(reply))
    if said is None:
        return Answer(value=None, problem=UNREADABLE + "the reply ends within its thinking")
    if len(said) < len(text.plain(reply)):
        noted.note(THINKING)
    if len(said) > text.LONGEST_REPLY:
        longest = f"{text.LONGEST_REPLY:,}"
        return Answer(value=None, problem=f"{UNREADABLE}longer than {longest} characters")
    cleaned = _SURROGATE.sub("\ufffd", _CONTROL.sub("", said))
    if len(cleaned) < len(said):
        noted.note(CONTROL)
    if not cleaned.strip():
        return Answer(value=None, problem=UNREADABLE + "the reply is empty")
    return _best(cleaned, shape, form, noted)


def outcome(answer: Answer) -> Outcome:
    """What came of reading a reply, in a word."""
    if answer.problem is None:
        return "repaired" if answer.repaired_by else "ok"
    return "wrong schema" if answer.problem.startswith(WRONG_SCHEMA) else "unreadable"


def write(value: Json, *, form: Literal["yaml", "json"] = "yaml") -> str:
    """The value as a reply that `read` takes without any rule."""
    return json_form.write(value) if form == "json" else yaml_form.write(value)


def _best(said: str, shape: Shape, form: Form, noted: Rules) -> Answer:
    """The first way of reading that gives the shape; else the most telling problem."""
    pieces: dict[str, str] = {}
    for piece, rule in _pieces(said, shape):
        pieces.setdefault(piece, rule)
    telling, problem = -1, UNREADABLE + "neither YAML nor JSON"
    for mending in (False, True):
        for piece, rule in pieces.items():
            for way in _ways(piece, form, mending):
                rules = Rules({**noted.used, **({rule: None} if rule else {})})
                try:
                    value = fitted(_read(piece, way, shape, rules, mending), shape, rules)
                except Misfit as misfit:
                    if misfit.telling > telling:
                        telling, problem = misfit.telling, WRONG_SCHEMA + str(misfit)
                except Unreadable as error:
                    if telling < 0 and piece == said:
                        problem = UNREADABLE + str(error)
                else:
                    return Answer(value=value, repaired_by=", ".join(rules.used) or None)
    return Answer(value=None, problem=problem)


def _ways(piece: str, form: Form, mending: bool) -> tuple[Literal["yaml", "json"], ...]:
    """The forms to try; YAML takes most of what is nearly JSON, but folds a text's lines."""
    if form != "auto":
        return (form,)
    if piece.lstrip()[:1] not in ("{", "["):
        return ("yaml",)
    return ("json", "yaml") if mending else ("json",)


def _read(
    piece: str, way: Literal["yaml", "json"], shape: Shape, rules: Rules, mending: bool
) -> Written:
    if way == "json":
        return json_form.mended(piece, rules) if mending else json_form.read(piece)
    if mending:
        return yaml_form.mended(piece, shape, rules)
    return yaml_form.read(piece, rules)


def _pieces(said: str, shape: Shape) -> Iterator[tuple[str, str]]:
    """Where the value may stand, each with the rule that it takes: the whole first."""
    yield said, ""
    if match := _FENCED.match(said.strip()):
        yield match[2], FENCE
    for block in reversed(text.blocks(said.split("\n"))[-MOST_BLOCKS:]):
        yield block.code, FENCE
    yield from ((piece, PROSE) for piece in _after_prose(said, shape))


def _after_prose(said: str, shape: Shape) -> Iterator[str]:
    """What begins at the first bracket or at the first name of a field, prose behind it cut off."""
    if (start := re.search(r"[\[{](?=\s*[\"'\[{\]}]|\s*\w+\s*:)", said)) is not None:
        yield said[start.start() :]
    top = tuple(shape.of) if isinstance(shape, Fields) else tuple(names(shape))
    word = "|".join(map(re.escape, top)) or r"(?!)"
    named = re.compile(rf"[ \t]*(?:- )?[\"']?(?:{word})[\"']?[ \t]*:(?:\s|$)", re.IGNORECASE)
    lines = said.split("\n")
    first = next((place for place, line in enumerate(lines) if named.match(line)), None)
    if first is None:
        return
    indent = len(lines[first]) - len(lines[first].lstrip(" "))
    blank = " " * indent
    body = [line.removeprefix(blank) for line in lines[first:]]
    yield "\n".join(body)
    for place, line in enumerate(body):
        apart = place > 0 and not body[place - 1].strip()
        if apart and line[:1].strip() and line[0] != "-" and not named.match(line):
            yield "\n".join(body[:place])
            return
