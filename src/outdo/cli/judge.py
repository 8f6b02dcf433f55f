"""The verb that lets a study's judges judge what is stored, and does nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from outdo.cli.remote import Remote
from outdo.cli.studies import WORDS, command_line, tell
from outdo.cli.tools import stored_only, tools_for
from outdo.cli.watch import watcher
from outdo.errors import StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline import Tools, carry_out
from outdo.pipeline.jury import JUDGED
from outdo.protocols import Engine
from outdo.store import Store
from outdo.study import Answering, load_study


def judge_study(
    path: Path,
    *,
    log_dir: Path,
    overrides: Sequence[str],
    remote: Remote,
    expect: str | None = None,
) -> int:
    """The exit code of a study whose stored answers were judged, and whose report is written anew.

    Raises StoreError if anything but a judge's verdict is still owed.
    """
    study = load_study(path, overrides=overrides)
    if not any(table.judges for table in study.compare.values()):
        hint = "name some under `judges`, and in a table of `compare`"
        raise StudyError("no table of this study has judges", hint, where=str(path))
    remote = replace(remote, ledger=log_dir / study.study / "calls.jsonl")
    tools = tools_for(log_dir, tier="auto", task=study.task, remote=remote)
    report = carry_out(
        study,
        store=Store(log_dir),
        tools=judging_only(tools, command=f"outdo run {path}"),
        watch=watcher(),
        command=command_line(),
    )
    tell(report)
    return 0 if expect is None or report.word in WORDS[expect] else 1


def judging_only(tools: Tools, *, command: str) -> Tools:
    """Tools that open engines for judges alone: whatever else is owed is an error."""
    stored = stored_only(tools, command=command)

    def engine(model: ModelReference, ask: Answering) -> Engine:
        return (tools if ask.prompt == JUDGED else stored).engine(model, ask)

    return replace(stored, engine=engine)
