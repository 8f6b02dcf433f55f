"""How tokens a second change with the length of rows, the budget of a batch and the rank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from training import prepare
from training.job import Job
from training.progress import Progress
from training.suite import COST, Extent, Run, Set, brief, head

TOKENS = 4096
"""Tokens of a step where rows are equally long."""
MIDDLE = 512
"""Tokens of a row where the rank is varied."""
WIDE = 32
"""Rows of a step where the budget of a batch is varied."""
TITLES = {
    "length": "tokens of a row",
    "budget": "tokens of a batch (outdo)",
    "rank": "rank of LoRA",
}
Point = dict[str, float]


def jobs(one: Set, extent: Extent, precision: str) -> dict[str, list[tuple[int, Job]]]:
    """For each panel the values of its setting, each with outdo's run. A run is two steps.

    `one` gives the rows where lengths are mixed; rows of equal length are cut from its texts.
    """
    plain = one.job("outdo", "", precision)
    wide = replace(plain, batch=WIDE, rows=str(head(one, 2 * WIDE)))

    def even(length: int) -> Job:
        return replace(plain, batch=TOKENS // length, rows=str(one.folder / f"even.{length}"))

    return {
        "length": [(length, even(length)) for length in extent.lengths],
        "budget": [(budget, replace(wide, budget=budget)) for budget in extent.budgets],
        "rank": [(rank, replace(even(MIDDLE), rank=rank)) for rank in extent.ranks],
    }


def write_even(one: Set, extent: Extent) -> None:
    """The files of rows that are equally long, as many as two steps take."""
    from transformers import AutoTokenizer

    from outdo.models.chat import Chat

    chat = Chat(AutoTokenizer.from_pretrained(one.folder / "model", local_files_only=True))
    for length in {*extent.lengths, MIDDLE}:
        rows = prepare.even(chat, length=length, count=2 * TOKENS // length)
        prepare.write_rows(one.folder / f"even.{length}", rows, chat, f"even.{length}")


def measured(
    one: Set,
    extent: Extent,
    *,
    precision: str,
    runs: Mapping[str, Run],
    progress: Progress,
) -> dict[str, list[Point]]:
    """Each panel's points: the value and both sides' tokens a second.

    TRL has no budget of tokens, so that panel has outdo alone.
    """
    told: dict[str, list[Point]] = {}
    for panel, planned in jobs(one, extent, precision).items():
        told[panel] = []
        for value, job in planned:
            point: Point = {panel: value}
            for side in ("outdo",) if panel == "budget" else ("outdo", "trl"):
                run = job if side == "outdo" else replace(job, side="trl", mode="padded")
                done = brief(runs[side](run))
                point[side] = round(done["tokens_per_second"], 1)
                progress.step(2 * TOKENS * COST[side], f"{panel} {value}: {side}", done)
            told[panel].append(point)
    return told


def cost(extent: Extent) -> float:
    """What all of it costs, in tokens of ours."""
    both = (len(extent.lengths) + len(extent.ranks)) * sum(COST.values())
    return 2 * TOKENS * (both + len(extent.budgets))


def draw(told: Mapping[str, list[Point]], path: Path) -> None:
    """The panels as a figure: PNG and SVG beside each other, `path` without its ending."""
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams["svg.hashsalt"] = "outdo"
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(
        1, len(told), figsize=(10, 3.2), sharey=True, layout="constrained"
    )
    for axes, (panel, points) in zip(panels, told.items(), strict=True):
        values = [point[panel] for point in points]
        for side, colour, mark in (("outdo", "#0b6e4f", "o"), ("trl", "#8a8a8a", "s")):
            if side in points[0]:
                rates = [point[side] for point in points]
                name = {"outdo": "outdo", "trl": "TRL"}[side]
                axes.plot(values, rates, color=colour, marker=mark, label=name)
        axes.set_xscale("log", base=2)
        axes.set_xticks(values, [f"{value:,.0f}" for value in values])
        axes.minorticks_off()
        axes.set_xlabel(TITLES[panel])
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("tokens a second of processor time")
    panels[0].legend(frameon=False)
    for ending in ("png", "svg"):
        undated = {"Date": None} if ending == "svg" else None
        figure.savefig(path.with_name(f"{path.name}.{ending}"), dpi=150, metadata=undated)
    pyplot.close(figure)
