"""What licence a repository's own files state, by the sentences that make each licence what it is.

Only what is certain counts: a text that is known and without riders. Where several files state
licences, all of them hold, unless a short one leaves the choice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LONGEST = 200_000
"""Bytes beyond which a file is no licence."""

_NAME = re.compile(r"(?:un)?licen[cs]es?|copying(?:\.lesser)?|mit-license", re.I)
_ENDS = re.compile(
    r"(?:[.-](?:txt|md|rst|mit|bsd|apache|apache2|apache-2\.0|psf|isc|python))*", re.I
)

_RIDERS = re.compile(
    r"commons clause|shall be used for good|non-?commercial|for research (?:use|purposes) only"
    r"|business source license|server side public license|elastic license|anti-?capitalist"
)
"""Words that take back what a permissive text gives."""

_EITHER, _SHORT = re.compile(r"(?i)\beither\b|\bdual[- ]licen[cs]ed"), 1_000
"""A short text that leaves the choice among those of the other files."""

_BSD = "redistribution and use in source and binary forms"
_NO_NAMES = re.compile(r"neither the names? of|names? of .{0,120} may not be used to endorse")
_TITLED: tuple[tuple[str, str], ...] = (
    ("AGPL-3.0-only", r"gnu affero general public license"),
    ("LGPL-3.0-only", r"gnu lesser general public license.{0,40}version 3"),
    ("LGPL-2.1-only", r"gnu (?:lesser|library) general public license"),
    ("GPL-3.0-only", r"gnu general public license.{0,40}version 3"),
    ("GPL-2.0-only", r"gnu general public license"),
)
"""Licences that name each other: the title decides."""

_STATED: tuple[tuple[str, str], ...] = (
    ("MPL-2.0", r"mozilla public license,? version 2\.0"),
    ("EPL-2.0", r"eclipse public license - v ?2\.0"),
    ("EPL-1.0", r"eclipse public license - v ?1\.0"),
    ("CC-BY-SA-4.0", r"attribution-sharealike 4\.0 international"),
    ("CC-BY-4.0", r"attribution 4\.0 international"),
    ("CC0-1.0", r"cc0 1\.0 universal"),
    ("Apache-2.0", r"apache license,? version 2\.0.{0,200}terms and conditions for use"),
    ("Apache-2.0", r"licensed under the apache license, version 2\.0"),
    ("Unlicense", r"this is free and unencumbered software released into the public domain"),
    ("WTFPL", r"do what the fuck you want to public license"),
    ("BSL-1.0", r"boost software license - version 1\.0"),
    ("PSF-2.0", r"python software foundation license version 2"),
    ("PostgreSQL", r"permission to use, copy, modify, and distribute this software and its "
     r"documentation for any purpose, without fee, and without a written agreement"),
    ("HPND", r"permission to use, copy, modify,? and distribute this software and its "
     r"documentation for any purpose"),
    ("Zlib", r"this software is provided ['‘]as-is['’], without any express or implied warranty\. "
     r"in no event will the authors be held liable"),
    ("UPL-1.0", r"the universal permissive license"),
    ("BlueOak-1.0.0", r"blue oak model license"),
)  # fmt: skip


def licence_of(text: str) -> str | None:
    """The SPDX identifier of the licence that a text states, or None where it isn't certain."""
    plain = " ".join(re.sub(r"[*_#>\"“”`=~]+", " ", text.lower()).split())
    if _RIDERS.search(plain):
        return None
    for rules, part in ((_TITLED, plain[:400]), (_STATED, plain[:20_000])):
        for name, pattern in rules:
            if re.search(pattern, part):
                return name
    if "permission is hereby granted, free of charge" in plain:
        if "redistributions of source code" in plain:
            return "NCSA"
        kept = "permission notice shall be included" in plain or "permission notice must" in plain
        return "MIT" if kept else "MIT-0"
    if re.search(
        r"permission to use, copy, modify,? (?:and|and/or) distribute this software", plain
    ):
        kept = "permission notice appear in all copies" in plain
        return "ISC" if kept else "0BSD"
    if _BSD in plain:
        return _bsd(plain)
    return None


def _bsd(plain: str) -> str | None:
    if "all advertising materials" in plain:
        return "BSD-4-Clause"
    if "no express or implied licenses to any party's patent rights" in plain:
        return "BSD-3-Clause-Clear"
    if _NO_NAMES.search(plain):
        return "BSD-3-Clause"
    return "BSD-2-Clause" if "redistributions in binary form" in plain else "BSD-1-Clause"


def is_licence_file(name: str) -> bool:
    """Whether a file at the top of a repository states its licence, by the file's name."""
    found = _NAME.match(name)
    return bool(found and _ENDS.fullmatch(name[found.end() :]))


def stated(files: Mapping[str, str]) -> str | None:
    """The licence that all these licence files state together, or None where one isn't known."""
    chosen = [text for text in files.values() if _EITHER.search(text) and len(text) < _SHORT]
    rest = [text for text in files.values() if text.strip() and text not in chosen]
    found = {licence_of(text) for text in rest}
    if not found or None in found:
        return None
    return (" OR " if chosen else " AND ").join(sorted(name for name in found if name))


def licence_names(names: Iterable[str]) -> list[str]:
    """Those of the names that are licence files, by name."""
    return sorted(name for name in names if is_licence_file(name))
