"""Sets of rows that are clean by their making, and flaws to plant in a share of them.

Both replies of a pair are drawn in the same way, so that nothing tells them apart.
"""

from __future__ import annotations

import functools
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from outdo.data.check import Gathered, gather

Row = dict[str, str]
Plant = Callable[[Row, random.Random, list[Row]], Row]

_FUNCTION_WORDS = [
    "the",
    "and",
    "of",
    "to",
    "is",
    "with",
    "that",
    "this",
    "for",
    "from",
    "your",
    "which",
    "into",
    "when",
]


@functools.cache
def words() -> tuple[str, ...]:
    """Words that nobody knows, always the same."""
    rng = random.Random("words")
    syllables = [
        a + b for a in "bdfgklmnprstv" for b in ("a", "e", "i", "o", "u", "an", "or", "el")
    ]
    return tuple(
        sorted({"".join(rng.choices(syllables, k=rng.choice((2, 3)))) for _ in range(1500)})
    )


def sentence(rng: random.Random) -> str:
    said = [
        rng.choice(_FUNCTION_WORDS) if rng.random() < 0.4 else rng.choice(words())
        for _ in range(rng.randint(7, 16))
    ]
    return " ".join(said).capitalize() + "."


def prose(rng: random.Random) -> str:
    return " ".join(sentence(rng) for _ in range(rng.randint(3, 9)))


def program(rng: random.Random) -> str:
    """A function of three to twelve statements; some have a docstring, comments, or a print."""
    names = rng.sample(words(), 6)
    lines = [f"def {rng.choice(words())}_{rng.choice(words())}({', '.join(names[:2])}):"]
    if rng.random() < 0.3:
        lines.append(f'    """{sentence(rng)}"""')
    for _ in range(rng.randint(3, 12)):
        a, b = rng.choices(names, k=2)
        n = rng.randint(0, 99)
        lines += rng.choice(
            (
                [f"    {a} = {b} + {n}"],
                [f"    if {a} > {n}:", f"        {b} = {a} * {rng.randint(2, 9)}"],
                [f"    for {a} in range({n}):", f"        {b} += {a}"],
                [f"    {a} = [{b} for {b} in {names[0]} if {b} != {n}]"],
                [f"    # {sentence(rng)}", f"    {a} -= {n}"],
                [f"    print({a}, {n})"],
            )
        )
    return "\n".join([*lines, f"    return {rng.choice(names)}"])


@functools.lru_cache(maxsize=8)
def _clean(kind: str, count: int, seed: int) -> tuple[Row, ...]:
    rng = random.Random(f"{kind}-{seed}")
    reply = prose if kind.startswith("prose") else program
    sides = ("chosen", "rejected") if kind.endswith("pairs") else ("completion",)
    return tuple(
        {"prompt": f"Write {sentence(rng)} {prose(rng)}", **{side: reply(rng) for side in sides}}
        for _ in range(count)
    )


KINDS = ("program pairs", "prose pairs", "programs", "prose")


def rows_of(
    kind: str, *, count: int, seed: int, plant: Plant | None = None, share: float = 0.0
) -> list[Row]:
    """Clean rows of a kind, with a flaw planted in a share of them."""
    rows = [dict(row) for row in _clean(kind, count, seed)]
    if plant is None:
        return rows
    rng = random.Random(f"plant-{seed}")
    for place in rng.sample(range(count), round(share * count)):
        rows[place] = plant(rows[place], rng, rows)
    return rows


def written(rows: list[Row], folder: Path) -> Gathered:
    """The rows as they are read out of a file."""
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return gather(path)


# ------------------------------------------------------------------ flaws


@dataclass(frozen=True)
class Flaw:
    """A flaw that is planted in rows of a kind, and the name of what is to be found."""

    name: str
    kind: str
    plant: Plant
    finds: str


def _on(side: str, change: Callable[[str, random.Random], str]) -> Plant:
    return lambda row, rng, _: {**row, side: change(row[side], rng)}


def _fenced(text: str, _: random.Random) -> str:
    return f"```python\n{text}\n```"


def _longer(text: str, rng: random.Random) -> str:
    return "\n\n".join([text, *(program(rng) for _ in range(6))])


def _broken(text: str, _: random.Random) -> str:
    return text.replace(":", "", 1)


def _again(row: Row, rng: random.Random, rows: list[Row]) -> Row:
    return dict(rng.choice(rows))


def _nearly_again(row: Row, rng: random.Random, rows: list[Row]) -> Row:
    other = rng.choice(rows)
    return {name: f"{text} {rng.choice(words())}" for name, text in other.items()}


def _turned(row: Row, rng: random.Random, rows: list[Row]) -> Row:
    other = rng.choice(rows)
    return {**other, "chosen": other["rejected"], "rejected": other["chosen"]}


GERMAN = (
    "Die Funktion ist nicht schwer und wird mit einer Schleife über den Wert geschrieben. "
    "Das Ergebnis ist dann auch für eine leere Liste richtig. Nummer "
)

FLAWS = (
    Flaw("fence", "program pairs", _on("rejected", _fenced), "fence"),
    Flaw("length", "program pairs", _on("rejected", _longer), "length"),
    Flaw("prefix", "prose pairs", _on("chosen", lambda t, _: f"Sure! {t}"), "opener"),
    Flaw("first word", "prose pairs", _on("rejected", lambda t, _: f"Zorblax {t}"), "first word"),
    Flaw(
        "last line",
        "prose pairs",
        _on("chosen", lambda t, _: f"{t}\nThus spoke zorblax the great"),
        "last line",
    ),
    Flaw("suffix", "prose pairs", _on("chosen", lambda t, _: f"{t} Hope this helps!"), "closer"),
    Flaw(
        "trailing line end", "program pairs", _on("chosen", lambda t, _: t + "\n"), "line end last"
    ),
    Flaw(
        "tabs",
        "program pairs",
        _on("rejected", lambda t, _: t.replace("    ", "\t")),
        "tab",
    ),
    Flaw(
        "language",
        "prose pairs",
        _on("rejected", lambda _, r: GERMAN + str(r.random())),
        "language",
    ),
    Flaw("broken", "program pairs", _on("chosen", _broken), "doesn't parse"),
    Flaw(
        "identical",
        "prose pairs",
        lambda row, *_: {**row, "rejected": row["chosen"]},
        "identical pair",
    ),
    Flaw(
        "near-identical",
        "program pairs",
        lambda row, *_: {**row, "rejected": f"# other\n{row['chosen']}\n"},
        "near-identical pair",
    ),
    Flaw("turned", "prose pairs", _turned, "contradiction"),
    Flaw("duplicate", "prose pairs", _again, "duplicate"),
    Flaw("near-duplicate", "prose", _nearly_again, "near-duplicate"),
    Flaw("empty", "prose", _on("completion", lambda *_: "  "), "empty"),
    Flaw(
        "template",
        "prose",
        _on("prompt", lambda t, _: f"<|im_start|>user\n{t}"),
        "template",
    ),
    Flaw("end", "programs", _on("completion", lambda t, _: f"{t}<|endoftext|>"), "end-of-sequence"),
    Flaw("encoding", "prose", _on("completion", lambda t, _: f"{t} schÃ¶n"), "encoding"),
    Flaw("escaped", "programs", _on("completion", lambda t, _: t.replace("\n", "\\n")), "escaped"),
    Flaw("cut", "programs", _on("completion", lambda t, _: f"```python\n{t}"), "cut"),
    Flaw(
        "refusal",
        "prose",
        _on("completion", lambda t, _: f"I'm sorry, but I can't help. {t}"),
        "refusal",
    ),
    Flaw(
        "placeholder",
        "programs",
        _on("completion", lambda t, _: f"{t}\n# your code here"),
        "placeholder",
    ),
    Flaw(
        "prose among programs",
        "programs",
        _on("completion", lambda _, r: prose(r)),
        "doesn't parse",
    ),
    Flaw(
        "other language",
        "prose",
        _on("completion", lambda _, r: GERMAN + str(r.random())),
        "language",
    ),
    Flaw("form", "programs", _on("completion", _fenced), "form of code"),
    Flaw(
        "boilerplate",
        "prose",
        _on("completion", lambda t, _: f"Here is what was asked of me\n{t}"),
        "same first line",
    ),
    Flaw("echo", "prose", lambda row, *_: {**row, "completion": row["prompt"][6:]}, "echo"),
    Flaw(
        "one answer",
        "prose",
        _on("completion", lambda *_: "It hangs on what the question of the user really is."),
        "same answer",
    ),
)
