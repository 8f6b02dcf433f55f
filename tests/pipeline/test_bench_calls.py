"""Judges of pairs by their calls: what each reply counts as, whose probability it tells."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from world import Silent, World

from outdo.data.pairs import CodePair, choices
from outdo.data.picks import Choice
from outdo.errors import PermanentError
from outdo.models.reference import ModelReference
from outdo.pipeline.bench import Heard, Way, contender, floors, hear
from outdo.pipeline.bench_findings import findings_of
from outdo.pipeline.best_of import picked
from outdo.pipeline.giveaways import giveaways
from outdo.pipeline.stages import Shop
from outdo.records import Completion, Request, digest
from outdo.report.findings import Environment
from outdo.stats.preference import half, strict

Says = Callable[[Request], Completion | Exception]


def pair(number: int, **more: str) -> CodePair:
    said = {"criterion": "correctness", "source": "made", **more}
    return CodePair(
        id=f"p{number}",
        group=f"g{number}",
        statement=f"Return {number}.",
        better=f"def good():\n    return {number}",
        worse=f"def poor():\n    return {number} + 1",
        split="test",
        **said,  # type: ignore[arg-type]
    )


EXAMPLES = choices([pair(number) for number in range(4)], seed=1)


def reply(request: Request, text: str = "A", **more: object) -> Completion:
    said = {"finish": "stop", **more}
    return Completion(
        prompt=request.prompt.key,
        model="judge",
        served_by="test",
        sampling=request.sampling,
        index=request.index,
        text=text,
        **said,  # type: ignore[arg-type]
    )


class Judge:
    """An engine that says to each request what a function makes of it."""

    def __init__(self, says: Says) -> None:
        self.says = says

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | Exception]]:
        for request in requests:
            yield request, self.says(request)


def shop(world: World, says: Says) -> Shop:
    tools = replace(world.tools, engine=lambda *_: Judge(says))  # type: ignore[arg-type]
    return Shop(store=world.store, tools=tools, watch=Silent(), how={})


def heard(world: World, says: Says, way: Way) -> Heard:
    model = ModelReference(name="judge", path=world.root, digest=digest("judge"))
    return hear(shop(world, says), contender("judge", model, way=way), EXAMPLES, seed=1)


def odds(first: float) -> tuple[float, float]:
    return math.log(first), math.log(1 - first)


# ------------------------------------------------------------------ one call


def test_a_probability_is_that_of_the_better_program_whichever_stands_first(world: World) -> None:
    told = heard(world, lambda one: reply(one, "A", logprobs=odds(0.8)), "choice")
    for calls in told.calls.values():
        assert {call.better_first for call in calls} == {True, False}
        for call in calls:
            assert call.look.said == ("right" if call.better_first else "wrong")
            assert call.look.forecast == pytest.approx(0.8 if call.better_first else 0.2)
            assert call.look.first is True


def test_equal_probabilities_are_a_tie_whatever_letter_was_picked(world: World) -> None:
    told = heard(world, lambda one: reply(one, "A", logprobs=odds(0.5)), "choice")
    looks = [call.look for calls in told.calls.values() for call in calls]
    assert {(one.said, one.forecast, one.first) for one in looks} == {("tie", 0.5, None)}


@pytest.mark.parametrize(
    ("text", "finish", "said"),
    [
        ("It adds.\n\nA", "stop", None),
        ("It adds.\n\nA", "length", "cut"),
        ("It adds.\n\nA", "refused", "refused"),
        ("Tie", "stop", "tie"),
        ("I can't say which.", "stop", "unreadable"),
        ("", "stop", "unreadable"),
    ],
)
def test_what_is_no_whole_verdict_is_counted_apart(
    world: World, text: str, finish: str, said: str | None
) -> None:
    told = heard(world, lambda one: reply(one, text, finish=finish), "generate")
    for calls in told.calls.values():
        found = {call.look.said for call in calls}
        assert found == ({said} if said else {"right", "wrong"})


def test_a_letter_that_was_picked_is_whole_though_no_token_was_left(world: World) -> None:
    told = heard(world, lambda one: reply(one, "A", finish="length", logprobs=odds(0.7)), "choice")
    assert {call.look.said for calls in told.calls.values() for call in calls} == {"right", "wrong"}


def test_a_call_that_was_never_answered_has_failed(world: World) -> None:
    told = heard(world, lambda _: PermanentError("no such model"), "generate")
    calls = [call for own in told.calls.values() for call in own]
    assert {(call.look.said, call.completion) for call in calls} == {("failed", None)}
    assert "no such model" in calls[0].text


# ------------------------------------------------------------------ beside floors


def test_a_judge_is_held_against_the_floor_that_is_best_on_the_very_pairs(world: World) -> None:
    long = "\n    return 1 + 1 + 1 + 1"
    pairs = [pair(n) for n in range(4)]
    pairs += [
        replace(pair(n, criterion="security"), better=f"def good():\n    x = {n}{long}")
        for n in range(4, 8)
    ]
    examples = choices(pairs, seed=1)
    rules = floors(examples, seed=1)
    model = ModelReference(name="judge", path=world.root, digest=digest("judge"))
    judge = contender("judge", model, way="generate")
    mine = hear(shop(world, lambda one: reply(one, "A")), judge, examples, seed=1)
    found = findings_of(
        examples, [mine], rules, claim="these", margin=0.05, seed=1, title="t", about="",
        command="", environment=Environment(outdo="0"),
    )  # fmt: skip
    told = {(one.score, one.criterion): one for one in found.beside}
    criteria = {one.id: str(one.given["criterion"]) for one in examples}
    for score, value in (("strict", strict), ("half credit", half)):
        for criterion in ("correctness", "security"):
            means = {
                rule.name: sum(
                    value(own) for item, own in rule.looks.items() if criteria[item] == criterion
                )
                for rule in rules
            }
            assert means[told[score, criterion].b] == max(means.values()) == 4
    assert told["strict", "security"].b == "floor/longer"
    assert told["strict", "correctness"].b != "floor/longer"


def test_a_pair_is_no_neighbour_of_itself() -> None:
    (share,) = (one.share for one in giveaways([pair(1)], seed=1) if one.rule == "nearest")
    assert share == 0.5


# ------------------------------------------------------------------ picks


def test_an_answer_without_a_program_wins_no_contest(world: World) -> None:
    some = [
        Choice(id=str(n), group=str(n), statement="Add.", programs=(None, "x + 1", None),
               passed=(0.0, 1.0, 0.0))
        for n in range(3)
    ]  # fmt: skip
    model = ModelReference(name="judge", path=world.root, digest=digest("judge"))
    found = picked(
        shop(world, lambda one: reply(one, "A")), contender("judge", model, way="generate"), some,
        name="pick", model="m", criterion="correctness", claim="these", seed=1,
    )  # fmt: skip
    rates = [point.rate.value for point in found.curves[0].points]
    assert rates == pytest.approx([1 / 3, 2 / 3, 1.0])
