"""Pairs as CodeFavor writes them, read by name: both programs, what was asked, the feedback.

Rows made of commits have `seed_info`, those made of critiques `inst_md5` and `reflection`; both
have `instruction, criteria, naive_code, improved_code, feedback`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from outdo import text
from outdo.data.load import checked_program, reasons
from outdo.data.pairs import GENERAL, CodePair
from outdo.data.place import Place, content_name
from outdo.data.rows import Mistakes, Row, read_rows
from outdo.errors import DataError
from outdo.records import Json, digest

FIELDS = ("instruction", "naive_code", "improved_code")
SAME = "both programs are the same"
AGAIN = "the same pair again"


def read_decomposed(
    path: Path | str,
    *,
    criteria: Collection[str],
    licence: str = "",
    mistakes: Mistakes | None = None,
) -> Iterator[CodePair]:
    """The pairs of a file or a folder of files.

    A pair's criterion is the first of `criteria` that the row's own words name, else `general`;
    the words themselves stay in its evidence. `licence` is that of rows that tell none. Raises
    DataError at a row that is no pair, unless `mistakes` counts it.
    """
    mistakes = mistakes or Mistakes()
    seen: Counter[str] = Counter()
    for row in read_rows(path, mistakes):
        try:
            pair = pair_of(row, criteria=criteria, licence=licence)
        except DataError as error:
            mistakes.tell(error)
            continue
        seen[pair.id] += 1
        if seen[pair.id] > 1:
            mistakes.drop(AGAIN, where=row.place.at())
            continue
        yield pair
    if not seen:
        raise DataError("no row could be used", reasons(mistakes), where=str(path))


def pair_of(row: Row, *, criteria: Collection[str], licence: str = "") -> CodePair:
    """The pair of a row. Raises DataError where it lacks a field or both programs are the same."""
    fields, place = row.values, row.place
    for name in FIELDS:
        if not str(fields.get(name) or "").strip():
            raise place.error(f"the row has no {name}", f"a pair has {', '.join(FIELDS)}")
    worse, better = (_code(fields[name], place, name) for name in ("naive_code", "improved_code"))
    if worse == better:
        raise place.error(SAME, "leave the row out")
    seed = fields.get("seed_info")
    seed = seed if isinstance(seed, Mapping) else {}
    statement = text.plain(str(fields["instruction"])).strip()
    told = str(fields.get("criteria") or "").strip()
    return CodePair(
        id=f"decomposed/{content_name(digest([statement, worse, better]))}",
        group=_group(fields, seed, statement),
        source="commits" if seed else "critiques",
        criterion=_criterion(told, criteria),
        statement=statement,
        better=better,
        worse=worse,
        evidence=_evidence(fields, seed, told),
        licence=str(seed.get("license") or fields.get("license") or licence),
    )


def _code(value: Json, place: Place, name: str) -> str:
    said = checked_program(value, place, field=name)
    return (text.extract(said).code if "```" in said else None) or said.strip("\n")


def _group(fields: Mapping[str, Json], seed: Mapping[str, Json], statement: str) -> str:
    """The repository, else the commit, else the instruction."""
    repo = str(seed.get("repos") or seed.get("repo") or "").partition(",")[0].strip()
    return repo or str(seed.get("commit") or fields.get("inst_md5") or content_name(statement))


def _criterion(told: str, criteria: Collection[str]) -> str:
    places = {
        found.start(): name
        for name in criteria
        if (found := re.search(rf"\b{re.escape(name)}\b", told, re.IGNORECASE))
    }
    return places[min(places)] if places else GENERAL


def _evidence(fields: Mapping[str, Json], seed: Mapping[str, Json], told: str) -> dict[str, Json]:
    said = {
        "how": "commit" if seed else "critique",
        "by": str(fields.get("model_id") or ""),
        "criteria": told,
        "reasons": str(fields.get("reflection") or ""),
        "feedback": str(fields.get("feedback") or ""),
        "sha": str(seed.get("commit") or ""),
    }
    return {name: value for name, value in said.items() if value}
