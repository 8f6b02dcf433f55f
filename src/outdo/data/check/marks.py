"""Marks by which two replies can be told apart without being understood.

A text has fixed marks (a fence, a list, an apology) and open ones (its first word, its last line).
A pair has marks of its own: how much longer one reply is than the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from outdo.data.check import faults
from outdo.data.check.language import natural, programming
from outdo.text import syntax_tree

LONGEST_PARSED = 20_000
"""Characters beyond which a text isn't parsed."""

LONGEST_OPENING = 80
"""Characters of a first or last line, or word, that count as a mark."""

RATIOS = (1.0, 1.5, 2.0, 4.0)
"""How many times as long as the other a reply may be."""

Test = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Mark:
    """A kind of mark (`first word`, or the mark itself) and its value, empty for a fixed one."""

    kind: str
    value: str = ""

    @property
    def about(self) -> str:
        """What a reply with the mark does, as the end of a sentence."""
        if self.kind in FIXED:
            return FIXED[self.kind][0]
        if self.kind == LENGTH:
            times = f"at least {self.value} times as long" if self.value != "1" else "longer"
            return f"is {times} than the other" if self.value == "1" else f"is {times} as the other"
        if self.kind in ("language", "programming language"):
            return f"is in {self.value}"
        word = "begins with the" if self.kind.startswith("first") else "ends with the"
        return f"{word} {self.kind.partition(' ')[2]} «{self.value}»"


LENGTH = "length"


def _has(pattern: str, flags: re.RegexFlag = re.MULTILINE) -> Test:
    return re.compile(pattern, flags).search


def _parses(text: str) -> bool:
    return len(text) <= LONGEST_PARSED and syntax_tree(text) is not None


FIXED: Mapping[str, tuple[str, Test]] = {
    "fence": ("holds a code fence", lambda text: "```" in text),
    "prose beside code": (
        "has prose beside a code block",
        lambda text: (
            "```" in text and not (text.strip().startswith("```") and text.rstrip().endswith("```"))
        ),
    ),
    "parses": ("parses as Python as it stands", _parses),
    "heading": ("holds a Markdown heading", _has(r"^#{2,6} \S")),
    "list": ("holds a list", _has(r"^[ \t]*(?:[-*•]|\d+[.)]) \S")),
    "bold": ("holds bold text", _has(r"\*\*\w")),
    "comment": ("holds a comment line", _has(r"^[ \t]*(?:#|//) ?\w")),
    "docstring": ("holds a docstring", lambda text: '"""' in text or "'''" in text),
    "annotation": ("annotates what a function returns", _has(r"\) ?-> ?\w")),
    "main guard": ("has a main guard", lambda text: "if __name__" in text),
    "print": ("prints", lambda text: "print(" in text),
    "example usage": (
        "shows how it is used",
        _has(
            r"^[^\w\n]*(?:example usage|usage|sample output|output):?", re.IGNORECASE | re.MULTILINE
        ),
    ),
    "exclamation mark": ("has an exclamation mark", _has(r"!(?=\s|$)")),
    "question mark": ("has a question mark", _has(r"\?(?=\s|$)")),
    "emoji": ("has an emoji", _has("[\U0001f300-\U0001faff\u2600-\u27bf]")),
    "not ASCII": ("holds characters beyond ASCII", lambda text: not text.isascii()),
    "tab": ("holds a tab", lambda text: "\t" in text),
    "indent of 1": ("indents by one blank", _has(r"^ \S")),
    "indent of 2": ("indents by two blanks", _has(r"^  \S")),
    "indent of 4": ("indents by four blanks", _has(r"^    \S")),
    "blank at line end": ("has blanks at the end of a line", _has(r"[ \t]$")),
    "blank in front": ("begins with a blank", lambda text: text[:1].isspace()),
    "line end last": ("ends with a line end", lambda text: text[-1:] in ("\n", "\r")),
    "carriage return": ("holds carriage returns", lambda text: "\r" in text),
    "blank line": ("holds a blank line", lambda text: "\n\n" in text),
    "one line": ("is one line", lambda text: "\n" not in text.strip()),
    "lower case first": (
        "begins in lower case",
        lambda text: text.lstrip()[:1].islower(),
    ),
    "full stop last": ("ends with a full stop", lambda text: text.rstrip()[-1:] == "."),
    "opener": (
        "begins with a phrase such as «Sure»",
        _has(
            r"\A\W*(?:sure|certainly|of course|absolutely|great|here(?:'s|’s| is| are)|okay|yes)\b",
            re.IGNORECASE,
        ),
    ),
    "closer": (
        "ends with a phrase such as «hope this helps»",
        _has(
            r"\b(?:let me know|hope (?:this|that|it) helps|feel free|happy to help)\b.{0,80}\Z",
            re.IGNORECASE | re.DOTALL,
        ),
    ),
    "first person": ("says «I»", _has(r"(?<![\w.])I(?:'|’|\s)(?!\))")),
    "refusal": ("refuses or apologises", lambda text: faults.refusal(text) is not None),
    "thinking": ("holds thinking", _has(r"</?(?:think|thinking|thought|reasoning)>")),
    "link": ("holds a link", _has(r"https?://")),
    "tag": ("holds a tag", _has(r"</?[a-z][a-z0-9]*[ >/]")),
    "template": ("holds marks of a chat template", lambda text: faults.template(text) is not None),
    "end-of-sequence": ("holds an end-of-sequence token", lambda t: faults.ended(t) is not None),
    "encoding": ("holds damaged characters", lambda text: faults.damaged(text) is not None),
    "cut": ("opens a fence and never closes it", lambda text: faults.unclosed(text) is not None),
}
"""A fixed mark's name, what a reply with it does, and whether a text has it."""

CAUSES = frozenset(
    {
        *("fence", "template", "end-of-sequence", "encoding", "cut", "thinking", "refusal"),
        *("opener", "closer", "carriage return", "tab", "language", "programming language"),
    }
)
"""Kinds of marks that name a cause; they are told before those that merely go with them."""

OPEN: Mapping[str, Callable[[str], str | None]] = {
    "first word": lambda text: next(iter(text.split(None, 1)), None),
    "first line": lambda text: _line(text.strip().partition("\n")[0]),
    "last word": lambda text: next(reversed(text.rsplit(None, 1)), None),
    "last line": lambda text: _line(text.strip().rpartition("\n")[2]),
    "language": natural,
    "programming language": programming,
}
"""A kind of open mark, and its value in a text; None is a text without."""


def _line(line: str) -> str | None:
    """A line of more than one word; a single one is a word."""
    line = line.strip()
    return line if " " in line else None


def marks(text: str) -> set[Mark]:
    """All marks of a text."""
    found = {Mark(name) for name, (_, test) in FIXED.items() if test(text)}
    for kind, value in OPEN.items():
        said = value(text)
        if said and len(said) <= LONGEST_OPENING:
            found.add(Mark(kind, said))
    return found


def has(text: str, mark: Mark) -> bool:
    """Whether a text has this one mark."""
    if mark.kind in FIXED:
        return bool(FIXED[mark.kind][1](text))
    return OPEN[mark.kind](text) == mark.value


def lengths(one: str, other: str) -> set[Mark]:
    """The marks of a reply that is longer than the other."""
    ratio = len(one) / max(len(other), 1)
    return {
        Mark(LENGTH, f"{times:g}")
        for times in RATIOS
        if (ratio > 1 if times == 1 else ratio >= times)
    }
