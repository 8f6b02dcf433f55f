"""The task `describe`: a change in; its type, title, points and a word on each file out.

Rules say whether a description is sound: every file covered, none invented, limits kept. How good
its words are they can't say; likeness to the author's own title is told beside them.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence

from outdo import replies
from outdo.diffs import FileDiff, Hunk
from outdo.diffs.roles import ROLES, role_of
from outdo.errors import DataError
from outdo.records import Answer, Example, Json, Metric, Outcome, Score
from outdo.replies import Fields, Many, OneOf, Text
from outdo.scorers import titles
from outdo.scorers.grounded import file_meant
from outdo.tasks import Task, pulls
from outdo.tasks.pulls import Asking, Marks

VERSION = "1"
TYPES = ("bug fix", "tests", "enhancement", "documentation", "other")
MARKS = Marks("describe", VERSION)
LONGEST_SUMMARY = 160

SHAPE = Fields(
    of={
        "type": OneOf(TYPES),
        "title": Text(longest=100),
        "bullets": Many(of=Text(longest=200), least=1, most=4),
        "files": Many(
            of=Fields(
                of={
                    "path": Text(),
                    "label": OneOf(ROLES),
                    "summary": Text(longest=LONGEST_SUMMARY),
                },
            )
        ),
        "diagram": Text(longest=2_000),
    },
    optional=("diagram",),
)
SKELETON = {
    "type": f"one of {', '.join(TYPES)}",
    "title": "what the change does, in one line",
    "bullets": ["one to four short sentences on what changes and why"],
    "files": [
        {
            "path": "each file of the change, by its name there",
            "label": f"one of {', '.join(ROLES)}",
            "summary": "what changes in it, in a few words",
        }
    ],
}
ASK = (
    "Describe the change. A field `diagram`, a Mermaid diagram, may stand at the end if it says "
    "more than words."
)

# ------------------------------------------------------------------ gold and bait


def gold(example: Example) -> dict[str, Json]:
    """The author's title and points; files by rule. Raises DataError where no title is known."""
    title = str(example.wanted.get("title") or "").strip()
    if not title:
        raise DataError(
            f"example {example.id!r} has no author's title",
            "training needs rows with wanted.title",
        )
    return {
        "type": example.wanted.get("type") or "other",
        "title": title,
        "bullets": _points(example) or _changes(example) or [title],
        "files": _files(example),
    }


def bait(example: Example) -> dict[str, Json]:
    """A description that invents a file and leaves all others out."""
    return {
        "type": "other",
        "title": "Update",
        "bullets": ["Update the code."],
        "files": [
            {"path": "no/such/file.py", "label": "code", "summary": f"Changes {example.group}."}
        ],
    }


def _files(example: Example) -> list[Json]:
    said = pulls.shown(example)
    by_path = {file.path: file for file in said.diff.files}
    return [
        {"path": path, "label": role_of(path), "summary": summary(by_path[path])[:LONGEST_SUMMARY]}
        for path in said.files
    ]


_DEFINED = re.compile(r"\s*(?:async\s+def|def|class|func|fn|function|struct|interface)\s+(\w+)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z`])")
_NO_POINT = re.compile(
    r"(?i)^(?:co-authored-by|signed-off-by|reviewed[- ]by|differential revision|test plan"
    r"|pull request resolved|fbshipit-source-id|x-link|cc\b|closes?\b|fix(?:es|ed)?\s+#|see\b"
    r"|resolves?\b|refs?\b|\(cherry|https?:|#\d|---|#+\s|summary:?$|<!--|\[?\s*x?\s*\])"
)
LIST_ITEM = re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+")
SHORTEST_POINT = 12


def summary(file: FileDiff) -> str:
    """What changes in a file, by rule: what it defines, where it changes, or how many lines."""
    if file.binary:
        return "Binary file."
    added = [line.text for hunk in file.hunks for line in hunk.lines if line.kind == "+"]
    removed = sum(line.kind == "-" for hunk in file.hunks for line in hunk.lines)
    defined = _named(added)
    if file.change == "deleted":
        return "Removed."
    if file.change == "added":
        return f"New file with {defined}." if defined else f"New file of {len(added)} lines."
    if file.change == "renamed" and not added:
        return f"Renamed from {file.old_path}."
    gone = [line.text for hunk in file.hunks for line in hunk.lines if line.kind == "-"]
    fresh = _named([line for line in added if line not in gone], without=_names(gone))
    if fresh:
        return f"Adds {fresh}."
    if changed := _named([_around(hunk) for hunk in file.hunks]) or defined:
        return f"Changes {changed}."
    return f"Adds {len(added)}, removes {removed} lines."


def _around(hunk: Hunk) -> str:
    """The line that defines what a hunk changes: the last above its first change, or its header."""
    above = itertools.takewhile(lambda line: line.kind == " ", hunk.lines)
    found = [line.text for line in above if _DEFINED.match(line.text)]
    return found[-1] if found else hunk.section


def _names(lines: Sequence[str]) -> list[str]:
    found = (match[1] for line in lines if (match := _DEFINED.match(line)))
    return [name for name in dict.fromkeys(found) if len(name) <= 60]


def _named(lines: Sequence[str], *, without: Sequence[str] = ()) -> str:
    """Up to two of the names that lines define, in words."""
    names = [f"`{name}`" for name in _names(lines) if name not in without]
    return " and ".join(names[:2])


def _points(example: Example) -> list[str]:
    """Up to four points of the author's own text, without what tools and customs put there."""
    body = str(example.wanted.get("body") or "")
    body = re.sub(r"```.*?(?:```|\Z)|<!--.*?(?:-->|\Z)", "", body, flags=re.DOTALL)
    found: list[str] = []
    for paragraph in _paragraphs(body):
        for sentence in _SENTENCE.split(paragraph):
            point = " ".join(sentence.split())
            if len(point) >= SHORTEST_POINT and not _NO_POINT.match(point):
                found.append(point)
    kept = [point for point in dict.fromkeys(found) if len(point) <= 200]
    return [point for point in kept if point != example.wanted.get("title")][:4]


def _changes(example: Example) -> list[str]:
    """A point on each of the two files that change most, by rule, where the author wrote none."""
    said = pulls.shown(example)
    files = sorted(
        (file for file in said.diff.files if file.path in said.files),
        key=lambda file: -file.changed_lines,
    )
    points = (f"{summary(file).rstrip('.')} in {file.path}." for file in files)
    return [point for point in dict.fromkeys(points) if len(point) <= 200][:2]


def _paragraphs(body: str) -> list[str]:
    """Runs of lines that belong together, items of lists apart."""
    parts: list[list[str]] = [[]]
    for line in body.split("\n"):
        if not line.strip() or LIST_ITEM.match(line) or _NO_POINT.match(line.strip()):
            parts.append([])
        if line.strip() and not _NO_POINT.match(line.strip()):
            parts[-1].append(LIST_ITEM.sub("", line).strip())
        elif line.strip():
            parts.append([])
    return [" ".join(part) for part in parts if part]


# ------------------------------------------------------------------ the scores

SOUND = Metric(
    name="sound",
    heading="Sound",
    better="higher",
    unit="share",
    about="share of descriptions that are valid, cover every file shown, invent none and keep to "
    "the limits",
)
COVERED = Metric(
    name="covered",
    heading="Files covered",
    better="higher",
    unit="share",
    about="share of the files shown that the description has a word on",
)
GROUNDED = Metric(
    name="grounded",
    heading="Files exist",
    better="higher",
    unit="share",
    about="share of the files named that are in the change; over replies that name some",
)
TYPE = Metric(
    name="type_right",
    heading="Type right",
    better="higher",
    unit="share",
    about="share of types that are the one known from the author's title",
)
TITLE = Metric(
    name="title_f1",
    heading="Title F1",
    better="higher",
    unit="share",
    about="words shared with the author's own title (F1): likeness, not worth",
)


def score(
    example: Example,
    answer: Answer,
    outcome: Outcome | None,  # noqa: ARG001
) -> tuple[Score, ...]:
    """The scores of a description; what speaks against it stands in `because`."""
    form = pulls.form_scores(MARKS, answer, SHAPE)
    if answer.value is None:
        because = answer.problem or "no value"
        known = [metric for metric, there in _known(example).items() if there]
        return (
            MARKS.of(SOUND, 0.0, because),
            *form,
            MARKS.of(COVERED, 0.0, because),
            *(MARKS.of(metric, 0.0, because, by=_by(metric)) for metric in known),
        )
    value = answer.value
    uncovered = _uncovered(example, value)
    invented = _invented(example, value)
    files = len(pulls.shown(example).files)
    because = pulls.first(
        [*invented, *uncovered, *(one.because for one in form if one.value == 0.0)]
    )
    grounded = pulls.share(invented)
    covered = 1.0 - len(uncovered) / files if files else 1.0
    return (
        MARKS.of(SOUND, float(not because), because),
        *form,
        MARKS.of(COVERED, covered, pulls.first(uncovered)),
        *([MARKS.of(GROUNDED, grounded, pulls.first(invented))] if grounded is not None else []),
        *_likeness(example, value),
    )


def _known(example: Example) -> Mapping[Metric, bool]:
    wanted = example.wanted
    return {TYPE: wanted.get("type") in TYPES, TITLE: bool(wanted.get("title"))}


def _by(metric: Metric) -> str:
    return titles.SIGNATURE if metric is TITLE else ""


def _likeness(example: Example, value: Mapping[str, Json]) -> list[Score]:
    known = _known(example)
    found = []
    if known[TYPE]:
        wanted = example.wanted["type"]
        right = value["type"] == wanted
        found.append(MARKS.of(TYPE, float(right), "" if right else f"the author's is {wanted}"))
    if known[TITLE]:
        alike = titles.token_f1(said=value["title"], authors=str(example.wanted["title"]))
        found.append(MARKS.of(TITLE, alike, by=titles.SIGNATURE))
    return found


def _uncovered(example: Example, value: Mapping[str, Json]) -> list[str]:
    """The files shown that the description has no word on, each as a reason."""
    paths = pulls.shown(example).sides
    said = {file_meant(one["path"], paths) for one in value["files"]}
    return [f"{path} is not covered" for path in pulls.shown(example).files if path not in said]


def _invented(example: Example, value: Mapping[str, Json]) -> list[str]:
    """For each file named a reason why it isn't there, or nothing."""
    paths = pulls.shown(example).sides
    return [
        "" if file_meant(one["path"], paths) else f"{one['path']} is not in the diff"
        for one in value["files"]
    ]


# ------------------------------------------------------------------ floors, declaration


def first_file(example: Example, _training: Sequence[Example]) -> str:
    """The first file's name as title and point, every file by rule."""
    files = _files(example)
    name = files[0]["path"] if files else "nothing"
    title = f"Update {name.rpartition('/')[2]}"[:100]
    value = {"type": "enhancement", "title": title, "bullets": [title], "files": files}
    return replies.write(value)


def nearest(example: Example, training: Sequence[Example]) -> str:
    """Type, title and points of the nearest training example, every file by rule."""
    rows = [row for row in training if row.wanted.get("title")]
    near = pulls.nearest(example, rows)
    if near is None:
        return first_file(example, training)
    return replies.write({**gold(near), "files": _files(example)})


ASKING = Asking(
    name="describe",
    ask=ASK,
    shape=SHAPE,
    skeleton=SKELETON,
    gold=gold,
    bait=bait,
    taught=gold,
)


task = Task(
    name="describe",
    version=f"{VERSION}|{titles.SIGNATURE}",
    metrics=(SOUND, pulls.VALID, COVERED, GROUNDED, pulls.LIMITS, TYPE, TITLE),
    variants=pulls.VARIANTS,
    prompt=ASKING.prompt,
    parse=ASKING.parse,
    score=score,
    gold=ASKING.said,
    bait=ASKING.baited,
    conversation=ASKING.conversation,
    floors={"first-file": first_file, "nearest": nearest},
    item="pull request",
    pair=ASKING.pair,
    fit=ASKING.fit,
)
