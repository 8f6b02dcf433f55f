"""All that is looked for in a set, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from outdo.data.check.faults import faulty
from outdo.data.check.form import odd_forms
from outdo.data.check.leaks import across_splits, leaking, prompts_across
from outdo.data.check.nouns import Checked, Entry, Finding, Gathered, Shown, excerpt, finding
from outdo.data.check.programs import unparsed
from outdo.data.check.repeats import (
    alike_pairs,
    boilerplate,
    duplicates,
    echoes,
    returning,
    same_answers,
)
from outdo.data.check.separation import separating
from outdo.data.sifting import Item
from outdo.records import Conversation, Message, Pair

Count = Callable[[Conversation], "int | None"]
"""How many tokens a conversation has, its template included; None if a model can't be told it."""

EMPTY = {"empty completion": "empty", "empty prompt": "empty"}


def check(
    rows: Gathered,
    *,
    against: Sequence[Item] = (),
    count: Count | None = None,
    limit: int | None = None,
) -> Checked:
    """What a model could learn from the set instead of the task, the serious findings first.

    `against` is the evaluation set. With `count` and `limit`, rows of more tokens than that are
    told. It is deterministic, and changes nothing.
    """
    found = [*_unusable(rows), *_findings(rows, against)]
    if count is not None and limit is not None:
        found += _too_long(rows, count, limit)
    found.sort(key=lambda one: (not one.serious, -_strength(one)))
    kind = "pairs" if rows.pairs else "conversations" if rows.sides else "examples"
    return Checked(name=rows.name, kind=kind, rows=len(rows.entries), findings=tuple(found))


def _strength(one: Finding) -> float:
    if one.separates is not None and one.separates.value is not None:
        return 2 * one.separates.value - 1
    return one.rows / one.of


def _findings(rows: Gathered, against: Sequence[Item]) -> Iterator[Finding]:
    if not rows.sides:
        yield from faulty(rows)
        yield from duplicates(rows.entries)
        yield from prompts_across(rows)
        return
    if rows.pairs:
        yield from separating(rows)
    yield from alike_pairs(rows)
    yield from unparsed(rows)
    yield from faulty(rows)
    yield from returning(rows)
    yield from echoes(rows)
    yield from boilerplate(rows)
    yield from same_answers(rows)
    yield from odd_forms(rows)
    yield from across_splits(rows)
    yield from leaking(rows, against)


def _unusable(rows: Gathered) -> Iterator[Finding]:
    """Rows that training would refuse, by reason."""
    total = len(rows.entries) + sum(map(len, rows.unusable.values()))
    for reason, places in rows.unusable.items():
        yield from finding(
            EMPTY.get(reason, "unusable"),
            [Shown(where, reason) for where in places],
            side="row",
            of=total,
            what=f"training can't use the row: {reason}",
            todo="mend or drop them; a data entry with drop: true leaves them out",
            serious_from=0.01,
        )


def _too_long(rows: Gathered, count: Count, limit: int) -> Iterator[Finding]:
    """Rows that have more tokens than training takes."""
    hits, refused, longest = [], [], 0
    for entry in rows.entries:
        counts = [count(talk) for talk in _talks(entry)]
        tokens = max((one for one in counts if one is not None), default=0)
        longest = max(longest, tokens)
        if None in counts:
            refused.append(Shown(entry.where, excerpt(entry.prompt)))
        if tokens > limit:
            hits.append(Shown(entry.where, f"{tokens:,} tokens: {excerpt(entry.prompt)}"))
    yield from finding(
        "template refuses",
        refused,
        side="row",
        of=len(rows.entries),
        what="the model's chat template or tokenizer doesn't give the row's answers as they are",
        todo="drop them, or take another template",
        serious_from=0.01,
    )
    yield from finding(
        "too long",
        hits,
        side="row",
        of=len(rows.entries),
        what=f"the row has more than {limit:,} tokens (up to {longest:,})",
        todo="raise max_length, or set longer to drop; cut answers never show their end",
        serious_from=0.05,
    )


def _talks(entry: Entry) -> list[Conversation]:
    """The conversations that a row is learnt as: one, or one for each reply."""
    if isinstance(entry.record, Conversation):
        return [entry.record]
    if not isinstance(entry.record, Pair):
        return []
    pair = entry.record
    return [
        Conversation(
            id=pair.id,
            group=pair.group,
            task="chat",
            source="",
            messages=(*pair.prompt.messages, Message(role="assistant", content=reply)),
        )
        for reply in (pair.chosen, pair.rejected)
    ]
