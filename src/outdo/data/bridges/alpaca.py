"""AlpacaEval's files: outputs and annotations, JSON lists of objects.

They name an example by its instruction alone, so that its id here is a digest of that; an
instruction that stands several times gets a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from outdo.data.bridges.answers import AnswerSet, Found, id_of, single, text_of
from outdo.data.place import Place, content_name
from outdo.data.rows import Row
from outdo.errors import DataError
from outdo.records import Comparison, Json, Preference, Side

FORMAT = "alpaca-eval"
FIELDS = frozenset({"instruction", "output"})
ANNOTATED = frozenset({"instruction", "generator_1", "generator_2", "preference"})
FIRST, SECOND, TIE = 1.0, 2.0, 1.5


def read(rows: Iterator[Row], _path: Path) -> Iterator[Found]:
    """The output of each row, its instruction as the prompt."""
    seen: Counter[str] = Counter()
    for row in rows:
        values, place = row.values, row.place
        instruction = text_of(values.get("instruction"), place, field="instruction")
        output = values.get("output")
        yield Found(
            id=_id(values, instruction, seen, place),
            texts=() if output is None else (text_of(output, place, field="output"),),
            prompt=instruction,
            place=place,
            name=str(values.get("generator") or ""),
        )


def _id(values: Mapping[str, Json], instruction: str, seen: Counter[str], place: Place) -> str:
    if "id" in values:
        return id_of(values, "id", place)
    name = content_name(instruction)
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}-{seen[name]}"


def rows(answers: AnswerSet) -> Iterator[Json]:
    """The rows that `read` reads, each with its id; every one needs its prompt."""
    for id in answers.answers:
        prompt = answers.prompt(id)
        if prompt is None:
            raise DataError(f"{id!r} has no prompt", f"{FORMAT} needs the instructions")
        yield {
            "id": id,
            "instruction": prompt,
            "output": single(answers, id, format=FORMAT),
            "generator": answers.name,
        }


def judged(rows: Iterator[Row], _path: Path) -> Iterator[Preference]:
    """One preference a row: contestant a is generator 2, which AlpacaEval holds against 1.

    Its preference is 1 for the first output, 2 for the second, 1.5 (or, of old, 0) for a tie, and
    anything between by how likely the annotator found each. The order that the annotator saw isn't
    in the file: outputs are said to stand as shown.
    """
    seen: dict[tuple[str, str, str], Counter[str]] = {}
    for row in rows:
        values, place = row.values, row.place
        instruction = text_of(values.get("instruction"), place, field="instruction")
        one, two = (
            text_of(values.get(name), place, field=name) for name in ("generator_1", "generator_2")
        )
        judge = str(values.get("annotator") or "")
        counter = seen.setdefault((one, two, judge), Counter())
        choice, sure = _choice(values.get("preference"), place)
        yield Preference(
            comparison=Comparison(example=_id(values, instruction, counter, place), a=two, b=one),
            choice=choice,
            by=judge,
            order="ba",
            confidence=sure,
            because=str(values.get("raw_completion") or ""),
        )


def _choice(value: Json, place: Place) -> tuple[Side | None, float | None]:
    """The side that is preferred, and how sure that is where the number says more than a side."""
    if value is None:
        return None, None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise place.error(f"the preference {value!r} is no number")
    if value in (0, TIE):
        return "tie", None
    if not FIRST <= value <= SECOND:
        raise place.error(f"the preference {value!r} isn't within 1 and 2")
    if value in (FIRST, SECOND):
        return ("a" if value == SECOND else "b"), None
    return ("a", value - 1) if value > TIE else ("b", SECOND - value)


def annotation_rows(preferences: Sequence[Preference]) -> Iterator[Json]:
    """One row a preference, with its id; orders and repeats are written as they come."""
    worth = {"a": SECOND, "b": FIRST, "tie": TIE, None: None}
    for one in preferences:
        sure, value = one.confidence, worth[one.choice]
        if sure is not None and 0.5 < sure < 1 and one.choice in ("a", "b"):
            value = 1 + sure if one.choice == "a" else 2 - sure
        yield {
            "id": one.comparison.example,
            "instruction": one.comparison.example,
            "generator_1": one.comparison.b,
            "generator_2": one.comparison.a,
            "annotator": one.by,
            "preference": value,
            "raw_completion": one.because,
        }
