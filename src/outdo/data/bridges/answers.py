"""Answers that somebody already has: by id, with the prompts where the file holds them.

What can't be used is an error with file and line; what is odd but usable is counted in `notes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from outdo.data.place import Place
from outdo.errors import DataError
from outdo.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSet:
    """The answers of one contestant.

    `answers` maps an id to its texts, one a sample; none where it was never given. `prompts` maps
    an id to what was asked, None where the file doesn't say.
    """

    name: str
    answers: Mapping[str, tuple[str, ...]]
    prompts: Mapping[str, str | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def prompt(self, id: str) -> str | None:
        return self.prompts.get(id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One row of a file: an id, its texts, and the prompt where it stands there."""

    id: str
    texts: tuple[str, ...]
    prompt: str | None
    place: Place
    name: str = ""


def gathered(rows: Iterable[Found], *, name: str, several: bool = False) -> AnswerSet:
    """The answer set of a file's rows.

    `several` says that rows of one id are its samples; else an id that stands twice is an error,
    as are rows of several contestants. `name` is for files that don't name theirs.
    """
    answers: dict[str, tuple[str, ...]] = {}
    prompts: dict[str, str | None] = {}
    places: dict[str, Place] = {}
    names: dict[str, Place] = {}
    for row in rows:
        if row.id in places and not several:
            at = places[row.id].at()
            raise row.place.error(f"the id {row.id!r} stood before, at {at}", "give it once")
        if row.name:
            names.setdefault(row.name, row.place)
        if len(names) > 1:
            one, two = names
            raise names[two].error(
                f"answers of {two!r} beside those of {one!r}", "one file a contestant"
            )
        places.setdefault(row.id, row.place)
        answers[row.id] = (*answers.get(row.id, ()), *row.texts)
        prompts[row.id] = prompts.get(row.id) or row.prompt
    found = next(iter(names), name)
    return AnswerSet(name=found, answers=answers, prompts=prompts, notes=_notes(answers))


def _notes(answers: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    empty = [id for id, texts in answers.items() if any(not text.strip() for text in texts)]
    missing = [id for id, texts in answers.items() if not texts]
    notes = []
    if empty:
        notes.append(f"{len(empty)} of {len(answers)} answers are empty, {empty[0]!r} first")
    if missing:
        notes.append(f"{len(missing)} of {len(answers)} were never given, {missing[0]!r} first")
    return tuple(notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """The ids that two answer sets share, in the order of the first, and what doesn't fit."""

    ids: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether both hold the same ids."""
        return not any(" only in " in note for note in self.notes)


def matched(a: AnswerSet, b: AnswerSet) -> Matched:
    """What two answer sets share; ids in one alone and prompts that differ are noted.

    Raises DataError where nothing is shared.
    """
    ids = tuple(id for id in a.answers if id in b.answers)
    if not ids:
        raise DataError(
            f"{a.name} and {b.name} share no id",
            f"the first has {_some(a)}, the second {_some(b)}",
        )
    notes = []
    for mine, theirs in ((a, b), (b, a)):
        alone = [id for id in mine.answers if id not in theirs.answers]
        if alone:
            notes.append(f"{len(alone)} ids only in {mine.name} left out, {alone[0]!r} first")
    pairs = ((id, a.prompt(id), b.prompt(id)) for id in ids)
    other = [id for id, mine, theirs in pairs if mine and theirs and mine != theirs]
    if other:
        notes.append(
            f"{len(other)} prompts differ, {other[0]!r} first: those of {a.name} are shown"
        )
    return Matched(ids=ids, notes=tuple(notes))


def _some(answers: AnswerSet) -> str:
    return ", ".join(repr(id) for id in list(answers.answers)[:2]) or "none"


def text_of(value: Json, place: Place, *, field: str) -> str:
    """The value, which must be text."""
    if not isinstance(value, str):
        raise place.error(f"{field} is {type(value).__name__}, not text")
    return value


def id_of(values: Mapping[str, Json], field: str, place: Place) -> str:
    """The id of a row, a number or a text."""
    value = values.get(field)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise place.error(f"the row has no {field}", f"{field} is a text or a number")
    return str(value)


def single(answers: AnswerSet, id: str, *, format: str) -> str:
    """The one text of an id, for a format that holds no samples."""
    texts = answers.answers[id]
    if len(texts) != 1:
        raise DataError(
            f"{id!r} has {len(texts)} answers, and {format} holds one an id",
            "write another format, or one sample",
        )
    return texts[0]
