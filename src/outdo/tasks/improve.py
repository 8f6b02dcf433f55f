"""The task `improve`: a change in; up to three suggestions out, each with code as it is and better.

Rules say whether the code is there, whether the better one differs, parses and can be put in its
place, and whether a known bug is mended by it. A second pass lets the model rate its suggestions.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import replace

from outdo import replies, text
from outdo.errors import DataError
from outdo.records import Answer, Example, Json, Message, Metric, Outcome, Prompt, Score
from outdo.replies import Fields, Many, OneOf, Text, Whole
from outdo.scorers import grounded
from outdo.tasks import Task, Then, pulls
from outdo.tasks.pulls import Asking, Marks

VERSION = "1"
MOST = 3
LABELS = ("bug", "security", "performance", "readability", "other")
MARKS = Marks("improve", VERSION)
PYTHON = f"python-{sys.version_info.major}.{sys.version_info.minor}"
"""What decides which code parses, and which is the same."""

WORTH = 5
"""The rating from which a suggestion is kept, of 0 to 10."""

SHAPE = Fields(
    of={
        "suggestions": Many(
            of=Fields(
                of={
                    "file": Text(),
                    "label": OneOf(LABELS),
                    "summary": Text(longest=120),
                    "suggestion": Text(longest=600, empty=True),
                    "existing": Text(longest=2_000),
                    "improved": Text(longest=2_000, empty=True),
                },
                optional=("suggestion",),
            ),
            most=MOST,
        )
    }
)
SKELETON = {
    "suggestions": [
        {
            "file": "its name in the change",
            "label": f"one of {', '.join(LABELS)}",
            "summary": "the suggestion in one line",
            "suggestion": "why, if the summary does not say it",
            "existing": "whole lines as they are now, without numbers and marks",
            "improved": "the lines that should stand there",
        }
    ]
}
ASK = (
    "Suggest at most three improvements of lines that the change adds, bugs above all; [] if there "
    "is nothing worth it."
)

# ------------------------------------------------------------------ gold and bait


def gold(example: Example) -> dict[str, Json]:
    """The known fixes, the first three; raises DataError where nobody knows any."""
    return _suggestions(_known(example))


def taught(example: Example) -> dict[str, Json]:
    """The known fixes of lines that the prompt shows."""
    return _suggestions(pulls.seen(example, _known(example)))


def bait(example: Example) -> dict[str, Json]:
    """Nothing, where there is a fix; lines put in their own place, where there is none."""
    if _known(example):
        return _suggestions([])
    sides = pulls.shown(example).sides
    path, line = next(
        ((path, line) for path, lines in sides.items() for line in lines.values() if line.strip()),
        ("nothing", "nothing"),
    )
    return _suggestions([{"file": path, "existing": line, "improved": line, "summary": "Fine."}])


def _known(example: Example) -> list[Mapping[str, Json]]:
    known = pulls.known(example.wanted, "fixes")
    if known is None:
        raise DataError(
            f"nobody knows what could be better in example {example.id!r}",
            "training needs rows with wanted.fixes, or wanted.clean: true",
        )
    return known


def _suggestions(fixes: Sequence[Mapping[str, Json]]) -> dict[str, Json]:
    return {
        "suggestions": [
            {
                "file": fix["file"],
                "label": fix.get("label", "bug"),
                "summary": fix.get("summary") or "Mends a bug.",
                "existing": _margin(fix["existing"]),
                "improved": _margin(fix["improved"]),
            }
            for fix in fixes[:MOST]
        ]
    }


def _margin(code: str) -> str:
    """The code with its outermost lines at the margin."""
    return textwrap.dedent("\n".join(row.rstrip() for row in code.strip("\n").split("\n")))


# ------------------------------------------------------------------ the scores

RIGHT = Metric(
    name="right",
    heading="Right",
    better="higher",
    unit="share",
    about="share of replies that mend a known bug, or suggest nothing where none is known to be",
)
FIXED = Metric(
    name="fixed",
    heading="Fixed",
    better="higher",
    unit="share",
    about="share of known fixes that a suggestion comes to, up to layout",
)
GROUNDED = Metric(
    name="grounded",
    heading="Code exists",
    better="higher",
    unit="share",
    about="share of suggestions whose existing code stands once on the new side; over replies "
    "with suggestions",
)
APPLIES = Metric(
    name="applies",
    heading="Applies",
    better="higher",
    unit="share",
    about="share of suggestions that can be put in place, change something, and, in Python that "
    "parsed before, still parse",
)
ALARM = Metric(
    name="false_alarm",
    heading="False alarms",
    better="lower",
    unit="share",
    about="share of clean changes to which something is suggested",
)


def score(
    example: Example,
    answer: Answer,
    outcome: Outcome | None,  # noqa: ARG001
) -> tuple[Score, ...]:
    """The scores of suggestions; those that need known fixes only where they are known."""
    form = pulls.form_scores(MARKS, answer, SHAPE)
    known = pulls.known(example.wanted, "fixes")
    if answer.value is None:
        because = answer.problem or "no value"
        missed = () if known is None else (RIGHT, FIXED) if known else (RIGHT,)
        return (*(MARKS.of(metric, 0.0, because, by=PYTHON) for metric in missed), *form)
    said = answer.value["suggestions"]
    missing = [_missing(example, one) for one in said]
    stuck = [_stuck(example, one) for one in said]
    placed = pulls.share(missing)
    rules = []
    if placed is not None:
        rules = [
            MARKS.of(GROUNDED, placed, pulls.first(missing)),
            MARKS.of(APPLIES, pulls.share(stuck), pulls.first(stuck), by=PYTHON),
        ]
    return (*_fixed(example, said, known), *form, *rules)


def _fixed(
    example: Example,
    said: Sequence[Mapping[str, Json]],
    known: Sequence[Mapping[str, Json]] | None,
) -> list[Score]:
    if known is None:
        return []
    if not known:
        because = f"clean, and yet a suggestion for {said[0]['file']}" if said else ""
        return [
            MARKS.of(RIGHT, float(not said), because, by=PYTHON),
            MARKS.of(ALARM, float(bool(said)), because),
        ]
    mended = sum(any(_mends(example, one, fix) for one in said) for fix in known)
    because = "" if mended else f"missed {known[0]['file']}:{known[0]['first']}"
    return [
        MARKS.of(RIGHT, float(mended > 0), because, by=PYTHON),
        MARKS.of(FIXED, mended / len(known), because, by=PYTHON),
    ]


def _place(example: Example, said: Mapping[str, Json]) -> tuple[str, int, int] | None:
    """The file and the lines that a suggestion's existing code stands in, or None."""
    path = pulls.path_meant(example, said["file"])
    lines = pulls.shown(example).sides.get(path, {})
    block = grounded.block_of(said["existing"], lines)
    return None if block is None else (path, *block)


def _missing(example: Example, said: Mapping[str, Json]) -> str:
    if _place(example, said) is not None:
        return ""
    if pulls.path_meant(example, said["file"]) not in pulls.shown(example).sides:
        return f"{said['file']} is not in the diff"
    return f"{said['file']}: the existing code is not there, or more than once"


def _stuck(example: Example, said: Mapping[str, Json]) -> str:
    """Why a suggestion can't be put in place, or nothing."""
    place = _place(example, said)
    if place is None:
        return _missing(example, said)
    path, first, last = place
    before, after = _runs(example, place, said)
    python = pulls.language(example, path) == "Python"
    if grounded.same_code(before, after, python=python):
        return f"{path}:{first}: the improved code does not differ"
    if python and _parses(before) and not _parses(after):
        return f"{path}:{first} to {last}: the improved code does not parse there"
    return ""


def _runs(
    example: Example, place: tuple[str, int, int], said: Mapping[str, Json]
) -> tuple[list[str], list[str]]:
    """The run of lines around a place, as it is and with what is said to improve it."""
    path, first, last = place
    lines = pulls.shown(example).sides[path]
    run = grounded.around(lines, first, last)
    before = [lines[number] for number in range(run[0], run[1] + 1)]
    after = grounded.with_block(
        lines,
        improved=said["improved"],
        existing=said["existing"],
        first=first,
        last=last,
        run=run,
    )
    return before, after


def _parses(lines: Sequence[str]) -> bool:
    return text.fragment(lines) is not None


def _mends(example: Example, said: Mapping[str, Json], fix: Mapping[str, Json]) -> bool:
    """Whether a suggestion leaves the lines as the known fix would."""
    place = _place(example, said)
    if place is None or place[0] != fix["file"]:
        return False
    wanted = (str(fix["file"]), int(fix["first"]), int(fix["last"]))
    before, after = _runs(example, place, said)
    whole, mended = _runs(example, wanted, fix)
    python = pulls.language(example, place[0]) == "Python"
    return before == whole and grounded.same_code(after, mended, python=python)


# ------------------------------------------------------------------ the second pass

RATINGS = Fields(of={"scores": Many(of=Whole(low=0, high=10))})
RATE = (
    "Rate each of these suggestions for the change from 0, worthless or wrong, to 10, a bug that "
    "must be mended; code that is not in the change rates 0. Reply in YAML alone, in this form, "
    "one number for each, in order:"
)


def rate_prompt(example: Example, answer: Answer) -> Prompt | None:
    """The second question: the change, what was suggested, and how it is to be rated.

    None where nothing was suggested.
    """
    said = answer.value["suggestions"] if answer.value is not None else []
    if not said:
        return None
    asked = ASKING.prompt(example, variant=pulls.DIRECT).messages
    change = text.fence(pulls.shown(example).text.strip() or pulls.NOTHING_FITS, language="")
    listed = text.fence(replies.write({"suggestions": said}), language="yaml")
    form = replies.write({"scores": ["0 to 10"]})
    content = f"{change}\n\n{listed}\n\n{RATE}\n{form}"
    return Prompt(messages=(*asked[:-1], Message(role="user", content=content)))


def rated(answer: Answer, reply: str) -> Answer:
    """The answer without the suggestions that its own model rates below 5, the best first.

    Where the reply can't be read, or rates another number of suggestions, all stay, and
    `repaired_by` says that the rating could not be used.
    """
    if answer.value is None:
        return answer
    said = answer.value["suggestions"]
    ratings = replies.read(reply, shape=RATINGS)
    scores = ratings.value["scores"] if ratings.value is not None else []
    if len(scores) != len(said):
        rules = [rule for rule in (answer.repaired_by, "rating not used") if rule]
        return replace(answer, repaired_by=", ".join(rules))
    order = sorted(range(len(said)), key=lambda place: -scores[place])
    kept = [said[place] for place in order if scores[place] >= WORTH]
    return replace(answer, value={**answer.value, "suggestions": kept})


# ------------------------------------------------------------------ floors, declaration


def nothing(example: Example, _training: Sequence[Example]) -> str:  # noqa: ARG001
    """Nothing to suggest."""
    return replies.write(_suggestions([]))


def undo(example: Example, training: Sequence[Example]) -> str:
    """To put back what the change took out, where it puts one run of lines for another."""
    for file in pulls.shown(example).diff.files:
        for hunk in file.hunks:
            gone = [line.text for line in hunk.lines if line.kind == "-"]
            come = [line for line in hunk.lines if line.kind == "+"]
            numbers = [line.new for line in come if line.new is not None]
            whole = bool(numbers) and numbers[-1] - numbers[0] == len(numbers) - 1
            existing = "\n".join(line.text for line in come)
            if gone and whole and existing.strip() and "\n".join(gone).strip():
                fix = {
                    "file": file.path,
                    "summary": "Leave it as it was.",
                    "existing": existing,
                    "improved": "\n".join(gone),
                }
                return replies.write(_suggestions([fix]))
    return nothing(example, training)


ASKING = Asking(
    name="improve",
    ask=ASK,
    shape=SHAPE,
    skeleton=SKELETON,
    gold=gold,
    bait=bait,
    taught=taught,
)


task = Task(
    name="improve",
    version=f"{VERSION}|{PYTHON}",
    metrics=(RIGHT, pulls.VALID, FIXED, GROUNDED, APPLIES, ALARM, pulls.LIMITS),
    variants=pulls.VARIANTS,
    prompt=ASKING.prompt,
    parse=ASKING.parse,
    score=score,
    gold=ASKING.said,
    bait=ASKING.baited,
    conversation=ASKING.conversation,
    floors={"nothing": nothing, "undo": undo},
    item="pull request",
    pair=ASKING.pair,
    fit=ASKING.fit,
    then=Then(prompt=rate_prompt, read=rated),
)
