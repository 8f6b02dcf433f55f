"""Conversations and pairs in the shapes that people have them.

Alpaca, ShareGPT, chat messages, prompt and completion, and prompt with chosen and rejected are read
by name, or recognised by their fields. A row becomes a conversation, which the model's own chat
template renders: nothing is glued together as text here.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from outdo.catalog import suggestion
from outdo.data.load import SAME_AGAIN, mapped, own_id, reasons, unrepeated
from outdo.data.place import Place, content_name
from outdo.data.rows import Mistakes, Row, read_rows
from outdo.errors import DataError
from outdo.records import Conversation, Json, Message, Pair, Prompt, Role, digest

FORMATS: Mapping[str, tuple[str, ...]] = {
    "messages": ("messages",),
    "sharegpt": ("conversations",),
    "completion": ("prompt", "completion"),
    "alpaca": ("instruction", "output"),
    "preference": ("chosen", "rejected"),
}
"""A format's name to the fields that it needs; the first that fits is the one recognised."""

OPTIONAL = ("id", "group", "system", "input", "history", "prompt", "margin", "criterion")
"""Fields that a row may have beside them, as far as its format knows them."""

ROLES: Mapping[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "model": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
}
"""What speakers are called, to what they are here."""

LOOKED_AT = 16
"""How many of the first rows tell the format."""

Fields = Mapping[str, Json]
Turns = tuple[Message, ...]
C = TypeVar("C")
R = TypeVar("R", Conversation, Pair)


def read_conversations(
    path: Path | str,
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    source: str = "",
    mistakes: Mistakes | None = None,
) -> Iterator[Conversation]:
    """The conversations in a data file or a folder of them: all answers in them are learnt.

    `format` is a name in `FORMATS`; "auto" is that of most of the first rows. `columns` says which
    column holds a field, if not the one of its name: `{instruction: question, group: author}`.
    The id is the row's own, else the name of its content; the group the row's, else the id.
    A row that can't be used raises DataError with its line, or is counted, as `mistakes` says.
    """
    source = source or Path(path).name

    def made(turns: Turns, fields: Fields) -> Conversation:
        id = own_id(fields) or content_name(digest(list(turns)))
        return Conversation(
            id=id, group=_group(fields, id), task="chat", source=source, messages=turns
        )

    return _records(path, _CONVERSATIONS, made, format, columns, mistakes or Mistakes())


def read_pairs(
    path: Path | str,
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    source: str = "",
    mistakes: Mistakes | None = None,
) -> Iterator[Pair]:
    """The pairs in a data file or a folder of them; see `read_conversations`.

    `chosen` and `rejected` are texts, or lists of turns of which the last is the reply; where
    there is no `prompt` it is the turns that both have in common. `criterion` is the row's, else
    "preferred"; `margin` the row's, else None.
    """
    source = source or Path(path).name

    def made(parts: tuple[Turns, str, str], fields: Fields) -> Pair:
        prompt, chosen, rejected = parts
        id = own_id(fields) or content_name(digest([list(prompt), chosen, rejected]))
        return Pair(
            id=id,
            group=_group(fields, id),
            source=source,
            prompt=Prompt(messages=prompt),
            chosen=chosen,
            rejected=rejected,
            criterion=str(fields.get("criterion") or "preferred"),
            margin=None if fields.get("margin") in (None, "") else float(fields["margin"]),
        )

    return _records(path, _PAIRS, made, format, columns, mistakes or Mistakes())


@dataclass(frozen=True, slots=True)
class Placed:
    """A conversation or pair as its row has it: turns, and one reply or two; where it stands."""

    turns: Turns
    replies: tuple[str, ...]
    fields: Fields
    place: Place


def read_placed(
    path: Path | str,
    *,
    format: str = "auto",
    columns: Mapping[str, str] | None = None,
    mistakes: Mistakes | None = None,
) -> Iterator[Placed]:
    """Every row of a data file or a folder of them, whatever its format, with where it stands.

    It is for whoever looks at rows, not for training: rows that stand twice, and pairs of equal
    replies, come out like any other.
    """
    columns, mistakes = dict(columns or {}), mistakes or Mistakes()
    readers = {**_CONVERSATIONS, **_PAIRS}
    _check(format, columns, readers, path)
    rows = read_rows(path, mistakes)
    first = list(itertools.islice(rows, LOOKED_AT))
    name = _recognised(first, list(readers), columns, path) if format == "auto" else format
    for row in itertools.chain(first, rows):
        try:
            fields = _fields(row, columns)
            if name in _PAIRS:
                turns, *replies = _compared(fields, row.place)
            else:
                *said, last = _CONVERSATIONS[name](fields, row.place)
                turns, replies = tuple(said), [last.content]
        except DataError as error:
            mistakes.tell(error)
            continue
        yield Placed(turns, tuple(replies), fields, row.place)


def _group(fields: Fields, id: str) -> str:
    group = fields.get("group")
    return id if group in (None, "") else str(group)


# ------------------------------------------------------------------ which format, and row by row


def _records(
    path: Path | str,
    readers: Mapping[str, Callable[[Fields, Place], C]],
    made: Callable[[C, Fields], R],
    format: str,
    columns: Mapping[str, str] | None,
    mistakes: Mistakes,
) -> Iterator[R]:
    columns = dict(columns or {})
    _check(format, columns, readers, path)
    rows = read_rows(path, mistakes)
    first = list(itertools.islice(rows, LOOKED_AT))
    read = readers[_recognised(first, list(readers), columns, path) if format == "auto" else format]
    places: dict[str, Place] = {}
    for row in itertools.chain(first, rows):
        try:
            fields = _fields(row, columns)
            record = made(read(fields, row.place), fields)
            if record.id in places and not own_id(fields):
                mistakes.drop(SAME_AGAIN, where=row.place.at())
                continue
            unrepeated(record.id, row.place, places)
        except DataError as error:
            mistakes.tell(error)
            continue
        yield record
    if not places:
        raise DataError("no row could be used", reasons(mistakes), where=str(path))


def _check(
    format: str, columns: Mapping[str, str], readers: Mapping[str, object], path: Path | str
) -> None:
    """Raise DataError if the format or a field that a column is named for isn't known."""
    if format not in ("auto", *readers):
        if format in FORMATS:
            kind = "conversations" if format in _PAIRS else "pairs"
            raise DataError(f"rows of the format {format!r} are no {kind}", where=str(path))
        raise DataError(
            f"there is no format {format!r}", suggestion(format, FORMATS), where=str(path)
        )
    known = {*OPTIONAL, *itertools.chain.from_iterable(FORMATS.values())}
    for field in columns:
        if field not in known:
            hint = suggestion(field, dict.fromkeys(known))
            raise DataError(f"columns names a field {field!r}, which no format has", hint)


def _fields(row: Row, columns: Mapping[str, str]) -> dict[str, Json]:
    return {**row.values, **mapped(row, columns)} if columns else dict(row.values)


def _recognised(
    first: Sequence[Row], names: Sequence[str], columns: Mapping[str, str], path: Path | str
) -> str:
    """The format whose fields most of the rows have."""
    have = [{*row.values, *columns} for row in first]
    fits = {name: sum({*FORMATS[name]} <= fields for fields in have) for name in names}
    best = max(names, key=lambda name: fits[name])
    if fits[best]:
        return best
    said = ", ".join(sorted(map(str, have[0]))) if have else "none"
    wanted = "; ".join(f"{name}: {', '.join(FORMATS[name])}" for name in names)
    raise DataError(
        f"no known format: the rows have {said}",
        f"name columns, as in {{{FORMATS[names[0]][0]}: my_column}}; known are {wanted}",
        where=first[0].place.at() if first else str(path),
    )


# ------------------------------------------------------------------ one row of each format


def _messages(fields: Fields, place: Place) -> Turns:
    turns = _turns(_needed(fields, "messages", place), place)
    return _conversation([*_system(fields, place), *turns], fields, place)


def _sharegpt(fields: Fields, place: Place) -> Turns:
    turns = _turns(_needed(fields, "conversations", place), place)
    return _conversation([*_system(fields, place), *turns], fields, place)


def _completion(fields: Fields, place: Place) -> Turns:
    prompt = _spoken(_needed(fields, "prompt", place), "user", place)
    reply = _spoken(_needed(fields, "completion", place), "assistant", place)
    return _conversation([*_system(fields, place), *prompt, *reply], fields, place)


def _alpaca(fields: Fields, place: Place) -> Turns:
    """The instruction, a blank line, the input; `history` has earlier instructions and outputs."""
    asked = [_text(_needed(fields, "instruction", place), place)]
    if fields.get("input") not in (None, ""):
        asked.append(_text(fields["input"], place))
    turns = _system(fields, place)
    for earlier in _listed(fields.get("history") or [], place):
        if not isinstance(earlier, list) or len(earlier) != 2:
            raise place.error("history isn't a list of [instruction, output]")
        turns += [_message("user", earlier[0], place), _message("assistant", earlier[1], place)]
    turns.append(Message(role="user", content="\n\n".join(asked)))
    turns.append(_message("assistant", _needed(fields, "output", place), place))
    return _conversation(turns, fields, place)


def _preference(fields: Fields, place: Place) -> tuple[Turns, str, str]:
    prompt, chosen, rejected = _compared(fields, place)
    if chosen == rejected:
        raise place.error("chosen equals rejected")
    return prompt, chosen, rejected


def _compared(fields: Fields, place: Place) -> tuple[Turns, str, str]:
    """The prompt and the two replies, which may be equal."""
    chosen = _spoken(_needed(fields, "chosen", place), "assistant", place)
    rejected = _spoken(_needed(fields, "rejected", place), "assistant", place)
    shared = min(_common(chosen, rejected), len(chosen) - 1)
    if len(chosen) != shared + 1 or len(rejected) != shared + 1:
        raise place.error(
            "chosen and rejected differ in more than one reply", "give each a row of its own"
        )
    given = fields.get("prompt")
    asked = [] if given in (None, "") else _spoken(given, "user", place)
    prompt = _asked(asked, chosen[:shared], place)
    whole = [
        _conversation([*_system(fields, place), *prompt, one[-1]], fields, place)
        for one in (chosen, rejected)
    ]
    _margin(fields, place)
    return whole[0][:-1], whole[0][-1].content, whole[1][-1].content


def _asked(given: list[Message], shared: list[Message], place: Place) -> list[Message]:
    """The prompt, which may stand in a column of its own, before the replies, or in both."""
    if not given and not shared:
        raise place.error(
            "there is no prompt", "name its column, or let both lists of turns begin with it"
        )
    if not shared or given == shared:
        return given
    if not given or shared[len(shared) - len(given) :] == given:
        return shared
    raise place.error("the prompt isn't the one that chosen and rejected begin with")


def _margin(fields: Fields, place: Place) -> None:
    margin = fields.get("margin")
    try:
        float(0 if margin in (None, "") else margin)
    except (TypeError, ValueError):
        raise place.error("margin is no number", repr(margin)) from None


def _common(a: Sequence[Message], b: Sequence[Message]) -> int:
    """How many turns two conversations have in common from the beginning."""
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False))
    return sum(1 for _ in pairs)


# ------------------------------------------------------------------ turns


def _conversation(turns: Sequence[Message], fields: Fields, place: Place) -> Turns:
    """The turns, if a model can learn from them; empty system messages are left out."""
    if fields.get("tools"):
        raise place.error("the row has tools", "outdo trains on plain conversations")
    kept = tuple(turn for turn in turns if turn.role != "system" or turn.content.strip())
    spoken = [turn for turn in kept if turn.role != "system"]
    if not spoken or spoken[-1].role != "assistant":
        raise place.error("the conversation doesn't end with the assistant", "drop its last turns")
    if spoken[0].role != "user":
        raise place.error("the conversation begins with the assistant", "give it a prompt")
    for turn in spoken:
        if not turn.content.strip():
            raise place.error("empty completion" if turn.role == "assistant" else "empty prompt")
    return kept


def _system(fields: Fields, place: Place) -> list[Message]:
    said = fields.get("system")
    return [_message("system", said, place)] if said not in (None, "") else []


def _spoken(value: Json, role: Role, place: Place) -> list[Message]:
    """A text as one turn of `role`, or a list of turns as they say themselves."""
    return [_message(role, value, place)] if isinstance(value, str) else _turns(value, place)


def _turns(value: Json, place: Place) -> list[Message]:
    turns = _listed(value, place)
    if not turns:
        raise place.error("the conversation has no turns")
    return [_turn(turn, place) for turn in turns]


def _turn(turn: Json, place: Place) -> Message:
    if not isinstance(turn, dict):
        raise place.error("a turn isn't an object", 'like {"role": "user", "content": "..."}')
    name = turn.get("role", turn.get("from"))
    role = ROLES.get(str(name).lower())
    if role is None:
        raise place.error("unknown role", f"{name!r}; known are {', '.join(ROLES)}")
    if turn.get("tool_calls") or turn.get("function_call"):
        raise place.error("a turn calls a tool", "outdo trains on plain conversations")
    if turn.get("weight") == 0:
        raise place.error(
            "a turn has weight 0", "all answers are learnt: give each a row of its own"
        )
    return _message(role, turn.get("content", turn.get("value")), place)


def _message(role: Role, content: Json, place: Place) -> Message:
    return Message(role=role, content=_text(content, place))


def _text(value: Json, place: Place) -> str:
    """The text, or the texts of a list of parts."""
    if isinstance(value, list) and all(
        isinstance(part, dict) and part.get("type") == "text" for part in value
    ):
        value = "".join(str(part.get("text")) for part in value)
    if not isinstance(value, str):
        raise place.error("a turn isn't text", f"it is {type(value).__name__}")
    return value


def _listed(value: Json, place: Place) -> list[Json]:
    """The list, or the one that a table's cell holds as JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise place.error("a list of turns was expected, not text") from None
    if not isinstance(value, list):
        raise place.error("a list of turns was expected", f"not {type(value).__name__}")
    return value


def _needed(fields: Fields, name: str, place: Place) -> Json:
    if fields.get(name) is None:
        raise place.error(f"the row has no {name}", f"it has {', '.join(map(str, fields))}")
    return fields[name]


_CONVERSATIONS: Mapping[str, Callable[[Fields, Place], Turns]] = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "completion": _completion,
    "alpaca": _alpaca,
}
_PAIRS: Mapping[str, Callable[[Fields, Place], tuple[Turns, str, str]]] = {
    "preference": _preference,
}
