"""Samples that lm-eval logs: JSONL rows of `{doc_id, arguments, resps, filtered_resps, filter}`.

A document stands once for each filter of its task. What the model said is the same in all of them;
the first filter of the file is read, and the others are passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from outdo.data.bridges.answers import AnswerSet, Found, id_of
from outdo.data.place import Place
from outdo.data.rows import Row
from outdo.records import Json

FIELDS = frozenset({"doc_id", "resps"})


def read(rows: Iterator[Row], _path: Path) -> Iterator[Found]:
    """What the model said to each document, one text a repeat; its prompt where that stands."""
    wanted: Json = None
    for number, row in enumerate(rows):
        values, place = row.values, row.place
        filter = values.get("filter")
        wanted = filter if number == 0 else wanted
        if filter == wanted:
            yield Found(
                id=id_of(values, "doc_id", place),
                texts=_texts(values.get("resps"), place),
                prompt=_prompt(values.get("arguments")),
                place=place,
            )


def _texts(responses: Json, place: Place) -> tuple[str, ...]:
    """`[["text", "text"]]`: one request of the document, and its repeats."""
    hint = "only tasks that generate text have answers to compare"
    if not (isinstance(responses, list) and len(responses) == 1):
        raise place.error("resps isn't a list of one request", hint)
    (said,) = responses
    texts = said if isinstance(said, list) else [said]
    if not all(isinstance(text, str) for text in texts):
        raise place.error("resps holds what isn't text", hint)
    return tuple(texts)


def _prompt(arguments: Json) -> str | None:
    """The prompt of the first request, in the newer form by names or the older one by place."""
    first: Json = None
    if isinstance(arguments, Mapping):
        named = arguments.get("gen_args_0")
        first = named.get("arg_0") if isinstance(named, Mapping) else None
    elif isinstance(arguments, list) and arguments:
        request = arguments[0]
        first = request[0] if isinstance(request, list) and request else None
    return first if isinstance(first, str) else None


def rows(answers: AnswerSet) -> Iterator[Json]:
    """The rows that `read` reads; whole numbers as ids stay numbers."""
    for id, texts in answers.answers.items():
        prompt = answers.prompt(id)
        number = int(id) if id.isascii() and id.isdigit() and str(int(id)) == id else id
        yield {
            "doc_id": number,
            "arguments": {} if prompt is None else {"gen_args_0": {"arg_0": prompt}},
            "resps": [list(texts)],
            "filtered_resps": list(texts[:1]),
            "filter": "none",
        }
