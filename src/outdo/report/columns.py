"""The columns of a table: what each contestant scored, by metric and by signature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from outdo.records import Metric
from outdo.report.findings import Contestant, Row
from outdo.stats import Values, fold
from outdo.stats.samples import pass_at_k_by_example

USUAL_K = (2, 5, 10, 100)
"""Which pass@k is told beside pass@1: the largest of these for which there are samples."""
EDIT_EFFORT = "edit effort"
"""How headings begin of metrics that say how like a reference a text is: «Edit effort, BLEU»."""
SHARES = ("share", "%")
"""Units that say that a value lies within 0 and 1."""

Runs = tuple[Values, ...]
"""For each training run of a contestant, example to its value with samples folded.

None is missing, absence is «does not apply»; who was not trained has one run.
"""


Entrant = tuple[Contestant, Sequence[Row]]
"""A contestant with those of its rows that a table is made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A metric as one signature gave it; `common` over the examples for which all have a value."""

    name: str
    heading: str
    metric: Metric
    by: str
    share: bool
    common: bool = False

    @property
    def title(self) -> str:
        return f"{self.heading}, where all models have one" if self.common else self.heading

    @property
    def effort(self) -> bool:
        """Whether this tells the effort of editing, and nothing of whether a reply is right."""
        return self.heading.casefold().startswith(EDIT_EFFORT)

    @property
    def short(self) -> str:
        """The heading, without what stands above all that tell the effort of editing."""
        own = self.heading[len(EDIT_EFFORT) :].lstrip(",: ") if self.effort else self.heading
        return own or self.metric.name.replace("_", " ")


def columns_of(
    metrics: Iterable[Metric], entrants: Sequence[Entrant]
) -> tuple[tuple[Column, ...], dict[tuple[str, str], Runs]]:
    """A column for each metric and signature, and the values under each for each contestant."""
    columns: list[Column] = []
    values: dict[tuple[str, str], Runs] = {}
    for metric in metrics:
        signatures = dict.fromkeys(
            score.by
            for _, rows in entrants
            for row in rows
            for score in row.scores
            if score.metric == metric.name
        )
        for number, by in enumerate(signatures, start=1):
            for column, own in _of_signature(metric, by, number, entrants):
                columns.append(column)
                values |= {(name, column.name): found for name, found in own.items()}
    return tuple(columns), values


def _of_signature(
    metric: Metric, by: str, number: int, entrants: Sequence[Entrant]
) -> Iterator[tuple[Column, dict[str, Runs]]]:
    """The column of one metric and signature, then those that are made of it."""
    samples = {contestant.name: _samples(rows, metric.name, by) for contestant, rows in entrants}
    own: dict[str, Runs] = {
        name: tuple(fold(told) for told in runs) for name, runs in samples.items() if any(runs)
    }
    column = Column(
        name=metric.name if number == 1 else f"{metric.name}#{number}",
        heading=metric.heading if number == 1 else f"{metric.heading} ({number})",
        metric=metric,
        by=by,
        share=_is_share(metric, own.values()),
    )
    yield column, own
    if column.share and not any(row.view for _, rows in entrants for row in rows):
        yield from _at_k(column, samples)
    if metric.common and (shared := _common(own, entrants)):
        yield replace(column, name=f"{column.name}_common", common=True), shared


Sample = tuple[str, float | None, float]


def _samples(rows: Iterable[Row], metric: str, by: str) -> list[list[Sample]]:
    """(example, value, weight) under one signature, by training run.

    A run of which nothing was scored under it is empty.
    """
    told: dict[int, list[Sample]] = {}
    missing: dict[int, list[Sample]] = {}
    for row in rows:
        mine = told.setdefault(row.run, [])
        if row.missing is not None:
            missing.setdefault(row.run, []).append((row.example, None, 1.0))
        mine += [
            (row.example, score.value, score.weight)
            for score in row.scores
            if score.metric == metric and score.by == by
        ]
    return [told[run] + missing.get(run, []) if told[run] else [] for run in sorted(told)]


def _at_k(
    column: Column, samples: Mapping[str, Sequence[Sequence[Sample]]]
) -> Iterator[tuple[Column, dict[str, Runs]]]:
    """The unbiased pass@k of 0s and 1s, for the largest usual k that some model has samples for."""
    if any(
        value not in (0, 1, None)
        for runs in samples.values()
        for run in runs
        for _, value, _ in run
    ):
        return
    tried = {name: [_by_example(run) for run in runs] for name, runs in samples.items()}
    most = max((len(v) for runs in tried.values() for run in runs for v in run.values()), default=0)
    k = max((k for k in USUAL_K if k <= most), default=None)
    if k is None:
        return
    own = {
        name: tuple(pass_at_k_by_example(run, k=k) for run in runs) for name, runs in tried.items()
    }
    yield (
        replace(
            column,
            name=f"{column.name}@{k}",
            heading=f"{column.heading}@{k}",
            by=f"{column.by}; unbiased pass@{k} of up to {most} samples",
        ),
        {name: runs for name, runs in own.items() if _any(runs)},
    )


def _by_example(samples: Iterable[Sample]) -> dict[str, list[float | None]]:
    values: dict[str, list[float | None]] = {}
    for example, value, _ in samples:
        values.setdefault(example, []).append(value)
    return values


def _is_share(metric: Metric, found: Iterable[Runs]) -> bool:
    if metric.unit:
        return metric.unit in SHARES
    return all(0 <= value <= 1 for runs in found for run in runs for value in _known(run).values())


def _common(own: Mapping[str, Runs], entrants: Sequence[Entrant]) -> dict[str, Runs]:
    """The values over the examples for which every run of every model has one.

    Neither a floor nor a model without any value narrows the set; a floor has a value here only
    if it has one for each of these examples.
    """
    models = [c.name for c, _ in entrants if not c.floor and _any(own.get(c.name, ()))]
    if len(models) < 2:
        return {}
    shared = [example for example in own[models[0]][0] if _all_have(models, own, example)]
    return {
        name: tuple({example: run[example] for example in shared} for run in runs)
        for name, runs in own.items()
        if shared and all(_known(run).keys() >= set(shared) for run in runs)
    }


def _all_have(models: Iterable[str], own: Mapping[str, Runs], example: str) -> bool:
    return all(run.get(example) is not None for name in models for run in own[name])


def _known(values: Values) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None}


def _any(runs: Iterable[Values]) -> bool:
    return any(_known(run) for run in runs)
