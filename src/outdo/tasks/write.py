"""The task `write`: an instruction in, perhaps with an input or the head of a function, code out.

Where there are tests they decide. Likeness to the reference is told beside them as what it is: how
much whoever wants the reference would have to edit.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence

from outdo import text, tokens
from outdo.errors import DataError, StudyError
from outdo.literals import TOLERANCE
from outdo.records import (
    Answer,
    Conversation,
    Example,
    Json,
    Limits,
    Message,
    Metric,
    Outcome,
    Program,
    Prompt,
    Score,
)
from outdo.scorers import bleu, likeness, tests
from outdo.tasks import Task

VERSION = "1"
DIRECT, FEW_SHOT, CHAIN_OF_THOUGHT = "direct", "few-shot", "chain-of-thought"
BRIEF = "brief"
VARIANTS = (DIRECT, FEW_SHOT, CHAIN_OF_THOUGHT, BRIEF)
LIMITS = Limits(seconds=30.0, cpu_seconds=12.0, output_bytes=8 * 2**20)
"""Of all tests of one program together; some have a thousand of them."""

# ------------------------------------------------------------------ the question

SYSTEM = "You write programs in Python."
ASK = "Reply with the code alone, whole, in one block."
ASK_WITH_PLAN = (
    "First say in a few sentences how it is to be done, then give the code, whole, in one block."
)


def prompt(example: Example, *, variant: str, shots: Sequence[Example] = ()) -> Prompt:
    """The question; `shots` (of variant few-shot alone) are shown as earlier turns.

    `brief` is the instruction alone, for a model that was trained to reply with code.
    """
    if variant not in VARIANTS:
        raise StudyError(f"write has no variant {variant!r}", f"one of {', '.join(VARIANTS)}")
    turns = [Message(role="system", content=SYSTEM)]
    for shot in shots if variant == FEW_SHOT else ():
        turns += [_question(shot, variant), Message(role="assistant", content=gold(shot))]
    return Prompt(messages=(*turns, _question(example, variant)))


def _question(example: Example, variant: str) -> Message:
    ask = {CHAIN_OF_THOUGHT: ASK_WITH_PLAN, BRIEF: ""}.get(variant, ASK)
    return Message(role="user", content=_joined(*_parts(example), ask))


def statement(example: Example) -> str:
    """What is asked for, as the question says it, without how to reply and what runs before."""
    instruction, given, _, *rest = _parts(example)
    return _joined(instruction, given, *rest)


def _parts(example: Example) -> tuple[str, str, str, str, str]:
    """Instruction, input, lines that run first, head and examples, each empty if there is none."""
    given = example.given
    stub, preamble = (str(given.get(name) or "") for name in ("stub", "preamble"))
    shown = "\n".join(given.get("examples") or ())
    parts = (
        str(given.get("instruction") or "").strip(),
        f"Input:\n{given['input'].strip()}" if (given.get("input") or "").strip() else "",
        f"These lines run first:\n{text.fence(preamble)}" if preamble and not stub else "",
        text.fence(stub) if stub else "",
        f"For example:\n{shown}" if shown else "",
    )
    if not any(parts[:4]):
        raise DataError(f"example {example.id!r} has no instruction", "name its column")
    return parts


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


# ------------------------------------------------------------------ the reading


def parse(reply: str, example: Example) -> Answer:
    """The program in the reply; one that goes on from the head of the function is put below it."""
    entry = example.wanted.get("entry")
    found = text.extract(reply, entry=entry)
    stub = str(example.given.get("stub") or "")
    if stub and entry and not _defines(found.code, entry):
        said = text.spoken(text.plain(reply))
        for body in (found.code, said):
            whole = f"{stub.rstrip()}\n{_indented(body)}" if body and body.strip() else ""
            if whole and len(whole) <= text.LONGEST_REPLY and text.syntax_tree(whole) is not None:
                return Answer(value=whole, repaired_by="goes on from the head of the function")
    return Answer(value=found.code, repaired_by=found.repaired_by, problem=found.problem)


def _defines(code: str | None, entry: str) -> bool:
    return bool(
        code and re.search(rf"^\s*(?:async\s+def|def|class)\s+{re.escape(entry)}\b", code, re.M)
    )


def _indented(body: str) -> str:
    """A function's body, as deep as one at the margin is."""
    lines = body.strip("\n").split("\n")
    if lines[0][:1].isspace():
        return "\n".join(lines)
    return "\n".join(f"    {line}" if line.strip() else line for line in lines)


# ------------------------------------------------------------------ gold and bait


def gold(example: Example) -> str:
    """A reply that must pass: the reference."""
    return text.fence(_reference(example))


def bait(example: Example) -> str:
    """A reply that must not pass: a function that does nothing, or no code at all."""
    entry = example.wanted.get("entry")
    return text.fence(f"def {entry}(*_, **__):\n    pass") if entry else "I can't do that."


def _reference(example: Example) -> str:
    known = example.wanted.get("reference")
    if not known:
        raise DataError(
            f"example {example.id!r} has no reference",
            "training and few-shot prompts need rows with code",
        )
    return str(known)


# ------------------------------------------------------------------ the scores

PASS = Metric(
    name="passed",
    heading="Pass",
    better="higher",
    unit="share",
    about="share of programs that pass all tests; of several samples the unbiased pass@k",
)
PASS_BASE = Metric(
    name="passed_base",
    heading="Pass, base tests",
    better="higher",
    unit="share",
    about="share of programs that pass the tests that the problem came with, without those added",
)
VALID = Metric(
    name="valid",
    heading="Valid",
    better="higher",
    unit="share",
    about="share of replies that hold a program which parses",
)
LIKENESS = (likeness.EDITS, likeness.BLEU, likeness.CODEBLEU)

PYTHON = f"python-{sys.version_info.major}.{sys.version_info.minor}"
SIGNATURES = {
    "passed_base": f"passed_base|tests:base|v{VERSION}",
    "valid": f"valid|{PYTHON}|v{VERSION}",
}


def program(example: Example, answer: Answer) -> Program | None:
    """The program with all its tests, base tests first; None if nothing can be run."""
    wanted = example.wanted
    base, plus = _tests(example, "tests"), _tests(example, "plus")
    whole = wanted.get("check") or wanted.get("suite")
    if answer.value is None or not (base or plus or whole):
        return None
    return Program.tested(
        answer.value,
        preamble=example.given.get("preamble") or "",
        calls=tuple(test.call for test in (*base, *plus)),
        check=wanted.get("check"),
        entry=wanted.get("entry"),
        suite=wanted.get("suite"),
        limits=LIMITS,
    )


def score(example: Example, answer: Answer, outcome: Outcome | None) -> tuple[Score, ...]:
    """The scores of an answer; those of tests stand only where there are some.

    A reply without a program passes nothing, and is as far from the reference as nothing is.
    """
    code = answer.value or ""
    because = "" if answer.value is not None else answer.problem or "the reply holds no program"
    parses = bool(code.strip()) and text.syntax_tree(code) is not None
    why = because or ("" if parses else "the program does not parse")
    return (
        *_passes(example, answer, outcome, because),
        _score(VALID, float(parses), why),
        *_likeness(example, code),
    )


def _passes(example: Example, answer: Answer, outcome: Outcome | None, because: str) -> list[Score]:
    base, plus = _tests(example, "tests"), _tests(example, "plus")
    whole = example.wanted.get("check") or example.wanted.get("suite")
    if not (base or plus or whole):
        return []
    by = _passed_by(example)
    if answer.value is None:
        lost = [_score(PASS_BASE, 0.0, because)] if plus else []
        return [_score(PASS, 0.0, because, by=by), *lost]
    if whole:
        graded = tests.grade_whole(outcome)
        return [_score(PASS, _number(graded.passed), graded.because, by=by)]
    tolerance = float(example.wanted.get("tolerance") or TOLERANCE)
    graded = tests.grade([*base, *plus], outcome, tolerance=tolerance)
    scores = [_score(PASS, _number(graded.passed), graded.because, by=by)]
    if plus and base:
        first = None if graded.passes is None else all(graded.passes[: len(base)])
        scores.append(_score(PASS_BASE, _number(first), graded.because if not first else ""))
    return scores


def _passed_by(example: Example) -> str:
    """The signature: plus tests, a suite in one process, and any tolerance are named in it."""
    wanted = example.wanted
    kind = "pytest:one process" if wanted.get("suite") else "tests:all"
    kind += "+plus,tolerance of the example" if wanted.get("plus") else ""
    return f"passed|{kind}|v{VERSION}"


def _likeness(example: Example, code: str) -> list[Score]:
    reference = example.wanted.get("reference")
    if not reference:
        return []
    return likeness.scores(
        LIKENESS, candidate=code, reference=str(reference), version=f"|v{VERSION}"
    )


def _tests(example: Example, name: str) -> tuple[tests.Expected, ...]:
    if example.wanted.get("check") or example.wanted.get("suite"):
        return ()
    found: Sequence[Mapping[str, Json]] = example.wanted.get(name) or ()
    return tuple(tests.expected(test) for test in found)


def _score(metric: Metric, value: float | None, because: str = "", *, by: str = "") -> Score:
    by = by or SIGNATURES[metric.name]
    return Score(metric=metric.name, by=by, value=value, because=because)


def _number(passed: bool | None) -> float | None:
    return None if passed is None else float(passed)


# ------------------------------------------------------------------ training, floors, declaration


def conversation(example: Example, *, variant: str) -> Conversation:
    """The question as it will be asked, and the reference as its answer.

    A plan can't be told from code: there are no training rows of chain-of-thought.
    """
    if variant == CHAIN_OF_THOUGHT:
        raise StudyError(
            "write has no training rows with a plan before the code",
            "train with prompt: direct, or let a teacher write them (outdo data teach)",
        )
    return Conversation(
        id=f"write/{variant}/{example.id}",
        group=example.group,
        task="write",
        source=example.source,
        messages=(
            *prompt(example, variant=variant).messages,
            Message(role="assistant", content=gold(example)),
        ),
    )


def stub(example: Example, _training: Sequence[Example]) -> str:
    """The head of the function with nothing in it; where there is none, what fails."""
    head = str(example.given.get("stub") or "").rstrip()
    return text.fence(f"{head}\n    pass") if head else bait(example)


def nearest(example: Example, training: Sequence[Example]) -> str:
    """The reference of the training example whose instruction shares most words with this one."""
    known = [row for row in training if row.wanted.get("reference")]
    mine = _words(example)
    best = max(known, key=lambda row: _alike(mine, _words(row)), default=None)
    return bait(example) if best is None else text.fence(str(best.wanted["reference"]))


def _words(example: Example) -> frozenset[str]:
    said = f"{example.given.get('instruction') or ''} {example.given.get('stub') or ''}"
    return frozenset(re.findall(r"[a-z0-9]{2,}", said.lower()))


def _alike(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))


task = Task(
    name="write",
    version=f"{VERSION}|{tokens.SIGNATURE}|{bleu.signature()}|{likeness.TREES}|{PYTHON}",
    metrics=(PASS, PASS_BASE, VALID, *LIKENESS),
    variants=VARIANTS,
    prompt=prompt,
    parse=parse,
    program=program,
    score=score,
    gold=gold,
    bait=bait,
    conversation=conversation,
    floors={"stub": stub, "nearest": nearest},
    item="problem",
)
