"""An easy task whose answer is known: a judge that can't do it is not believed.

The author's own title is held against another change's title. Where there are no titles, the
task's gold reply is held against its bait. Better than chance means that the whole interval is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from outdo import diffs
from outdo.judging.criteria import criterion
from outdo.judging.folding import fold, values
from outdo.judging.nouns import Contest, Judgement
from outdo.judging.standings import measured
from outdo.records import Comparison, Example, Measure, Message, digest
from outdo.stats import Interval, mean

AUTHOR, ANOTHER = "the author's title", "another change's title"
GOLD, BAIT = "gold", "bait"
TITLE = "Give this change a title, as it would stand in a list of changes."
LIMIT = 100
"""Contests that are enough: at 70% right their interval is above one half."""
POOL = 200
"""Other titles that one is picked from."""
CHARACTERS = 8_000
"""What a known task shows of a change, so that a small judge can read it."""
FEWEST_GROUPS = 6
"""Below this many groups even a judge that is always right couldn't show it of new groups."""
MOSTLY = 0.5
"""A judge of which fewer replies than this can be read is not believed."""

Reply = Callable[[Example], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """Whether a judge is believed, why, and how often it was right."""

    believed: bool
    why: str
    measure: Measure


def known_task(
    examples: Iterable[Example],
    *,
    request: Callable[[Example], Sequence[Message]] | None = None,
    gold: Reply | None = None,
    bait: Reply | None = None,
    shown: Reply | None = None,
    limit: int = LIMIT,
) -> tuple[Contest, ...]:
    """At most `limit` contests whose better reply, always a, is known.

    Titles where at least two examples have an author's, else `gold` against `bait` as replies to
    `request`, where these are given. `shown` is the diff of an example as a judge sees it. Groups
    take turns, and which examples are taken follows from their names, so that few are new where
    examples are added.
    """
    examples = _in_turns(examples)
    titled = [example for example in examples if _title(example)]
    if len({_title(example).casefold() for example in titled}) > 1:
        return tuple(
            _of_titles(example, other, shown or _shown)
            for example in titled[:limit]
            if (other := _another(example, titled)) is not None
        )
    if request is None or gold is None or bait is None:
        return ()
    return tuple(
        Contest(
            comparison=Comparison(example=example.id, a=GOLD, b=BAIT),
            request=tuple(request(example)),
            replies=(gold(example), bait(example)),
            criterion=criterion(example.task),
        )
        for example in examples[:limit]
    )


def _in_turns(examples: Iterable[Example]) -> list[Example]:
    """One example of each group, then a second of each, in an order that names alone decide."""
    ordered = sorted(examples, key=lambda example: digest(["known", example.id]))
    seen: Counter[str] = Counter()
    turns = []
    for example in ordered:
        turns.append((seen[example.group], example))
        seen[example.group] += 1
    return [example for _, example in sorted(turns, key=lambda turn: turn[0])]


def _title(example: Example) -> str:
    title = example.wanted.get("title")
    return title.strip() if isinstance(title, str) else ""


def _another(example: Example, titled: Sequence[Example]) -> Example | None:
    """An example with another title, of another group if there is one."""
    own = _title(example).casefold()
    others = [each for each in titled if _title(each).casefold() != own][:POOL]
    apart = [each for each in others if each.group != example.group]
    return min(apart or others, key=lambda each: digest([example.id, each.id]), default=None)


def _of_titles(example: Example, other: Example, shown: Reply) -> Contest:
    return Contest(
        comparison=Comparison(example=example.id, a=AUTHOR, b=ANOTHER),
        request=(Message(role="user", content=f"{shown(example)}\n\n{TITLE}"),),
        replies=(_title(example), _title(other)),
        criterion=criterion("title"),
    )


def _shown(example: Example) -> str:
    text = str(example.given.get("rendered") or "")
    if not text or len(text) > CHARACTERS:
        diff = diffs.parse(str(example.given.get("diff") or ""))
        text = diffs.render(diff, budget=CHARACTERS, count=len).text
    return text


def believed(judgements: Iterable[Judgement], groups: Mapping[str, str]) -> Belief:
    """Whether a judge did the known task better than chance, from its judgements of it.

    `groups` maps an example to its group; whole groups are the evidence where there are six, else
    each example is, and `why` says so.
    """
    told = values(fold(judgements))
    labels = [groups[name] for name in told]
    clustered = len(set(labels)) >= FEWEST_GROUPS
    found = mean(list(told.values()), labels, share=True, claim="new" if clustered else "these")
    about = "how often it prefers the reply that is known to be better, a tie counted as half"
    return Belief(
        believed=_passes(found),
        why=_why(found, clustered),
        measure=measured("known task", found, about=about),
    )


def _passes(found: Interval) -> bool:
    readable = found.n / (found.n + found.missing) if found.n else 0.0
    return found.low is not None and found.low > 0.5 and readable >= MOSTLY


def _why(found: Interval, clustered: bool) -> str:
    every = found.n + found.missing
    if not every:
        return "it was not tried: there was no task whose answer is known"
    if found.value is None:
        return f"none of its {every} verdicts on the known task could be read"
    if found.n / every < MOSTLY:
        return f"only {found.n} of its {every} verdicts on the known task could be read"
    said = f"it was right on {found.value:.0%} of {found.n} known answers"
    if found.low is None or found.high is None:
        return f"{said}, and no interval can be told: {found.by}"
    interval = f"95% interval {found.low:.0%} to {found.high:.0%}"
    word = "better" if _passes(found) else "not better"
    said = f"{said} ({interval}): {word} than chance"
    return said if clustered else f"{said}, of these {found.groups} groups alone"
