"""The verbs that carry out a study, or a part of it."""

from __future__ import annotations

import importlib.resources
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from outdo.cli.app import RUNS
from outdo.cli.tools import stored_only, tools_for
from outdo.cli.watch import watcher
from outdo.pipeline import Report, carry_out, prepare
from outdo.store import Store
from outdo.study import Study, load_study

WORDS = {"better": {"better"}, "not-worse": {"better", "equivalent"}}
"""The verdicts that meet each expectation; an inconclusive one meets none."""


def quickstart() -> Path:
    """The study that the demo runs: it lies inside the package."""
    return Path(str(importlib.resources.files("outdo.embedded") / "quickstart.yaml"))


def run_study(
    path: Path,
    *,
    log_dir: Path,
    overrides: Sequence[str] = (),
    tier: str = "auto",
    local_only: bool = False,
    dry_run: bool = False,
    expect: str | None = None,
) -> int:
    """The exit code of a study that was carried out: 1 if its verdict is not the expected one."""
    study = load_study(path, overrides=overrides)
    if dry_run:
        show_plan(study)
        return 0
    if local_only:
        os.environ["HF_HUB_OFFLINE"] = "1"
    report = carry_out(
        study,
        store=Store(log_dir),
        tools=tools_for(log_dir, tier=tier, task=study.task),
        watch=watcher(),
        command=command_line(),
    )
    tell(report)
    return 0 if expect is None or report.word in WORDS[expect] else 1


def train_study(
    path: Path, *, name: str | None, log_dir: Path, overrides: Sequence[str], tier: str
) -> None:
    """Make a study's data and its training runs, or those of one entry, and nothing after."""
    study = load_study(path, overrides=overrides)
    folders = prepare(
        study,
        store=Store(log_dir),
        tools=tools_for(log_dir, tier=tier, task=study.task),
        watch=watcher(),
        only=name,
    )
    for run, folder in folders.items():
        print(f"{run}: {folder}")


def report_study(path: Path, *, log_dir: Path, overrides: Sequence[str]) -> None:
    """Write the report of a finished study anew; StoreError if anything is still owed."""
    study = load_study(path, overrides=overrides)
    report = carry_out(
        study,
        store=Store(log_dir),
        tools=stored_only(
            tools_for(log_dir, tier="auto", task=study.task),
            command=_run_again(path, log_dir=log_dir, overrides=overrides),
        ),
        watch=watcher(),
        command=command_line(),
    )
    tell(report)


def _run_again(path: Path, *, log_dir: Path, overrides: Sequence[str]) -> str:
    """The command that carries out the very study whose report was asked for."""
    sets = [word for override in overrides for word in ("--set", override)]
    place = [] if log_dir == RUNS else ["--log-dir", str(log_dir)]
    return shlex.join(["outdo", "run", str(path), *place, *sets])


def tell(report: Report) -> None:
    """Say the verdict first, then where the page lies."""
    print(report.sentence)
    for caveat in report.caveats:
        print(f"  {caveat}")
    print(f"report: {report.folder / 'index.html'}")


def show_plan(study: Study) -> None:
    """Say what a study would do."""
    console = Console()
    table = Table(title=f"{study.study}: what would be done", title_justify="left")
    for heading in ("stage", "what", "on"):
        table.add_column(heading)
    for name, spec in study.data.items():
        table.add_row("data", name, f"{spec.source}")
    for name, pairs in study.pairs.items():
        said = f"{pairs.samples} sample(s) of {pairs.model} on {pairs.examples}"
        table.add_row("pairs", name, f"{pairs.chosen} against {pairs.rejected}, {said}")
    for run in study.runs().values():
        turns = ", once for each group left out" if run.settings.leave_out else ""
        table.add_row("train", run.name, f"{run.model} on {' + '.join(run.data)}{turns}")
    for one in study.answers().values():
        limit = f", at most {study.limit} examples" if study.limit else ""
        asked = f"{one.ask.prompt}, {one.ask.samples} sample(s){limit}"
        table.add_row("generate, score", one.name, f"{one.data}: {asked}")
    for title, entry in study.compare.items():
        table.add_row("compare", title, f"against the best of {', '.join(entry.against)}")
    console.print(table)


def command_line() -> str:
    """The command as it was given."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
