"""The verbs that make rows of repositories: their commits, and their pull requests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from outdo.cli.options import LocalOnly
from outdo.errors import DataError

if TYPE_CHECKING:
    from outdo.data.mining.commits import Mined
    from outdo.data.mining.output import Progress
    from outdo.pipeline.protocols import Tally

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
            progress=_telling(tally),
        )
    _tell(mined, "commits", out)


@mine.command()
def pulls(
    place: PullPlace,
    out: Out,
    language: Languages = None,
    most_files: Annotated[
        int, typer.Option("--most-files", min=1, help="Changed files, at most.")
    ] = 50,
    licence: Licence = None,
    allow: Allow = None,
    repo: Repo = None,
    revision: Revision = "HEAD",
    limit: Limit = None,
    base_url: Annotated[
        str | None,
        typer.Option("--base-url", help="A GitHub of your own, as https://host/api/v3."),
    ] = None,
    local_only: LocalOnly = False,
) -> None:
    """Write merged pull requests as rows; those of OWNER/NAME with reviews and comments.

    A server is asked with the token in GITHUB_TOKEN, no faster than it allows.
    """
    from outdo.cli.watch import watcher
    from outdo.data.mining.cloning import repository_of
    from outdo.data.mining.github import is_name, mine_github
    from outdo.data.mining.pull_rows import PullFilters
    from outdo.data.mining.pulls import mine_pulls
    from outdo.data.mining.rest import Rest

    _stay(place, local_only)
    of_server = is_name(place) and not Path(place).exists()
    with watcher().stage("mine pulls", total=None, unit="pull requests") as tally:
        options: dict[str, Any] = {
            "filters": PullFilters(languages=tuple(language or ["Python"]), most_files=most_files),
            "licence": licence,
            "allow": allow or [],
            "limit": limit,
            "progress": _telling(tally),
        }
        if of_server:
            rest = Rest.of_environment(base_url, tell=_waiting)
            mined = mine_github(place, out, rest=rest, **options)
        else:
            repository = repository_of(place, out, pulls=True)
            mined = mine_pulls(repository, out, repo=repo, revision=revision, **options)
    _tell(mined, "pull requests", out)


def _stay(place: str, local_only: bool) -> None:
    """Raises DataError where something would be fetched, and nothing may."""
    if local_only and not Path(place).exists():
        hint = "name a folder, or leave --local-only out"
        raise DataError("this would be fetched, and --local-only forbids it", hint, where=place)


def _telling(tally: Tally) -> Progress:
    """Progress as a person sees it: how many a second, how many are kept, how long it takes."""

    def progress(looked: int, total: int | None, kept: int) -> None:
        tally(looked, total=total, note=f"{kept:,} kept")

    return progress


def _waiting(seconds: float, why: str) -> None:
    """Say that a server is waited for, and why."""
    if seconds >= 5:
        print(f"waiting {seconds:,.0f} s: {why}", file=sys.stderr, flush=True)


def _tell(mined: Mined, unit: str, out: Path) -> None:
    """What a run came to, and where it lies."""
    so_far = "" if mined.done else "; the same command goes on"
    looked = f"{mined.looked_at:,} {unit}, {mined.now:,} of them looked at now"
    print(f"{mined.kept:,} rows of {looked}{so_far}")
    if mined.note:
        print(f"  {mined.note}")
    print(f"  {out}, {out.with_suffix('.report.json').name}, {out.with_suffix('.card.md').name}")
