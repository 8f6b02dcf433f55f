"""What people's labels say of the judges of a table, and of its contestants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from outdo.data.labels import Label, labelled, read_labels
from outdo.judging import Judgement, fold, values
from outdo.judging.truth import agreement, raters, told, with_labels
from outdo.pipeline.contests import judged_against
from outdo.pipeline.entrants import Sheet
from outdo.pipeline.job import standing_at
from outdo.records import Measure, Preference
from outdo.study import Study

Labels = Mapping[str, Sequence[Label]]
"""People's labels by the file that tables name."""


def labels_of(study: Study) -> Labels:
    """The labels that a study's tables name. Raises DataError at the line of a mistake."""
    found: dict[str, Sequence[Label]] = {}
    for title, table in study.compare.items():
        if table.people is not None:
            with standing_at(study.where("compare", title, "people")):
                found[table.people] = read_labels(Path(study.data_root) / table.people)
    return found


def unused(labels: Labels, sheets: Sequence[Sheet]) -> Iterator[str]:
    """How many items of each file no table has, in words: left out by a limit, or misspelt."""
    for name, rows in labels.items():
        known = {id for sheet in sheets if sheet.spec.people == name for id in sheet.examples}
        items = {row.item for row in rows}
        if lost := sorted(items - known):
            yield (
                f"people's labels in {name}: {len(lost):,} of {len(items):,} items are no example "
                f"of its tables, {lost[0]!r} among them"
            )


def said_by_people(sheet: Sheet, labels: Labels) -> tuple[Preference, ...]:
    """What people prefer of a table's own examples. Raises DataError for unknown contestants."""
    found = labelled(
        labels.get(sheet.spec.people or "", ()),
        contestants=[one.name for one in sheet.entrants if not one.floor],
        against=judged_against(sheet).name,
    )
    return tuple(one for one in found if one.comparison.example in sheet.examples)


def with_people(
    sheet: Sheet, judgements: Sequence[Judgement], people: Sequence[Preference]
) -> Iterator[Measure]:
    """How far a judge agrees with people, and the rate that both tell of each contestant."""
    if not people or not judgements:
        return
    groups = {id: example.group for id, example in sheet.examples.items()}
    claim, theirs = sheet.spec.claim, told(people)
    mine = told(one.preference for one in judgements)
    for measure in agreement(mine, theirs, groups, claim=claim):
        yield replace(measure, name=f"{measure.name}, {sheet.name}")
    against = judged_against(sheet).name
    for name in dict.fromkeys(one.preference.comparison.a for one in judgements):
        low, high = sorted((name, against))
        labels = {
            key[0]: value if name == low else 1 - value
            for key, value in theirs.items()
            if key[1:] == (low, high)
        }
        own = [one for one in judgements if one.preference.comparison.a == name]
        for measure in (
            with_labels(values(fold(own)), labels, groups, claim=claim) if labels else ()
        ):
            yield replace(measure, name=f"{measure.name}, {name}: {against}")


def between_people(sheet: Sheet, people: Sequence[Preference]) -> Iterator[Measure]:
    """How far the raters of a table agree with each other."""
    groups = {id: example.group for id, example in sheet.examples.items()}
    for measure in raters(people, groups, claim=sheet.spec.claim):
        yield replace(measure, name=f"{measure.name}, {sheet.name}")
