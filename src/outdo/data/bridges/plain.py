"""Answers as anybody would write them: JSONL rows of `{id, prompt?, answer}`.

`answer` is a text, a list of texts (samples), or null where none was given.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from outdo.data.bridges.answers import AnswerSet, Found, id_of, text_of
from outdo.data.rows import Row
from outdo.records import Json

FIELDS = frozenset({"id", "answer"})


def read(rows: Iterator[Row], _path: Path) -> Iterator[Found]:
    """The answers of each row."""
    for row in rows:
        place, values = row.place, row.values
        if "answer" not in values:
            raise place.error("the row has no answer", 'like {"id": "1", "answer": "..."}')
        said = values["answer"]
        texts = said if isinstance(said, list) else [] if said is None else [said]
        prompt = values.get("prompt")
        yield Found(
            id=id_of(values, "id", place),
            texts=tuple(text_of(text, place, field="answer") for text in texts),
            prompt=None if prompt is None else text_of(prompt, place, field="prompt"),
            place=place,
            name=str(values.get("model") or ""),
        )


def rows(answers: AnswerSet) -> Iterator[Json]:
    """The rows that `read` reads."""
    for id, texts in answers.answers.items():
        prompt = answers.prompt(id)
        yield {
            "id": id,
            "model": answers.name,
            **({} if prompt is None else {"prompt": prompt}),
            "answer": texts[0] if len(texts) == 1 else list(texts) or None,
        }
