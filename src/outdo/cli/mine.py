"""The verbs that make rows of repositories: their commits, and their pull requests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from outdo.cli.options import LocalOnly

if TYPE_CHECKING:
    pass

Place = Annotated[
    str, typer.Argument(metavar="PATH|URL", help="A git repository, or where to clone one from.")
]
PullPlace = Annotated[
    str,
    typer.Argument(metavar="PATH|URL|OWNER/NAME", help="A git repository, or one on GitHub."),
]
Out = Annotated[Path, typer.Option("--out", help="The JSONL file to write, or to go on with.")]
Licence = Annotated[
    str | None,
    typer.Option("--license", "--licence", help="If its files don't say it; `own` is your code."),
]
Allow = Annotated[
    list[str] | None, typer.Option("--allow", help="Permit this licence too; repeat it.")
]
Repo = Annotated[str | None, typer.Option("--repo", help="What rows call it, as owner/name.")]
Revision = Annotated[str, typer.Option("--revision", help="The branch, tag or commit to start at.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Stop at so many rows.")]
Languages = Annotated[
    list[str] | None,
    typer.Option("--language", help="Of files, Python if not given; `any`; repeat it."),
]

mine = typer.Typer(help="Make rows of a repository's history.", no_args_is_help=True)


def add_verbs(data: typer.Typer) -> None:
    """Give `outdo data` the verbs of this module."""
    data.add_typer(mine, name="mine")


@mine.command()
def commits(
    place: Place,
    out: Out,
    language: Languages = None,
    files: Annotated[
        int, typer.Option("--files", min=1, max=100, help="Changed files of a commit, at most.")
    ] = 1,
    least_message: Annotated[
        int, typer.Option("--least-message", min=1, help="Characters of a message, at least.")
    ] = 12,
    most_bytes: Annotated[
        int, typer.Option("--most-bytes", min=1, help="Bytes of a file, at most.")
    ] = 100_000,
    most_lines: Annotated[
        int, typer.Option("--most-lines", min=1, help="Lines of a file, at most.")
    ] = 2_000,
    most_changed: Annotated[
        int, typer.Option("--most-changed", min=1, help="Changed lines of a file, at most.")
    ] = 200,
    licence: Licence = None,
    allow: Allow = None,
    repo: Repo = None,
    revision: Revision = "HEAD",
    limit: Limit = None,
    local_only: LocalOnly = False,
) -> None:
    """Write commits as rows: a file before, the message, the file after, the diff."""
    from outdo.cli.watch import watcher
    from outdo.data.mining.cloning import repository_of
    from outdo.data.mining.commits import mine_commits
    from outdo.data.mining.filters import Filters

    filters = Filters(
        languages=tuple(language or ["Python"]),
        files=files,
        least_message=least_message,
        most_bytes=most_bytes,
        most_lines=most_lines,
        most_changed=most_changed,
    )
    _stay(place, local_only)
    repository = repository_of(place, out)
    with watcher().stage("mine commits", total=None, unit="commits") as tally:
        mined = mine_commits(
            repository,
            out,
            filters=filters,
            licence=licence,
            allow=allow or [],
            repo=repo,
            revision=revision,
            limit=limit,
            progress=progress,
        )
    _tell(mined.kept, mined.looked_at, mined.now, "commits", out, done=mined.done, note=mined.note)


def _tell(kept: int, looked: int, now: int, unit: str, out: Path, *, done: bool, note: str) -> None:
    """What a run came to, and where it lies."""
    so_far = "" if done else "; the same command goes on"
    print(f"{kept:,} rows of {looked:,} {unit}, {now:,} of them looked at now{so_far}")
    if note:
        print(f"  {note}")
    print(f"  {out}, {out.with_suffix('.report.json').name}, {out.with_suffix('.card.md').name}")
