"""The verbs that make, load and look at data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from outdo.cli.sources import problems_of
from outdo.cli.tools import tools_for
from outdo.cli.watch import watcher
from outdo.data.inject import inject
from outdo.errors import DataError
from outdo.pipeline import make_data
from outdo.pipeline.stages import rows_file
from outdo.records import Example, to_json
from outdo.sandbox import Sandbox
from outdo.store import Store, write_text
from outdo.study import load_study


def inject_slips(
    problems: str, *, out: Path, count: int, double: float, seed: int, tier: str
) -> None:
    """Write repair examples made of a folder of problems as JSONL, and say what is in them."""
    with watcher().stage("inject", total=None, unit="programs") as tally:
        with Sandbox(tier=tier) as sandbox:  # type: ignore[arg-type]
            examples = inject(
                problems_of(problems, Path()),
                count=count,
                double=double,
                seed=seed,
                sandbox=sandbox,
            )
        tally(len(examples))
    write_text(out, "".join(json.dumps(to_json(example)) + "\n" for example in examples))
    _show_slips(examples)
    print(f"{len(examples)} broken programs, each with its repair, in {out}")


def load_entry(
    path: Path, *, name: str | None, log_dir: Path, overrides: Sequence[str], tier: str
) -> None:
    """Make a study's data, or one entry of it, and say what is in it."""
    study = load_study(path, overrides=overrides)
    if name is not None and name not in study.data:
        raise DataError(f"there is no data {name!r}", f"one of: {', '.join(study.data)}")
    made = make_data(
        study,
        store=Store(log_dir),
        tools=tools_for(log_dir, tier=tier, task=study.task),
        watch=watcher(),
    )
    for title in [name] if name else list(made):
        rows = made[title]
        if rows.examples:
            _show_splits(title, rows.examples)
        else:
            print(f"{title}: {len(rows.rows):,} rows to learn from")
        for note in rows.notes:
            print(f"  {note}")
        print(f"  {rows_file(rows.stage)}")


def _show_splits(title: str, examples: Iterable[Example]) -> None:
    counts = Counter((example.group, example.split) for example in examples)
    groups = sorted({group for group, _ in counts})
    table = Table(title=title, title_justify="left")
    table.add_column("group")
    for split in ("train", "valid", "test"):
        table.add_column(split, justify="right")
    for group in groups:
        table.add_row(group, *(str(counts[group, split]) for split in ("train", "valid", "test")))
    totals = [sum(counts[group, split] for group in groups) for split in ("train", "valid", "test")]
    table.add_section()
    table.add_row(f"{len(groups)} groups", *map(str, totals))
    Console().print(table)


def _show_slips(examples: Iterable[Example]) -> None:
    counts = Counter(str(example.wanted["slip"]["operator"]) for example in examples)
    table = Table(title="what was broken", title_justify="left")
    table.add_column("slip")
    table.add_column("programs", justify="right")
    for operator, count in counts.most_common():
        table.add_row(operator, str(count))
    Console().print(table)
