"""Examples of `write` and of `critique` out of repair examples: what is asked for, and drafts of it
of which it is known what a critic has to say.

A draft with a bug is criticised from what is known of the bug; a known repair is a draft that is
good enough. What training may see of a problem depends on the problem: if it sees any program of
it, its repairs are all for training, and else all for testing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from outdo.records import Example, Json, Split, digest
from outdo.tasks import repair, write
from outdo.tasks.faults import broken, failing, use

NAMED = "problem", "statement", "preamble"
"""What is given of a problem, under the names that repair examples have for it."""

TESTED = "tests", "check", "suite", "entry"
"""What is wanted of a program, under the names that repair examples have for it."""


def instructions(repairs: Sequence[Example]) -> list[Example]:
    """Repair examples as examples of `write`, one for each known repair of a problem."""
    return [_instruction(one, code, split) for one, code, split in _repairs(repairs)]


def drafts(repairs: Sequence[Example], *, failures: Mapping[str, Json]) -> list[Example]:
    """Repair examples as examples of `critique`, with `wanted.reply` as the known one.

    Each program with a bug is a draft, in the split that it was in, and so is each known repair of
    a problem. `failures` has for the id of an example the test that its program fails.
    """
    wrong = [
        _draft(one, str(one.given["program"]), _faulty(one, failures.get(one.id)))
        for one in repairs
        if one.wanted.get("repair") not in (None, one.given["program"])
    ]
    right = [
        replace(_draft(one, code, _good(one)), split=split)
        for one, code, split in _repairs(repairs)
    ]
    return [*wrong, *right]


def _repairs(repairs: Iterable[Example]) -> Iterator[tuple[Example, str, Split]]:
    """Each known repair of a problem once, an example that has it, and what it is for."""
    found: dict[tuple[str, str], Example] = {}
    trained = set()
    for one in repairs:
        if one.wanted.get("repair"):
            found.setdefault((str(one.given["problem"]), str(one.wanted["repair"])), one)
        if one.split == "train":
            trained.add(one.given["problem"])
    for (problem, code), one in found.items():
        yield one, code, "train" if problem in trained else "test"


def _instruction(one: Example, code: str, split: Split) -> Example:
    given = {name: one.given.get(name) or "" for name in NAMED}
    asked = {"instruction": given["statement"], "input": "", "stub": "", "examples": _shown(one)}
    wanted = {name: one.wanted.get(name) for name in TESTED}
    return replace(
        one,
        id=f"write/{_name(one, code)}",
        task="write",
        given={**given, **asked},
        wanted={**wanted, "plus": [], "tolerance": None, "reference": code},
        split=split,
    )


def _draft(one: Example, code: str, reply: Json) -> Example:
    given = {
        "problem": one.given["problem"],
        "statement": write.statement(_instruction(one, code, one.split)),
        "preamble": one.given.get("preamble") or "",
        "draft": code,
        "language": "Python",
    }
    wanted = {**{name: one.wanted.get(name) for name in TESTED}, "reply": reply}
    id = f"critique/{_name(one, code)}"
    return replace(one, id=id, task="critique", given=given, wanted=wanted)


def _name(one: Example, code: str) -> str:
    return f"{one.given['problem']}/{digest(code)[:12]}"


def _shown(one: Example) -> list[str]:
    return [repair.shown(test) for test in one.given.get("shown") or ()]


def _faulty(one: Example, test: Json) -> Json:
    """The critique of a program with a bug: what was broken, and what comes of it."""
    before, after = str(one.given["program"]), str(one.wanted["repair"])
    slip = one.wanted.get("slip")
    told = [broken(slip) if slip else repair.reasons(before=before, after=after)]
    told += [failing(test)] if test else []
    return {
        "reflection": "\n".join(told),
        "good_enough": False,
        "criterion": "correctness",
        "revision": after.strip("\n"),
        "feedback": f"Now {use(test)} gives `{test['expected']}`."
        if test
        else "Now it passes its tests.",
    }


def _good(one: Example) -> Json:
    """The critique of a known repair."""
    tests = [test for test in one.wanted.get("tests") or () if test.get("expected") is not None]
    told = "It passes its tests."
    if tests:
        told = f"For {use(tests[0])}, it gives `{tests[0]['expected']}`, which is right."
    return {"reflection": told, "good_enough": True}
