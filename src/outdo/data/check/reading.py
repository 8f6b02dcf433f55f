"""Sets as entries: out of files, and out of rows that are already read.

Rows that can't be learnt from are no error here, but a finding: they are kept by reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from outdo.data.chats import Placed, read_placed
from outdo.data.check.nouns import Entry, Gathered
from outdo.data.rows import Mistakes, read_rows
from outdo.data.sifting import Item
from outdo.errors import DataError
from outdo.records import Conversation, Example, Json, Message, Pair, Prompt

PAIR = ("chosen", "rejected")
ANSWER = ("answer",)
META = frozenset({"id", "group", "split", "source", "task", "license", "licence", "sha", "url"})
"""Fields that say where a row comes from, and are never learnt."""


@dataclass(slots=True)
class _Noted(Mistakes):
    """Mistakes that are counted, each with all places where it was made."""

    places: dict[str, list[str]] = field(default_factory=dict)

    def drop(self, reason: str, *, where: str) -> None:
        self.counts[reason] += 1
        self.places.setdefault(reason, []).append(where)


def gather(
    path: Path | str, *, format: str = "auto", columns: Mapping[str, str] | None = None
) -> Gathered:
    """The rows of a data file, or of a folder of them, in any format that `chats` knows.

    Raises DataError if the file can't be read, has no known format, or no row that can be used.
    """
    noted = _Noted(dropping=True)
    placed = list(read_placed(path, format=format, columns=columns, mistakes=noted))
    if not placed:
        reason = next(iter(noted.counts), "the file is empty")
        hint = f"the commonest mistake: {reason}, as at {noted.places[reason][0]}"
        raise DataError("no row could be used", hint, where=str(path))
    name = Path(path).name
    entries = tuple(_entry(one) for one in placed)
    sides = PAIR if len(entries[0].replies) == 2 else ANSWER
    repeated = _repeated_ids(placed)
    unusable = {reason: tuple(where) for reason, where in noted.places.items()}
    if repeated:
        unusable["an id that stood before"] = repeated
    return Gathered(name=name, entries=entries, sides=sides, unusable=unusable)


def _repeated_ids(placed: Sequence[Placed]) -> tuple[str, ...]:
    seen: set[str] = set()
    repeated = []
    for one in placed:
        id = one.fields.get("id")
        if id not in (None, ""):
            if str(id) in seen:
                repeated.append(one.place.at())
            seen.add(str(id))
    return tuple(repeated)


def _entry(placed: Placed) -> Entry:
    group, split = placed.fields.get("group"), placed.fields.get("split")
    return _made(
        placed.turns,
        placed.replies,
        where=placed.place.at(),
        group="" if group is None else str(group),
        split="" if split is None else str(split),
    )


def _made(
    turns: Sequence[Message], replies: tuple[str, ...], *, where: str, group: str, split: str
) -> Entry:
    record: Conversation | Pair
    if len(replies) == 2:
        record = Pair(
            id=where,
            group=group,
            source="",
            prompt=Prompt(messages=tuple(turns)),
            chosen=replies[0],
            rejected=replies[1],
            criterion="",
        )
    else:
        last = Message(role="assistant", content=replies[0])
        record = Conversation(
            id=where, group=group, task="chat", source="", messages=(*turns, last)
        )
    return Entry(
        where=where,
        group=group,
        split=split,
        prompt="\n\n".join(turn.content for turn in turns if turn.role == "user"),
        said=tuple(turn.content for turn in turns if turn.role == "assistant"),
        replies=replies,
        record=record,
    )


def gathered(name: str, rows: Sequence[Conversation | Pair | Example]) -> list[Gathered]:
    """The same of rows that are read: conversations, pairs and examples each as a set."""
    sets: dict[str, list[Entry]] = {}
    replies: tuple[str, ...]
    for row in rows:
        if isinstance(row, Pair):
            turns, replies = row.prompt.messages, (row.chosen, row.rejected)
        elif isinstance(row, Conversation):
            turns, replies = row.messages[:-1], (row.messages[-1].content,)
        else:
            sets.setdefault("examples", []).append(_of_example(row))
            continue
        group = "" if row.group == row.id else row.group
        kind = "pairs" if len(replies) == 2 else "conversations"
        made = _made(turns, replies, where=row.id, group=group, split="")
        sets.setdefault(kind, []).append(made)
    return [
        Gathered(
            name=name if len(sets) == 1 else f"{name}: {kind}",
            entries=tuple(entries),
            sides=PAIR if kind == "pairs" else () if kind == "examples" else ANSWER,
        )
        for kind, entries in sets.items()
    ]


def _of_example(row: Example) -> Entry:
    """An example, all that it gives as what is asked; what it wants isn't always a reply."""
    return Entry(
        where=row.id,
        group="" if row.group == row.id else row.group,
        split=row.split,
        prompt="\n\n".join(texts_of(row.given)),
        said=(),
        replies=(),
    )


def evaluation_of(path: Path | str) -> list[Item]:
    """The rows of an evaluation's files, whatever their fields: all texts in them."""
    return [
        Item(
            id=row.place.at(),
            texts=tuple(texts_of(row.values)),
            group=str(row.values.get("group") or ""),
        )
        for row in read_rows(path)
    ]


def texts_of(value: Json) -> list[str]:
    """All texts in a value, in order, without those that say where it comes from."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        if value.get("role", value.get("from")) == "system":
            return []
        parts = [part for name, part in value.items() if name not in META]
        return [text for part in parts for text in texts_of(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in texts_of(part)]
    return []
