"""Training rows that the test examples hold too, left out before anything is learnt.

With `apart` in a study every entry's rows are held against the test examples of all entries: by
whole texts, and by runs of 13 words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from outdo.data.check.reading import texts_of
from outdo.data.overlap import apart
from outdo.data.sifting import Item, Sifted, sift
from outdo.errors import DataError
from outdo.pipeline.job import Job
from outdo.pipeline.stages import Made
from outdo.records import Conversation, Example, Pair, to_json


def hold_apart(job: Job) -> list[str]:
    """Take rows out of the job's data that overlap its test examples; what was done, in words.

    Raises DataError for an entry of which nothing is left to learn from.
    """
    share = job.study.apart
    if share is None:
        return []
    asked = {one.data for one in job.study.answers().values()}
    tested = [_item(row, row.id) for name in asked for row in job.data[name].of("test")]
    notes = []
    for name in dict.fromkeys(name for run in job.study.runs().values() for name in run.data):
        if name not in job.data:
            continue
        made, sifted = _held(job.data[name], tested, share)
        where = job.study.where("data", name)
        notes.append(_told(name, sifted, len(tested), share))
        if not sifted.kept:
            raise DataError(notes[-1], "the test examples are the training rows", where=where)
        job.data[name] = made
    return notes


def _held(made: Made, tested: Sequence[Item], share: float) -> tuple[Made, Sifted]:
    """The rows without those that the test examples hold; rows to test with stay."""
    # Rows are named by number: one id may stand in two splits.
    taught = {str(n): row for n, row in enumerate(made.rows) if not _tests(row)}
    items = [_item(row, name) for name, row in taught.items()]
    sifted = sift(items, apart(tested, by_group=False, share=share))
    kept = {id(taught[name]) for name in sifted.kept}
    rows = tuple(row for row in made.rows if _tests(row) or id(row) in kept)
    return replace(made, rows=rows), sifted


def _tests(row: Example | Conversation | Pair) -> bool:
    return isinstance(row, Example) and row.split == "test"


def _item(row: Example | Conversation | Pair, name: str) -> Item:
    return Item(id=name, texts=tuple(_texts(row)))


def _texts(row: Example | Conversation | Pair) -> Iterator[str]:
    """All texts that a row teaches, or tests with."""
    match row:
        case Example():
            yield from texts_of(to_json([row.given, row.wanted]))
        case Conversation():
            yield from (turn.content for turn in row.messages)
        case Pair():
            yield from (turn.content for turn in row.prompt.messages)
            yield from (row.chosen, row.rejected)


def _told(name: str, sifted: Sifted, tested: int, share: float) -> str:
    dropped = sum(one.dropped for one in sifted.passages)
    reasons = "; ".join(
        f"{count:,}: {why}" for one in sifted.passages for why, count in one.reasons.items()
    )
    seen = dropped + len(sifted.kept)
    said = f"{name}: {dropped:,} of {seen:,} training rows left out that overlap {tested:,} test "
    said += f"examples (a whole text, or {share:.0%} of 13-grams)"
    return f"{said}; {reasons}" if reasons else said
