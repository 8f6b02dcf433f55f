"""The figures for papers and slides: scores, differences and loss, as PNG and SVG.

Drawn without pyplot, so that no display, no global state and no clock is touched: the same
findings give the same bytes. Blue, orange and grey are told apart by every kind of eye.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from outdo.report import wording
from outdo.report.findings import Findings
from outdo.report.results import Column, Compared, Results, Table
from outdo.report.tables import slug

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY, INK = "#0072B2", "#D55E00", "#8A8F98", "#1A1F27"
TONES = {"better": BLUE, "worse": ORANGE, "equivalent": GREY, "inconclusive": GREY}
STYLE: dict[Any, Any] = {
    "font.size": 9,
    "axes.edgecolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "svg.hashsalt": "outdo",
    "svg.fonttype": "path",
    "text.parse_math": False,
}
DPI = 160


def figures(findings: Findings, found: Results) -> Iterator[tuple[str, bytes]]:
    """(file name, bytes) of every figure."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        for name, figure in _drawn(findings, found):
            yield f"{name}.png", _bytes(figure, "png", {"Software": None})
            yield f"{name}.svg", _bytes(figure, "svg", {"Date": None, "Creator": "outdo"})


def _drawn(findings: Findings, found: Results) -> Iterator[tuple[str, Figure]]:
    for table in found.tables:
        own = [column for column in table.columns if not column.common]
        for column in own if table.title == table.task else own[:1]:
            yield f"scores-{slug(table.title)}-{slug(column.name)}", _scores(table, column)
        if table.compared:
            named = f"differences-{slug(table.title)}"
            yield named, _differences(table, table.compared[0].column)
    if any(run.curve for run in findings.trainings):
        yield "loss", _loss(findings)


def _bytes(figure: Figure, kind: str, metadata: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=kind, dpi=DPI, metadata=metadata)
    return out.getvalue()


def _figure(rows: int) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 1.1 + 0.34 * rows), layout="constrained")
    return figure, figure.add_subplot()


def _scores(table: Table, column: Column) -> Figure:
    """Each contestant's mean with its interval; floors are grey and hollow."""
    lines = [line for line in table.lines if column.name in line.cells]
    figure, axes = _figure(len(lines))
    for place, line in enumerate(lines):
        cell, floor = line.cells[column.name], line.contestant.floor
        if cell.value is None:
            continue
        tone = GREY if floor else BLUE
        if cell.low is not None and cell.high is not None:
            axes.plot([cell.low, cell.high], [place, place], color=tone, linewidth=2)
        axes.plot(cell.value, place, "o", color=tone, markerfacecolor="white" if floor else tone)
    _names(axes, [line.contestant.name for line in lines])
    axes.set_xlabel(_label(column.heading, column.metric.unit, f"{column.metric.better} is better"))
    if column.share:
        axes.set_xlim(-0.02, 1.02)
    axes.set_title(table.title, loc="left", color=INK)
    return figure


def _differences(table: Table, column: Column) -> Figure:
    """Each comparison's difference with its interval, against 0 and the margin."""
    shown = [
        one
        for one in table.compared
        if one.column.name == column.name and one.verdict.found.difference is not None
    ]
    figure, axes = _figure(len(shown))
    scale = 100 if column.share else 1
    margin = shown[0].margin if shown else None
    if margin is not None:
        axes.axvspan(-margin * scale, margin * scale, color=GREY, alpha=0.18, linewidth=0)
    axes.axvline(0, color=GREY, linewidth=1)
    for place, one in enumerate(shown):
        _difference(axes, place, one, scale)
    _names(axes, [f"{one.a} – {one.b}" for one in shown])
    axes.set_xlabel(_label(f"difference in {column.heading}", wording.gap_unit(column), ""))
    axes.set_title(table.title, loc="left", color=INK)
    return figure


def _difference(axes: Any, place: int, one: Compared, scale: float) -> None:
    found, tone = one.verdict.found, TONES[one.verdict.word]
    if found.low is not None and found.high is not None:
        axes.plot([found.low * scale, found.high * scale], [place, place], color=tone, linewidth=2)
    if found.difference is not None:
        axes.plot(found.difference * scale, place, "o", color=tone)


def _loss(findings: Findings) -> Figure:
    """The loss of every training run by step."""
    figure, axes = _figure(6)
    dashes: Sequence[Any] = ("-", "--", "-.", ":")
    for number, run in enumerate(run for run in findings.trainings if run.curve):
        axes.plot(
            [row["step"] for row in run.curve],
            [row["loss"] for row in run.curve],
            color=(BLUE, ORANGE, "#009E73", "#CC79A7", INK)[number % 5],
            linestyle=dashes[number // 5 % 4],
            linewidth=1.2,
            label=run.name,
        )
    axes.set_xlabel("step")
    axes.set_ylabel("training loss (nats a token)")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return figure


def _names(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def _label(text: str, unit: str, note: str) -> str:
    said = ", ".join(part for part in (unit, note) if part)
    return f"{text} ({said})" if said else text
