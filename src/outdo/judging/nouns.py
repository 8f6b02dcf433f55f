"""What is judged, what a judge is asked, and what came of it.

A `Contest` is two replies to one request. A way of judging makes calls (`Asked`) of it, reads each
reply as a `Verdict`, and both together are a `Judgement`: all that is counted later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from outdo.records import Comparison, Message, Preference, Prompt, Request, Sampling, Side

Order = Literal["ab", "ba"]
ORDERS: tuple[Order, Order] = ("ab", "ba")
WORTH: dict[Side, float] = {"a": 1.0, "tie": 0.5, "b": 0.0}
"""What a choice is worth to contestant a."""
OTHER: dict[Side, Side] = {"a": "b", "b": "a", "tie": "tie"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """Two replies to one request, with what a judge may know of them.

    `comparison` names the example and both contestants; no judge sees these names. `replies` are
    the texts of a and b, in this order, None for one that was never given; `request` is what both
    replied to, empty where it isn't known. `facts` are known truths about each reply, such as test
    results, shown beside it. `sample` numbers contests of the same two on the same example.
    """

    comparison: Comparison
    request: tuple[Message, ...] = ()
    replies: tuple[str | None, str | None]
    criterion: str = ""
    facts: tuple[str, str] = ("", "")
    sample: int = 0

    def swapped(self) -> Contest:
        """The same contest told from the other side."""
        return Contest(
            comparison=self.comparison.swapped(),
            request=self.request,
            replies=(self.replies[1], self.replies[0]),
            criterion=self.criterion,
            facts=(self.facts[1], self.facts[0]),
            sample=self.sample,
        )

    def shown(self, order: Order) -> tuple[str, str]:
        """The texts in the order shown; a reply that was never given is shown as nothing."""
        a, b = (reply or "" for reply in self.replies)
        return (a, b) if order == "ab" else (b, a)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What standings know of an example: its task, its group, and the slices it belongs to.

    `parts` maps the name of a slicing to this example's slice: `{"language": "python"}`.
    """

    task: str
    group: str
    parts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call of a judge: the prompt, and what is needed to read its reply.

    `mark` is the code that the judge's own verdict carries. `planted` says that what is shown holds
    something that could be read as a verdict: only a marked one is then believed. `repeat` is the
    request's index.
    """

    contest: Contest
    order: Order
    prompt: Prompt
    repeat: int = 0
    mark: str = ""
    planted: bool = False

    def request(self, sampling: Sampling) -> Request:
        return Request(prompt=self.prompt, sampling=sampling, index=self.repeat)

    def side(self, place: Literal[0, 1]) -> Side:
        """The contestant that stands at this place of what is shown."""
        return "a" if (place == 0) == (self.order == "ab") else "b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one reply of a judge says; `choice` and `scores` are of a and b, not of places.

    `problem` says why there is no choice, `repaired_by` which rule was needed to read it, and
    `contradicts` whether its own scores say otherwise.
    """

    choice: Side | None
    scores: tuple[float, float] | None = None
    confidence: float | None = None
    because: str = ""
    repaired_by: str | None = None
    problem: str | None = None
    contradicts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A verdict with its circumstances.

    `how` is `asked` for a judge's own reply, `settled` where no judge was needed (the replies are
    equal, or one is empty), `failed` where a call was never answered or a reply never given.
    `lengths` are those of the replies of a and b in characters.
    """

    preference: Preference
    verdict: Verdict
    how: Literal["asked", "settled", "failed"] = "asked"
    lengths: tuple[int, int] = (0, 0)
    planted: bool = False
    sample: int = 0

    @property
    def choice(self) -> Side | None:
        return self.preference.choice

    @property
    def example(self) -> str:
        return self.preference.comparison.example

    @property
    def first(self) -> float | None:
        """1 where the reply shown first was preferred, 0 where the other, else None."""
        if self.choice not in ("a", "b"):
            return None
        return float((self.choice == "a") == (self.preference.order == "ab"))

    def swapped(self) -> Judgement:
        """The same judgement told from the other side."""
        old, said = self.preference, self.verdict
        choice = None if old.choice is None else OTHER[old.choice]
        scores = None if old.scores is None else (old.scores[1], old.scores[0])
        return Judgement(
            preference=Preference(
                comparison=old.comparison.swapped(),
                choice=choice,
                by=old.by,
                order="ba" if old.order == "ab" else "ab",
                repeat=old.repeat,
                scores=scores,
                confidence=old.confidence,
                because=old.because,
            ),
            verdict=Verdict(
                choice=choice,
                scores=scores,
                confidence=said.confidence,
                because=said.because,
                repaired_by=said.repaired_by,
                problem=said.problem,
                contradicts=said.contradicts,
            ),
            how=self.how,
            lengths=(self.lengths[1], self.lengths[0]),
            planted=self.planted,
            sample=self.sample,
        )


def judgement(
    contest: Contest,
    verdict: Verdict,
    *,
    by: str,
    order: Order = "ab",
    repeat: int = 0,
    how: Literal["asked", "settled", "failed"] = "asked",
    planted: bool = False,
) -> Judgement:
    """The verdict of judge `by` on a contest, as it is counted."""
    a, b = (len(reply or "") for reply in contest.replies)
    return Judgement(
        preference=Preference(
            comparison=contest.comparison,
            choice=verdict.choice,
            by=by,
            order=order,
            repeat=repeat,
            scores=verdict.scores,
            confidence=verdict.confidence,
            because=verdict.because,
        ),
        verdict=verdict,
        how=how,
        lengths=(a, b),
        planted=planted,
        sample=contest.sample,
    )


def settled(contest: Contest) -> Verdict | None:
    """The verdict that needs no judge, or None.

    Replies that are equal tie, and an empty one loses to any other. A reply that was never given
    settles nothing: the contest can't be held, and its verdict has a problem.
    """
    if any(reply is None for reply in contest.replies):
        return Verdict(choice=None, problem="a reply was never given")
    a, b = ((reply or "").strip() for reply in contest.replies)
    if a == b:
        return Verdict(choice="tie", because="the replies are the same")
    if not a or not b:
        return Verdict(choice="a" if a else "b", because="the other reply is empty")
    return None
