"""The verbs for raters: a blinded sheet out, a judge as one of them, and what all of them say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from outdo.cli.options import (
    RUNS,
    BaseUrl,
    Budget,
    LocalOnly,
    LogDir,
    MaxConnections,
    PriceFile,
    Sets,
    StudyFile,
)

SheetFile = Annotated[Path, typer.Argument(metavar="SHEET", help="A sheet, .csv or .json.")]
KeyFile = Annotated[
    Path, typer.Option("--key", help="The sheet's key; raters don't get it.", show_default=False)
]
Task = Annotated[str, typer.Option("--task", help="The task whose replies are rated.")]
Unfinished = Annotated[
    bool, typer.Option("--unfinished", help="Leave out lines that a rater hasn't answered.")
]


def add_verbs(data: typer.Typer) -> None:
    """Give `outdo data` the verbs of this module."""
    for verb in (sheet, rate, ratings):
        data.command()(verb)


def sheet(
    study: StudyFile,
    out: Annotated[Path, typer.Option("--out", help="The .csv or .json file to write.")],
    key: KeyFile,
    task: Task = "hint",
    table: Annotated[str | None, typer.Option("--table", help="One entry of `compare`.")] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="Draw so many examples; all, if none.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of order and draw.")] = None,
    log_dir: LogDir = RUNS,
    sets: Sets = None,
) -> None:
    """Write stored replies as a sheet to be rated: blinded, shuffled, yes or no."""
    from outdo.cli.rating import write_for_raters

    write_for_raters(
        study,
        out=out,
        key=key,
        task=task,
        table=table,
        count=count,
        seed=seed,
        log_dir=log_dir,
        overrides=sets or [],
    )


def rate(
    sheet: SheetFile,
    key: KeyFile,
    model: Annotated[str, typer.Option("--model", help="The judge, as openai/<model>.")],
    out: Annotated[Path, typer.Option("--out", help="The .csv file to write: the judge's copy.")],
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1)] = 1024,
    log_dir: LogDir = RUNS,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = None,
    budget: Budget = None,
    prices: PriceFile = None,
    local_only: LocalOnly = False,
) -> None:
    """Let a judge fill in a sheet, as one more rater."""
    from outdo.cli.rating import rate_by_judge
    from outdo.cli.remote import Remote

    rate_by_judge(
        sheet,
        key=key,
        model=model,
        out=out,
        max_tokens=max_tokens,
        log_dir=log_dir,
        remote=Remote(
            base_url=base_url,
            max_connections=max_connections,
            budget=budget,
            prices=prices,
            local_only=local_only,
        ),
    )


def ratings(
    sheets: Annotated[list[Path], typer.Argument(metavar="SHEETS", help="One for each rater.")],
    key: KeyFile,
    beside: Annotated[
        list[Path] | None, typer.Option("--beside", help="A judge's copy, told apart; repeat it.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Write all of it as JSON.")] = None,
    unfinished: Unfinished = False,
) -> None:
    """Say what raters think of each contestant, and how far they agree."""
    from outdo.cli.rating import tell_ratings

    tell_ratings(sheets, key=key, beside=beside or [], out=out, unfinished=unfinished)
