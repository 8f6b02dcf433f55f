"""Several answers to one example, of which it is known who passes: what there is to pick from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outdo import text
from outdo.data.rows import Mistakes, Row, read_rows
from outdo.errors import DataError

FIELDS = ("id", "statement", "answers", "passed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The answers to one example, a program each or None, and whether each passed, 0 or 1."""

    id: str
    group: str
    statement: str
    programs: tuple[str | None, ...]
    passed: tuple[float, ...]
    preamble: str = ""

    @property
    def distinct(self) -> list[str]:
        """The programs, each once."""
        return list(dict.fromkeys(one for one in self.programs if one is not None))


def read_choices(path: Path | str) -> list[Choice]:
    """The rows of a file: `id`, `statement`, `answers`, `passed`, perhaps `group`, `preamble`.

    The program is taken out of an answer that holds it in a fence. Raises DataError, with the line,
    for a row that is none of this kind, an id that stands twice, and a file without two answers.
    """
    found: dict[str, Choice] = {}
    for row in read_rows(path, Mistakes()):
        one = _choice(row)
        if one.id in found:
            raise row.place.error(f"the id {one.id!r} stands twice", "give it once")
        found[one.id] = one
    if max(len(one.programs) for one in found.values()) < 2:
        raise DataError("there is nothing to pick from", "give several answers", where=str(path))
    return list(found.values())


def _choice(row: Row) -> Choice:
    if missing := [name for name in FIELDS if name not in row.values]:
        raise row.place.error(f"the row has no {missing[0]!r}", f"it needs {', '.join(FIELDS)}")
    answers, passed = row.values["answers"], row.values["passed"]
    texts = isinstance(answers, list) and all(isinstance(one, str) for one in answers)
    if not texts or not answers:
        raise row.place.error("'answers' is no list of texts", 'like ["def f...", "def f..."]')
    told = isinstance(passed, list) and all(one in (0, 1) for one in passed)
    if not told or len(passed) != len(answers):
        raise row.place.error(
            "'passed' doesn't say of each answer whether it passes", "like [true, false]"
        )
    statement = row.values["statement"]
    if not isinstance(statement, str) or not statement.strip():
        raise row.place.error("'statement' is no text", "say what the programs are to do")
    id = str(row.values["id"])
    return Choice(
        id=id,
        group=str(row.values.get("group") or id),
        statement=statement,
        preamble=str(row.values.get("preamble") or ""),
        programs=tuple(map(_program, answers)),
        passed=tuple(float(one) for one in passed),
    )


def _program(answer: str) -> str | None:
    """The program in an answer; None where there is none."""
    return text.extract(answer).code if answer.strip() else None


def sizes(choices: Sequence[Choice]) -> tuple[int, int]:
    """The fewest and the most answers that an example has."""
    counts = [len(one.programs) for one in choices]
    return min(counts), max(counts)
