"""One pass over a study: its task, its models and data found and checked before there is work."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from outdo import catalog
from outdo.errors import DataError, ModelError, StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline.asking import shots_for
from outdo.pipeline.fields import field_of
from outdo.pipeline.lessons import of_examples
from outdo.pipeline.protocols import Tools, Watch
from outdo.pipeline.stages import Made, Shop, make_rows
from outdo.records import Example, digest
from outdo.store import Store, write_text
from outdo.study import Answers, Study
from outdo.tasks import Task


class Job:
    """A study with what has been found for it so far: its models, its data, its shots."""

    def __init__(self, study: Study, task: Task, store: Store, tools: Tools, watch: Watch) -> None:
        self.study, self.task, self.tools = study, task, tools
        how = {**tools.environment(), "study": study.study}
        self.shop = Shop(store=store, tools=tools, watch=watch, how=how)
        self.folder = store.root / study.study
        self.references: dict[str, ModelReference] = {}
        self.data: dict[str, Made] = {}
        self.shots: dict[str, list[Example]] = {}

    def resolve(self) -> None:
        """Find the study's models: one that isn't there is told before any work is done."""
        self._check_task()
        for name, model in self.study.models.items():
            with standing_at(self.study.where("models", name)):
                self.references[name] = self.tools.resolve(model)

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
        for title, table in self.study.compare.items():
            if table.slices:
                first = next(one for one in answers.values() if one.entry == table.answers[0])
                with standing_at(self.study.where("compare", title, "slices")):
                    field_of(self.data[first.data].of("test")[0], table.slices)
        for run in self.study.runs().values():
            for name in run.data if run.settings.leave_out else ():
                rows = self.data[name].of("train") if name in self.data else []
                with standing_at(self.study.where("train", run.entry, "leave_out")):
                    field_of(rows[0], str(run.settings.leave_out)) if rows else None
            for name in run.data:
                if self.study.kind(name) == "examples":
                    with standing_at(self.study.where("train", run.entry, "method")):
                        of_examples(self.task, (), method=run.settings.method, variant="")
        for answer in answers.values():
            self.shots[answer.name] = self._shots(answer)

    def _shots(self, answers: Answers) -> list[Example]:
        data = self.data[answers.data]
        return shots_for(
            self.task,
            answers.ask,
            training=data.of("train"),
            test=data.of("test"),
            seed=self.study.seed,
            where=self.study.where("answer", answers.entry),
        )

    def _check_task(self) -> None:
        """Raises StudyError for a way of asking, or a floor, that the task doesn't have."""
        study, task = self.study, self.task
        prompts = [(name, entry.prompt) for name, entry in study.answer.items()]
        prompts += [(name, entry.prompt) for name, entry in study.pairs.items()]
        prompts += [
            (name, entry.prompt)
            for name, entry in study.train.items()
            if catalog.ROWS.get(entry.method) != "pair"
        ]
        for name, prompt in prompts:
            if prompt not in task.variants:
                hint = catalog.suggestion(prompt, dict.fromkeys(task.variants))
                raise StudyError(f"{name!r}: {task.name} has no prompt {prompt!r}", hint)
        for title, table in study.compare.items():
            for floor in table.floors:
                if floor not in task.floors:
                    hint = catalog.suggestion(floor, task.floors)
                    raise StudyError(f"{title!r}: {task.name} has no floor {floor!r}", hint)

    def limited(self, examples: Sequence[Example]) -> list[Example]:
        """The first examples in an order of their own, so that a larger limit only adds."""
        order = sorted(examples, key=lambda e: digest([self.study.seed, e.id]))
        return order[: self.study.limit]

    def link(self, name: str, stage: Path) -> str:
        """The name below `stages` in the study's folder that now points to a stage."""
        link = self.folder / "stages" / name.replace("/", "-")
        link.parent.mkdir(parents=True, exist_ok=True)
        aside = link.with_name(f".{link.name}.{os.getpid()}")
        aside.unlink(missing_ok=True)
        aside.symlink_to(os.path.relpath(stage, link.parent))
        aside.replace(link)
        return link.name


@contextlib.contextmanager
def standing_at(where: str) -> Iterator[None]:
    """Has mistakes in what a study's entry names told with the line on which it stands."""
    try:
        yield
    except (DataError, ModelError, StudyError) as error:
        if not where:
            raise
        problem = f"{error.where}: {error.problem}" if error.where else error.problem
        raise type(error)(problem, error.hint, where=where) from error
