"""The models of a study: those that it names, and those that it trains, each from its rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from outdo import catalog
from outdo.data.split import set_aside
from outdo.errors import DataError, StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline import lessons
from outdo.pipeline.asking import Asked, asked_of_all, has_gold, shots_for
from outdo.pipeline.critics import critiqued
from outdo.pipeline.duties import chosen
from outdo.pipeline.fields import field_of
from outdo.pipeline.job import Job, standing_at
from outdo.pipeline.lessons import Lesson
from outdo.pipeline.pairing import Replies, Said, in_turns, paired
from outdo.pipeline.scoring import scored_by_key
from outdo.pipeline.stages import (
    Generated,
    Scored,
    generate,
    mark,
    score_key,
    score_of,
    write_rows,
)
from outdo.pipeline.training import Lectures, Trained, reference_logs, train
from outdo.records import Completion, Example, Pair, digest
from outdo.study import Answering, Critiqued, Pairs, Run
from outdo.tasks import Task

Turn = tuple[str, str]
"""A field, and the value of it that a training run does not see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A model that can be asked; `left_out` is the field and value that training did not see."""

    reference: ModelReference
    training: Trained | None = None
    left_out: Turn | None = None

    def has_seen(self, example: Example) -> bool:
        return self.left_out is None or field_of(example, self.left_out[0]) != self.left_out[1]


class Learning:
    """All models of a study as they come: `found` by name, `trained` by training run."""

    def __init__(self, job: Job) -> None:
        self.job, self.study, self.duties = job, job.study, job.duties
        self.found = {
            name: [Weights(reference=reference)] for name, reference in job.references.items()
        }
        self.trained: dict[str, Trained] = {}
        self.notes: list[str] = []
        self._pairs: dict[str, list[Lesson]] = {}
        self._critiqued: dict[str, list[Example]] = {}

    def weights(self, *, only: str | None = None) -> dict[str, list[Weights]]:
        """All models that can be asked, by name; `only` one entry is trained, and what it needs."""
        runs = self.study.runs()
        needed = set(runs) if only is None else self._needed(runs, only)
        for run in runs.values():
            if run.name in needed:
                self.found[run.name] = list(self._train(run))
        return self.found

    def _needed(self, runs: Mapping[str, Run], entry: str) -> set[str]:
        """The runs of one entry, and those that they are made from."""
        needed: set[str] = set()
        queue = [run.name for run in runs.values() if run.entry == entry]
        while queue:
            name = queue.pop()
            if name in runs and name not in needed:
                needed.add(name)
                run = runs[name]
                pairs = self.study.pairs
                samplers = [model for d in run.data if d in pairs for model in pairs[d].models]
                queue += [run.model, *([run.reference] if run.reference else [])]
                queue += [one.name for one in runs.values() if one.entry in samplers]
        return needed

    # -------------------------------------------------------------- one run

    def _train(self, run: Run) -> Iterator[Weights]:
        """The weights of a run: one, or one for each value of a field that is left out in turn."""
        rows = self._lessons(run)
        for turn, base in _turns(run, rows, self.found[run.model]):
            without = f" without {turn[1]}" if turn else ""
            name = run.name + without
            seen = [one for one in rows if turn is None or one.field(turn[0]) != turn[1]]
            with standing_at(self.study.where("train", run.entry)):
                learnt = self._lectures(run, base.reference, seen, name=name)
                trained = train(
                    self.job.shop,
                    run,
                    base.reference,
                    learnt,
                    name=name,
                    entry=run.contestant + without,
                )
            self.trained[name] = trained
            link = self.job.link(f"train {name}", trained.stage)
            reference = self.job.tools.resolve(f"run/{self.study.study}/{link}")
            yield Weights(reference=reference, training=trained, left_out=turn)

    def _lessons(self, run: Run) -> list[Lesson]:
        """What a run may learn from, in order."""
        sets = {name: self._set(name, run) for name in run.data}
        with standing_at(self.study.where("train", run.entry, "data")):
            return lessons.chosen(sets, run.data, limit=run.settings.limit, seed=self.study.seed)

    def _set(self, name: str, run: Run) -> list[Lesson]:
        entry = self.study.pairs.get(name)
        if isinstance(entry, Pairs):
            return self._pairs_named(name, entry)
        if entry is None and (rows := self.job.data[name].lessons):
            return lessons.of_rows(rows)
        if entry is not None:
            examples = self._critiqued_named(name, entry)
        else:
            examples = self.job.data[name].of("train")
        asked = run.settings
        size = self.job.size(self.found[run.model][0].reference, asked.context)
        return [
            lesson
            for example in self._wanted(examples, run)
            for lesson in lessons.of_examples(
                self.duties.of(example),
                [example],
                method=asked.method,
                variant=asked.prompt,
                context=asked.context,
                size=size,
            )
        ]

    def _wanted(self, examples: list[Example], run: Run) -> list[Example]:
        """The examples that a run may use: no more are cut to their context than its limit."""
        limit = run.settings.limit
        tasks = chosen(self.study, self.duties, run.settings.tasks)
        examples = [example for example in examples if self.duties.of(example) in tasks]
        if limit is None or len(run.data) > 1:
            return examples
        return sorted(examples, key=lambda e: digest([self.study.seed, e.id]))[:limit]

    def _lectures(
        self, run: Run, base: ModelReference, rows: Sequence[Lesson], *, name: str
    ) -> Lectures:
        settings = run.settings
        learnt, aside = list(rows), list[Lesson]()
        if settings.validation and rows:
            learnt, aside = set_aside(
                rows, settings.validation, seed=self.study.seed, group=lambda one: one.group
            )
        given = lessons.rows_of(learnt), lessons.rows_of(aside)
        logs, other = None, None
        if settings.method in catalog.REFERRING and learnt:
            other = self.found[run.reference][0].reference if run.reference else None
            pairs = [row for part in given for row in part if isinstance(row, Pair)]
            shop = self.job.shop
            stage, logs = reference_logs(shop, run, other or base, pairs, name=name)
            self.job.link(f"reference {name}", stage)
        lectures = Lectures(rows=given[0], validation=given[1], logs=logs, reference=other)
        return self._judged(lectures, run, base, aside) if settings.by == "score" else lectures

    def _judged(
        self, lectures: Lectures, run: Run, base: ModelReference, aside: Sequence[Lesson]
    ) -> Lectures:
        """The same, with the task's own score of the held-out examples, asked as in training."""
        examples = [one.example for one in aside if one.example is not None]
        if not examples:
            hint = "rows of a file have no score of their own: set by: loss"
            raise StudyError("no held-out row is an example of the task", hint)
        entries = (one for one in self.study.answer.values() if one.model == run.entry)
        most = next(entries, Answering(model=run.entry)).max_tokens
        context = run.settings.context
        ask = Answering(
            model=run.entry, prompt=run.settings.prompt, max_tokens=most, context=context
        )
        size = self.job.size(base, context)
        owed = list(asked_of_all(self.duties, ask, examples, {}, seed=self.study.seed, size=size))
        tasks = [task for task in self.duties.tasks if self.duties.mine(task, examples)]
        return Lectures(
            rows=lectures.rows,
            validation=lectures.validation,
            logs=lectures.logs,
            reference=lectures.reference,
            score=score_of(self.job.shop, tasks, base, owed),
            scored=[
                *(word for task in tasks for word in (task.name, task.version)),
                digest([one.request for one in owed]),
            ],
        )

    # -------------------------------------------------------------- pairs

    def _pairs_named(self, name: str, entry: Pairs) -> list[Lesson]:
        """The pairs of an entry of `pairs`, made when first asked for."""
        if name not in self._pairs:
            with standing_at(self.study.where("pairs", name)):
                self._pairs[name] = self._paired(name, entry)
        return self._pairs[name]

    def _critiqued_named(self, name: str, entry: Critiqued) -> list[Example]:
        """The pairs of a critic, as examples, made when first asked for."""
        if name not in self._critiqued:
            runs = self.study.runs()
            drafter, critic = (
                self.found[self.study.single(model, runs)][0].reference for model in entry.models
            )
            with standing_at(self.study.where("pairs", name)):
                examples, notes = critiqued(self.job, name, entry, drafter=drafter, critic=critic)
            self._critiqued[name] = examples
            self.notes += notes
        return self._critiqued[name]

    def _paired(self, name: str, spec: Pairs) -> list[Lesson]:
        model = self.found[self.study.single(spec.model, self.study.runs())][0].reference
        generated, scored = self._sampled(name, spec, model)
        made = paired(self._replies(generated, scored, model), spec, seed=self.study.seed)
        notes = list(made.notes(name))
        if not made.lessons:
            hint = "take more samples, a higher temperature, or another model"
            raise DataError("; ".join(notes), hint)
        self.notes += notes
        rows = lessons.rows_of(made.lessons)

        def write(part: Path) -> None:
            write_rows(part / "pairs.jsonl", rows)
            (part / "notes.json").write_text(json.dumps(notes), "utf-8")

        shop = self.job.shop
        artifact = shop.store.artifact("pairs", {"rows": digest(rows), "notes": notes}, shop.how)
        with shop.watch.stage(f"pairs {name}", total=None, unit="pairs") as tally:
            self.job.link(f"pairs {name}", artifact.build(write, on_wait=shop.watch.waiting))
            tally(len(rows))
        return list(made.lessons)

    def _sampled(
        self, name: str, spec: Pairs, model: ModelReference
    ) -> tuple[Generated, dict[str, Scored]]:
        """What the model says to training examples, and what that earns."""
        data = self.job.data[spec.examples]
        examples = in_turns(data.of("train"), spec.limit, seed=self.study.seed)
        if not examples:
            raise DataError(f"{spec.examples!r} has no training examples", "ask for more")
        ask = Answering(**spec.model_dump(include=set(Answering.model_fields)))
        for task in self.duties.tasks:
            shots_for(
                task,
                ask,
                training=self.duties.mine(task, data.of("train")),
                test=self.duties.mine(task, examples),
                seed=self.study.seed,
                where=self.study.where("pairs", name),
            )
        owed = list(asked_of_all(self.duties, ask, examples, {}, seed=self.study.seed))
        generated = generate(self.job.shop, model, ask, owed, name=f"pairs {name}")
        self.job.link(f"generate pairs {name}", generated.stage)
        return generated, scored_by_key(self.job, generated, name=f"pairs {name}")

    def _replies(
        self, generated: Generated, scored: Mapping[str, Scored], model: ModelReference
    ) -> Iterator[Replies]:
        """What was said to each prompt, as the tests judge it."""
        said: dict[str, list[tuple[Asked, Said]]] = {}
        for one, completion in generated.answers:
            if isinstance(completion, Completion):
                reply = _said(one, completion, scored[score_key(one, completion)], model)
                said.setdefault(one.request.prompt.key, []).append((one, reply))
        for replies in said.values():
            one = replies[0][0]
            yield Replies(
                example=one.example,
                prompt=one.request.prompt,
                gold=_gold(one.task, one.view),
                own=tuple(reply for _, reply in replies),
            )


def _said(one: Asked, completion: Completion, scored: Scored, model: ModelReference) -> Said:
    value = mark(one.task, scored)
    passes = None if value is None else value == 1
    return Said(
        text=completion.text,
        program=scored.answer.value,
        passes=passes,
        whole=completion.finish == "stop",
        by={"from": model.label, "sample": one.request.index, "passes": passes},
    )


def _gold(task: Task, example: Example) -> Said | None:
    if not has_gold(task, example):
        return None
    text = task.gold(example)
    program = task.parse(text, example).value
    return Said(text=text, program=program, passes=True, by={"from": "gold", "passes": True})


def _turns(
    run: Run, rows: Sequence[Lesson], bases: Sequence[Weights]
) -> list[tuple[Turn | None, Weights]]:
    """The fields and values that a run leaves out in turn, with the weights it starts from.

    What the weights have not seen stays unseen, whether or not the run itself takes turns.
    """
    field = run.settings.leave_out
    if field is None:
        return [(base.left_out, base) for base in bases]
    by_turn = {base.left_out: base for base in bases}
    turns = [(field, value) for value in sorted({row.field(field) for row in rows})]
    for turn in turns:
        if turn not in by_turn and None not in by_turn:
            problem = f"{run.model!r} has no turn without {turn[1]!r}"
            hint = "give both the same leave_out, data and limit"
            raise StudyError(problem, hint, where=run.name)
    return [(turn, by_turn.get(turn) or by_turn[None]) for turn in turns]
