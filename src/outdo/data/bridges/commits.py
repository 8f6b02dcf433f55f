"""Commits in the forms that people have them in, as examples of `commit-instruct`.

Three forms are told apart by their fields: mined rows (`repo, sha, path, before, after, diff`),
CommitPackFT's (`commit, old_contents, new_contents, subject, message, lang, license, repos`), and
EditPackFT's, which are those with an `instruction`. Secrets and addresses go before anything else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from outdo import diffs, secrets
from outdo.data.load import reasons
from outdo.data.place import Place, content_name
from outdo.data.rows import Mistakes, Row, read_rows
from outdo.errors import DataError
from outdo.records import Example, Json, Split

MINED = ("repo", "sha", "before", "after")
PACKED = ("commit", "old_contents", "new_contents")

CONTEXT = 12
"""Unchanged lines that are shown around a change, where both sides are at hand."""

LONGEST = 100_000
"""Characters of a side beyond which a file says nothing in one reading."""

SAME = "before and after are the same"
NEW = "nothing stood there before, or nothing stands there after"
LONG = f"a side has more than {LONGEST:,} characters"
UNWRITTEN = "nobody wrote the file"
AGAIN = "the same change again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One file of a commit, before and after; `repo` is the first where several hold it."""

    repo: str
    sha: str
    path: str
    before: str
    after: str
    subject: str = ""
    message: str = ""
    language: str = ""
    licence: str = ""
    date: str = ""
    instruction: str = ""

    @property
    def id(self) -> str:
        return f"{self.repo}@{self.sha[:12]}:{self.path}"


def read_commits(path: Path | str, *, mistakes: Mistakes | None = None) -> Iterator[Commit]:
    """The commits of a file or a folder of files, one file of one commit a row.

    Rows that no exercise can be made of are left out and counted in `mistakes`: nothing changes,
    one side is empty or huge, nobody wrote the file, the same change stood before. Raises
    DataError at a row that is no commit, unless `mistakes` counts those too.
    """
    mistakes = mistakes or Mistakes()
    seen: set[str] = set()
    used = False
    for row in read_rows(path, mistakes):
        try:
            commit = commit_of(row)
        except DataError as error:
            mistakes.tell(error)
            continue
        content = content_name(f"{commit.before}\0{commit.after}", digits=24)
        why = unusable(commit) or (AGAIN if content in seen else "")
        if why:
            mistakes.drop(why, where=row.place.at())
            continue
        seen.add(content)
        used = True
        yield commit
    if not used:
        raise DataError("no row could be used", reasons(mistakes), where=str(path))


def commit_of(row: Row) -> Commit:
    """The commit of a row in either form. Raises DataError where it has neither's fields."""
    fields, place = row.values, row.place
    if set(MINED) <= set(fields):
        return _mined(fields, place)
    if set(PACKED) <= set(fields):
        return _packed(fields, place)
    has = ", ".join(map(repr, list(fields)[:6])) or "nothing"
    known = f"mined rows have {', '.join(MINED)}; CommitPackFT's {', '.join(PACKED)}"
    raise place.error(f"no known form of commits: the row has {has}", known)


def _mined(fields: Mapping[str, Json], place: Place) -> Commit:
    path = _text(fields, "path", place)
    return Commit(
        repo=_text(fields, "repo", place, needed=True),
        sha=_text(fields, "sha", place, needed=True),
        path=path,
        before=_text(fields, "before", place),
        after=_text(fields, "after", place),
        subject=_text(fields, "subject", place),
        message=_text(fields, "message", place),
        language=_text(fields, "language", place) or diffs.language_of(path) or "",
        licence=_text(fields, "license", place),
        date=_text(fields, "date", place),
    )


def _packed(fields: Mapping[str, Json], place: Place) -> Commit:
    path = _text(fields, "new_file", place) or _text(fields, "old_file", place)
    repos = _text(fields, "repos", place).split(",")
    sha = _text(fields, "commit", place, needed=True)
    return Commit(
        repo=repos[0].strip() or sha,
        sha=sha,
        path=path,
        before=_text(fields, "old_contents", place),
        after=_text(fields, "new_contents", place),
        subject=_text(fields, "subject", place),
        message=_text(fields, "message", place),
        language=_text(fields, "lang", place) or diffs.language_of(path) or "",
        licence=_text(fields, "license", place),
        instruction=_text(fields, "instruction", place),
    )


def _text(fields: Mapping[str, Json], name: str, place: Place, *, needed: bool = False) -> str:
    value = fields.get(name)
    if value is None or value == "":
        if needed:
            raise place.error(f"the row has no {name}", "a commit is known by it")
        return ""
    if not isinstance(value, str):
        raise place.error(f"{name} is {type(value).__name__}, not text")
    if "\0" in value:
        raise place.error(f"{name} holds a null byte", "it isn't text")
    return value.replace("\r\n", "\n").replace("\r", "\n")


def unusable(commit: Commit) -> str:
    """Why no exercise can be made of a commit; nothing where one can."""
    if commit.before == commit.after:
        return SAME
    if not commit.before.strip() or not commit.after.strip():
        return NEW
    if max(len(commit.before), len(commit.after)) > LONGEST:
        return LONG
    return UNWRITTEN if commit.path and diffs.unwritten(commit.path) else ""


# ------------------------------------------------------------------ examples


def commit_examples(path: Path | str, *, mistakes: Mistakes | None = None) -> list[Example]:
    """The commits of a file or a folder as examples of `commit-instruct`, each change shown once.

    A commit whose message and lines around the change are those of an earlier one is counted in
    `mistakes`, as `read_commits` counts there; branches that take each other's commits have many.
    """
    mistakes = mistakes or Mistakes()
    found: dict[tuple[str, str], Example] = {}
    for commit in read_commits(path, mistakes=mistakes):
        example = commit_example(commit, source=Path(path).name)
        shown = (str(example.given["message"]), str(example.given["diff"]))
        if shown in found:
            mistakes.drop(AGAIN, where=commit.id)
        else:
            found[shown] = example
    return list(found.values())


def commit_example(commit: Commit, *, source: str, split: Split = "train") -> Example:
    """The commit as an example of `commit-instruct`, without secrets and addresses.

    The change is shown with more lines around it than git shows, for a program is to be made of it.
    EditPackFT's instruction stands with the message: it says what somebody took the commit for.
    """
    said = [commit.message or commit.subject, commit.instruction]
    message = "\n\n".join(dict.fromkeys(one.strip() for one in said if one.strip()))
    return Example(
        id=f"commit-instruct/{commit.id}",
        task="commit-instruct",
        given={
            "repo": commit.repo,
            "sha": commit.sha,
            "path": commit.path,
            "language": commit.language,
            "license": commit.licence,
            "date": commit.date,
            "subject": secrets.scrub(commit.subject).text,
            "message": secrets.scrub(message).text,
            "diff": secrets.scrub(change(commit)).text,
        },
        wanted={},
        group=commit.repo,
        split=split,
        source=source,
    )


def change(commit: Commit) -> str:
    """The commit as a unified diff, with `CONTEXT` lines around each change."""
    name = commit.path or "program"
    old, new = (side.removesuffix("\n").split("\n") for side in (commit.before, commit.after))
    rows = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", n=CONTEXT, lineterm="")
    return "\n".join([f"diff --git a/{name} b/{name}", *rows]) + "\n"
