"""An evaluation set, proposed evenly over strata, and looked through by people.

A stratum is one combination of fields: a repository, a language, a size. Which of its rows come
first is drawn from the seed and their ids, so that a larger number of rows only adds, and a row
that joins the data moves no others than those after it.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from outdo.catalog import suggestion
from outdo.data.place import Place
from outdo.data.rows import read_rows
from outdo.errors import DataError
from outdo.records import Json, digest
from outdo.store import write_text

Word = Literal["accept", "reject"]

OWN = ("id", "verdict", "reason")
"""Columns of a review file beside those of the strata and of what is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A row that may be picked: field to value of its stratum, and what a person is shown."""

    id: str
    stratum: Mapping[str, str]
    shown: Mapping[str, str]

    @property
    def cell(self) -> tuple[str, ...]:
        """The values of the stratum."""
        return tuple(self.stratum.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a person said of a proposed row; `verdict` None is nothing yet."""

    candidate: Candidate
    verdict: Word | None = None
    reason: str = ""

    @property
    def id(self) -> str:
        return self.candidate.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A review that was topped up: its rows, those just added, and rows that couldn't be replaced.

    `short` counts rejected rows by the stratum that has no others.
    """

    reviews: tuple[Review, ...]
    added: tuple[str, ...]
    short: Mapping[tuple[str, ...], int]


# ------------------------------------------------------------------ proposing


def propose(candidates: Iterable[Candidate], *, count: int, seed: int) -> tuple[Candidate, ...]:
    """`count` rows, as even as possible over strata, and then over each field by itself.

    Numbers of two strata differ by more than one only where one has no more rows. In the last
    round that not all strata can join, each next one is that whose fields' values stand least
    often so far. What is proposed for a smaller count is part of it. Raises DataError if there
    are fewer rows than `count`.
    """
    cells = _ordered(candidates, seed)
    total = sum(map(len, cells.values()))
    if not 0 < count <= total:
        raise DataError(f"{count} rows can't be picked", f"there are {total:,}")
    taken: list[Candidate] = []
    for round_ in range(max(map(len, cells.values()))):
        open_ = [cell for cell, rows in cells.items() if len(rows) > round_]
        room = count - len(taken)
        chosen = open_ if len(open_) <= room else _rarest(open_, taken, room, seed)
        taken += [cells[cell][round_] for cell in chosen]
        if len(taken) == count:
            break
    return tuple(taken)


def _ordered(candidates: Iterable[Candidate], seed: int) -> dict[tuple[str, ...], list[Candidate]]:
    """The rows of each stratum in the order that the seed draws, the strata likewise."""
    cells: dict[tuple[str, ...], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        cells[candidate.cell].append(candidate)
    return {
        cell: sorted(cells[cell], key=lambda one: digest([seed, one.id]))
        for cell in sorted(cells, key=lambda cell: digest([seed, *cell]))
    }


def _rarest(
    cells: Sequence[tuple[str, ...]], taken: Sequence[Candidate], room: int, seed: int
) -> list[tuple[str, ...]]:
    """`room` of the strata, one after another that whose values are rarest among those taken."""
    counts = Counter(place for one in taken for place in enumerate(one.cell))

    def crowd(cell: tuple[str, ...]) -> list[int]:
        return sorted((counts[place] for place in enumerate(cell)), reverse=True)

    left = sorted(cells, key=lambda cell: digest([seed, *cell]))
    chosen: list[tuple[str, ...]] = []
    while len(chosen) < room:
        best = min(
            left, key=lambda cell: sorted((counts[p] for p in enumerate(cell)), reverse=True)
        )
        left.remove(best)
        chosen.append(best)
        counts.update(enumerate(best))
    return chosen


def top_up(
    reviews: Sequence[Review], candidates: Sequence[Candidate], *, count: int, seed: int
) -> Proposal:
    """The review with another row of the same stratum in the place of every rejected one.

    A stratum is owed as many rows as `propose` gave it; rows follow in the order that it drew.
    """
    owed = Counter(one.cell for one in propose(candidates, count=count, seed=seed))
    standing = Counter(one.candidate.cell for one in reviews if one.verdict != "reject")
    proposed = {review.id for review in reviews}
    added: list[Review] = []
    short: dict[tuple[str, ...], int] = {}
    for cell, rows in _ordered(candidates, seed).items():
        missing = max(owed[cell] - standing[cell], 0)
        fresh = [one for one in rows if one.id not in proposed][:missing]
        added += [Review(candidate=one) for one in fresh]
        if missing > len(fresh):
            short[cell] = missing - len(fresh)
    return Proposal(reviews=(*reviews, *added), added=tuple(one.id for one in added), short=short)


def settled(reviews: Sequence[Review]) -> tuple[list[Review], list[Review]]:
    """The accepted and the rejected rows. Raises DataError while a row has no verdict."""
    if waiting := [review.id for review in reviews if review.verdict is None]:
        some = ", ".join(waiting[:5]) + (", ..." if len(waiting) > 5 else "")
        raise DataError(f"{len(waiting):,} rows have no verdict yet: {some}", "accept or reject")
    accepted = [review for review in reviews if review.verdict == "accept"]
    return accepted, [review for review in reviews if review.verdict == "reject"]


# ------------------------------------------------------------------ the file that people fill in


def write_reviews(path: Path, reviews: Sequence[Review]) -> None:
    """Write the rows as CSV, or as JSONL if the name says so, with room for verdict and reason."""
    rows = [_row(review) for review in reviews]
    if path.suffix == ".jsonl":
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    else:
        _check_suffix(path)
        out = io.StringIO()
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        text = out.getvalue()
    write_text(path, text)


def _check_suffix(path: Path) -> None:
    if path.suffix != ".csv":
        raise DataError("a review is a .csv or a .jsonl file", where=str(path))


def _row(review: Review) -> dict[str, str]:
    one = review.candidate
    head = {"id": one.id, "verdict": review.verdict or "", "reason": review.reason}
    return {**head, **one.stratum, **one.shown}


def read_reviews(path: Path, candidates: Iterable[Candidate]) -> list[Review]:
    """What people said in a review file, row by row.

    Raises DataError, with the line, for an id that the data hasn't or that stands twice, a stratum
    that isn't the data's, a word that is no verdict, and a rejection without a reason.
    """
    known = {one.id: one for one in candidates}
    reviews: list[Review] = []
    places: dict[str, Place] = {}
    for row in read_rows(path):
        review = _read(row.values, row.place, known)
        if review.id in places:
            first = places[review.id].at()
            raise row.place.error(f"{review.id!r} stood before, at {first}", "keep one of the two")
        places[review.id] = row.place
        reviews.append(review)
    return reviews


def _read(values: Mapping[str, Json], place: Place, known: Mapping[str, Candidate]) -> Review:
    if missing := [name for name in OWN if name not in values]:
        raise place.error(f"the row has no {missing[0]}", f"columns: {', '.join(OWN)}, ...")
    id, reason = str(values["id"]), str(values["reason"] or "").strip()
    if id not in known:
        raise place.error(f"the data has no row {id!r}", "pick with the same study and options")
    candidate = known[id]
    for name, value in candidate.stratum.items():
        if str(values.get(name)) != value:
            told = f"{name} of {id!r} is {values.get(name)!r} here and {value!r} in the data"
            raise place.error(told, "only verdict and reason are for you to write")
    said = str(values["verdict"] or "").strip().lower()
    if said and said not in get_args(Word):
        hint = suggestion(said, dict.fromkeys(get_args(Word)))
        raise place.error(f"{said!r} is no verdict", hint)
    if said == "reject" and not reason:
        raise place.error(f"{id!r} is rejected without a reason", "say why, in a few words")
    if reason and not said:
        raise place.error(f"{id!r} has a reason and no verdict", "write accept or reject")
    return Review(candidate=candidate, verdict=said or None, reason=reason)  # type: ignore[arg-type]
