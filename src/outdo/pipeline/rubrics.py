"""A judge that holds each reply alone against the questions of a rubric.

It is tried as every judge is: of a reply that is known to be better more has to hold than of one
that is known to be worse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from outdo.judging import Contest, Judgement, Verdict, rubric
from outdo.judging.known import Belief, believed
from outdo.judging.nouns import judgement
from outdo.judging.rubric import Attribute, Checked, Marked, Marks
from outdo.pipeline.asking import sampled
from outdo.pipeline.contests import judged_against, known_contests, said
from outdo.pipeline.entrants import Sheet
from outdo.pipeline.jury import Bench, Chair, asking, cost_of, family_of, left_out, related, summed
from outdo.records import Completion, Measure, Message, Request
from outdo.report import Cost, Judge, Rubric
from outdo.study import Judging


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One reply to be checked, None for one that was never given, and what it replies to."""

    example: str
    contestant: str
    request: tuple[Message, ...]
    reply: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """What one judge with a rubric came to, in the words of the report."""

    judge: Judge
    rubrics: tuple[Rubric, ...] = ()
    notes: tuple[str, ...] = field(default=())


def attributes_of(spec: Judging) -> list[Attribute]:
    """The questions of a rubric, in the study's order."""
    return [Attribute(name=name, question=asked) for name, asked in spec.attributes.items()]


def replies_of(sheet: Sheet) -> list[Given]:
    """Every reply of a table, contestant by contestant; floors are not checked."""
    return [
        Given(
            example=reply.example.id,
            contestant=entrant.name,
            request=reply.prompt.messages if reply.prompt else (),
            reply=said(reply),
        )
        for entrant in sheet.entrants
        if not entrant.floor
        for reply in entrant.replies
    ]


def call_of(given: Given, spec: Judging) -> Checked | None:
    """The call that checks a reply; None for one that is empty, or was never given."""
    if not (given.reply or "").strip():
        return None
    return rubric.prompt(
        attributes_of(spec),
        example=given.example,
        contestant=given.contestant,
        request=given.request,
        reply=given.reply or "",
    )


def marked(
    bench: Bench, chair: Chair, replies: Sequence[Given], groups: Mapping[str, str], *, title: str
) -> tuple[tuple[Marked, ...], Cost]:
    """The marks of each reply, in order, and what the calls took; equal replies share a call."""
    sampling = sampled(asking(chair.spec), seed=bench.seed)
    calls: list[tuple[Given, Checked | None, Request | None]] = []
    for given in replies:
        call = call_of(given, chair.spec)
        calls.append(
            (given, call, Request(prompt=call.prompt, sampling=sampling) if call else None)
        )
    requests = {request.key: request for _, _, request in calls if request}
    about = {
        request.key: {"example": given.example, "group": groups[given.example], "index": 0}
        for given, _, request in calls
        if request
    }
    told = bench.said(chair, requests, about, title=title)
    answers = [(one, call, told[request.key] if request else None) for one, call, request in calls]
    return tuple(_marked(*each, chair.spec) for each in answers), cost_of(told.values())


def _marked(
    given: Given, call: Checked | None, answer: Completion | str | None, spec: Judging
) -> Marked:
    one = Marked(example=given.example, contestant=given.contestant)
    if given.reply is None or isinstance(answer, str):
        why = "the reply was never given" if given.reply is None else str(answer)
        nothing: dict[str, bool | None] = dict.fromkeys(spec.attributes)
        return replace(one, marks=Marks(values=nothing, problem=why), how="failed")
    if call is None or answer is None:
        holds: dict[str, bool | None] = dict.fromkeys(spec.attributes, False)
        return replace(one, marks=Marks(values=holds, because="it is empty"), how="settled")
    if answer.finish == "refused":
        refused: dict[str, bool | None] = dict.fromkeys(spec.attributes)
        return replace(one, marks=Marks(values=refused, problem="the judge refused"))
    return replace(one, marks=rubric.read(answer.text, call))


# ------------------------------------------------------------------ the known task


def tried(
    bench: Bench, chair: Chair, contests: Sequence[Contest], groups: Mapping[str, str]
) -> tuple[Belief, tuple[Marked, ...], Cost]:
    """Whether more holds of the replies that are known to be better, and the marks of all."""
    replies = [given for contest in contests for given in both(contest)]
    marks, cost = marked(bench, chair, replies, groups, title=f"judge {chair.name}, known task")
    pairs = zip(contests, marks[::2], marks[1::2], strict=True)
    return believed([_compared(*each, chair.name) for each in pairs], groups), marks, cost


def both(contest: Contest) -> tuple[Given, Given]:
    """The two replies of a known contest, each to be checked alone."""
    named = contest.comparison
    one, other = (
        Given(
            example=named.example,
            contestant=name,
            request=contest.request,
            reply=reply,
        )
        for name, reply in zip((named.a, named.b), contest.replies, strict=True)
    )
    return one, other


def _compared(contest: Contest, a: Marked, b: Marked, by: str) -> Judgement:
    choice = rubric.preferred(a.marks, b.marks)
    problem = None if choice else a.marks.problem or b.marks.problem
    failed = "failed" in (a.how, b.how)
    verdict = Verdict(choice=choice, problem=problem)
    return judgement(contest, verdict, by=by, how="failed" if failed else "asked")


# ------------------------------------------------------------------ one judge


def rated(
    bench: Bench, chair: Chair, sheets: Sequence[Sheet], models: Mapping[str, Sequence[str]]
) -> Rated:
    """What a judge with a rubric says of its tables; who fails the known task isn't asked further.

    `models` maps a contestant to the names of its models.
    """
    groups = {id: one.group for sheet in sheets for id, one in sheet.examples.items()}
    easy, _ = known_contests(sheets, chair.spec)
    belief, seen, cost = tried(bench, chair, easy, groups)
    notes, costs = [], [cost]
    rubrics: list[Rubric] = []
    signs: list[Measure] = []
    warnings: dict[str, None] = {}
    for sheet in sheets:
        told = related(chair, sheet, models)
        if told and sheet.spec.leave_out_family:
            notes.append(left_out(chair, sheet, told))
            continue
        warnings.update(dict.fromkeys(told))
        if belief.believed:
            title = f"judge {chair.name}, {sheet.name}"
            own, cost = marked(bench, chair, replies_of(sheet), groups, title=title)
            costs.append(cost)
            rubrics += _rubrics(chair, sheet, own, groups)
            signs += [
                replace(one, name=f"{one.name}, {sheet.name}")
                for one in rubric.health(own, groups, claim=sheet.spec.claim)
            ]
    known = () if signs else rubric.health(seen, {id: id for id in groups}, claim="these")
    judge = Judge(
        name=chair.name,
        model=chair.model.label,
        family=family_of(chair),
        way=chair.spec.way,
        believed=belief.believed,
        why=belief.why,
        warnings=tuple(warnings),
        health=(_known(belief.measure), *signs, *known),
        cost=summed(costs),
    )
    return Rated(judge=judge, rubrics=tuple(rubrics), notes=tuple(notes))


def _known(measure: Measure) -> Measure:
    about = "how often more holds of the reply that is known to be better, as much counted as half"
    return replace(measure, about=about) if measure.low is not None else measure


def _rubrics(
    chair: Chair, sheet: Sheet, own: Sequence[Marked], groups: Mapping[str, str]
) -> Iterator[Rubric]:
    claim = sheet.spec.claim
    against = judged_against(sheet).name if sheet.spec.judge_against else sheet.best
    told = rubric.shares(own, groups, claim=claim, about=chair.spec.attributes)
    apart = rubric.gaps(own, groups, against=against, claim=claim)
    for contestant, measures in told.items():
        mine = [one for one in own if one.contestant == contestant]
        yield Rubric(
            judge=chair.name,
            task=sheet.name,
            contestant=contestant,
            shares=measures,
            against="" if contestant == against else against,
            gaps=apart.get(contestant, ()),
            replies=len(mine),
            unreadable=sum(one.how == "asked" and bool(one.marks.problem) for one in mine),
            failed=sum(one.how == "failed" for one in mine),
        )
