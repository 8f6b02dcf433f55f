"""A model that picks among answers: what it is asked, what its pick is worth, what is written."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from rich.console import Console
from test_carry import carried
from world import BAD, GOOD, STUDY, Silent, World, examples, number

from outdo.cli.plan import show_stages
from outdo.data.picks import Choice
from outdo.errors import PermanentError, StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline.bench import contender
from outdo.pipeline.best_of import picked
from outdo.pipeline.stages import Shop
from outdo.protocols import Engine
from outdo.records import Completion, Request, digest
from outdo.report import preference_plots
from outdo.report.best_of import ORACLE, READABLE, SAMPLE, Picked
from outdo.study import Answering

PICKING = STUDY.replace("  small: ./small\n", "  small: ./small\n  wise: ./wise\n") + (
    """
best_of:
  pick: {from: sums, model: small, samples: 4, judge: wise, way: generate}
"""
)


def adds(code: str) -> bool:
    return "x + " in code


def wise(model: str, request: Request) -> str:
    """Every fourth sample of the small model is right, and the judge sees which."""
    asked = request.prompt.messages[-1].content
    if "wise" not in model:
        form = GOOD if request.index % 4 == 1 and request.sampling.temperature else BAD
        return form.format(n=number(request)).replace(
            "return", f"pass  # {request.index}\n    return"
        )
    a, _, b = asked.partition("\nB:\n")
    if adds(a) == adds(b):
        return "Neither."
    return "It adds.\n\nA" if adds(a) else "It adds.\n\nB"


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures take seconds, and are tested with the benchmark's."""
    monkeypatch.setattr(preference_plots, "files", lambda _: ())


def rates(one: Picked, name: str) -> list[float]:
    return [point.rate.value or 0.0 for point in one.curve(name).points]


# ------------------------------------------------------------------ in a study


@pytest.mark.usefixtures("undrawn")
def test_a_study_tells_the_curve_beside_its_report(world: World) -> None:
    world.rows, world.say = examples(problems=3, train=2, test=1), wise
    carried(world, PICKING)
    folder = world.root / "runs" / "scripted" / "report"
    (told,) = json.loads((folder / "best_of.json").read_text())
    curves = {one["name"]: [p["rate"]["value"] for p in one["points"]] for one in told["curves"]}
    assert curves["wise by generate"] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert curves[ORACLE] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert curves[SAMPLE] == curves[READABLE] == [0.25] * 4
    assert told["curves"][0]["points"][3]["closed"]["value"] == pytest.approx(1.0)
    assert "of 4 answers" in (folder / "best_of.html").read_text()
    table = (folder / "tables" / "best-of-pick.csv").read_text().splitlines()
    assert table[0].startswith("picker,n,rate") and len(table) == 1 + 6 * 4
    (note,) = (one for one in world.findings[0].notes if "best_of.html" in one)
    assert note.startswith("pick: of 4 answers wise by generate picks one that passes in 100.0")
    asked = len(world.asked)
    carried(world, PICKING)
    assert len(world.asked) == asked, "nothing is asked twice"


@pytest.mark.usefixtures("undrawn")
def test_an_example_with_an_answer_that_was_never_given_is_left_out_and_told(world: World) -> None:
    def lost(model: str, request: Request) -> str | Exception:
        asked = "wise" not in model and request.sampling.temperature and request.index == 3
        return PermanentError("lost") if asked and number(request) == "2" else wise(model, request)

    world.rows, world.say = examples(problems=3, train=2, test=1), lost
    carried(world, PICKING)
    (told,) = json.loads((world.root / "runs" / "scripted" / "report" / "best_of.json").read_text())
    assert told["examples"] == 2
    assert "1 examples left out: an answer is missing" in told["notes"]
    curves = {one["name"]: [p["rate"]["value"] for p in one["points"]] for one in told["curves"]}
    assert curves[SAMPLE] == [0.25] * 4


def test_what_a_study_says_of_picking_has_to_stand_for_something(world: World) -> None:
    for change, told in (
        (("judge: wise, way", "judge: nobody, way"), "no model 'nobody'"),
        (("from: sums", "from: differences"), "no data 'differences'"),
        (("samples: 4", "samples: 1"), "greater than or equal to 2"),
        (("way: generate", "way: guess"), "way"),
        (("way: generate", "task: sums"), "no task 'sums'"),
    ):
        with pytest.raises(StudyError, match=told):
            carried(world, PICKING.replace(*change))


def test_data_without_examples_of_the_task_are_told(world: World) -> None:
    world.say = wise
    with pytest.raises(StudyError, match="no example of the task 'write'"):
        carried(world, PICKING.replace("way: generate", "task: write"))


# ------------------------------------------------------------------ by scores


class Rating:
    """Rates what adds above what doesn't; it fails where it is told to."""

    served_by, model = "test", "rating"

    def __init__(self, *, fails: bool = False) -> None:
        self.fails, self.seen = fails, list[Request]()

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | Exception]]:
        from outdo.errors import PermanentError

        for request in requests:
            self.seen.append(request)
            if self.fails:
                yield request, PermanentError("too long")
                continue
            odds = [3.0 if adds(one) else 1.0 for one in request.prompt.candidates]
            logs = tuple(math.log(one / sum(odds)) for one in odds)
            yield (
                request,
                Completion(
                    prompt=request.prompt.key,
                    model=self.model,
                    served_by=self.served_by,
                    sampling=request.sampling,
                    index=request.index,
                    text=request.prompt.candidates[0],
                    finish="stop",
                    logprobs=logs,
                ),
            )


def shop(world: World, rating: Rating) -> Shop:
    def engine(_: ModelReference, __: Answering) -> Engine:
        return rating  # type: ignore[return-value]

    tools = replace(world.tools, engine=engine)
    return Shop(store=world.store, tools=tools, watch=Silent(), how={})


def reward(world: World) -> ModelReference:
    return ModelReference(name="rater", path=world.root, digest=digest("rater"), head="score")


CHOICES = [
    Choice(
        id=str(i),
        group=str(i),
        statement="Add.",
        programs=(None, "x - 1", f"x + {i}", "x - 1", None if i % 2 else "x - 2"),
        passed=(0.0, 0.0, 1.0, 0.0, 0.0),
    )
    for i in range(6)
]


def pick(world: World, rating: Rating) -> Picked:
    return picked(
        shop(world, rating),
        contender("rater", reward(world)),
        CHOICES,
        name="pick",
        model="m",
        criterion="correctness",
        claim="these",
        seed=1,
    )


def test_all_distinct_answers_of_an_example_are_rated_at_once(world: World) -> None:
    rating = Rating()
    found = pick(world, rating)
    assert len(rating.seen) == 6
    assert {len(one.prompt.candidates) for one in rating.seen} == {2, 3}
    assert rates(found, found.judge) == pytest.approx(rates(found, ORACLE))
    assert rates(found, SAMPLE) == pytest.approx([0.2] * 5)
    assert rates(found, READABLE)[0] == pytest.approx(0.2), "one draw leaves nothing to pick"
    assert rates(found, READABLE)[4] == pytest.approx((1 / 4 + 1 / 3) / 2)
    assert rates(found, "most frequent")[4] == 0
    assert (
        found.sentence.endswith("it closes 100.0% of that gap") or "closes 100.0" in found.sentence
    )


def test_a_judge_that_fails_prefers_none_and_that_is_told(world: World) -> None:
    found = pick(world, Rating(fails=True))
    assert rates(found, found.judge) == pytest.approx(rates(found, READABLE))
    assert found.notes == (
        "6 of 6 examples have a call of rater by reward without a verdict: it prefers none of "
        "those answers",
    )


def test_what_picks_is_among_the_stages(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    show_stages(world.study(PICKING), Console(width=200))
    assert "the best of 4 answers of small to sums, by wise" in capsys.readouterr().out


def test_a_model_is_asked_in_ways_that_it_has(world: World) -> None:
    assert contender("rater", reward(world)).way == "reward"
    with pytest.raises(StudyError, match="rates texts and writes none"):
        contender("rater", reward(world), way="choice")
    plain = ModelReference(name="plain", path=world.root, digest=digest("plain"))
    assert contender("plain", plain).way == "choice"
    with pytest.raises(StudyError, match="gives texts no score"):
        contender("plain", plain, way="reward")
