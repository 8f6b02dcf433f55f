"""Commits as rows: a file before, the author's words, the file after, and the diff.

The history streams by once, newest first, and only what comes through the filters is read: first
the sizes of files, then the files. What is held in memory is a window of commits, whatever the
history's length.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from outdo.data.licences import OWN, refusal
from outdo.data.mining import output
from outdo.data.mining.filters import (
    GATES,
    Filters,
    change_fault,
    changed_lines,
    commit_fault,
    edit_fault,
    plain_message,
    size_fault,
    text_of,
)
from outdo.data.mining.git import Change, Commit, Contents, Patches, Repository, Sizes
from outdo.data.mining.licence_files import licence_names, stated
from outdo.data.mining.output import Output, Progress
from outdo.data.mining.scrubbing import Scrubber, Version
from outdo.data.mining.tally import Tally
from outdo.data.sifting import Drop
from outdo.diffs.roles import is_test
from outdo.errors import DataError
from outdo.records import Json

WINDOW = 64
"""Commits that are looked at together."""

HELD = 4_000_000
"""Characters of files that are held for the edits before."""

DROPPED = 200
"""What a file that is no text counts there."""

LICENCE_BYTES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """What runs came to: `looked_at` in all, `now` by the last, and whether nothing is left."""

    kept: int
    looked_at: int
    now: int
    done: bool
    told: Mapping[str, Json]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Edit:
    """A file of a commit on its way through the gates."""

    commit: Commit
    change: Change

    @property
    def path(self) -> str:
        return self.change.path.decode("utf-8")

    @property
    def name(self) -> str:
        """How a card names it."""
        return f"{self.commit.sha[:12]}:{self.change.path.decode('utf-8', 'replace')}"


def licence_in(repository: Repository, tip: str) -> str | None:
    """The licence that the repository's own files state at a commit, None if it isn't known."""
    at_top = dict(repository.files(tip))
    names = licence_names(at_top)
    with Sizes(repository) as sizes, Contents(repository) as contents:
        known = [
            name
            for name, size in zip(names, sizes.of([at_top[n] for n in names]), strict=True)
            if size is not None and size <= LICENCE_BYTES
        ]
        texts = contents.of([at_top[name] for name in known])
        return stated(
            {n: (t or b"").decode("utf-8", "replace") for n, t in zip(known, texts, strict=True)}
        )


def permitted(
    repository: Repository, tip: str, *, licence: str | None, allow: Sequence[str]
) -> str:
    """The licence under which rows of a repository are mined.

    Raises DataError where its files state none, or one that isn't permitted, and `licence` says
    nothing else.
    """
    found = licence or licence_in(repository, tip)
    if found is None:
        hint = f"--license MIT, if you know it; --license {OWN}, if the code is yours"
        problem = "its files state no licence that is known"
        raise DataError(problem, hint, where=str(repository.path))
    if why := refusal(found, allowed=allow):
        hint = f"--allow {found}, or --license {OWN} if the code is yours"
        raise DataError(why, hint, where=str(repository.path))
    return found


def mine_commits(
    repository: Repository,
    out: Path | str,
    *,
    filters: Filters | None = None,
    licence: str | None = None,
    allow: Sequence[str] = (),
    repo: str | None = None,
    revision: str = "HEAD",
    limit: int | None = None,
    progress: Progress | None = None,
) -> Mined:
    """Write the commits that lead to `revision` as rows, and a card beside them.

    A run that was stopped goes on where it stopped, on the history that it began with; one that
    was finished takes what is new since. `limit` stops at so many rows, and the next run goes on.
    Raises DataError for a licence that isn't permitted, or a history that no longer has what was
    mined.
    """
    filters = (filters or Filters()).checked()
    tip = repository.commit(revision)
    licence = permitted(repository, tip, licence=licence, allow=allow)
    options = {"kind": "commits", "repo": repo or repository.name(), "licence": licence}
    options |= {"revision": revision, **filters.told()}
    with output.opened(out, options=options, gates=GATES) as rows:
        span = _Span.of(repository, tip, rows.stopped)
        miner = _Miner(repository, rows, filters, Scrubber())
        now, done = miner.mine(span, limit=limit, progress=progress)
        about = {
            "repository": options["repo"],
            "commits looked at": span.before + span.skip + now,
            "history": "cut off: a shallow clone" if repository.cut else "whole",
            "filters": filters.told(),
        }
        told = rows.tell(
            about=about,
            group=str(options["repo"]),
            licence=licence,
            title=f"Commits of {options['repo']}",
        )
    note = "the history is cut off: this clone is shallow" if repository.cut else ""
    seen = span.before + span.skip + now
    return Mined(kept=rows.tally.kept, looked_at=seen, now=now, done=done, told=told, note=note)


# ------------------------------------------------------------------ where to go on


@dataclass(frozen=True, slots=True)
class _Span:
    """The commits that lead to `tip` and not to `without`, of which `skip` were looked at.

    `last` is the last of those; `before` were looked at in spans that are finished.
    """

    tip: str
    without: tuple[str, ...] = ()
    skip: int = 0
    last: str = ""
    before: int = 0

    @classmethod
    def of(cls, repository: Repository, tip: str, stopped: Mapping[str, Json]) -> _Span:
        """What is left to do after a run that stopped, or that was finished."""
        if not stopped:
            return cls(tip)
        told = {key: value for key, value in stopped.items() if key != "done"}
        span = replace(cls(**told), without=tuple(stopped["without"]))
        if not repository.holds(span.tip):
            hint = "it was rewritten, or is another one: name another file"
            problem = f"the repository no longer has the commit {span.tip[:12]}"
            raise DataError(problem, hint, where=str(repository.path))
        if not stopped["done"]:
            return span
        return cls(tip, without=(span.tip,), before=span.before + span.skip)

    def stopped(self, *, looked_at: int, last: str, done: bool) -> dict[str, Json]:
        """What a run stores of where it stopped."""
        return {
            "tip": self.tip,
            "without": list(self.without),
            "skip": self.skip + looked_at,
            "last": last or self.last,
            "before": self.before,
            "done": done,
        }

    def commits(self, repository: Repository) -> Iterator[Commit]:
        """Those that are left. Raises DataError if the last one isn't where it was."""
        if not self.skip:
            yield from repository.commits(self.tip, without=self.without)
            return
        left = repository.commits(self.tip, without=self.without, skip=self.skip - 1)
        last = next(left, None)
        if last is None or last.sha != self.last:
            hint = "it was rewritten or cut since: name another file"
            problem = f"the commit {self.last[:12]} isn't where it was"
            raise DataError(problem, hint, where=str(repository.path))
        yield from left


# ------------------------------------------------------------------ the work


@dataclass(slots=True)
class _Miner:
    repository: Repository
    rows: Output
    filters: Filters
    scrubber: Scrubber
    texts: dict[str, str | Drop] = field(default_factory=dict)
    held: int = 0

    @property
    def tally(self) -> Tally:
        return self.rows.tally

    def mine(
        self, span: _Span, *, limit: int | None, progress: Progress | None
    ) -> tuple[int, bool]:
        """Look at what is left; how many commits that were, and whether none is left."""
        total = self.repository.count(span.tip, without=span.without)
        looked, last, done = 0, "", False
        with ExitStack() as stack:
            sizes = stack.enter_context(Sizes(self.repository))
            contents = stack.enter_context(Contents(self.repository))
            most = self.filters.most_bytes + 1
            patches = stack.enter_context(Patches(self.repository, most_bytes=most))
            history = span.commits(self.repository)
            stack.callback(history.close)  # type: ignore[attr-defined]
            self.rows.save(span.stopped(looked_at=0, last="", done=False))
            while limit is None or self.tally.kept < limit:
                window = list(itertools.islice(history, self._width(limit)))
                if not window:
                    done = True
                    break
                self._look(window, sizes, contents, patches)
                looked, last = looked + len(window), window[-1].sha
                if progress is not None:
                    progress(span.skip + looked, total, self.tally.kept)
                if self.rows.is_due():
                    self.rows.save(span.stopped(looked_at=looked, last=last, done=False))
        self.rows.save(span.stopped(looked_at=looked, last=last, done=done))
        return looked, done

    def _width(self, limit: int | None) -> int:
        """Commits of the next window: no more than may be kept."""
        if limit is None:
            return WINDOW
        return min(WINDOW, max(1, (limit - self.tally.kept) // self.filters.files))

    def _look(
        self, window: Sequence[Commit], sizes: Sizes, contents: Contents, patches: Patches
    ) -> None:
        """Put a window of commits through the gates, and write what comes through."""
        edits = [edit for commit in window for edit in self._edits(commit)]
        names = [n for edit in edits for n in (edit.change.before, edit.change.after)]
        known = sizes.of(names)
        held = []
        for edit, pair in zip(edits, zip(known[::2], known[1::2], strict=True), strict=True):
            if fault := size_fault(pair, self.filters):
                self.tally.drop(fault[0], edit.name, fault[1])
            else:
                held.append(edit)
        wanted = list(dict.fromkeys(edit.commit.sha for edit in held))
        diffs = dict(zip(wanted, map(_by_file, patches.of(wanted)), strict=True))
        texts = self._read([n for e in held for n in (e.change.before, e.change.after)], contents)
        for edit in held:
            sides = texts[edit.change.before], texts[edit.change.after]
            self._keep(edit, sides, diffs[edit.commit.sha][_place(edit)])

    def _read(self, names: Sequence[str], contents: Contents) -> Mapping[str, str | Drop]:
        """Texts by their names; what was after one edit is before the next, and is read once."""
        known = {name: self.texts[name] for name in names if name in self.texts}
        missing = [name for name in dict.fromkeys(names) if name not in known]
        for name, content in zip(missing, contents.of(missing), strict=True):
            text = known[name] = self.texts[name] = text_of(content or b"", self.filters)
            self.held += len(text) if isinstance(text, str) else DROPPED
        while self.held > HELD:
            old = self.texts.pop(next(iter(self.texts)))
            self.held -= len(old) if isinstance(old, str) else DROPPED
        return known

    def _edits(self, commit: Commit) -> Iterator[_Edit]:
        """The files of a commit that may be rows, by what the history tells."""
        if fault := commit_fault(commit, self.filters, self.repository.cut):
            self.tally.drop(fault[0], commit.sha[:12], fault[1])
            return
        for change in commit.changes:
            edit = _Edit(commit, change)
            if fault := change_fault(change, self.filters):
                self.tally.drop(fault[0], edit.name, fault[1])
            else:
                yield edit

    def _keep(self, edit: _Edit, sides: Sequence[str | Drop], diff: bytes) -> None:
        """Write a row of what was read, unless its content says otherwise."""
        texts = []
        for text in sides:
            if isinstance(text, Drop):
                self.tally.drop("content", edit.name, text)
                return
            texts.append(text)
        patch = diff.decode("utf-8", "replace")
        gone, come = changed_lines(patch)
        if why := edit_fault(gone, come, self.filters):
            self.tally.drop("edit", edit.name, why)
            return
        self._write(edit, texts, patch, (len(come), len(gone)))

    def _write(self, edit: _Edit, texts: Sequence[str], patch: str, lines: tuple[int, int]) -> None:
        message = plain_message(edit.commit.message)
        path, was = edit.path, edit.change.was.decode("utf-8")
        old, new = Version(edit.change.before, texts[0]), Version(edit.change.after, texts[1])
        clean, found = self.scrubber.scrubbed([message, path, was], old, new, patch)
        if found:
            self.tally.scrubbed.update(found)
            patch = _rewritten(patch, texts, clean[3:])
            patch = _renamed(patch, {path: clean[1], was: clean[2]})
        row = {
            "repo": self.rows.options["repo"],
            "license": self.rows.options["licence"],
            "sha": edit.commit.sha,
            "date": edit.commit.date[:10],
            "subject": clean[0].partition("\n")[0].strip(),
            "message": clean[0],
            "path": clean[1],
            "added": lines[0],
            "deleted": lines[1],
            "is_test": is_test(path),
            "before": clean[3],
            "after": clean[4],
            "diff": patch,
        }
        if was != path:
            row["renamed_from"] = clean[2]
        self.rows.write(row, characters=len(clean[0]) + len(clean[4]))


# ------------------------------------------------------------------ diffs


def _place(edit: _Edit) -> int:
    """Where a file stands in its commit's diff; one that changed its kind stands there twice."""
    before = edit.commit.changes[: edit.commit.changes.index(edit.change)]
    return sum(2 if change.kind == "T" else 1 for change in before)


def _by_file(patch: bytes) -> list[bytes]:
    """A commit's diff, file by file; no line of a file's content begins as a header does."""
    places = [0] if patch.startswith(b"diff --git ") else []
    start = patch.find(b"\ndiff --git ")
    while start >= 0:
        places.append(start + 1)
        start = patch.find(b"\ndiff --git ", start + 1)
    return [patch[a:b] for a, b in itertools.pairwise([*places, len(patch)])]


def _rewritten(patch: str, texts: Sequence[str], clean: Sequence[str]) -> str:
    """A diff whose lines are those of the clean texts, which have as many lines as the texts.

    A file's diff alone shows less than the file, so that what is a secret there may not look like
    one here.
    """
    old = dict(zip(texts[0].split("\n"), clean[0].split("\n"), strict=True))
    new = dict(zip(texts[1].split("\n"), clean[1].split("\n"), strict=True))
    lines, inside = [], False
    for line in patch.split("\n"):
        if line.startswith("@@"):
            inside = True
            head, mark, shown = line[2:].partition("@@ ")
            whole = next((a for a in old if shown and a.startswith(shown)), shown)
            lines.append(f"@@{head}{mark}{shown if old.get(whole) == whole else ''}".rstrip(" "))
        elif inside and line[:1] in ("-", " "):
            lines.append(line[:1] + old.get(line[1:], line[1:]))
        elif inside and line[:1] == "+":
            lines.append("+" + new.get(line[1:], line[1:]))
        else:
            lines.append(line)
    return "\n".join(lines)


def _renamed(patch: str, names: Mapping[str, str]) -> str:
    """A diff whose headers have the clean names of files."""
    head, mark, rest = patch.partition("\n@@")
    for name, clean in names.items():
        if name != clean:
            head = head.replace(name, clean)
    return f"{head}{mark}{rest}"
