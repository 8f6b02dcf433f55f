"""The verb that checks data: a file, or what a study learns from, against what tests it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from outdo.catalog import EXTRAS
from outdo.cli.tools import tools_for
from outdo.cli.watch import watcher
from outdo.data.check import Checked, Finding, Gathered, check, gather, gathered
from outdo.data.check.checking import Count
from outdo.data.check.reading import evaluation_of, texts_of
from outdo.data.sifting import Item
from outdo.errors import DataError, MissingExtra, ModelError
from outdo.pipeline import make_data
from outdo.records import Conversation, Example, to_json
from outdo.store import Store
from outdo.study import Conversations, PairRows, Study, load_study

STUDIES = (".yaml", ".yml")
BYTES = 4
"""Bytes that count as a token where no tokenizer is named."""


def check_rows(
    path: Path,
    *,
    against: Sequence[Path],
    tokenizer: str | None,
    max_length: int | None,
    form: str,
    columns: Sequence[str],
    as_json: bool,
    log_dir: Path,
    overrides: Sequence[str],
    tier: str,
) -> int:
    """Print what was found in a file, or in each set of a study; 1 if something is serious."""
    known = [item for file in against for item in evaluation_of(file)]
    if path.suffix in STUDIES:
        study = load_study(path, overrides=overrides)
        sets, tested = _of_study(study, log_dir=log_dir, tier=tier)
        known += tested
    else:
        sets = [gather(path, format=form, columns=_columns(columns))]
    count, limit = _counting(tokenizer, max_length, log_dir)
    checked = [check(one, against=known, count=count, limit=limit) for one in sets]
    if as_json:
        print(json.dumps([to_json(one) for one in checked], ensure_ascii=False, indent=2))
    else:
        print("\n\n".join("\n".join(_told(one)) for one in checked))
    return int(any(one.serious for one in checked))


def _columns(given: Sequence[str]) -> dict[str, str]:
    """Field to column, out of FIELD=NAME."""
    columns = {}
    for one in given:
        field, equals, name = one.partition("=")
        if not (field and equals and name):
            raise DataError(f"{one!r} names no column", "as in --column instruction=question")
        columns[field] = name
    return columns


def _of_study(study: Study, *, log_dir: Path, tier: str) -> tuple[list[Gathered], list[Item]]:
    """The sets of a study: files as they are, examples as they are made; and its test examples."""
    # Rows that training would refuse are findings here: they mustn't end the making of the others.
    data = {
        name: spec.model_copy(update={"drop": True})
        if isinstance(spec, Conversations | PairRows)
        else spec
        for name, spec in study.data.items()
    }
    tools = tools_for(log_dir, tier=tier, task=study.task)
    forgiving = study.model_copy(update={"data": data})
    made = make_data(forgiving, store=Store(log_dir), tools=tools, watch=watcher())
    sets: list[Gathered] = []
    for name, spec in study.data.items():
        if isinstance(spec, Conversations | PairRows) and study.kind(name) != "examples":
            path = Path(study.data_root) / spec.path
            found = gather(path, format=spec.format, columns=spec.columns)
            sets.append(replace(found, name=name))
        else:
            sets += gathered(name, made[name].rows)
    tested = [row for one in made.values() for row in one.examples if row.split == "test"]
    return sets, [_item(row) for row in tested]


def _item(row: Example) -> Item:
    group = "" if row.group == row.id else row.group
    return Item(id=row.id, texts=tuple(texts_of([row.given, row.wanted])), group=group)


def _counting(
    tokenizer: str | None, max_length: int | None, log_dir: Path
) -> tuple[Count | None, int | None]:
    """Who counts tokens, and how many there may be; nobody if neither is asked for."""
    if tokenizer is None:
        return (_by_bytes, max_length) if max_length else (None, None)
    from outdo.models.reference import resolve
    from outdo.training.settings import Settings

    try:
        from outdo.models.weights import load_chat
    except ModuleNotFoundError as error:
        raise MissingExtra.of("transformers", EXTRAS["transformers"]) from error
    chat = load_chat(resolve(tokenizer, runs=log_dir))

    def count(talk: Conversation) -> int | None:
        try:
            return len(chat.encode(talk).ids)
        except ModelError:
            return None

    return count, max_length or Settings().max_length


def _by_bytes(talk: Conversation) -> int:
    size = sum(len(turn.content.encode("utf-8", "surrogatepass")) for turn in talk.messages)
    return -(-size // BYTES)


# ------------------------------------------------------------------ in words


def _told(checked: Checked) -> Iterator[str]:
    serious = sum(finding.serious for finding in checked.findings)
    others = len(checked.findings) - serious
    found = f"{serious} serious, {others} other" if checked.findings else "nothing found"
    yield f"{checked.name}: {checked.rows:,} {checked.kind}; {found}"
    for finding in checked.findings:
        yield ""
        yield from _lines(finding)


def _lines(finding: Finding) -> Iterator[str]:
    mark = "serious" if finding.serious else "minor"
    yield f"{mark}: {finding.name} ({finding.side}): {_printable(finding.what)}"
    yield f"  {finding.rows:,} of {finding.of:,} rows, {_shares(to_json(finding.share))}"
    if finding.separates is not None and finding.p is not None:
        p = "p < 0.0001" if finding.p < 1e-4 else f"p = {finding.p:.4f}"
        yield f"  alone tells {_shares(to_json(finding.separates))} of the pairs, {p}"
    for one in finding.shown:
        yield f"  {one.where}: {_printable(one.text)}"
    yield f"  do: {finding.todo}"


def _shares(measure: Mapping[str, float]) -> str:
    return f"{measure['value']:.1%} [{measure['low']:.1%}, {measure['high']:.1%}]"


def _printable(text: str) -> str:
    """The text without characters that a terminal would act on or can't encode."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
