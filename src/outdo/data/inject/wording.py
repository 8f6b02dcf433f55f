"""What a reviewer says of an injected bug: a header, what is wrong, and the fix in a line.

Each operator has several ways of saying it. Which is used is drawn by digest, so that a model
learns to find the bug and not one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outdo.records import digest

LONGEST_CODE = 70
"""Characters of code that a sentence quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A bug in words: `header` of a few, `content` a sentence or two, `fix` what to do."""

    header: str
    content: str
    fix: str


HEADERS: Mapping[str, tuple[str, ...]] = {
    "comparison": ("Wrong comparison", "Comparison the wrong way", "Comparison is off"),
    "negation": ("Condition is inverted", "Inverted condition", "Wrong negation"),
    "connective": ("Wrong and/or", "Conditions joined wrongly", "and/or mixed up"),
    "missing-condition": ("Missing condition", "A condition is lost", "Check is incomplete"),
    "short-or": ("Always true condition", "Condition is always true", "or of a bare value"),
    "arithmetic": ("Wrong operator", "Wrong arithmetic", "Calculation is wrong"),
    "division": ("Wrong kind of division", "Wrong division", "Division mixed up"),
    "precedence": ("Wrong order of operations", "Brackets are missing", "Missing brackets"),
    "range-bound": ("Range is off by one", "Off by one in a range", "Wrong bound of a range"),
    "index": ("Index is off by one", "Off by one", "Wrong index"),
    "slice-bound": ("Slice is off by one", "Wrong bound of a slice", "Wrong slice"),
    "wrong-method": ("Wrong method", "Method mixed up", "Another method is meant"),
    "wrong-function": ("Wrong function", "Function mixed up", "Another function is meant"),
    "string-case": ("Case is not normalised", "Compares letters of either case", "Case matters"),
    "swapped-arguments": ("Arguments are swapped", "Swapped arguments", "Wrong argument order"),
    "accumulator-update": ("Wrong update", "Value is overwritten", "Update is wrong"),
    "wrong-jump": ("Wrong loop control", "break and continue mixed up", "Loop ends wrongly"),
    "missing-return": ("Missing return", "Result is not returned", "Return is lost"),
    "lost-result": ("Result is lost", "Lost result", "Return value misused"),
    "wrong-variable": ("Wrong variable", "Variable mixed up", "Another variable is meant"),
}
OTHER = ("Likely bug", "Wrong expression", "This looks wrong")

CONTENTS = (
    "`{after}` does not do what is meant here.",
    "This line is wrong as it stands: `{after}`.",
    "With `{after}` the result is wrong.",
)
FIXES = ("Use `{before}`.", "It should read `{before}`.", "Write `{before}` instead.")


def told(operator: str, *, before: str, after: str, seed: int) -> Told:
    """The bug that made the line `before` into `after`, in one of several ways of saying it."""
    places = [int(digest([seed, operator, before, after, part])[:8], 16) for part in range(3)]
    headers = HEADERS.get(operator, OTHER)
    quoted = {"before": _short(before), "after": _short(after)}
    fix = FIXES[places[2] % len(FIXES)].format(**quoted)
    return Told(
        header=headers[places[0] % len(headers)],
        content=f"{CONTENTS[places[1] % len(CONTENTS)].format(**quoted)} {fix}",
        fix=fix,
    )


def _short(code: str) -> str:
    line = code.strip()
    return line if len(line) <= LONGEST_CODE else line[: LONGEST_CODE - 3] + "..."
