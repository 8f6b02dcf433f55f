"""From a study to its page: every stage in order, then the findings.

What the study's tables compare is decided here from stored rows, and can be decided again at any
time: nothing below `report/` is ever read back.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from outdo import catalog
from outdo.errors import DataError, ModelError, StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline.fields import field_of
from outdo.pipeline.findings import Entrant, Reply, everybody, findings_of
from outdo.pipeline.protocols import Tools, Watch
from outdo.pipeline.stages import (
    Asked,
    Examples,
    Generated,
    Shop,
    Trained,
    generate,
    make_examples,
    score,
    score_key,
    train,
)
from outdo.records import Completion, Example, Request, Sampling, digest
from outdo.report import Findings, wording, write
from outdo.report.results import Results
from outdo.store import Store, holding, write_text
from outdo.study import Answering, Answers, Compared, Run, Study
from outdo.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A finished study: where its page lies, its results, and what they come to.

    `sentence` says the first comparison's verdict, which `word` names; `caveats` go with it.
    """

    folder: Path
    results: Results
    word: str | None
    sentence: str
    caveats: tuple[str, ...]


Turn = tuple[str, str]
"""A field, and the value of it that a training run does not see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Weights:
    """A model that can be asked; `left_out` is the field and value that training did not see."""

    reference: ModelReference
    training: Trained | None = None
    left_out: Turn | None = None

    def has_seen(self, example: Example) -> bool:
        return self.left_out is None or field_of(example, self.left_out[0]) != self.left_out[1]


def carry_out(
    study: Study, *, store: Store, tools: Tools, watch: Watch, command: str = ""
) -> Report:
    """The study's report, with every stage that was missing made.

    Two processes on one study take turns. Raises OutdoError for what a person can mend.
    """
    folder = store.root / study.study
    task: Task = catalog.named(catalog.TASKS, study.task, noun="task")
    _check_task(study, task)
    with holding(folder, on_wait=watch.waiting):
        job = _Job(study, task, store, tools, watch)
        job.resolve()
        job.begin()
        findings = findings_of(
            study,
            task,
            tables=job.tables(job.entrants()),
            trainings=job.trained,
            notes=[note for data in job.data.values() for note in data.notes],
            environment=tools.environment(),
            command=command,
        )
        with watch.stage("report", total=None, unit="files") as tally:
            results = write(findings, folder / "report")
            tally(sum(path.is_file() for path in (folder / "report").rglob("*")))
    return _report(folder / "report", findings, results)


def prepare(
    study: Study, *, store: Store, tools: Tools, watch: Watch, only: str | None = None
) -> dict[str, Path]:
    """The folder of every training run of a study, or of one entry's, data and weights made."""
    task: Task = catalog.named(catalog.TASKS, study.task, noun="task")
    _check_task(study, task)
    if only is not None and only not in study.train:
        hint = catalog.suggestion(only, study.train)
        raise StudyError(f"there is no training run {only!r}", hint)
    with holding(store.root / study.study, on_wait=watch.waiting):
        job = _Job(study, task, store, tools, watch)
        job.resolve()
        job.begin()
        job.weights(only=only)
    return {name: trained.stage for name, trained in job.trained.items()}


def make_data(study: Study, *, store: Store, tools: Tools, watch: Watch) -> dict[str, Examples]:
    """The examples of every data entry of a study."""
    task: Task = catalog.named(catalog.TASKS, study.task, noun="task")
    with holding(store.root / study.study, on_wait=watch.waiting):
        job = _Job(study, task, store, tools, watch)
        job.begin()
    return job.data


def _report(folder: Path, findings: Findings, results: Results) -> Report:
    if results.headline is None:
        nothing = "nothing was compared"
        return Report(folder=folder, results=results, word=None, sentence=nothing, caveats=())
    table, compared = results.headline
    return Report(
        folder=folder,
        results=results,
        word=compared.verdict.word,
        sentence=wording.sentence(table, compared, findings),
        caveats=tuple(wording.caveats(compared, findings)),
    )


def _check_task(study: Study, task: Task) -> None:
    """Raises StudyError for a way of asking, or a floor, that the task doesn't have."""
    prompts = [(name, entry.prompt) for name, entry in study.answer.items()]
    prompts += [(name, entry.prompt) for name, entry in study.train.items()]
    for name, prompt in prompts:
        if prompt not in task.variants:
            hint = catalog.suggestion(prompt, dict.fromkeys(task.variants))
            raise StudyError(f"{name!r}: {task.name} has no prompt {prompt!r}", hint)
    for title, table in study.compare.items():
        for floor in table.floors:
            if floor not in task.floors:
                hint = catalog.suggestion(floor, task.floors)
                raise StudyError(f"{title!r}: {task.name} has no floor {floor!r}", hint)


class _Job:
    """One pass over a study, with what it has made so far."""

    def __init__(self, study: Study, task: Task, store: Store, tools: Tools, watch: Watch) -> None:
        self.study, self.task, self.tools = study, task, tools
        how = {**tools.environment(), "study": study.study}
        self.shop = Shop(store=store, tools=tools, watch=watch, how=how)
        self.folder = store.root / study.study
        self.references: dict[str, ModelReference] = {}
        self.data: dict[str, Examples] = {}
        self.trained: dict[str, Trained] = {}

    def resolve(self) -> None:
        """Find the study's models: one that isn't there is told before any work is done."""
        for name, model in self.study.models.items():
            with _standing_at(self.study.where("models", name)):
                self.references[name] = self.tools.resolve(model)

    def begin(self) -> None:
        """Write the resolved study down, and make its examples."""
        write_text(self.folder / "study.yaml", self.study.dump())
        for name, spec in self.study.data.items():
            root = Path(self.study.data_root)
            with _standing_at(self.study.where("data", name)):
                made = make_examples(self.shop, name, spec, root=root, seed=self.study.seed)
            self._link(f"data {name}", made.stage)
            self.data[name] = made
        self._check_fields()

    def _check_fields(self) -> None:
        """Raises StudyError for a field to slice by, or to leave out, that no example has."""
        for title, table in self.study.compare.items():
            if table.slices:
                example = self._data(self.study.answer[table.answers[0]].data).of("test")[0]
                with _standing_at(self.study.where("compare", title, "slices")):
                    field_of(example, table.slices)
        for name, entry in self.study.train.items():
            if entry.leave_out and (rows := self._data(entry.data).of("train")):
                with _standing_at(self.study.where("train", name, "leave_out")):
                    field_of(rows[0], entry.leave_out)

    def weights(self, *, only: str | None = None) -> dict[str, list[_Weights]]:
        """All models that can be asked, by name; `only` one entry is trained, and what it needs."""
        found: dict[str, list[_Weights]] = {
            name: [_Weights(reference=reference)] for name, reference in self.references.items()
        }
        runs = self.study.runs()
        needed = set(runs) if only is None else _needed(runs, only)
        for run in runs.values():
            if run.name in needed:
                found[run.name] = list(self._train(run, found[run.model]))
        return found

    def entrants(self) -> list[Entrant]:
        """Everybody whose answers the study asks for, answered and scored."""
        weights = self.weights()
        answers = self.study.answers().values()
        return [self._answer(one, weights[one.model]) for one in answers]

    def tables(self, entrants: Sequence[Entrant]) -> dict[str, list[Entrant]]:
        """The contestants of every table of the study, its floors last."""
        tables = self.study.compare or {self.task.name: everybody(self.study)}
        found: dict[str, list[Entrant]] = {}
        for title, table in tables.items():
            chosen = [one for name in table.answers for one in entrants if one.entry == name]
            found[title] = [*chosen, *self._floors(table, chosen)]
        return found

    # -------------------------------------------------------------- training

    def _train(self, run: Run, bases: list[_Weights]) -> Iterator[_Weights]:
        """The weights of a run: one, or one for each value of a field that is left out in turn."""
        rows = self._limited(self.data[run.data].of("train"), run.settings.limit)
        for turn, base in _turns(run, rows, bases):
            name = run.name if turn is None else f"{run.name} without {turn[1]}"
            conversations = [
                self.task.conversation(example, variant=run.settings.prompt)
                for example in rows
                if turn is None or field_of(example, turn[0]) != turn[1]
            ]
            trained = train(self.shop, run, base.reference, conversations, name=name)
            self.trained[name] = trained
            link = self._link(f"train {name}", trained.stage)
            reference = self.tools.resolve(f"run/{self.study.study}/{link}")
            yield _Weights(reference=reference, training=trained, left_out=turn)

    # -------------------------------------------------------------- answering

    def _answer(self, answers: Answers, weights: list[_Weights]) -> Entrant:
        """What a contestant said to every test example, and what it earned.

        Where a field's values were left out in turn, each model answers for what it hasn't seen,
        and the first one for what none has seen.
        """
        data = self._data(answers.ask.data)
        test = self._limited(data.of("test"), self.study.limit)
        parts: dict[str, Generated] = {}
        chosen = {e.id: _unseen_by(weights, e) for e in test}
        for one in weights:
            mine = [e for e in test if chosen[e.id] is one]
            if not mine:
                continue
            name = answers.name + (f" on {one.left_out[1]}" if one.left_out else "")
            asked = list(self._asked(answers.ask, data, mine))
            parts[name] = generate(self.shop, one.reference, answers.ask, asked, name=name)
            self._link(f"generate {name}", parts[name].stage)
        training = weights[0].training
        return Entrant(
            name=answers.name,
            entry=answers.entry,
            model=weights[0].reference.label,
            ask=answers.ask,
            replies=tuple(
                reply for name, part in parts.items() for reply in self._scored(name, part)
            ),
            trainings=(training.name,) if training else (),
            leaves_out=next((one.left_out[0] for one in weights if one.left_out), None),
        )

    def _asked(self, ask: Answering, data: Examples, test: Sequence[Example]) -> Iterator[Asked]:
        solved = [e for e in data.of("train") if ask.shots and self._has_gold(e)]
        shots = _shots(solved, ask.shots, self.study.seed)
        if len(shots) < ask.shots:
            hint = f"{len(solved)} training rows have a known answer: lower shots, or add rows"
            raise DataError(f"{ask.shots} shots can't be shown", hint, where=ask.model)
        if shots and test and not self._shows(shots, test[0], ask.prompt):
            hint = "choose one that shows examples, such as few-shot, or set shots: 0"
            raise StudyError(f"the prompt {ask.prompt!r} shows no shots", hint, where=ask.model)
        sampling = Sampling(
            temperature=ask.temperature,
            top_p=ask.top_p,
            max_tokens=ask.max_tokens,
            seed=self.study.seed,
        )
        for example in test:
            prompt = self.task.prompt(example, variant=ask.prompt, shots=shots)
            for index in range(ask.samples):
                request = Request(prompt=prompt, sampling=sampling, index=index)
                yield Asked(example=example, request=request)

    def _has_gold(self, example: Example) -> bool:
        try:
            return bool(self.task.gold(example))
        except DataError:
            return False

    def _shows(self, shots: Sequence[Example], example: Example, variant: str) -> bool:
        shown = self.task.prompt(example, variant=variant, shots=shots)
        return shown != self.task.prompt(example, variant=variant)

    def _scored(self, name: str, generated: Generated) -> Iterator[Reply]:
        scores = score(self.shop, self.task, generated, name=name)
        self._link(f"score {name}", scores.stage)
        for one, completion in generated.answers:
            if isinstance(completion, Completion):
                scored = scores.by_key[score_key(one, completion)]
                yield Reply(one.example, one.request.index, completion, scored)
            else:
                yield Reply(one.example, one.request.index, completion, None)

    # -------------------------------------------------------------- floors

    def _floors(self, table: Compared, entrants: Sequence[Entrant]) -> Iterator[Entrant]:
        """The floors of a table, who see of the training rows what its contestants saw."""
        field = next((one.leaves_out for one in entrants if one.leaves_out), None)
        data = self._data(entrants[0].ask.data)
        test = self._limited(data.of("test"), self.study.limit)
        for name in table.floors:
            replies = {}
            for example in test:
                seen = data.of("train")
                if field:
                    seen = [e for e in seen if field_of(e, field) != field_of(example, field)]
                shown = _without_nearest(example) if field else example
                replies[example.id] = self.task.floors[name](shown, seen)
            yield self._floor(f"floor/{name}", test, replies, leaves_out=field)

    def _floor(
        self,
        name: str,
        test: Sequence[Example],
        replies: Mapping[str, str],
        *,
        leaves_out: str | None,
    ) -> Entrant:
        ask = Answering(model=name)
        asked = list(self._asked(ask, Examples(stage=Path(), rows=(), notes=()), test))
        answers = tuple((one, _said(one, name, replies[one.example.id])) for one in asked)
        generated = Generated(stage=Path(name), answers=answers)
        found = tuple(self._scored(name, generated))
        return Entrant(
            name=name,
            entry=name,
            model=name,
            ask=ask,
            replies=found,
            floor=True,
            leaves_out=leaves_out,
        )

    # -------------------------------------------------------------- small matters

    def _data(self, name: str | None) -> Examples:
        return self.data[name or next(iter(self.study.data))]

    def _limited(self, examples: list[Example], limit: int | None) -> list[Example]:
        """The first examples in an order of their own, so that a larger limit only adds."""
        return sorted(examples, key=lambda e: digest([self.study.seed, e.id]))[:limit]

    def _link(self, name: str, stage: Path) -> str:
        """The name below `stages` in the study's folder that now points to a stage."""
        link = self.folder / "stages" / name.replace("/", "-")
        link.parent.mkdir(parents=True, exist_ok=True)
        aside = link.with_name(f".{link.name}.{os.getpid()}")
        aside.unlink(missing_ok=True)
        aside.symlink_to(os.path.relpath(stage, link.parent))
        aside.replace(link)
        return link.name


@contextlib.contextmanager
def _standing_at(where: str) -> Iterator[None]:
    """Has mistakes in what a study's entry names told with the line on which it stands."""
    try:
        yield
    except (DataError, ModelError, StudyError) as error:
        if not where:
            raise
        problem = f"{error.where}: {error.problem}" if error.where else error.problem
        raise type(error)(problem, error.hint, where=where) from error


def _unseen_by(weights: Sequence[_Weights], example: Example) -> _Weights:
    """The model whose training left the example out, or the first."""
    return next((one for one in weights if not one.has_seen(example)), weights[0])


def _turns(
    run: Run, rows: Sequence[Example], bases: Sequence[_Weights]
) -> list[tuple[tuple[str, str] | None, _Weights]]:
    """The fields and values that a run leaves out in turn, with the weights it starts from.

    What the weights have not seen stays unseen, whether or not the run itself takes turns.
    """
    field = run.settings.leave_out
    if field is None:
        return [(base.left_out, base) for base in bases]
    by_turn = {base.left_out: base for base in bases}
    turns = [(field, value) for value in sorted({field_of(row, field) for row in rows})]
    for turn in turns:
        if turn not in by_turn and None not in by_turn:
            problem = f"{run.model!r} has no turn without {turn[1]!r}"
            hint = "give both the same leave_out, data and limit"
            raise StudyError(problem, hint, where=run.name)
    return [(turn, by_turn.get(turn) or by_turn[None]) for turn in turns]


def _needed(runs: Mapping[str, Run], entry: str) -> set[str]:
    """The runs of one entry, and those that they start from."""
    needed: set[str] = set()
    queue = [run.name for run in runs.values() if run.entry == entry]
    while queue:
        name = queue.pop()
        if name in runs and name not in needed:
            needed.add(name)
            queue.append(runs[name].model)
    return needed


def _said(one: Asked, name: str, text: str) -> Completion:
    """A floor's reply, in the form of any other answer."""
    return Completion(
        prompt=one.request.prompt.key,
        model=name,
        served_by="floor",
        sampling=one.request.sampling,
        index=one.request.index,
        text=text,
        finish="stop",
    )


def _without_nearest(example: Example) -> Example:
    """The example as it looks where no program of its problem is known."""
    return replace(example, wanted={**example.wanted, "nearest": None})


def _shots(training: Sequence[Example], count: int, seed: int) -> list[Example]:
    """Training examples to show as solved: the same for all prompts, each of another group."""
    order = sorted(training, key=lambda e: digest(["shots", seed, e.id]))
    firsts = {example.group: example for example in reversed(order)}
    distinct = sorted(firsts.values(), key=lambda e: digest(["shots", seed, e.id]))
    return [*distinct, *(e for e in order if e not in firsts.values())][:count]
