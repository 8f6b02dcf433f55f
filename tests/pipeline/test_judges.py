"""Judges in a study: whom they compare, what is stored, who is believed."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from test_carry import carried
from world import BAD, GOOD, STUDY, World, examples, number

from outdo.errors import StudyError
from outdo.models.reference import ModelReference
from outdo.records import Request

JUDGED = STUDY.replace("  small: ./small\n", "  small: ./small\n  wise: ./wise\n").rstrip() + (
    """
    judges: [wise]
    judge_against: base
judges:
  wise: {model: wise, known: 12}
"""
)

PROBLEMS = 12


@pytest.fixture
def world(world: World) -> World:
    """A world of many groups: what is known of few of them is never sure."""
    world.rows = examples(problems=PROBLEMS, train=2, test=1)
    return world


def replies(request: Request) -> tuple[str, str]:
    """The two replies that a judge is shown, as they stand."""
    shown = request.prompt.messages[-1].content
    first, _, rest = shown.partition("Reply A:\n")[2].partition("Reply B:\n")
    return first, rest.partition("What counts:")[0]


def verdict(request: Request, word: str, **more: object) -> str:
    code = request.prompt.messages[-1].content.rpartition('"code": "')[2][:12]
    return json.dumps({"reasons": "so it is", "verdict": word, "code": code, **more})


def adds(text: str) -> bool:
    return "x + " in text


def wise(model: str, request: Request) -> str:
    """A judge that prefers what adds; everybody else answers as the world does."""
    if "wise" not in model:
        return (GOOD if "train" in model else BAD).format(n=number(request))
    a, b = replies(request)
    if adds(a) == adds(b):
        return verdict(request, "tie")
    return verdict(request, "A" if adds(a) else "B")


def first(model: str, request: Request) -> str:
    """A judge that prefers what stands first."""
    return wise(model, request) if "wise" not in model else verdict(request, "A")


def calls(world: World, model: str = "./wise") -> int:
    return sum(name == model for name, _ in world.asked)


def test_a_judge_that_knows_is_believed_and_prefers_the_better(world: World) -> None:
    world.say = wise
    carried(world, JUDGED)
    (found,) = world.findings
    (judge,) = found.judges
    assert judge.believed
    assert (judge.name, judge.way, judge.family) == ("wise", "ask", "unknown")
    assert judge.cost.tokens_out == calls(world)
    tuned, few = found.standings
    assert (tuned.contestant, tuned.against, tuned.judge) == ("tuned", "base", "wise")
    assert (tuned.won, tuned.lost, tuned.tied, tuned.part) == (PROBLEMS, 0, 0, "")
    assert (few.contestant, few.won, few.lost, few.tied) == ("base few-shot", 0, 0, PROBLEMS)
    rates = {rate.name: rate.value for rate in few.rates}
    assert (rates["loss"], rates["half"], rates["mean"]) == (0.0, 0.5, 0.5)
    assert set(found.preferred["wise", "repair", "tuned"].values()) == {1.0}
    health = {one.name: one.value for one in judge.health}
    assert health["orders agree"] == 1.0
    assert health["known task"] == 1.0
    assert found.ties == {"repair": "half"}


def test_a_judge_of_places_is_not_believed_and_asked_no_further(world: World) -> None:
    world.say = first
    carried(world, JUDGED)
    (found,) = world.findings
    (judge,) = found.judges
    assert not judge.believed
    assert "not better than chance" in judge.why
    assert found.standings == ()
    assert found.preferred == {}
    assert not any("not believed" in note for note in found.notes), "the report says it itself"
    health = {one.name: one.value for one in judge.health}
    assert (health["first preferred"], health["orders agree"]) == (1.0, 0.0)
    assert calls(world) == 2 * PROBLEMS


def test_the_published_form_is_asked_for_and_read(world: World) -> None:
    def say(model: str, request: Request) -> str:
        if "wise" not in model:
            return wise(model, request)
        a, b = replies(request)
        better = 0 if adds(a) == adds(b) else 1 if adds(a) else 2
        return f"which_response_was_better: {better}\nwhy: so it is\nscore_response1: 5\n"

    world.say = say
    carried(world, JUDGED, "judges.wise.form=published", "limit=10")
    (found,) = world.findings
    assert found.judges[0].believed
    assert (found.standings[0].contestant, found.standings[0].won) == ("tuned", 10)


def test_a_judge_whose_replies_cannot_be_read_is_not_believed(world: World) -> None:
    world.say = lambda m, r: wise(m, r) if "wise" not in m else "I like both."
    carried(world, JUDGED)
    (judge,) = world.findings[0].judges
    assert not judge.believed
    assert "could be read" in judge.why


def test_one_more_model_judges_no_old_pair_again(world: World) -> None:
    world.say = wise
    without = JUDGED.replace("[tuned, base, base few-shot]", "[tuned, base]").replace(
        "against: [base, base few-shot]", "against: [base]"
    )
    carried(world, without)
    before = calls(world)
    known, pairs = 2 * PROBLEMS, 2 * PROBLEMS
    assert before == known + pairs
    world.asked.clear()
    carried(world, JUDGED)
    assert calls(world) == 0, "the few-shot answers are those of base, and tie unasked"
    world.asked.clear()
    other = JUDGED.replace(
        "  tuned: {model: small}\n", "  tuned: {model: small}\n  more: {model: small, seed: 7}\n"
    )
    other = other.replace(
        "  tuned: {model: tuned}\n", "  tuned: {model: tuned}\n  more: {model: more}\n"
    )
    world.say = lambda m, r: f"So:\n{wise(m, r)}" if "more" in m else wise(m, r)
    carried(world, other.replace("[tuned, base, ", "[more, tuned, base, "))
    assert calls(world) == 2 * PROBLEMS, "the new contestant's pairs, in both orders, and no other"


def test_a_judge_that_is_asked_about_new_answers_is_asked_about_those_alone(world: World) -> None:
    world.say = wise
    carried(world, JUDGED, "limit=10")
    world.asked.clear()
    carried(world, JUDGED, "limit=12")
    judged = [request for name, request in world.asked if name == "./wise"]
    assert len(judged) == 2 * 2 + 2 * 2, "two examples more: of the known task, and of the pair"
    world.asked.clear()
    carried(world, JUDGED, "limit=12", "compare.repair.ties=dropped")
    assert world.asked == []
    assert world.findings[-1].ties == {"repair": "dropped"}


def test_a_panel_stands_before_its_judges_and_says_how_far_they_agree(world: World) -> None:
    world.say = lambda m, r: wise("./wise" if "sage" in m else m, r)
    text = JUDGED.replace("  wise: ./wise\n", "  wise: ./wise\n  sage: ./sage\n")
    text = text.replace("judges: [wise]", "judges: [wise, sage]") + "  sage: {model: sage}\n"
    carried(world, text)
    (found,) = world.findings
    assert list(dict.fromkeys(row.judge for row in found.standings)) == ["panel", "wise", "sage"]
    panel = found.standings[0]
    assert (panel.contestant, panel.won) == ("tuned", PROBLEMS)
    assert any("wise and sage" in one.name for one in found.agreement)


def test_a_judge_that_fails_is_no_part_of_the_panel(world: World) -> None:
    world.say = lambda m, r: verdict(r, "A") if "sage" in m else wise(m, r)
    text = JUDGED.replace("  wise: ./wise\n", "  wise: ./wise\n  sage: ./sage\n")
    text = text.replace("judges: [wise]", "judges: [wise, sage]") + "  sage: {model: sage}\n"
    carried(world, text)
    (found,) = world.findings
    assert [(one.name, one.believed) for one in found.judges] == [("wise", True), ("sage", False)]
    assert {row.judge for row in found.standings} == {"wise"}


def test_kin_are_flagged_or_left_out(world: World) -> None:
    world.say = wise
    text = JUDGED.replace("small: ./small", "small: ./qwen-small").replace(
        "wise: ./wise", "wise: ./wise-qwen"
    )
    carried(world, text)
    (judge,) = world.findings[0].judges
    assert judge.family == "qwen"
    assert any("base" in one and "family" in one for one in judge.warnings)
    carried(world, text, "compare.repair.leave_out_family=true")
    assert world.findings[1].standings == ()
    assert any("is left out" in note for note in world.findings[1].notes)


def test_tests_tell_how_right_a_judge_is(world: World) -> None:
    world.say = wise
    carried(world, JUDGED)
    health = {one.name: one for one in world.findings[0].judges[0].health}
    assert health["sensitivity, tuned: base"].value == 1.0


def test_a_judge_is_told_of_tests_only_if_the_study_says_so(world: World) -> None:
    world.say = wise
    carried(world, JUDGED, "limit=10")
    assert not any("tests pass" in str(r.prompt) for name, r in world.asked if "wise" in name)
    world.asked.clear()
    carried(world, JUDGED, "limit=10", "judges.wise.tests=true")
    told = [str(r.prompt) for name, r in world.asked if "wise" in name]
    assert any("its tests pass" in one and "its tests fail" in one for one in told)


def test_slices_are_judged_apart(world: World) -> None:
    world.say = wise
    carried(world, JUDGED, "compare.repair.slices=source")
    found = world.findings[0]
    parts = {row.part for row in found.standings if row.contestant == "tuned"}
    assert parts == {"", "source: first", "source: later"}
    assert {part.name for part in found.slices} == {"source: first", "source: later"}


def test_a_choice_is_read_from_probabilities(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.say = lambda m, r: wise(m, r) if not r.prompt.candidates else letter(r)
    tools = world.tools

    def engine(model: ModelReference, ask: object) -> object:
        return _Sure(tools.engine(model, ask))  # type: ignore[arg-type]

    monkeypatch.setattr(World, "tools", replace(tools, engine=engine))
    carried(world, JUDGED, "judges.wise.way=choice")
    (judge,) = world.findings[0].judges
    assert (judge.believed, judge.way) == (True, "choice")
    assert world.findings[0].standings[0].won == PROBLEMS


def letter(request: Request) -> str:
    a, _ = replies(request)
    return "A" if adds(a) else "B"


class _Sure:
    """An engine that is as sure of one candidate as can be."""

    def __init__(self, engine: object) -> None:
        self.engine = engine
        self.model, self.served_by = engine.model, "script"  # type: ignore[attr-defined]

    def complete(self, requests: list[Request]):  # type: ignore[no-untyped-def]
        for request, said in self.engine.complete(requests):  # type: ignore[attr-defined]
            picked = [math.log(0.9 if one == said.text else 0.1) for one in ("A", "B")]
            yield (
                request,
                replace(said, logprobs=tuple(picked)) if request.prompt.candidates else said,
            )


def test_a_judge_must_be_one_model(world: World) -> None:
    with pytest.raises(StudyError, match="models"):
        world.study(JUDGED, "train.tuned.seeds=2", "judges.wise.model=tuned")
