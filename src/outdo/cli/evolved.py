"""The work of `outdo data evolve`: pairs of programs made by models, gated, and told on a card."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from outdo.cli.costs import Books, Share, show_shares
from outdo.cli.remote import Remote
from outdo.cli.teach import Sieve, check_suffix, entry_of, known_rows, write_kept
from outdo.cli.tools import tools_for, without_sandbox
from outdo.cli.watch import watcher
from outdo.data.bridges.commits import commit_examples
from outdo.data.bridges.decomposed import read_decomposed
from outdo.data.instructions import read_instructions
from outdo.data.overlap import apart
from outdo.data.pair_gates import gates, item
from outdo.data.pairs import CodePair
from outdo.data.rows import Mistakes
from outdo.data.sifting import Gate, Item, sift
from outdo.errors import DataError
from outdo.pipeline.evolving import (
    Asking,
    Evolved,
    evolve_commits,
    evolve_critiques,
    foreseen,
    kinship,
    owed,
)
from outdo.pipeline.fields import field_of, has_field
from outdo.pipeline.stages import Shop, make_rows
from outdo.pipeline.teaching import FieldOf, first_of, item_of
from outdo.records import Example, Json, Request, to_json
from outdo.sandbox import Sandbox
from outdo.store import Store
from outdo.study import Answering, load_study
from outdo.tasks import commit_instruct, write
from outdo.tasks.rewriting import CRITERIA

LICENCE = "given.license"
"""The field of an example that says its licence, if no other is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How one of the verbs was asked for: where things lie, how many rows, whether to ask at all.

    `drop` counts rows of the input that can't be used instead of stopping at the first.
    """

    out: Path
    log_dir: Path
    sieve: Sieve
    remote: Remote
    tier: str = "auto"
    seed: int = 1
    limit: int | None = None
    drop: bool = False
    dry_run: bool = False


# ------------------------------------------------------------------ commits


def pairs_of_commits(path: Path, *, ask: Answering, terms: Terms) -> None:
    """Let a teacher make pairs of a file of commits, and write those that come through the gates.

    Raises DataError where no row can be used or no pair is left.
    """
    shop, known = _opened(terms)
    mistakes = Mistakes(dropping=terms.drop)
    read = commit_examples(path, mistakes=mistakes)
    examples = first_of(read, terms.seed, terms.limit)
    teacher = Asking(model=shop.tools.resolve(ask.model), ask=ask)
    if terms.dry_run:
        asked = owed(shop, teacher, commit_instruct.task, examples, seed=terms.seed)
        _tell_cost(terms, {(ask.model, "commits"): [one.request for one in asked]})
        return
    licence = _licence(terms.sieve)
    made = evolve_commits(shop, examples, teacher=teacher, licence=licence, seed=terms.seed)
    about = {"teacher": ask.model, "commits": path.name, "prompt": ask.prompt}
    _keep(made, known, terms, about | _left_out(mistakes), title=f"pairs of commits by {ask.model}")


# ------------------------------------------------------------------ critiques


def pairs_of_critiques(
    *,
    study: Path | None,
    data: str | None,
    instructions: Path | None,
    draft: Answering,
    criticise: Answering,
    overrides: Sequence[str],
    terms: Terms,
) -> None:
    """Let a critic revise what a drafter writes, and write the pairs that come through the gates.

    Instructions are a study's training examples of `write`, or the rows of a file. Raises DataError
    where there is none, or no pair is left.
    """
    shop, known = _opened(terms)
    licence, mistakes = _licence(terms.sieve), Mistakes(dropping=terms.drop)
    if (study is None) == (instructions is None):
        raise DataError("drafts need instructions", "give --study or --instructions, one of them")
    if instructions is not None:
        found = _instructions(instructions, terms, mistakes)
        about: dict[str, Json] = {"instructions": instructions.name}
    else:
        assert study is not None
        found, held = _of_study(shop, study, data, overrides)
        known += [item_of(one, licence=licence, date=_date) for one in held]
        about = {"study": study.name}
    if not found:
        hint = "drafts are answers to training examples of write"
        raise DataError("there are no instructions to draft programs for", hint)
    examples = first_of(found, terms.seed, terms.limit)
    drafter, critic = (
        Asking(model=shop.tools.resolve(ask.model), ask=ask) for ask in (draft, criticise)
    )
    for note in kinship(critic.model, drafter.model):
        print(f"warning: {note}", file=sys.stderr)
    if terms.dry_run:
        drafts, critiques = foreseen(examples, draft=draft, criticise=criticise, seed=terms.seed)
        _tell_cost(
            terms, {(draft.model, "drafts"): drafts, (criticise.model, "critiques"): critiques}
        )
        return
    made = evolve_critiques(
        shop, examples, drafter=drafter, critic=critic, licence=licence, seed=terms.seed
    )
    about |= {"drafter": draft.model, "critic": criticise.model, "prompt": criticise.prompt}
    title = f"pairs of critiques by {criticise.model}"
    _keep(made, known, terms, about | _left_out(mistakes), title=title)


def _instructions(path: Path, terms: Terms, mistakes: Mistakes) -> list[Example]:
    with Sandbox(tier=terms.tier) as sandbox:  # type: ignore[arg-type]
        read = read_instructions(path, hold_out=0, sandbox=sandbox, mistakes=mistakes)
    for why, count in read.dropped.items():
        mistakes.counts[why] = count
    found = [one for one in read.examples if one.split == "train"]
    if not found:
        raise DataError("all rows are for testing", "name a set to train on", where=str(path))
    return found


def _of_study(
    shop: Shop, path: Path, data: str | None, overrides: Sequence[str]
) -> tuple[list[Example], list[Example]]:
    """The training examples of `write` of a study's entry, and all its test examples."""
    study = load_study(path, overrides=overrides)
    name = entry_of(study, data)
    root = Path(study.data_root)
    made = {
        entry: make_rows(shop, entry, spec, root=root, seed=study.seed)
        for entry, spec in study.data.items()
        if study.kind(entry) == "examples"
    }
    train = [one for one in made[name].of("train") if one.task == write.task.name]
    held = {one.id: one for rows in made.values() for one in rows.of("test")}
    return train, list(held.values())


# ------------------------------------------------------------------ pairs that are there


def pairs_of_rows(path: Path, *, terms: Terms) -> None:
    """Write the pairs of a file of CodeFavor's rows that come through the gates."""
    check_suffix(terms.out)
    mistakes = Mistakes(dropping=terms.drop)
    licence = terms.sieve.licence or ""
    read = read_decomposed(path, criteria=CRITERIA, licence=licence, mistakes=mistakes)
    pairs = {pair.id: pair for pair in list(read)[: terms.limit]}
    items = tuple(item(pair) for pair in pairs.values())
    made = Evolved(items=items, gates=(), pairs=pairs, repaired={})
    known = known_rows(terms.sieve, "group")
    _keep(made, known, terms, {"rows": path.name} | _left_out(mistakes), title="pairs of rows")


# ------------------------------------------------------------------ what all share


def _opened(terms: Terms) -> tuple[Shop, list[Item]]:
    """Where models are asked, and the evaluation: files that can't be read are told first."""
    check_suffix(terms.out)
    if terms.remote.local_only:
        os.environ["HF_HUB_OFFLINE"] = "1"
    folder = terms.log_dir / f"evolve-{terms.out.stem}"
    remote = replace(terms.remote, ledger=folder / "calls.jsonl")
    known = known_rows(terms.sieve, "group")
    tools = tools_for(terms.log_dir, tier=terms.tier, task=write.task.name, remote=remote)
    tools = without_sandbox(tools)
    how = {**tools.environment(), "study": folder.name}
    return Shop(store=Store(terms.log_dir), tools=tools, watch=watcher(), how=how), known


def _licence(sieve: Sieve) -> FieldOf:
    """What a row says of its licence, else what was said of all rows."""
    return _said(sieve.licence_field or LICENCE, sieve.licence)


def _said(name: str, otherwise: str | None = None) -> FieldOf:
    def told(example: Example) -> str | None:
        own = field_of(example, name) if has_field(example, name) else ""
        return own or otherwise

    return told


_date: Callable[[Example], str | None] = _said("given.date")


def _left_out(mistakes: Mistakes) -> dict[str, Json]:
    """Rows of the input that nothing was asked of, by reason."""
    return {"rows not used": dict(mistakes.counts.most_common())} if mistakes.counts else {}


def _keep(
    made: Evolved, known: Sequence[Item], terms: Terms, about: Mapping[str, Json], *, title: str
) -> None:
    """Write the pairs that come through all gates, with report and card, and say what befell."""
    sifted = sift(made.items, _gates(made, known, terms.sieve))
    pairs = [made.pairs[id] for id in sifted.kept]
    told: dict[str, Json] = {**about, **terms.sieve.about, "evaluation rows": len(known)}
    told["licence"] = f"each row's own, else {terms.sieve.licence or 'none'}"
    told |= {"answers": ", ".join(made.stages)} if made.stages else {}
    told |= {"read by a rule": dict(made.repaired)} if made.repaired else {}
    told["criteria"] = _criteria(pairs)
    for note in made.notes:
        print(f"note: {note}", file=sys.stderr)
    told |= {"notes": list(made.notes)} if made.notes else {}
    rows = [to_json(pair) for pair in pairs]
    write_kept(terms.out, rows, sifted, made.items, about=told, title=f"{terms.out.stem}: {title}")


def _gates(made: Evolved, known: Sequence[Item], sieve: Sieve) -> list[Gate]:
    """The gates of replies, then those that any pair comes through, then what holds it apart."""
    if sieve.before is not None and sieve.date_field is None:
        raise DataError("no field says how old a row is", "name one with --date-field")
    pairs = list(made.pairs.values())
    own = gates(pairs, near=sieve.threshold, licences=sieve.allowed)
    held = apart(known, by_group=not sieve.same_groups, before=sieve.before, share=sieve.share)
    return [*made.gates, *own, *held]


def _criteria(pairs: Iterable[CodePair]) -> dict[str, int]:
    return dict(Counter(pair.criterion for pair in pairs).most_common())


def _tell_cost(terms: Terms, asked: Mapping[tuple[str, str], Sequence[Request]]) -> None:
    books = Books(terms.remote)
    shares: list[Share] = [
        books.share(model, what, requests) for (model, what), requests in asked.items()
    ]
    show_shares(shares, Console())
