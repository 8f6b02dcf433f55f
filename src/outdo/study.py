"""A study file: what is asked, in YAML, checked before anything is carried out.

Every mistake is reported with the line it stands on. Lists in a `train` entry expand into one run
for each combination, here and nowhere else. What comes out is plain, frozen data.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from outdo.catalog import suggestion
from outdo.errors import StudyError
from outdo.records import How, Json
from outdo.yamlfile import Place, YamlFile, number

Name = Annotated[
    str, Field(min_length=1, max_length=80, pattern=r"^[^./\\\x00-\x1f][^/\\\x00-\x1f]*$")
]
Claim = Literal["these", "new"]

Several = Field(min_length=1)
"""A list that makes one run of each of its values, and so must have one."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# ------------------------------------------------------------------ where examples come from


class Injected(_Part):
    """Correct programs, broken on purpose; each bug verified by running."""

    source: Literal["inject"]
    problems: str = "embedded"
    count: int = Field(default=2000, ge=1)
    test_per_problem: int = Field(default=2, ge=0)
    test_per_held_out: int = Field(default=5, ge=0)
    double: float = Field(default=0.0, ge=0, le=1)
    seed: int | None = None


class Programs(_Part):
    """Real programs of students, some right and some wrong, with the problems they solve."""

    source: Literal["programs"]
    problems: str
    programs: str
    problem_columns: dict[str, str] | None = None
    program_columns: dict[str, str] | None = None
    correct: list[str] = []
    buggy: list[str] = []
    how: How = "value"
    hold_out: int = Field(default=25, ge=1)
    inject: int = Field(default=0, ge=0)
    seed: int | None = None


class Rows(_Part):
    """Rows of a JSONL, CSV or Parquet file, their columns mapped to what the task needs."""

    source: Literal["rows"]
    path: str
    columns: dict[str, str] | None = None
    how: How = "value"
    hold_out: int = Field(default=25, ge=1)
    drop: bool = False
    seed: int | None = None


class Folder(_Part):
    """A folder of `.py` files by student, with doctests, pytest files or stdin/stdout pairs."""

    source: Literal["folder"]
    path: str
    hold_out: int = Field(default=25, ge=1)
    inject: int = Field(default=0, ge=0)
    seed: int | None = None


Data = Annotated[Injected | Programs | Rows | Folder, Field(discriminator="source")]


# ------------------------------------------------------------------ what is trained


class Lora(_Part):
    """Low-rank adapters (Hu et al. 2021): rank r, scaled by alpha / r."""

    rank: int = Field(default=16, ge=1)
    alpha: float = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: Literal["all-linear"] | list[str] = "all-linear"


class Train(_Part):
    """One training run, or a matrix of them where a value is a list."""

    model: str
    data: str | None = None
    method: Literal["sft"] = "sft"
    prompt: str = "direct"
    lora: Lora | Literal["none"] | Annotated[list[Lora], Several] = Lora()
    learning_rate: float | Annotated[list[float], Several] = 1e-3
    seed: int | Annotated[list[int], Several] | None = None
    epochs: int | Annotated[list[int], Several] = 1
    rows_per_step: int = Field(default=32, ge=1)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.05, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    clip: float = Field(default=1.0, gt=0)
    max_length: int = Field(default=4096, ge=16)
    longer: Literal["drop", "cut", "refuse"] = "drop"
    precision: Literal["auto", "bfloat16", "float32", "float16"] = "auto"
    limit: int | None = Field(default=None, ge=1)
    leave_out: str | None = None


# ------------------------------------------------------------------ who answers, and the comparison


class Answering(_Part):
    """A model with a way of asking it: one row of the table."""

    model: str
    data: str | None = None
    prompt: str = "direct"
    shots: int = Field(default=0, ge=0)
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=512, ge=1)
    samples: int = Field(default=1, ge=1)
    precision: Literal["float32", "bfloat16", "float16"] = "float32"


class Compared(_Part):
    """One table: whose answers stand in it, against whom, and what is claimed."""

    answers: list[str] = Field(min_length=1)
    floors: list[str] = []
    against: list[str] = Field(min_length=1)
    claim: Claim = "these"
    margin: float = Field(default=0.05, gt=0)
    slices: str | None = None


@dataclass(frozen=True)
class _Source:
    """Where a study was read; no part of what it is."""

    file: YamlFile | None = field(default=None, compare=False)


class Study(_Part):
    """A whole study, as its file spells it."""

    _source: _Source = PrivateAttr(default_factory=_Source)

    study: Name
    about: str = ""
    task: str
    seed: int = 1
    data_root: str = "."
    limit: int | None = Field(default=None, ge=1)
    data: dict[Name, Data] = Field(min_length=1)
    models: dict[Name, str] = Field(min_length=1)
    train: dict[Name, Train] = {}
    answer: dict[Name, Answering] = Field(min_length=1)
    compare: dict[Name, Compared] = {}

    def runs(self) -> dict[str, Run]:
        """Every training run by name, matrices expanded, in an order in which each can be made."""
        runs: dict[str, Run] = {}
        for name in _in_order({name: [entry.model] for name, entry in self.train.items()}):
            for run in _expanded(name, self.train[name], self):
                if run.name in runs:
                    problem = f"two training runs are named {run.name!r}"
                    hint = "give each value of a list once, and other names"
                    raise StudyError(problem, hint, where=self.where("train", name))
                runs[run.name] = run
        return runs

    def answers(self) -> dict[str, Answers]:
        """Every contestant by name; a trained matrix answers once for each of its runs."""
        runs = self.runs()
        found: dict[str, Answers] = {}
        for name, entry in self.answer.items():
            members = [run for run in runs.values() if run.entry == entry.model]
            if not members:
                found[name] = Answers(name=name, entry=name, model=entry.model, ask=entry)
            for run in members:
                label = name + run.name.removeprefix(run.entry)
                if label in found or (label != name and label in self.answer):
                    where = self.where("answer", name)
                    raise StudyError(f"two answers are named {label!r}", "rename one", where=where)
                found[label] = Answers(name=label, entry=name, model=run.name, ask=entry)
        return found

    def where(self, *place: str | int) -> str:
        """File and line of a place in the study; empty for one that was not read from a file."""
        return self._source.file.where(place) if self._source.file else ""

    def dump(self) -> str:
        """The study as YAML, defaults and overrides written out, ready to be run again."""
        data = self.model_dump(mode="json", exclude_none=True)
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One training run of a study; `settings` holds no list any more."""

    name: str
    entry: str
    model: str
    data: str
    settings: Train
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One contestant of a study: `model` names an entry of `models`, or a run."""

    name: str
    entry: str
    model: str
    ask: Answering


# ------------------------------------------------------------------ reading


def load_study(path: Path, *, overrides: Iterable[str] = ()) -> Study:
    """The study in a YAML file, with overrides `a.b=value` put in their places.

    Raises StudyError, with file and line, for anything that can't be carried out.
    """
    file = YamlFile.read(path)
    for override in overrides:
        _override(file, override)
    try:
        study = Study.model_validate(file.data)
    except ValidationError as error:
        raise _explained(error, file) from error
    study._source = _Source(file)
    _check_names(study, file)
    return study


def _override(file: YamlFile, override: str) -> None:
    """Put `a.b=value` in its place; the value is read as YAML."""
    path, equals, text = override.partition("=")
    where = f"--set {override}"
    if not equals or not path:
        raise StudyError("an override is key=value", "as in train.tuned.epochs=2", where=where)
    place: Place = tuple(path.split("."))
    inside = file.data
    for part in place[:-1]:
        inside = inside.setdefault(str(part), {})
        if not isinstance(inside, dict):
            raise StudyError(f"{part!r} holds no keys", where=where)
    try:
        inside[str(place[-1])] = number(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise StudyError("the value is not YAML", where=where) from error
    file.of[place] = where


def _explained(error: ValidationError, file: YamlFile) -> StudyError:
    """The most particular thing that pydantic found, in a sentence, with its line."""
    found = max(error.errors(), key=lambda one: len(_place(one["loc"], file.data)))
    place = _place(found["loc"], file.data)
    where = file.where(place)
    dotted = ".".join(map(str, place))
    if found["type"] == "extra_forbidden":
        name, around = str(place[-1]), ".".join(map(str, place[:-1]))
        problem = f"unknown key {name!r}" + (f" in {around!r}" if around else "")
        return StudyError(problem, suggestion(name, _keys_beside(found["loc"])), where=where)
    if found["type"] == "missing":
        inside = f" in {dotted!r}" if dotted else ""
        return StudyError(f"key {str(found['loc'][-1])!r} is missing{inside}", where=where)
    if found["type"] == "union_tag_not_found":
        return StudyError(f"{dotted!r} needs a 'source'", suggestion("", _SOURCES), where=where)
    if found["type"] == "union_tag_invalid":
        tag, where = str(found["ctx"]["tag"]), file.where((*place, "source"))
        return StudyError(f"unknown source {tag!r}", suggestion(tag, _SOURCES), where=where)
    return StudyError(f"{dotted}: {found['msg']}", where=where)


_SOURCES: dict[str, type[_Part]] = {
    "inject": Injected,
    "programs": Programs,
    "rows": Rows,
    "folder": Folder,
}
_ENTRIES: dict[str, type[_Part]] = {"train": Train, "answer": Answering, "compare": Compared}


def _place(location: tuple[str | int, ...], data: Any) -> Place:
    """The place in the file that pydantic means: union tags, which the file has not, left out."""
    place: Place = ()
    inside = data
    for part in location:
        try:
            inside = inside[part]
        except (KeyError, IndexError, TypeError):
            continue
        place = (*place, part)
    return place


def _keys_beside(location: tuple[str | int, ...]) -> Mapping[str, object]:
    """The keys that are known where pydantic found one that isn't."""
    if len(location) == 1:
        return Study.model_fields
    if location[0] == "data":
        return _SOURCES.get(str(location[2]), _Part).model_fields
    if "lora" in location[:-1]:
        return Lora.model_fields
    return _ENTRIES.get(str(location[0]), _Part).model_fields


# ------------------------------------------------------------------ names and matrices


def _check_names(study: Study, file: YamlFile) -> None:
    """Raises StudyError for a name that nothing bears, or that two things bear."""
    for name in study.train:
        if name in study.models:
            where = file.where(("train", name))
            raise StudyError(f"{name!r} names a model already", "rename one", where=where)
    if cycle := _cycle({name: [entry.model] for name, entry in study.train.items()}):
        where = file.where(("train", cycle[0], "model"))
        raise StudyError(f"training goes in a circle: {' -> '.join(cycle)}", where=where)
    for section, entries in (("train", study.train), ("answer", study.answer)):
        for name, entry in entries.items():
            known = {**study.models, **study.train}
            _known(entry.model, known, "model", file, (section, name, "model"))
            if entry.data is not None:
                _known(entry.data, study.data, "data", file, (section, name, "data"))
            elif len(study.data) > 1:
                hint = f"one of: {', '.join(study.data)}"
                where = file.where((section, name))
                raise StudyError(f"{name!r} must say which data it uses", hint, where=where)
    study.answers()
    for title, table in study.compare.items():
        for section, names in (("answers", table.answers), ("floors", table.floors)):
            if again := next((name for name in names if names.count(name) > 1), None):
                where = file.where(("compare", title, section))
                raise StudyError(f"{again!r} is there twice", "name it once", where=where)
        for i, name in enumerate(table.answers):
            _known(name, study.answer, "answer", file, ("compare", title, "answers", i))
        for i, name in enumerate(table.against):
            _known(
                name, dict.fromkeys(table.answers), "answer", file, ("compare", title, "against", i)
            )


def _known(name: str, known: Mapping[str, object], noun: str, file: YamlFile, place: Place) -> None:
    if name not in known:
        hint = suggestion(name, known)
        raise StudyError(f"there is no {noun} {name!r}", hint, where=file.where(place))


def _cycle(needs: Mapping[str, list[str]]) -> list[str]:
    """A path that ends where it began, or nothing."""
    for start in needs:
        path = [start]
        while (step := next((n for n in needs[path[-1]] if n in needs), None)) is not None:
            path.append(step)
            if step in path[:-1]:
                return path[path.index(step) :]
    return []


def _in_order(needs: Mapping[str, list[str]]) -> Iterator[str]:
    """The names, each after those that it needs."""
    told: set[str] = set()
    while len(told) < len(needs):
        for name, needed in needs.items():
            if name not in told and all(n in told for n in needed if n in needs):
                told.add(name)
                yield name


def _expanded(name: str, entry: Train, study: Study) -> Iterator[Run]:
    """One run for each combination of an entry's lists, and of the runs that it starts from."""
    lists = {
        field: value
        for field, value in entry.model_dump(mode="python", include=_MATRIX).items()
        if isinstance(getattr(entry, field), list)
    }
    starts = [run.name for run in _runs_of(study, entry.model)] or [entry.model]
    for start, *values in itertools.product(starts, *lists.values()):
        chosen = dict(zip(lists, values, strict=True))
        label = "".join(f" {_label(field, value, lists[field])}" for field, value in chosen.items())
        inherited = start.removeprefix(entry.model) if start != entry.model else ""
        settings = Train.model_validate({**entry.model_dump(), **chosen})
        seed = settings.seed if isinstance(settings.seed, int) else study.seed
        yield Run(
            name=name + inherited + label,
            entry=name,
            model=start,
            data=entry.data or next(iter(study.data)),
            settings=settings,
            seed=seed,
        )


_MATRIX = {"lora", "learning_rate", "seed", "epochs"}


def _runs_of(study: Study, name: str) -> Iterator[Run]:
    if name in study.train:
        yield from _expanded(name, study.train[name], study)


def _label(name: str, value: Json, among: list[Json]) -> str:
    """What tells a value apart from the others of its list."""
    if name != "lora":
        return f"{name.replace('_', ' ')} {_word(value)}"
    told = f"r={value['rank']}"
    if len({one["rank"] for one in among}) < len(among):
        differs = [key for key in value if any(one[key] != value[key] for one in among)]
        told += "".join(f" {key} {_word(value[key])}" for key in differs if key != "rank")
    return told


def _word(value: Json) -> str:
    if isinstance(value, list):
        return ",".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
