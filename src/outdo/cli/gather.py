"""The verbs that gather rows: what a teacher writes, what is clean, what evaluates."""

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
    Sandbox,
    Sets,
    StudyFile,
    Tier,
)

Out = Annotated[Path, typer.Option("--out", help="The JSONL file to write.")]
Entry = Annotated[str | None, typer.Option("--data", help="One entry of `data`.")]
Licence = Annotated[
    str | None, typer.Option("--license", help="Of all rows; `own` is code of your own.")
]
LicenceField = Annotated[
    str | None, typer.Option("--license-field", help="The field that says it: given.license.")
]
Allow = Annotated[
    list[str] | None, typer.Option("--allow", help="Permit this licence too; repeat it.")
]
Evaluation = Annotated[
    list[Path] | None, typer.Option("--evaluation", help="Rows to keep apart from; repeat it.")
]
SameGroups = Annotated[
    bool, typer.Option("--same-groups", help="Keep rows of groups that the evaluation has.")
]
Before = Annotated[str | None, typer.Option("--before", help="Keep rows older than this date.")]
DateField = Annotated[
    str | None, typer.Option("--date-field", help="The field that says how old a row is.")
]
Overlap = Annotated[
    float, typer.Option("--overlap", min=0, max=1, help="Share of 13-grams that is too much.")
]
Alike = Annotated[
    float, typer.Option("--alike", min=0.5, max=1, help="Similarity of near-duplicates.")
]
Grounded = Annotated[
    list[str] | None,
    typer.Option("--grounded", metavar="METRIC", help="To be at full marks; repeat it."),
]
Repaired = Annotated[
    bool, typer.Option("--repaired", help="Keep replies that a rule was needed to read.")
]


def add_verbs(data: typer.Typer) -> None:
    """Give `outdo data` the verbs of this module."""
    for verb in (teach, clean, pick):
        data.command()(verb)


def teach(
    study: StudyFile,
    model: Annotated[str, typer.Option("--model", help="The teacher, as openai/<model>.")],
    out: Out,
    data: Entry = None,
    prompt: Annotated[str, typer.Option("--prompt", help="How the teacher is asked.")] = "direct",
    learn: Annotated[
        str | None, typer.Option("--learn", help="The prompt to learn under; as asked, if none.")
    ] = None,
    shots: Annotated[int, typer.Option("--shots", min=0, help="Solved examples shown.")] = 0,
    temperature: Annotated[float, typer.Option("--temperature", min=0.0)] = 0.0,
    max_tokens: Annotated[int, typer.Option("--max-tokens", min=1)] = 2048,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Ask of no more examples than this.")
    ] = None,
    grounded: Grounded = None,
    repaired: Repaired = False,
    licence: Licence = None,
    licence_field: LicenceField = None,
    allow: Allow = None,
    evaluation: Evaluation = None,
    same_groups: SameGroups = False,
    before: Before = None,
    date_field: DateField = None,
    overlap: Overlap = 0.2,
    alike: Alike = 0.8,
    log_dir: LogDir = RUNS,
    sets: Sets = None,
    sandbox: Sandbox = Tier.auto,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = None,
    budget: Budget = None,
    prices: PriceFile = None,
    local_only: LocalOnly = False,
) -> None:
    """Let a strong model answer training examples, and keep the replies that hold."""
    said = locals()
    from outdo.cli.teach import asking_of, remote_of, sieve_of, teach_rows

    teach_rows(
        study,
        data=data,
        ask=asking_of(said),
        learn=learn,
        limit=limit,
        sieve=sieve_of(said),
        remote=remote_of(said),
        out=out,
        log_dir=log_dir,
        overrides=sets or [],
        tier=sandbox.value,
    )


def clean(
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="JSONL, CSV or Parquet.")],
    out: Out,
    task: Annotated[
        str | None, typer.Option("--task", help="Rows are replies to examples of this task.")
    ] = None,
    examples: Annotated[
        Path | None, typer.Option("--examples", help="The examples, by the rows' ids.")
    ] = None,
    group_field: Annotated[
        str, typer.Option("--group-field", help="The field that holds rows together.")
    ] = "group",
    grounded: Grounded = None,
    repaired: Repaired = False,
    licence: Licence = None,
    licence_field: LicenceField = None,
    allow: Allow = None,
    evaluation: Evaluation = None,
    same_groups: SameGroups = False,
    before: Before = None,
    date_field: DateField = None,
    overlap: Overlap = 0.2,
    alike: Alike = 0.8,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Keep those rows of a file that may train, and tell what was dropped and why."""
    said = locals()
    from outdo.cli.teach import clean_rows, sieve_of

    clean_rows(
        rows,
        sieve=sieve_of(said),
        group_field=group_field,
        task=task,
        examples=examples,
        out=out,
        tier=sandbox.value,
    )


def pick(
    study: StudyFile,
    count: Annotated[int, typer.Option("--count", min=1, help="How many rows.")],
    review: Annotated[
        Path, typer.Option("--review", help="The .csv or .jsonl file that people fill in.")
    ],
    by: Annotated[
        list[str], typer.Option("--by", metavar="FIELD", help="Spread over it; repeat it.")
    ],
    data: Entry = None,
    show: Annotated[
        list[str] | None, typer.Option("--show", metavar="FIELD", help="A column for reviewers.")
    ] = None,
    freeze: Annotated[
        Path | None, typer.Option("--freeze", help="Write what is accepted, for good.")
    ] = None,
    log_dir: LogDir = RUNS,
    sets: Sets = None,
    sandbox: Sandbox = Tier.auto,
) -> None:
    """Propose an evaluation set, replace what people reject, and freeze it."""
    from outdo.cli.pick import pick_rows

    pick_rows(
        study,
        data=data,
        count=count,
        by=by,
        show=show or [],
        review=review,
        frozen=freeze,
        log_dir=log_dir,
        overrides=sets or [],
        tier=sandbox.value,
    )
