"""From the entries of a study to its training runs and contestants: lists expand here alone."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from outdo.errors import StudyError
from outdo.records import Json
from outdo.study.entries import Answering, Settings, Train

N = TypeVar("N", bound=Hashable)

MATRIX = ("lora", "learning_rate", "seed", "epochs")
"""The keys of a `train` entry that may be lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training run of a study.

    It is run `number` of `contestant`, whose runs differ in their seed alone. `model` names what
    it starts from and `reference` what it is held against, if that is another; each is a model or
    a run. `data` names data sets, each with its share of the rows where shares were asked for.
    """

    name: str
    contestant: str
    number: int = 0
    entry: str
    model: str
    data: Mapping[str, float | None]
    reference: str | None = None
    settings: Settings
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One contestant of a study: `models` names a model, or each of the contestant's runs."""

    name: str
    entry: str
    models: tuple[str, ...]
    data: str
    ask: Answering


def expanded(
    name: str,
    entry: Train,
    starts: Sequence[Run],
    *,
    data: Mapping[str, float | None],
    reference: str | None,
    seed: int,
) -> Iterator[Run]:
    """The runs of an entry: one for each combination of its lists, of its seeds, and of `starts`.

    `starts` are the runs of the entry that it goes on from, if it goes on from one; where these
    are the several runs of a contestant, each is gone on with once.
    """
    lists = {
        field: value
        for field, value in entry.model_dump(mode="python", include=set(MATRIX)).items()
        if isinstance(getattr(entry, field), list)
    }
    groups = by_contestant(starts) or {entry.model: []}
    for (start, members), *values in itertools.product(groups.items(), *lists.values()):
        chosen = dict(zip(lists, values, strict=True))
        label = "".join(f" {_label(field, value, lists[field])}" for field, value in chosen.items())
        contestant = name + start.removeprefix(entry.model) + label
        recipe = {**entry.model_dump(), **chosen}
        settings = Settings.model_validate({key: recipe[key] for key in Settings.model_fields})
        first = chosen.get("seed", seed if entry.seed is None else entry.seed)
        count = _count(entry, members)
        for number in range(count):
            yield Run(
                name=contestant + (f" seed {first + number}" if count > 1 else ""),
                contestant=contestant,
                number=number,
                entry=name,
                model=members[number % len(members)].name if members else entry.model,
                data=data,
                reference=reference,
                settings=settings,
                seed=first + number,
            )


def by_contestant(runs: Sequence[Run]) -> dict[str, list[Run]]:
    """The runs of each contestant, in order."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.contestant, []).append(run)
    return found


def _count(entry: Train, starts: Sequence[Run]) -> int:
    """How many runs a contestant has. Raises StudyError if they can't each have their start."""
    if len(starts) > 1 and entry.seeds not in (None, len(starts)):
        problem = f"{entry.seeds} runs can't go on from the {len(starts)} of {entry.model!r}"
        raise StudyError(problem, "leave seeds out: each is gone on with once")
    return entry.seeds or max(1, len(starts))


def in_order(needs: Mapping[N, Sequence[N]]) -> Iterator[N]:
    """The names, each after those that it needs; there must be no circle."""
    told: set[N] = set()
    while len(told) < len(needs):
        for name, needed in needs.items():
            if name not in told and all(n in told for n in needed):
                told.add(name)
                yield name


def circle(needs: Mapping[N, Sequence[N]]) -> list[N]:
    """A path that ends where it began, or nothing."""
    done: set[N] = set()

    def from_here(path: list[N]) -> list[N]:
        for step in needs[path[-1]]:
            if step in path:
                return [*path[path.index(step) :], step]
            if step not in done and (found := from_here([*path, step])):
                return found
        done.add(path[-1])
        return []

    return next((found for start in needs if (found := from_here([start]))), [])


def _label(name: str, value: Json, among: list[Json]) -> str:
    """What tells a value apart from the others of its list."""
    if name != "lora":
        return f"{name.replace('_', ' ')} {_word(value)}"
    value, *among = ({**one, "alpha": one["alpha"] or 2 * one["rank"]} for one in (value, *among))
    told = f"r={value['rank']}"
    if len({one["rank"] for one in among}) < len(among):
        differs = [key for key in value if any(one[key] != value[key] for one in among)]
        told += "".join(f" {key} {_word(value[key])}" for key in differs if key != "rank")
    return told


def _word(value: Json) -> str:
    if isinstance(value, list):
        return ",".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
