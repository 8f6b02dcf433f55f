"""Pairs of programs that a model made: of commits, and of drafts that it criticised.

Replies are stored like those of any contestant, so that gates can be changed and nothing is asked
twice. Which of them give a pair is decided at gates that count whatever they drop.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from outdo.data.pairs import CodePair
from outdo.data.sifting import Drop, Gate, Item, each
from outdo.errors import DataError
from outdo.judging.families import families
from outdo.models.reference import ModelReference
from outdo.pipeline.asking import Asked, asked
from outdo.pipeline.stages import Generated, Shop, generate
from outdo.pipeline.teaching import FieldOf, Written, answered_gate, row_id
from outdo.records import Answer, Completion, Example, Json, Request
from outdo.study import Answering
from outdo.tasks import Task, commit_instruct, critique, write
from outdo.tasks.rewriting import CRITERION, FEEDBACK, Rewriting, fault, same

COMMITS, CRITIQUES = "commits", "critiques"
"""Where a pair came from."""

CRITIQUED = "critique/"
"""How the ids of pairs begin that came from a draft; that of what was asked follows."""

LOSS = "2.5 to 9.4%"
"""What Liu et al. (2024) measured a preference model to lose if its critic was the drafter."""

_GIVEAWAY = re.compile(
    r"(?<![a-z])(?:naive|improved|revised|optimi[sz]ed|refactored|inefficient|insecure"
    r"|vulnerable|buggy)(?![a-z])",
    re.IGNORECASE,
)
"""Words that tell the worse program from the better one without reading either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evolved:
    """What came of a model's replies: all examples as rows, the gates of replies, the pairs.

    `pairs` has those replies that hold two programs, whatever else is wrong with them. `repaired`
    counts the rules that replies were read by, `notes` are for whoever started it. `said` has what
    each model said, one after the other.
    """

    items: tuple[Item, ...]
    gates: tuple[Gate, ...]
    pairs: Mapping[str, CodePair]
    repaired: Mapping[str, int]
    said: tuple[Said, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def stages(self) -> tuple[str, ...]:
        """Where the replies are stored, by name."""
        return tuple(one.generated.stage.name for one in self.said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A model with a way of asking it."""

    model: ModelReference
    ask: Answering


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A model's replies to examples by their ids, how they were read, and where they stand."""

    model: str
    written: Mapping[str, Written]
    answers: Mapping[str, Answer]
    generated: Generated

    def value(self, id: str) -> Mapping[str, Json]:
        """What was read from a reply that could be read."""
        found: Mapping[str, Json] = self.answers[id].value
        return found


def owed(
    shop: Shop, who: Asking, task: Task, examples: Iterable[Example], *, seed: int
) -> list[Asked]:
    """What a model is asked of examples; raises DataError where there are none."""
    size = None if who.ask.context is None else shop.tools.counting(who.model).size
    found = list(asked(task, who.ask, list(examples), (), seed=seed, size=size))
    if not found:
        raise DataError("there is nothing to ask of", "give more rows")
    return found


def said(shop: Shop, who: Asking, owed: Sequence[Asked], *, role: str) -> Said:
    """A model's replies; those that are stored are not asked for again."""
    generated = generate(shop, who.model, who.ask, owed, name=f"{role} {who.ask.model}")
    written = {
        row_id(one): Written(task=one.task, example=one.view, completion=completion, row=None)
        for one, completion in generated.answers
    }
    answers = {
        id: one.task.parse(one.completion.text, one.example)
        for id, one in written.items()
        if isinstance(one.completion, Completion)
    }
    return Said(model=who.ask.model, written=written, answers=answers, generated=generated)


# ------------------------------------------------------------------ commits


def evolve_commits(
    shop: Shop, examples: Sequence[Example], *, teacher: Asking, licence: FieldOf, seed: int
) -> Evolved:
    """The pairs that a teacher makes of commits (examples of `commit-instruct`).

    `licence` says under which an example stands. Raises DataError where there is no example.
    """
    asked_of = owed(shop, teacher, commit_instruct.task, examples, seed=seed)
    told = said(shop, teacher, asked_of, role="teacher")
    rewriting = commit_instruct.rewriting
    pairs = {
        id: _of_commit(told.written[id].example, answer, by=told.model, licence=licence)
        for id, answer in told.answers.items()
        if rewriting.goes(answer)
    }
    rows = ((id, one.example) for id, one in told.written.items())
    return Evolved(
        items=tuple(_item(id, one, pairs.get(id), licence(one)) for id, one in rows),
        gates=(
            answered_gate(told.written),
            *_gates(told, rewriting, stop=Drop("no clear improvement"), about="an improvement"),
        ),
        pairs=pairs,
        said=(told,),
        repaired=_repaired(told),
        notes=tuple(shop.notes),
    )


def _of_commit(example: Example, answer: Answer, *, by: str, licence: FieldOf) -> CodePair:
    given, value = example.given, answer.value
    evidence = {
        **{"how": "commit", "by": by, "reasons": value[commit_instruct.REASONS]},
        FEEDBACK: value[FEEDBACK],
        **{name: given.get(name) or "" for name in ("repo", "sha", "path", "subject", "date")},
    }
    return CodePair(
        id=example.id,
        group=example.group,
        source=COMMITS,
        criterion=value[CRITERION],
        statement=value[commit_instruct.INSTRUCTION],
        better=value[commit_instruct.IMPROVED],
        worse=value[commit_instruct.NAIVE],
        problem=example.id,
        evidence=evidence,
        licence=licence(example) or "",
    )


# ------------------------------------------------------------------ critiques


def evolve_critiques(
    shop: Shop,
    examples: Sequence[Example],
    *,
    drafter: Asking,
    critic: Asking,
    licence: FieldOf,
    seed: int,
) -> Evolved:
    """The pairs that a critic makes of a drafter's programs for examples of `write`.

    `licence` says under which an example stands. Raises DataError where there is no example.
    """
    named = [replace(one, id=f"{CRITIQUED}{one.id}") for one in examples]
    asked_of = owed(shop, drafter, write.task, named, seed=seed)
    drafts = said(shop, drafter, asked_of, role="drafter")
    shown = {id: one for id in drafts.answers if (one := draft_example(drafts, id)) is not None}
    rows = [(id, one.example) for id, one in drafts.written.items()]
    gates = [
        answered_gate(drafts.written, name="draft answered"),
        each("draft", "a draft with a program in it", _undrafted(drafts)),
    ]
    kin = kinship(critic.model, drafter.model)
    if not shown:
        items = tuple(_item(id, one, None, licence(one)) for id, one in rows)
        return Evolved(
            items=items, gates=tuple(gates), pairs={}, repaired={}, said=(drafts,), notes=kin
        )
    asked_of = owed(shop, critic, critique.task, shown.values(), seed=seed)
    critiques = said(shop, critic, asked_of, role="critic")
    rewriting = critique.rewriting
    pairs = {
        id: _of_critique(drafts, critiques, id, licence=licence)
        for id, answer in critiques.answers.items()
        if rewriting.goes(answer)
    }
    stop, about = Drop("good enough"), "a draft that can be made better"
    gates += [answered_gate(critiques.written)]
    return Evolved(
        items=tuple(_item(id, one, pairs.get(id), licence(one)) for id, one in rows),
        gates=(*gates, *_gates(critiques, rewriting, stop=stop, about=about)),
        pairs=pairs,
        said=(drafts, critiques),
        repaired=_repaired(critiques),
        notes=(*kin, *shop.notes),
    )


def foreseen(
    examples: Sequence[Example], *, draft: Answering, criticise: Answering, seed: int
) -> tuple[list[Request], list[Request]]:
    """What a drafter and a critic would be asked, were drafts as long as the known programs."""
    drafts = list(asked(write.task, draft, list(examples), (), seed=seed))
    shown = [
        replace(
            one,
            given={
                "statement": write.statement(one),
                "draft": str(one.wanted.get("reference") or write.statement(one)),
            },
        )
        for one in examples
    ]
    critiques = asked(critique.task, criticise, shown, (), seed=seed)
    return (
        [one.request for one in drafts],
        [one.request for one in critiques for _ in range(draft.samples)],
    )


def draft_example(drafts: Said, id: str) -> Example | None:
    """A draft as an example of `critique`, under the id of its own; None where there is none."""
    one = drafts.written[id]
    code = drafts.answers[id].value
    whole = isinstance(one.completion, Completion) and one.completion.finish == "stop"
    if not whole or not isinstance(code, str) or not code.strip():
        return None
    asked, known = one.example.given, one.example.wanted
    given = {
        "statement": write.statement(one.example),
        "preamble": "" if asked.get("stub") else asked.get("preamble", ""),
        "draft": code,
        "language": "Python",
    }
    wanted = {name: known.get(name) for name in ("check", "suite", "entry", "tolerance")}
    tests = [*(known.get("tests") or ()), *(known.get("plus") or ())]
    return Example(
        id=id,
        task="critique",
        given=given,
        wanted={**wanted, "tests": tests, "preamble": asked.get("preamble") or ""},
        group=one.example.group,
        split=one.example.split,
        source=one.example.source,
    )


def _of_critique(drafts: Said, critiques: Said, id: str, *, licence: FieldOf) -> CodePair:
    example, value = critiques.written[id].example, critiques.value(id)
    origin = drafts.written[id].example
    evidence = {
        **{"how": "critique", "by": critiques.model, "drafter": drafts.model},
        **{"reasons": value[critique.REFLECTION], FEEDBACK: value[FEEDBACK]},
    }
    return CodePair(
        id=id,
        group=example.group,
        source=CRITIQUES,
        criterion=value[CRITERION],
        statement=str(origin.given.get("statement") or example.given["statement"]),
        preamble=str(origin.given.get("preamble") or ""),
        better=value[critique.REVISION],
        worse=example.given["draft"],
        problem=str(origin.given.get("problem") or origin.id.removeprefix(CRITIQUED)),
        evidence=evidence,
        licence=licence(origin) or "",
    )


def kinship(critic: ModelReference, drafter: ModelReference) -> tuple[str, ...]:
    """What is to be said of a critic that is its drafter, or of the drafter's family."""
    loss = f"a published study measured a loss of {LOSS} for such pairs"
    if critic.digest == drafter.digest:
        return (f"the critic is the drafter itself: {loss}; let another model criticise",)
    names = [[one.name, one.bottom.name] for one in (critic, drafter)]
    if shared := sorted(families(*names[0]) & families(*names[1])):
        return (f"critic and drafter are of one family, {' and '.join(shared)}: {loss}",)
    return ()


# ------------------------------------------------------------------ gates of replies


def _gates(told: Said, rewriting: Rewriting, *, stop: Drop, about: str) -> list[Gate]:
    """The gates of replies that came whole, from how they are written to what they hold."""
    answers, written = told.answers, told.written

    def misread(item: Item) -> Drop | None:
        answer = answers[item.id]
        why = fault(answer)
        return Drop(why, answer.problem or answer.repaired_by or "") if why else None

    def ended(item: Item) -> Drop | None:
        return None if rewriting.goes(answers[item.id]) else stop

    def unchanged(item: Item) -> Drop | None:
        example = written[item.id].example
        worse, better = rewriting.programs(example, answers[item.id])
        return Drop("both programs are one up to layout") if same(worse, better, example) else None

    def telling(item: Item) -> Drop | None:
        programs = rewriting.programs(written[item.id].example, answers[item.id])
        worse, better = (_words(code) for code in programs)
        words = sorted(worse ^ better)
        return Drop("a word in one program tells which it is", ", ".join(words)) if words else None

    return [
        each("readable", "a yes or no, and each field that follows it once", misread),
        each("decided", about, ended),
        each("changed", "programs that differ by more than layout and comments", unchanged),
        each("giveaway", "no word that names the better program", telling),
    ]


def _undrafted(drafts: Said) -> Callable[[Item], Drop | None]:
    def fault_of(item: Item) -> Drop | None:
        if draft_example(drafts, item.id) is not None:
            return None
        return Drop("no program", drafts.answers[item.id].problem or "")

    return fault_of


def _words(code: str) -> set[str]:
    return {found.group().lower() for found in _GIVEAWAY.finditer(code)}


def _repaired(told: Said) -> dict[str, int]:
    """How many of the replies that were read took which rule, the most used first."""
    rules = Counter(
        rule
        for answer in told.answers.values()
        if answer.value is not None and answer.repaired_by
        for rule in answer.repaired_by.split(", ")
    )
    return dict(sorted(rules.items(), key=lambda pair: (-pair[1], pair[0])))


def _item(id: str, example: Example, pair: CodePair | None, licence: str | None) -> Item:
    """An example as gates see it: by its pair, or where there is none by what was shown."""
    given = example.given
    texts: tuple[str, ...] = (str(given.get("diff") or given.get("instruction") or ""),)
    if pair is not None:
        texts = (pair.statement, pair.worse, pair.better)
    return Item(
        id=id,
        texts=texts,
        group=example.group,
        kind=example.task,
        licence=licence,
        date=str(given.get("date") or "") or None,
    )
