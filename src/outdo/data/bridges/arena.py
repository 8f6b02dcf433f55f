"""Arena-Hard's files: answers of either version, and judgments.

A judgment row holds two games: in the first the baseline is assistant A, in the second the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from outdo.data.bridges.answers import AnswerSet, Found, id_of, single, text_of
from outdo.data.place import Place
from outdo.data.rows import Row
from outdo.errors import DataError
from outdo.records import Comparison, Json, Preference, Side, digest

FORMAT = "arena-hard"
FIELDS = frozenset({"question_id", "choices"})
FIELDS_2 = frozenset({"uid", "messages"})
GAMES = frozenset({"games", "model", "judge"})
BASELINE = "baseline"
"""The name of a baseline that the file doesn't name: only version 2 does."""

LABELS: dict[str, Side] = {
    **dict.fromkeys(("A>B", "A>>B", "B<A", "B<<A"), "a"),
    **dict.fromkeys(("B>A", "B>>A", "A<B", "A<<B"), "b"),
    **dict.fromkeys(("A=B", "B=A"), "tie"),
}
"""Label to the assistant that it prefers; how strongly it does is not kept."""


def read(rows: Iterator[Row], _path: Path) -> Iterator[Found]:
    """The answers of each row; of several turns the last, of several choices each is a sample."""
    for row in rows:
        values, place = row.values, row.place
        if set(values) >= FIELDS_2:
            yield _second(values, place)
        else:
            yield _first(values, place)


def _first(values: Mapping[str, Json], place: Place) -> Found:
    choices = values.get("choices")
    if not isinstance(choices, list):
        raise place.error("choices isn't a list")
    texts = []
    for choice in choices:
        turns = choice.get("turns") if isinstance(choice, dict) else None
        if not (isinstance(turns, list) and turns and isinstance(turns[-1], dict)):
            raise place.error("a choice has no turns")
        texts.append(text_of(turns[-1].get("content"), place, field="content"))
    return Found(
        id=id_of(values, "question_id", place),
        texts=tuple(texts),
        prompt=None,
        place=place,
        name=str(values.get("model_id") or ""),
    )


def _second(values: Mapping[str, Json], place: Place) -> Found:
    messages = values["messages"]
    if not (isinstance(messages, list) and all(isinstance(each, dict) for each in messages)):
        raise place.error("messages isn't a list of objects")
    asked = [each.get("content") for each in messages if each.get("role") == "user"]
    said = [each.get("content") for each in messages if each.get("role") == "assistant"]
    texts = []
    for content in said[-1:]:
        content = content.get("answer") if isinstance(content, dict) else content
        if content is not None:
            texts.append(text_of(content, place, field="the assistant's content"))
    return Found(
        id=id_of(values, "uid", place),
        texts=tuple(texts),
        prompt=text_of(asked[-1], place, field="the user's content") if asked else None,
        place=place,
        name=str(values.get("model") or ""),
    )


def rows(answers: AnswerSet) -> Iterator[Json]:
    """Answer rows of version 2, which hold the prompts too."""
    for id in answers.answers:
        prompt, text = answers.prompt(id), single(answers, id, format=FORMAT)
        asked = [] if prompt is None else [{"role": "user", "content": prompt}]
        yield {
            "uid": id,
            "ans_id": digest([answers.name, id, text])[:22],
            "model": answers.name,
            "messages": [*asked, {"role": "assistant", "content": {"answer": text}}],
        }


def judged(rows: Iterator[Row], _path: Path) -> Iterator[Preference]:
    """Two preferences a row, the model as contestant a; a game without a label has no choice."""
    for row in rows:
        values, place = row.values, row.place
        games = values.get("games")
        if not (isinstance(games, list) and 1 <= len(games) <= 2):
            raise place.error("a judgment has one or two games")
        id = id_of(values, "uid" if "uid" in values else "question_id", place)
        comparison = Comparison(
            example=id,
            a=text_of(values.get("model"), place, field="model"),
            b=str(values.get("baseline") or BASELINE),
        )
        for number, game in enumerate(games):
            if game is None:
                game = {}
            if not isinstance(game, dict):
                raise place.error("a game isn't an object")
            yield _preference(game, number, comparison, str(values.get("judge") or ""), place)


def _preference(
    game: Mapping[str, Json], number: int, comparison: Comparison, judge: str, place: Place
) -> Preference:
    label, said = game.get("score"), game.get("judgment")
    if label is not None and label not in LABELS:
        raise place.error(f"the label {label!r} is none of Arena-Hard's")
    side = None if label is None else LABELS[label]
    turned: dict[Side, Side] = {"a": "b", "b": "a", "tie": "tie"}
    if isinstance(said, dict):
        said = said.get("answer")
    return Preference(
        comparison=comparison,
        choice=side if number == 1 or side is None else turned[side],
        by=judge,
        order="ab" if number == 1 else "ba",
        because=said if isinstance(said, str) else "",
    )


def annotation_rows(preferences: Sequence[Preference]) -> Iterator[Json]:
    """A row for each model, judge and example that was asked in both orders, once each.

    Raises DataError for preferences that the format can't hold.
    """
    cells: dict[tuple[Comparison, str], dict[str, Preference]] = {}
    for one in preferences:
        orders = cells.setdefault((one.comparison, one.by), {})
        if one.order in orders:
            raise DataError(
                f"{one.comparison.example!r} was judged twice in one order",
                f"{FORMAT} holds each order once",
            )
        orders[one.order] = one
    for (comparison, judge), orders in cells.items():
        if len(orders) < 2:
            raise DataError(
                f"{comparison.example!r} was judged in one order", f"{FORMAT} holds both"
            )
        yield {
            "uid": comparison.example,
            "judge": judge,
            "model": comparison.a,
            "baseline": comparison.b,
            "games": [
                {"score": _label(orders[order], order), "judgment": {"answer": said.because}}
                for order in ("ba", "ab")
                if (said := orders[order])
            ],
        }


def _label(one: Preference, order: str) -> str | None:
    if one.choice is None:
        return None
    first = {"ab": "a", "ba": "b"}[order]
    return "A=B" if one.choice == "tie" else "A>B" if one.choice == first else "B>A"
