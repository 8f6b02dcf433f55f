"""Pairs of a better and a worse reply, out of what a model said to training examples.

The tests say which replies pass; a pair tells where each of its sides came from. Programs that are
the same count once, an example gives a few pairs at most, and no group gives most of them.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from outdo.pipeline.lessons import Lesson
from outdo.records import Example, Json, Pair, Prompt, digest
from outdo.study import Pairs

MOST_OF_MEAN = 2
"""No group gives more than this many times the pairs of a group on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A reply to an example: its program as read, and whether that passes; None: can't be told.

    `whole` says that the model ended it. `by` is where it came from, as the pair's evidence.
    """

    text: str
    program: Json
    passes: bool | None
    whole: bool = True
    by: Mapping[str, Json] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for replies that come to the same program."""
        return digest(self.text if self.program is None else ["program", self.program])


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """An example, how it was asked, its known answer, and what the model said."""

    example: Example
    prompt: Prompt
    gold: Said | None
    own: tuple[Said, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """The pairs, each with its example, and what became of the examples that gave none."""

    lessons: tuple[Lesson, ...]
    examples: int
    reasons: Mapping[str, int]
    left_out: int
    worse_passes: int

    def notes(self, name: str) -> Iterator[str]:
        """What a reader must know of the pairs, in words."""
        yield f"pairs {name!r}: {len(self.lessons):,} of {self.examples:,} examples"
        for reason, count in self.reasons.items():
            yield f"pairs {name!r}: {count:,} examples give none: {reason}"
        if self.left_out:
            yield f"pairs {name!r}: {self.left_out:,} left out, so that no group gives most of them"
        if self.worse_passes:
            yield f"pairs {name!r}: in {self.worse_passes:,} the rejected reply passes all tests"


def paired(replies: Iterable[Replies], spec: Pairs, *, seed: int) -> Paired:
    """The pairs of all examples, in the order of the examples."""
    found: list[tuple[Pair, Example, Said]] = []
    reasons: Counter[str] = Counter()
    examples = 0
    for one in replies:
        examples += 1
        sides = _sides(one, spec, seed=seed)
        if isinstance(sides, str):
            reasons[sides] += 1
            continue
        better, worse = sides
        for number in range(min(spec.per_prompt, max(len(better), len(worse)))):
            pair = (better[number % len(better)], worse[number % len(worse)])
            found.append((_pair(one, *pair, number=number, spec=spec), one.example, pair[1]))
    balanced = _balanced([pair for pair, *_ in found], seed=seed)
    kept = [item for item in found if item[0].id in balanced]
    return Paired(
        lessons=tuple(
            Lesson(id=pair.id, group=pair.group, rows=(pair,), example=example)
            for pair, example, _ in kept
        ),
        examples=examples,
        reasons=dict(reasons.most_common()),
        left_out=len(found) - len(kept),
        worse_passes=sum(worse.passes is True for *_, worse in kept),
    )


def _sides(one: Replies, spec: Pairs, *, seed: int) -> tuple[list[Said], list[Said]] | str:
    """The replies that may be chosen and those that may be rejected, or why there are none."""
    own = _distinct(one.own, seed=f"{seed}/{one.example.id}")
    if spec.chosen == "gold":
        better = [one.gold] if one.gold else []
        missing = "no answer is known"
    else:
        better = [said for said in own if said.passes and said.whole]
        missing = "no reply passes"
    if not better:
        return missing
    if spec.rejected == "fails":
        worse = [said for said in own if said.passes is False]
        missing = "no reply fails"
    else:
        worse = own
        missing = "the model says the known answer"
    chosen = {said.key for said in better}
    worse = [said for said in worse if said.key not in chosen and said.text.strip()]
    return (better, worse) if worse else missing


def _distinct(own: Sequence[Said], *, seed: str) -> list[Said]:
    """One reply for each program that was said, in an order that the seed draws."""
    first: dict[str, Said] = {}
    for said in own:
        first.setdefault(said.key, said)
    return [first[key] for key in sorted(first, key=lambda key: digest([seed, key]))]


def _pair(one: Replies, better: Said, worse: Said, *, number: int, spec: Pairs) -> Pair:
    example = one.example
    return Pair(
        id=f"{example.task}/{example.id}/{digest([better.text, worse.text])[:6]}/{number}",
        group=example.group,
        source=example.source,
        prompt=one.prompt,
        chosen=better.text,
        rejected=worse.text,
        criterion=spec.chosen,
        evidence={"example": example.id, "chosen": better.by, "rejected": worse.by},
    )


def _balanced(pairs: Sequence[Pair], *, seed: int) -> set[str]:
    """The ids of all pairs but those that a group has above its most, drawn by the seed."""
    groups: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        groups[pair.group].append(pair.id)
    most = math.ceil(MOST_OF_MEAN * len(pairs) / max(1, len(groups)))
    drawn = (sorted(ids, key=lambda id: digest([seed, id])) for ids in groups.values())
    return {id for ids in drawn for id in ids[:most]}


def in_turns(examples: Sequence[Example], limit: int | None, *, seed: int) -> list[Example]:
    """At most `limit` examples, one of each group in turn; a larger limit only adds."""
    place: Counter[str] = Counter()
    order = []
    for example in sorted(examples, key=lambda e: digest(["pairs", seed, e.id])):
        order.append((place[example.group], digest([seed, example.group]), example))
        place[example.group] += 1
    return [example for *_, example in sorted(order, key=lambda one: one[:2])][:limit]
