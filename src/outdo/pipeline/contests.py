"""What judges compare: each contestant's replies beside those of the one it is judged against.

A judge sees the request as the one judged against was shown it, and of each reply what follows
its thinking. Where a task asks a second time, it sees the answer that was left in the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from outdo.judging import Contest, Item, criterion
from outdo.judging.known import known_task
from outdo.pipeline.asking import has_gold
from outdo.pipeline.entrants import Entrant, Reply, Sheet
from outdo.pipeline.fields import field_of, has_field
from outdo.records import Comparison, Completion, Example, Message, Side
from outdo.study import Judging
from outdo.tasks import Task
from outdo.text import spoken


def contests_of(sheet: Sheet, spec: Judging) -> list[Contest]:
    """Every contestant of a table against the one that it is judged against, example by example.

    Floors are not judged. Of several samples, views or runs each is held against that of the same
    number, and where one has fewer its first ones come again.
    """
    against = judged_against(sheet)
    theirs = _by_example(against)
    words = spec.criterion or criterion(sheet.task.name)
    return [
        contest
        for entrant in sheet.entrants
        if not entrant.floor and entrant is not against
        for example, mine in _by_example(entrant).items()
        if example in theirs
        for contest in _contests(entrant.name, against.name, mine, theirs[example], words, spec)
    ]


def judged_against(sheet: Sheet) -> Entrant:
    """The contestant of a table that all others are judged against."""
    return next(one for one in sheet.entrants if one.entry == sheet.spec.judge_against)


def _by_example(entrant: Entrant) -> dict[str, list[Reply]]:
    found: dict[str, list[Reply]] = {}
    for reply in sorted(entrant.replies, key=lambda one: (one.run, one.view, one.index)):
        found.setdefault(reply.example.id, []).append(reply)
    return found


def _contests(
    a: str, b: str, mine: Sequence[Reply], theirs: Sequence[Reply], words: str, spec: Judging
) -> Iterator[Contest]:
    for number in range(max(len(mine), len(theirs))):
        one, other = mine[number % len(mine)], theirs[number % len(theirs)]
        prompt = other.prompt or one.prompt
        yield Contest(
            comparison=Comparison(example=one.example.id, a=a, b=b),
            request=prompt.messages if prompt else (),
            replies=(said(one), said(other)),
            criterion=words,
            facts=(_fact(one), _fact(other)) if spec.tests else ("", ""),
            sample=number,
        )


def said(reply: Reply) -> str | None:
    """What a judge sees of a reply, nothing of a withheld one; None for one never given."""
    if not isinstance(reply.completion, Completion):
        return None
    if reply.withheld:
        return ""
    if reply.second is not None and reply.scored and reply.scored.answer.value is not None:
        return json.dumps(reply.scored.answer.value, indent=1, ensure_ascii=False)
    return spoken(reply.completion.text) or ""


def _fact(reply: Reply) -> str:
    """What running the reply's program showed; nothing where none was run."""
    passes = _passes(reply)
    return "" if passes is None else "its tests pass" if passes else "its tests fail"


def _passes(reply: Reply) -> bool | None:
    """Whether the program of a reply earned full marks; None where no program was run."""
    if reply.scored is None or reply.scored.outcome is None or not reply.scored.scores:
        return None
    value = reply.scored.scores[0].value
    return None if value is None else value == 1


def truth_of(sheet: Sheet, entrant: Entrant) -> dict[str, Side | None]:
    """Example to whose first program passes where the other's fails; empty where none were run."""
    theirs = _by_example(judged_against(sheet))
    found: dict[str, Side | None] = {}
    for example, mine in _by_example(entrant).items():
        both = _passes(mine[0]), _passes(theirs[example][0]) if example in theirs else None
        if None not in both:
            found[example] = None if both[0] == both[1] else "a" if both[0] else "b"
    return found


def items_of(sheet: Sheet) -> dict[str, Item]:
    """What standings know of each example of a table: its group, and its parts by field."""
    return {
        id: Item(
            task=sheet.name,
            group=example.group,
            parts={
                field.rpartition(".")[2]: field_of(example, field)
                for field in sheet.spec.fields
                if has_field(example, field)
            },
        )
        for id, example in sheet.examples.items()
    }


def known_contests(sheets: Sequence[Sheet], spec: Judging) -> tuple[tuple[Contest, ...], int]:
    """The easy task that a judge has to do first, and how many groups it is of.

    Titles where the examples have authors' own; else the good and the bad reply that each task
    knows, in turns over the tasks.
    """
    examples = {id: one for sheet in sheets for id, one in sheet.examples.items()}
    titled = known_task(examples.values(), limit=spec.known)
    if titled:
        return titled, len({examples[one.comparison.example].group for one in titled})
    parts = [_gold_and_bait(sheet.task, sheet.examples, spec) for sheet in sheets]
    turns = [one for turn in zip_longest(*parts) for one in turn if one is not None]
    chosen = tuple({one.comparison.example: one for one in turns}.values())[: spec.known]
    return chosen, len({examples[one.comparison.example].group for one in chosen})


def _gold_and_bait(
    task: Task, examples: Mapping[str, Example], spec: Judging
) -> tuple[Contest, ...]:
    def request(example: Example) -> Sequence[Message]:
        return task.prompt(example, variant=task.variants[0]).messages

    solved = [one for one in examples.values() if has_gold(task, one)]
    return known_task(solved, request=request, gold=task.gold, bait=task.bait, limit=spec.known)
