"""Judges that hold each reply alone against questions: what is asked, believed and told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from test_carry import carried
from world import BAD, GOOD, STUDY, World, examples, number

from outdo.errors import PermanentError, StudyError
from outdo.records import Request
from outdo.report import results
from outdo.report.page import render, render_judges
from outdo.report.tables import markdown, tables

PROBLEMS = 12
CHECKED = STUDY.replace("  small: ./small\n", "  small: ./small\n  wise: ./wise\n").rstrip() + (
    """
    judges: [check]
judges:
  check:
    model: wise
    way: rubric
    known: 12
    attributes:
      adds: Does the program add?
      is_short: Is it short?
"""
)
CHECKED = CHECKED.replace("[tuned, base, base few-shot]", "[tuned, base]").replace(
    "against: [base, base few-shot]", "against: [base]"
)


def reply(request: Request) -> str:
    """The reply that a judge is shown."""
    shown = request.prompt.messages[-1].content
    return shown.partition("The reply:\n")[2].partition("Reply with one JSON")[0]


def marks(request: Request, **values: object) -> str:
    code = request.prompt.messages[-1].content.rpartition('"code": "')[2][:12]
    return json.dumps({"reasons": "looked", **values, "code": code})


def wise(model: str, request: Request) -> str:
    if "wise" not in model:
        return (GOOD if "train" in model else BAD).format(n=number(request))
    return marks(request, adds="x + " in reply(request), is_short=True)


@pytest.fixture
def world(world: World) -> World:
    world.rows = examples(problems=PROBLEMS, train=2, test=1)
    world.say = wise
    return world


def test_each_reply_is_checked_alone_and_told_by_contestant(world: World) -> None:
    carried(world, CHECKED)
    (found,) = world.findings
    (judge,) = found.judges
    assert (judge.name, judge.way, judge.believed) == ("check", "rubric", True)
    signs = {one.name: one.value for one in judge.health}
    assert (signs["known task"], signs["unreadable, repair"]) == (1.0, 0.0)
    tuned, base = found.rubrics
    assert (tuned.contestant, tuned.task, tuned.replies) == ("tuned", "repair", PROBLEMS)
    told = {one.name: one for one in tuned.shares}
    assert list(told) == ["adds", "is_short", "all of them"]
    assert (told["adds"].value, told["adds"].n, told["adds"].about) == (
        1.0,
        PROBLEMS,
        "Does the program add?",
    )
    assert told["adds"].low is not None and told["adds"].low < 1
    assert [one.value for one in base.shares] == [0.0, 1.0, 0.0]
    assert (tuned.against, base.against, base.gaps) == ("base", "", ())
    assert [(one.name, one.value, one.n) for one in tuned.gaps] == [
        ("adds", 1.0, PROBLEMS),
        ("is_short", 0.0, PROBLEMS),
        ("all of them", 1.0, PROBLEMS),
    ]
    assert tuned.gaps[0].low is not None and 0 < tuned.gaps[0].low < 1
    assert found.standings == () and found.preferred == {}
    asked = [request for name, request in world.asked if name == "./wise"]
    shown = [reply(request) for request in asked]
    assert len(shown) == len(set(shown)) <= 4 * PROBLEMS, "no reply is checked twice"
    assert not any("tuned" in str(request.prompt) for request in asked)


def test_a_report_of_rubrics_alone_tells_them_on_every_page(world: World) -> None:
    carried(world, CHECKED)
    (found,) = world.findings
    whole = results(found)
    for page in (render(found, whole), render_judges(found), markdown(found, whole)):
        for said in (
            "What holds of each reply",
            "is short",
            "Does the program add?",
            "+100 points",
        ):
            assert said in page
    files = dict(tables(found, whole))
    lines = files["rubrics.csv"].splitlines()
    assert lines[1].startswith("check,1,repair,tuned,adds,1.0,")
    assert len(lines) == 1 + 2 * 3
    assert "rubrics-repair-check.tex" in files


def test_a_judge_whose_yes_means_nothing_is_not_believed(world: World) -> None:
    world.say = lambda m, r: marks(r, adds=True, is_short=True) if "wise" in m else wise(m, r)
    carried(world, CHECKED)
    (found,) = world.findings
    (judge,) = found.judges
    assert not judge.believed and "not better than chance" in judge.why
    assert found.rubrics == ()
    assert not any("not believed" in note for note in found.notes), "the report says it itself"
    assert "rubrics.csv" not in dict(tables(found, results(found)))


def test_what_cannot_be_read_or_is_empty_is_counted_and_no_yes(world: World) -> None:
    def say(model: str, request: Request) -> str | Exception:
        if "train" in model and number(request) in ("1", "2"):
            return ""
        if "wise" in model and "x - 3" in reply(request):
            return "I like it."
        if "wise" in model and "x - 4" in reply(request):
            return PermanentError("the prompt is too long")
        return wise(model, request)

    world.say = say
    carried(world, CHECKED)
    (found,) = world.findings
    tuned, base = found.rubrics
    assert tuned.shares[0].value == pytest.approx(10 / 12), "nothing holds of an empty reply"
    assert (base.unreadable, base.failed, base.shares[0].n) == (1, 1, 10)


def test_verdicts_and_rubrics_stand_side_by_side(world: World) -> None:
    import test_judges

    text = CHECKED.replace("judges: [check]", "judges: [check, wise]\n    judge_against: base")
    world.say = lambda m, r: (
        test_judges.wise(m, r) if "Reply A:" in str(r.prompt) or "wise" not in m else wise(m, r)
    )
    carried(world, text + "  wise: {model: wise, known: 12}\n")
    (found,) = world.findings
    assert [one.name for one in found.judges] == ["check", "wise"]
    assert {row.judge for row in found.standings} == {"wise"}
    assert {row.judge for row in found.rubrics} == {"check"}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("    attributes:\n", "    scores: true\n    attributes:\n"), "has no scores"),
        (("    attributes:\n", "    criterion: x\n    attributes:\n"), "has no criterion"),
        (("    way: rubric\n", ""), "ask has no attributes"),
        (("      adds:", "      code:"), "can be named 'code'"),
        (("      adds:", "      Adds Up:"), "adds up|Adds Up"),
        (("    way: rubric\n", "    way: choice\n    form: published\n"), "writes no verdict"),
    ],
)
def test_keys_that_make_no_sense_are_refused(
    world: World, change: tuple[str, str], problem: str
) -> None:
    with pytest.raises(StudyError, match=problem) as caught:
        world.study(CHECKED.replace(*change))
    assert Path(caught.value.where.partition(":")[0]).name == "study.yaml"


def test_a_rubric_without_questions_is_refused(world: World) -> None:
    text = CHECKED[: CHECKED.index("    attributes:")]
    with pytest.raises(StudyError, match="has no attributes"):
        world.study(text)
