"""The task `repair`: a problem, a buggy program and three of its tests in, the program mended out.

All tests score it (RPass), and how much it changed (REdit). Since pasting somebody else's correct
program would pass too, RPass is told again for repairs no larger than the way to the nearest one.
"""

from __future__ import annotations

import ast
import difflib
import re
import sys
from collections.abc import Mapping, Sequence

from outdo import text, tokens
from outdo.errors import DataError, StudyError
from outdo.records import (
    Answer,
    Conversation,
    Example,
    Json,
    Message,
    Metric,
    Outcome,
    Program,
    Prompt,
    Score,
)
from outdo.scorers import edit, tests
from outdo.scorers.copied import copied_answers
from outdo.tasks import Task

VERSION = "1"
DIRECT, FEW_SHOT, CHAIN_OF_THOUGHT = "direct", "few-shot", "chain-of-thought"
VARIANTS = (DIRECT, FEW_SHOT, CHAIN_OF_THOUGHT)
CALLED = re.compile(r"\s*([A-Za-z_]\w*)\s*\(")

# ------------------------------------------------------------------ the question

SYSTEM = "You help people who learn to program in Python."
ASK = "Repair the program with as few changes as possible. Reply with the whole program."
ASK_WITH_REASONS = (
    "Repair the program with as few changes as possible. "
    "First say line by line what is wrong, then give the whole program."
)


def prompt(example: Example, *, variant: str, shots: Sequence[Example] = ()) -> Prompt:
    """The question; `shots` (of variant few-shot alone) are shown as earlier turns."""
    _check_variant(variant)
    turns = [Message(role="system", content=SYSTEM)]
    for shot in shots if variant == FEW_SHOT else ():
        turns += [_question(shot, variant), Message(role="assistant", content=gold(shot))]
    return Prompt(messages=(*turns, _question(example, variant)))


def context(given: Mapping[str, Json]) -> str:
    """The problem, the program and the tests shown, as every task on a student's program has it.

    It stands before the instruction, so that tasks on the same program share all tokens of it.
    """
    parts = [
        given["statement"].strip(),
        _preamble_used(given),
        "\n".join([text.fence(given["program"]), *map(shown, given["shown"])]),
    ]
    return "\n\n".join(part for part in parts if part)


def reasons(*, before: str, after: str) -> str:
    """What is wrong with the program `before`, told line by line from its repair `after`."""
    old, new = (text.plain(code).split("\n") for code in (before, after))
    changes = difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    told = [_reason(old[a:b], new[c:d], line=a) for tag, a, b, c, d in changes if tag != "equal"]
    return "\n".join(sentence for sentence in told if sentence)


def _question(example: Example, variant: str) -> Message:
    ask = ASK_WITH_REASONS if variant == CHAIN_OF_THOUGHT else ASK
    return Message(role="user", content=f"{context(example.given)}\n\n{ask}")


def _preamble_used(given: Mapping[str, Json]) -> str:
    """What runs before the program, shown only where the program leans on it: tokens are dear."""
    preamble: str = given.get("preamble") or ""
    tree = text.syntax_tree(preamble)
    if tree is None or not (_bound(tree) & set(tokens.code_tokens(given["program"]))):
        return ""
    return f"These lines run first:\n{text.fence(preamble)}"


def _bound(tree: ast.Module) -> set[str]:
    """The names that the statements of a module bind."""
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        else:
            bound = (part for part in ast.walk(node) if isinstance(part, ast.Name))
            names |= {part.id for part in bound if isinstance(part.ctx, ast.Store)}
    return names


def shown(test: Mapping[str, Json]) -> str:
    """A test in a line, as every prompt has it: what is called, and what comes of it."""
    if test.get("how") == "script":
        return f"input {test.get('stdin', '')!r} -> {test['expected']!r}"
    return f"{_one_line(test['call'])} -> {_one_line(test['expected'])}"


def _one_line(said: str) -> str:
    said = said.strip()
    return repr(said) if "\n" in said or not said else said


def _reason(old: Sequence[str], new: Sequence[str], *, line: int) -> str:
    """One sentence on a change of the lines `old`, which follow the line numbered `line`."""
    was, becomes = _quoted(old), _quoted(new)
    span = f"Line {line + 1}" if len(old) == 1 else f"Lines {line + 1} to {line + len(old)}"
    if not was and not becomes:
        return ""
    if was == becomes:
        return f"{span} must be indented differently: {was}."
    if not becomes:
        return f"{span} must go: {was}."
    if not was:
        place = f"After line {line}" if line else "At the beginning"
        return f"{place} this is missing: {becomes}."
    return f"{span} should not read {was} but {becomes}."


def _quoted(lines: Sequence[str]) -> str:
    return ", ".join(f"`{line.strip()}`" for line in lines if line.strip())


def _check_variant(variant: str) -> None:
    if variant not in VARIANTS:
        raise StudyError(f"repair has no variant {variant!r}", f"one of {', '.join(VARIANTS)}")


# ------------------------------------------------------------------ the reading


def parse(reply: str, example: Example) -> Answer:
    """The program in the reply; of several in a chain of thought, the last that is whole."""
    found = text.extract(reply, entry=_entry(example))
    return Answer(value=found.code, repaired_by=found.repaired_by, problem=found.problem)


def _entry(example: Example) -> str | None:
    """The function that the tests call: named, or read off the first test shown."""
    if named := example.wanted.get("entry"):
        return str(named)
    called = (CALLED.match(test.get("call", "")) for test in example.given["shown"])
    return next((match[1] for match in called if match), None)


# ------------------------------------------------------------------ gold and bait


def gold(example: Example) -> str:
    """A reply that must pass: the known repair."""
    return text.fence(_known_repair(example))


def bait(example: Example) -> str:
    """A reply that must not pass: the program as it was."""
    return text.fence(example.given["program"])


def _known_repair(example: Example) -> str:
    repair = example.wanted.get("repair")
    if not repair:
        raise DataError(
            f"example {example.id!r} has no known repair",
            "training and few-shot prompts need rows with `repair`",
        )
    return str(repair)


# ------------------------------------------------------------------ the scores

RPASS = Metric(
    name="rpass",
    heading="RPass",
    better="higher",
    unit="share",
    about="share of programs whose repair passes all tests",
)
REDIT = Metric(
    name="redit",
    heading="REdit",
    better="lower",
    unit="tokens",
    about="token edits from the buggy program to its repair, over repairs that pass",
    common=True,
    least=0.0,
)
RPASS_NEAR = Metric(
    name="rpass_near",
    heading="RPass, near",
    better="higher",
    unit="share",
    about="share of programs whose repair passes all tests and is no larger than the way to the "
    "nearest correct training program",
)
RPASS_AMONG_NEAR = Metric(
    name="rpass_among_near",
    heading="RPass among near",
    better="higher",
    unit="share",
    about="share that passes among the repairs no larger than the way to the nearest correct "
    "training program",
    common=True,
)
VALID = Metric(
    name="valid",
    heading="Valid",
    better="higher",
    unit="share",
    about="share of replies that hold a program which parses",
)
COPIED = Metric(
    name="copied_answers",
    heading="Copied",
    better="lower",
    unit="share",
    about="share of replies that hold answers of the tests shown as literals",
)

PYTHON = f"python-{sys.version_info.major}.{sys.version_info.minor}"
NEAR_SIGNATURE = f"tests:all|{edit.SIGNATURE}|v{VERSION}"
SIGNATURES = {
    "rpass": f"rpass|tests:all|v{VERSION}",
    "redit": f"redit|{edit.SIGNATURE}|v{VERSION}",
    "rpass_near": f"rpass_near|{NEAR_SIGNATURE}",
    "rpass_among_near": f"rpass_among_near|{NEAR_SIGNATURE}",
    "valid": f"valid|{PYTHON}|v{VERSION}",
    "copied_answers": f"copied_answers|shown|v{VERSION}",
}
PYTEST_SIGNATURE = f"rpass|pytest:one process|v{VERSION}"


def program(example: Example, answer: Answer) -> Program | None:
    """The repaired program with all tests, or None if the reply held none."""
    if answer.value is None:
        return None
    return Program.tested(
        answer.value,
        preamble=example.given.get("preamble") or "",
        calls=tuple(test.call for test in _tests(example)),
        check=example.wanted.get("check"),
        entry=_entry(example),
        suite=example.wanted.get("suite"),
    )


def score(example: Example, answer: Answer, outcome: Outcome | None) -> tuple[Score, ...]:
    """The scores of an answer whose program had this outcome; None: the sandbox failed.

    REdit stands only beside a repair that passes, the two «near» ones only where the example
    has a nearest program. A reply without a program repairs nothing: RPass 0.
    """
    if answer.value is None:
        because = answer.problem or "the reply holds no program"
        near = [_score(RPASS_NEAR, 0.0, because)] if example.wanted.get("nearest") else []
        return (
            _score(RPASS, 0.0, because, by=_rpass_by(example)),
            *near,
            _score(VALID, 0.0, because),
            _score(COPIED, 0.0),
        )
    graded = _graded(example, outcome)
    edits = edit.token_distance(before=example.given["program"], after=answer.value)
    redit = [_score(REDIT, float(edits))] if graded.passed else []
    return (
        _score(RPASS, _number(graded.passed), graded.because, by=_rpass_by(example)),
        *redit,
        *_near(example, graded.passed, edits=edits),
        _valid(answer.value),
        _copied(example, answer.value),
    )


def _graded(example: Example, outcome: Outcome | None) -> tests.Grade:
    if example.wanted.get("suite") or example.wanted.get("check"):
        return tests.grade_whole(outcome)
    return tests.grade(_tests(example), outcome)


def _near(example: Example, passed: bool | None, *, edits: int) -> list[Score]:
    """RPass where a large edit counts as a failure, and where it does not count at all."""
    nearest = example.wanted.get("nearest")
    if not nearest:
        return []
    way = edit.token_distance(before=example.given["program"], after=nearest)
    because = f"{edits} token edits, {way} to the nearest correct program"
    if edits > way:
        return [_score(RPASS_NEAR, 0.0, because)]
    return [_score(metric, _number(passed), because) for metric in (RPASS_NEAR, RPASS_AMONG_NEAR)]


def _valid(code: str) -> Score:
    parses = text.syntax_tree(code) is not None
    return _score(VALID, float(parses), "" if parses else "the program does not parse")


def _copied(example: Example, code: str) -> Score:
    shown = [(test.get("call", ""), test["expected"]) for test in example.given["shown"]]
    calls = copied_answers(code, before=example.given["program"], shown=shown)
    return _score(COPIED, float(bool(calls)), f"holds the answer of {calls[0]}" if calls else "")


def _score(metric: Metric, value: float | None, because: str = "", *, by: str = "") -> Score:
    return Score(metric=metric.name, by=by or SIGNATURES[metric.name], value=value, because=because)


def _rpass_by(example: Example) -> str:
    # pytest holds the object itself, so a suite runs beside the candidate, and that is weaker.
    return PYTEST_SIGNATURE if example.wanted.get("suite") else SIGNATURES[RPASS.name]


def _number(passed: bool | None) -> float | None:
    return None if passed is None else float(passed)


def _tests(example: Example) -> list[tests.Expected]:
    return [tests.expected(test) for test in example.wanted["tests"]]


# ------------------------------------------------------------------ training, floors, declaration


def conversation(example: Example, *, variant: str) -> Conversation:
    """The question as it will be asked, and the known repair as its answer.

    In a chain of thought the reasons come first, told from the difference of the two programs.
    """
    reply = gold(example)
    if variant == CHAIN_OF_THOUGHT:
        why = reasons(before=example.given["program"], after=_known_repair(example))
        reply = f"{why}\n\n{reply}"
    asked = prompt(example, variant=variant).messages
    return Conversation(
        id=f"repair/{variant}/{example.id}",
        group=example.group,
        task="repair",
        source=example.source,
        messages=(*asked, Message(role="assistant", content=reply)),
    )


def unchanged(example: Example, _training: Sequence[Example]) -> str:
    """The program as it was."""
    return bait(example)


def nearest(example: Example, training: Sequence[Example]) -> str:
    """The nearest correct training program of the same problem; of any, if that has none."""
    if known := example.wanted.get("nearest"):
        return text.fence(known)
    buggy, problem = example.given["program"], example.given["problem"]
    repaired = [row for row in training if row.wanted.get("repair")]
    same = [row for row in repaired if row.given["problem"] == problem] or repaired
    codes = list(dict.fromkeys(str(row.wanted["repair"]) for row in same))
    found = tokens.nearest(buggy, codes)
    return bait(example) if found is None else text.fence(codes[found[0]])


def reference(example: Example, _training: Sequence[Example]) -> str:
    """The problem's reference solution; nothing, if it has none."""
    known = example.wanted.get("reference")
    return text.fence(known) if known else ""


task = Task(
    name="repair",
    version=f"{VERSION}|{edit.SIGNATURE}|{PYTHON}",  # what stored scores hold for, and no other
    metrics=(RPASS, REDIT, RPASS_NEAR, RPASS_AMONG_NEAR, VALID, COPIED),
    variants=VARIANTS,
    prompt=prompt,
    parse=parse,
    program=program,
    score=score,
    gold=gold,
    bait=bait,
    conversation=conversation,
    floors={"unchanged": unchanged, "nearest": nearest, "reference": reference},
)
