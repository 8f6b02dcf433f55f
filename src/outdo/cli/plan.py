"""What a study would do, and what it would take of each provider, told without asking anybody."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from outdo.cli.remote import Remote
from outdo.engines.estimate import BYTES_PER_TOKEN, Estimate, estimate
from outdo.engines.prices import prices
from outdo.errors import DataError, EngineError
from outdo.judging import Contest, criterion, way
from outdo.judging.known import known_task
from outdo.models.served import is_served, served
from outdo.pipeline import Tools, make_data
from outdo.pipeline.asking import asked_of_all, has_gold, sampled
from outdo.pipeline.duties import Duties, duties_of
from outdo.pipeline.job import limited
from outdo.pipeline.jury import asking
from outdo.pipeline.protocols import Watch
from outdo.records import Comparison, Example, Request
from outdo.store import Store
from outdo.study import Answers, Compared, Judging, Study

HERE = "this machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one model would be asked for one purpose."""

    provider: str
    model: str
    what: str
    estimate: Estimate


def show_stages(study: Study, console: Console) -> None:
    """Say which stages a study has."""
    table = Table(title=f"{study.study}: what would be done", title_justify="left")
    for heading in ("stage", "what", "on"):
        table.add_column(heading)
    for name, spec in study.data.items():
        table.add_row("data", name, f"{spec.source}")
    for name, pairs in study.pairs.items():
        said = f"{pairs.samples} sample(s) of {pairs.model} on {pairs.examples}"
        table.add_row("pairs", name, f"{pairs.chosen} against {pairs.rejected}, {said}")
    for run in study.runs().values():
        turns = ", once for each group left out" if run.settings.leave_out else ""
        table.add_row("train", run.name, f"{run.model} on {' + '.join(run.data)}{turns}")
    for one in study.answers().values():
        limit = f", at most {study.limit} examples" if study.limit else ""
        asked = f"{one.ask.prompt}, {one.ask.samples} sample(s){limit}"
        table.add_row("generate, score", one.name, f"{one.data}: {asked}")
    for title, entry in study.compare.items():
        for name in entry.judges:
            said = f"{title}: every answer with {entry.judge_against}, in both orders"
            table.add_row(f"judge, {study.judges[name].way}", name, said)
        table.add_row("compare", title, f"against the best of {', '.join(entry.against)}")
    console.print(table)


def show_costs(study: Study, remote: Remote, tools: Tools, console: Console, watch: Watch) -> None:
    """Say how many calls, tokens and dollars each provider would take, were nothing stored yet.

    The data are made aside and thrown away. Where they aren't here, that is said instead.
    """
    try:
        shares = list(shares_of(study, remote, tools, watch))
    except DataError as error:
        console.print(f"calls can't be counted: {error}", markup=False)
        return
    table = Table(title="what would be asked, were nothing stored yet", title_justify="left")
    table.add_column("provider")
    for heading in ("model", "what"):
        table.add_column(heading)
    for heading in ("calls", "tokens in", "tokens out", "cost"):
        table.add_column(heading, justify="right")
    for one in shares:
        table.add_row(one.provider, one.model, one.what, *_cells(one.estimate, one.provider))
    table.add_section()
    for provider, total in totals(shares).items():
        table.add_row(provider, "", "in all", *_cells(total, provider))
    console.print(table)
    console.print(
        "Four bytes count as a token, and every answer as long as it may be: the cost is high "
        "rather than low."
    )


def totals(shares: Sequence[Share]) -> dict[str, Estimate]:
    """What each provider would take in all."""
    found: dict[str, Estimate] = {}
    for one in shares:
        found[one.provider] = found.get(one.provider, Estimate()) + one.estimate
    return found


def _cells(one: Estimate, provider: str) -> tuple[str, str, str, str]:
    cost = "" if provider == HERE else "unknown" if one.cost is None else f"${one.cost:,.2f}"
    return f"{one.calls:,}", f"{one.tokens_in:,}", f"{one.tokens_out:,}", cost


def shares_of(study: Study, remote: Remote, tools: Tools, watch: Watch) -> Iterator[Share]:
    """What every model of a study would be asked: answers first, then judges."""
    duties = duties_of(study)
    with tempfile.TemporaryDirectory() as aside:
        made = make_data(study, store=Store(Path(aside)), tools=tools, watch=watch)
    test = {
        name: limited(study, duties, data.of("test"))
        for name, data in made.items()
        if data.examples
    }
    books = _Books(study, remote)
    for answers in study.answers().values():
        yield books.share(answers.ask.model, answers.name, _asked(study, duties, answers, test))
    for title, table in study.compare.items():
        for name in table.judges:
            requests = _judged(study, duties, table, study.judges[name], test)
            yield books.share(study.judges[name].model, f"{name} judges {title}", requests)
    for name, spec in study.judges.items():
        if any(name in table.judges for table in study.compare.values()):
            yield books.share(spec.model, f"{name}, known task", _known(study, spec, test))


class _Books:
    """Whose model a name is, and what that one charges."""

    def __init__(self, study: Study, remote: Remote) -> None:
        self.study, self.remote = study, remote
        self._prices = prices(remote.prices)

    def share(self, model: str, what: str, requests: Sequence[Request]) -> Share:
        name = self.study.model(model).model if model in self.study.models else model
        if not is_served(name):
            return Share(
                provider=HERE, model=name, what=what, estimate=estimate(requests, price=None)
            )
        provider, price = name.partition("/")[0], None
        try:
            found = served(name, base_url=self.remote.base_url)
            provider, price = found.provider, self._prices.price(found)
        except EngineError:  # its address isn't known here: neither is its price
            price = None
        told = estimate(requests, price=price)
        return Share(provider=provider, model=name, what=what, estimate=told)


def _size(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)


def _asked(
    study: Study, duties: Duties, answers: Answers, test: Mapping[str, Sequence[Example]]
) -> list[Request]:
    """A contestant's requests; where a task asks a second time, as many again and as long."""
    ask = answers.ask.model_copy(update={"shots": 0})
    owed = asked_of_all(duties, ask, test[answers.data], {}, seed=study.seed, size=_size)
    return [one.request for one in owed for _ in range(2 if one.task.then else 1)] * len(
        answers.models
    )


def _judged(
    study: Study,
    duties: Duties,
    table: Compared,
    spec: Judging,
    test: Mapping[str, Sequence[Example]],
) -> list[Request]:
    """A judge's calls over one table, replies that nobody has given yet as long as they may be."""
    answers = [one for one in study.answers().values() if one.entry in table.answers]
    against = next(one for one in answers if one.entry == table.judge_against)
    manner = way(spec.way, scores=spec.scores, repeats=spec.repeats)
    sampling = sampled(asking(spec), seed=study.seed)
    requests = []
    for one in answers:
        if one is against:
            continue
        ask = against.ask.model_copy(update={"shots": 0, "samples": 1})
        for owed in asked_of_all(duties, ask, test[against.data], {}, seed=study.seed, size=_size):
            contest = Contest(
                comparison=Comparison(example=owed.example.id, a=one.name, b=against.name),
                request=owed.request.prompt.messages,
                replies=(_filled("a", one), _filled("b", against)),
                criterion=spec.criterion or criterion(owed.task.name),
            )
            calls = manner.prompts(contest)
            requests += [call.request(sampling) for call in calls] * max(
                one.ask.samples * len(one.models), against.ask.samples * len(against.models)
            )
    return requests


def _filled(letter: str, answers: Answers) -> str:
    """A reply as long as this one's may be."""
    return letter * (BYTES_PER_TOKEN * answers.ask.max_tokens)


def _known(study: Study, spec: Judging, test: Mapping[str, Sequence[Example]]) -> list[Request]:
    """The calls of the task that a judge does first."""
    duties = duties_of(study)
    examples = list({one.id: one for rows in test.values() for one in rows}.values())
    contests = known_task(examples, limit=spec.known)
    if not contests:
        solved = [one for one in examples if has_gold(duties.of(one), one)]
        contests = known_task(
            solved,
            request=lambda one: (
                duties.of(one).prompt(one, variant=duties.of(one).variants[0]).messages
            ),
            gold=lambda one: duties.of(one).gold(one),
            bait=lambda one: duties.of(one).bait(one),
            limit=spec.known,
        )
    manner = way(spec.way, scores=spec.scores)
    sampling = sampled(asking(spec), seed=study.seed)
    return [call.request(sampling) for one in contests for call in manner.prompts(one)]
