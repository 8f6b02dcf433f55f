"""Whether the names in a study stand for something, and its keys go together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from outdo import catalog
from outdo.catalog import suggestion
from outdo.errors import StudyError
from outdo.study.entries import Compared, Critiqued, Judging, Train
from outdo.study.whole import Study


def check(study: Study) -> None:
    """Raises StudyError for a name that nothing bears or that two things bear, told at its line."""
    for name in study.train:
        if name in study.models:
            where = study.where("train", name)
            raise StudyError(f"{name!r} names a model already", "rename one", where=where)
    for name in study.pairs:
        if name in study.data:
            where = study.where("pairs", name)
            raise StudyError(f"{name!r} names data already", "rename one", where=where)
    if path := study.circle():
        section = "train" if path[0] in study.train else "pairs"
        where = study.where(section, path[0], "model")
        raise StudyError(f"training goes in a circle: {' -> '.join(path)}", where=where)
    _trained(study)
    _paired(study)
    for name, entry in study.answer.items():
        _model(study, entry.model, "answer", name, "model")
        _examples(study, entry.data or study.data_for("answer", name), "answer", name, "data")
    study.answers()
    _judging(study)
    _compared(study)
    _picking(study)


def _trained(study: Study) -> None:
    for name, entry in study.train.items():
        _model(study, entry.model, "train", name, "model")
        if entry.reference:
            _model(study, entry.reference, "train", name, "reference")
        if ":" not in entry.method:
            _known(study, entry.method, catalog.METHODS, "method", "train", name, "method")
        if isinstance(entry.data, list):
            _once(study, entry.data, "train", name, "data")
        _of_the_study(study, entry.tasks, "train", name)
        for data in entry.sets or [study.data_for("train", name)]:
            _learnable(study, entry, data, name)
        for key, problem, hint in _discords(entry):
            raise StudyError(problem, hint, where=study.where("train", name, key))


def _learnable(study: Study, entry: Train, data: str, name: str) -> None:
    """That a data set gives rows from which the entry's method can learn."""
    place = ("train", name, "data")
    _known(study, data, {**study.data, **study.pairs}, "data", *place)
    kind, rows = study.kind(data), catalog.ROWS.get(entry.method)
    if rows and kind not in ("examples", rows):
        problem = f"{entry.method} learns from {rows}s, and {data!r} holds {kind}s"
        fit = [one for one in (*study.data, *study.pairs) if study.kind(one) in ("examples", rows)]
        raise StudyError(problem, suggestion("", dict.fromkeys(fit)), where=study.where(*place))

    if entry.tasks and study.kind(data) != "examples":
        problem = f"tasks choose among examples, and {data!r} holds {study.kind(data)}s"
        raise StudyError(problem, "leave tasks out", where=study.where("train", name, "tasks"))
    if entry.tasks and data in study.pairs and "prefer" not in entry.tasks:
        problem = f"{data!r} holds examples of prefer, which tasks leaves out"
        raise StudyError(problem, "add prefer", where=study.where("train", name, "tasks"))


def _of_the_study(study: Study, tasks: list[str] | None, *place: str) -> None:
    """That what an entry is kept to are tasks of the study, each named once."""
    _once(study, tasks or [], *place, "tasks")
    for i, task in enumerate(tasks or []):
        _known(study, task, dict.fromkeys(study.tasks), "task", *place, "tasks", i)


def _discords(entry: Train) -> Iterable[tuple[str, str, str]]:
    """Keys that make no sense beside others: the key, what is wrong, what to do."""
    if entry.quantise != "none" and entry.lora == "none":
        yield "quantise", "weights of 4 bits can't be trained themselves", "set lora"
    if entry.seeds and isinstance(entry.seed, list):
        hint = "a list for seed makes contestants, seeds makes runs of one"
        yield "seeds", "seeds and a list for seed don't go together", hint
    if entry.by == "score" and entry.method == "reward":
        yield "by", "a model that rates texts answers nothing", "set by: loss"
    if not entry.validation:
        wanted = {
            "patience": entry.patience is not None,
            "evaluate_every": entry.evaluate_every is not None,
            "keep": entry.keep == "best",
            "by": entry.by == "score",
        }
        for key in (key for key, is_set in wanted.items() if is_set):
            yield key, f"{key} looks at held-out rows, and there are none", "set validation: 0.1"


def _paired(study: Study) -> None:
    for name, entry in study.pairs.items():
        for key, model in zip(("model", "critic"), entry.models, strict=False):
            _model(study, model, "pairs", name, key)
            study.single(model, study.runs(), "pairs", name, key)
        _examples(study, entry.examples, "pairs", name, "from")
        if isinstance(entry, Critiqued):
            if "prefer" not in study.tasks:
                problem = f"the pairs that a critic makes are examples of prefer: {name!r}"
                hint = "name prefer under `task`"
                raise StudyError(problem, hint, where=study.where("pairs", name, "critic"))
            continue
        if (entry.chosen, entry.rejected) == ("passes", "own"):
            problem = "what passes can only be preferred to what fails"
            where = study.where("pairs", name, "rejected")
            raise StudyError(problem, "set rejected: fails, or chosen: gold", where=where)


def _judging(study: Study) -> None:
    if len(set(study.tasks)) < len(study.tasks):
        raise StudyError("a task is there twice", "name it once", where=study.where("task"))
    for name, judge in study.judges.items():
        _model(study, judge.model, "judges", name, "model")
        study.single(judge.model, study.runs(), "judges", name, "model")
        for key, problem, hint in at_odds(judge):
            raise StudyError(problem, hint, where=study.where("judges", name, key))


def _picking(study: Study) -> None:
    for name, entry in study.best_of.items():
        _examples(study, entry.examples, "best_of", name, "from")
        for key in ("model", "judge"):
            _model(study, getattr(entry, key), "best_of", name, key)
            study.single(getattr(entry, key), study.runs(), "best_of", name, key)
        if ":" not in entry.task:
            _known(study, entry.task, catalog.TASKS, "task", "best_of", name, "task")


def at_odds(judge: Judging) -> Iterable[tuple[str, str, str]]:
    """Keys of a judge that make no sense beside its way: the key, what is wrong, what to do."""
    way, rubric = judge.way, judge.way == "rubric"
    for key in ("scores", "repeats") if way != "ask" else ():
        if getattr(judge, key):
            said = "gives no verdict" if rubric else "writes nothing"
            yield key, f"a judge by {way} {said}: it has no {key}", "set way: ask, or leave it out"
    if judge.form != "json" and way != "ask":
        yield "form", f"a judge by {way} writes no verdict", "set way: ask, or leave form out"
    for key in ("criterion", "tests") if rubric else ():
        if getattr(judge, key):
            hint = "say it in the questions under attributes"
            yield key, f"a judge by rubric goes by its questions: it has no {key}", hint
    if rubric and not judge.attributes:
        hint = 'name its questions, as in attributes: {correct: "Is what it says true?"}'
        yield "way", "a judge by rubric has no attributes", hint
    if judge.attributes and not rubric:
        yield "attributes", f"a judge by {way} has no attributes", "set way: rubric"
    if kept := [name for name in judge.attributes if name in ("reasons", "code")]:
        yield "attributes", f"no attribute can be named {kept[0]!r}", "choose another name"


def _compared(study: Study) -> None:
    for title, table in study.compare.items():
        _once(study, table.answers, "compare", title, "answers")
        _once(study, table.floors, "compare", title, "floors")
        _of_the_study(study, table.tasks, "compare", title)
        for i, name in enumerate(table.answers):
            _known(study, name, study.answer, "answer", "compare", title, "answers", i)
        for i, name in enumerate(table.against):
            there = dict.fromkeys(table.answers)
            _known(study, name, there, "answer", "compare", title, "against", i)
        _judged(study, title, table)


def _judged(study: Study, title: str, table: Compared) -> None:
    """That the judges of a table are there, and against whom they judge its answers."""
    _once(study, table.judges, "compare", title, "judges")
    for i, name in enumerate(table.judges):
        _known(study, name, study.judges, "judge", "compare", title, "judges", i)
    if against := table.judge_against:
        there = dict.fromkeys(table.answers)
        _known(study, against, there, "answer", "compare", title, "judge_against")
        if sum(one.entry == against for one in study.answers().values()) > 1:
            where = study.where("compare", title, "judge_against")
            hint = "name one that answers once"
            raise StudyError(f"{against!r} is several contestants", hint, where=where)
    elif any(study.judges[name].way != "rubric" for name in table.judges):
        hint = f"one of: {', '.join(table.answers)}"
        where = study.where("compare", title, "judges")
        raise StudyError("judges compare with one answer: set judge_against", hint, where=where)
    if table.people is not None and not (table.judges and table.judge_against):
        where = study.where("compare", title, "people")
        hint = "set judges and judge_against, or leave people out"
        raise StudyError(
            "people's labels are held against judges, and none judges", hint, where=where
        )


def _once(study: Study, names: list[str], *place: str) -> None:
    if again := next((name for name in names if names.count(name) > 1), None):
        raise StudyError(f"{again!r} is there twice", "name it once", where=study.where(*place))


def _model(study: Study, name: str, *place: str) -> None:
    _known(study, name, {**study.models, **study.train}, "model", *place)


def _examples(study: Study, name: str, *place: str) -> None:
    """That a data set holds examples of the task, which can be asked about."""
    _known(study, name, study.data, "data", *place)
    if study.kind(name) != "examples":
        fit = {one: None for one in study.data if study.kind(one) == "examples"}
        problem = f"{name!r} holds {study.kind(name)}s, not examples of the task"
        raise StudyError(problem, suggestion("", fit), where=study.where(*place))


def _known(
    study: Study, name: str, known: Mapping[str, object], noun: str, *place: str | int
) -> None:
    if name not in known:
        hint = suggestion(name, known)
        raise StudyError(f"there is no {noun} {name!r}", hint, where=study.where(*place))
