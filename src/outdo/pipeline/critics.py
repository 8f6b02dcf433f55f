"""Pairs in a study that a critic makes of a drafter's programs, as examples of `prefer`.

They come through the gates of `outdo data evolve critiques`. Drafts and revisions that have tests
are run: what the critic was right about is told, and what isn't borne out dropped where that is
asked for. No program stands in a pair that test examples have and no other example of `prefer` to
learn from.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outdo.data.card import card, report
from outdo.data.check.reading import texts_of
from outdo.data.examples import syntax_name
from outdo.data.overlap import apart
from outdo.data.pair_gates import gates, unproved
from outdo.data.pairs import CodePair, choices, write_pairs
from outdo.data.sifting import Drop, Gate, Item, Sifted, each, sift
from outdo.errors import DataError
from outdo.models.reference import ModelReference
from outdo.pipeline.asking import Asked
from outdo.pipeline.evolving import (
    Asking,
    Evolved,
    evolve_critiques,
    kinship,
)
from outdo.pipeline.fields import field_of, has_field
from outdo.pipeline.job import Job
from outdo.pipeline.pairing import in_turns
from outdo.pipeline.stages import Scores, score, score_key
from outdo.pipeline.teaching import row_id
from outdo.records import Completion, Example, digest, to_json
from outdo.study import Critiqued, Study
from outdo.tasks import critique, prefer, write

LICENCE = "given.license"
"""The field of an example that says its licence."""

PROGRAMS = ("program", "draft", "first", "second")
"""The fields of what is given that hold programs."""

Passes = Mapping[str, bool]
"""By a draft's id whether a program of it passes all tests; without those that can't be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Which drafts pass their tests, and which pass when the critic is done with them."""

    drafts: Passes
    after: Passes


def instructions(examples: Iterable[Example], spec: Critiqued, *, seed: int) -> list[Example]:
    """The training examples of `write` that are drafted, one of those that ask the same.

    Raises DataError where there is none.
    """
    found: dict[str, Example] = {}
    for one in examples:
        if one.task == write.task.name:
            found.setdefault(write.task.prompt(one, variant=spec.prompt).key, one)
    if not found:
        problem = f"{spec.examples!r} has no training examples of write"
        raise DataError(problem, "a source may have to name its `tasks`")
    return in_turns(list(found.values()), spec.limit, seed=seed)


def critiqued(
    job: Job, name: str, spec: Critiqued, *, drafter: ModelReference, critic: ModelReference
) -> tuple[list[Example], list[str]]:
    """The pairs of an entry as examples of `prefer`, and in words what became of all drafts.

    Raises DataError where no pair comes through the gates.
    """
    seed = job.study.seed
    made = evolve_critiques(
        job.shop,
        instructions(job.data[spec.examples].of("train"), spec, seed=seed),
        drafter=Asking(model=drafter, ask=spec.draft),
        critic=Asking(model=critic, ask=spec.criticise),
        licence=_licence,
        seed=seed,
    )
    for role, said in zip(("drafts", "critiques"), made.said, strict=False):
        job.link(f"generate pairs {name}, {role}", said.generated.stage)
    tried = _tried(job, name, made)
    pairs = {id: _borne_out(pair, tried) for id, pair in made.pairs.items()}
    sifted = sift(made.items, _gates(job, spec, replace(made, pairs=pairs), tried))
    kept = [pairs[id] for id in sifted.kept]
    told = [*kinship(critic, drafter), *_notes(made, sifted, tried, pairs)]
    notes = [f"pairs {name!r}: {note}" for note in told]
    if not kept:
        hint = "take more samples, another model, or train the critic longer"
        raise DataError("; ".join(notes), hint)
    _store(job, name, kept, sifted, made, notes)
    return choices(kept, seed=seed), notes


def _licence(example: Example) -> str | None:
    return field_of(example, LICENCE) if has_field(example, LICENCE) else None


# ------------------------------------------------------------------ what tests say


def _tried(job: Job, name: str, made: Evolved) -> Tried:
    """What drafts and revisions earn; those without tests are run on none."""
    if len(made.said) < 2:
        return Tried(drafts={}, after={})
    after = made.said[1].generated
    # A draft as it stands is what a critic leaves behind that finds it good enough.
    drafts = [
        (one, replace(said, text=critique.content(one.view, ())))
        for one, said in after.answers
        if isinstance(said, Completion)
    ]
    both = replace(after, answers=(*drafts, *after.answers))
    scores = score(job.shop, critique.task, both, name=f"pairs {name}")
    job.link(f"score pairs {name}", scores.stage)
    return Tried(drafts=_passes(drafts, scores), after=_passes(after.answers, scores))


def _passes(answers: Iterable[tuple[Asked, Completion | str]], scores: Scores) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for one, completion in answers:
        if isinstance(completion, Completion):
            told = scores.by_key[score_key(one, completion)].scores
            value = next((s.value for s in told if s.metric == critique.PASSES.name), None)
            found |= {} if value is None else {row_id(one): value == 1}
    return found


def _borne_out(pair: CodePair, tried: Tried) -> CodePair:
    """The pair, with what tests say of its sides among its evidence."""
    sides = {"better": tried.after, "worse": tried.drafts}
    told = {side: passes[pair.id] for side, passes in sides.items() if pair.id in passes}
    return replace(pair, evidence={**pair.evidence, "passes": told}) if told else pair


# ------------------------------------------------------------------ gates


def _gates(job: Job, spec: Critiqued, made: Evolved, tried: Tried) -> list[Gate]:
    """The gates of replies, those of pairs, and those that hold pairs apart from what tests."""
    pairs = list(made.pairs.values())
    own = gates(pairs, near=spec.alike, licences=spec.licences)
    tested = [_tested(made.pairs, tried)] if spec.tested else []
    held = [_unseen(job, made.pairs)]
    if job.study.apart is not None:
        known = [Item(id=one.id, texts=_texts(one)) for one in _tests_of(job)]
        held += apart(known, by_group=False, share=job.study.apart)
    return [*made.gates, *tested, *own, *held]


def _tested(pairs: Mapping[str, CodePair], tried: Tried) -> Gate:
    def fault(item: Item) -> Drop | None:
        id = item.id
        if id not in tried.after or id not in tried.drafts:
            return None
        return unproved(pairs[id], better=tried.after[id], worse=tried.drafts[id])

    return each("tested", "a revision that passes its tests, and a draft that doesn't", fault)


def _unseen(job: Job, pairs: Mapping[str, CodePair]) -> Gate:
    train = [one for made in job.data.values() for one in made.of("train")]
    taught = set(_programs(one for one in train if one.task == prefer.task.name))
    held = set(_programs(_tests_of(job))) - taught

    def fault(item: Item) -> Drop | None:
        pair = pairs[item.id]
        stands = {syntax_name(pair.better), syntax_name(pair.worse)} & held
        return Drop("a program of it is one that tests alone have") if stands else None

    about = f"none of {len(held):,} programs that tests have and no other pair to learn from"
    return each("held out", about, fault)


def _programs(examples: Iterable[Example]) -> Iterator[str]:
    for one in examples:
        for name in PROGRAMS:
            if isinstance(one.given.get(name), str):
                yield syntax_name(one.given[name])


def _tests_of(job: Job) -> list[Example]:
    return [one for made in job.data.values() for one in made.of("test")]


def _texts(example: Example) -> tuple[str, ...]:
    return tuple(texts_of(to_json([example.given, example.wanted])))


# ------------------------------------------------------------------ what is told


def _notes(
    made: Evolved, sifted: Sifted, tried: Tried, pairs: Mapping[str, CodePair]
) -> Iterator[str]:
    """How many drafts became pairs, where the others went, and how often the critic was right."""
    asked = len({one.example.id for said in made.said[:1] for one, _ in said.generated.answers})
    yield f"{len(sifted.kept):,} of {len(made.items):,} drafts of {asked:,} instructions"
    for passage in sifted.passages:
        if passage.dropped:
            why = ", ".join(f"{count:,} {reason}" for reason, count in passage.reasons.items())
            yield f"{passage.dropped:,} of {passage.seen:,} went at {passage.gate}: {why}"
    if tried.drafts:
        passing = sum(tried.drafts.values())
        yield f"{passing:,} of {len(tried.drafts):,} drafts that the critic saw pass their tests"
    if known := [id for id in sifted.kept if id in tried.after and id in tried.drafts]:
        both = Counter((tried.drafts[id], tried.after[id]) for id in known)
        yield (
            f"of {len(known):,} pairs with tests, {both[False, True]:,} mend a draft that failed, "
            f"{both[True, False]:,} break one that passed, {both[False, False]:,} fail on both "
            f"sides and {both[True, True]:,} on neither"
        )
    if criteria := Counter(pairs[id].criterion for id in sifted.kept):
        yield "by " + ", ".join(f"{name} {count:,}" for name, count in criteria.most_common())


def _store(
    job: Job,
    name: str,
    kept: Sequence[CodePair],
    sifted: Sifted,
    made: Evolved,
    notes: Sequence[str],
) -> None:
    """Keep the pairs as a file that `source: pairs` reads, with a card."""
    chosen = set(sifted.kept)
    told = report(sifted, [one for one in made.items if one.id in chosen])

    def write_all(part: Path) -> None:
        write_pairs(part / "pairs.jsonl", kept)
        (part / "notes.json").write_text(json.dumps(list(notes)), "utf-8")
        (part / "card.md").write_text(card(told, title=f"{name}: pairs of critiques"), "utf-8")

    shop = job.shop
    what = {"rows": digest([to_json(pair) for pair in kept]), "notes": list(notes)}
    artifact = shop.store.artifact("pairs", what, shop.how)
    with shop.watch.stage(f"pairs {name}", total=None, unit="pairs") as tally:
        job.link(f"pairs {name}", artifact.build(write_all, on_wait=shop.watch.waiting))
        tally(len(kept))


# ------------------------------------------------------------------ warned of beforehand


def warnings(study: Study) -> list[str]:
    """What is to be said, before anybody is asked, of critics that draft too."""
    return [
        f"pairs {name!r}: the critic is the drafter itself, {entry.model!r}"
        for name, entry in study.pairs.items()
        if isinstance(entry, Critiqued) and entry.critic == entry.model
    ]
