"""Stages of examples, completions and scores; those of training stand in `training`.

Each function names its stage by what is asked, hands the store a way to make what is owed, and
gives back what is there in the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from outdo.errors import DataError, EngineError, SandboxError, TransientError
from outdo.models.reference import ModelReference
from outdo.pipeline.asking import Asked, has_gold
from outdo.pipeline.protocols import ScoreOf, Tools, Watch
from outdo.protocols import Engine, Runner
from outdo.records import (
    Answer,
    Completion,
    Conversation,
    Example,
    Json,
    Outcome,
    Pair,
    Program,
    Request,
    Score,
    digest,
    from_json,
    to_json,
)
from outdo.store import Make, Row, RowStage, Store
from outdo.study import Answering, Conversations, Data
from outdo.study.sources import Instructions
from outdo.tasks import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """Where stages are made: the store, the tools, whoever watches, and how it all runs here.

    `notes` gathers what a person should know of how models were asked, each once.
    """

    store: Store
    tools: Tools
    watch: Watch
    how: Mapping[str, Json]
    notes: dict[str, None] = field(default_factory=dict)


# ------------------------------------------------------------------ data

KINDS: dict[str, type[Example] | type[Conversation] | type[Pair]] = {
    "examples": Example,
    "conversations": Conversation,
    "pairs": Pair,
}
"""File of a data stage to what its lines are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The rows of one data entry, and what was dropped on the way."""

    stage: Path
    rows: tuple[Example | Conversation | Pair, ...]
    notes: tuple[str, ...]

    @property
    def examples(self) -> list[Example]:
        """Those that are examples of the task."""
        return [row for row in self.rows if isinstance(row, Example)]

    @property
    def lessons(self) -> list[Conversation | Pair]:
        """Those that are learnt from as they are."""
        return [row for row in self.rows if not isinstance(row, Example)]

    def of(self, split: str) -> list[Example]:
        return [example for example in self.examples if example.split == split]


def make_rows(shop: Shop, name: str, spec: Data, *, root: Path, seed: int) -> Made:
    """The rows that a data entry describes, made once for the same sources and settings."""
    if not isinstance(spec, Conversations) and spec.seed is not None:
        seed = spec.seed
    asked = spec.model_dump(mode="json", exclude={"seed", *_paths(spec)})
    what = {"spec": asked, "content": shop.tools.data_what(spec, root), "seed": seed}
    artifact = shop.store.artifact("data", what, shop.how)

    def make(part: Path) -> None:
        with shop.tools.sandbox() as sandbox:
            rows, notes = shop.tools.data(spec, root, seed, sandbox)
        kind = next((kind for kind, of in KINDS.items() if rows and isinstance(rows[0], of)), "")
        write_rows(part / f"{kind or 'examples'}.jsonl", rows)
        (part / "notes.json").write_text(json.dumps(notes), "utf-8")

    with shop.watch.stage(f"data {name}", total=None, unit="rows") as tally:
        folder = artifact.build(make, on_wait=shop.watch.waiting)
        lessons_alone = isinstance(spec, Instructions) and spec.hold_out == 0
        made = _read_data(folder, tested=not lessons_alone)
        tally(len(made.rows))
    return made


def rows_file(stage: Path) -> Path:
    """The file of a data stage that holds its rows."""
    (path,) = (stage / f"{kind}.jsonl" for kind in KINDS if (stage / f"{kind}.jsonl").is_file())
    return path


def _paths(spec: Data) -> set[str]:
    """The fields that say where something lies: content counts, not paths."""
    return {"path", "programs", "problems", "frozen"} & set(type(spec).model_fields)


def write_rows(path: Path, rows: Iterable[Example | Conversation | Pair]) -> None:
    """A file with a record a line."""
    lines = [json.dumps(to_json(row), ensure_ascii=True) + "\n" for row in rows]
    path.write_text("".join(lines), "utf-8")


def _read_data(folder: Path, *, tested: bool) -> Made:
    path = rows_file(folder)
    with path.open("rb") as lines:
        rows = tuple(from_json(KINDS[path.stem], json.loads(line)) for line in lines)
    made = Made(stage=folder, rows=rows, notes=())
    if tested and path.stem == "examples" and not made.of("test"):
        raise DataError("no example is left to test with", "ask for more", where=str(folder))
    notes = tuple(json.loads((folder / "notes.json").read_text("utf-8")))
    return replace(made, notes=notes)


# ------------------------------------------------------------------ completions

NOTES = "notes"
"""What is told about a row of how its engine was asked: features that a server refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """The answers to what was asked, in the order asked; a string says why one is missing.

    `seconds` has the replies to what a task asked about an answer, by the answer's request.
    """

    stage: Path
    answers: tuple[tuple[Asked, Completion | str], ...]
    seconds: Mapping[str, Completion | str] = field(default_factory=dict)

    def second(self, one: Asked) -> Completion | str | None:
        """The model's second reply to an example; None where none was asked for."""
        return self.seconds.get(one.request.key)


def generate(
    shop: Shop, model: ModelReference, ask: Answering, asked: Sequence[Asked], *, name: str
) -> Generated:
    """The model's answers; those that are stored for the same question are not made again."""
    keys = [one.request.key for one in asked]  # a key is a digest of the whole prompt
    requests = {key: one.request for key, one in zip(keys, asked, strict=True)}
    about = {
        key: {
            "example": one.example.id,
            "group": one.example.group,
            "index": one.request.index,
        }
        for key, one in zip(keys, asked, strict=True)
    }
    title = f"generate {name}"
    stage, said = completed(
        shop, model, ask, requests, about, title=title, unit="answers", where=name
    )
    answers = tuple((one, said[key]) for key, one in zip(keys, asked, strict=True))
    return Generated(stage=stage, answers=answers)


def completed(
    shop: Shop,
    model: ModelReference,
    ask: Answering,
    requests: Mapping[str, Request],
    about: Mapping[str, Mapping[str, Json]],
    *,
    title: str,
    unit: str,
    where: str = "",
) -> tuple[Path, dict[str, Completion | str]]:
    """A model's answers to requests that are alike in their sampling, and where they are stored.

    `requests` and what is told `about` each are by the request's key; a string says why an answer
    is missing. What the engine notes of its answers is stored with them, and noted again.
    """
    sampling = to_json(next(iter(requests.values())).sampling)
    what = {"model": model.digest, "precision": ask.precision, "sampling": sampling}
    stage = shop.store.rows("generate", what, shop.how)

    def make(owed: list[str]) -> Iterator[Row]:
        engine = shop.tools.engine(model, ask)
        try:
            for request, completion in engine.complete([requests[key] for key in owed]):
                key = request.key
                yield _completion_row(key, _noted(about[key], engine), completion)
        except TransientError as error:
            raise _stopped(error, where or title) from error

    rows = filled(shop, stage, list(requests), make, title=title, unit=unit)
    for row in rows.values():
        noted = row.about.get(NOTES)
        shop.notes.update(dict.fromkeys(map(str, noted)) if isinstance(noted, list) else {})
    return stage.folder, {key: _completion(row) for key, row in rows.items()}


def _noted(about: Mapping[str, Json], engine: Engine) -> Mapping[str, Json]:
    """What is told about a row, with whatever its engine has noted; few engines note anything."""
    notes = [str(note) for note in getattr(engine, "notes", ())]
    return {**about, NOTES: notes} if notes else about


def _stopped(error: TransientError, name: str) -> EngineError:
    """The end of an engine in words; one of a kind of its own says itself how to go on."""
    if type(error) is not TransientError:
        return EngineError(str(error), where=name)
    hint = "what has arrived is kept: run the same command again"
    return EngineError(f"the engine stopped answering: {error}", hint, where=name)


def asked_again(
    shop: Shop, model: ModelReference, ask: Answering, generated: Generated, *, name: str
) -> Generated:
    """The same answers, with what the model says where its task asks about them."""
    owed: dict[str, Asked] = {}
    for one, completion in generated.answers:
        if one.task.then is None or isinstance(completion, str):
            continue
        prompt = one.task.then.prompt(one.view, one.task.parse(completion.text, one.view))
        if prompt is not None:
            owed[one.request.key] = replace(one, request=replace(one.request, prompt=prompt))
    if not owed:
        return generated
    said = generate(shop, model, ask, list(owed.values()), name=f"{name}, asked again")
    replies = [completion for _, completion in said.answers]
    return replace(generated, seconds=dict(zip(owed, replies, strict=True)))


def _completion_row(key: str, about: Mapping[str, Json], completion: Completion | Exception) -> Row:
    if isinstance(completion, Completion):
        return Row(key=key, about=about, record=to_json(completion))
    return Row(key=key, about=about, missing=str(completion))


def _completion(row: Row) -> Completion | str:
    return from_json(Completion, row.record) if row.missing is None else row.missing


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
    """The scores of one contestant's answers to a task; what is stored is not run again."""
    what = {"task": task.name, "version": task.version, "answers": str(generated.stage.name)}
    stage = shop.store.rows("score", what, shop.how)
    replies = {
        score_key(one, completion, second): (one, completion, second)
        for one, completion in generated.answers
        for second in (generated.second(one),)
        if one.task is task and isinstance(completion, Completion) and not isinstance(second, str)
    }

    def make(owed: list[str]) -> Iterator[Row]:
        with ExitStack() as stack:
            sandbox = stack.enter_context(shop.tools.sandbox())
            check_gold(task, sandbox, [replies[key][0].view for key in owed])
            for key, scored in _score(task, sandbox, {key: replies[key] for key in owed}):
                one = replies[key][0]
                about = {"example": one.example.id, "group": one.example.group}
                yield Row(key=key, about=about, record=to_json(scored))

    rows = filled(shop, stage, list(replies), make, title=f"score {name}", unit="answers")
    by_key = {key: from_json(Scored, row.record) for key, row in rows.items()}
    return Scores(stage=stage.folder, by_key=by_key)


def score_key(one: Asked, completion: Completion, second: Completion | None = None) -> str:
    """The name of a scored row: the example as shown, tests and all, and what was said to it."""
    said = [completion.text] if second is None else [completion.text, second.text]
    return digest([digest(one.view), one.request.key, *said])


Said = tuple[Asked, Completion, Completion | None]
"""What was asked, the reply to it, and the second reply where there was one."""


def _score(
    task: Task, sandbox: Runner, replies: Mapping[str, Said]
) -> Iterator[tuple[str, Scored]]:
    """The scores by key, as the programs finish; replies that need no program come first."""
    waiting: list[tuple[str, Example, Answer, Program]] = []
    for key, (one, completion, second) in replies.items():
        answer = task.parse(completion.text, one.view)
        if second is not None and task.then is not None:
            answer = task.then.read(answer, second.text)
        program = task.program(one.view, answer)
        if program is None:
            yield key, _scored(task, one.view, answer, None)
        else:
            waiting.append((key, one.view, answer, program))
    for number, outcome in sandbox.run([program for *_, program in waiting]):
        key, example, answer, _ = waiting[number]
        yield key, _scored(task, example, answer, outcome)


def _scored(task: Task, example: Example, answer: Answer, outcome: Outcome | None) -> Scored:
    return Scored(answer=answer, outcome=outcome, scores=task.score(example, answer, outcome))


def check_gold(task: Task, sandbox: Runner, examples: Iterable[Example]) -> None:
    """Raises SandboxError unless every gold answer earns full marks.

    A model is only blamed for failing tests that a known good answer passes, here and now.
    """
    distinct = {example.id: example for example in examples if has_gold(task, example)}
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


def score_of(
    shop: Shop, tasks: Sequence[Task], base: ModelReference, owed: Sequence[Asked]
) -> ScoreOf:
    """The tasks' headline metrics of a model in memory over what is asked, higher for better.

    Each task counts alike; a second question is not asked.
    """
    by_key = {one.request.key: one for one in owed}

    def score(model: Any) -> float:
        said = shop.tools.living(model, base).complete([one.request for one in owed])
        replies = {
            request.key: (by_key[request.key], completion, None)
            for request, completion in said
            if isinstance(completion, Completion)
        }
        with shop.tools.sandbox() as sandbox:
            marks = [_mean_mark(task, sandbox, replies) for task in tasks]
        return sum(marks) / len(marks)

    return score


def _mean_mark(task: Task, sandbox: Runner, replies: Mapping[str, Said]) -> float:
    """The mean headline metric of one task's replies, negated where lower is better."""
    mine = {key: said for key, said in replies.items() if said[0].task is task}
    scored = [one for _, one in _score(task, sandbox, mine)]
    values = [value for one in scored if (value := mark(task, one)) is not None]
    mean = sum(values) / len(values) if values else 0.0
    return mean if task.metrics[0].better == "higher" else -mean


def mark(task: Task, scored: Scored) -> float | None:
    """The headline metric of an answer; None where it could not be told."""
    headline = task.metrics[0].name
    return next((score.value for score in scored.scores if score.metric == headline), None)


# ------------------------------------------------------------------ all row stages


def filled(
    shop: Shop, stage: RowStage, keys: list[str], make: Make, *, title: str, unit: str
) -> dict[str, Row]:
    """The stage's rows, with whoever watches told of each that is made."""
    with shop.watch.stage(title, total=len(keys), unit=unit) as tally:

        def counted(owed: list[str]) -> Iterator[Row]:
            done, spent = len(keys) - len(owed), 0.0
            tally(done)
            for row in make(owed):
                done, spent = done + 1, spent + _cost(row)
                tally(done, note=f"${spent:,.2f}" if spent else "")
                yield row

        rows = stage.fill(keys, counted, on_wait=shop.watch.waiting)
        tally(len(keys))
    return rows


def _cost(row: Row) -> float:
    """What a row's call took, in US dollars."""
    usage = row.record.get("usage") if isinstance(row.record, dict) else None
    return float(usage["cost"]) if usage else 0.0
