"""An evaluation set that stays what it was: rows by name, each with the digest of its content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outdo.data.place import read_text
from outdo.errors import DataError
from outdo.records import Example, Json, digest, from_json, to_json
from outdo.store import write_text

LARGEST = 64 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """Rows of a task that are an evaluation set for good.

    `rows` maps an id to the digest of the row's content, `rejected` those that people turned down
    to their reasons; `by` are the fields of the strata, `wanted` how many rows were asked for.
    """

    task: str
    data: str
    by: tuple[str, ...]
    seed: int
    wanted: int
    rows: Mapping[str, Json]
    rejected: Mapping[str, Json] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The name of the whole set by its content."""
        return digest(self)


def content_digest(example: Example) -> str:
    """The name of what an example gives and wants, wherever it was read from."""
    return digest([example.id, example.task, example.group, example.given, example.wanted])


def freeze(path: Path, frozen: Frozen) -> None:
    """Write the set down. Raises DataError if another one stands there: a frozen set stays."""
    if path.exists() and (there := read_frozen(path)).digest != frozen.digest:
        problem = f"another evaluation set is frozen here ({there.digest[:12]})"
        raise DataError(problem, "give the new one a name of its own", where=str(path))
    told = {"digest": frozen.digest, **to_json(frozen)}
    write_text(path, json.dumps(told, indent=1, ensure_ascii=False) + "\n")


def read_frozen(path: Path) -> Frozen:
    """The set that was frozen. Raises DataError if the file was changed since, or is none."""
    hint = "restore the file; a new set is made by outdo data pick --freeze"
    try:
        told = json.loads(read_text(path, limit=LARGEST))
        said = told.pop("digest")
        frozen = from_json(Frozen, told)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise DataError(f"this is no frozen set: {error}", hint, where=str(path)) from None
    if said != frozen.digest:
        raise DataError("the frozen set was changed", hint, where=str(path))
    return frozen


def held_to(examples: Sequence[Example], frozen: Frozen, *, where: str) -> list[Example]:
    """The examples, of which only those of the frozen set are left to test with.

    Raises DataError if one of the set isn't there, isn't what it was, or is trained on.
    """
    known = {example.id: example for example in examples}
    for id, name in frozen.rows.items():
        if id not in known:
            raise _changed(f"the data has no row {id!r}, which is in the frozen set", where)
        if content_digest(known[id]) != name:
            raise _changed(f"the row {id!r} isn't what it was when it was frozen", where)
        if known[id].split != "test":
            raise _changed(f"the row {id!r} is frozen for evaluation, and trained on", where)
    return [one for one in examples if one.split != "test" or one.id in frozen.rows]


def _changed(problem: str, where: str) -> DataError:
    return DataError(problem, "use the data and settings that it was picked from", where=where)


def rows_of(examples: Iterable[Example]) -> dict[str, Json]:
    """The rows of a set: id to the digest of its content, by id."""
    return {one.id: content_digest(one) for one in sorted(examples, key=lambda one: one.id)}
