"""What people prefer, from a file of their labels: one rater's choice for one item a row.

CSV or JSONL with `item` (an example's id), `rater` and `choice` (`a`, `b` or `tie`), and as far as
they are known `a` and `b` (the contestants), `seconds`, `confidence` and `why`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

from outdo.data.place import Place
from outdo.data.rows import Row, read_rows
from outdo.records import Comparison, Json, Preference, Side

CHOICES: tuple[Side, ...] = get_args(Side)
NEEDED = ("item", "rater", "choice")
KNOWN = (*NEEDED, "a", "b", "seconds", "confidence", "why")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One rater's choice for one item; `a` and `b` name the contestants, where the file does.

    `seconds` is what it took the rater, `confidence` the rater's own number, of whatever scale.
    """

    item: str
    rater: str
    choice: Side
    a: str = ""
    b: str = ""
    seconds: float | None = None
    confidence: float | None = None
    why: str = ""
    place: Place = field(compare=False, repr=False)


def read_labels(path: Path | str) -> tuple[Label, ...]:
    """The labels of a CSV or JSONL file.

    Raises DataError, with the line, for a key that is missing or unknown, a choice or a number that
    is none, contestants that aren't two, and a rater who labels the same item twice.
    """
    found: dict[tuple[str, ...], Label] = {}
    for row in read_rows(path):
        label = _label(row)
        key = (label.item, label.rater, *sorted((label.a, label.b)))
        if key in found:
            problem = f"{label.rater!r} labelled {label.item!r} before"
            first = found[key].place.at()
            raise row.place.error(problem, f"keep one; the other is at {first}")
        found[key] = label
    return tuple(found.values())


def _label(row: Row) -> Label:
    values, place = row.values, row.place
    for name in NEEDED:
        if name not in values:
            raise place.error(f"the label has no {name!r}", f"needed are {', '.join(NEEDED)}")
    if extra := [name for name in values if name not in KNOWN]:
        raise place.error(f"unknown key {extra[0]!r}", f"known are {', '.join(KNOWN)}")
    texts = {name: _text(values, name, place) for name in (*NEEDED, "a", "b", "why")}
    for name in ("item", "rater"):
        if not texts[name]:
            raise place.error(f"{name} is empty", at=(name,))
    choice = texts["choice"].lower()
    if choice not in CHOICES:
        raise place.error(f"choice is {texts['choice']!r}", f"one of {', '.join(CHOICES)}")
    if bool(texts["a"]) != bool(texts["b"]) or (texts["a"] and texts["a"] == texts["b"]):
        raise place.error("a and b don't name two contestants", "name both, or neither")
    return Label(
        item=texts["item"],
        rater=texts["rater"],
        choice=choice,
        a=texts["a"],
        b=texts["b"],
        seconds=_number(values, "seconds", place),
        confidence=_number(values, "confidence", place),
        why=texts["why"],
        place=place,
    )


def _text(values: Mapping[str, Json], name: str, place: Place) -> str:
    value = values.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise place.error(f"{name} is no text", at=(name,))
    return str(value).strip()


def _number(values: Mapping[str, Json], name: str, place: Place) -> float | None:
    """A number that isn't negative; None where nothing is said."""
    said = _text(values, name, place)
    if not said:
        return None
    try:
        number = float(said)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number >= 0):
        raise place.error(f"{name} is {said!r}, not a number from 0", at=(name,))
    return number


def labelled(
    labels: Iterable[Label], *, contestants: Collection[str], against: str
) -> tuple[Preference, ...]:
    """The labels as preferences between contestants; `by` is `people/<rater>`.

    Where a label names nobody, a is the only contestant and b whom it stands `against`. Raises
    DataError, with the line, for a contestant that isn't there, and where several could be a.
    """
    others = [name for name in contestants if name != against]
    return tuple(_preference(label, others, against) for label in labels)


def _preference(label: Label, others: Collection[str], against: str) -> Preference:
    for name in filter(None, (label.a, label.b)):
        if name not in (*others, against):
            hint = f"one of {', '.join((*others, against))}"
            raise label.place.error(f"there is no contestant {name!r}", hint)
    if not label.a and len(others) != 1:
        hint = f"name them, as in a: {next(iter(others), against)}, b: {against}"
        raise label.place.error("the label doesn't say of which contestants it is", hint)
    return Preference(
        comparison=Comparison(
            example=label.item, a=label.a or next(iter(others)), b=label.b or against
        ),
        choice=label.choice,
        by=f"people/{label.rater}",
        order="ab",
        confidence=label.confidence,
        because=label.why,
    )
