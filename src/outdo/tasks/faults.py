"""What is wrong with a program, in sentences: what was broken in it, and a test that shows it.

A slip is `{line, before, after}`, the line as it was and as it reads now; a failing test is
`{call, stdin, expected, gave, error}`.
"""

from __future__ import annotations

from collections.abc import Mapping

from outdo.records import Json


def broken(slip: Mapping[str, Json], *, of: str = "") -> str:
    """What the slip made of a program, which bears a name if there are several of them."""
    was, reads = (_quoted(slip.get(name) or "") for name in ("before", "after"))
    place = of or "The program"
    if slip.get("line"):
        place = f"Line {slip['line']} of {of}" if of else f"Line {slip['line']}"
    if was == reads:
        return f"{place} must be indented differently: {reads}."
    if was and reads:
        return f"{place} reads {reads} where it should read {was}."
    return f"{place}: {reads} does not belong there." if reads else f"{place}: {was} is missing."


def failing(test: Mapping[str, Json], *, of: str = "it") -> str:
    """What a program gives for a test that it fails, and what is right."""
    return f"For {use(test)}, {of} {_happened(test)}; right is `{test['expected']}`."


def use(test: Mapping[str, Json]) -> str:
    """The call of a test, or its input."""
    return f"`{test['call']}`" if test.get("call") else f"the input {test.get('stdin', '')!r}"


def _quoted(lines: str) -> str:
    return ", ".join(f"`{line.strip()}`" for line in lines.splitlines() if line.strip())


def _happened(test: Mapping[str, Json]) -> str:
    if error := test.get("error"):
        return f"is {error}" if error.startswith("stopped:") else f"raises {error}"
    return "gives nothing" if test.get("gave") is None else f"gives `{test['gave']}`"
