"""Pull requests from GitHub, or a server that speaks as it does, with reviews and comments.

The list is read page by page, the oldest first; a page that hasn't changed since all of it was
looked at isn't read again. Of a pull request that comes through the first gates the diff is read,
and only then the rest. Names of people aren't kept: they are the author, or reviewers by number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outdo.data.licences import refusal
from outdo.data.mining import output
from outdo.data.mining.commits import Mined
from outdo.data.mining.filters import is_bot, plain_message, subject_fault
from outdo.data.mining.output import Output, Progress
from outdo.data.mining.pull_rows import GATES, PullFilters, PullRow, diff_fault, write_pull
from outdo.data.mining.rest import DIFF, Rest, listed
from outdo.data.sifting import Drop
from outdo.errors import DataError
from outdo.records import Json

PER_PAGE = 100
LIST = "state=closed&sort=created&direction=asc"

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def is_name(place: str) -> bool:
    """Whether a place is named as owner/name."""
    return bool(_NAME.fullmatch(place))


def mine_github(
    name: str,
    out: Path | str,
    *,
    rest: Rest,
    filters: PullFilters | None = None,
    licence: str | None = None,
    allow: Sequence[str] = (),
    limit: int | None = None,
    progress: Progress | None = None,
) -> Mined:
    """Write the merged pull requests of a repository on a server as rows, and a card beside them.

    A run that was stopped goes on with those that weren't looked at, one that was finished with
    those that were closed since. Raises DataError for a licence that isn't permitted, and where the
    server can't be asked.
    """
    filters = (filters or PullFilters()).checked()
    about, _ = rest.json(f"repos/{name}")
    if not isinstance(about, Mapping):
        raise DataError("the server sent no object", "see the base URL", where=f"repos/{name}")
    name = str(about.get("full_name") or name)
    licence = _permitted(about, licence, allow)
    options = {"kind": "pulls of a server", "repo": name, "licence": licence}
    options |= {"server": rest.base_url, **filters.told()}
    with output.opened(out, options=options, gates=GATES) as rows:
        miner = _Miner(name, rest, rows, filters, *_stopped(rows.stopped))
        before = len(miner.numbers)
        try:
            done = miner.mine(limit=limit, progress=progress)
        finally:
            miner.save()
        told = rows.tell(
            about={
                "repository": name,
                "pull requests looked at": len(miner.numbers),
                "filters": filters.told(),
            },
            group=name,
            licence=licence,
            title=f"Pull requests of {name}",
        )
    looked = len(miner.numbers)
    return Mined(kept=rows.tally.kept, looked_at=looked, now=looked - before, done=done, told=told)


def _permitted(about: Mapping[str, Json], licence: str | None, allow: Sequence[str]) -> str:
    said = (about.get("license") or {}).get("spdx_id")
    found = licence or (said if said != "NOASSERTION" else None)
    where = str(about.get("full_name") or "")
    if found is None:
        hint = "--license MIT, if you know it; --license own, if the code is yours"
        raise DataError("the server knows no licence of it", hint, where=where)
    if why := refusal(found, allowed=allow):
        hint = f"--allow {found}, or --license own if the code is yours"
        raise DataError(why, hint, where=where)
    return str(found)


def _stopped(stopped: Mapping[str, Json]) -> tuple[set[int], dict[str, dict[str, Json]]]:
    """The numbers that were looked at, and the pages that were looked at whole."""
    return set(stopped.get("numbers", ())), dict(stopped.get("pages", {}))


@dataclass(slots=True)
class _Miner:
    name: str
    rest: Rest
    rows: Output
    filters: PullFilters
    numbers: set[int]
    pages: dict[str, dict[str, Json]]

    def save(self) -> None:
        self.rows.save({"numbers": sorted(self.numbers), "pages": self.pages})

    def mine(self, *, limit: int | None, progress: Progress | None) -> bool:
        """Look at what is left, page by page; whether nothing is left."""
        place: str | None = f"repos/{self.name}/pulls?{LIST}&per_page={PER_PAGE}"
        while place:
            known = self.pages.get(place, {})
            reply = self.rest.ask(place, etag=str(known.get("etag") or ""))
            if reply.status == 304:
                place = known.get("next")
                continue
            if reply.status != 200:
                problem = f"HTTP {reply.status}: {reply.said() or 'no reason is given'}"
                raise DataError(problem, "see the name and the base URL", where=place)
            for pull in listed(self.rest.read(reply, place), place):
                if pull["number"] in self.numbers:
                    continue
                if limit is not None and self.rows.tally.kept >= limit:
                    return False
                self._look(pull)
                self.numbers.add(pull["number"])
                if progress is not None:
                    progress(len(self.numbers), None, self.rows.tally.kept)
                if self.rows.is_due():
                    self.save()
            self.pages[place] = {"etag": reply.etag, "next": reply.next}
            place = reply.next
        return True

    def _look(self, pull: Mapping[str, Json]) -> None:
        """Put a pull request through the gates, the cheap ones first, and write it."""
        number = pull["number"]
        drop = self.rows.tally.drop
        if not pull.get("merged_at"):
            return drop("history", f"#{number}", Drop("closed without a merge"))
        user = pull.get("user") or {}
        if user.get("type") == "Bot" or is_bot(str(user.get("login") or "")):
            return drop("author", f"#{number}", Drop("a bot"))
        title = " ".join(str(pull.get("title") or "").split())
        if why := subject_fault(title):
            return drop("title", f"#{number}", Drop(why, title[:80]))
        reply = self.rest.ask(f"repos/{self.name}/pulls/{number}", accept=DIFF)
        if reply.status != 200:
            why = f"the server gives no diff: {reply.said() or f'HTTP {reply.status}'}"
            return drop("diff", f"#{number}", Drop(why))
        try:
            diff = reply.body.decode("utf-8")
        except UnicodeDecodeError:
            return drop("diff", f"#{number}", Drop("a file that is no UTF-8"))
        if fault := diff_fault(diff, self.filters):
            return drop(fault[0], f"#{number}", fault[1])
        return write_pull(self.rows, self._row(pull, title, diff), self.filters)

    def _row(self, pull: Mapping[str, Json], title: str, diff: str) -> PullRow:
        """The whole pull request, of which the server is asked now."""
        place = f"repos/{self.name}/pulls/{pull['number']}"
        people = _People(str((pull.get("user") or {}).get("login") or ""))
        talk = f"repos/{self.name}/issues/{pull['number']}/comments"
        commits = list(self.rest.pages(f"{place}/commits?per_page={PER_PAGE}"))
        reviews = list(self.rest.pages(f"{place}/reviews?per_page={PER_PAGE}"))
        comments = list(self.rest.pages(f"{place}/comments?per_page={PER_PAGE}"))
        discussion = list(self.rest.pages(f"{talk}?per_page={PER_PAGE}"))
        return PullRow(
            number=pull["number"],
            merged_as="server",
            sha=str(pull.get("merge_commit_sha") or ""),
            date=str(pull["merged_at"]),
            title=title,
            body=_text(pull.get("body")),
            commits=[_commit(each) for each in commits],
            diff=diff,
            rest={
                "reviews": [_review(each, people) for each in reviews],
                "comments": [_comment(each, people) for each in comments],
                "discussion": [_remark(each, people) for each in discussion],
            },
        )


@dataclass(slots=True)
class _People:
    """People of one pull request, as the author, bots, and reviewers in the order they come."""

    author: str
    others: dict[str, str] = field(default_factory=dict)

    def of(self, said: Mapping[str, Json]) -> str:
        """Who said it, without a name."""
        user = said.get("user") or {}
        login = str(user.get("login") or "")
        if user.get("type") == "Bot" or is_bot(login):
            return "bot"
        if login and login == self.author:
            return "author"
        return self.others.setdefault(login, f"reviewer-{len(self.others) + 1}")


def _text(said: Json) -> str:
    return str(said or "").replace("\r\n", "\n").strip()


def _commit(told: Mapping[str, Json]) -> dict[str, str]:
    message = plain_message(_text((told.get("commit") or {}).get("message")))
    subject, _, body = message.partition("\n")
    return {"sha": str(told.get("sha") or ""), "subject": subject.strip(), "body": body.strip()}


def _remark(told: Mapping[str, Json], people: _People) -> dict[str, Json]:
    """What somebody said, who in this talk, and when."""
    return {
        "by": people.of(told),
        "association": str(told.get("author_association") or ""),
        "date": str(told.get("created_at") or told.get("submitted_at") or ""),
        "body": _text(told.get("body")),
    }


def _review(told: Mapping[str, Json], people: _People) -> dict[str, Json]:
    """A review: its verdict, and what it says as a whole."""
    return {**_remark(told, people), "id": told.get("id"), "state": str(told.get("state") or "")}


def _comment(told: Mapping[str, Json], people: _People) -> dict[str, Json]:
    """A comment on lines of a file; of an outdated one the lines are those of its first commit."""
    line, first = told.get("line"), told.get("start_line")
    outdated = line is None
    return {
        **_remark(told, people),
        "id": told.get("id"),
        "review": told.get("pull_request_review_id"),
        "reply_to": told.get("in_reply_to_id"),
        "path": str(told.get("path") or ""),
        "line": told.get("original_line") if outdated else line,
        "start_line": told.get("original_start_line") if outdated else first,
        "side": str(told.get("side") or "RIGHT"),
        "outdated": outdated,
        "commit": str(told.get("original_commit_id") or ""),
        "diff_hunk": str(told.get("diff_hunk") or ""),
    }
