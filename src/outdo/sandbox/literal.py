"""Values as text that hostile hands may have written: exact built-in literals, nothing else.

`write` gives one canonical text for a value, `read` the value of such a text. The reader is a
small strict parser of its own: `ast` can overflow the stack of whoever parses a hostile text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

DEPTH: Final = 100
"""Deeper nesting is refused, by the writer and by the reader."""

_HEX_ABOVE: Final = 4_000 * 3
"""Integers of more bits are written in base 16: base 10 takes quadratic time, and has a limit."""

_TOKEN: Final = re.compile(
    r"""(?P<text>b?'[^'\\\n]*(?:\\.[^'\\\n]*)*'|b?"[^"\\\n]*(?:\\.[^"\\\n]*)*")"""
    r"""|(?P<number>-?(?:0x[0-9a-f]+|(?:\d+\.?\d*(?:e[+-]?\d+)?|inf|nan)))"""
    r"""|(?P<word>None|True|False|Ellipsis|set|frozenset|complex)|(?P<mark>[][(){},:])""",
    re.ASCII,
)


class LiteralError(ValueError):
    """A value that is no literal, or a text that is none."""


# ------------------------------------------------------------------ writing


def write(value: object, *, limit: int) -> str:
    """The canonical text of `value`, of at most `limit` characters.

    Subclasses of built-in types are written as their base, by the base's own methods, so that no
    `__eq__` or `__repr__` of a program's own reaches the reader. Sets are sorted by their text.
    Raises LiteralError for what isn't a literal, is nested deeper than DEPTH or is too long.
    """
    parts: list[str] = []
    room = limit
    for part in _parts(value, 0):
        room -= len(part)
        if room < 0:
            raise LiteralError(f"not a literal: longer than {limit} characters")
        parts.append(part)
    return "".join(parts)


def _parts(value: object, depth: int) -> Iterator[str]:
    if depth > DEPTH:
        raise LiteralError(f"not a literal: nested deeper than {DEPTH}")
    if value is None or value is True or value is False or value is Ellipsis:
        yield repr(value)
        return
    for kind, form in _FORMS:
        if isinstance(value, kind):
            yield from form(value, depth + 1)
            return
    raise LiteralError(f"not a literal: {type(value).__name__}")


def _int(value: int, _depth: int) -> Iterator[str]:
    exact = int.__int__(value)
    yield hex(exact) if exact.bit_length() > _HEX_ABOVE else int.__repr__(exact)


def _complex(value: complex, depth: int) -> Iterator[str]:
    exact = complex.__complex__(value)
    yield from _joined("complex(", (exact.real, exact.imag), ")", depth)


def _tuple(value: tuple[object, ...], depth: int) -> Iterator[str]:
    close = ",)" if tuple.__len__(value) == 1 else ")"
    yield from _joined("(", tuple.__iter__(value), close, depth)


def _dict(value: dict[object, object], depth: int) -> Iterator[str]:
    mark = "{"
    for name, item in dict.items(value):
        yield mark
        yield from _parts(name, depth)
        yield ": "
        yield from _parts(item, depth)
        mark = ", "
    yield "{}" if mark == "{" else "}"


def _set(value: set[object], depth: int) -> Iterator[str]:
    yield from _sorted_set(set.__iter__(value), "{", "}", "set()", depth)


def _frozenset(value: frozenset[object], depth: int) -> Iterator[str]:
    items = frozenset.__iter__(value)
    yield from _sorted_set(items, "frozenset({", "})", "frozenset()", depth)


def _sorted_set(
    items: Iterator[object], opening: str, closing: str, empty: str, depth: int
) -> Iterator[str]:
    texts = sorted("".join(_parts(item, depth)) for item in items)
    yield f"{opening}{', '.join(texts)}{closing}" if texts else empty


def _joined(
    opening: str, items: Iterator[object] | tuple[object, ...], closing: str, depth: int
) -> Iterator[str]:
    yield opening
    comma = ""
    for item in items:
        if comma:
            yield comma
        yield from _parts(item, depth)
        comma = ", "
    yield closing


_FORMS: Final[tuple[tuple[type, Callable[..., Iterator[str]]], ...]] = (
    (int, _int),
    (str, lambda value, _depth: iter((str.__repr__(value),))),
    (float, lambda value, _depth: iter((float.__repr__(value),))),
    (list, lambda value, depth: _joined("[", list.__iter__(value), "]", depth)),
    (tuple, _tuple),
    (dict, _dict),
    (set, _set),
    (frozenset, _frozenset),
    (bytes, lambda value, _depth: iter((bytes.__repr__(value),))),
    (complex, _complex),
)


# ------------------------------------------------------------------ reading


def read(text: str) -> object:
    """The value that `write` wrote as `text`; raises LiteralError for any other text."""
    reader = _Reader(text)
    value = reader.value(0)
    if reader.kind:
        raise reader.unexpected()
    return value


class _Reader:
    """A recursive-descent parser that looks one token ahead; its depth is bounded."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.end = 0
        self.advance()

    def advance(self) -> None:
        while self.end < len(self.text) and self.text[self.end] == " ":
            self.end += 1
        self.start = self.end
        match = _TOKEN.match(self.text, self.end)
        if match is None and self.end < len(self.text):
            raise self.unexpected()
        self.kind = match.lastgroup if match else None
        self.token = match.group() if match else ""
        self.end = match.end() if match else self.end

    def unexpected(self) -> LiteralError:
        seen = self.text[self.start : self.start + 20]
        return LiteralError(f"not a literal: unexpected {seen!r}")

    def expect(self, mark: str) -> None:
        if self.token != mark or self.kind != "mark":
            raise self.unexpected()
        self.advance()

    def value(self, depth: int) -> object:
        if depth > DEPTH:
            raise LiteralError(f"not a literal: nested deeper than {DEPTH}")
        kind, token = self.kind, self.token
        if kind is None:
            raise self.unexpected()
        self.advance()
        if kind == "text":
            return _text(token)
        if kind == "number":
            return _number(token)
        if kind == "word":
            return self.word(token, depth)
        if token == "[":
            return self.items("]", depth)
        if token == "(":
            return self.tuple(depth)
        if token == "{":
            return self.braces(depth)
        raise self.unexpected()

    def items(self, closing: str, depth: int) -> list[object]:
        found: list[object] = []
        while self.token != closing:
            found.append(self.value(depth + 1))
            if self.token != closing:
                self.expect(",")
        self.expect(closing)
        return found

    def tuple(self, depth: int) -> object:
        found: list[object] = []
        commas = 0
        while self.token != ")":
            found.append(self.value(depth + 1))
            if self.token != ")":
                self.expect(",")
                commas += 1
        self.expect(")")
        return found[0] if len(found) == 1 and not commas else tuple(found)

    def braces(self, depth: int) -> object:
        pairs: dict[object, object] = {}
        items: list[object] = []
        while self.token != "}":
            item = self.value(depth + 1)
            if self.token == ":" and not items:
                self.advance()
                _put(pairs, item, self.value(depth + 1))
            elif pairs:
                raise self.unexpected()
            else:
                items.append(item)
            if self.token != "}":
                self.expect(",")
        self.expect("}")
        return _set_of(items) if items else pairs

    def word(self, word: str, depth: int) -> object:
        if word in _CONSTANTS:
            return _CONSTANTS[word]
        self.expect("(")
        arguments = self.items(")", depth)
        if word == "complex":
            if len(arguments) == 2:
                real, imaginary = arguments
                if type(real) is float and type(imaginary) is float:
                    return complex(real, imaginary)
        elif not arguments:
            return frozenset() if word == "frozenset" else set()
        elif word == "frozenset" and len(arguments) == 1 and type(arguments[0]) is set:
            return frozenset(arguments[0])
        raise LiteralError(f"not a literal: {word}() with these arguments")


_CONSTANTS: Final = {"None": None, "True": True, "False": False, "Ellipsis": Ellipsis}


def _text(token: str) -> object:
    try:
        return ast.literal_eval(token)  # one string token: nothing in it can be nested
    except (SyntaxError, ValueError) as error:
        raise LiteralError(f"not a literal: {error}") from None


def _number(token: str) -> object:
    try:
        if "0x" in token:
            return int(token, 16)
        digits = token.lstrip("-")
        return int(token) if digits.isdigit() else float(token)
    except ValueError as error:
        raise LiteralError(f"not a literal: {error}") from None


def _put(pairs: dict[object, object], name: object, item: object) -> None:
    try:
        pairs[name] = item
    except TypeError as error:
        raise LiteralError(f"not a literal: {error}") from None


def _set_of(items: list[object]) -> set[object]:
    try:
        return set(items)
    except TypeError as error:
        raise LiteralError(f"not a literal: {error}") from None
