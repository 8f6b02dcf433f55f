"""What rows of pull requests hold, whoever mines them, and which are worth a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from outdo import diffs, secrets
from outdo.data.mining.filters import ANY, known_languages, subject_fault
from outdo.data.mining.output import Output
from outdo.data.pulls import LONGEST_DIFF
from outdo.data.sifting import Drop
from outdo.errors import DataError
from outdo.records import Json, to_json

GATES: tuple[tuple[str, str], ...] = (
    ("history", "merged, from a beginning that is known"),
    ("author", "a person"),
    ("title", "it says what is done; no revert, no new version"),
    ("files", "not too many changed files, one of a language that is wanted"),
    ("diff", "of a length that somebody reads, with lines that somebody wrote"),
)
"""The names of the gates in their order, and what each asks for."""

_BETWEEN = "\n\x00\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFilters:
    """What pull requests may be like."""

    languages: tuple[str, ...] = ("Python",)
    most_files: int = 50
    most_bytes: int = 1_000_000

    def checked(self) -> PullFilters:
        """These filters. Raises DataError for one that lets nothing through."""
        for name in ("most_files", "most_bytes"):
            if getattr(self, name) < 1:
                raise DataError(f"{name} is {getattr(self, name)}", "at least 1")
        known_languages(self.languages)
        return self

    def told(self) -> Mapping[str, Json]:
        """The filters as JSON."""
        told: dict[str, Json] = to_json(self)
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRow:
    """A pull request as it will be written; `rest` are the fields that not every miner has."""

    number: int
    merged_as: str
    sha: str
    date: str
    title: str
    body: str
    commits: Sequence[Mapping[str, str]]
    diff: str
    rest: Mapping[str, Json]


def write_pull(rows: Output, pull: PullRow, filters: PullFilters) -> None:
    """Write a pull request, secrets and addresses taken out, unless a gate says otherwise."""
    name = f"#{pull.number}"
    if pull.title and (why := subject_fault(pull.title)):
        rows.tally.drop("title", name, Drop(why, pull.title[:80]))
        return
    if fault := diff_fault(pull.diff, filters):
        rows.tally.drop(fault[0], name, fault[1])
        return
    told = {name: to_json(getattr(pull, name)) for name in ("title", "body", "commits", "diff")}
    clean, found = cleaned({**told, **pull.rest})
    rows.tally.scrubbed.update(found)
    row = {
        "repo": rows.options["repo"],
        "license": rows.options["licence"],
        "number": pull.number,
        "merged_as": pull.merged_as,
        "sha": pull.sha,
        "date": pull.date[:10],
        "title": clean.pop("title"),
        "body": clean.pop("body"),
        "files": files_of(clean["diff"]),
        **clean,
    }
    rows.write(row, characters=len(row["title"]) + len(row["body"]) + len(clean["diff"]))


def diff_fault(diff: str, filters: PullFilters) -> tuple[str, Drop] | None:
    """The gate that a diff doesn't come through, and why; None if it does."""
    if not diff.strip():
        return "diff", Drop("nothing is changed")
    count = sum(line.startswith("diff --git ") for line in diff.split("\n"))
    if count > filters.most_files:
        return "files", Drop(f"more than {filters.most_files} changed files", str(count))
    if len(diff) > LONGEST_DIFF:
        return "diff", Drop(f"more than {LONGEST_DIFF:,} characters")
    parsed = diffs.parse(diff)
    files = [file for file in parsed.files if file.hunks and diffs.unwritten(file.path) is None]
    if not files:
        return "diff", Drop("no file that somebody wrote has changed lines")
    languages = {file.language for file in files if file.language is not None}
    if ANY not in filters.languages and not languages & set(filters.languages):
        return "files", Drop("no file of a language that is wanted", ", ".join(sorted(languages)))
    return None


def files_of(diff: str) -> list[dict[str, str]]:
    """The files of a diff with their added and deleted lines, «-» for binary ones."""
    found = []
    for file in diffs.parse(diff).files:
        kinds = Counter(line.kind for hunk in file.hunks for line in hunk.lines)
        added, deleted = ("-", "-") if file.binary else (str(kinds["+"]), str(kinds["-"]))
        found.append({"path": file.path, "added": added, "deleted": deleted})
    return found


def cleaned(row: Mapping[str, Json]) -> tuple[dict[str, Json], Mapping[str, int]]:
    """The row with no secrets and addresses in any text; a value has one placeholder in all."""
    texts = list(_texts(row))
    done = secrets.scrub(_BETWEEN.join(texts))
    clean = iter(done.text.split(_BETWEEN))
    made: dict[str, Json] = _replaced(row, clean)
    return made, done.found


def _texts(value: Json) -> Iterator[str]:
    """Every text of a value in its order; what parts them stands in none."""
    if isinstance(value, str):
        yield value.replace("\x00", "\ufffd")
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, Sequence):
        for each in value:
            yield from _texts(each)


def _replaced(value: Json, clean: Iterator[str]) -> Json:
    """The value with each of its texts in turn replaced."""
    if isinstance(value, str):
        return next(clean)
    if isinstance(value, Mapping):
        return {key: _replaced(each, clean) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_replaced(each, clean) for each in value]
    return value
