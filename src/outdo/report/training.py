"""What training took and reached, side by side: one column an entry, its runs folded into one.

An entry is what was trained; its runs differ in their seed. The same training on two machines is
two entries, since a time means nothing without the hardware that it was taken on.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from outdo.records import Json
from outdo.report.findings import Findings, Training

REPORTED = (
    "hardware",
    "seconds",
    "peak_bytes",
    "baseline_bytes",
    "estimated_bytes",
    "trainable",
    "total",
    "tokens_per_second",
    "steps",
    "epochs",
    "tokens",
    "tokens_computed",
    "tokens_learnt",
    "tokens_shared",
    "shared_share",
    "padding_share",
    "packed",
    "rows",
    "rows_cut",
    "rows_dropped",
    "loss",
    "validation",
    "best_step",
    "precision",
    "device",
    "threads",
    "processes",
    "resumes",
)
"""What a stored report may tell of a run, in the order in which programs are told."""

Kind = Literal["seconds", "bytes", "count", "share", "number"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number of every run: how it is called, what kind it is, and where it stands."""

    name: str
    heading: str
    kind: Kind
    of: Callable[[Training], float | None]
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """A measure over the runs of an entry: mean, standard deviation (None of one), least, most."""

    mean: float
    deviation: float | None
    least: float
    most: float
    runs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What was trained, its runs, and the settings in which the entries of a study differ."""

    name: str
    hardware: str
    runs: tuple[Training, ...]
    differs: Mapping[str, Json]

    def amount(self, measure: Measure) -> Amount | None:
        """The measure over the runs that tell it, None where none does."""
        told = measured(self, measure)
        if not told:
            return None
        return Amount(
            mean=statistics.fmean(told),
            deviation=statistics.stdev(told) if len(told) > 1 else None,
            least=min(told),
            most=max(told),
            runs=len(told),
        )

    def part_trained(self) -> float | None:
        """Which part of the parameters is trained; None where that isn't told."""
        trained, total = self.amount(TRAINED), self.amount(ALL)
        return trained.mean / total.mean if trained and total and total.mean else None


def measured(entry: Entry, measure: Measure) -> list[float]:
    """A measure of each run of an entry that tells it."""
    return [value for run in entry.runs if (value := measure.of(run)) is not None]


def entries(findings: Findings) -> tuple[Entry, ...]:
    """The entries of a study in the order of their first runs."""
    groups: dict[tuple[str, str], list[Training]] = {}
    named = _named(findings)
    for run in findings.trainings:
        key = (run.entry or named.get(run.name, run.name), text(run, "hardware"))
        groups.setdefault(key, []).append(run)
    differing = _differing([runs[0] for runs in groups.values()])
    machines = Counter(name for name, _ in groups)
    return tuple(
        Entry(
            name=name if machines[name] == 1 else f"{name} on {hardware or 'another machine'}",
            hardware=hardware,
            runs=tuple(runs),
            differs={key: settings(runs[0]).get(key) for key in differing},
        )
        for (name, hardware), runs in groups.items()
    )


def _named(findings: Findings) -> dict[str, str]:
    """Run to the contestant whose runs it is one of; a run alone keeps its own name."""
    return {
        run: one.name
        for one in reversed(findings.contestants)
        if len(one.trainings) > 1
        for run in one.trainings
    }


def _differing(runs: Sequence[Training]) -> list[str]:
    """The settings, but for the seed, that aren't the same in all of these runs."""
    told = [settings(run) for run in runs]
    keys = dict.fromkeys(key for one in told for key in one if key not in ("seed", "version"))
    return [key for key in keys if len({repr(one.get(key)) for one in told}) > 1]


def settings(run: Training) -> dict[str, Json]:
    """The settings of a run on one level, its base among them: `lora.rank` is `rank`."""
    told: dict[str, Json] = {}
    base = run.report.get("base")
    if isinstance(base, Mapping):
        told["base"] = base.get("name")
    own = run.report.get("settings")
    for key, value in own.items() if isinstance(own, Mapping) else ():
        told |= value if isinstance(value, Mapping) else {key: value}
    return told


def number(value: object) -> float | None:
    """A finite number, or None for whatever else stands in a stored report."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def text(run: Training, name: str) -> str:
    """What a run's report says under a name, nothing where it says nothing."""
    value = run.report.get(name)
    return value if isinstance(value, str) else ""


def looks(run: Training) -> list[Mapping[str, Json]]:
    """The looks at held-out rows that a run reported: {step, epoch, loss, score}, none is fine."""
    told = run.report.get("validation")
    if isinstance(told, str) or not isinstance(told, Sequence):
        return []
    return [look for look in told if isinstance(look, Mapping)]


def validation(run: Training, name: str = "loss") -> list[tuple[float, float]]:
    """(step, value) of each look at the held-out rows: its loss, or the task's score."""
    told = [(number(look.get("step")), number(look.get(name))) for look in looks(run)]
    return [(step, value) for step, value in told if step is not None and value is not None]


def _told(name: str) -> Callable[[Training], float | None]:
    return lambda run: number(run.report.get(name))


def above_baseline(run: Training) -> float | None:
    """The bytes that training took above what the process held before it."""
    peak, baseline = number(run.report.get("peak_bytes")), number(run.report.get("baseline_bytes"))
    return None if peak is None or baseline is None else peak - baseline


def _kept(name: str) -> Callable[[Training], float | None]:
    """The held-out loss, or score, of the weights that were kept: the best look's or the last's."""

    def of(run: Training) -> float | None:
        found = dict(validation(run, name))
        best = number(run.report.get("best_step"))
        return found.get(best) if best is not None else next(reversed(found.values()), None)

    return of


SECONDS = Measure(name="seconds", heading="TrainingTime", kind="seconds", of=_told("seconds"))
MEMORY = Measure(
    name="above_baseline",
    heading="TrainingMemory",
    kind="bytes",
    of=above_baseline,
    about="above what was held before training",
)
LOSS = Measure(
    name="loss", heading="training loss", kind="number", of=_told("loss"), about="at the end"
)
HELD_OUT = Measure(
    name="validation_loss",
    heading="validation loss",
    kind="number",
    of=_kept("loss"),
    about="of the weights that were kept",
)
TRAINED = Measure(
    name="trainable", heading="trained parameters", kind="count", of=_told("trainable")
)
ALL = Measure(name="total", heading="all parameters", kind="count", of=_told("total"))
MEASURES = (
    SECONDS,
    MEMORY,
    Measure(name="peak_bytes", heading="peak memory", kind="bytes", of=_told("peak_bytes")),
    Measure(
        name="estimated_bytes",
        heading="memory expected",
        kind="bytes",
        of=_told("estimated_bytes"),
        about="above the baseline, before the first step",
    ),
    TRAINED,
    ALL,
    Measure(
        name="tokens_per_second",
        heading="tokens a second",
        kind="count",
        of=_told("tokens_per_second"),
    ),
    Measure(name="tokens", heading="tokens asked for", kind="count", of=_told("tokens")),
    Measure(
        name="tokens_computed",
        heading="tokens computed",
        kind="count",
        of=_told("tokens_computed"),
        about="padding among them",
    ),
    Measure(
        name="shared_share",
        heading="saved by shared prefixes",
        kind="share",
        of=_told("shared_share"),
        about="of tokens asked for",
    ),
    Measure(
        name="padding_share",
        heading="padding",
        kind="share",
        of=_told("padding_share"),
        about="of tokens computed",
    ),
    Measure(name="rows", heading="rows", kind="count", of=_told("rows")),
    Measure(name="rows_cut", heading="rows cut", kind="count", of=_told("rows_cut")),
    Measure(name="rows_dropped", heading="rows dropped", kind="count", of=_told("rows_dropped")),
    Measure(name="steps", heading="steps", kind="count", of=_told("steps")),
    Measure(name="epochs", heading="epochs done", kind="number", of=_told("epochs")),
    LOSS,
    HELD_OUT,
    Measure(
        name="validation_score",
        heading="validation score",
        kind="number",
        of=_kept("score"),
        about="of the weights that were kept",
    ),
    Measure(
        name="best_step", heading="best step", kind="count", of=_told("best_step"), about="kept"
    ),
    Measure(name="resumes", heading="resumed", kind="count", of=_told("resumes")),
)

BRIEF = tuple(
    one
    for one in MEASURES
    if one.name
    in ("seconds", "above_baseline", "tokens_per_second", "loss", "validation_loss", "best_step")
)
"""What is told of each run where an entry has several."""


def measures(shown: Sequence[Entry]) -> list[Measure]:
    """The measures that at least one of these entries tells."""
    return [one for one in MEASURES if any(entry.amount(one) is not None for entry in shown)]


def swept(shown: Sequence[Entry]) -> str | None:
    """The setting that is a number and differs most often between entries: the rank, if it does."""
    numbers = {
        key: {value for entry in shown if (value := number(entry.differs.get(key))) is not None}
        for key in dict.fromkeys(key for entry in shown for key in entry.differs)
    }
    several = {key: values for key, values in numbers.items() if len(values) > 1}
    if "rank" in several:
        return "rank"
    return max(several, key=lambda key: len(several[key]), default=None)
