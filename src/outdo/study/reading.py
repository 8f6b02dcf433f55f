"""Reading a study file: overrides put in their places, mistakes told in a sentence with a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from outdo.catalog import suggestion
from outdo.errors import StudyError
from outdo.study import names
from outdo.study.entries import (
    Answering,
    BestOf,
    Compared,
    Critiqued,
    Judging,
    Lora,
    Model,
    Pairs,
    Train,
)
from outdo.study.part import Part
from outdo.study.published import (
    Outputs,
    OutputsStudy,
    PublishedCells,
    PublishedRow,
    PublishedStudy,
    PublishedTable,
)
from outdo.study.similarity import Encoding, Similarity
from outdo.study.sources import SOURCES
from outdo.study.whole import Study
from outdo.yamlfile import Place, YamlFile, number


def load_study(path: Path, *, overrides: Iterable[str] = ()) -> Study:
    """The study in a YAML file, with overrides `a.b=value` put in their places.

    Raises StudyError, with file and line, for anything that can't be carried out.
    """
    study = load_any(path, overrides=overrides)
    if isinstance(study, PublishedStudy):
        hint = "outdo run tells their intervals; there is nothing else to do"
        raise StudyError("this is a study of published rates", hint, where=str(path))
    if isinstance(study, OutputsStudy):
        hint = "outdo run scores them; there is nothing else to do"
        raise StudyError("this is a study of published outputs", hint, where=str(path))
    return study


def load_any(path: Path, *, overrides: Iterable[str] = ()) -> Study | PublishedStudy | OutputsStudy:
    """The same, or what somebody published: rates by the key `published`, else `outputs`."""
    file = YamlFile.read(path)
    for override in overrides:
        _override(file, override)
    try:
        if "published" in file.data:
            return PublishedStudy.model_validate(file.data)
        if "outputs" in file.data:
            return OutputsStudy.model_validate(file.data)
        study = Study.model_validate(file.data)
    except ValidationError as error:
        raise _explained(error, file) from error
    study.read_from(file)
    names.check(study)
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
        return StudyError(f"{dotted!r} needs a 'source'", suggestion("", SOURCES), where=where)
    if found["type"] == "union_tag_invalid":
        tag, where = str(found["ctx"]["tag"]), file.where((*place, "source"))
        return StudyError(f"unknown source {tag!r}", suggestion(tag, SOURCES), where=where)
    return StudyError(f"{dotted}: {found['msg']}", where=where)


_ENTRIES: dict[str, type[Part]] = {
    "models": Model,
    "pairs": Pairs,
    "train": Train,
    "judges": Judging,
    "answer": Answering,
    "compare": Compared,
    "best_of": BestOf,
}


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
    fields = _section(location).model_fields
    return {field.alias or name: field for name, field in fields.items()}


def _section(location: tuple[str | int, ...]) -> type[Part]:
    if location[0] == "outputs" and len(location) > 1:
        return PublishedCells if "published" in location[:-1] else Outputs
    if location[0] == "similarity" and len(location) > 1:
        return Similarity if len(location) == 2 else Encoding
    if location[0] == "published":
        return PublishedRow if "rows" in location else PublishedTable
    if len(location) == 1:
        return Study
    if location[0] == "data":
        return SOURCES.get(str(location[2]), Part)
    if location[0] == "pairs" and "critiques" in location[:-1]:
        return Critiqued
    if "lora" in location[:-1]:
        return Lora
    return _ENTRIES.get(str(location[0]), Part)
