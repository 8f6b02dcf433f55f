"""What a set shares with the one that it will be judged by, or its parts with each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from outdo.data.check.nouns import Entry, Finding, Gathered, Shown, excerpt, finding
from outdo.data.overlap import COMMON, SHARE, WORDS, apart
from outdo.data.sifting import Item

_SHARED = {
    "evaluation: group": "its group",
    "evaluation: text": "a whole text, its prompt or its answer,",
    "evaluation: n-grams": f"at least {SHARE:.0%} of its runs of {WORDS} words, or of theirs,",
}
_TODO = "drop these rows, or test on others: outdo data clean --evaluation does"


def leaking(rows: Gathered, against: Sequence[Item]) -> Iterator[Finding]:
    """Rows that share a group, a text, or many 13-word runs with the evaluation."""
    if not against:
        return
    own = [_item(entry, place) for place, entry in enumerate(rows.entries)]
    common = _common(against) | _common(own)
    items, known = _told_apart(own, common), _told_apart(against, common)
    found: set[str] = set()
    for gate in apart(known):
        drops = gate.failing([item for item in items if item.id not in found])
        found |= set(drops)
        hits = [
            Shown(rows.entries[int(id)].where, f"{drop.detail}: {excerpt(own[int(id)].text)}")
            for id, drop in sorted(drops.items(), key=lambda pair: int(pair[0]))
        ]
        yield from finding(
            "leak " + gate.name.partition(": ")[2],
            hits,
            side="row",
            of=len(rows.entries),
            what=f"the row shares {_SHARED.get(gate.name, gate.name)} with the evaluation set",
            todo=_TODO,
            serious_from=0,
        )


def _item(entry: Entry, place: int) -> Item:
    texts = (entry.prompt, *entry.said, *entry.replies)
    return Item(id=str(place), texts=texts, group=entry.group)


def _common(items: Sequence[Item]) -> set[str]:
    """Texts that many rows have, as an instruction that stands in all of them."""
    counts = Counter(text for item in items for text in {*map(_plain, item.texts)})
    return {text for text, count in counts.items() if count > max(2, COMMON * len(items))}


def _told_apart(items: Sequence[Item], common: set[str]) -> list[Item]:
    return [
        replace(item, texts=tuple(text for text in item.texts if _plain(text) not in common))
        for item in items
    ]


def _plain(text: str) -> str:
    return " ".join(text.split())


def across_splits(rows: Gathered) -> Iterator[Finding]:
    """Groups and prompts that stand in several splits of the set itself."""
    yield from _across(rows, "group", lambda entry: entry.group)
    yield from prompts_across(rows)


def prompts_across(rows: Gathered) -> Iterator[Finding]:
    """Prompts that stand in several splits of the set itself."""
    yield from _across(rows, "prompt", lambda entry: _plain(entry.prompt))


def _across(rows: Gathered, noun: str, key: Callable[[Entry], str]) -> Iterator[Finding]:
    splits: dict[str, set[str]] = defaultdict(set)
    for entry in rows.entries:
        splits[key(entry)].add(entry.split)
    hits = [
        Shown(entry.where, f"in {', '.join(sorted(splits[name] - {''}))}: {excerpt(name)}")
        for entry in rows.entries
        if (name := key(entry)) and len(splits[name] - {""}) > 1
    ]
    yield from finding(
        f"{noun} across splits",
        hits,
        side="row",
        of=len(rows.entries),
        what=f"the row's {noun} stands in several splits, so that a test on it isn't one",
        todo=f"split by {noun}",
        serious_from=0,
    )
