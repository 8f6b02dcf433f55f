"""Composed exercises: which items, what of each, put together how, and written in which style.

Every part is a phrase and a piece of code, so a statement and its programs grow together. A few
dozen parts of each kind give far more exercises than a model of this size can memorise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from exercise import Arguments, Exercise, dressed
from words import integers, sentence, text_words

Part = tuple[str, str]
"""A phrase and its expression over the item `x`; `#` stands for a drawn number."""

CONDITIONS: dict[str, tuple[Part, ...]] = {
    "numbers": (
        ("are even", "x % 2 == 0"),
        ("are odd", "x % 2 == 1"),
        ("are odd", "x % 2 != 0"),
        ("are positive", "x > 0"),
        ("are negative", "x < 0"),
        ("are not negative", "x >= 0"),
        ("are not zero", "x != 0"),
        ("are greater than #", "x > #"),
        ("are less than #", "x < #"),
        ("are at least #", "x >= #"),
        ("are at most #", "x <= #"),
        ("are larger than `limit`", "x > limit"),
        ("are smaller than `limit`", "x < limit"),
        ("are at least `limit`", "x >= limit"),
        ("are not above `limit`", "x <= limit"),
        ("are equal to `limit`", "x == limit"),
        ("differ from `limit`", "x != limit"),
        ("are divisible by #", "x % # == 0"),
        ("are not divisible by #", "x % # != 0"),
        ("are divisible by 3 or 5", "x % 3 == 0 or x % 5 == 0"),
        ("are even and greater than #", "x % 2 == 0 and x > #"),
        ("lie between # and 20, both included", "# <= x <= 20"),
        ("lie strictly between 0 and `limit`", "0 < x < limit"),
        ("lie below 0 or above #", "x < 0 or x > #"),
        ("end in the digit #", "abs(x) % 10 == #"),
    ),
    "words": (
        ("are longer than # letters", "len(x) > #"),
        ("have at least # letters", "len(x) >= #"),
        ("are shorter than # letters", "len(x) < #"),
        ("have exactly # letters", "len(x) == #"),
        ("have more than `limit` letters", "len(x) > limit"),
        ("have at most `limit` letters", "len(x) <= limit"),
        ("have an even number of letters", "len(x) % 2 == 0"),
        ("begin with 's'", "x.startswith('s')"),
        ("begin with 'c'", "x[:1] == 'c'"),
        ("end with 'e'", "x.endswith('e')"),
        ("end with 't'", "x[-1:] == 't'"),
        ("contain the letter 'a'", "'a' in x"),
        ("do not contain 'e'", "'e' not in x"),
        ("read the same backwards", "x == x[::-1]"),
        ("are written in lower case", "x == x.lower()"),
        ("are written in capitals", "x.isupper()"),
        ("are not empty", "x != ''"),
        ("are not empty", "len(x) > 0"),
        ("contain 'o' more than once", "x.count('o') > 1"),
    ),
    "characters": (
        ("are vowels", "x in 'aeiou'"),
        ("are vowels, in either case", "x.lower() in 'aeiou'"),
        ("are not vowels", "x not in 'aeiou'"),
        ("are digits", "x.isdigit()"),
        ("are letters", "x.isalpha()"),
        ("are not letters", "not x.isalpha()"),
        ("are capitals", "x.isupper()"),
        ("are small letters", "x.islower()"),
        ("are blanks", "x == ' '"),
        ("are not blanks", "x != ' '"),
        ("are letters or digits", "x.isalnum()"),
        ("come after 'm' in the alphabet", "x > 'm'"),
        ("lie between 'a' and 'k'", "'a' <= x <= 'k'"),
        ("are equal to 'e'", "x == 'e'"),
    ),
}  # fmt: skip

TO_NUMBER: dict[str, tuple[Part, ...]] = {
    "numbers": (
        ("", "x"),
        ("", "x"),
        ("the squares of ", "x * x"),
        ("the squares of ", "x ** 2"),
        ("the cubes of ", "x ** 3"),
        ("the doubles of ", "2 * x"),
        ("the triples of ", "x * 3"),
        ("the absolute values of ", "abs(x)"),
        ("the negatives of ", "-x"),
        ("the last digits of ", "abs(x) % 10"),
        ("the halves, rounded down, of ", "x // 2"),
        ("the remainders modulo # of ", "x % #"),
        ("# times ", "x * #"),
        ("the values increased by # of ", "x + #"),
        ("the values decreased by # of ", "x - #"),
        ("the squares, less 1, of ", "x * x - 1"),
    ),
    "words": (
        ("the lengths of ", "len(x)"),
        ("the lengths of ", "len(x)"),
        ("the squared lengths of ", "len(x) ** 2"),
        ("the numbers of 'a' in ", "x.count('a')"),
        ("the lengths, plus #, of ", "len(x) + #"),
        ("the lengths, doubled, of ", "2 * len(x)"),
    ),
    "characters": (
        ("the codes of ", "ord(x)"),
        ("the places in the alphabet, from 0, of ", "ord(x.lower()) - ord('a')"),
    ),
}

TO_TEXT: dict[str, tuple[Part, ...]] = {
    "numbers": (
        ("the decimal forms of ", "str(x)"),
        ("the decimal forms, with a '#' behind, of ", "str(x) + '#'"),
    ),
    "words": (
        ("", "x"),
        ("the upper-case forms of ", "x.upper()"),
        ("the lower-case forms of ", "x.lower()"),
        ("the capitalised forms of ", "x.capitalize()"),
        ("the reversals of ", "x[::-1]"),
        ("the first letters of ", "x[:1]"),
        ("the last letters of ", "x[-1:]"),
        ("the first # letters of ", "x[:#]"),
        ("what follows the first letter of ", "x[1:]"),
        ("the doubled forms of ", "x + x"),
        ("the forms with '!' behind of ", "x + '!'"),
        ("the forms with 'a' replaced by 'o' of ", "x.replace('a', 'o')"),
    ),
    "characters": (
        ("", "x"),
        ("", "x"),
        ("the capitals of ", "x.upper()"),
        ("the small forms of ", "x.lower()"),
        ("the doubled forms of ", "x + x"),
        ("the doubled forms of ", "x * 2"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How items are put together: `start`, a `step` for each, the `value` in the end.

    `V` stands for what is taken of an item, `G` for «V for x in xs if ...». A step that begins
    with `return` leaves the loop. `wants` says which kinds of value it can take.
    """

    phrase: str
    start: str
    step: tuple[str, ...]
    value: str
    short: str = ""
    wants: str = "number"


ENDINGS = (
    Ending(phrase="Return the sum of {v}.", start="acc = 0", step=("acc += V", "acc = acc + V"),
           value="acc", short="sum((G))"),
    Ending(phrase="Return the product of {v}; it is 1 if there are none.", start="acc = 1",
           step=("acc *= V", "acc = acc * V"), value="acc"),
    Ending(phrase="Return how many {p}.", start="num = 0", step=("num += 1", "num = num + 1"),
           value="num", short="len([G])", wants="item"),
    Ending(phrase="Return a list of {v}, in their order.", start="acc = []",
           step=("acc.append(V)", "acc += [V]", "acc = acc + [V]"), value="acc", short="[G]",
           wants="any"),
    Ending(phrase="Return a list of {v}, the last one first.", start="acc = []",
           step=("acc.insert(0, V)", "acc = [V] + acc"), value="acc", short="[G][::-1]",
           wants="any"),
    Ending(phrase="Return the string of {v}, joined without anything between them.",
           start="acc = ''", step=("acc += V", "acc = acc + V"), value="acc", short="''.join([G])",
           wants="text"),
    Ending(phrase="Return a sorted list of {v}, each only once.", start="acc = []",
           step=("if V not in acc: acc.append(V)",), value="sorted(acc)", short="sorted(set([G]))",
           wants="any"),
    Ending(phrase="Return a list of {v}, each only once, in the order of first appearance.",
           start="acc = []", step=("if V not in acc: acc.append(V)",), value="acc", wants="any"),
    Ending(phrase="Return a dictionary that tells how often each of {v} occurs.", start="acc = {}",
           step=("acc[V] = acc.get(V, 0) + 1", "if V in acc: acc[V] += 1\nelse: acc[V] = 1",
                 "if V not in acc: acc[V] = 0\nacc[V] += 1"), value="acc", wants="any"),
    Ending(phrase="Return the largest of {v}, or None if there is none.", start="best = None",
           step=("if best is None or V > best: best = V",), value="best"),
    Ending(phrase="Return the smallest of {v}, or None if there is none.", start="best = None",
           step=("if best is None or V < best: best = V",), value="best"),
    Ending(phrase="Return the longest of {v}, or '' if there is none; the first of several.",
           start="best = ''", step=("if len(V) > len(best): best = V",), value="best",
           wants="text"),
    Ending(phrase="Return the first of {v}, or None if there is none.", start="",
           step=("return V",), value="None", wants="any"),
    Ending(phrase="Return the last of {v}, or None if there is none.", start="best = None",
           step=("best = V",), value="best", wants="any"),
    Ending(phrase="Return True if any {p}, else False.", start="", step=("return True",),
           value="False", wants="item"),
    Ending(phrase="Return False if any {p}, else True.", start="", step=("return False",),
           value="True", wants="item"),
    Ending(phrase="Return the running totals of {v}.", start="acc = []\nnum = 0",
           step=("num += V\nacc.append(num)", "num = num + V\nacc.append(num)"), value="acc"),
    Ending(phrase="Return the average of {v}, or 0 if there is none.", start="acc = 0\nnum = 0",
           step=("acc += V\nnum += 1", "num += 1\nacc = acc + V"),
           value="acc / num if num else 0"),
    Ending(phrase="Return a pair: the sum of {v}, and how many they are.", start="acc = 0\nnum = 0",
           step=("acc += V\nnum += 1",), value="(acc, num)"),
)  # fmt: skip

ITEMS: dict[str, tuple[str, str, Callable[[Random], object]]] = {
    "numbers": ("numbers", "xs", integers),
    "words": ("words", "words", text_words),
    "characters": ("characters", "text", sentence),
}


def fold(rng: Random) -> Exercise | None:
    """An exercise that goes once over a list or a text."""
    kind = rng.choice(("numbers", "numbers", "words", "characters"))
    ending = rng.choice(ENDINGS)
    of, taken = rng.choice(_values(kind, ending.wants))
    which, condition = rng.choice(CONDITIONS[kind])
    if ending.wants != "item" and rng.random() < 0.3:
        which, condition = "", ""
    number = str(rng.randint(2, 6))
    noun, role, values = ITEMS[kind]
    statement = _statement(rng, ending.phrase, of, noun, role, which).replace("#", number)
    taken, condition = taken.replace("#", number), condition.replace("#", number)
    limited = "limit" in condition
    head = f"def f({role}{', limit' if limited else ''}):\n"
    sources = [
        head + _indented(body)
        for body in _bodies(rng, ending, role=role, taken=taken, condition=condition)
    ]

    def arguments(rng: Random) -> Arguments:
        given = values(rng)
        return (given, rng.randint(1, 8)) if limited else (given,)

    return dressed(rng, statement=statement, sources=sources, arguments=arguments)


def _values(kind: str, wants: str) -> Sequence[Part]:
    if wants == "item":
        return (("", "x"),)
    if wants == "number":
        return TO_NUMBER[kind]
    return TO_TEXT[kind] if wants == "text" else (*TO_NUMBER[kind], *TO_TEXT[kind])


def _statement(rng: Random, phrase: str, of: str, noun: str, role: str, which: str) -> str:
    among = f"{noun} in `{role}`"
    clause = f" that {which}" if which else ""
    text = phrase.format(v=f"{of}the {among}{clause}", p=f"{among} {which}")
    lead = rng.choice(("", "", "", f"`{role}` holds {noun}. ", f"You get {noun} as `{role}`. "))
    return lead + text


def _indented(body: str) -> str:
    return "".join(f"    {line}\n" for line in body.splitlines())


def _bodies(rng: Random, ending: Ending, *, role: str, taken: str, condition: str) -> list[str]:
    """Two bodies in different styles: a loop, and another loop, an expression or a recursion."""
    loops = rng.sample((_each, _by_index, _while, _enumerated), 2)
    bodies = [
        loop(rng, _start(ending), _guarded(rng, ending, taken, condition), ending.value, role)
        for loop in loops
    ]
    if ending.short and rng.random() < 0.6:
        inner = f"{taken} for x in {role}" + (f" if {condition}" if condition else "")
        bodies[1] = f"return {ending.short.replace('G', inner)}"
        if rng.random() < 0.25:
            bodies.reverse()
    return bodies


def _start(ending: Ending) -> str:
    return ending.start + "\n" if ending.start else ""


def _guarded(rng: Random, ending: Ending, taken: str, condition: str) -> str:
    """What is done with the item `x`."""
    step = rng.choice(ending.step)
    prepared = ""
    if "V" in step and taken != "x" and rng.random() < 0.25:
        prepared, taken = f"w = {taken}\n", "w"
    action = prepared + step.replace("V", taken if " " not in taken else f"({taken})")
    if not condition:
        return action
    if rng.random() < 0.2 and not step.startswith("return"):
        return f"if not ({condition}): continue\n{action}"
    return f"if {condition}:\n{_indented(action)}"


def _each(_rng: Random, start: str, action: str, value: str, role: str) -> str:
    return f"{start}for x in {role}:\n{_indented(action)}return {value}"


def _by_index(rng: Random, start: str, action: str, value: str, role: str) -> str:
    loop = f"{start}for i in range(len({role})):\n"
    if rng.random() < 0.5:
        return f"{loop}    x = {role}[i]\n{_indented(action)}return {value}"
    return loop + _indented(_at(action, f"{role}[i]")) + f"return {value}"


def _enumerated(rng: Random, start: str, action: str, value: str, role: str) -> str:
    first = rng.choice((0, 1))
    given = role if first == 0 else f"{role}, {first}"
    return f"{start}for i, x in enumerate({given}):\n{_indented(action)}return {value}"


def _while(rng: Random, start: str, action: str, value: str, role: str) -> str:
    head = f"{start}i = 0\nwhile i < len({role}):\n    x = {role}[i]\n"
    if "continue" in action or rng.random() < 0.3:
        return f"{head}    i += 1\n{_indented(action)}return {value}"
    return f"{head}{_indented(action)}    i += 1\nreturn {value}"


def _at(action: str, item: str) -> str:
    """The action with the loop's item read by index."""
    return re.sub(r"\bx\b", item, action)
