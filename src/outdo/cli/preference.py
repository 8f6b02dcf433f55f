"""The verb that benchmarks judges: pairs found or made, judges asked, a table and a report."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from outdo.cli.costs import Books, show_shares
from outdo.cli.remote import Remote
from outdo.cli.studies import WORDS, command_line
from outdo.cli.tools import tools_for, without_sandbox
from outdo.cli.watch import watcher
from outdo.data.own_benchmark import made_of, own_pairs
from outdo.data.pairs import CodePair, choices, read_pairs, write_pairs
from outdo.data.picks import read_choices
from outdo.data.preference_files import Read, read_preferences
from outdo.data.problems import embedded_problems
from outdo.errors import StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline import Tools
from outdo.pipeline.bench import LIKELIHOODS, Contender, contender, floors, hear, requests
from outdo.pipeline.bench_findings import findings_of
from outdo.pipeline.best_of import picked
from outdo.pipeline.findings import environment_of
from outdo.pipeline.stages import Shop
from outdo.records import Example, digest, to_json
from outdo.report import preference_page
from outdo.report.best_of import Title, grid
from outdo.report.best_of import write as write_best_of
from outdo.report.preference import PreferenceFindings, headline, sentence, shown
from outdo.stats import Claim
from outdo.store import Store, write_text

OWN = "pairs of our own"
WIDTH = 170
"""Letters of a line that the widest table takes, where nothing tells how wide a terminal is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the pairs come from: files in a known form, or made here where there are none."""

    files: tuple[Path, ...] = ()
    shape: str = "auto"
    criterion: str = ""
    extract: bool = False
    drop: bool = False
    per_problem: int = 3
    limit: int | None = None
    out: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who judges and how; `ways` is one for all models, one for each, or none to choose by them."""

    models: tuple[str, ...]
    ways: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    samples: int = 1
    temperature: float = 0.0
    max_tokens: int = 1024
    precision: str = "float32"
    again: int = 0

    def pairs(self) -> list[tuple[str, str]]:
        """Each model with its way. Raises StudyError where they don't go together."""
        if len(self.ways) > 1 and len(self.ways) != len(self.models):
            problem = f"{len(self.ways)} ways don't go with {len(self.models)} models"
            raise StudyError(problem, "give one for all, or one for each", where="--way")
        ways = self.ways or ("auto",)
        found = list(
            zip(self.models, ways * (len(self.models) if len(ways) == 1 else 1), strict=True)
        )
        if again := next((one for one in found if found.count(one) > 1), None):
            raise StudyError(
                f"the model {again[0]!r} is there twice", "name it once, or ask it in two ways"
            )
        return found


def source_of(said: Mapping[str, Any]) -> Source:
    """Where a verb's options say that the pairs come from."""
    names = ("shape", "criterion", "extract", "drop", "per_problem", "limit", "out")
    return Source(files=tuple(said["files"] or ()), **{name: said[name] for name in names})


def asking_of(said: Mapping[str, Any]) -> Asking:
    """Whom a verb's options have asked, and how; what a verb hasn't got is as usual."""
    names = ("samples", "temperature", "max_tokens", "again")
    return Asking(
        models=tuple(said["model"]),
        ways=tuple(one.value for one in said["way"] or ()),
        bases=tuple(said.get("base") or ()),
        precision=said["precision"].value,
        **{name: said[name] for name in names if name in said},
    )


def bench_preference(
    source: Source,
    asking: Asking,
    *,
    claim: Claim,
    margin: float,
    seed: int,
    log_dir: Path,
    tier: str,
    remote: Remote,
    dry_run: bool = False,
    expect: str | None = None,
) -> int:
    """The exit code of a benchmark: 1 if its first comparison doesn't come to what is expected.

    Raises StudyError for a model that can't be asked in its way, DataError for files without a
    pair. A dry run says what would be asked, and asks nobody; pairs of our own are made for it.
    """
    named = _checked(asking, remote)
    tools = without_sandbox(tools_for(log_dir, tier=tier, task="prefer", remote=remote))
    judges = [_contender(tools, name, way, asking) for name, way in named]
    bases = [
        _contender(tools, name, way, asking, floor=True)
        for name in asking.bases
        for way in LIKELIHOODS
    ]
    shop = _shop(log_dir, tools, "bench")
    read = _read(source, shop, seed=seed)
    pairs = _limited(read.pairs, source.limit)
    if source.out is not None:
        write_pairs(source.out, pairs)
    examples = choices(pairs, seed=seed)
    if dry_run:
        _tell_costs([*judges, *bases], examples, remote, seed=seed)
        return 0
    folder = log_dir / f"bench-{_name(pairs, asking, claim, margin, seed)}"
    doors = tools_for(
        log_dir, tier=tier, task="prefer", remote=replace(remote, ledger=folder / "calls.jsonl")
    )
    shop = _shop(log_dir, without_sandbox(doors), folder.name)
    heard = [hear(shop, one, examples, seed=seed, again=asking.again) for one in (*judges, *bases)]
    found = findings_of(
        examples,
        heard[: len(judges)],
        [*heard[len(judges) :], *floors(examples, seed=seed)],
        claim=claim,
        margin=margin,
        seed=seed,
        title="preference",
        about=_about(source),
        command=command_line(),
        environment=environment_of(shop.tools.environment()),
        notes=[*_notes(read), *shop.notes],
    )
    preference_page.write(found, folder / "report")
    _tell(found, folder)
    return 0 if expect is None or headline(found).verdict.word in WORDS[expect] else 1


def bench_best_of(
    path: Path,
    asking: Asking,
    *,
    criterion: str,
    claim: Claim,
    seed: int,
    log_dir: Path,
    remote: Remote,
) -> None:
    """Write and tell the curve of each model that picks among the answers of a file."""
    named, found = _checked(asking, remote), read_choices(path)
    what = digest([[to_json(one) for one in found], to_json(asking), criterion, claim, seed])
    folder = log_dir / f"best-of-{what[:12]}"
    remote = replace(remote, ledger=folder / "calls.jsonl")
    tools = without_sandbox(tools_for(log_dir, tier="auto", task="prefer", remote=remote))
    shop = _shop(log_dir, tools, folder.name)
    told = [
        picked(
            shop,
            judge,
            found,
            name=judge.name,
            model=path.name,
            criterion=criterion,
            claim=claim,
            seed=seed,
        )
        for judge in [_contender(tools, name, way, asking) for name, way in named]
    ]
    frame = Title(
        study="best of n", about=path.name, environment=environment_of(tools.environment())
    )
    write_best_of(told, folder, findings=frame)
    for one in told:
        print(one.sentence)
        _show(one.name, *grid(one))
        for note in one.notes:
            print(f"  {note}")
    print(f"report: {folder / 'best_of.html'}")


def _checked(asking: Asking, remote: Remote) -> list[tuple[str, str]]:
    """The models with their ways; raises EngineError for one that may not be asked."""
    named = asking.pairs()
    if remote.local_only:
        os.environ["HF_HUB_OFFLINE"] = "1"
    for name in (*asking.models, *asking.bases):
        remote.check(name)
    return named


def _shop(log_dir: Path, tools: Tools, name: str) -> Shop:
    how = {**tools.environment(), "study": name}
    return Shop(store=Store(log_dir), tools=tools, watch=watcher(), how=how)


def _contender(
    tools: Tools, name: str, way: str, asking: Asking, *, floor: bool = False
) -> Contender:
    model: ModelReference = tools.resolve(name)
    options: dict[str, Any] = {
        "way": way,
        "samples": asking.samples,
        "temperature": asking.temperature,
        "max_tokens": asking.max_tokens,
        "precision": asking.precision,
        "floor": floor,
    }
    return contender(name, model, **options)


def _name(pairs: Sequence[CodePair], asking: Asking, claim: str, margin: float, seed: int) -> str:
    """What a benchmark is named by: what is asked of whom, and how it is told."""
    said = {**to_json(asking), "claim": claim, "margin": margin, "seed": seed}
    return digest([[to_json(one) for one in pairs], said])[:12]


# ------------------------------------------------------------------ pairs


def _read(source: Source, shop: Shop, *, seed: int) -> Read:
    if not source.files:
        return _made(source, shop, seed=seed)
    return read_preferences(
        source.files,
        shape=source.shape,
        criterion=source.criterion,
        extract=source.extract,
        drop=source.drop,
    )


def _made(source: Source, shop: Shop, *, seed: int) -> Read:
    """Pairs of our own, made once for the same problems and settings."""
    problems = embedded_problems()
    what = {
        **made_of(),
        "problems": digest([to_json(one) for one in problems]),
        "per_problem": source.per_problem,
        "seed": seed,
    }

    def make(part: Path) -> None:
        dropped = Counter[str]()
        with shop.tools.sandbox() as sandbox:
            made = own_pairs(
                problems,
                seed=seed,
                sandbox=sandbox,
                per_problem=source.per_problem,
                dropped=dropped,
            )
        write_pairs(part / "pairs.jsonl", made)
        kept = {reason: count for reason, count in dropped.items() if count}
        write_text(part / "dropped.json", json.dumps(kept, sort_keys=True) + "\n")

    with shop.watch.stage(OWN, total=None, unit="pairs") as tally:
        artifact = shop.store.artifact("bench", what, shop.how)
        folder = artifact.build(make, on_wait=shop.watch.waiting)
        pairs = tuple(read_pairs(folder / "pairs.jsonl"))
        dropped = json.loads((folder / "dropped.json").read_text("utf-8"))
        tally(len(pairs))
    if source.criterion:
        pairs = tuple(replace(one, criterion=source.criterion) for one in pairs)
    return Read(pairs=pairs, dropped=dropped)


def _limited(pairs: Sequence[CodePair], limit: int | None) -> list[CodePair]:
    """At most so many pairs, criteria in turn: a larger limit only adds."""
    order = sorted(pairs, key=lambda one: digest(["limit", one.id]))
    turns: Counter[str] = Counter()
    placed = []
    for one in order:
        placed.append((turns[one.criterion], one.criterion, one))
        turns[one.criterion] += 1
    placed.sort(key=lambda each: each[:2])
    return [one for *_, one in placed][:limit]


def _about(source: Source) -> str:
    return ", ".join(path.name for path in source.files) or OWN


def _notes(read: Read) -> Iterator[str]:
    yield from read.notes
    for reason, count in sorted(read.dropped.items()):
        yield f"{count:,} left out: {reason}"


# ------------------------------------------------------------------ told


def _tell_costs(
    judges: Iterable[Contender], examples: Sequence[Example], remote: Remote, *, seed: int
) -> None:
    books = Books(remote)
    shares = [
        books.share(one.model.name, one.way, requests(one, examples, seed=seed)) for one in judges
    ]
    show_shares(shares, Console())


def _tell(found: PreferenceFindings, folder: Path) -> None:
    """The verdict first, then everybody beside everybody, then what must be known of it."""
    first = headline(found)
    print(sentence(first))
    for each in found.beside:
        if each.criterion and (each.a, each.score) == (first.a, first.score):
            print(f"  {sentence(each)}")
    print(f"{found.n:,} pairs, shown in both orders; shares in percent, [95% intervals]")
    for title, heads, rows in shown(found):
        _show(title, heads, rows)
    for note in found.notes:
        print(f"  {note}")
    print(f"report: {folder / 'report' / 'index.html'}")


def _show(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for number, heading in enumerate(heads):
        table.add_column(heading, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console(width=max(WIDTH, Console().width)).print(table)
