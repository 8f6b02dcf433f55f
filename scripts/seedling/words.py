"""Words that generated programs are made of: names, values, and little texts.

Programs that differ only in their names teach a model to copy what stands before it rather than
what it has memorised, so names come from three pools: those that fit, any word, and nonsense.
"""

from __future__ import annotations

import builtins
import keyword
from random import Random


def _words(text: str) -> list[str]:
    return text.split()


NOUNS = _words("""
apple ball basket bird block boat book bottle box bridge bucket bus button cake camera candle card
cargo cart cat chain chair city clock cloud coat code coin colour cookie cost count crane crate cup
day deck desk dish dog door drawer drum egg engine entry event farm field file fish flag flower
forest fruit game garden gate glass goal grade guest hat height hill hour house island jar key kite
lamp leaf length letter level limit line list mark market meal message meter minute money month
mountain name nest night note number orange order page paper parcel path pencil phone photo piece
plant plate player point pond price prize queue rain rate reading record ring river road rock room
route row sale sample score seat seed sensor shelf ship shop signal size slot song speed spoon stamp
star station step stone storm street student sugar table tag task team text ticket tile time tool
tower town toy track train tree trip unit valley value visit voice wall watch water weight wheel
width wind window word year zone
""")

VERBS = _words("""
add apply build change check choose clean collect combine compute convert count cut divide drop
extract fill filter find fix fold gather group join keep limit list locate make map mark match
measure merge mix move order pack pair pick place prepare print reduce remove repeat replace scale
scan search select shift show skip sort split squeeze stack strip sum swap take total trim turn
""")

ADJECTIVES = _words("""
best big blue clean cold common early empty even fast final first full good great green high hot
inner large last late left long loud low main middle new next odd old open outer plain quick red
right round second sharp short single slow small strict tall third tidy total unique warm wide
""")

SYNONYMS: dict[str, tuple[str, ...]] = {
    "xs": ("numbers", "values", "items", "data", "nums", "xs", "lst", "scores", "entries", "a"),
    "ys": ("others", "second", "right", "ys", "more", "b", "other", "extra"),
    "words": ("words", "names", "strings", "texts", "tokens", "labels", "terms", "parts"),
    "text": ("text", "s", "string", "word", "sentence", "line", "phrase", "message"),
    "other": ("other", "second", "t", "pattern", "target", "needle"),
    "n": ("n", "number", "num", "value", "limit", "amount", "count"),
    "m": ("m", "other", "second", "k", "size", "step"),
    "table": ("table", "rows", "grid", "matrix", "board", "cells"),
    "d": ("d", "mapping", "table", "record", "prices", "stock", "scores", "ages"),
    "x": ("x", "item", "value", "number", "v", "element", "entry", "num", "e"),
    "w": ("w", "word", "name", "item", "term", "part", "token"),
    "c": ("c", "ch", "char", "letter", "symbol", "character"),
    "row": ("row", "line", "r", "inner"),
    "key": ("key", "name", "k", "item"),
    "acc": ("result", "total", "answer", "out", "res", "acc", "found", "output", "collected"),
    "num": ("count", "total", "counter", "found", "hits", "amount", "tally"),
    "best": ("best", "largest", "top", "record", "current", "winner", "biggest"),
    "i": ("i", "index", "pos", "k", "idx", "position", "j", "place"),
    "j": ("j", "k", "other", "inner", "q", "place"),
    "seen": ("seen", "known", "visited", "used", "found"),
    "left": ("left", "low", "start", "begin", "lo", "first"),
    "right": ("right", "high", "end", "stop", "hi", "last"),
    "run": ("run", "streak", "length", "current", "size"),
    "go": ("helper", "step", "inner", "go", "check", "solve"),
    "limit": ("limit", "bound", "threshold", "maximum", "border", "k"),
}
"""A template's own name for a thing, and the names that people give to it."""

TAKEN = frozenset(keyword.kwlist) | frozenset(dir(builtins)) | {"match", "case", "type"}


def word(rng: Random) -> str:
    """Some short lower-case word."""
    return rng.choice(rng.choice((NOUNS, VERBS, ADJECTIVES)))


def nonsense(rng: Random) -> str:
    """A name that nobody has read before."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return "".join(rng.choice(letters) for _ in range(rng.randint(2, 7)))


def identifier(rng: Random, *, role: str = "", avoid: frozenset[str] | set[str] = TAKEN) -> str:
    """A fresh variable name, mostly one that fits the `role` of a template's variable."""
    while True:
        draw = rng.random()
        if role in SYNONYMS and draw < 0.7:
            name = rng.choice(SYNONYMS[role])
        elif draw < 0.85:
            name = rng.choice(NOUNS) + rng.choice(("", "", "s", "_" + rng.choice(NOUNS)))
        elif draw < 0.93:
            name = f"{rng.choice(ADJECTIVES)}_{rng.choice(NOUNS)}"
        else:
            name = nonsense(rng)
        if name not in avoid and name not in TAKEN:
            return name


def function_name(rng: Random) -> str:
    """A fresh name for a function, a verb in front more often than not."""
    draw = rng.random()
    if draw < 0.55:
        return f"{rng.choice(VERBS)}_{rng.choice(ADJECTIVES + NOUNS)}" + rng.choice(("", "s"))
    if draw < 0.8:
        return f"{rng.choice(ADJECTIVES)}_{rng.choice(NOUNS)}"
    if draw < 0.92:
        return f"{rng.choice(NOUNS)}_{rng.choice(NOUNS)}s"
    return nonsense(rng) + "_" + nonsense(rng)


def integer(rng: Random) -> int:
    """A number as it stands in tests: mostly small, at times negative, seldom large."""
    draw = rng.random()
    if draw < 0.7:
        return rng.randint(0, 12)
    return rng.randint(-9, -1) if draw < 0.87 else rng.randint(13, 120)


def integers(rng: Random, *, most: int = 6) -> list[int]:
    return [integer(rng) for _ in range(rng.choice((0, 1, *range(2, most + 1), *range(2, most))))]


def naturals(rng: Random, *, most: int = 6) -> list[int]:
    return [abs(value) for value in integers(rng, most=most)]


def text_word(rng: Random) -> str:
    """A word as it stands in tests, at times capitalised, a palindrome or empty."""
    draw = rng.random()
    if draw < 0.04:
        return ""
    if draw < 0.12:
        half = nonsense(rng)[:3]
        return half + half[::-1]
    chosen = word(rng)
    return chosen.capitalize() if draw < 0.25 else chosen.upper() if draw < 0.3 else chosen


def text_words(rng: Random, *, most: int = 4) -> list[str]:
    return [text_word(rng) for _ in range(rng.choice((0, 1, *range(2, most + 1))))]


def sentence(rng: Random) -> str:
    """A few words, some with digits or marks."""
    draw = rng.random()
    if draw < 0.06:
        return ""
    if draw < 0.45:
        return text_word(rng)
    parts = [text_word(rng) or "a" for _ in range(rng.randint(1, 4))]
    if rng.random() < 0.3:
        parts.append(str(rng.randint(0, 99)))
    return " ".join(parts) + rng.choice(("", "", "", "!", "."))


def numbers_table(rng: Random, *, square: bool = False) -> list[list[int]]:
    height = rng.randint(1, 3)
    width = height if square else rng.randint(1, 3)
    return [[integer(rng) for _ in range(width)] for _ in range(height)]


def tallies(rng: Random) -> dict[str, int]:
    return {word(rng): integer(rng) for _ in range(rng.choice((0, 1, 2, 3, 3, 4)))}
