"""The verbs under `outdo data evolve`: pairs of commits, of critiques, of rows by others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outdo.cli.gather import (
    Alike,
    Allow,
    Before,
    DateField,
    Entry,
    Evaluation,
    Licence,
    LicenceField,
    Out,
    Overlap,
    SameGroups,
)
from outdo.cli.options import (
    RUNS,
    BaseUrl,
    Budget,
    DryRun,
    LocalOnly,
    LogDir,
    MaxConnections,
    PriceFile,
    Sandbox,
    Sets,
    Tier,
)

if TYPE_CHECKING:
    from outdo.cli.evolved import Terms

Most = Annotated[int | None, typer.Option("--limit", min=1, help="Ask of no more rows than this.")]
Seed = Annotated[int, typer.Option("--seed", help="Of the order in which rows are taken.")]
Drop = Annotated[
    bool, typer.Option("--drop", help="Count rows that can't be used instead of stopping.")
]
Form = Annotated[
    str,
    typer.Option("--prompt", help="json, which servers are held to, direct (YAML), or brief."),
]
Context = Annotated[
    int | None,
    typer.Option("--context", min=16, help="Cut a change to a prompt of so many tokens."),
]
Temperature = Annotated[float, typer.Option("--temperature", min=0.0)]
MaxTokens = Annotated[int, typer.Option("--max-tokens", min=1, help="Of one reply.")]


def add_verbs(data: typer.Typer) -> None:
    """Give `outdo data` the group `evolve`."""
    evolve = typer.Typer(help="Let models make pairs of programs.", no_args_is_help=True)
    for verb in (commits, critiques, pairs):
        evolve.command()(verb)
    data.add_typer(evolve, name="evolve")


def commits(
    rows: Annotated[Path, typer.Argument(metavar="COMMITS", help="Mined, or as CommitPackFT.")],
    teacher: Annotated[str, typer.Option("--teacher", help="Who is asked, as openai/<model>.")],
    out: Out,
    prompt: Form = "json",
    limit: Most = None,
    context: Context = None,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 4096,
    seed: Seed = 1,
    drop: Drop = False,
    licence: Licence = None,
    licence_field: LicenceField = None,
    allow: Allow = None,
    evaluation: Evaluation = None,
    same_groups: SameGroups = False,
    before: Before = None,
    date_field: DateField = "given.date",
    overlap: Overlap = 0.2,
    alike: Alike = 0.8,
    log_dir: LogDir = RUNS,
    sandbox: Sandbox = Tier.auto,
    base_url: BaseUrl = None,
    max_connections: MaxConnections = None,
    budget: Budget = None,
    prices: PriceFile = None,
    local_only: LocalOnly = False,
    dry_run: DryRun = False,
) -> None:
    """Commit-Instruct: let a teacher turn commits that improve something into pairs."""
    said = locals()
    from outdo.cli.evolved import pairs_of_commits
    from outdo.study import Answering

    ask = Answering(
        model=teacher,
        prompt=prompt,
        context=context,
        temperature=temperature,
        max_tokens=max_tokens,
    )
    pairs_of_commits(rows, ask=ask, terms=_terms(said))


def critiques(
    drafter: Annotated[str, typer.Option("--drafter", help="Who writes the drafts.")],
    critic: Annotated[str, typer.Option("--critic", help="Who criticises them: another model.")],
    out: Out,
    study: Annotated[
        Path | None, typer.Option("--study", help="Whose training examples are answered.")
    ] = None,
    data: Entry = None,
    instructions: Annotated[
        Path | None, typer.Option("--instructions", help="A file of instructions, for a study.")
    ] = None,
    prompt: Form = "json",
    limit: Most = None,
    draft_tokens: Annotated[
        int, typer.Option("--draft-tokens", min=1, help="Of one draft.")
    ] = 1024,
    temperature: Temperature = 0.0,
    max_tokens: MaxTokens = 4096,
    seed: Seed = 1,
    drop: Drop = False,
    licence: Licence = None,
    licence_field: LicenceField = None,
    allow: Allow = None,
    evaluation: Evaluation = None,
    same_groups: SameGroups = False,
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
    dry_run: DryRun = False,
) -> None:
    """Critic-Evol: let a critic revise a weaker model's programs where they aren't good enough."""
    said = locals()
    from outdo.cli.evolved import pairs_of_critiques
    from outdo.study import Answering

    pairs_of_critiques(
        study=study,
        data=data,
        instructions=instructions,
        draft=Answering(model=drafter, temperature=temperature, max_tokens=draft_tokens),
        criticise=Answering(
            model=critic, prompt=prompt, temperature=temperature, max_tokens=max_tokens
        ),
        overrides=sets or [],
        terms=_terms(said),
    )


def pairs(
    rows: Annotated[Path, typer.Argument(metavar="ROWS", help="CodeFavor's decomposed rows.")],
    out: Out,
    limit: Most = None,
    drop: Drop = False,
    licence: Licence = None,
    allow: Allow = None,
    evaluation: Evaluation = None,
    same_groups: SameGroups = False,
    overlap: Overlap = 0.2,
    alike: Alike = 0.8,
) -> None:
    """Take over pairs that CodeFavor's recipe made elsewhere."""
    said = locals()
    from outdo.cli.evolved import pairs_of_rows

    pairs_of_rows(rows, terms=_terms(said))


def _terms(said: Mapping[str, Any]) -> Terms:
    """A verb's options, those that it doesn't have at their defaults."""
    from outdo.cli.evolved import Terms
    from outdo.cli.remote import Remote
    from outdo.cli.teach import remote_of, sieve_of

    absent: dict[str, Any] = dict.fromkeys(("licence_field", "before", "date_field", "grounded"))
    return Terms(
        out=said["out"],
        log_dir=said.get("log_dir", RUNS),
        sieve=sieve_of({**absent, "repaired": True, **said}),
        remote=remote_of(said) if "base_url" in said else Remote(),
        tier=said["sandbox"].value if "sandbox" in said else "auto",
        seed=said.get("seed", 1),
        limit=said["limit"],
        drop=said["drop"],
        dry_run=said.get("dry_run", False),
    )
