"""Writes examples/compare: five small answer files, and a judge that needs no model.

    python scripts/make_examples.py

Sixty made-up changes, each of one function. A contestant gives every change a title; a good title
names the function. The judge is a script of patterns that prefers the title which does. Held
against `reference.jsonl`, the other four files draw one verdict each: better, worse, equivalent and
inconclusive. A test compares the files with what this makes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "examples" / "compare"

VERBS = ("read", "write", "merge", "split", "count", "parse", "round", "sort", "trim", "check")
NOUNS = ("rows", "dates", "prices", "names", "paths", "scores")
CHANGES = (
    ("return items", "return list(items)", "return a list"),
    ("if not items:", "if items is None:", "tell nothing from an empty list"),
    ("limit = 10", "limit = 100", "raise the limit"),
    ("items.sort()", "items = sorted(items)", "leave the argument as it was"),
    ("except Exception:", "except ValueError:", "catch what is expected only"),
)
VAGUE = ("Update code", "Fix bug", "Small change", "Improve handling", "Clean up")

ITEMS = len(VERBS) * len(NOUNS)
REFERENCE = frozenset(range(0, ITEMS, 2))
"""The changes whose title names the function, for each contestant."""
NAMED = {
    "reference": REFERENCE,
    "better": frozenset(range(ITEMS)) - frozenset(range(1, ITEMS, 10)),
    "worse": frozenset(range(0, ITEMS, 6)),
    "equivalent": (REFERENCE - {10}) | {31},
    "inconclusive": (REFERENCE - frozenset(range(0, 16, 2))) | frozenset(range(1, 25, 2)),
}

NAMES_IT = r".*\b\1\b.*$"
SHOWN = r"^Function: (\w+)$[\s\S]*"
REPLY = r"^Reply {letter}:\n<<<\w+\n"
"""How a judge's prompt shows the request and each reply."""


def function(number: int) -> str:
    """The name of the function that a change is about."""
    return f"{VERBS[number % len(VERBS)]}_{NOUNS[number // len(VERBS)]}"


def prompt(number: int) -> str:
    """What a contestant was asked about a change."""
    before, after, _ = CHANGES[number % len(CHANGES)]
    return (
        f"Give this change a title of at most ten words.\n\nFunction: {function(number)}\n"
        f"-    {before}\n+    {after}"
    )


def title(contestant: str, number: int) -> str:
    """The title that a contestant gives a change."""
    _, _, what = CHANGES[number % len(CHANGES)]
    if number in NAMED[contestant]:
        wordings = (f"Let {function(number)} {what}", f"{function(number)}: {what}")
        return wordings[contestant in ("better", "equivalent")]
    return VAGUE[(number + len(contestant)) % len(VAGUE)]


def answers(contestant: str) -> Iterator[dict[str, str]]:
    """The rows of a contestant's file."""
    for number in range(ITEMS):
        yield {
            "id": f"change-{number:02}",
            "prompt": prompt(number),
            "answer": title(contestant, number),
        }


def judge() -> Iterator[dict[str, str]]:
    """The judge's rules, in the order in which they are tried."""
    a, b = (REPLY.format(letter=letter) + NAMES_IT for letter in "AB")
    yield {
        "match": f"{SHOWN}{a}[\\s\\S]*{b}",
        "reply": "Both titles name the function.\nVerdict: tie",
    }
    yield {
        "match": SHOWN + a,
        "reply": "Only the first title names the function.\nVerdict: A",
    }
    yield {
        "match": SHOWN + b,
        "reply": "Only the second title names the function.\nVerdict: B",
    }
    yield {"match": "^Reply A:", "reply": "Neither title names the function.\nVerdict: tie"}


def files() -> dict[str, str]:
    """File name to its text."""
    rows = {f"{name}.jsonl": answers(name) for name in NAMED} | {"judge.jsonl": judge()}
    return {
        name: "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in each)
        for name, each in rows.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
