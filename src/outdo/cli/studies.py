"""The verbs that carry out a study, or a part of it."""

from __future__ import annotations

import importlib.resources
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from outdo.cli.app import RUNS
from outdo.cli.remote import Remote
from outdo.cli.replicated import show_replicated
from outdo.cli.tools import stored_only, tools_for, without_sandbox
from outdo.cli.watch import watcher
from outdo.errors import StudyError
from outdo.models.served import is_served
from outdo.pipeline import Report, carry_out, prepare, tell_outputs, tell_published
from outdo.pipeline.critics import warnings
from outdo.store import Store
from outdo.study import OutputsStudy, PublishedStudy, Study, load_any, load_study

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
    remote: Remote | None = None,
    dry_run: bool = False,
    expect: str | None = None,
) -> int:
    """The exit code of a study that was carried out: 1 if its verdict is not the expected one."""
    study, remote = load_any(path, overrides=overrides), remote or Remote()
    if isinstance(study, PublishedStudy):
        return _published(study, log_dir=log_dir, dry_run=dry_run, expect=expect)
    if isinstance(study, OutputsStudy):
        return outputs(study, log_dir=log_dir, dry_run=dry_run, remote=remote, expect=expect)
    if remote.local_only:
        os.environ["HF_HUB_OFFLINE"] = "1"
    if dry_run:
        show_plan(study, log_dir=log_dir, tier=tier, remote=remote)
        return 0
    remote = replace(remote, ledger=log_dir / study.study / "calls.jsonl")
    for warning in warnings(study):
        print(f"warning: {warning}", file=sys.stderr)
    report = carry_out(
        study,
        store=Store(log_dir),
        tools=tools_for(log_dir, tier=tier, task=study.task, remote=remote),
        watch=watcher(),
        command=command_line(),
    )
    tell(report)
    return met(report, expect)


def met(report: Report, expect: str | None) -> int:
    """The exit code of a verdict: 1 if another one was expected."""
    return 0 if expect is None or report.word in WORDS[expect] else 1


def _published(study: PublishedStudy, *, log_dir: Path, dry_run: bool, expect: str | None) -> int:
    """The exit code of a study of published rates, which has no verdict of its own."""
    if expect is not None:
        hint = "leave --expect out"
        raise StudyError("published rates come to no verdict to expect", hint, where=study.study)
    if dry_run:
        print(f"{study.study}: intervals of {len(study.published)} published table(s)")
        return 0
    tools = without_sandbox(tools_for(log_dir, tier="auto", task="repair"))
    report = tell_published(study, store=Store(log_dir), tools=tools, command=command_line())
    tell(report)
    return 0


def outputs(
    study: OutputsStudy, *, log_dir: Path, dry_run: bool, remote: Remote, expect: str | None
) -> int:
    """The exit code of a study of published outputs, whose tables are printed."""
    console = Console()
    if dry_run:
        for title, spec in study.outputs.items():
            console.print(f"{title}: outputs of {', '.join(spec.contestants)} in {spec.path}")
        return 0
    tools = without_sandbox(tools_for(log_dir, tier="auto", task="write", remote=remote))
    report = tell_outputs(study, store=Store(log_dir), tools=tools, command=command_line())
    for one in report.replicated:
        show_replicated(one, console)
    tell(report)
    return met(report, expect)


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


def show_plan(study: Study, *, log_dir: Path, tier: str, remote: Remote) -> None:
    """Say what a study would do, and what it would take of each provider."""
    from outdo.cli.plan import show_costs, show_stages

    console = Console()
    show_stages(study, console)
    if not any(is_served(study.model(name).model) for name in study.models):
        return  # what runs here costs nothing, and needs no data to be told
    tools = tools_for(log_dir, tier=tier, task=study.task, remote=remote)
    show_costs(study, remote, tools, console, watcher(), store=Store(log_dir))


def command_line() -> str:
    """The command as it was given."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
