"""What commit-instruct and critique share: reasons first, then a decision, then code anew.

The decision is a field of its own that is either yes or no. Whatever else stands there is a reply
that can't be read: nobody's words are taken for a yes. One call does it all, for a decision that
ends the reply costs no more than one that is asked alone, and what is shown is paid once.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from outdo import replies, text
from outdo.errors import DataError, StudyError
from outdo.records import (
    Answer,
    Conversation,
    Example,
    Json,
    Message,
    Metric,
    Outcome,
    Prompt,
    Score,
)
from outdo.replies import Fields, Flag, OneOf, Text
from outdo.scorers.grounded import same_code

DIRECT, JSON, BRIEF = "direct", "json", "brief"
VARIANTS = (DIRECT, JSON, BRIEF)

CRITERIA = (
    *("correctness", "robustness", "efficiency", "security", "readability", "maintainability"),
    *("usability", "general"),
)
"""What one program may be better by than another; `general` where no single word says it."""
NONE = "none"

CRITERION, FEEDBACK = "criterion", "feedback"
TWICE, CUT = "repeated field", "cut end"
"""Rules of the reader that leave it open what was meant: no code is taken from such a reply."""

FORM = "not in the form that was asked for"
NEITHER = "neither yes nor no where that was asked"
LACKING = "a field is missing"
STRANGE = "a criterion that was not among those named"
DOUBLED = "a field stands twice"
TORN = "ends within a field"

# ------------------------------------------------------------------ asking


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """How one of the two tasks asks, and what it reads.

    `why` names the field of the reasons, `decides` that of the decision, and `goes_on` the decision
    after which the other fields are needed: `told`, each with a hint for whoever writes the reply.
    Those in `codes` are programs. `shows` gives the parts of the question before the instruction;
    `brief` is that instruction for models that have learnt what to do.
    """

    name: str
    version: str
    system: str
    ask: str
    brief: str
    why: str
    decides: str
    goes_on: bool
    told: Mapping[str, str]
    codes: tuple[str, ...]
    shows: Callable[[Example], tuple[str, ...]]
    hints: tuple[str, str]

    @property
    def head(self) -> Fields:
        """The reasons and the decision alone."""
        return Fields(of={self.why: Text(), self.decides: Flag()})

    @property
    def shape(self) -> Fields:
        """All fields, of which those behind the decision may be absent."""
        rest = {
            name: OneOf((*CRITERIA, NONE)) if name == CRITERION else Text(empty=True)
            for name in self.told
        }
        return Fields(of={**self.head.of, **rest}, optional=tuple(rest))

    @property
    def schema(self) -> dict[str, Json]:
        """The shape as a JSON schema that needs every field: servers hold to such alone."""
        return replies.json_schema(replace(self.shape, optional=()))

    def prompt(self, example: Example, *, variant: str) -> Prompt:
        """The question; `json` hands the schema to servers that can hold a reply to it.

        `brief` names the fields and says no more, for a small model that was trained on them.
        """
        if variant not in VARIANTS:
            hint = f"one of {', '.join(VARIANTS)}"
            raise StudyError(f"{self.name} has no variant {variant!r}", hint)
        asked = self._named() if variant == BRIEF else self._explained(variant)
        messages = (
            Message(role="system", content=self.system),
            Message(role="user", content="\n\n".join((*self.shows(example), asked))),
        )
        return Prompt(messages=messages, schema=self.schema if variant == JSON else None)

    def _named(self) -> str:
        """The instruction in short: the fields by their names."""
        word = "true" if self.goes_on else "false"
        rest = ", ".join(self.told)
        return (
            f"{self.brief} Reply in YAML with {self.why} and {self.decides}, true or false; "
            f"if it is {word}, with {rest} as well."
        )

    def _explained(self, variant: str) -> str:
        """The instruction, and the reply's form as a skeleton."""
        form: Literal["json", "yaml"] = "json" if variant == JSON else "yaml"
        blocks = {name: f"# {self.told[name]}\n..." for name in self.codes if form == "yaml"}
        skeleton = {self.why: self.hints[0], self.decides: self.hints[1], **self.told, **blocks}
        word = "true" if self.goes_on else "false"
        stop = (
            f'if {self.decides} is not {word}, {CRITERION} is "{NONE}" and the texts behind it '
            "are empty"
            if variant == JSON
            else f"if {self.decides} is not {word}, leave out what stands behind it"
        )
        ask = f"{self.ask}\n\nReply in {form.upper()} alone, in this form; {stop}."
        return f"{ask}\n{replies.write(skeleton, form=form)}"

    # -------------------------------------------------------------- reading

    def parse(self, reply: str, example: Example) -> Answer:  # noqa: ARG002
        """The reply's fields: the reasons, the decision, and all others or none of them.

        `repaired_by` names the rules that were needed, `problem` what prevented a value.
        """
        answer = replies.read(reply, shape=self.shape)
        if answer.value is None:
            ended = replies.read(reply, shape=self.head)
            done = ended.value is not None and ended.value[self.decides] != self.goes_on
            return ended if done else answer
        value = answer.value
        if value[self.decides] != self.goes_on:
            return replace(answer, value={name: value[name] for name in self.head.of})
        rules = [answer.repaired_by] if answer.repaired_by else []
        for name in self.told:
            said = str(value.get(name) or "")
            if name in self.codes and "```" in said:
                said, rules = text.extract(said).code or "", [*rules, f"fence in {name}"]
            said = textwrap.dedent(said).strip("\n") if name in self.codes else said.strip()
            if not said or said == NONE:
                return Answer(value=None, problem=f"{replies.WRONG_SCHEMA}{name} is missing")
            value = {**value, name: said}
        return Answer(value=value, repaired_by=", ".join(rules) or None)

    def goes(self, answer: Answer) -> bool:
        """Whether the decision was the one that code follows."""
        return answer.value is not None and answer.value[self.decides] == self.goes_on

    # -------------------------------------------------------------- gold, bait, rows

    def gold(self, example: Example) -> str:
        """The known reply, `wanted.reply`; raises DataError where there is none."""
        return replies.write(self._known(example))

    def bait(self, example: Example) -> str:  # noqa: ARG002
        """A reply that decides nothing."""
        return "NOTE"

    def conversation(self, example: Example, *, variant: str) -> Conversation:
        """The question as it will be asked, and the known reply."""
        form: Literal["json", "yaml"] = "json" if variant == JSON else "yaml"
        said = replies.write(self._known(example), form=form)
        asked = self.prompt(example, variant=variant).messages
        return Conversation(
            id=f"{self.name}/{variant}/{example.id}",
            group=example.group,
            task=self.name,
            source=example.source,
            messages=(*asked, Message(role="assistant", content=said)),
        )

    def _known(self, example: Example) -> Json:
        known = example.wanted.get("reply")
        if not isinstance(known, Mapping):
            raise DataError(
                f"nobody knows the reply to example {example.id!r}",
                "training needs rows with wanted.reply",
            )
        return dict(known)

    # -------------------------------------------------------------- scores

    def score(self, example: Example, answer: Answer, outcome: Outcome | None) -> tuple[Score, ...]:  # noqa: ARG002
        """Whether the reply can be read, changes code where it goes on, and decides as known."""
        valid = self._mark(VALID, float(answer.value is not None), answer.problem or "")
        known = example.wanted.get("reply")
        decided = None
        if isinstance(known, Mapping) and isinstance(known.get(self.decides), bool):
            right = answer.value is not None and answer.value[self.decides] == known[self.decides]
            decided = self._mark(DECIDED, float(right))
        changed = None
        if self.goes(answer):
            differ = not same(*self.programs(example, answer), example)
            changed = self._mark(CHANGED, float(differ))
        return tuple(one for one in (valid, decided, changed) if one is not None)

    def programs(self, example: Example, answer: Answer) -> tuple[str, str]:
        """The worse and the better program of an answer that goes on."""
        said = [str(answer.value[name]) for name in self.codes]
        return (str(example.given["draft"]), said[0]) if len(said) == 1 else (said[0], said[1])

    def _mark(self, metric: Metric, value: float, because: str = "") -> Score:
        signature = f"{self.name}.{metric.name}|v{self.version}"
        return Score(metric=metric.name, by=signature, value=value, because=because)


VALID = Metric(
    name="valid",
    heading="Valid",
    better="higher",
    unit="share",
    about="share of replies that can be read, decide, and have all that follows the decision",
)
DECIDED = Metric(
    name="decided",
    heading="Decided right",
    better="higher",
    unit="share",
    about="share of replies that decide as is known, where it is",
)
CHANGED = Metric(
    name="changed",
    heading="Changed",
    better="higher",
    unit="share",
    about="share of replies with code whose two programs differ by more than layout",
)
METRICS = (VALID, DECIDED, CHANGED)


def same(one: str, other: str, example: Example) -> bool:
    """Whether two programs are one up to layout and, in Python, comments."""
    python = (example.given.get("language") or "Python") == "Python"
    return same_code(one.split("\n"), other.split("\n"), python=python)


def fault(answer: Answer) -> str:
    """What is wrong with a reply, in words that all of its kind share; nothing where it holds."""
    problem = answer.problem or ""
    if answer.value is None:
        if not problem.startswith(replies.WRONG_SCHEMA):
            return FORM
        if problem.endswith("neither yes nor no"):
            return NEITHER
        if problem.endswith(("is missing", "is empty")):
            return LACKING
        return STRANGE if f" {CRITERION} is" in f" {problem}" else FORM
    rules = (answer.repaired_by or "").split(", ")
    return DOUBLED if TWICE in rules else TORN if CUT in rules else ""
