"""Pull requests out of a repository alone: what was squashed, merged, or lies in `refs/pull`.

A subject that ends in «(#12)» is a pull request that was squashed, and «Merge pull request #12» one
that was merged; what else lies in `refs/pull` is compared with where it left the branch. Titles,
bodies and commits are what git knows of them; reviews and comments it doesn't know.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from outdo.data.mining import output
from outdo.data.mining.commits import Mined, permitted
from outdo.data.mining.filters import is_bot, plain_message
from outdo.data.mining.git import Commit, Patches, Repository
from outdo.data.mining.output import Output, Progress
from outdo.data.mining.pull_rows import GATES, PullFilters, PullRow, write_pull
from outdo.data.pulls import LONGEST_DIFF
from outdo.data.sifting import Drop

WINDOW = 16
"""Pull requests whose diffs are asked for together."""

COMMITS = 100
"""Commits of a pull request that are told, the newest."""

_SQUASHED = re.compile(r"\s*\(#(\d{1,9})\)\s*$")
_MERGED = re.compile(r"Merge pull request #(\d{1,9}) from (\S+)")
_BULLET = re.compile(r"(?m)^\* (\S.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A pull request before its diff is read, which is that from `base` to `head`."""

    number: int
    merged_as: str
    sha: str
    date: str
    author: str
    title: str
    body: str
    base: str | None
    head: str
    commits: tuple[Mapping[str, str], ...] = ()


def mine_pulls(
    repository: Repository,
    out: Path | str,
    *,
    filters: PullFilters | None = None,
    licence: str | None = None,
    allow: Sequence[str] = (),
    repo: str | None = None,
    revision: str = "HEAD",
    limit: int | None = None,
    progress: Progress | None = None,
) -> Mined:
    """Write the pull requests that a repository tells of as rows, and a card beside them.

    Each number is looked at once, whatever was fetched since: a run that was stopped, or finished,
    goes on with the others. Raises DataError for a licence that isn't permitted.
    """
    filters = (filters or PullFilters()).checked()
    tip = repository.commit(revision)
    licence = permitted(repository, tip, licence=licence, allow=allow)
    name = repo or repository.name()
    options = {"kind": "pulls", "repo": name, "licence": licence, "revision": revision}
    with output.opened(out, options={**options, **filters.told()}, gates=GATES) as rows:
        known = set(rows.stopped.get("numbers", ()))
        before = len(known)
        done = _mine(repository, tip, rows, filters, known, limit, progress)
        about = {"repository": name, "pull requests looked at": len(known)}
        told = rows.tell(
            about={**about, "filters": filters.told()},
            group=name,
            licence=licence,
            title=f"Pull requests of {name}",
        )
    now = len(known) - before
    note = "the history is cut off: this clone is shallow" if repository.cut else ""
    kept = rows.tally.kept
    return Mined(kept=kept, looked_at=len(known), now=now, done=done, told=told, note=note)


def _mine(
    repository: Repository,
    tip: str,
    rows: Output,
    filters: PullFilters,
    known: set[int],
    limit: int | None,
    progress: Progress | None,
) -> bool:
    """Look at every pull request that isn't known; whether none is left."""
    left = (found for found in pulls_in(repository, tip, known))
    with Patches(repository, most_bytes=filters.most_bytes) as patches:
        while limit is None or rows.tally.kept < limit:
            width = WINDOW if limit is None else min(WINDOW, limit - rows.tally.kept)
            window = list(itertools.islice(left, width))
            if not window:
                rows.save({"numbers": sorted(known)})
                return True
            _look(window, rows, filters, patches)
            known.update(found.number for found in window)
            if progress is not None:
                progress(len(known), None, rows.tally.kept)
            if rows.is_due():
                rows.save({"numbers": sorted(known)})
    rows.save({"numbers": sorted(known)})
    return False


def _look(window: Sequence[Found], rows: Output, filters: PullFilters, patches: Patches) -> None:
    """Put some pull requests through the gates, and write what comes through."""
    held = []
    for found in window:
        name = f"#{found.number}"
        if found.base is None:
            rows.tally.drop("history", name, Drop("its beginning isn't in this clone"))
        elif found.base == found.head:
            rows.tally.drop("history", name, Drop("merged, and no commit says which"))
        elif is_bot(found.author):
            rows.tally.drop("author", name, Drop("a bot"))
        else:
            held.append(found)
    wanted = [f"{found.head} {found.base}" for found in held]
    for found, patch in zip(held, patches.of(wanted, most=4 * LONGEST_DIFF), strict=True):
        try:
            diff = patch.decode("utf-8")
        except UnicodeDecodeError:
            rows.tally.drop("diff", f"#{found.number}", Drop("a file that is no UTF-8"))
            continue
        write_pull(rows, _row(found, diff), filters)


def _row(found: Found, diff: str) -> PullRow:
    return PullRow(
        number=found.number,
        merged_as=found.merged_as,
        sha=found.sha,
        date=found.date,
        title=found.title,
        body=found.body,
        commits=found.commits,
        diff=diff,
        rest={},
    )


# ------------------------------------------------------------------ what there is


def pulls_in(repository: Repository, tip: str, known: set[int]) -> Iterator[Found]:
    """The pull requests that are not known yet: those of the branch, newest first, then of refs.

    A number comes once; what becomes known while this goes on isn't told again.
    """
    heads = repository.pulls()
    told: set[int] = set()
    for commit in repository.commits(tip, line=True, changes=False):
        number = _number(commit)
        if number is None or number in told or commit.sha in repository.cut:
            continue
        told.add(number)
        if number not in known:
            yield _of_branch(repository, commit, number, heads.get(number))
    for number, head in heads.items():
        if number not in told and number not in known:
            yield _of_refs(repository, tip, number, head)


def _number(commit: Commit) -> int | None:
    """The number of the pull request that a commit of the branch brought in."""
    if len(commit.parents) == 1 and (found := _SQUASHED.search(commit.subject)):
        return int(found[1])
    if len(commit.parents) == 2 and (found := _MERGED.match(commit.subject)):
        return int(found[1])
    return None


def _of_branch(repository: Repository, commit: Commit, number: int, head: str | None) -> Found:
    """The pull request that a commit squashed or merged."""
    _, _, rest = plain_message(commit.message).partition("\n")
    if len(commit.parents) == 1:
        base: str | None = commit.parents[0]
        title, body, merged_as = _SQUASHED.sub("", commit.subject), rest.strip(), "squash"
        own = _commits(repository, repository.base(head, commit.sha), head) if head else ()
        head = commit.sha
        author = commit.author
    else:
        head = commit.parents[1]
        base = repository.base(commit.parents[0], head)
        title, _, body = rest.strip().partition("\n")
        merged_as, body = "merge", body.strip()
        own = _commits(repository, base, head)
        branch = _MERGED.match(commit.subject)
        author = f"{branch[2] if branch else ''} {commit.author}"
    return Found(
        number=number,
        merged_as=merged_as,
        sha=commit.sha,
        date=commit.date,
        author=author,
        title=title,
        body=body,
        base=base,
        head=head,
        commits=own or tuple({"subject": each, "body": ""} for each in _BULLET.findall(body)),
    )


def _of_refs(repository: Repository, tip: str, number: int, head: str) -> Found:
    """A pull request that only its head tells of: its title is that of its one commit."""
    base = repository.base(tip, head)
    own = _commits(repository, base, head)
    newest = next(iter(repository.commits(head, most=1, changes=False)))
    alone = own[0] if len(own) == 1 else {"subject": "", "body": ""}
    return Found(
        number=number,
        merged_as="refs",
        sha=head,
        date=newest.date,
        author=newest.author,
        title=alone["subject"],
        body=alone["body"],
        base=base,
        head=head,
        commits=own,
    )


def _commits(repository: Repository, base: str | None, head: str) -> tuple[dict[str, str], ...]:
    """The commits from a base to a head, the oldest first; merges are none."""
    if base is None:
        return ()
    found = repository.commits(head, without=[base], most=COMMITS, changes=False)
    made = []
    for commit in found:
        if len(commit.parents) < 2:
            subject, _, body = plain_message(commit.message).partition("\n")
            made.append({"sha": commit.sha, "subject": subject.strip(), "body": body.strip()})
    return tuple(reversed(made))
