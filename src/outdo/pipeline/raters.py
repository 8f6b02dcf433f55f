"""Replies of a study as raters see them, and what raters say of them as numbers.

People and judges fill in the same sheet. Judges' calls are stored like any other answers, so that
reading them anew costs nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from outdo.data.sheets import Key, Line, Rating, Ratings, Reply
from outdo.errors import StudyError
from outdo.judging import rubric
from outdo.judging.rubric import Attribute, Checked, Marked, Marks
from outdo.models.reference import ModelReference
from outdo.pipeline.answering import entrants, sheets
from outdo.pipeline.duties import duties_of
from outdo.pipeline.entrants import Reply as Answered
from outdo.pipeline.entrants import Sheet
from outdo.pipeline.job import Job
from outdo.pipeline.learning import Learning
from outdo.pipeline.protocols import Tools, Watch
from outdo.pipeline.stages import Shop, completed
from outdo.records import Completion, Example, Measure, Message, Request, Sampling
from outdo.stats.agreement import Agreement, cohen_kappa, krippendorff_alpha
from outdo.store import Store, holding
from outdo.study import Answering, Study

GOOD = rubric.ALL
REPLY = "reply"
SHOWN = {"statement": "problem", "instruction": "instruction", "program": "program"}
"""Field of an example to the column in which raters see it."""

# ------------------------------------------------------------------ what is rated


def to_rate(
    study: Study, *, task: str, table: str | None, store: Store, tools: Tools, watch: Watch
) -> list[Reply]:
    """The stored replies of a table's contestants, floors left out. Raises StudyError for none."""
    duties = duties_of(study)
    with holding(store.root / study.study, on_wait=watch.waiting):
        job = Job(study, duties, store, tools, watch)
        job.resolve()
        job.begin()
        job.check()
        tables = sheets(job, entrants(job, Learning(job).weights()))
    mine = [sheet for sheet in tables if sheet.task.name == task]
    if table is not None:
        mine = [sheet for sheet in mine if table in (sheet.name, sheet.name.rpartition(", ")[2])]
    if not mine:
        known = ", ".join(f"{sheet.name} ({sheet.task.name})" for sheet in tables)
        raise StudyError(f"no table has replies to {task!r}", f"there are: {known}")
    return list(_replies(mine[0]))


def _replies(sheet: Sheet) -> Iterator[Reply]:
    for entrant in sheet.entrants:
        for reply in () if entrant.floor else entrant.replies:
            said = _said(reply)
            if said is not None:
                yield Reply(
                    example=reply.example.id,
                    group=reply.example.group,
                    contestant=entrant.name,
                    shown={**shown_of(reply.example), REPLY: said},
                )


def _said(reply: Answered) -> str | None:
    """What a user would see: the answer's text, else the whole reply; None where there is none."""
    if reply.withheld or not isinstance(reply.completion, Completion):
        return None
    value = reply.scored.answer.value if reply.scored else None
    return value if isinstance(value, str) else reply.completion.text


def shown_of(example: Example) -> dict[str, str]:
    """What raters see of an example: the problem, the program by numbered lines, a repair of it."""
    shown = {
        column: str(example.given[name]).strip()
        for name, column in SHOWN.items()
        if example.given.get(name)
    }
    if "program" in shown:
        shown["program"] = numbered(str(example.given["program"]))
    if repair := example.wanted.get("repair"):
        shown["repair"] = numbered(str(repair))
    return shown


def numbered(code: str) -> str:
    """The code, each line behind its number."""
    return "\n".join(
        f"{number:>3} {line}" for number, line in enumerate(code.rstrip().split("\n"), start=1)
    )


# ------------------------------------------------------------------ a judge as a rater


def rate(
    lines: Sequence[Line],
    questions: Mapping[str, str],
    *,
    model: ModelReference,
    ask: Answering,
    shop: Shop,
) -> tuple[list[Rating], list[str]]:
    """What a judge says of each line, and why the lines that it didn't rate are missing."""
    attributes = [Attribute(name=name, question=text) for name, text in questions.items()]
    sampling = Sampling(
        temperature=None if ask.temperature == "provider" else ask.temperature,
        max_tokens=ask.max_tokens,
    )
    checked = {line.code: _checked(attributes, line) for line in lines}
    requests = {
        code: Request(prompt=one.prompt, sampling=sampling) for code, one in checked.items()
    }
    _, said = completed(
        shop,
        model,
        ask,
        {request.key: request for request in requests.values()},
        {request.key: {"example": code} for code, request in requests.items()},
        title=f"rate {model.name}",
        unit="replies",
    )
    ratings: list[Rating] = []
    faults: list[str] = []
    for code, one in checked.items():
        answer = said[requests[code].key]
        if not isinstance(answer, Completion):
            faults.append(f"{code}: {answer}")
            continue
        marks = rubric.read(answer.text, one)
        known = {name: mark for name, mark in marks.values.items() if mark is not None}
        if len(known) < len(questions):
            faults.append(f"{code}: {marks.problem}")
            continue
        ratings.append(
            Rating(
                code=code,
                rater=model.name,
                marks=known,
                seconds=answer.usage.seconds,
                note=marks.because,
            )
        )
    return ratings, faults


def _checked(attributes: Sequence[Attribute], line: Line) -> Checked:
    material = [f"{name}:\n{text}" for name, text in line.shown.items() if name != REPLY]
    return rubric.prompt(
        attributes,
        example=line.code,
        contestant="",
        request=[Message(role="user", content="\n\n".join(material))],
        reply=line.shown.get(REPLY, ""),
    )


# ------------------------------------------------------------------ what ratings come to


def shares(said: Ratings, key: Key) -> dict[str, tuple[Measure, ...]]:
    """Contestant to the share of its replies of which each attribute holds, and all of them.

    Several raters of one reply count as one, by their mean; intervals are by group.
    """
    marked, groups = [], {}
    for rating in said.ratings:
        for cell in key.of(rating.code):
            groups[cell.example] = cell.group
            values: dict[str, bool | None] = dict(rating.marks)
            marked.append(
                Marked(example=cell.example, contestant=cell.contestant, marks=Marks(values=values))
            )
    return rubric.shares(marked, groups, about=key.questions)


def agreements(said: Ratings, key: Key) -> tuple[Measure, ...]:
    """How far raters agree on each attribute: Krippendorff's alpha, and Cohen's kappa of two."""
    measures = []
    for name in (*key.questions, GOOD):
        table = _table(said, key, name)
        groups = [key.of(code)[0].group for code in key.cells]
        measures.append(_measure(f"alpha of {name}", krippendorff_alpha(table, groups=groups)))
        if len(said.raters) == 2:
            one, other = ([row[side] for row in table] for side in (0, 1))
            measures.append(_measure(f"kappa of {name}", cohen_kappa(one, other, groups=groups)))
    return tuple(measures)


def beside(people: Ratings, other: Ratings, key: Key) -> tuple[Measure, ...]:
    """How far one more rater agrees with what most people said, by attribute (Cohen's kappa)."""
    measures = []
    groups = [key.of(code)[0].group for code in key.cells]
    for name in (*key.questions, GOOD):
        most = [_most(row) for row in _table(people, key, name)]
        mine = [row[0] for row in _table(other, key, name)]
        measures.append(_measure(f"kappa of {name}", cohen_kappa(most, mine, groups=groups)))
    return tuple(measures)


def _table(said: Ratings, key: Key, name: str) -> list[list[bool | None]]:
    """One row a line, one column a rater: what each said, None where it said nothing."""
    found = {
        (rating.code, rating.rater): all(rating.marks.values())
        if name == GOOD
        else rating.marks[name]
        for rating in said.ratings
    }
    return [[found.get((code, rater)) for rater in said.raters] for code in key.cells]


def _most(row: Sequence[bool | None]) -> bool | None:
    """What most of the raters said; None where as many said the other."""
    counts = Counter(mark for mark in row if mark is not None)
    return None if counts[True] == counts[False] else counts[True] > counts[False]


def _measure(name: str, found: Agreement) -> Measure:
    return Measure(
        name=name, value=found.value, low=found.low, high=found.high, n=found.n, about=found.by
    )
