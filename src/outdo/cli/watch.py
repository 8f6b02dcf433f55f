"""What a person sees while work goes on: live bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from outdo.pipeline.protocols import Tally, Watch

SECONDS_BETWEEN_LINES = 15.0


def watcher() -> Watch:
    """Live bars where there is a terminal to draw them on, lines where there is none."""
    return Bars() if sys.stderr.isatty() else Lines()


class _Speed(ProgressColumn):
    """Rows or steps a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.1f}/s" if task.speed else "", style="progress.data.speed")


class Bars:
    """A bar a stage: how much of how much, how fast, how long it took, how long it will take."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)

    @contextlib.contextmanager
    def stage(self, title: str, *, total: int | None, unit: str) -> Iterator[Tally]:
        columns = (
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn(unit),
            _Speed(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", style="dim"),
        )
        with Progress(*columns, console=self.console) as progress:
            task = progress.add_task(f"{title:<28}", total=total, note="")

            def tally(done: int, *, total: int | None = None, note: str = "") -> None:
                if total is not None:
                    progress.update(task, total=total)
                progress.update(task, completed=done, note=note)

            yield tally
            bar = progress.tasks[0]
            progress.update(task, total=bar.completed or 1, completed=bar.completed or 1)

    def waiting(self, holder: str) -> None:
        self.console.print(f"waiting for {holder}", style="yellow", markup=False)


class Lines:
    """A line when a stage begins and ends, and one now and then between."""

    @contextlib.contextmanager
    def stage(self, title: str, *, total: int | None, unit: str) -> Iterator[Tally]:
        begun = said = time.monotonic()
        first: int | None = None
        last = 0
        _say(f"{title} ...")

        def tally(done: int, *, total: int | None = total, note: str = "") -> None:
            nonlocal said, last, first
            first = done if first is None else first
            last = done
            now = time.monotonic()
            if now - said < SECONDS_BETWEEN_LINES:
                return
            said = now
            left = _left(done - first, now - begun, (total or done) - done)
            of = f" of {total}" if total else ""
            _say(f"{title}: {done}{of} {unit}{f', {note}' if note else ''}{left}")

        yield tally
        _say(f"{title}: {last} {unit} in {time.monotonic() - begun:.1f} s")

    def waiting(self, holder: str) -> None:
        _say(f"waiting for {holder}")


def _left(done: int, seconds: float, left: int) -> str:
    return f", {seconds / done * left:.0f} s left" if done > 0 and left > 0 else ""


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
