"""What the verbs for raters do: sheets written, filled in by judges, and read."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from outdo.cli.remote import Remote
from outdo.cli.tools import stored_only, tools_for, without_sandbox
from outdo.cli.watch import watcher
from outdo.data.sheets import (
    Key,
    Ratings,
    blinded,
    filled,
    read_key,
    read_lines,
    read_sheets,
    write_key,
    write_sheet,
)
from outdo.errors import DataError, StudyError
from outdo.judging.feedback import RUBRICS
from outdo.pipeline.raters import agreements, shares, to_rate
from outdo.pipeline.raters import beside as with_most
from outdo.pipeline.raters import rate as rated
from outdo.pipeline.stages import Shop
from outdo.records import Json, Measure, digest, to_json
from outdo.store import Store, write_json
from outdo.study import Answering, load_study


def write_for_raters(
    path: Path,
    *,
    out: Path,
    key: Path,
    task: str,
    table: str | None,
    count: int | None,
    seed: int | None,
    log_dir: Path,
    overrides: Sequence[str],
) -> None:
    """Write a sheet of a study's stored replies, and its key; say what raters are asked."""
    if out.exists() or key.exists():
        there = out if out.exists() else key
        hint = "people may have filled it in: name another"
        raise DataError("the file is there already", hint, where=str(there))
    if task not in RUBRICS:
        raise StudyError(f"there are no questions on {task!r}", f"on: {', '.join(RUBRICS)}")
    study = load_study(path, overrides=overrides)
    tools = stored_only(
        tools_for(log_dir, tier="auto", task=study.task), command=f"outdo run {path}"
    )
    replies = to_rate(
        study, task=task, table=table, store=Store(log_dir), tools=tools, watch=watcher()
    )
    questions = {one.name: one.question for one in RUBRICS[task]}
    seed = study.seed if seed is None else seed
    lines, made = blinded(replies, questions=questions, seed=seed, count=count)
    write_sheet(out, lines, made)
    write_key(key, made)
    print(f"{len(lines)} replies to rate in {out}; give a copy to each rater, and {key} to none")
    for name, question in questions.items():
        print(f"  {name}: {question}")
    print("  yes or no; seconds: how long it took; confidence: 1 to 5; note: whatever is odd")


def rate_by_judge(
    sheet: Path,
    *,
    key: Path,
    model: str,
    out: Path,
    max_tokens: int,
    log_dir: Path,
    remote: Remote,
) -> None:
    """Write a judge's copy of a sheet. Raises DataError if it rated nothing."""
    if out.suffix != ".csv":
        raise DataError("a judge's copy is a .csv file", where=str(out))
    made = read_key(key)
    lines = read_lines(sheet, made)
    folder = log_dir / f"rate-{digest([to_json(made), model])[:12]}"
    remote = replace(remote, ledger=folder / "calls.jsonl")
    tools = without_sandbox(tools_for(log_dir, tier="auto", task="hint", remote=remote))
    how = {**tools.environment(), "study": folder.name}
    shop = Shop(store=Store(log_dir), tools=tools, watch=watcher(), how=how)
    ask = Answering(model=model, max_tokens=max_tokens)
    found, faults = rated(lines, made.questions, model=tools.resolve(model), ask=ask, shop=shop)
    for fault in faults[:3]:
        print(f"  not rated: {fault}")
    if not found:
        raise DataError(f"{model} rated none of {len(lines)} replies", "try another judge")
    filled(lines, made, found, out)
    print(f"{len(found)} of {len(lines)} replies rated by {model} in {out}")


def tell_ratings(
    sheets: Sequence[Path],
    *,
    key: Path,
    beside: Sequence[Path],
    out: Path | None,
    unfinished: bool,
) -> None:
    """Print what people say and how far they agree, then each rater told apart; write it all."""
    made = read_key(key)
    people = read_sheets(sheets, made, unfinished=unfinished)
    console = Console()
    console.print(_table("share of replies", shares(people, made)))
    console.print(_measures(f"{len(people.raters)} raters agree", agreements(people, made)))
    told: dict[str, Json] = {"raters": _told(people, made), "agreement": agreements(people, made)}
    for line in _effort(people, made):
        print(line)
    others = {}
    for path in beside:
        other = read_sheets([path], made, least=1, unfinished=True)
        name = other.raters[0]
        console.print(_table(f"share of replies, by {name}", shares(other, made)))
        console.print(_measures(f"{name} agrees with most people", with_most(people, other, made)))
        others[name] = {**_told(other, made), "agreement": with_most(people, other, made)}
    if out is not None:
        write_json(out, to_json({**told, "beside": others}))


def _told(said: Ratings, made: Key) -> dict[str, Json]:
    return {
        "names": list(said.raters),
        "owed": dict(said.owed),
        "shares": shares(said, made),
        "ratings": said.ratings,
    }


def _effort(said: Ratings, made: Key) -> list[str]:
    """What each rater left out, how long it took, and how sure it was."""
    lines = []
    for rater in said.raters:
        own = [one for one in said.ratings if one.rater == rater]
        seconds = [one.seconds for one in own if one.seconds is not None]
        sure = [one.confidence for one in own if one.confidence is not None]
        parts = [f"{len(own)} of {len(made.cells)} replies"]
        parts += [f"median {statistics.median(seconds):.0f} s"] if seconds else []
        parts += [f"mean confidence {statistics.mean(sure):.1f} of 5"] if sure else []
        lines.append(f"  {rater}: {', '.join(parts)}")
    return lines


def _table(title: str, told: Mapping[str, Sequence[Measure]]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("contestant")
    names = list(dict.fromkeys(m.name for measures in told.values() for m in measures))
    for name in names:
        table.add_column(name, justify="right")
    for contestant in sorted(told):
        cells = {measure.name: _cell(measure) for measure in told[contestant]}
        table.add_row(contestant, *(cells.get(name, "") for name in names))
    return table


def _measures(title: str, measures: Sequence[Measure]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("measure", "value", "items"):
        table.add_column(heading, justify="left" if heading == "measure" else "right")
    for measure in measures:
        table.add_row(measure.name, _cell(measure), str(measure.n))
    return table


def _cell(measure: Measure) -> str:
    if measure.value is None:
        return "-"
    if measure.low is None or measure.high is None:
        return f"{measure.value:.2f}"
    return f"{measure.value:.2f} [{measure.low:.2f}, {measure.high:.2f}]"
