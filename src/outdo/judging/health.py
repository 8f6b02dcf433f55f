"""How good a judge is, from its own replies alone: every number with its interval.

Whether it agrees with people, with tests or with other judges is told in `truth` and `panel`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from outdo.judging.folding import Folded, by_pair
from outdo.judging.nouns import Judgement
from outdo.judging.standings import at_equal_length, measured
from outdo.records import Measure
from outdo.stats import Claim, mean

ORDERS_AGREE, FIRST, FLIPS = "orders agree", "first preferred", "repeats differ"
UNREADABLE, FAILED, CONTRADICTS = "unreadable", "failed", "contradicts its scores"
REPAIRED, TIES, PLANTED, SLOPE = "repaired", "ties", "planted verdicts", "length slope"

ABOUT = {
    ORDERS_AGREE: "how often both orders of the same two replies get the same verdict",
    FIRST: "how often the reply shown first is preferred; one half is fair",
    FLIPS: "how often a call that is repeated gets another verdict",
    UNREADABLE: "replies from which no verdict could be read",
    FAILED: "calls that were never answered",
    CONTRADICTS: "verdicts that the judge's own scores speak against",
    REPAIRED: "verdicts that broke the form and could still be read",
    TIES: "verdicts that are a tie",
    PLANTED: "calls in which what is shown holds something like a verdict of its own",
    SLOPE: "change of the log odds of a reply e times as long; 0 is fair",
}

Cell = tuple[str, float]
"""The example that an observation belongs to, and its value."""


def health(
    judgements: Iterable[Judgement],
    groups: Mapping[str, str],
    *,
    claim: Claim = "new",
    lengths: bool = True,
) -> tuple[Measure, ...]:
    """The measures of one judge, over all that it was asked; those that nothing tells are left out.

    `groups` maps an example to its group; under the claim «new» whole groups are the evidence.
    Contests that were settled without the judge don't count. `lengths` asks for the slope too.
    """
    called = [one for one in judgements if one.how != "settled" and _called(one)]
    found = []
    for name, cells in _cells(called):
        if cells := list(cells):
            labels = [groups[example] for example, _ in cells]
            share = mean([value for _, value in cells], labels, share=True, claim=claim)
            found.append(measured(name, share, about=ABOUT[name]))
    return (*found, *(_slope(called, groups, claim) if lengths else ()))


def _called(one: Judgement) -> bool:
    """Whether the judge was called: not so where a contestant's reply was never given."""
    return one.how != "failed" or one.lengths != (0, 0)


def _cells(called: Sequence[Judgement]) -> Iterable[tuple[str, Iterable[Cell]]]:
    answered = [one for one in called if one.how == "asked"]
    readable = [one for one in answered if one.choice is not None]
    scored = [one for one in readable if one.preference.scores is not None]
    yield ORDERS_AGREE, _orders(readable)
    yield FIRST, [(one.example, one.first) for one in readable if one.first is not None]
    yield FLIPS, _flips(readable)
    yield TIES, _share(readable, lambda one: one.choice == "tie")
    yield UNREADABLE, _share(answered, lambda one: one.choice is None)
    yield FAILED, _share(called, lambda one: one.how == "failed")
    yield REPAIRED, _share(readable, lambda one: one.verdict.repaired_by is not None)
    yield CONTRADICTS, _share(scored, lambda one: one.verdict.contradicts)
    yield PLANTED, _share(called, lambda one: one.planted)


def _share(judgements: Sequence[Judgement], holds: Callable[[Judgement], bool]) -> Iterable[Cell]:
    return [(one.example, float(holds(one))) for one in judgements]


def _contest(one: Judgement) -> tuple[str, str, str, int]:
    comparison = one.preference.comparison
    return comparison.example, comparison.a, comparison.b, one.sample


def _orders(readable: Sequence[Judgement]) -> Iterable[Cell]:
    """Whether the first call of each order says the same, contest by contest."""
    seen: dict[tuple[str, str, str, int], dict[str, Judgement]] = defaultdict(dict)
    for one in sorted(readable, key=lambda one: one.preference.repeat):
        seen[_contest(one)].setdefault(one.preference.order, one)
    return [
        (contest[0], float(orders["ab"].choice == orders["ba"].choice))
        for contest, orders in seen.items()
        if len(orders) == 2
    ]


def _flips(readable: Sequence[Judgement]) -> Iterable[Cell]:
    """Whether each repeat says something else than the call that it repeats."""
    firsts = {
        (*_contest(one), one.preference.order): one.choice
        for one in readable
        if one.preference.repeat == 0
    }
    return [
        (one.example, float(one.choice != firsts[call]))
        for one in readable
        if one.preference.repeat and (call := (*_contest(one), one.preference.order)) in firsts
    ]


def _slope(
    called: Sequence[Judgement], groups: Mapping[str, str], claim: Claim
) -> tuple[Measure, ...]:
    """How far the judge leans to the longer reply, over all pairs of contestants at once."""
    told: dict[str, Folded] = {}
    own: dict[str, str] = {}
    for (a, b), folded in by_pair(called).items():
        for example, one in folded.items():
            name = f"{example}\n{a}\n{b}"
            told[name], own[name] = one, groups[example]
    found = at_equal_length(told, own, claim=claim)
    if found is None or found.slope is None:
        return ()
    return (
        Measure(
            name=SLOPE,
            value=found.slope,
            low=found.slope_low,
            high=found.slope_high,
            n=found.n,
            unit="log odds",
            about=ABOUT[SLOPE],
        ),
    )
