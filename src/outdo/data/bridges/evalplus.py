"""Samples of EvalPlus: JSONL rows of `{task_id, solution}` or `{task_id, completion}`.

Rows of one task are its samples. A solution is a whole program, a completion what follows a prompt
that the file doesn't hold: a file has one of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from outdo.data.bridges.answers import AnswerSet, Found, id_of, text_of
from outdo.data.rows import Row
from outdo.records import Json

FIELDS = frozenset({"task_id"})
KINDS = ("solution", "completion")


def read(rows: Iterator[Row], _path: Path) -> Iterator[Found]:
    """The program of each row."""
    kind = ""
    for row in rows:
        values, place = row.values, row.place
        own = next((name for name in KINDS if name in values), "")
        if not own:
            raise place.error("the row has no solution", "or a completion")
        kind = kind or own
        if own != kind:
            raise place.error(f"a {own} in a file of {kind}s", "one kind a file")
        yield Found(
            id=id_of(values, "task_id", place),
            texts=(text_of(values[own], place, field=own),),
            prompt=None,
            place=place,
        )


def rows(answers: AnswerSet) -> Iterator[Json]:
    """One row a sample, as solutions."""
    for id, texts in answers.answers.items():
        for text in texts:
            yield {"task_id": id, "solution": text}
