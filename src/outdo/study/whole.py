"""A whole study, as its file spells it, and what it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

import yaml
from pydantic import Field, PrivateAttr

from outdo import catalog
from outdo.errors import StudyError
from outdo.study.entries import (
    Answering,
    BestOf,
    Compared,
    Critiqued,
    Judging,
    MadePairs,
    Model,
    Train,
)
from outdo.study.matrix import Answers, Run, by_contestant, circle, expanded, in_order
from outdo.study.part import Name, Part
from outdo.study.similarity import Similarity
from outdo.study.sources import Data, Kind, kind_of
from outdo.yamlfile import YamlFile

Node = tuple[str, str]
"""A section and an entry of it that is made from others."""


@dataclass(frozen=True)
class _Source:
    """Where a study was read; no part of what it is."""

    file: YamlFile | None = field(default=None, compare=False)


class Study(Part):
    """A whole study, as its file spells it."""

    _source: _Source = PrivateAttr(default_factory=_Source)

    study: Name
    about: str = ""
    task: str | Annotated[list[str], Field(min_length=1)]
    seed: int = 1
    data_root: str = "."
    limit: int | None = Field(default=None, ge=1)
    apart: float | None = Field(default=None, gt=0, le=1)
    similarity: Similarity | None = None
    data: dict[Name, Data] = Field(min_length=1)
    models: dict[Name, str | Model] = Field(min_length=1)
    pairs: dict[Name, MadePairs] = Field(default={})
    train: dict[Name, Train] = Field(default={})
    answer: dict[Name, Answering] = Field(min_length=1)
    judges: dict[Name, Judging] = Field(default={})
    compare: dict[Name, Compared] = Field(default={})
    best_of: dict[Name, BestOf] = Field(default={})

    @property
    def tasks(self) -> list[str]:
        """The names of the study's tasks."""
        return [self.task] if isinstance(self.task, str) else self.task

    def model(self, name: str) -> Model:
        """An entry of `models`, with what is known of it."""
        entry = self.models[name]
        return Model(model=entry) if isinstance(entry, str) else entry

    def read_from(self, file: YamlFile) -> None:
        """Remember the file, so that mistakes can be told with their lines."""
        self._source = _Source(file)

    def where(self, *place: str | int) -> str:
        """File and line of a place in the study; empty for one that was not read from a file."""
        return self._source.file.where(place) if self._source.file else ""

    def dump(self) -> str:
        """The study as YAML, defaults and overrides written out, ready to be run again."""
        data = self.model_dump(mode="json", exclude_none=True, by_alias=True)
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)

    def runs(self) -> dict[str, Run]:
        """Every training run by name, matrices expanded, in an order in which each can be made."""
        runs: dict[str, Run] = {}
        for section, name in in_order(self.needs()):
            for run in self._runs_of(name, runs) if section == "train" else ():
                if run.name in runs:
                    problem = f"two training runs are named {run.name!r}"
                    hint = "give each value of a list once, and other names"
                    raise StudyError(problem, hint, where=self.where("train", name))
                runs[run.name] = run
        return runs

    def _runs_of(self, name: str, runs: Mapping[str, Run]) -> list[Run]:
        entry = self.train[name]
        starts = [run for run in runs.values() if run.entry == entry.model]
        reference = entry.reference and self.single(entry.reference, runs, "train", name)
        data = entry.sets or {self.data_for("train", name): None}
        try:
            made = expanded(name, entry, starts, data=data, reference=reference, seed=self.seed)
            return list(made)
        except StudyError as error:
            where = self.where("train", name, "seeds")
            raise StudyError(error.problem, error.hint, where=where) from error

    def answers(self) -> dict[str, Answers]:
        """Every contestant by name; a trained matrix answers once for each of its combinations."""
        groups = by_contestant(list(self.runs().values()))
        found: dict[str, Answers] = {}
        for name, entry in self.answer.items():
            members = [runs for runs in groups.values() if runs[0].entry == entry.model]
            named = {
                name + runs[0].contestant.removeprefix(entry.model): tuple(r.name for r in runs)
                for runs in members
            }
            for label, models in (named or {name: (entry.model,)}).items():
                if label in found or (label != name and label in self.answer):
                    where = self.where("answer", name)
                    raise StudyError(f"two answers are named {label!r}", "rename one", where=where)
                data = entry.data or self.data_for("answer", name)
                found[label] = Answers(name=label, entry=name, models=models, data=data, ask=entry)
        return found

    def single(self, name: str, runs: Mapping[str, Run], *place: str) -> str:
        """The one model or run that a name means. Raises StudyError if there are several."""
        members = [run for run in runs.values() if run.entry == name]
        if len(members) > 1 or any(run.settings.leave_out for run in members):
            problem = (
                f"{name!r} is {len(members)} models"
                if len(members) > 1
                else (f"{name!r} is a model for each value of {members[0].settings.leave_out!r}")
            )
            raise StudyError(problem, "name one that is trained once", where=self.where(*place))
        return members[0].name if members else name

    def needs(self) -> dict[Node, list[Node]]:
        """What each training entry and each set of pairs is made from, of such."""
        needs: dict[Node, list[Node]] = {}
        for name, pairs in self.pairs.items():
            needs["pairs", name] = [("train", model) for model in pairs.models]
        for name, entry in self.train.items():
            needs["train", name] = [
                ("train", entry.model),
                *(("pairs", data) for data in entry.sets or [self.data_for("train", name)]),
                *([("train", entry.reference)] if entry.reference else []),
            ]
        return {node: [one for one in nodes if one in needs] for node, nodes in needs.items()}

    def circle(self) -> list[str]:
        """Entries that need one another in turn, the first again at the end; or nothing."""
        return [name for _, name in circle(self.needs())]

    def kind(self, name: str) -> Kind:
        """What a data set of this name gives."""
        if name in self.pairs:
            return "examples" if isinstance(self.pairs[name], Critiqued) else "pair"
        return kind_of(self.data[name], self.tasks)

    def data_for(self, section: str, name: str) -> str:
        """The only data set that suits an entry which names none. Raises StudyError otherwise."""
        suiting = self._suiting("examples")
        if section == "train":
            rows = catalog.ROWS.get(self.train[name].method, "")
            given = self._suiting(rows)
            suiting = (given or suiting) if rows == "pair" else [*suiting, *given]
        else:
            suiting = [one for one in suiting if one in self.data]
        if len(suiting) != 1:
            hint = f"one of: {', '.join(suiting)}" if suiting else "no entry of `data` suits"
            where = self.where(section, name)
            raise StudyError(f"{name!r} must say which data it uses", hint, where=where)
        return suiting[0]

    def _suiting(self, kind: str) -> list[str]:
        return [name for name in (*self.data, *self.pairs) if self.kind(name) == kind]
