"""What people think of replies: published ratings, as preferences between the rated.

Ratings of one rater on one change are comparable; whoever is rated higher is preferred, equal
ratings tie. Nothing is preferred across raters or changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from outdo.data.place import Place, content_name
from outdo.data.rows import read_rows
from outdo.errors import DataError
from outdo.records import Comparison, Json, Preference, Side

SCALES = {"precision": "Con (P)", "completeness": "Comp (R)", "relevance": "Rel (F)"}
"""Scale to the column of its scores, 1 to 5."""
COLUMNS = ("id", "diff", "review", "system", *SCALES.values())
_NAME = re.compile(r"(?P<language>[a-z]+)_(?P<rater>[a-z]+)\.csv$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """What one rater gave one system's review of a change; `scores` maps a scale to 1 to 5."""

    example: str
    language: str
    diff: str
    system: str
    reply: str
    rater: str
    scores: Mapping[str, int]


def read_ratings(folder: Path | str) -> tuple[Rating, ...]:
    """The ratings in a folder of CRScore's files, `<language>_<rater>.csv`; unrated rows left out.

    A change is told on the first of its rows only. Raises DataError for a folder without such
    files, for columns that are missing, and at a score that is none.
    """
    folder = Path(folder)
    files = sorted(path for path in folder.glob("*.csv") if _NAME.match(path.name))
    if not files:
        raise DataError(
            "the folder holds no ratings", "files are named py_<rater>.csv", where=str(folder)
        )
    return tuple(rating for path in files for rating in _read(path))


def _read(path: Path) -> Iterable[Rating]:
    named = _NAME.match(path.name)
    assert named is not None
    diff, example = "", ""
    for row in read_rows(path):
        if missing := [column for column in COLUMNS if column not in row.values]:
            raise row.place.error(f"the file has no column {missing[0]!r}")
        if row.values["diff"]:
            diff = str(row.values["diff"])
            example = f"{named['language']}-{row.values['id']}-{content_name(diff, digits=6)}"
        scores = _scores(row.values, row.place)
        if scores is None:
            continue
        if not example:
            raise row.place.error("a rating stands before the first change")
        yield Rating(
            example=example,
            language=named["language"],
            diff=diff,
            system=str(row.values["system"]),
            reply=str(row.values["review"]),
            rater=named["rater"],
            scores=scores,
        )


def _scores(values: Mapping[str, Json], place: Place) -> dict[str, int] | None:
    """The scores of a row; None where it was not rated."""
    given = {scale: str(values[column]).strip() for scale, column in SCALES.items()}
    if not any(given.values()):
        return None
    for scale, value in given.items():
        if value not in ("1", "2", "3", "4", "5"):
            raise place.error(f"{SCALES[scale]} is {value!r}, not 1 to 5")
    return {scale: int(value) for scale, value in given.items()}


def preferences(ratings: Sequence[Rating], *, scale: str = "relevance") -> tuple[Preference, ...]:
    """Whom each rater prefers of every two systems on one change, by a scale.

    `by` is `people/<rater>`. Raises DataError for an unknown scale, and where one rater rated a
    system twice on one change.
    """
    if scale not in SCALES:
        raise DataError(f"there is no scale {scale!r}", f"one of {', '.join(SCALES)}")
    cells: dict[tuple[str, str], dict[str, Rating]] = {}
    for rating in ratings:
        systems = cells.setdefault((rating.example, rating.rater), {})
        if rating.system in systems:
            raise DataError(
                f"{rating.rater} rated {rating.system} twice on {rating.example}", "keep one rating"
            )
        systems[rating.system] = rating
    return tuple(
        _preference(systems[one], systems[other], scale)
        for systems in cells.values()
        for one, other in combinations(sorted(systems), 2)
    )


def _preference(one: Rating, other: Rating, scale: str) -> Preference:
    mine, theirs = one.scores[scale], other.scores[scale]
    choice: Side = "tie" if mine == theirs else "a" if mine > theirs else "b"
    return Preference(
        comparison=Comparison(example=one.example, a=one.system, b=other.system),
        choice=choice,
        by=f"people/{one.rater}",
        order="ab",
        scores=(float(mine), float(theirs)),
    )
