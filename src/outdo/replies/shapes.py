"""What a reply should hold, as a value that a reader, a prompt and a server all take.

A shape says which fields there are and of which kind. How many items and characters are wanted is
told to whoever writes the reply (`json_schema`); a reader takes longer ones, and scores tell it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outdo.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text of at most `longest` characters; `empty` allows one without letters."""

    longest: int | None = None
    empty: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number from `low` to `high`, both included, where they are given."""

    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A list of at most `most` items of one shape, and at least `least`."""

    of: Shape
    most: int | None = None
    least: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """An object with these fields, in this order; those in `optional` may be absent."""

    of: Mapping[str, Shape]
    optional: tuple[str, ...] = ()

    @property
    def needed(self) -> tuple[str, ...]:
        return tuple(name for name in self.of if name not in self.optional)


Shape = Text | Whole | Flag | OneOf | Many | Fields


def json_schema(shape: Shape) -> dict[str, Json]:
    """The shape as a JSON schema, closed to other fields, limits included."""
    match shape:
        case Text():
            longest = {} if shape.longest is None else {"maxLength": shape.longest}
            return {"type": "string", **longest}
        case Whole():
            bounds = {"minimum": shape.low, "maximum": shape.high}
            return {"type": "integer", **{k: v for k, v in bounds.items() if v is not None}}
        case Flag():
            return {"type": "boolean"}
        case OneOf():
            return {"type": "string", "enum": list(shape.words)}
        case Many():
            most = {} if shape.most is None else {"maxItems": shape.most}
            least = {"minItems": shape.least} if shape.least else {}
            return {"type": "array", "items": json_schema(shape.of), **least, **most}
        case Fields():
            return {
                "type": "object",
                "properties": {name: json_schema(one) for name, one in shape.of.items()},
                "required": list(shape.needed),
                "additionalProperties": False,
            }


def texts(shape: Shape, name: str = "") -> frozenset[str]:
    """The names of all fields in it whose value is free text or a word."""
    match shape:
        case Text() | OneOf():
            return frozenset({name} - {""})
        case Many():
            return texts(shape.of, name)
        case Fields():
            return frozenset().union(*(texts(one, key) for key, one in shape.of.items()))
        case _:
            return frozenset()


def names(shape: Shape) -> frozenset[str]:
    """The names of all fields in it, at every depth."""
    match shape:
        case Many():
            return names(shape.of)
        case Fields():
            return frozenset(shape.of).union(*(names(one) for one in shape.of.values()))
        case _:
            return frozenset()


def breaches(value: Json, shape: Shape, where: str = "") -> tuple[str, ...]:
    """Where a value that fits the shape goes beyond its limits: too many items, too long texts."""
    match shape:
        case Text() if shape.longest is not None and len(value) > shape.longest:
            return (f"{where} has {len(value)} characters, not at most {shape.longest}",)
        case Many():
            told = [
                breach
                for place, item in enumerate(value)
                for breach in breaches(item, shape.of, f"{where}[{place}]")
            ]
            if shape.most is not None and len(value) > shape.most:
                told.append(f"{where} has {len(value)} items, not at most {shape.most}")
            if len(value) < shape.least:
                told.append(f"{where} has {len(value)} items, not at least {shape.least}")
            return tuple(told)
        case Fields():
            return tuple(
                breach
                for name, one in shape.of.items()
                if name in value
                for breach in breaches(value[name], one, f"{where}.{name}" if where else name)
            )
        case _:
            return ()
