"""The verbs that measure judges: on pairs of which the better one is known, and as pickers."""

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
    Precision,
    PriceFile,
    Sandbox,
    Seed,
    Tier,
)

app = typer.Typer(help="Measure judges and preference models.", no_args_is_help=True)


class Way(StrEnum):
    """How a model says which program is better."""

    auto = "auto"
    generate = "generate"
    choice = "choice"
    reward = "reward"
    likelihood = "likelihood"
    likelihood_normalised = "likelihood-normalised"


class Claim(StrEnum):
    """What intervals are about."""

    new = "new"
    these = "these"


Models = Annotated[
    list[str], typer.Option("--model", help="openai/..., run/<study>/train <name>; repeat it.")
]
Ways = Annotated[
    list[Way] | None,
    typer.Option("--way", help="How it is asked: one for all models, or one for each."),
]
Claimed = Annotated[
    Claim, typer.Option("--claim", help="Intervals about new groups, or about more of these.")
]
PerProblem = Annotated[
    int, typer.Option("--per-problem", min=1, help="Pairs of a problem and criterion, of our own.")
]
Margin = Annotated[
    float, typer.Option("--margin", min=0.001, max=1, help="A difference that counts as none.")
]
MaxTokens = Annotated[
    int, typer.Option("--max-tokens", min=1, help="Of a judge that writes its reasons.")
]
Held = Annotated[Precision, typer.Option("--precision", help="Of models that run here.")]
Criterion = Annotated[
    str, typer.Option("--criterion", help="What is asked for; what the files say, if not given.")
]


Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILES]...", help="Pairs in a known form; our own, if none."),
]
Bases = Annotated[
    list[str] | None,
    typer.Option("--base", help="A floor: what this model would rather write; repeat it."),
]
Shape = Annotated[
    str, typer.Option("--shape", help="Of the files; told by their fields if not given.")
]
Extract = Annotated[
    bool, typer.Option("--extract", help="Show the programs in replies, and not the prose.")
]
Drop = Annotated[bool, typer.Option("--drop", help="Count rows that can't be used, and go on.")]
Samples = Annotated[
    int, typer.Option("--samples", min=1, help="Replies to each order, of one that writes.")
]
Temperature = Annotated[float, typer.Option("--temperature", min=0.0)]
Again = Annotated[int, typer.Option("--again", min=0, help="Ask failed calls again so many times.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the pairs to this file as well.")]


@app.command()
def preference(
    model: Models,
    files: Files = None,
    way: Ways = None,
    base: Bases = None,
    shape: Shape = "auto",
    criterion: Criterion = "",
    extract: Extract = False,
    drop: Drop = False,
    per_problem: PerProblem = 3,
    claim: Claimed = Claim.new,
    margin: Margin = 0.05,
    samples: Samples = 1,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 1024,
    precision: Held = Precision.float32,
    again: Again = 0,
    out: Out = None,
    limit: Limit = None,
    seed: Seed = None,
    log_dir: LogDir = RUNS,
    sandbox: Sandbox = Tier.auto,
    local_only: LocalOnly = False,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = None,
    budget: Budget = None,
    prices: PriceFile = None,
    dry_run: DryRun = False,
    expect: Expected = None,
) -> None:
    """Say how well models tell the better of two programs, beside floors that need no model."""
    said = locals()
    from outdo.cli.preference import asking_of, bench_preference, source_of
    from outdo.cli.teach import remote_of

    code = bench_preference(
        source_of(said),
        asking_of(said),
        claim=claim.value,
        margin=margin,
        seed=1 if seed is None else seed,
        log_dir=log_dir,
        tier=sandbox.value,
        remote=remote_of(said),
        dry_run=dry_run,
        expect=expect.value if expect else None,
    )
    raise typer.Exit(code)


@app.command(name="best-of")
def best_of(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="JSONL: id, statement, answers, passed."),
    ],
    model: Models,
    way: Ways = None,
    criterion: Criterion = "correctness",
    claim: Claimed = Claim.new,
    max_tokens: MaxTokens = 1024,
    precision: Held = Precision.float32,
    seed: Seed = None,
    log_dir: LogDir = RUNS,
    local_only: LocalOnly = False,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = None,
    budget: Budget = None,
    prices: PriceFile = None,
) -> None:
    """Say how often the pick of a model passes, of 1 to N answers that somebody has."""
    said = locals()
    from outdo.cli.preference import asking_of, bench_best_of
    from outdo.cli.teach import remote_of

    bench_best_of(
        file,
        asking_of(said),
        criterion=criterion,
        claim=claim.value,
        seed=1 if seed is None else seed,
        log_dir=log_dir,
        remote=remote_of(said),
    )
