"""What counts, for each task: the words in which a judge is told what to look at."""

from __future__ import annotations

GENERAL = (
    "Which reply does better what the request asks for: right before complete, complete before "
    "well put. Length alone is no merit."
)

CRITERIA = {
    "describe": (
        "How well the reply tells a reviewer what the change does and why: everything it says is "
        "true of the diff, the main point comes first, no changed file that matters is left out, "
        "and the title would be understood in a list. Length alone is no merit."
    ),
    "review": (
        "How much the reply helps whoever decides about the change: it names real problems of the "
        "added code, at the right file and lines, with a reason that can be checked. A false alarm "
        "is worse than silence, and finding nothing in sound code is right."
    ),
    "improve": (
        "Whether its suggestions should be taken over: each mends a real fault or clearly betters "
        "the added code, quotes what is really there, and can be applied as written. A needless or "
        "wrong suggestion is worse than none."
    ),
    "title": (
        "Which title belongs to this change: it says what the diff does. Style and length don't "
        "count."
    ),
    "repair": (
        "Whether the repaired program is right; among right ones, how little it changes of what "
        "was written."
    ),
    "hint": (
        "How much the reply helps the learner to find the fault alone: true, about the real fault, "
        "clear, and without giving the solution away."
    ),
}


def criterion(task: str) -> str:
    """What counts for a task; the general words where it has none of its own."""
    return CRITERIA.get(task, GENERAL)
