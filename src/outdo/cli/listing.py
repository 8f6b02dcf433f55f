"""What is there: studies, the stages that they stand on, and what names each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from outdo.errors import StoreError
from outdo.records import Json, canonical
from outdo.store import Store


def list_studies(log_dir: Path) -> None:
    """Print every study with its stages, whole or not, then the stages that no study uses."""
    console = Console(soft_wrap=True)
    used: set[str] = set()
    for plan in sorted(log_dir.glob("*/stages")):
        table = Table(title=plan.parent.name, title_justify="left")
        for heading in ("stage", "stands in", "is"):
            table.add_column(heading, overflow="fold")
        for link in sorted(plan.iterdir()):
            stage = link.resolve()
            used.add(stage.name)
            table.add_row(link.name, stage.name, _state(stage))
        console.print(table)
    others = [stage for stage in Store(log_dir).stages() if stage.name not in used]
    if others:
        console.print("used by no study that is there: " + ", ".join(s.name for s in others))
    if not used and not others:
        console.print(f"nothing was run in {log_dir} yet")


def _state(stage: Path) -> str:
    done = stage / "done.json"
    rows = stage / "rows.jsonl"
    count = rows.read_bytes().count(b"\n") if rows.is_file() else None
    if count is not None:
        return f"{count} rows" + ("" if done.is_file() else ", more are owed")
    return "whole" if done.is_file() else "not finished"


def explain_stage(name: str, log_dir: Path) -> None:
    """Print what a stage is named by, and how that differs from the stage most like it."""
    stages = {stage.name: stage for stage in Store(log_dir).stages()}
    links = {link.name: link.resolve().name for link in log_dir.glob("*/stages/*")}
    chosen = stages.get(links.get(name, name))
    if chosen is None:
        raise StoreError(f"there is no stage {name!r}", "outdo ls lists them", where=str(log_dir))
    mine = _what(chosen)
    print(f"{chosen.name} is named by")
    for key, value in mine.items():
        print(f"  {key}: {value}")
    kind = chosen.name.rpartition("-")[0]
    others = [s for n, s in stages.items() if s != chosen and n.rpartition("-")[0] == kind]
    if not others:
        print(f"there is no other stage of kind {kind!r} to compare it with")
        return
    nearest = min(others, key=lambda other: len(list(_differences(mine, _what(other)))))
    print(f"{nearest.name} differs in")
    for key, here, there in _differences(mine, _what(nearest)):
        print(f"  {key}: {here} here, {there} there")


def _what(stage: Path) -> dict[str, str]:
    """Dotted key to value of all that a stage is named by."""
    return dict(_flat(json.loads((stage / "what.json").read_text("utf-8")), ()))


def _flat(data: Json, place: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(data, dict) and data:
        for key in sorted(data):
            yield from _flat(data[key], (*place, key))
    else:
        yield ".".join(place), canonical(data)


def _differences(
    mine: Mapping[str, str], other: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    for key in sorted({*mine, *other}):
        here, there = mine.get(key, "nothing"), other.get(key, "nothing")
        if here != there:
            yield key, here, there
