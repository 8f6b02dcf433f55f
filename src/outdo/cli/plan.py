"""What a study would do, and what it would take of each provider, told without asking anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from outdo.cli.costs import Books, Share, show_shares
from outdo.cli.owed import Owed, judged, known
from outdo.cli.remote import Remote
from outdo.errors import DataError
from outdo.pipeline import Tools, make_data
from outdo.pipeline.critics import instructions, warnings
from outdo.pipeline.duties import Duties, chosen, duties_of
from outdo.pipeline.evolving import foreseen
from outdo.pipeline.job import limited
from outdo.pipeline.protocols import Watch
from outdo.records import Example, Request
from outdo.scorers.likeness import VECTORED
from outdo.store import Store
from outdo.study import Answers, Compared, Critiqued, Study


def show_stages(study: Study, console: Console) -> None:
    """Say which stages a study has."""
    table = Table(title=f"{study.study}: what would be done", title_justify="left")
    for heading in ("stage", "what", "on"):
        table.add_column(heading)
    for name, spec in study.data.items():
        table.add_row("data", name, f"{spec.source}")
    for name, pairs in study.pairs.items():
        said = f"{pairs.samples} sample(s) of {pairs.model} on {pairs.examples}"
        if isinstance(pairs, Critiqued):
            table.add_row("pairs", name, f"what {pairs.critic} makes better, {said}")
            continue
        table.add_row("pairs", name, f"{pairs.chosen} against {pairs.rejected}, {said}")
    for run in study.runs().values():
        turns = ", once for each group left out" if run.settings.leave_out else ""
        table.add_row("train", run.name, f"{run.model} on {' + '.join(run.data)}{turns}")
    for one in study.answers().values():
        limit = f", at most {study.limit} examples" if study.limit else ""
        asked = f"{one.ask.prompt}, {one.ask.samples} sample(s){limit}"
        table.add_row("generate, score", one.name, f"{one.data}: {asked}")
    for form, encoding in study.similarity.forms() if study.similarity else ():
        table.add_row("compare vectors", VECTORED[form], f"of {encoding.model}")
    for title, entry in study.compare.items():
        for name in entry.judges:
            judge = study.judges[name]
            said = f"{title}: every answer with {entry.judge_against}, in both orders"
            if judge.way == "rubric":
                said = f"{title}: every answer alone, {len(judge.attributes)} question(s)"
            table.add_row(f"judge, {judge.way}", name, said)
        table.add_row("compare", title, f"against the best of {', '.join(entry.against)}")
    for name, pick in study.best_of.items():
        said = f"the best of {pick.samples} answers of {pick.model} to {pick.examples}"
        table.add_row("pick", name, f"{said}, by {pick.judge}")
    console.print(table)
    for warning in warnings(study):
        console.print(f"warning: {warning}", markup=False)


def show_costs(
    study: Study, remote: Remote, tools: Tools, console: Console, watch: Watch, *, store: Store
) -> None:
    """Say how many calls, tokens and dollars each provider would take, were nothing stored yet.

    The data are made for that and kept in the store, where the run finds them. Where their source
    isn't here, that is said instead.
    """
    try:
        shares = list(shares_of(study, remote, tools, watch, store=store))
    except DataError as error:
        console.print(f"calls can't be counted: {error}", markup=False)
        return
    show_shares(shares, console)


def shares_of(
    study: Study, remote: Remote, tools: Tools, watch: Watch, *, store: Store
) -> Iterator[Share]:
    """What every model of a study would be asked: drafts and critiques, answers, then judges."""
    duties = duties_of(study)
    made = make_data(study, store=store, tools=tools, watch=watch)
    test = {
        name: limited(study, duties, data.of("test"))
        for name, data in made.items()
        if data.examples
    }
    books, owed = Books(remote), Owed(study, duties, test)
    for name, pairs in study.pairs.items():
        if isinstance(pairs, Critiqued):
            examples = instructions(made[pairs.examples].of("train"), pairs, seed=study.seed)
            both = foreseen(examples, draft=pairs.draft, criticise=pairs.criticise, seed=study.seed)
            for model, what, requests in zip(
                pairs.models, ("drafts", "critiques"), both, strict=True
            ):
                yield books.share(_name(study, model), f"pairs {name}, {what}", requests)
    for answers in study.answers().values():
        requests = _asked(owed, answers)
        yield books.share(_name(study, answers.ask.model), answers.name, requests)
    for title, table in study.compare.items():
        for name in table.judges:
            spec = study.judges[name]
            requests = judged(study, owed, table, spec)
            yield books.share(_name(study, spec.model), f"{name} judges {title}", requests)
    for name, spec in study.judges.items():
        tables = [table for table in study.compare.values() if name in table.judges]
        if tables:
            requests = known(study, duties, spec, _told(study, duties, tables, test))
            yield books.share(_name(study, spec.model), f"{name}, known task", requests)


def _told(
    study: Study, duties: Duties, tables: Sequence[Compared], test: Mapping[str, Sequence[Example]]
) -> dict[str, list[Example]]:
    """The test examples that stand in some tables: a table may be of some tasks alone."""
    tasks = [task for table in tables for task in chosen(study, duties, table.tasks)]
    return {
        name: [example for example in examples if duties.of(example) in tasks]
        for name, examples in test.items()
    }


def _name(study: Study, model: str) -> str:
    """The full name of a model that an entry names; a training run's own."""
    return study.model(model).model if model in study.models else model


def _asked(owed: Owed, answers: Answers) -> list[Request]:
    """A contestant's requests; where a task asks a second time, as many again and as long."""
    asked = [one.request for one in owed.of(answers) for _ in range(2 if one.task.then else 1)]
    return asked * len(answers.models)
