"""The verb that compares two files of answers: a verdict in words, and in the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from outdo.cli.costs import Books, Share, show_shares
from outdo.cli.remote import Remote
from outdo.cli.studies import WORDS
from outdo.cli.tools import tools_for, without_sandbox
from outdo.cli.watch import watcher
from outdo.data.bridges import AnswerSet, read_answers
from outdo.errors import PermanentError, StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline.duel import Bout, Duel, Terms, bout_of, duel, owed, write_duel
from outdo.pipeline.jury import Bench, Chair
from outdo.pipeline.protocols import Tools
from outdo.pipeline.stages import Shop
from outdo.protocols import Engine
from outdo.records import Completion, Measure, Request, digest, to_json
from outdo.store import Store
from outdo.study import Answering, Judging
from outdo.study.names import at_odds

FLOORS = {"longer": max, "shorter": min}
"""Judges that need no model: whoever believes the floor of its choice says so with known 0."""


def compare_files(
    first: Path,
    second: Path,
    *,
    judges: Sequence[str],
    judging: Mapping[str, object],
    terms: Terms,
    format: str = "auto",
    seed: int = 1,
    log_dir: Path,
    remote: Remote,
    expect: str | None = None,
    dry_run: bool = False,
) -> int:
    """The exit code of a comparison: 0 if the verdict is the expected one, or none is expected.

    Nothing is paid twice: a judge's calls are stored as those of a study are. A dry run says what
    would be asked, and asks nobody.
    """
    if not judges:
        raise StudyError("nobody judges", "name a judge: --judge openai/<model>")
    if again := next((name for name in judges if judges.count(name) > 1), None):
        raise StudyError(f"the judge {again!r} is there twice", "name it once")
    a, b = read_answers(first, format=format), read_answers(second, format=format)
    named = {"a": to_json(a), "b": to_json(b), "judges": list(judges), "judging": dict(judging)}
    what = digest({**named, "terms": to_json(terms), "seed": seed})
    folder = log_dir / f"compare-{what[:12]}"
    tools = with_floors(
        without_sandbox(
            tools_for(
                log_dir,
                tier="auto",
                task="repair",
                remote=replace(remote, ledger=folder / "calls.jsonl"),
            )
        )
    )
    chairs = [_chair(tools, name, judging) for name in judges]
    if dry_run:
        show_shares(_shares(chairs, bout_of(a, b, terms), terms, remote, seed=seed), Console())
        return 0
    how = {**tools.environment(), "study": folder.name}
    shop = Shop(store=Store(log_dir), tools=tools, watch=watcher(), how=how)
    found = duel(Bench(shop, seed), chairs, a, b, terms)
    write_duel(found, folder, about={"first": str(first), "second": str(second), "digest": what})
    for line in told(found, a, b):
        print(line)
    print(f"stored: {folder}")
    if expect is None:
        return 0
    word = found.verdict.word if found.verdict else None
    return 0 if word in WORDS[expect] else 1


def _shares(
    chairs: Sequence[Chair], bout: Bout, terms: Terms, remote: Remote, *, seed: int
) -> list[Share]:
    """What each judge would be asked, and what that would take."""
    books = Books(remote)
    return [
        books.share(chair.name, what, requests)
        for chair in chairs
        for what, requests in owed(chair, bout, terms, seed=seed).items()
    ]


def _chair(tools: Tools, name: str, judging: Mapping[str, object]) -> Chair:
    floor = name.startswith("floor/")
    spec = Judging.model_validate(
        {**judging, "model": name, **({"way": "reward"} if floor else {})}
    )
    for key, problem, hint in at_odds(spec) if not floor else ():
        raise StudyError(problem, hint, where=f"--{key}")
    return Chair(name=name, spec=spec, model=tools.resolve(name), made_from=(name,))


# ------------------------------------------------------------------ judges without a model


def with_floors(tools: Tools) -> Tools:
    """The same tools, which also know the judges `floor/longer` and `floor/shorter`."""

    def resolve(name: str) -> ModelReference:
        if not name.startswith("floor/"):
            return tools.resolve(name)
        if name.removeprefix("floor/") not in FLOORS:
            known = ", ".join(f"floor/{one}" for one in FLOORS)
            raise StudyError(f"there is no judge {name!r}", f"one of {known}, or a model")
        return ModelReference(name=name, path=Path(), digest=digest(name))

    def engine(model: ModelReference, ask: Answering) -> Engine:
        if model.name.startswith("floor/"):
            return _Floor(model)
        return tools.engine(model, ask)

    return replace(tools, resolve=resolve, engine=engine)


class _Floor:
    """Picks the longer or the shorter of two replies."""

    served_by = "floor"

    def __init__(self, reference: ModelReference) -> None:
        self.model = reference.label
        self._pick = FLOORS[reference.name.removeprefix("floor/")]

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        """Each request with the candidate that is picked; equal lengths are a tie."""
        for request in requests:
            replies = request.prompt.candidates
            even = len({len(one) for one in replies}) == 1
            yield (
                request,
                Completion(
                    prompt=request.prompt.key,
                    model=self.model,
                    served_by=self.served_by,
                    sampling=request.sampling,
                    index=request.index,
                    text=self._pick(replies, key=len),
                    finish="stop",
                    logprobs=tuple(0.0 for _ in replies) if even else None,
                ),
            )


# ------------------------------------------------------------------ in words


def told(found: Duel, a: AnswerSet, b: AnswerSet) -> Iterator[str]:
    """The verdict first, then what it stands on."""
    yield _sentence(found)
    if found.standing is not None:
        one = found.standing
        yield (
            f"  {one.won} won, {one.tied} tied, {one.lost} lost; {one.unreadable} could not be "
            f"read, {one.failed} failed"
        )
        for rate in one.rates:
            if rate.name in ("loss", "half", "dropped", "length"):
                yield f"  {rate.about}: {_told(rate)}"
    for seat in found.seats:
        state = "believed" if seat.believed else "withheld"
        if seat.belief is None:
            state = "on trust"
        yield f"  judge {seat.name}, {state}: {seat.why}"
        for warning in seat.warnings:
            yield f"    {warning}"
        if seat.cost.money:
            yield f"    ${seat.cost.money:,.2f}"
    for note in found.notes:
        yield f"  {note}"
    if not found.matched.fits:
        only = len(a.answers) + len(b.answers) - 2 * len(found.matched.ids)
        shared = len(found.matched.ids)
        yield f"  the verdict is of {shared:,} ids in both; {only:,} are in one alone"


def _sentence(found: Duel) -> str:
    if found.verdict is None:
        return f"{found.a} against {found.b}: the verdict is withheld, for no judge is believed"
    one, said = found.verdict.found, found.verdict
    words = {
        "better": f"{found.a} is better than {found.b}",
        "worse": f"{found.a} is worse than {found.b}",
        "equivalent": f"{found.a} and {found.b} are equivalent",
        "inconclusive": f"{found.a} against {found.b}: inconclusive",
    }
    if one.difference is None or one.low is None or one.high is None:
        return f"{words[said.word]} ({one.by})"
    limits = f"[{100 * one.low:+.0f}, {100 * one.high:+.0f}]"
    more = f"; about {said.needed:,} answers would settle it" if said.needed else ""
    net = f"won less lost {100 * one.difference:+.0f} points {limits} of {one.n:,}"
    return f"{words[said.word]}: {net}, margin {100 * found.terms.margin:g}{more}"


def _told(rate: Measure) -> str:
    if rate.value is None:
        return "could not be told"
    limits = "" if rate.low is None else f" [{rate.low:.0%}, {rate.high:.0%}]"
    return f"{rate.value:.0%}{limits}"
