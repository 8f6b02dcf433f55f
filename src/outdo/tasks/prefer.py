"""The task `prefer`: a problem, what counts, and two programs in; which of them is better out.

A model says so with a letter, with reasons and then a letter, or by what it makes of each program
alone: how likely it is to be written, or the score that a reward model gives it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from outdo import text, tokens
from outdo.errors import DataError, StudyError
from outdo.records import (
    Answer,
    Conversation,
    Example,
    Message,
    Metric,
    Outcome,
    Pair,
    Prompt,
    Score,
)
from outdo.tasks import Task
from outdo.tasks.faults import broken, failing

VERSION = "1"
COMPARE, FEW_SHOT, REASONS = "compare", "few-shot", "reasons"
REWARD, LIKELIHOOD, PER_TOKEN = "reward", "likelihood", "likelihood-normalised"
ALONE = (REWARD, LIKELIHOOD, PER_TOKEN)
"""Variants that look at each program alone."""
VARIANTS = (COMPARE, FEW_SHOT, REASONS, *ALONE)
FIRST, SECOND = "first", "second"
LETTERS = {FIRST: "A", SECOND: "B"}
OTHER = {FIRST: SECOND, SECOND: FIRST}

# ------------------------------------------------------------------ the question

JUDGE = "You compare programs in Python."
AUTHOR = "You write programs in Python."
ASK = "Which program is better? {counts}Reply with one letter, A or B."
ASK_WITH_REASONS = (
    "Which program is better? {counts}"
    "First give your reasons, then one letter, A or B, on a line of its own."
)
WRITE = "Write the program. {counts}"
COUNTS = "What counts is {criterion}. "
ON_THE_WHOLE = {"general": "how good it is on the whole"}
"""Criteria that are no words of a sentence."""


def prompt(example: Example, *, variant: str, shots: Sequence[Example] = ()) -> Prompt:
    """The question; `shots` (of variant few-shot alone) are shown as earlier turns.

    All variants but `reasons` have candidates: the letters, or the programs as they are learnt.
    """
    _check_variant(variant)
    if variant in ALONE:
        programs, per_token = _programs(example), variant == PER_TOKEN
        return Prompt(messages=_instruction(example), candidates=programs, per_token=per_token)
    turns = [Message(role="system", content=JUDGE)]
    for shot in shots if variant == FEW_SHOT else ():
        turns += [_question(shot, variant), Message(role="assistant", content=gold(shot))]
    letters = () if variant == REASONS else tuple(LETTERS.values())
    return Prompt(messages=(*turns, _question(example, variant)), candidates=letters)


def views(example: Example) -> tuple[Example, Example]:
    """The example in both orders: whoever prefers a place and no program is half right."""
    given = {**example.given, FIRST: example.given[SECOND], SECOND: example.given[FIRST]}
    wanted = {**example.wanted, "choice": OTHER[better(example)]}
    return example, replace(example, given=given, wanted=wanted)


def better(example: Example) -> str:
    """Which program is better, `first` or `second`; raises DataError where that isn't known."""
    side = example.wanted.get("choice")
    if side not in LETTERS:
        raise DataError(
            f"example {example.id!r} doesn't say which program is better",
            "wanted.choice is first or second",
        )
    return str(side)


def _question(example: Example, variant: str) -> Message:
    ask = ASK_WITH_REASONS if variant == REASONS else ASK
    shown = [f"{LETTERS[side]}:\n{text.fence(_given(example, side))}" for side in LETTERS]
    return _said(example, *shown, ask=ask)


def _instruction(example: Example) -> tuple[Message, Message]:
    """What one program alone is held against: nothing in it tells of the other."""
    return Message(role="system", content=AUTHOR), _said(example, ask=WRITE)


def _said(example: Example, *shown: str, ask: str) -> Message:
    preamble = example.given.get("preamble") or ""
    lines = f"These lines run first:\n{text.fence(preamble)}" if preamble else ""
    criterion = _given(example, "criterion") if example.given.get("criterion") else ""
    counts = COUNTS.format(criterion=ON_THE_WHOLE.get(criterion, criterion)) if criterion else ""
    asked = ask.format(counts=counts).strip()
    parts = (_given(example, "statement").strip(), lines, *shown, asked)
    return Message(role="user", content="\n\n".join(part for part in parts if part))


def _programs(example: Example) -> tuple[str, str]:
    """Both programs as replies to the instruction, in training and in use alike."""
    return text.fence(_given(example, FIRST)), text.fence(_given(example, SECOND))


def _given(example: Example, name: str) -> str:
    value = example.given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise DataError(
            f"example {example.id!r} has no {name!r}",
            "a comparison has statement, first and second",
        )
    return value


def _check_variant(variant: str) -> None:
    if variant not in VARIANTS:
        raise StudyError(f"prefer has no variant {variant!r}", f"one of {', '.join(VARIANTS)}")


# ------------------------------------------------------------------ the reading

SIDES = {letter: side for side, letter in LETTERS.items()}
MARKS = " \t*_`'\"()[]{}<>.,:;!#=-"
AMONG_WORDS = (
    re.compile(
        r"\b(?:answer|verdict|choice|choose|prefer)\b\W*(?:is\W+)?(?:program\W+)?([AB])\W*$", re.I
    ),
    re.compile(r"^\W*(?:program|option)?\W*([AB])\W*(?:is (?:better|right|correct)\W*)?$", re.I),
)


def parse(reply: str, example: Example) -> Answer:
    """The side that the reply comes down on: a program said again, or the letter in the last line.

    `repaired_by` says what stood around the letter. Two letters, or none, are no verdict.
    """
    said = text.plain(reply).strip()
    if said in _programs(example):
        return Answer(value=(FIRST, SECOND)[_programs(example).index(said)])
    if not said:
        return Answer(value=None, problem="the reply is empty")
    last = said.rpartition("\n")[2].strip()
    if last in SIDES:
        return Answer(value=SIDES[last])
    if (bare := last.strip(MARKS)) in SIDES:
        return Answer(value=SIDES[bare], repaired_by="marks around the letter")
    found = [match[1] for pattern in AMONG_WORDS if (match := pattern.search(last))]
    if found and found[0] in SIDES:
        return Answer(value=SIDES[found[0]], repaired_by="words around the letter")
    return Answer(value=None, problem="the reply doesn't end in A or B")


# ------------------------------------------------------------------ gold, bait and scores


def gold(example: Example) -> str:
    """The letter of the better program."""
    return LETTERS[better(example)]


def bait(example: Example) -> str:
    """The letter of the worse program."""
    return LETTERS[OTHER[better(example)]]


ACCURACY = Metric(
    name="accuracy",
    heading="Accuracy",
    better="higher",
    unit="share",
    about="share of pairs of programs of which the better one is chosen, over both orders",
)
SIGNATURE = f"accuracy|choice|v{VERSION}"


def score(example: Example, answer: Answer, outcome: Outcome | None) -> tuple[Score, ...]:  # noqa: ARG001
    """1 for the better program, 0 for the other; a reply that can't be read is no verdict."""
    value = None if answer.value is None else float(answer.value == better(example))
    because = answer.problem or ""
    return (Score(metric=ACCURACY.name, by=SIGNATURE, value=value, because=because),)


# ------------------------------------------------------------------ training rows


def conversation(example: Example, *, variant: str) -> Conversation:
    """The question as it will be asked, and its answer: the letter, after reasons if asked for.

    The variants that look at one program alone learn to write the better one.
    """
    asked = prompt(example, variant=variant).messages
    reply = _verdict(example, variant)
    if variant in ALONE:
        reply = text.fence(example.given[better(example)])
    return Conversation(
        id=f"prefer/{variant}/{example.id}/{better(example)}",
        group=example.group,
        task="prefer",
        source=example.source,
        messages=(*asked, Message(role="assistant", content=reply)),
    )


def pair(example: Example) -> Pair:
    """Both programs as replies to the instruction alone, the better one chosen."""
    side = better(example)
    return Pair(
        id=f"prefer/{example.id}",
        group=example.group,
        source=example.source,
        prompt=Prompt(messages=_instruction(example)),
        chosen=text.fence(example.given[side]),
        rejected=text.fence(example.given[OTHER[side]]),
        criterion=example.given["criterion"],
        evidence=example.wanted.get("evidence") or {},
    )


def reasons(example: Example) -> str:
    """Why the worse program is worse, told from the evidence: what was broken, and a test."""
    evidence = example.wanted.get("evidence") or {}
    letter = bait(example)
    told = [
        broken(evidence["slip"], of=letter) if evidence.get("slip") else "",
        failing(evidence["test"], of=letter) if evidence.get("test") else "",
    ]
    if not any(told):
        raise DataError(
            f"example {example.id!r} has no evidence to give reasons from",
            "train on compare, which needs none",
        )
    return "\n".join(sentence for sentence in told if sentence)


def _verdict(example: Example, variant: str) -> str:
    return f"{reasons(example)}\n\n{gold(example)}" if variant == REASONS else gold(example)


# ------------------------------------------------------------------ floors

RIGHT = (
    r"^ {4}return (?!None\b)",  # returns from the function's own level
    r"\brange\(len\(\w+\)\)",
    r"\+= ",
    r"^\s*(?:elif .*|else):$",
    r"\bif not \w+:",
)
WRONG = (
    r"\bprint\(",
    r"<= len\(",
    r"\blen\(\w+\) \+ 1\b",
    r"^ {8,}return .*\Z",  # ends within a loop or a branch
)
"""Patterns typical of programs that are right, and of those that are not, in Python's layout."""


def first(example: Example, _training: Sequence[Example]) -> str:  # noqa: ARG001
    """Always A."""
    return LETTERS[FIRST]


def shorter(example: Example, _training: Sequence[Example]) -> str:
    """The program of fewer tokens; A if they are as long."""
    return _higher(example, lambda code: -len(tokens.code_tokens(code)))


def longer(example: Example, _training: Sequence[Example]) -> str:
    """The program of more tokens; A if they are as long."""
    return _higher(example, lambda code: len(tokens.code_tokens(code)))


def nearest(example: Example, training: Sequence[Example]) -> str:
    """The program that is more like a better one of the training examples than like a worse one.

    Those of the same problem are looked at, or all, if it has none; A if both are as like.
    """
    problem = example.given.get("problem")
    same = [row for row in training if row.given.get("problem") == problem] or training
    good = list(dict.fromkeys(row.given[better(row)] for row in same))
    bad = list(dict.fromkeys(row.given[OTHER[better(row)]] for row in same))

    def likeness(code: str) -> int:
        near, far = tokens.nearest(code, good), tokens.nearest(code, bad)
        return far[1] - near[1] if near and far else 0

    return _higher(example, likeness)


def patterns(example: Example, _training: Sequence[Example]) -> str:
    """The program with more patterns of right programs and fewer of wrong ones; A if as many."""

    def typical(code: str) -> int:
        found = [sum(bool(re.search(p, code, re.M)) for p in some) for some in (RIGHT, WRONG)]
        return found[0] - found[1]

    return _higher(example, typical)


def _higher(example: Example, value: Callable[[str], int]) -> str:
    return LETTERS[max(LETTERS, key=lambda side: value(text.plain(example.given[side])))]


task = Task(
    name="prefer",
    version=VERSION,
    metrics=(ACCURACY,),
    variants=VARIANTS,
    prompt=prompt,
    parse=parse,
    score=score,
    gold=gold,
    bait=bait,
    conversation=conversation,
    floors={
        "first": first,
        "shorter": shorter,
        "longer": longer,
        "nearest": nearest,
        "patterns": patterns,
    },
    item="pair",
    views=views,
    pair=pair,
)
