"""The verbs that judge: two files of answers, and what a study has stored."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from outdo.cli.options import (
    RUNS,
    BaseUrl,
    Budget,
    DryRun,
    Expected,
    Limit,
    LocalOnly,
    LogDir,
    MaxConnections,
    PriceFile,
    Seed,
    Sets,
    StudyFile,
)


class Way(StrEnum):
    """How a judge is asked."""

    ask = "ask"
    choice = "choice"
    reward = "reward"


class Written(StrEnum):
    """How a verdict is written."""

    json = "json"
    published = "published"


class Ties(StrEnum):
    """What a tie counts as in a rate."""

    loss = "loss"
    half = "half"
    dropped = "dropped"


First = Annotated[Path, typer.Argument(metavar="A", help="A file of answers.")]
Second = Annotated[Path, typer.Argument(metavar="B", help="Those that it is held against.")]
Judges = Annotated[
    list[str], typer.Option("--judge", help="openai/..., scripted/..., floor/longer; repeat it.")
]
Asked = Annotated[Way, typer.Option("--way", help="How judges are asked.")]
WrittenAs = Annotated[Written, typer.Option("--form", help="How a verdict is written.")]
Criterion = Annotated[str, typer.Option("--criterion", help="What is better.")]
Scores = Annotated[bool, typer.Option("--scores", help="A mark of 1 to 10 too.")]
Repeats = Annotated[
    float, typer.Option("--repeats", min=0, max=1, help="Share that is judged twice.")
]
Tied = Annotated[Ties, typer.Option("--ties", help="What a tie counts as.")]
Margin = Annotated[
    float, typer.Option("--margin", min=0.001, max=1, help="Won less lost that is none.")
]
Known = Annotated[
    int, typer.Option("--known", min=0, help="Known contests that a judge is tried on.")
]
MaxTokens = Annotated[int, typer.Option("--max-tokens", min=1)]
Form = Annotated[
    str, typer.Option("--format", help="Of the files; told by their fields if not given.")
]


def add_verbs(app: typer.Typer) -> None:
    """Give `outdo` the verbs of this module."""
    for verb in (compare, judge):
        app.command()(verb)


def compare(
    first: First,
    second: Second,
    judge: Judges,
    way: Asked = Way.ask,
    written: WrittenAs = Written.json,
    criterion: Criterion = "",
    scores: Scores = False,
    repeats: Repeats = 0.0,
    ties: Tied = Ties.half,
    margin: Margin = 0.1,
    known: Known = 20,
    max_tokens: MaxTokens = 1024,
    form: Form = "auto",
    limit: Limit = None,
    seed: Seed = None,
    log_dir: LogDir = RUNS,
    local_only: LocalOnly = False,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = None,
    budget: Budget = None,
    prices: PriceFile = None,
    dry_run: DryRun = False,
    expect: Expected = None,
) -> None:
    """Hold two files of answers against each other; no study, no training."""
    from outdo.cli.compare import compare_files
    from outdo.cli.remote import Remote
    from outdo.pipeline.duel import Terms

    manner = {
        "way": way.value,
        "form": written.value,
        "scores": scores,
        "repeats": repeats,
        "max_tokens": max_tokens,
    }
    code = compare_files(
        first,
        second,
        judges=judge,
        judging=manner,
        terms=Terms(criterion=criterion, ties=ties.value, margin=margin, known=known, limit=limit),
        format=form,
        seed=1 if seed is None else seed,
        log_dir=log_dir,
        remote=Remote(
            base_url=base_url,
            max_connections=max_connections,
            budget=budget,
            local_only=local_only,
            prices=prices,
        ),
        expect=expect.value if expect else None,
        dry_run=dry_run,
    )
    raise typer.Exit(code)


def judge(
    study: StudyFile,
    log_dir: LogDir = RUNS,
    sets: Sets = None,
    local_only: LocalOnly = False,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = None,
    budget: Budget = None,
    prices: PriceFile = None,
    expect: Expected = None,
) -> None:
    """Let a study's judges judge what is stored; nothing is trained or answered."""
    from outdo.cli.judge import judge_study
    from outdo.cli.remote import Remote

    code = judge_study(
        study,
        log_dir=log_dir,
        overrides=sets or [],
        remote=Remote(
            base_url=base_url,
            max_connections=max_connections,
            budget=budget,
            local_only=local_only,
            prices=prices,
        ),
        expect=expect.value if expect else None,
    )
    raise typer.Exit(code)
