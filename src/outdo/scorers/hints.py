"""What rules can tell of a hint: whether it points at the fault, and whether it gives the fix away.

What was wrong is known from the difference between the program and its repair. Rules read names,
numbers of lines and code; whether a sentence is true in other ways only a rater can tell.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from outdo import text, tokens

LONGEST_PROGRAM = 2_000
"""Lines beyond which two programs are not compared: the difference costs their product."""
FEWEST_WORDS, MOST_WORDS = 4, 80
MOST_CONSTRUCTS = 3
"""A hint that speaks of more kinds of code than this points at none of them."""

MOST_LINES = 2
"""A construct that stands in more lines than this is no pointer: the learner must still search."""

SIGNATURE = (
    f"rules,words={FEWEST_WORDS}-{MOST_WORDS},constructs={MOST_CONSTRUCTS},lines={MOST_LINES}"
)

INDENT = "indent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One place where a program differs from its repair.

    `first` to `last` are lines of the program, from 1; where lines are missing, those around the
    gap. `was` and `becomes` are the lines on either side, `changed` the tokens that differ, with
    the word that each line of the fault begins with.
    """

    first: int
    last: int
    was: tuple[str, ...]
    becomes: tuple[str, ...]
    changed: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The four attributes of a hint as rules tell them, None for what they can't; and why."""

    correct: bool | None
    informative: bool | None
    conceals: bool | None
    comprehensible: bool
    because: Mapping[str, str]

    @property
    def good(self) -> bool | None:
        """Whether all four hold: False as soon as one doesn't, None where one can't be told."""
        told = (self.correct, self.informative, self.conceals, self.comprehensible)
        if False in told:
            return False
        return None if None in told else True


def marks(hint: str, *, before: str, after: str | None) -> Marks:
    """What rules tell of a hint to the program `before`, whose repair is `after`.

    Without a repair only its form can be told.
    """
    unclear = obscure(hint)
    found = faults(before=before, after=after) if after is not None else ()
    if not found:
        why = "no repair is known" if after is None else "program and repair are alike"
        because = dict.fromkeys(("correct", "informative", "conceals"), why)
        return Marks(
            correct=None,
            informative=None,
            conceals=None,
            comprehensible=not unclear,
            because={**because, "comprehensible": unclear},
        )
    leak = given_away(hint, found, before=before) or code_in(hint, before=before)
    pointed = points(hint, found, before=before)
    lacking = pointed.aside or "names neither the faulty line nor its construct"
    return Marks(
        correct=pointed.right,
        informative=bool(pointed.at),
        conceals=not leak,
        comprehensible=not unclear,
        because={
            "correct": pointed.astray or ("" if pointed.at else "names nothing to be checked"),
            "informative": "" if pointed.at else lacking,
            "conceals": leak,
            "comprehensible": unclear,
        },
    )


# ------------------------------------------------------------------ what is wrong


@lru_cache(maxsize=512)
def faults(*, before: str, after: str) -> tuple[Fault, ...]:
    """Where the program differs from its repair, layout and comments aside; none if too long."""
    old, new = (text.plain(code).rstrip("\n").split("\n") for code in (before, after))
    if max(len(old), len(new)) > LONGEST_PROGRAM:
        return ()
    changes = difflib.SequenceMatcher(None, _bare(old), _bare(new), autojunk=False).get_opcodes()
    found = (
        _fault(old[a:b], new[c:d], above=a, lines=len(old))
        for tag, a, b, c, d in changes
        if tag != "equal"
    )
    return tuple(fault for fault in found if fault is not None)


def _bare(lines: Sequence[str]) -> list[str]:
    """The lines without blanks at their ends."""
    return [line.rstrip() for line in lines]


def _fault(old: Sequence[str], new: Sequence[str], *, above: int, lines: int) -> Fault | None:
    was, becomes = _code(old), _code(new)
    changed = _changed(was, becomes)
    if not changed:
        return None
    written = [above + 1 + n for n, line in enumerate(old) if line.strip()]
    first, last = (written[0], written[-1]) if written else (max(1, above), min(lines, above + 1))
    return Fault(first=first, last=last, was=was, becomes=becomes, changed=changed)


def _code(lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(line for line in lines if line.strip() and not line.strip().startswith("#"))


def _changed(was: Sequence[str], becomes: Sequence[str]) -> frozenset[str]:
    """The tokens that differ, and the words that the lines begin with; nothing if none differs."""
    code = [tokens.code_tokens("\n".join(lines)) for lines in (was, becomes)]
    if code[0] == code[1]:
        return frozenset()
    if [line.strip() for line in was] == [line.strip() for line in becomes]:
        return frozenset({INDENT})
    old, new = (_pieces("\n".join(lines)) for lines in (was, becomes))
    found: set[str] = set()
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            found |= {*old[a:b], *new[c:d]}
    words = (re.match(r"\s*(\w+)", line) for line in was or becomes)
    return frozenset(found | {word[1] for word in words if word} | _around(was, becomes))


_PIECE = re.compile(r"\w+|(?:\*\*|//|<<|>>|[-+*/%&|^:<>=!])=|->|\*\*|//|<<|>>|[^\w\s]")


def _pieces(code: str) -> list[str]:
    """Words and signs of some code, an operator of two characters as one, comments left out."""
    return _PIECE.findall(re.sub(r"(?m)(?:^|\s)#[^'\"\n]*$", "", code))


def _around(was: Sequence[str], becomes: Sequence[str]) -> set[str]:
    """What the changes stand in: a call of `range` or `print`, the brackets of an index."""
    lines = was or becomes
    calls = {name for name in ("range", "print") if any(f"{name}(" in line for line in lines)}
    within = [re.findall(r"\w\[([^\]]*)\]", " ".join(side)) for side in (was, becomes)]
    return calls | ({"["} if within[0] != within[1] else set())


# ------------------------------------------------------------------ what gives the fix away


def given_away(hint: str, found: Iterable[Fault], *, before: str) -> str:
    """Which part of the repair the hint holds, in words; nothing if it holds none.

    Looked for are whole mended lines and what a mended line has in place of a faulty one, blanks
    and quotes aside. What the program holds already gives nothing away.
    """
    said, known = _squeezed(hint), _squeezed(before)
    for fault in found:
        for line in fault.becomes:
            bare = _squeezed(line).rstrip(":")
            if _telling(line) and bare in said and bare not in known:
                return f"holds the mended line `{line.strip()}`"
        for part in _parts(fault):
            if _holds(hint, said, part) and _squeezed(part) not in known:
                return f"holds `{part}`, which mends the line"
    return ""


def code_in(hint: str, *, before: str) -> str:
    """Which code stands in the hint, fenced or on lines of its own; nothing if there is none.

    Lines of the program itself may be quoted.
    """
    found = text.extract(hint)
    if found.code is None:
        return ""
    own = {line.strip() for line in text.plain(before).split("\n")}
    other = [line.strip() for line in found.code.split("\n") if line.strip() not in own | {""}]
    return f"holds code: `{other[0][:80]}`" if other else ""


def _squeezed(said: str) -> str:
    """The text without blanks, backticks and kinds of quotes."""
    return re.sub(r"[\s`]+", "", text.plain(said)).replace('"', "'").replace("\u2019", "'")


def _telling(line: str) -> bool:
    """Whether a line of code is more than one word: `else:` stands in any prose."""
    return len([piece for piece in _pieces(line) if piece not in ":()"]) > 1


def _parts(fault: Fault) -> Iterator[str]:
    """What each mended line has in place of its faulty one, bare and between its neighbours."""
    if len(fault.was) != len(fault.becomes):
        return
    for was, becomes in zip(fault.was, fault.becomes, strict=True):
        old, new = _pieces(was), _pieces(becomes)
        changes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        for tag, _, _, c, d in changes:
            if tag in ("replace", "insert"):
                yield "".join(new[c:d])
                yield "".join(new[max(0, c - 1) : d + 1])


def _holds(hint: str, said: str, part: str) -> bool:
    """Whether a part of a line stands in the hint: quoted, or unmistakable as code."""
    if part in {_squeezed(quote) for quote in quotes(hint)}:
        return True
    has_sign = bool(re.search(r"[^\w\s.,:;!?'()-]", part))
    return len(part) > 1 and has_sign and _squeezed(part) in said


# ------------------------------------------------------------------ what the hint points at


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """What of the faults a hint names (`at`), and the line that it names and that is none."""

    at: tuple[str, ...]
    astray: str = ""
    aside: str = ""

    @property
    def right(self) -> bool | None:
        """Whether what it names is at fault; None where nothing of it can be checked."""
        if self.astray:
            return False
        return True if self.at else None


def points(hint: str, found: Sequence[Fault], *, before: str) -> Pointing:
    """Which faulty lines, code of theirs, or constructs a hint names.

    A construct counts where it is at fault and stands in few lines: else it leads nowhere.
    """
    at: list[str] = []
    faulty = {line for fault in found for line in range(fault.first, fault.last + 1)}
    said = lines_named(hint)
    at += [f"line {line}" for line in sorted(said & faulty)]
    if wrong := sorted(said - faulty):
        return Pointing(at=tuple(at), astray=f"line {wrong[0]} is not at fault")
    wholes = [_squeezed(line) for fault in found for line in fault.was]
    for quote in quotes(hint):
        bare = _squeezed(quote)
        if len(bare) > 1 and any(bare in line for line in wholes):
            at.append(f"`{quote}`")
    named = constructs_named(hint)
    true = {name for fault in found for name in constructs_of(fault)} & _rare(before)
    if len(named) <= MOST_CONSTRUCTS:
        at += sorted(named & true)
    if at or not named:
        return Pointing(at=tuple(at))
    if len(named) > MOST_CONSTRUCTS:
        return Pointing(at=(), aside=f"speaks of {len(named)} kinds of code at once")
    told = ", ".join(sorted(named))
    return Pointing(at=(), aside=f"speaks of {told}: not at fault, or in too many lines to lead on")


def _rare(before: str) -> set[str]:
    """The constructs that stand in few lines of a program, or in none; signs, if it can't be read.

    Of names the word alone says nothing: which one is meant must be quoted.
    """
    lines = [set(_pieces(line)) for line in text.plain(before).split("\n")]
    counts = {
        name: sum(bool(signs & line) for line in lines) for name, (_, signs) in CONSTRUCTS.items()
    }
    rare = {name for name, count in counts.items() if count <= MOST_LINES} - {"name", "sign"}
    return rare | ({"sign"} if text.syntax_tree(before) is None else set())


_LINES = re.compile(
    r"\blines?\s+(?:number\s+)?(\d{1,4})((?:\s*(?:,|-|\u2013|to|and|or|through)\s*\d{1,4})*)", re.I
)


def lines_named(hint: str) -> set[int]:
    """The numbers of lines that a hint names; of a range all of them, up to a thousand."""
    named: set[int] = set()
    for match in _LINES.finditer(hint):
        numbers = [int(match[1]), *map(int, re.findall(r"\d+", match[2]))]
        if re.search(r"to|-|\u2013|through", match[2]) and len(numbers) == 2:
            first, last = numbers
            numbers = list(range(first, min(last, first + 1000) + 1)) or numbers
        named |= set(numbers)
    return named


_QUOTED = r"(?<!\w)[\"'\u2018\u201c]([^\s\"'\u2019\u201d]{1,40})[\"'\u2019\u201d](?!\w)"


def quotes(hint: str) -> list[str]:
    """What stands in backticks within a line, and single words in quotes."""
    spans = re.findall(r"`+([^`\n]+)`+", hint)
    prose = re.sub(r"`[^`]*`", " ", hint)
    return [quote.strip() for quote in [*spans, *re.findall(_QUOTED, prose)]]


_SIGNS = {"<", ">", "<=", ">=", "==", "!="}
CONSTRUCTS: Mapping[str, tuple[str, frozenset[str]]] = {
    "loop": (r"loops?|iterat\w+", frozenset({"for", "while"})),
    "condition": (
        r"conditions?|comparisons?|conditional\w*|branch\w*",
        frozenset({"if", "elif", "else", "while", "not", "and", "or", "in", "is"} | _SIGNS),
    ),
    "return": (r"return\w*|gives? back|given back", frozenset({"return", "yield"})),
    "range": (r"ranges?|bounds?|off[ -]by[ -]one", frozenset({"range"})),
    "index": (r"index\w*|indices|positions?|slic\w+", frozenset({"[", "]"})),
    "arithmetic": (
        r"arithmetic\w*|calculat\w+|operators?|operations?|divi\w+|subtract\w*|multipl\w+",
        frozenset({"+", "-", "*", "/", "//", "%", "**"}),
    ),
    "update": (
        r"updat\w+|accumulat\w+|increment\w*|overwrit\w+",
        frozenset({"+=", "-=", "*=", "/=", "=", "append"}),
    ),
    "start": (r"initial\w*|start\w* values?|starts? (?:with|from|at)", frozenset({"="})),
    "indent": (r"indent\w*|which block|blocks?", frozenset({INDENT})),
    "jump": (r"leaves? the loop|stops? (?:too )?early", frozenset({"break", "continue"})),
    "print": (r"print\w*", frozenset({"print"})),
    "call": (r"arguments?|parameters?|method calls?|function calls?", frozenset({"(", ")", "."})),
    "name": (r"variables?|names?|(?:un|not )defined|NameError", frozenset()),
    "sign": (
        r"colons?|brackets?|parenthes[ei]s|commas?|quotes?|syntax\w*",
        frozenset({":", "(", ")", "[", "]", "{", "}", ",", "'", '"'}),
    ),
}
"""Construct to the words that speak of it, and the tokens of which one is at fault where it is.

A name is at fault where an identifier differs.
"""
_WORDS = {name: re.compile(rf"\b(?:{words})\b", re.I) for name, (words, _) in CONSTRUCTS.items()}


def constructs_named(hint: str) -> set[str]:
    """The constructs that a hint speaks of, what it quotes aside."""
    prose = re.sub(r"`[^`]*`", " ", hint)
    return {name for name, words in _WORDS.items() if words.search(prose)}


def constructs_of(fault: Fault) -> set[str]:
    """The constructs that a fault is in."""
    found = {name for name, (_, signs) in CONSTRUCTS.items() if signs & fault.changed}
    words = {token for token in fault.changed if token.isidentifier()}
    if words - _KEYWORDS - {INDENT}:
        found.add("name")
    return found


_KEYWORDS = frozenset(
    sign for _, signs in CONSTRUCTS.values() for sign in signs if sign.isidentifier()
) | {"def", "True", "False", "None", "pass", "import", "from", "class", "lambda", "try", "except"}


# ------------------------------------------------------------------ whether it can be read


def words_of(hint: str) -> int:
    """How many words a hint has."""
    return len(hint.split())


def obscure(hint: str) -> str:
    """Why a hint can't be read with ease, or nothing: its length, its letters, what it repeats."""
    count = words_of(hint)
    if count < FEWEST_WORDS or count > MOST_WORDS:
        return f"{count} words, not {FEWEST_WORDS} to {MOST_WORDS}"
    prose = re.sub(r"`[^`]*`", " ", hint)
    shown = [sign for sign in prose if not sign.isspace()]
    letters = sum(sign.isalpha() for sign in shown)
    if letters < 0.6 * max(1, len(shown)):
        return "few of its characters are letters"
    sentences = [part.strip().lower() for part in re.split(r"[.!?\n]+", hint) if part.strip()]
    sentence, times = Counter(sentences).most_common(1)[0]
    return f"says {times} times: {sentence[:60]}" if times > 1 else ""
