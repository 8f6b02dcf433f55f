"""Licences: what people write, what it means, and what is refused."""

from __future__ import annotations

import pytest

from outdo.data.licences import OWN, PERMITTED, refusal, spdx


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MIT", "MIT"),
        ("mit license", "MIT"),
        ("The MIT License (MIT)", "The MIT License (MIT)"),
        ("Expat", "MIT"),
        ("Apache License, Version 2.0", "Apache-2.0"),
        ("apache-2.0", "Apache-2.0"),
        ("Apache 2", "Apache-2.0"),
        ("Apache-2.0 WITH LLVM-exception", "Apache-2.0"),
        ('BSD 3-Clause "New" or "Revised" License', "BSD-3-Clause"),
        ("3-Clause BSD", "BSD-3-Clause"),
        ("bsd_2_clause", "BSD-2-Clause"),
        ("The Unlicense", "Unlicense"),
        ("CC0 1.0 Universal", "CC0-1.0"),
        ("cc-by-4.0", "CC-BY-4.0"),
        ("own", OWN),
        ("GPL-3.0", "GPL-3.0"),
        ("BSD", "BSD"),
    ],
)
def test_spellings(written: str, meant: str) -> None:
    assert spdx(written) == meant


@pytest.mark.parametrize(
    "licence",
    [
        *sorted(PERMITTED),
        "MIT OR GPL-3.0-only",
        "GPL-2.0-or-later OR Apache-2.0",
        "Apache-2.0-OR-BSD-2-Clause",
        "MIT AND (Apache-2.0 OR GPL-2.0)",
        "(MIT)",
        "MIT and BSD-3-Clause",
    ],
)
def test_permitted(licence: str) -> None:
    assert refusal(licence) is None


@pytest.mark.parametrize(
    "licence",
    [
        *("GPL-3.0", "LGPL-3.0-or-later", "AGPL-3.0", "MPL-2.0", "BSD", "proprietary", "MITX"),
        *("MIT AND GPL-3.0", "(MIT OR GPL-3.0) AND GPL-2.0", "OR", "()", "MIT AND"),
        *("BSD-4-Clause", "CC-BY-NC-4.0", "CC-BY-SA-4.0", "noassertion", "other"),
    ],
)
def test_refused(licence: str) -> None:
    assert refusal(licence) == f"{licence} is not permitted"


def test_nothing_told_is_refused_and_names_can_be_allowed() -> None:
    assert refusal(None) == refusal(" ") == "no licence is told"
    assert refusal("LGPL-3.0", allowed=["lgpl-3.0"]) is None
    assert refusal("LGPL-2.1", allowed=["LGPL-3.0"]) == "LGPL-2.1 is not permitted"
    assert refusal("GPL-3.0 AND LGPL-3.0", allowed=["LGPL-3.0"]) is not None
    assert refusal("MIT AND LGPL-3.0", allowed=["LGPL-3.0"]) is None
