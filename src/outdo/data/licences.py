"""Licences under which rows may train: permissive ones by SPDX name, and one's own code.

A licence that isn't known, or isn't told, is refused: whoever knows better allows it by name.
"""

from __future__ import annotations

import re
from collections.abc import Collection

OWN = "own"
"""Code that belongs to whoever trains on it, as in private repositories."""

PERMITTED = frozenset(
    {
        *("0BSD", "AFL-3.0", "Apache-1.1", "Apache-2.0", "Artistic-2.0", "BSD-1-Clause"),
        *("BSD-2-Clause", "BSD-2-Clause-Patent", "BSD-3-Clause", "BSD-3-Clause-Clear", "BSL-1.0"),
        *("BlueOak-1.0.0", "CC-BY-3.0", "CC-BY-4.0", "CC0-1.0", "ECL-2.0", "HPND", "ISC", "MIT"),
        *("MIT-0", "MIT-CMU", "MS-PL", "MulanPSL-2.0", "NCSA", "PDDL-1.0", "PostgreSQL"),
        *("PSF-2.0", "Python-2.0", "UPL-1.0", "Unicode-3.0", "Unlicense", "W3C", "WTFPL", "X11"),
        *("Zlib", "ZPL-2.1", OWN),
    }
)
"""Licences that ask for no more than notice and attribution, by SPDX identifier."""

SPELLINGS = {
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache v2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache software": "Apache-2.0",
    "apache software 2.0": "Apache-2.0",
    "asl 2.0": "Apache-2.0",
    "bsd 2 clause": "BSD-2-Clause",
    "bsd 2 clause simplified": "BSD-2-Clause",
    "freebsd": "BSD-2-Clause",
    "simplified bsd": "BSD-2-Clause",
    "3 clause bsd": "BSD-3-Clause",
    "2 clause bsd": "BSD-2-Clause",
    "bsd 3 clause": "BSD-3-Clause",
    "bsd 3 clause new or revised": "BSD-3-Clause",
    "modified bsd": "BSD-3-Clause",
    "new bsd": "BSD-3-Clause",
    "revised bsd": "BSD-3-Clause",
    "bsd zero clause": "0BSD",
    "boost software 1.0": "BSL-1.0",
    "boost 1.0": "BSL-1.0",
    "cc0": "CC0-1.0",
    "cc0 1.0 universal": "CC0-1.0",
    "creative commons zero 1.0 universal": "CC0-1.0",
    "creative commons attribution 4.0": "CC-BY-4.0",
    "creative commons attribution 4.0 international": "CC-BY-4.0",
    "cc by 4.0": "CC-BY-4.0",
    "expat": "MIT",
    "mit expat": "MIT",
    "mit no attribution": "MIT-0",
    "isc": "ISC",
    "psf": "PSF-2.0",
    "python software foundation": "PSF-2.0",
    "unlicense": "Unlicense",
    "unlicensed into the public domain": "Unlicense",
    "zlib libpng": "Zlib",
}
"""What people write, without «the», «license» and marks, to what they mean.

A bare «BSD» stands for several licences, one of them not permissive, and so means none.
"""

_OR, _AND = re.compile(r"\s+or\s+|-or-(?!later)", re.I), re.compile(r"\s+and\s+|-and-", re.I)


def spdx(name: str) -> str:
    """The SPDX identifier of a licence as people write it; the name itself, if it isn't known."""
    name = " ".join(name.split())
    by_lower = {known.lower(): known for known in PERMITTED}
    if (plain := name.lower().partition(" with ")[0]) in by_lower:
        return by_lower[plain]
    words = re.sub(r"[\"'“”(),/_-]", " ", plain)
    words = re.sub(r"\b(the|licen[cs]ed?|version|under)\b", " ", words)
    words = " ".join(re.sub(r"\bv(?=\d)", "", words).split())
    return SPELLINGS.get(words) or by_lower.get(words.replace(" ", "-"), name)


def refusal(licence: str | None, *, allowed: Collection[str] = ()) -> str | None:
    """Why rows of this licence can't train; None if they can.

    Of licences joined by «or» one must be permitted, of those joined by «and» all. `allowed` are
    permitted beside those of `PERMITTED`.
    """
    if licence is None or not licence.strip():
        return "no licence is told"
    also = {name.lower() for name in allowed} | {spdx(name).lower() for name in allowed}
    if licence.strip().lower() in also or _permitted(licence.strip(), also):
        return None
    return f"{spdx(licence)} is not permitted"


def _permitted(expression: str, also: Collection[str]) -> bool:
    """Whether an SPDX expression allows what is asked of it; «or» binds looser than «and»."""
    if spdx(expression) in PERMITTED or spdx(expression).lower() in also:
        return True
    for joint, enough in ((_OR, any), (_AND, all)):
        if len(parts := _apart(expression, joint)) > 1:
            return enough(_permitted(part, also) for part in parts)
    if expression.startswith("(") and expression.endswith(")"):
        return _permitted(expression[1:-1].strip(), also)
    return False


def _apart(expression: str, joint: re.Pattern[str]) -> list[str]:
    """The parts of an expression between those joints that stand in no bracket."""
    parts, start = [], 0
    for found in joint.finditer(expression):
        before = expression[: found.start()]
        if before.count("(") == before.count(")"):
            parts.append(expression[start : found.start()].strip())
            start = found.end()
    return [*parts, expression[start:].strip()]
