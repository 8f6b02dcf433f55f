"""The task `hint`: a problem and a buggy program in, a hint out that doesn't give the answer away.

A good hint is correct, informative, concealing and comprehensible. People and judges rate the four
(docs/judging.md, docs/data.md); here rules tell of each what they can, and need nobody.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from outdo import text
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
from outdo.scorers import hints as rules
from outdo.tasks import Task, repair
from outdo.tasks import guarded as under_guard
from outdo.tasks.hints import told
from outdo.tokens import nearest as nearest_code

VERSION = "1"
DIRECT, FEW_SHOT, CHAIN_OF_THOUGHT = "direct", "few-shot", "chain-of-thought"
WITH_REPAIR = "with-repair"
VARIANTS = (DIRECT, FEW_SHOT, CHAIN_OF_THOUGHT, WITH_REPAIR)

# ------------------------------------------------------------------ the question

ASK = (
    "Give one hint that helps to find what is wrong, in at most three sentences. "
    "Don't give the solution away and write no code. Reply with the hint alone."
)
ASK_AFTER_REPAIR = (
    "First repair the program, with as few changes as possible. Then give one hint that helps to "
    "find what is wrong, in at most three sentences, on a line that begins with Hint: "
    "Don't give the solution away in it and write no code there."
)
MARK = "Hint:"


def prompt(example: Example, *, variant: str, shots: Sequence[Example] = ()) -> Prompt:
    """The question; `shots` (of variant few-shot alone) are shown as earlier turns.

    System message, problem, program and tests are those of `repair`, byte for byte.
    """
    if variant not in VARIANTS:
        raise StudyError(f"hint has no variant {variant!r}", f"one of {', '.join(VARIANTS)}")
    turns = [Message(role="system", content=repair.SYSTEM)]
    for shot in shots if variant == FEW_SHOT else ():
        turns += [_question(shot, variant), Message(role="assistant", content=gold(shot))]
    return Prompt(messages=(*turns, _question(example, variant)))


def _question(example: Example, variant: str) -> Message:
    parts = [repair.context(example.given)]
    if variant == WITH_REPAIR:
        parts.append(f"A repair of it, which the learner doesn't see:\n{_repair(example)}")
    parts.append(ASK_AFTER_REPAIR if variant == CHAIN_OF_THOUGHT else ASK)
    return Message(role="user", content="\n\n".join(parts))


def _repair(example: Example) -> str:
    """The repair as a fenced block: one that is given, else the known one."""
    known = example.given.get("repair") or example.wanted.get("repair")
    if not known:
        raise DataError(
            f"example {example.id!r} has no repair to show", "ask without: prompt: direct"
        )
    return text.fence(str(known))


# ------------------------------------------------------------------ the reading

_MARKED = re.compile(r"^[ \t>#*_]*hint[ \t]*[*_]*[ \t]*:[*_]*[ \t]*", re.I | re.M)


def parse(reply: str, example: Example) -> Answer:  # noqa: ARG001
    """The hint that a learner would see: what follows the last `Hint:`, else the whole reply.

    Thinking at the beginning is dropped. A program that stands before no mark is part of the hint.
    """
    said = text.spoken(text.plain(reply))
    if said is None:
        return Answer(value=None, problem="the reply ends within its thinking")
    if len(said) > text.LONGEST_REPLY:
        return Answer(
            value=None, problem=f"the reply is longer than {text.LONGEST_REPLY:,} characters"
        )
    found = list(_MARKED.finditer(said))
    hint = (said[found[-1].end() :] if found else said).strip()
    if not hint:
        return Answer(value=None, problem="the reply holds no hint")
    return Answer(value=hint)


def leak(hint: str, example: Example) -> str:
    """What the hint gives away by the rules, in words; nothing where they find nothing."""
    before, after = example.given["program"], example.wanted.get("repair")
    found = rules.faults(before=before, after=after) if after else ()
    return rules.given_away(hint, found, before=before) or rules.code_in(hint, before=before)


def withheld(answer: Answer, example: Example) -> Answer:
    """The hint, withheld if by the rules it gives the answer away: then nobody sees one."""
    why = leak(answer.value, example) if answer.value is not None else ""
    return Answer(value=None, problem=f"withheld: {why}") if why else answer


# ------------------------------------------------------------------ gold and bait


def gold(example: Example) -> str:
    """A hint that earns full marks: the example's own, else one by template."""
    hint = _own(example) or _templated(example)
    if hint is None:
        raise DataError(
            f"example {example.id!r} has no fault that a hint could point at",
            "training and few-shot prompts need rows with `repair`",
        )
    return hint


def bait(example: Example) -> str:
    """A reply that must not earn them: what to change, told line by line."""
    before, after = example.given["program"], example.wanted.get("repair")
    if not after:
        raise DataError(f"example {example.id!r} has no known repair", "give its rows `repair`")
    return repair.reasons(before=before, after=after)


def _own(example: Example) -> str | None:
    """A teacher's or an author's hint that came with the example, if the rules find it good."""
    hint = str(example.wanted.get("hint") or "").strip()
    before, after = example.given["program"], example.wanted.get("repair")
    return hint if hint and rules.marks(hint, before=before, after=after).good else None


def _templated(example: Example) -> str | None:
    after = example.wanted.get("repair")
    if not after:
        return None
    return told(
        before=example.given["program"],
        after=after,
        slip=example.wanted.get("slip"),
        shown=[str(test.get("call") or "") for test in example.given.get("shown") or ()],
        seed=example.id,
    )


# ------------------------------------------------------------------ the scores

GOOD = Metric(
    name="hgood_rules",
    heading="HGood, rule-rated",
    better="higher",
    unit="share",
    about="share of hints that are correct, informative, concealing and comprehensible by the "
    "rules, which no rater has seen",
)
CORRECT = Metric(
    name="hcorrect_rules",
    heading="HCorrect, rule-rated",
    better="higher",
    unit="share",
    about="share of hints whose named line or construct is at fault, of those that name one",
)
INFORMATIVE = Metric(
    name="hinformative_rules",
    heading="HInformative, rule-rated",
    better="higher",
    unit="share",
    about="share of hints that name a faulty line, its code or its construct",
)
CONCEALS = Metric(
    name="hconceal_rules",
    heading="HConceal, rule-rated",
    better="higher",
    unit="share",
    about="share of hints that hold neither a mended line or part of one, nor other code",
)
COMPREHENSIBLE = Metric(
    name="hcomprehensible_rules",
    heading="HComprehensible, rule-rated",
    better="higher",
    unit="share",
    about=f"share of hints of {rules.FEWEST_WORDS} to {rules.MOST_WORDS} words that repeat nothing",
)
WORDS = Metric(
    name="words",
    heading="Words",
    better="lower",
    unit="words",
    about="words of a hint",
    least=0.0,
)
SIGNED = f"{rules.SIGNATURE}|v{VERSION}"


def score(example: Example, answer: Answer, outcome: Outcome | None) -> tuple[Score, ...]:  # noqa: ARG001
    """What rules tell of the hint. No hint is not good, and gives nothing away.

    Attributes that can't be told are None; where no repair is known that is all but the form.
    """
    if answer.value is None:
        why = answer.problem or "the reply holds no hint"
        lost = [_score(metric, 0.0, why) for metric in (GOOD, INFORMATIVE, COMPREHENSIBLE)]
        return (*lost, _score(CORRECT, None, why), _score(CONCEALS, 1.0, why))
    told = rules.marks(
        answer.value, before=example.given["program"], after=example.wanted.get("repair")
    )
    return (
        _score(GOOD, _number(told.good), "; ".join(filter(None, told.because.values()))),
        _score(CORRECT, _number(told.correct), told.because["correct"]),
        _score(INFORMATIVE, _number(told.informative), told.because["informative"]),
        _score(CONCEALS, _number(told.conceals), told.because["conceals"]),
        _score(COMPREHENSIBLE, _number(told.comprehensible), told.because["comprehensible"]),
        _score(WORDS, float(rules.words_of(answer.value))),
    )


def _score(metric: Metric, value: float | None, because: str = "") -> Score:
    return Score(metric=metric.name, by=f"{metric.name}|{SIGNED}", value=value, because=because)


def _number(told: bool | None) -> float | None:
    return None if told is None else float(told)


# ------------------------------------------------------------------ training rows


def conversation(example: Example, *, variant: str) -> Conversation:
    """The question as it will be asked, and a hint as its answer; in a chain of thought the
    known repair stands before it."""
    reply = gold(example)
    if variant == CHAIN_OF_THOUGHT:
        reply = f"{repair.gold(example)}\n\n{MARK} {reply}"
    return Conversation(
        id=f"hint/{variant}/{example.id}",
        group=example.group,
        task="hint",
        source=example.source,
        messages=(
            *prompt(example, variant=variant).messages,
            Message(role="assistant", content=reply),
        ),
    )


def pair(example: Example) -> Pair:
    """A hint against one that gives the answer away."""
    return Pair(
        id=f"hint/{example.id}",
        group=example.group,
        source=example.source,
        prompt=prompt(example, variant=DIRECT),
        chosen=gold(example),
        rejected=bait(example),
        criterion="concealing",
        evidence={"rejected": leak(bait(example), example)},
    )


def can_be_taught(example: Example) -> bool:
    """Whether an example has a hint to learn from; those of other tasks do as they like."""
    return example.task != "hint" or bool(_own(example) or _templated(example))


# ------------------------------------------------------------------ floors, declaration

GENERAL = "Go through your program line by line with a small example and compare what you get."


def general(example: Example, _training: Sequence[Example]) -> str:  # noqa: ARG001
    """The same advice for everybody."""
    return GENERAL


def solution(example: Example, _training: Sequence[Example]) -> str:
    """What to change, line by line, where a repair is known: all is told, nothing concealed."""
    return bait(example) if example.wanted.get("repair") else GENERAL


def nearest(example: Example, training: Sequence[Example]) -> str:
    """The hint of the nearest training program of the same problem; of any, if that has none."""
    known = [row for row in training if row.wanted.get("repair")]
    same = [row for row in known if row.given.get("problem") == example.given.get("problem")]
    pool = same or known
    found = nearest_code(example.given["program"], [row.given["program"] for row in pool])
    return GENERAL if found is None else (_own(pool[found[0]]) or _said(pool[found[0]]))


def _said(example: Example) -> str:
    return _templated(example) or GENERAL


task = Task(
    name="hint",
    version=f"{VERSION}|{rules.SIGNATURE}",
    metrics=(GOOD, CORRECT, INFORMATIVE, CONCEALS, COMPREHENSIBLE, WORDS),
    variants=VARIANTS,
    prompt=prompt,
    parse=parse,
    score=score,
    gold=gold,
    bait=bait,
    conversation=conversation,
    floors={"general": general, "nearest": nearest, "solution": solution},
    item="program",
    pair=pair,
    guard=withheld,
)

guarded = under_guard(task)
"""The same task where a hint that gives the answer away is withheld by rule."""
