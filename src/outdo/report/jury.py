"""The judges side by side: what is known of each, and what each said where it is believed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outdo.records import Measure, Standing
from outdo.report.board import believed, headline_judge, others
from outdo.report.findings import Findings, Judge, Rubric


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One sign of health: a cell for each judge, None where a judge has none."""

    name: str
    about: str
    cells: tuple[Measure | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a judge said of one task, without parts; nothing but its name where it is withheld.

    `more` names what else than the three rates was made of its judgements.
    """

    judge: str
    task: str
    believed: bool
    standings: tuple[Standing, ...]
    more: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """A rubric's table of one task: a row a contestant, a column for each of `names`."""

    judge: str
    task: str
    names: tuple[Measure, ...]
    rows: tuple[Rubric, ...]

    def cells(self, row: Rubric) -> list[Measure | None]:
        """A row's shares under the columns; None where the row has none."""
        return self._under(row.shares)

    def gaps(self, row: Rubric) -> list[Measure | None]:
        """A row's differences from the contestant that it stands against, under the columns."""
        return self._under(row.gaps)

    def _under(self, measures: Sequence[Measure]) -> list[Measure | None]:
        own = {one.name: one for one in measures}
        return [own.get(one.name) for one in self.names]


def signs(judges: Sequence[Judge]) -> list[Sign]:
    """Every sign of health that some judge shows, in the order in which they are first told."""
    told = {
        (judge.name, one.name): one for judge in reversed(judges) for one in reversed(judge.health)
    }
    names = dict.fromkeys(one.name for judge in judges for one in judge.health)
    signs = []
    for name in names:
        cells = tuple(told.get((judge.name, name)) for judge in judges)
        about = next((cell.about for cell in cells if cell and cell.value is not None), "")
        signs.append(Sign(name=name, about=about, cells=cells))
    return signs


def said(findings: Findings, *, headline: bool = False) -> Iterator[Said]:
    """What every judge said of each task; with `headline`, only the one that each task is told by.

    Standings are ordered by the rate that the task counts ties by.
    """
    told: dict[tuple[str, str], list[Standing]] = {}
    for one in findings.standings:
        if not one.part:
            told.setdefault((one.judge, one.task), []).append(one)
    for (judge, task), own in told.items():
        trusted = believed(findings, judge)
        if headline and judge != headline_judge(findings, task):
            continue
        yield Said(
            judge=judge,
            task=task,
            believed=trusted,
            standings=tuple(own) if trusted else (),
            more=tuple(dict.fromkeys(rate.name for one in own for rate in others(one))),
        )


def checks(findings: Findings) -> list[Checks]:
    """What every judge with a rubric that is believed found of each task's contestants."""
    told: dict[tuple[str, str], list[Rubric]] = {}
    for one in findings.rubrics:
        if believed(findings, one.judge):
            told.setdefault((one.judge, one.task), []).append(one)
    return [
        Checks(judge=judge, task=task, names=_names(own), rows=tuple(own))
        for (judge, task), own in told.items()
    ]


def _names(rows: Sequence[Rubric]) -> tuple[Measure, ...]:
    """The attributes of a rubric, each as the first row tells it."""
    return tuple({share.name: share for row in reversed(rows) for share in row.shares}.values())


def withheld(findings: Findings) -> list[Judge]:
    """The judges that aren't believed."""
    return [one for one in findings.judges if not one.believed]
