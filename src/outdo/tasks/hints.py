"""Hints told by template: where to look and what to ask oneself, never what to write.

What was broken is known from the difference to the repair, and for an injected bug from its
operator. Of many ways to say it one is drawn by digest, so that a model learns to find the fault
and not one sentence; each is held against the rules before it is taught.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from outdo import text
from outdo.records import Json, digest
from outdo.scorers.hints import INDENT, Fault, constructs_of, faults, marks

TRIES = 24
"""How many ways of saying it are held against the rules before the plainest is taken."""

LONGEST_CALL = 60

PLACES = (
    "Look again at line {line}.",
    "Read line {line} slowly, word by word.",
    "Line {line} doesn't do what you need.",
    "The trouble is in line {line}.",
    "Follow by hand what line {line} does for a small input.",
    "Most of it is fine; think about line {line}.",
    "Ask yourself what line {line} is there for.",
)
GAPS = (
    "Something is still missing near line {line}.",
    "One step is not there yet: look around line {line}.",
    "Go through the steps around line {line}: one of them has been forgotten.",
    "Stop at line {line}: what has to happen there that doesn't happen yet?",
)
EXTRAS = (
    "Does line {line} have to be there at all?",
    "What would change if line {line} were not there?",
    "Line {line} does harm: what is it there for?",
)
CLUES: Mapping[str, tuple[str, ...]] = {
    "loop": (
        "How often does this loop turn, and what is different each time?",
        "Which item does the loop look at first, and which one last?",
    ),
    "condition": (
        "For which values does this condition hold, and for which should it?",
        "Try the condition with a value at the very edge.",
        "Is every case that the problem names told apart here?",
    ),
    "return": (
        "When is the result given back, and is everything done by then?",
        "What does the function return here, and what should whoever calls it get?",
    ),
    "range": (
        "Write down the first and the last number that this range gives.",
        "Does the range end where you want it to?",
    ),
    "index": (
        "Which position is meant here, when counting starts at zero?",
        "Check the positions with a list of two items.",
    ),
    "arithmetic": (
        "Work the calculation out on paper for two small numbers.",
        "Is this the operation that the problem asks for?",
    ),
    "update": (
        "What should happen to the value in each step: is it kept, changed or replaced?",
        "Watch how this value is updated from one step to the next.",
    ),
    "start": ("Which initial value does this need, before anything has happened?",),
    "indent": (
        "Which block does this line belong to, and how often should it be run?",
        "Look at the indentation: what does the line stand inside of?",
    ),
    "jump": ("Should the program leave the loop here, or go on with the next item?",),
    "print": ("Is it enough to print the value, or does somebody need it afterwards?",),
    "call": (
        "What does this call give back, and what does it change?",
        "Are the right arguments handed over, and in the right order?",
    ),
    "name": (
        "Is each name on this line the one that you mean?",
        "Which variable holds what you need at this point?",
    ),
    "sign": (
        "Python can't read it as it is: check colons, commas and brackets one by one.",
        "Does every bracket and every quote that opens there close again?",
    ),
}
PLAIN = ("What should happen here, and what does happen?", "What is true after this step?")
OF_SLIPS: Mapping[str, str] = {
    "range-bound": "range",
    "index": "index",
    "slice-bound": "index",
    "comparison": "condition",
    "negation": "condition",
    "connective": "condition",
    "missing-condition": "condition",
    "short-or": "condition",
    "division": "arithmetic",
    "arithmetic": "arithmetic",
    "precedence": "arithmetic",
    "swapped-arguments": "call",
    "wrong-method": "call",
    "wrong-function": "call",
    "wrong-variable": "name",
    "wrong-indent": "indent",
    "early-return": "return",
    "missing-return": "return",
    "accumulator-start": "start",
    "accumulator-update": "update",
    "wrong-jump": "jump",
    "printed-result": "print",
    "swapped-branches": "condition",
}
"""Operator of an injected bug to the construct that a clue on it speaks of."""

TRIALS = (
    "Try it with {call}.",
    "See what comes out for {call}.",
    "Go through {call} step by step.",
)


def told(
    *, before: str, after: str, slip: Mapping[str, Json] | None, shown: Sequence[str], seed: str
) -> str | None:
    """A hint to the program `before` by template; None where it has no fault to point at.

    `slip` is what was injected, `shown` are calls of tests that the learner sees. The hint has
    full marks by the rules.
    """
    found = faults(before=before, after=after)
    if not found:
        return None
    unread = text.syntax_tree(before) is None
    for hint in _ways(_first(found, slip), slip, shown, seed, unread=unread):
        if marks(hint, before=before, after=after).good:
            return hint
    return None


def _first(found: Sequence[Fault], slip: Mapping[str, Json] | None) -> Fault:
    """The fault that the slip made, or the first."""
    line = (slip or {}).get("line")
    return next((one for one in found if line and one.first <= line <= one.last), found[0])


def _ways(
    fault: Fault,
    slip: Mapping[str, Json] | None,
    shown: Sequence[str],
    seed: str,
    *,
    unread: bool,
) -> Iterator[str]:
    """Ways to say where it is and what to think of, in an order that the seed draws; then plain."""
    places = PLACES if fault.was and fault.becomes else GAPS if fault.becomes else EXTRAS
    clues = (*CLUES["sign"], *PLAIN) if unread else _clues(fault, slip)
    calls = [call for call in shown if "\n" not in call and 0 < len(call) <= LONGEST_CALL]
    for number in range(TRIES):
        draw = _drawn(seed, number)
        parts = [places[draw[0] % len(places)], clues[draw[1] % len(clues)]]
        if calls and draw[2] % 3 == 0:
            call = f"`{calls[draw[3] % len(calls)].strip()}`"
            parts.append(TRIALS[draw[4] % len(TRIALS)].format(call=call))
        yield " ".join(part.replace("{line}", str(fault.first)) for part in parts)
    yield f"{places[0]} {PLAIN[0]}".replace("{line}", str(fault.first))


def _clues(fault: Fault, slip: Mapping[str, Json] | None) -> tuple[str, ...]:
    """What to think of: as the operator says, else as the changed tokens do, the rarest first."""
    operator = str((slip or {}).get("operator") or "")
    if construct := OF_SLIPS.get(operator):
        return CLUES[construct]
    if fault.changed == {INDENT}:
        return CLUES["indent"]
    at_fault = constructs_of(fault)
    for name in ("range", "return", "jump", "print", "condition", "index", "loop", "arithmetic"):
        if name in at_fault:
            return CLUES[name]
    if "update" in at_fault and fault.becomes:
        return (*CLUES["update"], *PLAIN)
    return CLUES["name"] if "name" in at_fault else PLAIN


def _drawn(seed: str, number: int) -> list[int]:
    name = digest([seed, number])
    return [int(name[4 * part : 4 * part + 4], 16) for part in range(5)]
