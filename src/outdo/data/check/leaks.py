"""What a set shares with the one that it will be judged by, or its parts with each other."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from outdo.data.check.nouns import Entry, Finding, Gathered, Shown, excerpt, finding
from outdo.data.overlap import COMMON, apart
from outdo.data.sifting import Item

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
            what=f"the row leaks into the evaluation; wanted is {gate.about}",
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
    if len({entry.split for entry in rows.entries if entry.split}) < 2:
        return
    for name, noun in (("group across splits", "group"), ("prompt across splits", "prompt")):
        splits: dict[str, set[str]] = defaultdict(set)
        for entry in rows.entries:
            splits[_key(entry, noun)].add(entry.split)
        hits = [
            Shown(
                entry.where,
                f"{excerpt(key)} is in {', '.join(sorted(splits[key]))}",
            )
            for entry in rows.entries
            if (key := _key(entry, noun)) and len(splits[key] - {""}) > 1
        ]
        yield from finding(
            name,
            hits,
            side="row",
            of=len(rows.entries),
            what=f"the row's {noun} stands in several splits, so that a test on it isn't one",
            todo=f"split by {noun}",
            serious_from=0,
        )


def _key(entry: Entry, noun: str) -> str:
    return entry.group if noun == "group" else _plain(entry.prompt)
