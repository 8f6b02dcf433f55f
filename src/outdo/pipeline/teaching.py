"""A strong model's replies as rows to learn from: asked once, graded by the task, sifted.

The teacher answers training examples only. Its answers are stored like those of any contestant,
so that sifting can be done again with other gates, and nothing is asked twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from outdo import catalog
from outdo.data.sifting import Drop, Gate, Item, each
from outdo.errors import DataError, StudyError
from outdo.pipeline.asking import Asked, asked_of_all, shots_for
from outdo.pipeline.duties import duties_of, without
from outdo.pipeline.job import Job
from outdo.pipeline.protocols import Tools, Watch
from outdo.pipeline.stages import Scored, generate
from outdo.protocols import Runner
from outdo.records import (
    Answer,
    Completion,
    Conversation,
    Example,
    Json,
    Message,
    Program,
    Score,
    digest,
)
from outdo.store import Store, holding
from outdo.study import Answering, Study
from outdo.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A teacher's reply to an example as it was shown; a `completion` that is text says why none.

    `row` is what is learnt from it, None where there is no reply.
    """

    task: Task
    example: Example
    completion: Completion | str
    row: Conversation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """What a teacher wrote, by id in the order of the examples, and what it is held apart from."""

    written: Mapping[str, Written]
    evaluation: tuple[Example, ...]
    teacher: str
    stage: str


def teach(
    study: Study,
    *,
    data: str,
    ask: Answering,
    learn: str,
    limit: int | None,
    store: Store,
    tools: Tools,
    watch: Watch,
) -> Class:
    """The replies of the model `ask.model` to the training examples of a data entry.

    They are asked as `ask` says, and learnt under the prompt `learn`. The test examples of all the
    study's data are the evaluation. Raises StudyError for a prompt that a task doesn't have, and
    DataError if there is nothing to teach.
    """
    duties = duties_of(study)
    for prompt in {ask.prompt, learn}:
        if lacking := without(duties.tasks, "variants", prompt):
            hint = catalog.suggestion(prompt, dict.fromkeys(lacking[0].variants))
            raise StudyError(f"{lacking[0].name} has no prompt {prompt!r}", hint)
    with holding(store.root / study.study, on_wait=watch.waiting):
        job = Job(study, duties, store, tools, watch)
        teacher = tools.resolve(ask.model)
        job.begin()
        train = first_of(job.data[data].of("train"), study.seed, limit)
        if not train:
            raise DataError(f"{data!r} has no training examples", "a teacher answers those only")
        shots = {task.name: _shots(job, task, data, ask) for task in duties.tasks}
        size = job.size(teacher, ask.context)
        owed = list(asked_of_all(duties, ask, train, shots, seed=study.seed, size=size))
        generated = generate(job.shop, teacher, ask, owed, name=f"teacher {ask.model}")
    evaluation = {one.id: one for made in job.data.values() for one in made.of("test")}
    return Class(
        written={
            row_id(one): _written(one, completion, learn=learn, source=f"teacher {ask.model}")
            for one, completion in generated.answers
        },
        evaluation=tuple(evaluation.values()),
        teacher=ask.model,
        stage=generated.stage.name,
    )


def first_of(examples: Sequence[Example], seed: int, limit: int | None) -> list[Example]:
    """The examples in an order of their own, so that a larger limit only adds."""
    return sorted(examples, key=lambda one: digest([seed, one.id]))[:limit]


def _shots(job: Job, task: Task, data: str, ask: Answering) -> list[Example]:
    made = job.data[data]
    return shots_for(
        task,
        ask,
        training=job.duties.mine(task, made.of("train")),
        test=job.duties.mine(task, made.of("test")),
        seed=job.study.seed,
        where=f"teacher {ask.model}",
    )


def row_id(one: Asked) -> str:
    """The row's id: that of the example, and which view and sample of it where there are more."""
    extra = "".join(f"#{n}" for n in (one.place, one.request.index) if n)
    return f"{one.example.id}{extra}"


def _written(one: Asked, completion: Completion | str, *, learn: str, source: str) -> Written:
    row = None
    if isinstance(completion, Completion):
        prompt = one.task.prompt(one.view, variant=learn)
        row = Conversation(
            id=row_id(one),
            group=one.example.group,
            task=one.task.name,
            source=source,
            messages=(*prompt.messages, Message(role="assistant", content=completion.text)),
        )
    return Written(task=one.task, example=one.view, completion=completion, row=row)


# ------------------------------------------------------------------ what replies are worth


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply to an example of a task, to be graded."""

    task: Task
    example: Example
    text: str


def graded(replies: Mapping[str, Reply], sandbox: Runner) -> dict[str, Scored]:
    """How each reply was read and what it earned; programs are run in the sandbox."""
    found: dict[str, Scored] = {}
    waiting: list[tuple[str, Answer, Program]] = []
    for id, reply in replies.items():
        answer = reply.task.parse(reply.text, reply.example)
        program = reply.task.program(reply.example, answer)
        if program is None:
            scores = reply.task.score(reply.example, answer, None)
            found[id] = Scored(answer=answer, outcome=None, scores=scores)
        else:
            waiting.append((id, answer, program))
    for number, outcome in sandbox.run([program for *_, program in waiting]):
        id, answer, _ = waiting[number]
        reply = replies[id]
        scores = reply.task.score(reply.example, answer, outcome)
        found[id] = Scored(answer=answer, outcome=outcome, scores=scores)
    return found


def reply_gates(
    marks: Mapping[str, Scored],
    *,
    grounded: Sequence[str],
    better: Mapping[str, str],
    repaired: bool = False,
) -> list[Gate]:
    """The gates of replies that were graded: readable, in form (unless `repaired`), grounded.

    `grounded` names the metrics that must be at full marks, `better` says of each whether that is
    1 ("higher") or 0 ("lower"). A metric that a reply has no score for doesn't apply to it.
    """

    def readable(item: Item) -> Drop | None:
        answer = marks[item.id].answer
        return Drop("can't be read", answer.problem or "") if answer.value is None else None

    def in_form(item: Item) -> Drop | None:
        rule = marks[item.id].answer.repaired_by
        return Drop(f"readable only by a rule: {rule}") if rule else None

    def firm(item: Item) -> Drop | None:
        return next(
            (
                Drop(f"{score.metric} {_told(score)}", score.because)
                for score in marks[item.id].scores
                if score.metric in grounded and not _full(score, better[score.metric])
            ),
            None,
        )

    gates = [each("readable", "a reply that the task reads a value from", readable)]
    if not repaired:
        gates.append(each("form", "a reply that needs no rule to be read", in_form))
    if grounded:
        gates.append(each("grounded", f"full marks in {', '.join(grounded)}", firm))
    return gates


def _full(score: Score, better: str) -> bool:
    return score.value == (1 if better == "higher" else 0)


def _told(score: Score) -> str:
    return "could not be told" if score.value is None else "is not at full marks"


def answered_gate(written: Mapping[str, Written], *, name: str = "answered") -> Gate:
    """Replies that came, weren't refused, and weren't cut."""

    def fault(item: Item) -> Drop | None:
        said = written[item.id].completion
        if isinstance(said, str):
            return Drop("never answered", said)
        if said.finish != "stop":
            return Drop("refused" if said.finish == "refused" else "cut at the limit of tokens")
        return None if said.text.strip() else Drop("empty")

    return each(name, "a whole reply", fault)


def metrics_of(tasks: Iterable[Task], names: Sequence[str]) -> dict[str, str]:
    """Metric to which way is better. Raises StudyError for one that no task has."""
    known = {metric.name: metric.better for task in tasks for metric in task.metrics}
    for name in names:
        if name not in known:
            raise StudyError(f"no task has the metric {name!r}", catalog.suggestion(name, known))
    return {name: str(known[name]) for name in names}


# ------------------------------------------------------------------ examples as gates see them

FieldOf = Callable[[Example], str | None]


def item_of(
    example: Example, *, id: str = "", reply: str | None = None, licence: FieldOf, date: FieldOf
) -> Item:
    """An example with a reply as a row; without one with what is wanted of it.

    What is given counts as one text, for examples may well share a part of it.
    """
    given = "\n".join(texts_in(example.given))
    told = [given, *([reply] if reply is not None else texts_in(example.wanted))]
    return Item(
        id=id or example.id,
        texts=tuple(dict.fromkeys(told)),
        group=example.group,
        kind=example.task,
        licence=licence(example),
        date=date(example),
    )


def texts_in(value: Json) -> list[str]:
    """All texts in a value, in order; `rendered` shows again what stands beside it."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        parts = [part for name, part in value.items() if name != "rendered"]
        return [text for part in parts for text in texts_in(part)]
    if isinstance(value, (list, tuple)):
        return [text for part in value for text in texts_in(part)]
    return []
