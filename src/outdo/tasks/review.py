"""The task `review`: a change in; effort, tests, dangers and up to three issues out.

Where the issues of a change are known (a bug put in, people's comments, or none at all) rules say
what a review finds, and what it says for nothing. Whether its words are right they can't say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from outdo import replies
from outdo.diffs.roles import is_test
from outdo.errors import DataError
from outdo.records import Answer, Example, Json, Metric, Outcome, Score
from outdo.replies import Fields, Flag, Many, Text, Whole
from outdo.scorers import found
from outdo.scorers.found import Place
from outdo.scorers.grounded import lines_missing
from outdo.tasks import Task, pulls
from outdo.tasks.pulls import Asking, Marks

VERSION = "1"
MOST = 3
MARKS = Marks("review", VERSION)
NO_DANGER = "none"

SHAPE = Fields(
    of={
        "effort": Whole(low=1, high=5),
        "tests": Flag(),
        "security": Text(longest=400),
        "issues": Many(
            of=Fields(
                of={
                    "file": Text(),
                    "header": Text(longest=80),
                    "content": Text(longest=600),
                    "first": Whole(low=1),
                    "last": Whole(low=1),
                }
            ),
            most=MOST,
        ),
    }
)
SKELETON = {
    "effort": "1 to 5, how long a review takes",
    "tests": "true if the change holds tests, else false",
    "security": f"what is a danger, or {NO_DANGER}",
    "issues": [
        {
            "file": "its name in the change",
            "header": "the issue in a few words",
            "content": "what is wrong, and how to mend it",
            "first": "number of its first line",
            "last": "number of its last line",
        }
    ],
}
ASK = (
    "Review the change. Name at most three issues that must be mended, bugs above all, each in "
    "lines that the change adds; [] if there are none."
)

# ------------------------------------------------------------------ gold and bait


def gold(example: Example) -> dict[str, Json]:
    """The known issues, the first three; raises DataError where nobody knows any."""
    return _review(example, _known(example)[:MOST])


def taught(example: Example) -> dict[str, Json]:
    """The known issues in lines that the prompt shows: what isn't shown can't be found."""
    return _review(example, pulls.seen(example, _known(example))[:MOST])


def bait(example: Example) -> dict[str, Json]:
    """Nothing, where there is something; something, where there is nothing."""
    if _known(example):
        return _review(example, [])
    return _review(example, [_alarm(example)])


def _known(example: Example) -> list[Mapping[str, Json]]:
    known = pulls.known(example.wanted, "issues")
    if known is None:
        raise DataError(
            f"nobody knows the issues of example {example.id!r}",
            "training needs rows with wanted.issues, or wanted.clean: true",
        )
    return known


def _review(example: Example, issues: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    diff = pulls.shown(example).diff
    names = ("file", "header", "content", "first", "last")
    return {
        "effort": pulls.effort(diff),
        "tests": any(is_test(path) for path in diff.paths),
        "security": NO_DANGER,
        "issues": [{name: issue[name] for name in names} for issue in issues],
    }


def _alarm(example: Example) -> dict[str, Json]:
    """An issue with the first run of lines that the largest hunk adds."""
    place = largest_hunk(example)
    return {
        "file": place.file,
        "header": "Possible bug",
        "content": "These lines may not do what is meant.",
        "first": place.first,
        "last": place.last,
    }


def largest_hunk(example: Example) -> Place:
    """The first run of lines that the hunk adds which adds most; line 1 where none adds any."""
    said = pulls.shown(example)
    hunks = [
        (sum(line.kind == "+" for line in hunk.lines), file.path, hunk)
        for file in said.diff.files
        if file.path in said.files
        for hunk in file.hunks
    ]
    if not hunks:
        return Place(file=next(iter(said.diff.paths), "nothing"), first=1, last=1)
    _, path, hunk = max(hunks, key=lambda one: one[0])
    added = [line.new for line in hunk.lines if line.kind == "+" and line.new is not None]
    if not added:
        return Place(file=path, first=max(1, hunk.new_start), last=max(1, hunk.new_start))
    last = added[0]
    while last + 1 in added and last - added[0] < found.SLACK:
        last += 1
    return Place(file=path, first=added[0], last=last)


# ------------------------------------------------------------------ the scores

RIGHT = Metric(
    name="right",
    heading="Right",
    better="higher",
    unit="share",
    about="share of reviews that find a known issue, or say nothing of a change known to be clean",
)
GROUNDED = Metric(
    name="grounded",
    heading="Lines exist",
    better="higher",
    unit="share",
    about="share of issues whose file and lines are in the change; over reviews with issues",
)
RECALL = Metric(
    name="recall",
    heading="Recall",
    better="higher",
    unit="share",
    about="share of known issues whose lines an issue of the review meets",
)
PRECISION = Metric(
    name="precision",
    heading="Precision",
    better="higher",
    unit="share",
    about="share of issues that meet a known one, in changes that have known ones; where people "
    "have rejected comments, among those that meet a known or a rejected one",
)
LINES = Metric(
    name="lines",
    heading="Line accuracy",
    better="higher",
    unit="share",
    about="lines shared with a known issue over all lines of both, 0 where it is missed",
)
ALARM = Metric(
    name="false_alarm",
    heading="False alarms",
    better="lower",
    unit="share",
    about="share of clean changes in which the review sees an issue",
)
TESTS = Metric(
    name="tests_right",
    heading="Tests right",
    better="higher",
    unit="share",
    about="share of reviews that say rightly whether the change holds tests, by names of files",
)


def score(
    example: Example,
    answer: Answer,
    outcome: Outcome | None,  # noqa: ARG001
) -> tuple[Score, ...]:
    """The scores of a review; those that need known issues only where they are known."""
    form = pulls.form_scores(MARKS, answer, SHAPE)
    if answer.value is None:
        return (*_unread(example, answer.problem or "no value"), *form)
    issues = answer.value["issues"]
    sides = pulls.shown(example).sides
    missing = [
        lines_missing(one["file"], first=one["first"], last=one["last"], sides=sides)
        for one in issues
    ]
    grounded = pulls.share(missing)
    tests = any(is_test(path) for path in pulls.shown(example).diff.paths)
    said_right = answer.value["tests"] is tests
    return (
        *_found(example, [place_of(example, one) for one in issues]),
        *form,
        *([MARKS.of(GROUNDED, grounded, pulls.first(missing))] if grounded is not None else []),
        MARKS.of(TESTS, float(said_right), "" if said_right else _tests_because(tests)),
    )


def place_of(example: Example, issue: Mapping[str, Json]) -> Place:
    """Where an issue stands, in the diff's own name of the file."""
    file = pulls.path_meant(example, issue["file"])
    return Place(file=file, first=int(issue["first"]), last=int(issue["last"]))


def _tests_because(tests: bool) -> str:
    return "the change holds tests" if tests else "the change holds no tests"


def _unread(example: Example, because: str) -> list[Score]:
    known = pulls.known(example.wanted, "issues")
    if known is None:
        return []
    missed = (RECALL, LINES) if known else ()
    return [
        MARKS.of(RIGHT, 0.0, because, by=found.SIGNATURE),
        *(MARKS.of(metric, 0.0, because, by=found.SIGNATURE) for metric in missed),
    ]


def _found(example: Example, said: Sequence[Place]) -> list[Score]:
    issues = pulls.known(example.wanted, "issues")
    if issues is None:
        return []
    if not issues:
        because = f"clean, and yet an issue in {said[0].file}" if said else ""
        return [
            MARKS.of(RIGHT, float(not said), because, by=found.SIGNATURE),
            MARKS.of(ALARM, float(bool(said)), because),
        ]
    known = [place_of(example, issue) for issue in issues]
    marked = example.wanted.get("rejected")
    rejected = None if marked is None else [place_of(example, one) for one in marked]
    share = found.recall(said, known)
    because = "" if share else f"missed {known[0].file}:{known[0].first}"
    exact = found.precision(said, known, rejected)
    unknown = "nobody judged any of these lines" if said and exact is None else ""
    scores = [
        MARKS.of(RIGHT, float(bool(share)), because, by=found.SIGNATURE),
        MARKS.of(RECALL, share, because, by=found.SIGNATURE),
        MARKS.of(LINES, found.line_accuracy(said, known), by=found.SIGNATURE),
    ]
    if said:
        scores.append(MARKS.of(PRECISION, exact, unknown, by=found.SIGNATURE))
    return scores


# ------------------------------------------------------------------ floors, declaration


def nothing(example: Example, _training: Sequence[Example]) -> str:
    """Nothing to say."""
    return replies.write(_review(example, []))


def always_largest(example: Example, _training: Sequence[Example]) -> str:
    """Always the hunk that adds most."""
    return replies.write(_review(example, [_alarm(example)]))


def nearest(example: Example, training: Sequence[Example]) -> str:
    """Nothing, if the nearest training example is clean; else its issue, at the largest hunk."""
    rows = [row for row in training if pulls.known(row.wanted, "issues") is not None]
    near = pulls.nearest(example, rows)
    if near is None or not (issues := _known(near)):
        return nothing(example, training)
    said = {name: issues[0][name] for name in ("header", "content")}
    return replies.write(_review(example, [{**_alarm(example), **said}]))


ASKING = Asking(
    name="review",
    ask=ASK,
    shape=SHAPE,
    skeleton=SKELETON,
    gold=gold,
    bait=bait,
    taught=taught,
)


task = Task(
    name="review",
    version=f"{VERSION}|{found.SIGNATURE}",
    metrics=(RIGHT, pulls.VALID, GROUNDED, RECALL, PRECISION, LINES, ALARM, pulls.LIMITS, TESTS),
    variants=pulls.VARIANTS,
    prompt=ASKING.prompt,
    parse=ASKING.parse,
    score=score,
    gold=ASKING.said,
    bait=ASKING.baited,
    conversation=ASKING.conversation,
    floors={"nothing": nothing, "largest-hunk": always_largest, "nearest": nearest},
    item="pull request",
    pair=ASKING.pair,
    fit=ASKING.fit,
)
