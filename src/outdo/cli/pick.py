"""The verb that picks an evaluation set: proposed, looked through by people, frozen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from outdo.cli.teach import entry_of
from outdo.cli.tools import tools_for
from outdo.cli.watch import watcher
from outdo.data.frozen import Frozen, freeze, rows_of
from outdo.data.pick import (
    Candidate,
    Review,
    propose,
    read_reviews,
    settled,
    top_up,
    write_reviews,
)
from outdo.errors import DataError
from outdo.pipeline import make_data
from outdo.pipeline.fields import field_of, has_field
from outdo.records import Example
from outdo.store import Store
from outdo.study import Study, load_study


def pick_rows(
    path: Path,
    *,
    data: str | None,
    count: int,
    by: Sequence[str],
    show: Sequence[str],
    review: Path,
    frozen: Path | None,
    log_dir: Path,
    overrides: Sequence[str],
    tier: str,
) -> None:
    """Write or top up the review file of a study's test examples, or freeze what it accepts."""
    study = load_study(path, overrides=overrides)
    data = entry_of(study, data)
    examples = _examples(study, data, log_dir=log_dir, tier=tier)
    candidates = [_candidate(example, by, show) for example in examples]
    if not review.exists():
        if frozen is not None:
            raise DataError(
                "there is no such review file", "pick without --freeze", where=str(review)
            )
        chosen = propose(candidates, count=count, seed=study.seed)
        write_reviews(review, [Review(candidate=one) for one in chosen])
        print(f"{count} rows to look through: write accept or reject, and why, in {review}")
        return
    reviews = read_reviews(review, candidates)
    proposal = top_up(reviews, candidates, count=count, seed=study.seed)
    for cell, missing in proposal.short.items():
        print(f"{missing} short: no other row of {', '.join(cell)}")
    if frozen is None:
        write_reviews(review, proposal.reviews)
        waiting = sum(one.verdict is None for one in proposal.reviews)
        print(f"{len(proposal.added)} rows added; {waiting} without a verdict in {review}")
        return
    accepted, rejected = settled(reviews)
    if proposal.added:
        problem = f"{len(proposal.added)} rejected rows can be replaced"
        raise DataError(
            problem, "pick without --freeze, and look at the new ones", where=str(review)
        )
    _freeze(frozen, study, data, examples, accepted, rejected, by=by, count=count)


def _examples(study: Study, data: str, *, log_dir: Path, tier: str) -> list[Example]:
    tools = tools_for(log_dir, tier=tier, task=study.task)
    made = make_data(study, store=Store(log_dir), tools=tools, watch=watcher())
    if not (test := made[data].of("test")):
        raise DataError(f"{data!r} has no test examples", "an evaluation set is picked from those")
    return test


def _candidate(example: Example, by: Sequence[str], show: Sequence[str]) -> Candidate:
    """The example by the fields of its stratum; a shown field that it lacks is empty."""
    return Candidate(
        id=example.id,
        stratum={name: field_of(example, name) for name in by},
        shown={name: field_of(example, name) if has_field(example, name) else "" for name in show},
    )


def _freeze(
    path: Path,
    study: Study,
    data: str,
    examples: Sequence[Example],
    accepted: Sequence[Review],
    rejected: Sequence[Review],
    *,
    by: Sequence[str],
    count: int,
) -> None:
    chosen = {one.id for one in accepted}
    if not chosen:
        raise DataError("no row is accepted", where=str(path))
    frozen = Frozen(
        task=", ".join(study.tasks),
        data=data,
        by=tuple(by),
        seed=study.seed,
        wanted=count,
        rows=rows_of(example for example in examples if example.id in chosen),
        rejected={one.id: one.reason for one in sorted(rejected, key=lambda one: one.id)},
    )
    freeze(path, frozen)
    print(f"{len(chosen)} rows frozen as {frozen.digest[:12]} in {path}")
