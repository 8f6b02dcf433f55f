"""The verbs that make rows of a teacher's replies, and that clean rows."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from outdo import catalog
from outdo.cli.remote import Remote
from outdo.cli.tools import tools_for
from outdo.cli.watch import watcher
from outdo.data.card import card, report
from outdo.data.load import own_id
from outdo.data.near import THRESHOLD
from outdo.data.overlap import SHARE, apart
from outdo.data.place import content_name
from outdo.data.rows import Row, read_rows
from outdo.data.sifting import Drop, Gate, Item, Sifted, duplicate_gate, each, licence_gate, sift
from outdo.errors import DataError, StudyError
from outdo.pipeline.fields import field_of, has_field
from outdo.pipeline.teaching import (
    Class,
    FieldOf,
    Reply,
    answered_gate,
    graded,
    item_of,
    metrics_of,
    reply_gates,
    teach,
    texts_in,
)
from outdo.records import Completion, Example, Json, digest, from_json, to_json
from outdo.sandbox import Sandbox
from outdo.store import Store, write_json, write_text
from outdo.study import Answering, Study, load_study
from outdo.tasks import Task

META = ("id", "group", "task", "source", "split", "system", "role", "from")
"""Fields of a row that aren't what is learnt from it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sieve:
    """What rows must be, to be kept."""

    licence: str | None = None
    licence_field: str | None = None
    allowed: tuple[str, ...] = ()
    evaluation: tuple[Path, ...] = ()
    same_groups: bool = False
    before: str | None = None
    date_field: str | None = None
    share: float = SHARE
    threshold: float = THRESHOLD
    grounded: tuple[str, ...] = ()
    repaired: bool = False

    def gates(self, replies: Sequence[Gate], evaluation: Sequence[Item]) -> list[Gate]:
        """All gates in order: replies, licence, evaluation, duplicates."""
        if self.before is not None and self.date_field is None:
            raise DataError("no field says how old a row is", "name one with --date-field")
        held = apart(
            evaluation, by_group=not self.same_groups, before=self.before, share=self.share
        )
        licence = licence_gate(allowed=self.allowed)
        return [*replies, licence, *held, duplicate_gate(threshold=self.threshold)]

    @property
    def about(self) -> dict[str, Json]:
        """The options, for the card."""
        said: dict[str, Json] = {"licence": self.licence or f"field {self.licence_field}"}
        files = [path.name for path in self.evaluation]
        return said | ({"evaluation files": files} if files else {})


def sieve_of(said: Mapping[str, Any]) -> Sieve:
    """The sieve of a verb's options."""
    if said["licence"] is not None and said["licence_field"] is not None:
        raise DataError("a licence of all rows and a field for it are given", "give one of them")
    return Sieve(
        licence=said["licence"],
        licence_field=said["licence_field"],
        allowed=tuple(said["allow"] or ()),
        evaluation=tuple(said["evaluation"] or ()),
        same_groups=said["same_groups"],
        before=said["before"],
        date_field=said["date_field"],
        share=said["overlap"],
        threshold=said["alike"],
        grounded=tuple(said["grounded"] or ()),
        repaired=said["repaired"],
    )


def asking_of(said: Mapping[str, Any]) -> Answering:
    """How a verb's options have the teacher asked."""
    names = ("model", "prompt", "shots", "temperature", "max_tokens")
    return Answering(**{name: said[name] for name in names})


def remote_of(said: Mapping[str, Any]) -> Remote:
    """How a verb's options have models behind APIs asked."""
    names = ("base_url", "max_connections", "budget", "prices", "local_only")
    return Remote(**{name: said[name] for name in names})


# ------------------------------------------------------------------ teach


def teach_rows(
    path: Path,
    *,
    data: str | None,
    ask: Answering,
    learn: str | None,
    limit: int | None,
    sieve: Sieve,
    remote: Remote,
    out: Path,
    log_dir: Path,
    overrides: Sequence[str],
    tier: str,
) -> None:
    """Let a model answer a study's training examples, and write those replies that are kept."""
    if remote.local_only:
        os.environ["HF_HUB_OFFLINE"] = "1"
    check_suffix(out)
    study = load_study(path, overrides=overrides)
    remote = replace(remote, ledger=log_dir / study.study / "calls.jsonl")
    tasks = [catalog.named(catalog.TASKS, name, noun="task") for name in study.tasks]
    better = metrics_of(tasks, sieve.grounded)
    known_rows(sieve, "group")  # a file that can't be read is told before anything is asked
    taught = teach(
        study,
        data=entry_of(study, data),
        ask=ask,
        learn=learn or ask.prompt,
        limit=limit,
        store=Store(log_dir),
        tools=tools_for(log_dir, tier=tier, task=study.task, remote=remote),
        watch=watcher(),
    )
    sifted, items, known = _sifted(taught, sieve, better, tier)
    about = {
        **{"teacher": taught.teacher, "study": study.study, "prompt": ask.prompt},
        **{"learnt under": learn or ask.prompt, "answers": taught.stage, **sieve.about},
        "evaluation rows": known,
    }
    rows = [to_json(taught.written[id].row) for id in sifted.kept]
    write_kept(out, rows, sifted, items, about=about, title=f"{out.stem}: rows by {taught.teacher}")


def _sifted(
    taught: Class, sieve: Sieve, better: Mapping[str, str], tier: str
) -> tuple[Sifted, list[Item], int]:
    """What is kept of a teacher's replies, all of them as items, and the evaluation's size."""
    replies = {
        id: Reply(one.task, one.example, one.completion.text)
        for id, one in taught.written.items()
        if isinstance(one.completion, Completion)
    }
    with Sandbox(tier=tier) as sandbox:  # type: ignore[arg-type]
        marks = graded(replies, sandbox)
    licence, date = _field(sieve.licence_field, sieve.licence), _field(sieve.date_field)
    items = [
        item_of(
            one.example,
            id=id,
            reply=replies[id].text if id in replies else "",
            licence=licence,
            date=date,
        )
        for id, one in taught.written.items()
    ]
    known = known_rows(sieve, "group")
    known += [item_of(one, licence=licence, date=date) for one in taught.evaluation]
    told = reply_gates(marks, grounded=sieve.grounded, better=better, repaired=sieve.repaired)
    gates = sieve.gates([answered_gate(taught.written), *told], known)
    return sift(items, gates), items, len(known)


def entry_of(study: Study, name: str | None) -> str:
    """The study's entry of examples that is named, or its only one. Raises StudyError."""
    names = [name for name in study.data if study.kind(name) == "examples"]
    if name is None and len(names) == 1:
        return names[0]
    if name not in names:
        problem = f"there is no data {name!r} of examples" if name else "there are several data"
        raise StudyError(problem, f"--data, one of: {', '.join(names)}")
    return str(name)


def _field(name: str | None, otherwise: str | None = None) -> FieldOf:
    """What a field of an example says; `otherwise` where no field is named, None where it lacks."""

    def said(example: Example) -> str | None:
        if name is None:
            return otherwise
        return field_of(example, name) if has_field(example, name) else None

    return said


# ------------------------------------------------------------------ clean


def clean_rows(
    path: Path,
    *,
    sieve: Sieve,
    group_field: str,
    task: str | None,
    examples: Path | None,
    out: Path,
    tier: str,
) -> None:
    """Write those rows of a file that come through the gates, as they stand there."""
    check_suffix(out)
    rows = dict(_named([path]))
    items = [_item_of_row(id, row, sieve, group_field) for id, row in rows.items()]
    known = known_rows(sieve, group_field)
    replies: list[Gate] = []
    if task is not None and examples is not None:
        found = catalog.named(catalog.TASKS, task, noun="task")
        replies = _reply_gates(found, examples, rows, sieve, tier)
    elif task is not None or examples is not None or sieve.grounded:
        raise DataError("replies are graded with --task and --examples", "give both")
    sifted = sift(items, sieve.gates(replies, known))
    about = {"file": path.name, **sieve.about, "evaluation rows": len(known)}
    kept = [dict(rows[id].values) for id in sifted.kept]
    write_kept(out, kept, sifted, items, about=about, title=f"{out.stem}: cleaned rows")


def _named(paths: Sequence[Path]) -> Iterator[tuple[str, Row]]:
    """The rows of files by id: their own, else that of their content, numbered if it returns."""
    seen: Counter[str] = Counter()
    for path in paths:
        for row in read_rows(path):
            id = own_id(row.values)
            if not id:
                id = content_name(digest(dict(row.values)))
                seen[id] += 1
                id = id if seen[id] == 1 else f"{id}#{seen[id]}"
            elif seen[id]:
                raise row.place.error(f"the id {id!r} stood before", "give it once")
            else:
                seen[id] += 1
            yield id, row


def known_rows(sieve: Sieve, group_field: str) -> list[Item]:
    """The rows of the evaluation's files; ids may stand in several files."""
    return [
        _item_of_row(id, row, sieve, group_field)
        for path in sieve.evaluation
        for id, row in _named([path])
    ]


def _item_of_row(id: str, row: Row, sieve: Sieve, group_field: str) -> Item:
    licence = _value(row.values, sieve.licence_field) if sieve.licence_field else sieve.licence
    fields = {sieve.licence_field, sieve.date_field, group_field}
    return Item(
        id=id,
        texts=tuple(_learnt(row.values, fields)),
        group=_value(row.values, group_field) or "",
        kind=str(row.values.get("task") or ""),
        licence=licence,
        date=_value(row.values, sieve.date_field) if sieve.date_field else None,
    )


def _learnt(values: Mapping[str, Json], fields: Collection[str | None]) -> list[str]:
    """The texts of a row, without its system messages and what says where it comes from."""
    found: list[str] = []
    for name, value in values.items():
        if name in META or name in fields:
            continue
        turns = value if isinstance(value, list) else [value]
        found += [
            text
            for turn in turns
            if not (isinstance(turn, Mapping) and "system" in (turn.get("role"), turn.get("from")))
            for text in texts_in(
                {k: v for k, v in turn.items() if k not in META}
                if isinstance(turn, Mapping)
                else turn
            )
        ]
    return found


def _value(values: Mapping[str, Json], name: str) -> str | None:
    """A field of a row as text, `given.repo` that of an object in it; None if it isn't there."""
    value: Json = values
    for step in [name] if name in values else name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return None if value in (None, "") else str(value)


def _reply_gates(
    task: Task, examples: Path, rows: Mapping[str, Row], sieve: Sieve, tier: str
) -> list[Gate]:
    """The gates of rows that are replies to a task's examples, by id."""
    better = metrics_of([task], sieve.grounded)
    known = {one.id: one for one in map(_example, read_rows(examples))}
    replies = {
        id: Reply(task, known[id], text)
        for id, row in rows.items()
        if id in known and (text := _reply(row)) is not None
    }

    def unknown(item: Item) -> Drop | None:
        if item.id not in known:
            return Drop("an id that no example has")
        return None if item.id in replies else Drop("no reply stands last")

    with Sandbox(tier=tier) as sandbox:  # type: ignore[arg-type]
        marks = graded(replies, sandbox)
    told = reply_gates(marks, grounded=sieve.grounded, better=better, repaired=sieve.repaired)
    return [each("example", f"a reply to an example of {examples.name}", unknown), *told]


def _example(row: Row) -> Example:
    try:
        return from_json(Example, dict(row.values))
    except ValueError as error:
        raise row.place.error(f"the row is no example: {error}", "see outdo data load") from None


def _reply(row: Row) -> str | None:
    """What the assistant says last."""
    turns = row.values.get("messages")
    last = turns[-1] if isinstance(turns, list) and turns else None
    if isinstance(last, Mapping) and last.get("role") == "assistant":
        return str(last.get("content"))
    return None


# ------------------------------------------------------------------ what is written


def check_suffix(out: Path) -> None:
    """Raises DataError for a file of rows that isn't named as one."""
    if out.suffix != ".jsonl":
        raise DataError("rows are written as .jsonl", where=str(out))


def write_kept(
    out: Path,
    rows: Sequence[Json],
    sifted: Sifted,
    items: Sequence[Item],
    *,
    about: Mapping[str, Json],
    title: str,
) -> None:
    """The rows, the report and the card beside each other, and a line that says what befell."""
    chosen = set(sifted.kept)
    told = report(sifted, [item for item in items if item.id in chosen], about=about)
    write_json(out.with_suffix(".report.json"), told)
    write_text(out.with_suffix(".card.md"), card(told, title=title))
    if not rows:
        worst = max(sifted.passages, key=lambda passage: passage.dropped)
        problem = f"no row is left; most ({worst.dropped:,}) were dropped by {worst.gate}"
        hint = f"see {out.with_suffix('.card.md').name}"
        if worst.gate.endswith("group"):
            hint += "; where training and test share their groups on purpose: --same-groups"
        raise DataError(problem, hint, where=str(out))
    write_text(out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    print(sifted.told)
    print(f"  {out}, {out.with_suffix('.report.json').name}, {out.with_suffix('.card.md').name}")
