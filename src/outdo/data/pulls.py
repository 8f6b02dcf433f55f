"""Pull requests as examples of describe, review and improve.

The author's own title and body are what a description is held against. What a review should find
is put in: in a share of the changes one added line is broken on purpose, so that file, line, fault
and fix are known, and the others are clean. Secrets and addresses go before anything else happens.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from outdo import diffs, secrets
from outdo.data.inject.changes import BrokenDiff, broken_diff
from outdo.data.inject.wording import told
from outdo.data.licences import refusal
from outdo.data.load import mapped, reasons
from outdo.data.place import Place, content_name
from outdo.data.rows import Mistakes, read_rows
from outdo.diffs.roles import role_of
from outdo.errors import DataError
from outdo.records import Example, Json, Split, digest

Task = Literal["describe", "review", "improve"]
TASKS: tuple[Task, ...] = ("describe", "review", "improve")

COLUMNS = ("repo", "number", "title", "body", "date", "license", "diff")
"""Fields of a row, of which repo and diff are needed."""

LONGEST_DIFF = 200_000
"""Characters of a diff beyond which nobody reviews it in one reading."""

SHORTEST_TITLE, LONGEST_TITLE = 8, 100
NEVER, LATER, SEEN = "repositories never seen", "repositories seen, later", "repositories seen"

LONGEST_FIX = 4
"""Lines that a fix may grow to, until the code that it replaces stands only once in its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """A pull request as it was merged, secrets and addresses taken out."""

    id: str
    repo: str
    number: str
    title: str
    body: str
    date: str
    licence: str
    diff: str
    place: Place = field(repr=False, compare=False)


# ------------------------------------------------------------------ reading


def read_pulls(
    path: Path | str,
    *,
    columns: Mapping[str, str] | None = None,
    licences: Collection[str] | None = None,
    mistakes: Mistakes | None = None,
) -> Iterator[Pull]:
    """The pull requests in a data file or a folder of them, scrubbed.

    `columns` says which column holds a field of `COLUMNS`. With `licences`, even none, rows are
    left out whose licence is neither permissive nor among them; without, no licence is looked at.
    Rows without a diff that can be read, with a huge one, or with one that stood before are left
    out and counted in `mistakes`; a row without its fields is an error, or counted.
    """
    mistakes = mistakes or Mistakes()
    seen: set[str] = set()
    ids: set[str] = set()
    used = False
    for row in read_rows(path, mistakes):
        try:
            pull = _pull(mapped(row, _checked(columns)), row.place)
        except DataError as error:
            mistakes.tell(error)
            continue
        content = content_name(pull.diff, digits=24)
        why = _refused(pull, licences) or ("the same diff again" if content in seen else "")
        if why:
            mistakes.drop(why, where=row.place.at())
            continue
        if pull.id in ids:
            raise row.place.error(f"the id {pull.id!r} stood before", "number pull requests once")
        seen.add(content)
        ids.add(pull.id)
        used = True
        yield pull
    if not used:
        raise DataError("no row could be used", reasons(mistakes), where=str(path))


def _checked(columns: Mapping[str, str] | None) -> Mapping[str, str] | None:
    for name in columns or ():
        if name not in COLUMNS:
            raise DataError(
                f"pull requests have no field {name!r}", f"known are {', '.join(COLUMNS)}"
            )
    return columns


def _pull(fields: Mapping[str, Json], place: Place) -> Pull:
    for name in ("repo", "diff"):
        if not isinstance(fields.get(name), str) or not fields[name].strip():
            raise place.error(f"the row has no {name}", f"name its column: {{{name}: ...}}")
    said = {name: str(fields.get(name) or "") for name in COLUMNS}
    number = said["number"] or content_name(said["diff"], digits=8)
    return Pull(
        id=f"{said['repo']}#{number}",
        repo=said["repo"],
        number=number,
        title=_title(secrets.scrub(said["title"]).text),
        body=secrets.scrub(said["body"].replace("\r\n", "\n")).text,
        date=said["date"],
        licence=said["license"],
        diff=said["diff"] if len(said["diff"]) > LONGEST_DIFF else secrets.scrub(said["diff"]).text,
        place=place,
    )


def _refused(pull: Pull, licences: Collection[str] | None) -> str:
    if licences is not None and (why := refusal(pull.licence, allowed=licences)):
        return why
    if len(pull.diff) > LONGEST_DIFF:
        return f"the diff has more than {LONGEST_DIFF:,} characters"
    files = [file for file in diffs.parse(pull.diff).files if file.hunks]
    if not files:
        return "the diff has no hunks that can be read"
    written = any(diffs.unwritten(file.path) is None for file in files)
    return "" if written else "the diff has no file that somebody wrote"


def _title(title: str) -> str:
    """The title on one line, without the number and the picture that tools put there."""
    title = re.sub(r"\s*\(#\d+\)\s*$", "", " ".join(title.split()))
    return re.sub(r"^:[a-z_]+:\s*", "", title)


# ------------------------------------------------------------------ what the author says

_TYPES = (
    ("other", r"^(?:bump|release|merge|update dependenc|pin |upgrade |chore|ci\b|build\b|prepare)"),
    ("documentation", r"^docs?\b|\btypos?\b"),
    ("tests", r"^tests?\b"),
    ("bug fix", r"\bfix(?:e[sd])?\b|\bbugs?\b|\bregression\b|\bcrash|\bcorrect(?:ly)?\b|\bleak\b"),
    ("enhancement", r"^(?:feat|perf)\b|\badd(?:s|ed)?\b|\bsupport|\bimplement|\ballow|\bimprove"),
    ("enhancement", r"\benable|\bintroduce|\bexpose\b|\bspeed ?up\b|\bfaster\b|\boptimi[sz]e"),
    ("other", r"\brefactor|\bclean|\bremove|\brename|\bmove\b|\bdeprecat|\bdrop\b|\bformat"),
)
_TYPES_WITHOUT_CODE = (
    ("documentation", r"\bdocs?\b|\bdocument|\breadme\b|\bchangelog\b"),
    ("tests", r"\btests?\b|\bcoverage\b"),
)


def type_of(title: str, paths: Iterable[str]) -> str | None:
    """What kind of change a title tells of, or None where it doesn't.

    Changes of tests or documents alone are of that type whatever the title says.
    """
    roles = {role_of(path) for path in paths}
    if roles == {"tests"}:
        return "tests"
    if roles == {"documentation"}:
        return "documentation"
    rules = _TYPES if "code" in roles else (*_TYPES[:3], *_TYPES_WITHOUT_CODE, *_TYPES[3:])
    return next((name for name, pattern in rules if re.search(pattern, title.lower())), None)


def _describes(pull: Pull) -> bool:
    """Whether the title can teach anybody: neither a stub nor a tool's."""
    titled = SHORTEST_TITLE <= len(pull.title) <= LONGEST_TITLE and " " in pull.title
    return titled and not re.match(r"(?i)merge (?:branch|pull)|revert \"|bump ", pull.title)


# ------------------------------------------------------------------ examples


def pull_examples(
    pulls: Sequence[Pull],
    *,
    tasks: Sequence[Task],
    seed: int,
    inject: float = 0.5,
    hold_out: int = 6,
    newest: float = 0.1,
    count: int | None = None,
    sizes: Collection[str] | None = None,
    dropped: Counter[str] | None = None,
) -> list[Example]:
    """Examples of the tasks, by task and then by pull request; groups are repositories.

    Of the repositories `hold_out` are for testing alone (at most a third of them), and the
    `newest` share of all others by date. With `count` at most so many pull requests are used, as
    many of each repository as there are, of these `sizes` if any are named. For review and improve
    those are taken in which a bug can be put, the share `inject` of them with one, so that what is
    clean is not told by its language.
    What could not be used is counted in `dropped`.
    """
    dropped = Counter() if dropped is None else dropped
    splits = _splits(pulls, seed=seed, hold_out=hold_out, newest=newest)
    if sizes is not None:
        whole, pulls = len(pulls), [pull for pull in pulls if _size(pull) in sizes]
        dropped["the change is of another size"] += whole - len(pulls)
    chosen = _drawn(pulls, count, seed=seed)
    examples: list[Example] = []
    if "describe" in tasks:
        told_well = [pull for pull in chosen if _describes(pull)]
        dropped["describe: the title is too short, too long or a tool's"] += len(chosen) - len(
            told_well
        )
        examples += [_description(pull, *splits[pull.id]) for pull in told_well]
    if {"review", "improve"} & set(tasks):
        bugs = {pull.id: bug for pull in chosen if (bug := _bug(pull, seed)) is not None}
        dropped["review, improve: no line of Python in which to put a bug"] += len(chosen) - len(
            bugs
        )
        breakable = [pull for pull in chosen if pull.id in bugs]
        broken = _share(breakable, inject, splits, seed=seed)
        for task in TASKS[1:]:
            if task in tasks:
                for pull in breakable:
                    bug = bugs[pull.id] if pull.id in broken else None
                    examples.append(_faulted(task, pull, bug, *splits[pull.id], seed=seed))
    return examples


def _splits(
    pulls: Sequence[Pull], *, seed: int, hold_out: int, newest: float
) -> dict[str, tuple[Split, str]]:
    """The split of each pull request by id, and the source that says what training sees."""
    repos: dict[str, list[Pull]] = defaultdict(list)
    for pull in pulls:
        repos[pull.repo].append(pull)
    order = sorted(repos, key=lambda repo: digest([seed, "repository", repo]))
    unseen = set(order[: min(hold_out, len(order) // 3)])
    found: dict[str, tuple[Split, str]] = {}
    for repo, own in repos.items():
        own.sort(key=lambda pull: (pull.date, digest([seed, pull.id])))
        late = round(newest * len(own))
        for place, pull in enumerate(own):
            if repo in unseen:
                found[pull.id] = ("test", NEVER)
            else:
                later = place >= len(own) - late
                found[pull.id] = ("test", LATER) if later else ("train", SEEN)
    return found


def _size(pull: Pull) -> str:
    return diffs.size_of(diffs.parse(pull.diff))


def _drawn(pulls: Sequence[Pull], count: int | None, *, seed: int) -> list[Pull]:
    """At most `count` pull requests, one of each repository in turn; a larger count only adds."""
    if count is None or count >= len(pulls):
        return list(pulls)
    places: Counter[str] = Counter()
    turns = []
    for pull in sorted(pulls, key=lambda pull: digest([seed, "drawn", pull.id])):
        turns.append((places[pull.repo], digest([seed, pull.repo]), pull.id))
        places[pull.repo] += 1
    kept = {id for _, _, id in sorted(turns)[:count]}
    return [pull for pull in pulls if pull.id in kept]


def _share(
    pulls: Sequence[Pull], share: float, splits: Mapping[str, tuple[Split, str]], *, seed: int
) -> set[str]:
    """The ids of that share of the pull requests of each split and repository, drawn by digest."""
    parts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pull in pulls:
        parts[splits[pull.id][1], pull.repo].append(pull.id)
    taken: set[str] = set()
    owed = 0.0
    for key in sorted(parts):
        ids = sorted(parts[key], key=lambda id: digest([seed, "broken", id]))
        owed += share * len(ids)  # what rounding leaves over goes to the next repository
        number = min(len(ids), max(0, round(owed)))
        owed -= number
        taken.update(ids[:number])
    return taken


def _description(pull: Pull, split: Split, source: str) -> Example:
    paths = diffs.parse(pull.diff).paths
    wanted = {"title": pull.title, "body": pull.body, "type": type_of(pull.title, paths)}
    return _example("describe", pull, pull.diff, wanted, split, source)


@dataclass(frozen=True, slots=True)
class _Bug:
    """A broken diff, and the lines that a fix puts back: enough of them to stand only once."""

    broken: BrokenDiff
    first: int
    last: int
    existing: str
    improved: str


def _bug(pull: Pull, seed: int) -> _Bug | None:
    """A bug in the pull request whose fix can be told from the diff alone, or None."""
    broken = broken_diff(pull.diff, seed=seed)
    if broken is None:
        return None
    files = [file for file in diffs.parse(broken.diff).files if file.path == broken.file]
    lines = {number: row for file in files for number, row in diffs.new_side(file).items()}
    first = last = broken.line
    for _ in range(LONGEST_FIX):
        rows = [lines[number] for number in range(first, last + 1)]
        if _once(rows, lines):
            fixed = {**lines, broken.line: broken.before}
            mended = [fixed[number] for number in range(first, last + 1)]
            return _Bug(broken, first, last, "\n".join(rows), "\n".join(mended))
        if first - 1 in lines and (broken.line - first <= last - broken.line):
            first -= 1
        elif last + 1 in lines:
            last += 1
        else:
            return None
    return None


def _once(rows: Sequence[str], lines: Mapping[int, str]) -> bool:
    """Whether the rows, which hold a letter at both ends, stand once among lines, indents aside."""
    plain = [row.strip() for row in rows]
    if not plain[0] or not plain[-1]:
        return False
    found = (
        all(lines.get(number + ahead, "").strip() == row for ahead, row in enumerate(plain))
        for number in lines
    )
    return sum(found) == 1


def _faulted(
    task: Task, pull: Pull, bug: _Bug | None, split: Split, source: str, *, seed: int
) -> Example:
    """The example of a pull request with a bug in it, or of a clean one."""
    if bug is None:
        name = "issues" if task == "review" else "fixes"
        clean: dict[str, Json] = {name: [], "clean": True, "kind": "clean"}
        return _example(task, pull, pull.diff, clean, split, source)
    broken = bug.broken
    say = told(broken.operator, before=broken.before, after=broken.after, seed=seed)
    slip = {"operator": broken.operator, "before": broken.before, "after": broken.after}
    place = {"file": broken.file, "kind": broken.operator}
    wanted: dict[str, Json]
    if task == "review":
        lines = {"first": broken.line, "last": broken.line}
        wanted = {"issues": [{**place, **lines, "header": say.header, "content": say.content}]}
    else:
        lines = {"first": bug.first, "last": bug.last}
        code = {"existing": bug.existing, "improved": bug.improved, "summary": say.header}
        wanted = {"fixes": [{**place, **lines, **code}]}
    rest = {"clean": False, "kind": broken.operator, "slip": slip}
    return _example(task, pull, broken.diff, {**wanted, **rest}, split, source)


def _example(
    task: Task, pull: Pull, diff: str, wanted: Mapping[str, Json], split: Split, source: str
) -> Example:
    parsed = diffs.parse(diff)
    return Example(
        id=f"{task}/{pull.id}",
        task=task,
        given={
            "repo": pull.repo,
            "number": pull.number,
            "date": pull.date,
            "licence": pull.licence,
            "language": main_language(parsed),
            "size": diffs.size_of(parsed),
            "diff": diff,
        },
        wanted=dict(wanted),
        group=pull.repo,
        split=split,
        source=source,
    )


def main_language(diff: diffs.Diff) -> str:
    """The language of most changed lines; «none» where no file has one."""
    lines: Counter[str] = Counter()
    for file in diff.files:
        if file.language is not None and diffs.unwritten(file.path) is None:
            lines[file.language] += file.changed_lines
    return max(lines, key=lambda name: (lines[name], name), default="none")
