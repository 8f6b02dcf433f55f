"""The four kinds of stages: examples, weights, completions, scores.

Each function names its stage by what is asked, hands the store a way to make what is owed, and
gives back what is there in the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from outdo.errors import DataError, EngineError, SandboxError, TransientError
from outdo.models.reference import ModelReference
from outdo.pipeline.protocols import Runner, Step, Tools, Watch
from outdo.records import (
    Answer,
    Completion,
    Conversation,
    Example,
    Json,
    Outcome,
    Program,
    Request,
    Score,
    digest,
    from_json,
    to_json,
)
from outdo.store import Make, Row, RowStage, Store
from outdo.study import Answering, Data, Run
from outdo.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Where stages are made: the store, the tools, whoever watches, and how it all runs here."""

    store: Store
    tools: Tools
    watch: Watch
    how: Mapping[str, Json]


# ------------------------------------------------------------------ data


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """The examples of one data entry, and what was dropped on the way."""

    stage: Path
    rows: tuple[Example, ...]
    notes: tuple[str, ...]

    def of(self, split: str) -> list[Example]:
        return [example for example in self.rows if example.split == split]


def make_examples(shop: Shop, name: str, spec: Data, *, root: Path, seed: int) -> Examples:
    """The examples that a data entry describes, made once for the same sources and settings."""
    seed = seed if spec.seed is None else spec.seed
    asked = spec.model_dump(mode="json", exclude={"seed", *_paths(spec)})
    what = {"spec": asked, "content": shop.tools.data_what(spec, root), "seed": seed}
    artifact = shop.store.artifact("data", what, shop.how)

    def make(part: Path) -> None:
        with shop.tools.sandbox() as sandbox:
            rows, notes = shop.tools.data(spec, root, seed, sandbox)
        lines = [json.dumps(to_json(row), ensure_ascii=True) + "\n" for row in rows]
        (part / "examples.jsonl").write_text("".join(lines), "utf-8")
        (part / "notes.json").write_text(json.dumps(notes), "utf-8")

    with shop.watch.stage(f"data {name}", total=None, unit="examples") as tally:
        folder = artifact.build(make, on_wait=shop.watch.waiting)
        examples = _read_examples(folder)
        tally(len(examples.rows))
    return examples


def _paths(spec: Data) -> set[str]:
    """The fields that say where something lies: content counts, not paths."""
    return {"path", "programs", "problems"} & set(type(spec).model_fields)


def _read_examples(folder: Path) -> Examples:
    with (folder / "examples.jsonl").open("rb") as lines:
        rows = tuple(from_json(Example, json.loads(line)) for line in lines)
    if not any(row.split == "test" for row in rows):
        raise DataError("no example is left to test with", "ask for more", where=str(folder))
    notes = tuple(json.loads((folder / "notes.json").read_text("utf-8")))
    return Examples(stage=folder, rows=rows, notes=notes)


# ------------------------------------------------------------------ weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A finished training run: the stage that holds its weights, report and loss curve."""

    name: str
    stage: Path
    report: Mapping[str, Json]
    curve: tuple[Mapping[str, Json], ...]


def train(
    shop: Shop, run: Run, base: ModelReference, rows: Sequence[Conversation], *, name: str
) -> Trained:
    """The weights of one run, trained once for the same base, rows and settings."""
    if not rows:
        raise DataError(f"no rows to train {name!r} on", "its data has an empty training split")
    what = {
        "base": base.digest,
        "rows": digest(list(rows)),
        "settings": shop.tools.settings(run),
        "seed": run.seed,
    }
    artifact = shop.store.artifact("train", what, shop.how)
    with shop.watch.stage(f"train {name}", total=None, unit="steps") as tally:

        def on_step(step: Step) -> None:
            note = f"loss {step.loss:.3f}, {step.tokens_per_second:,.0f} tokens/s"
            tally(step.step, total=step.steps, note=note)

        def make(part: Path) -> None:
            shop.tools.train(base, rows, run=run, folder=part, on_step=on_step)

        folder = artifact.build(make, on_wait=shop.watch.waiting)
    report = json.loads((folder / "training.json").read_text("utf-8"))
    with (folder / "loss.jsonl").open("rb") as lines:
        curve = tuple(json.loads(line) for line in lines)
    return Trained(name=name, stage=folder, report=report, curve=curve)


# ------------------------------------------------------------------ completions


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One sample that one example is owed."""

    example: Example
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """The answers to what was asked, in the order asked; a string says why one is missing."""

    stage: Path
    answers: tuple[tuple[Asked, Completion | str], ...]


def generate(
    shop: Shop, model: ModelReference, ask: Answering, asked: Sequence[Asked], *, name: str
) -> Generated:
    """The model's answers; those that are stored for the same question are not made again."""
    sampling = to_json(asked[0].request.sampling)
    what = {"model": model.digest, "precision": ask.precision, "sampling": sampling}
    stage = shop.store.rows("generate", what, shop.how)
    by_key = {one.request.key: one for one in asked}

    def make(owed: list[str]) -> Iterator[Row]:
        engine = shop.tools.engine(model, ask)
        try:
            for request, completion in engine.complete([by_key[key].request for key in owed]):
                yield _completion_row(by_key[request.key], completion)
        except TransientError as error:
            hint = "what has arrived is kept: run the same command again"
            raise EngineError(f"the engine stopped answering: {error}", hint, where=name) from error

    rows = _filled(shop, stage, list(by_key), make, title=f"generate {name}", unit="answers")
    return Generated(stage=stage.folder, answers=tuple(_answers(asked, rows)))


def _completion_row(one: Asked, completion: Completion | Exception) -> Row:
    about = {"example": one.example.id, "group": one.example.group, "index": one.request.index}
    if isinstance(completion, Completion):
        return Row(key=one.request.key, about=about, record=to_json(completion))
    return Row(key=one.request.key, about=about, missing=str(completion))


def _answers(
    asked: Sequence[Asked], rows: Mapping[str, Row]
) -> Iterator[tuple[Asked, Completion | str]]:
    for one in asked:
        row = rows[one.request.key]
        if row.missing is not None:
            yield one, row.missing
        else:
            yield one, from_json(Completion, row.record)


# ------------------------------------------------------------------ scores


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What one answer earned: how it was read, what its program did, and the scores."""

    answer: Answer
    outcome: Outcome | None
    scores: tuple[Score, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The stored scores of all answers that are not missing, by `score_key`."""

    stage: Path
    by_key: Mapping[str, Scored]


def score(shop: Shop, task: Task, generated: Generated, *, name: str) -> Scores:
    """The scores of one contestant's answers; what is stored is not run again."""
    what = {"task": task.name, "version": task.version, "answers": str(generated.stage.name)}
    stage = shop.store.rows("score", what, shop.how)
    replies = {
        score_key(one, completion): (one, completion)
        for one, completion in generated.answers
        if isinstance(completion, Completion)
    }

    def make(owed: list[str]) -> Iterator[Row]:
        with ExitStack() as stack:
            sandbox = stack.enter_context(shop.tools.sandbox())
            check_gold(task, sandbox, [replies[key][0].example for key in owed])
            for key, scored in _score(task, sandbox, {key: replies[key] for key in owed}):
                one = replies[key][0]
                about = {"example": one.example.id, "group": one.example.group}
                yield Row(key=key, about=about, record=to_json(scored))

    rows = _filled(shop, stage, list(replies), make, title=f"score {name}", unit="answers")
    by_key = {key: from_json(Scored, row.record) for key, row in rows.items()}
    return Scores(stage=stage.folder, by_key=by_key)


def score_key(one: Asked, completion: Completion) -> str:
    """The name of a scored row: the example, tests and all, and what was said to it."""
    return digest([digest(one.example), one.request.key, completion.text])


def _score(
    task: Task, sandbox: Runner, replies: Mapping[str, tuple[Asked, Completion]]
) -> Iterator[tuple[str, Scored]]:
    """The scores by key, as the programs finish; replies that need no program come first."""
    waiting: list[tuple[str, Example, Answer, Program]] = []
    for key, (one, completion) in replies.items():
        answer = task.parse(completion.text, one.example)
        program = task.program(one.example, answer)
        if program is None:
            yield key, _scored(task, one.example, answer, None)
        else:
            waiting.append((key, one.example, answer, program))
    for number, outcome in sandbox.run([program for *_, program in waiting]):
        key, example, answer, _ = waiting[number]
        yield key, _scored(task, example, answer, outcome)


def _scored(task: Task, example: Example, answer: Answer, outcome: Outcome | None) -> Scored:
    return Scored(answer=answer, outcome=outcome, scores=task.score(example, answer, outcome))


def check_gold(task: Task, sandbox: Runner, examples: Iterable[Example]) -> None:
    """Raises SandboxError unless every gold answer earns full marks.

    A model is only blamed for failing tests that a known good answer passes, here and now.
    """
    distinct = {example.id: example for example in examples if example.wanted.get("repair")}
    programs: list[tuple[Example, Answer, Program]] = []
    for example in distinct.values():
        answer = task.parse(task.gold(example), example)
        if (program := task.program(example, answer)) is not None:
            programs.append((example, answer, program))
    headline = task.metrics[0].name
    for number, outcome in sandbox.run([program for *_, program in programs]):
        example, answer, _ = programs[number]
        scores = {one.metric: one for one in task.score(example, answer, outcome)}
        if scores[headline].value != 1:
            raise SandboxError(
                f"the known good answer fails: {scores[headline].because or outcome.stderr}",
                "the harness or the tests are broken, not the model: see outdo doctor",
                where=f"example {example.id}",
            )


# ------------------------------------------------------------------ all row stages


def _filled(
    shop: Shop, stage: RowStage, keys: list[str], make: Make, *, title: str, unit: str
) -> dict[str, Row]:
    """The stage's rows, with whoever watches told of each that is made."""
    with shop.watch.stage(title, total=len(keys), unit=unit) as tally:

        def counted(owed: list[str]) -> Iterator[Row]:
            done = len(keys) - len(owed)
            tally(done)
            for row in make(owed):
                done += 1
                tally(done)
                yield row

        rows = stage.fill(keys, counted, on_wait=shop.watch.waiting)
        tally(len(keys))
    return rows
