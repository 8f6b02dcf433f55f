"""Lines of more judges, or runs, than there are colours: each looks like no other."""

from __future__ import annotations

import re
from pathlib import Path

from outdo import report
from outdo.records import Measure
from outdo.report.panels import TONE, stroke
from outdo.report.plots import COLOURS, STROKES, toned
from outdo.report.preference_plots import Line, Plot, _figure, drawn

MANY = COLOURS * STROKES


def plot(lines: int) -> Plot:
    points = [Measure(name="rate", value=one, low=one - 0.1, high=one + 0.1) for one in (0.4, 0.6)]
    return Plot(
        name="coverage",
        title="Right by coverage",
        across="coverage",
        lines=tuple(
            Line(name=f"judge {number}", points=((0.5, points[0]), (1.0, points[1])))
            for number in range(lines)
        ),
    )


def test_no_line_on_a_page_looks_like_another() -> None:
    assert len({toned(place) for place in range(MANY)}) == MANY
    assert toned(0) == "c0" and toned(COLOURS) == "c0 again1"
    classes = re.findall(r'<polyline class="run ([^"]+)"', str(drawn(plot(MANY))))
    assert len(set(classes)) == MANY
    style = (Path(report.__file__).parent / "templates" / "page.css").read_text("utf-8")
    assert all(f".curve .{name.split()[1]} {{" in style for name in classes if " " in name)


def test_no_line_of_a_figure_looks_like_another() -> None:
    axes = _figure(plot(MANY)).axes[0]
    shown = {
        (line.get_color(), str(line._unscaled_dash_pattern))  # type: ignore[attr-defined]
        for line in axes.lines
        if not str(line.get_label()).startswith("_")
    }
    assert len(shown) == MANY
    assert len({(TONE[n % len(TONE)], str(stroke(n))) for n in range(MANY)}) == MANY
