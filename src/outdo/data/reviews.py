"""Pull requests with people's own verdicts on comments: accepted ones are issues, rejected are not.

The form is that of aacr-bench: a row has a diff, `comments` and `rejected_comments`, each comment
with `path`, `from_line`, `to_line`, `side` and `note`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from outdo import diffs, secrets
from outdo.data.load import mapped, reasons
from outdo.data.place import Place, content_name
from outdo.data.pulls import main_language
from outdo.data.rows import Mistakes, read_rows
from outdo.errors import DataError
from outdo.records import Example, Json

COLUMNS = ("repo", "pr", "diff", "license", "comments", "rejected_comments", "category")
"""Fields of a row, of which repo, diff and comments are needed."""

LONGEST_HEADER, LONGEST_CONTENT = 80, 600
SOURCE = "people's comments"


def read_reviews(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    dropped: Counter[str] | None = None,
    mistakes: Mistakes | None = None,
) -> Iterator[Example]:
    """Examples of review in a data file or a folder of them, all for testing.

    A comment counts if it is on the new side and its first line is one that the diff shows;
    others can't be found by whoever sees the diff alone, and are counted in `dropped`. So is a
    pull request without any that counts: nobody knows whether it is clean.
    """
    mistakes, dropped = mistakes or Mistakes(), Counter() if dropped is None else dropped
    for name in columns or ():
        if name not in COLUMNS:
            raise DataError(f"reviews have no field {name!r}", f"known are {', '.join(COLUMNS)}")
    ids: set[str] = set()
    for row in read_rows(path, mistakes):
        try:
            example = _review(mapped(row, columns), row.place, dropped)
        except DataError as error:
            mistakes.tell(error)
            continue
        if example.id in ids:
            raise row.place.error(f"the id {example.id!r} stood before", "give each row once")
        if not example.wanted["issues"]:
            dropped["a pull request with no comment that can be found"] += 1
            continue
        ids.add(example.id)
        yield example
    if not ids:
        raise DataError("no row could be used", reasons(mistakes), where=str(path))


def _review(fields: Mapping[str, Json], place: Place, dropped: Counter[str]) -> Example:
    for name in ("repo", "diff"):
        if not isinstance(fields.get(name), str) or not fields[name].strip():
            raise place.error(f"the row has no {name}", f"name its column: {{{name}: ...}}")
    diff = secrets.scrub(fields["diff"]).text
    parsed = diffs.parse(diff)
    lines: dict[str, dict[int, str]] = {}
    for file in parsed.files:
        lines.setdefault(file.path, {}).update(diffs.new_side(file))
    repo, number = fields["repo"], str(fields.get("pr") or content_name(diff, digits=8))
    number = number.rstrip("/").rpartition("/")[2]
    accepted = _comments(fields, "comments", place)
    rejected = _comments(fields, "rejected_comments", place)
    return Example(
        id=f"review/{repo}#{number}",
        task="review",
        given={
            "repo": repo,
            "number": number,
            "licence": str(fields.get("license") or ""),
            "language": main_language(parsed),
            "size": diffs.size_of(parsed),
            "diff": diff,
        },
        wanted={
            "issues": list(_placed(accepted, lines, dropped)),
            "rejected": list(_placed(rejected, lines, dropped)),
            "clean": False,
            "kind": str(fields.get("category") or "comments"),
        },
        group=repo,
        split="test",
        source=SOURCE,
    )


def _comments(fields: Mapping[str, Json], name: str, place: Place) -> Sequence[Mapping[str, Json]]:
    said = fields.get(name)
    if said is None and name != "comments":
        return []
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        raise place.error(f"{name} is no list of comments", 'like [{"path": "a.py", ...}]')
    return said


def _placed(
    comments: Sequence[Mapping[str, Json]],
    lines: Mapping[str, Mapping[int, str]],
    dropped: Counter[str],
) -> Iterator[dict[str, Json]]:
    """The comments that can be found, as issues in the order of their places."""
    found = []
    for comment in comments:
        numbers = [comment.get("from_line"), comment.get("to_line")]
        whole = [number for number in numbers if isinstance(number, int) and number > 0]
        if str(comment.get("side") or "right").lower() != "right" or not whole:
            dropped["a comment on the old side"] += 1
            continue
        first, last = min(whole), max(whole)
        path = str(comment.get("path"))
        if first not in lines.get(path, {}):
            dropped["a comment on lines that the diff does not show"] += 1
            continue
        found.append(_issue(comment, path, first, last))
    yield from sorted(found, key=lambda one: (one["file"], one["first"], one["last"]))


def _issue(comment: Mapping[str, Json], path: str, first: int, last: int) -> dict[str, Json]:
    note = " ".join(secrets.scrub(str(comment.get("note") or "")).text.split())
    plain = re.sub(r"[*_`#]+", "", note).strip()
    sentence = re.split(r"(?<=[.!?:])\s", plain, maxsplit=1)[0] or "Comment"
    return {
        "file": path,
        "first": first,
        "last": last,
        "header": _short(sentence, LONGEST_HEADER),
        "content": _short(note or sentence, LONGEST_CONTENT),
        "kind": str(comment.get("category") or ""),
    }


def _short(said: str, longest: int) -> str:
    return said if len(said) <= longest else said[: longest - 3].rstrip() + "..."
