"""One pass over a study: its tasks, its models and data found and checked before there is work."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from outdo import catalog
from outdo.errors import DataError, EngineError, ModelError, StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline.asking import Size, shots_for
from outdo.pipeline.duties import Duties, chosen, without
from outdo.pipeline.fields import field_of, has_field
from outdo.pipeline.lessons import of_examples
from outdo.pipeline.protocols import Tools, Watch
from outdo.pipeline.stages import Made, Shop, make_rows
from outdo.records import Example, digest
from outdo.store import Store, write_text
from outdo.study import Answers, Critiqued, Study
from outdo.tasks import Task, critique, write


class Job:
    """A study with what has been found for it so far: its models, its data, its shots."""

    def __init__(
        self, study: Study, duties: Duties, store: Store, tools: Tools, watch: Watch
    ) -> None:
        self.study, self.duties, self.tools = study, duties, tools
        how = {**tools.environment(), "study": study.study}
        self.notes: dict[str, None] = {}
        self.shop = Shop(store=store, tools=tools, watch=watch, how=how, notes=self.notes)
        self.folder = store.root / study.study
        self.references: dict[str, ModelReference] = {}
        self.data: dict[str, Made] = {}
        self.shots: dict[str, dict[str, list[Example]]] = {}

    def resolve(self) -> None:
        """Find the study's models: one that isn't there is told before any work is done."""
        self._check_prompts()
        self._check_floors()
        self._check_guards()
        self._check_contexts()
        for name in self.study.models:
            with standing_at(self.study.where("models", name)):
                self.references[name] = self.tools.resolve(self.study.model(name).model)
        for name, entry in self.study.train.items():
            if entry.model in self.references and self.references[entry.model].kind == "api":
                problem = f"{entry.model!r} is served by a provider: it can't be trained here"
                where = self.study.where("train", name, "model")
                raise StudyError(problem, "name a model of this machine", where=where)

    def begin(self) -> None:
        """Write the resolved study down, and make its data."""
        write_text(self.folder / "study.yaml", self.study.dump())
        for name, spec in self.study.data.items():
            root = Path(self.study.data_root)
            with standing_at(self.study.where("data", name)):
                made = make_rows(self.shop, name, spec, root=root, seed=self.study.seed)
            self.link(f"data {name}", made.stage)
            self.data[name] = made

    def check(self) -> None:
        """Raise StudyError for what only the data can show: fields that aren't there, shots."""
        answers = self.study.answers()
        self._check_examples()
        self._check_slices()
        self._check_taught()
        for run in self.study.runs().values():
            for name in run.data if run.settings.leave_out else ():
                rows = self.data[name].of("train") if name in self.data else []
                with standing_at(self.study.where("train", run.entry, "leave_out")):
                    field_of(rows[0], str(run.settings.leave_out)) if rows else None
            for name in run.data:
                if self.study.kind(name) == "examples":
                    with standing_at(self.study.where("train", run.entry, "method")):
                        for task in chosen(self.study, self.duties, run.settings.tasks):
                            of_examples(task, (), method=run.settings.method, variant="")
        for answer in answers.values():
            self._check_asked(answer)
            self.shots[answer.name] = {
                task.name: self._shots(answer, task) for task in self.duties.tasks
            }

    def _check_taught(self) -> None:
        """Raises StudyError for a run that is kept to tasks of which its data has no example."""
        for run in self.study.runs().values():
            tasks = chosen(self.study, self.duties, run.settings.tasks)
            given = [one for name in run.data if name in self.data for one in self.data[name].rows]
            made = [name for name in run.data if name in self.study.pairs]
            if (
                run.settings.tasks
                and not made
                and not any(
                    isinstance(one, Example)
                    and one.split == "train"
                    and self.duties.of(one) in tasks
                    for one in given
                )
            ):
                problem = f"there is no example of {', '.join(run.settings.tasks)} to learn from"
                where = self.study.where("train", run.entry, "tasks")
                raise StudyError(problem, "a source may have to name its `tasks`", where=where)

    def _shots(self, answers: Answers, task: Task) -> list[Example]:
        data = self.data[answers.data]
        return shots_for(
            task,
            answers.ask,
            training=self.duties.mine(task, data.of("train")),
            test=self.duties.mine(task, data.of("test")),
            seed=self.study.seed,
            where=self.study.where("answer", answers.entry),
        )

    def size(self, model: ModelReference, context: int | None) -> Size | None:
        """How many tokens a text is to a model, where a context is set; a guess is noted."""
        if context is None:
            return None
        counting = self.tools.counting(model)
        if not counting.exact:
            self.notes[
                f"{model.name}: its tokenizer isn't known here, so that a prompt of {context:,} "
                "tokens is one of about four times as many characters"
            ] = None
        return counting.size

    def _check_examples(self) -> None:
        """Raises StudyError where the study names a task, or a source, with nothing to ask."""
        for answers in self.study.answers().values():
            if not self.data[answers.data].of("test"):
                problem = f"{answers.data!r} has no example to test with"
                hint = "set its hold_out, or name another source"
                where = self.study.where("answer", answers.entry)
                raise StudyError(problem, hint, where=where)
        if len(self.duties.tasks) == 1:
            return
        asked = {answer.data for answer in self.study.answers().values()}
        asked |= {entry.examples for entry in self.study.best_of.values()}
        test = [example for name in asked for example in self.data[name].of("test")]
        for task in self.duties.tasks:
            if not self.duties.mine(task, test):
                hint = "a source may have to name its `tasks`"
                problem = f"there is no example of the task {task.name!r} to test with"
                raise StudyError(problem, hint, where=self.study.where("task"))

    def _check_slices(self) -> None:
        """Raises StudyError for a field that examples of no task have."""
        answers = self.study.answers()
        for title, table in self.study.compare.items():
            for name in table.fields:
                first = next(one for one in answers.values() if one.entry == table.answers[0])
                test = self.data[first.data].of("test")
                firsts = [mine[0] for t in self.duties.tasks if (mine := self.duties.mine(t, test))]
                with standing_at(self.study.where("compare", title, "slices")):
                    if not any(has_field(example, name) for example in firsts):
                        field_of(firsts[0], name)

    def _check_contexts(self) -> None:
        """Raises StudyError for a budget of tokens that no task can keep to."""
        if any(task.fit for task in self.duties.tasks):
            return
        for section, entries in (("train", self.study.train), ("answer", self.study.answer)):
            for name, entry in entries.items():
                if entry.context is not None:
                    problem = f"{self.duties.names} can't cut what a prompt shows"
                    where = self.study.where(section, name, "context")
                    raise StudyError(problem, "leave context out", where=where)

    def _check_prompts(self) -> None:
        """Raises StudyError for a way of asking that a task which it is for doesn't have.

        Which tasks an answer is for its data say: until they are there, one must have it.
        """
        study, tasks = self.study, self.duties.tasks
        for name, entry in study.answer.items():
            if len(lacking := without(tasks, "variants", entry.prompt)) == len(tasks):
                raise _unasked(name, lacking[0], entry.prompt)
        for name, pairs in study.pairs.items():
            asked = [(tasks, pairs.prompt)]
            if isinstance(pairs, Critiqued):
                asked = [((write.task,), pairs.prompt), ((critique.task,), pairs.critic_prompt)]
            for some, prompt in asked:
                for task in without(some, "variants", prompt):
                    raise _unasked(name, task, prompt)
        for name, run in study.train.items():
            learnt = chosen(study, self.duties, run.tasks)
            if catalog.ROWS.get(run.method) != "pair":
                for task in without(learnt, "variants", run.prompt):
                    raise _unasked(name, task, run.prompt)

    def _check_asked(self, answers: Answers) -> None:
        """Raises StudyError for a way of asking that a task of the data doesn't have."""
        asked = {self.duties.of(one).name: self.duties.of(one) for one in self._test(answers)}
        for task in without(list(asked.values()), "variants", answers.ask.prompt):
            raise _unasked(answers.entry, task, answers.ask.prompt)

    def _test(self, answers: Answers) -> Sequence[Example]:
        return self.data[answers.data].of("test")

    def _check_guards(self) -> None:
        """Raises StudyError for an answer that is to be guarded where no task has a rule for it."""
        for name, entry in self.study.answer.items():
            if entry.guard and not any(task.guard for task in self.duties.tasks):
                problem = f"{name!r}: {self.duties.names} has no rule by which to withhold a reply"
                where = self.study.where("answer", name, "guard")
                raise StudyError(problem, "leave guard out", where=where)

    def _check_floors(self) -> None:
        """Raises StudyError for a floor that none of the tasks has."""
        for title, table in self.study.compare.items():
            for floor in table.floors:
                if len(without(self.duties.tasks, "floors", floor)) == len(self.duties.tasks):
                    known = {name: None for task in self.duties.tasks for name in task.floors}
                    problem = f"{title!r}: {self.duties.names} has no floor {floor!r}"
                    raise StudyError(problem, catalog.suggestion(floor, known))

    def limited(self, examples: Sequence[Example]) -> list[Example]:
        """The first examples of each task in an order of their own: a larger limit only adds."""
        return limited(self.study, self.duties, examples)

    def link(self, name: str, stage: Path) -> str:
        """The name below `stages` in the study's folder that now points to a stage."""
        link = self.folder / "stages" / name.replace("/", "-")
        link.parent.mkdir(parents=True, exist_ok=True)
        aside = link.with_name(f".{link.name}.{os.getpid()}")
        aside.unlink(missing_ok=True)
        aside.symlink_to(os.path.relpath(stage, link.parent))
        aside.replace(link)
        return link.name


def limited(study: Study, duties: Duties, examples: Sequence[Example]) -> list[Example]:
    """At most the study's limit of examples of each task, in an order of their own."""
    order = sorted(examples, key=lambda e: digest([study.seed, e.id]))
    if study.limit is None or len(duties.tasks) == 1:
        return order[: study.limit]
    parts = [duties.mine(task, order)[: study.limit] for task in duties.tasks]
    return [example for part in parts for example in part]


@contextlib.contextmanager
def standing_at(where: str) -> Iterator[None]:
    """Has mistakes in what a study's entry names told with the line on which it stands."""
    try:
        yield
    except (DataError, EngineError, ModelError, StudyError) as error:
        if not where:
            raise
        problem = f"{error.where}: {error.problem}" if error.where else error.problem
        raise type(error)(problem, error.hint, where=where) from error


def _unasked(name: str, task: Task, prompt: str) -> StudyError:
    hint = catalog.suggestion(prompt, dict.fromkeys(task.variants))
    return StudyError(f"{name!r}: {task.name} has no prompt {prompt!r}", hint)
