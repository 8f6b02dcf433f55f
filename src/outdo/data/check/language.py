"""Which language a text is in, by what is common in it: natural ones, and those of programs.

None is «can't tell»: a short text, or one that holds no telling word. Rough on purpose, and quick:
it has to tell a set's odd rows, not dialects.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache

FEWEST_WORDS = 4
"""Function words, from one language, that a text needs before it is said to be in it."""

LOOKED_AT = 2_000
"""Characters that are looked at."""

_FUNCTION_WORDS = {
    "English": "the and of to is are was with that this for from you your which have has not be "
    "it its by an as if should each when into than there their can will",
    "German": "der die das und ist nicht ein eine einen mit von zu den dem für auf wird werden "
    "sind auch wenn oder aus bei nach wie durch sich dass kann diese",
    "French": "le la les et est une des du que pour dans qui pas sur avec par sont ce cette vous "
    "au aux ou être fait chaque nous elle ils",
    "Spanish": "el los las una que para con por del es como está son su al más pero sus este "
    "esta cada y ser tiene si cuando",
    "Italian": "il di che è un una per non con sono della nel dei gli le come più questo questa "
    "alla ogni se delle anche essere",
    "Portuguese": "o os as um uma que para com não por do da dos das em é são seu sua como mais "
    "este esta cada ao você ser se",
    "Dutch": "het een van en is dat niet op te zijn met voor aan er om ook als bij door deze wordt "
    "naar heeft worden elke",
}
_SCRIPTS = (
    ("Cyrillic", "\u0400-\u04ff"),
    ("Greek", "\u0370-\u03ff"),
    ("Hebrew", "\u0590-\u05ff"),
    ("Arabic", "\u0600-\u06ff"),
    ("Devanagari", "\u0900-\u097f"),
    ("Thai", "\u0e00-\u0e7f"),
    ("Korean", "\uac00-\ud7af"),
    ("Japanese", "\u3040-\u30ff"),
    ("Chinese", "\u4e00-\u9fff"),
)
_SCRIPT = {name: re.compile(f"[{span}]") for name, span in _SCRIPTS}
_WORD = re.compile(r"[^\W\d_]+")
_TAG = re.compile(r"^[ \t]*(?:`{3,}|~{3,})[ \t]*([A-Za-z+#]+)", re.MULTILINE)
_ALIASES = {
    **dict.fromkeys(("py", "python", "python3"), "Python"),
    **dict.fromkeys(("js", "javascript", "node", "jsx"), "JavaScript"),
    **dict.fromkeys(("ts", "typescript", "tsx"), "TypeScript"),
    **dict.fromkeys(("c++", "cpp", "cc"), "C++"),
    **dict.fromkeys(("sh", "bash", "shell", "console"), "shell"),
    **dict.fromkeys(("c#", "cs", "csharp"), "C#"),
}
_TELLING = (
    ("Python", r"^[ \t]*(?:async )?def \w+\(.*\).*:\s*(?:#.*)?$|^[ \t]*class \w+[^{]*:\s*$"),
    ("PHP", r"<\?php"),
    ("HTML", r"<!DOCTYPE html|<html\b|<div\b|</(?:p|div|ul|body)>"),
    ("C++", r"#include\s*<(?:iostream|vector|string)>|\bstd::"),
    ("C", r"#include\s*<\w+\.h>"),
    ("Java", r"\bpublic\s+(?:static\s+)?(?:class|void|int)\b|\bSystem\.out\."),
    ("Go", r"^package \w+$|^func (?:\(\w+ \*?\w+\) )?\w+\(.*\{$"),
    ("Rust", r"\bfn \w+(?:<.*>)?\(.*\{|\blet mut "),
    ("SQL", r"(?i:^[ \t]*(?:SELECT\s.+\sFROM|INSERT INTO|CREATE TABLE|UPDATE \w+ SET))\b"),
    ("JavaScript", r"^[ \t]*(?:const|let|var) \w+ =|\bfunction\s*\w*\(.*\)\s*\{|=>|console\.log"),
    ("shell", r"^#!/bin/(?:ba|z)?sh|^[ \t]*(?:sudo |echo \"|fi$|done$)"),
    (
        "Python",
        r"^[ \t]*(?:import \w|from [\w.]+ import )"
        r"|^[ \t]*(?:for|while|if|elif|with) .*:\s*(?:#.*)?$|^\w+ = |^print\(",
    ),
)
_PATTERNS = tuple((name, re.compile(rule, re.MULTILINE)) for name, rule in _TELLING)


def natural(text: str) -> str | None:
    """The natural language, or the script, that most of the text is in."""
    piece = text[:LOOKED_AT]
    if not piece.isascii():
        letters = len(_WORD.findall(piece)) and sum(map(str.isalpha, piece))
        for name, pattern in _SCRIPT.items():
            if letters and len(pattern.findall(piece)) * 4 > letters:
                return name
    votes: Counter[str] = Counter()
    known = _languages()
    for word in _WORD.findall(piece.lower()):
        for language in known.get(word, ()):
            votes[language] += 1
    if not votes:
        return None
    (best, most), *others = votes.most_common(2)
    return best if most >= FEWEST_WORDS and (not others or most > others[0][1]) else None


@cache
def _languages() -> dict[str, tuple[str, ...]]:
    """A function word to the languages that have it."""
    found: dict[str, tuple[str, ...]] = {}
    for language, words in _FUNCTION_WORDS.items():
        for word in words.split():
            found[word] = (*found.get(word, ()), language)
    return found


def programming(text: str) -> str | None:
    """The programming language: that of its first fence that names one, else by telling lines."""
    piece = text[:LOOKED_AT]
    if "```" in piece and (tag := _TAG.search(piece)):
        name = tag[1].lower()
        return _ALIASES.get(name, name.capitalize())
    return next((name for name, pattern in _PATTERNS if pattern.search(piece)), None)
