"""A study file: what it means, and what is said of each mistake in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from outdo.cli.studies import quickstart
from outdo.errors import StudyError
from outdo.study import (
    Answering,
    Compared,
    Encoding,
    Judging,
    Lora,
    Model,
    Outputs,
    OutputsStudy,
    Pairs,
    PublishedCells,
    PublishedRow,
    PublishedStudy,
    PublishedTable,
    Similarity,
    Study,
    Train,
    load_any,
    load_study,
)
from outdo.yamlfile import YamlFile, number

WHOLE = """\
study: small
task: repair
data:
  broken:
    source: inject
    count: 50
models:
  base: embedded/seedling
train:
  tuned:
    model: base
    epochs: 2
answer:
  base: {model: base}
  tuned: {model: tuned}
compare:
  repair:
    answers: [tuned, base]
    against: [base]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(WHOLE)
    return path


def changed(file: Path, old: str, new: str) -> Path:
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} stands there {text.count(old)} times"
    file.write_text(text.replace(old, new))
    return file


def refused(file: Path, *overrides: str) -> StudyError:
    with pytest.raises(StudyError) as told:
        load_study(file, overrides=overrides)
    return told.value


# ------------------------------------------------------------------ what it means


def test_a_whole_study_is_read_with_its_defaults(file: Path) -> None:
    study = load_study(file)
    assert (study.study, study.task, study.seed, study.limit) == ("small", "repair", 1, None)
    assert study.data["broken"].source == "inject"
    assert study.models == {"base": "embedded/seedling"}
    assert study.train["tuned"].lora == Lora(rank=16)
    assert study.answer["base"].temperature == 0.0
    assert study.compare["repair"].claim == "these"


def test_a_run_takes_the_only_data_and_the_seed_of_the_study(file: Path) -> None:
    (run,) = load_study(file, overrides=["seed=7"]).runs().values()
    assert (run.name, run.entry, run.model, run.data) == (
        "tuned",
        "tuned",
        "base",
        {"broken": None},
    )
    assert (run.seed, run.settings.epochs) == (7, 2)


def test_answers_name_models_and_runs(file: Path) -> None:
    answers = load_study(file).answers()
    assert {name: one.models for name, one in answers.items()} == {
        "base": ("base",),
        "tuned": ("tuned",),
    }


def test_lists_expand_into_one_run_for_each_combination(file: Path) -> None:
    changed(
        file,
        "    epochs: 2\n",
        "    lora: [{rank: 4}, {rank: 8}]\n    learning_rate: [1e-3, 2e-3]\n",
    )
    runs = load_study(file).runs()
    assert list(runs) == [
        f"tuned r={rank} learning rate {rate}" for rank in (4, 8) for rate in ("0.001", "0.002")
    ]
    last = runs["tuned r=8 learning rate 0.002"]
    assert last.settings.lora == Lora(rank=8)
    assert last.settings.learning_rate == 0.002
    answers = load_study(file).answers()
    assert list(answers) == ["base", *runs]
    assert answers["tuned r=8 learning rate 0.002"].models == (last.name,)
    assert answers["tuned r=8 learning rate 0.002"].entry == "tuned"


def test_adapters_of_one_rank_are_told_apart_by_what_differs(file: Path) -> None:
    same = "{rank: 8, alpha: 16}, {rank: 8, alpha: 32.5, targets: [q_proj, v_proj]}"
    changed(file, "    epochs: 2\n", f"    lora: [{same}]\n    seed: [1234567, 1234568]\n")
    assert list(load_study(file).runs()) == [
        f"tuned {lora} seed {seed}"
        for lora in (
            "r=8 alpha 16 targets all-linear",
            "r=8 alpha 32.5 targets q_proj,v_proj",
        )
        for seed in (1234567, 1234568)
    ]


def test_a_run_on_a_matrix_expands_with_it(file: Path) -> None:
    changed(
        file, "    epochs: 2\n", "    seed: [1, 2]\n  more:\n    model: tuned\n    epochs: [1, 3]\n"
    )
    runs = load_study(file).runs()
    assert list(runs)[:2] == ["tuned seed 1", "tuned seed 2"]
    assert [runs[f"tuned seed {n}"].seed for n in (1, 2)] == [1, 2]
    assert list(runs)[2:] == [f"more seed {n} epochs {e}" for n in (1, 2) for e in (1, 3)]
    assert runs["more seed 2 epochs 3"].model == "tuned seed 2"


def test_runs_come_in_an_order_in_which_each_can_be_made(file: Path) -> None:
    changed(
        file, "    model: base\n    epochs: 2\n", "    model: first\n  first:\n    model: base\n"
    )
    assert list(load_study(file).runs()) == ["first", "tuned"]


def test_a_list_of_one_is_a_matrix_too(file: Path) -> None:
    changed(file, "epochs: 2", "seed: [5]")
    assert list(load_study(file).runs()) == ["tuned seed 5"]


def test_what_a_study_comes_to_can_be_run_again(file: Path, tmp_path: Path) -> None:
    changed(file, "    epochs: 2\n", "    lora: [{rank: 4}, {rank: 8}]\n    seed: [1, 2]\n")
    study = load_study(file, overrides=["limit=3", "about='très bien: «yes»'"])
    again = tmp_path / "again.yaml"
    again.write_text(study.dump(), "utf-8")
    assert load_study(again) == study
    assert load_study(again).dump() == study.dump()


def test_the_quickstart_is_a_study(tmp_path: Path) -> None:
    study = load_study(quickstart())
    (tmp_path / "again.yaml").write_text(study.dump(), "utf-8")
    assert load_study(tmp_path / "again.yaml") == study


ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("path", sorted((ROOT / "studies").rglob("*.yaml")), ids=lambda p: p.stem)
def test_every_study_that_comes_along_is_one(path: Path) -> None:
    study = load_any(path)
    assert study.study == path.stem
    if isinstance(study, OutputsStudy):
        assert study.outputs
    else:
        assert study.published if isinstance(study, PublishedStudy) else study.compare


@pytest.mark.parametrize(
    "section",
    [
        *(Train, Pairs, Answering, Lora, Compared, Judging, Model, PublishedTable, PublishedRow),
        *(Outputs, PublishedCells, Similarity, Encoding),
    ],
)
def test_every_key_is_told_on_the_page_of_studies(section: type[BaseModel]) -> None:
    page = (ROOT / "docs" / "studies.md").read_text("utf-8")
    keys = [field.alias or name for name, field in section.model_fields.items()]
    assert [key for key in keys if not re.search(rf"[`{{ ,]{key}[`,}}:]", page)] == []


# ------------------------------------------------------------------ seeds, mixtures, pairs


def test_seeds_make_several_runs_of_one_contestant(file: Path) -> None:
    changed(file, "    epochs: 2\n", "    lora: [{rank: 4}, {rank: 8}]\n    seeds: 3\n")
    study = load_study(file, overrides=["seed=5"])
    runs = study.runs()
    assert list(runs) == [f"tuned r={rank} seed {seed}" for rank in (4, 8) for seed in (5, 6, 7)]
    assert [(run.contestant, run.number, run.seed) for run in runs.values()][:4] == [
        ("tuned r=4", 0, 5),
        ("tuned r=4", 1, 6),
        ("tuned r=4", 2, 7),
        ("tuned r=8", 0, 5),
    ]
    answers = study.answers()
    assert list(answers) == ["base", "tuned r=4", "tuned r=8"]
    assert answers["tuned r=8"].models == tuple(f"tuned r=8 seed {seed}" for seed in (5, 6, 7))


def test_one_seed_is_a_run_like_any_other(file: Path) -> None:
    changed(file, "    epochs: 2\n", "    seeds: 1\n    seed: 9\n")
    (run,) = load_study(file).runs().values()
    assert (run.name, run.contestant, run.seed) == ("tuned", "tuned", 9)


@pytest.mark.parametrize("seeds", ["", "    seeds: 2\n"])
def test_the_runs_of_a_contestant_are_each_gone_on_with_once(file: Path, seeds: str) -> None:
    more = f"    seeds: 2\n  more:\n    model: tuned\n    seed: 7\n{seeds}"
    runs = load_study(changed(file, "    epochs: 2\n", more)).runs()
    assert {run.name: run.model for run in runs.values() if run.entry == "more"} == {
        "more seed 7": "tuned seed 1",
        "more seed 8": "tuned seed 2",
    }
    assert {run.contestant for run in runs.values()} == {"tuned", "more"}


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("broken", {"broken": None}),
        ("[broken, other]", {"broken": None, "other": None}),
        ("{broken: 3, other: 0.5}", {"broken": 3.0, "other": 0.5}),
    ],
)
def test_data_is_a_name_several_or_a_mixture(file: Path, said: str, means: object) -> None:
    changed(file, "models:\n", "  other: {source: inject}\nmodels:\n")
    changed(file, "    epochs: 2\n", f"    data: {said}\n")
    text = file.read_text().replace("{model: base}", "{model: base, data: other}")
    file.write_text(text.replace("{model: tuned}", "{model: tuned, data: other}"))
    (run,) = load_study(file).runs().values()
    assert run.data == means


FOUR_BITS = ("weights of 4 bits can't be trained themselves", "set lora")
NEAR_BASE = "did you mean 'base'?"
NEAR_SAMPLES = "did you mean 'samples'?"

PAIRED = WHOLE.replace(
    "answer:\n",
    "  better:\n    model: tuned\n    method: dpo\n    beta: 0.2\nanswer:\n",
).replace("train:\n", "pairs:\n  own:\n    from: broken\n    model: base\n    samples: 4\ntrain:\n")


def test_pairs_are_what_a_method_for_pairs_learns_from(file: Path, tmp_path: Path) -> None:
    file.write_text(PAIRED)
    study = load_study(file)
    own = study.pairs["own"]
    assert (own.examples, own.model, own.samples, own.temperature) == ("broken", "base", 4, 0.8)
    assert (own.chosen, own.rejected) == ("passes", "fails")
    better = study.runs()["better"]
    assert (better.model, better.data, better.settings.beta) == ("tuned", {"own": None}, 0.2)
    assert study.runs()["tuned"].data == {"broken": None}
    again = tmp_path / "again.yaml"
    again.write_text(study.dump(), "utf-8")
    assert load_study(again) == study


def test_a_run_comes_after_the_model_whose_samples_it_learns_from(file: Path) -> None:
    file.write_text(PAIRED.replace("    model: base\n    samples", "    model: last\n    samples"))
    changed(file, "train:\n", "train:\n  better: {model: base, method: dpo}\n")
    text = file.read_text().replace(
        "  better:\n    model: tuned\n    method: dpo\n    beta: 0.2\n", ""
    )
    file.write_text(text.replace("answer:\n", "  last: {model: tuned}\nanswer:\n"))
    assert list(load_study(file).runs()) == ["tuned", "last", "better"]


@pytest.mark.parametrize(
    ("old", "new", "line", "problem", "hint"),
    [
        (
            "method: dpo",
            "method: dop",
            20,
            "there is no method 'dop'",
            "did you mean 'dpo'?",
        ),
        (
            "method: dpo",
            "data: own",
            20,
            "sft learns from conversations, and 'own' holds pairs",
            "known: broken",
        ),
        ("    beta", "    quantise: nf4\n    lora: none\n    beta", 21, *FOUR_BITS),
        (
            "    beta",
            "    seed: [1, 2]\n    seeds: 2\n    beta",
            22,
            "seeds and a list for seed don't go together",
            "a list for seed makes contestants, seeds makes runs of one",
        ),
        (
            "    beta",
            "    keep: best\n    beta",
            21,
            "keep looks at held-out rows, and there are none",
            "set validation: 0.1",
        ),
        (
            "    beta",
            "    patience: 2\n    beta",
            21,
            "patience looks at held-out rows, and there are none",
            "set validation: 0.1",
        ),
        ("    beta", "    reference: bse\n    beta", 21, "there is no model 'bse'", NEAR_BASE),
        ("from: broken", "from: brokn", 11, "there is no data 'brokn'", "did you mean 'broken'?"),
        ("    from: broken\n", "", 10, "key 'from' is missing in 'pairs.own'", ""),
        (
            "    samples: 4",
            "    sample: 4",
            13,
            "unknown key 'sample' in 'pairs.own'",
            NEAR_SAMPLES,
        ),
        (
            "    samples: 4",
            "    fron: 4",
            13,
            "unknown key 'fron' in 'pairs.own'",
            "did you mean 'from'?",
        ),
        (
            "    samples: 4",
            "    rejected: own",
            13,
            "what passes can only be preferred to what fails",
            "set rejected: fails, or chosen: gold",
        ),
        ("  own:\n", "  broken:\n", 10, "'broken' names data already", "rename one"),
        (
            "    model: base\n    samples",
            "    model: better\n    samples",
            12,
            "training goes in a circle: own -> better -> own",
            "",
        ),
        (
            "    model: base\n    epochs: 2\n",
            "    model: base\n    seeds: 2\n    data: broken\n  more: {model: tuned, seeds: 3}\n",
            19,
            "3 runs can't go on from the 2 of 'tuned'",
            "leave seeds out: each is gone on with once",
        ),
        (
            "    model: base\n    samples: 4\ntrain:\n",
            "    model: m\n    samples: 4\ntrain:\n  m: {model: base, seeds: 2}\n",
            12,
            "'m' is 2 models",
            "name one that is trained once",
        ),
        (
            "    model: base\n    samples: 4\ntrain:\n",
            "    model: m\n    samples: 4\ntrain:\n  m: {model: base, leave_out: group}\n",
            12,
            "'m' is a model for each value of 'group'",
            "name one that is trained once",
        ),
    ],
)
def test_a_mistake_about_training_is_told_with_its_line(
    file: Path, old: str, new: str, line: int, problem: str, hint: str
) -> None:
    file.write_text(PAIRED)
    told = refused(changed(file, old, new))
    assert (told.problem, told.hint, told.where) == (problem, hint, f"{file}:{line}")


def test_rows_of_a_file_can_be_learnt_from_and_not_asked(file: Path) -> None:
    changed(file, "models:\n", "  chats: {source: conversations, path: chats.jsonl}\nmodels:\n")
    assert load_study(file, overrides=["train.tuned.data=chats"]).runs()["tuned"].data == {
        "chats": None
    }
    told = refused(file, "train.tuned.data=chats", "answer.base.data=chats")
    assert told.problem == "'chats' holds conversations, not examples of the task"
    assert (told.hint, told.where) == ("known: broken", "--set answer.base.data=chats")
    told = refused(file, "train.tuned.data=chats", "train.tuned.method=reward")
    assert told.problem == "reward learns from pairs, and 'chats' holds conversations"


# ------------------------------------------------------------------ overrides


def test_an_override_changes_a_value_where_it_stands(file: Path) -> None:
    study = load_study(
        file,
        overrides=["train.tuned.epochs=5", "seed=3", "train.tuned.lora.rank=4", "seed=4"],
    )
    assert study.train["tuned"].epochs == 5
    assert study.seed == 4
    assert study.train["tuned"].lora == Lora(rank=4)


def test_an_override_may_hold_a_list_a_number_with_an_exponent_and_an_equals_sign(
    file: Path,
) -> None:
    study = load_study(
        file, overrides=["train.tuned.learning_rate=[1e-3, 2e-3]", "about=a=b", "limit=1"]
    )
    assert study.train["tuned"].learning_rate == [1e-3, 2e-3]
    assert study.about == "a=b"


@pytest.mark.parametrize(
    ("override", "problem", "hint"),
    [
        ("limit", "an override is key=value", "as in train.tuned.epochs=2"),
        ("=3", "an override is key=value", "as in train.tuned.epochs=2"),
        ("limit=[", "the value is not YAML", ""),
        ("study.name=x", "'study' holds no keys", ""),
        ("train.tuned.epoch=1", "unknown key 'epoch' in 'train.tuned'", "did you mean 'epochs'?"),
        ("answer.tuned.model=tune", "there is no model 'tune'", "did you mean 'tuned'?"),
    ],
)
def test_a_wrong_override_is_told_as_it_was_typed(
    file: Path, override: str, problem: str, hint: str
) -> None:
    told = refused(file, override)
    assert (told.where, told.problem, told.hint) == (f"--set {override}", problem, hint)


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("old", "new", "line", "problem", "hint"),
    [
        ("task:", "tasks:", 2, "unknown key 'tasks'", "did you mean 'task'?"),
        (
            "    count: 50",
            "    counts: 50",
            6,
            "unknown key 'counts' in 'data.broken'",
            "did you mean 'count'?",
        ),
        (
            "    epochs: 2",
            "    lora: {rnk: 4}",
            12,
            "unknown key 'rnk' in 'train.tuned.lora'",
            "did you mean 'rank'?",
        ),
        (
            "    epochs: 2",
            "    lora:\n      - rank: 4\n      - rnk: 4",
            14,
            "unknown key 'rnk' in 'train.tuned.lora.1'",
            "did you mean 'rank'?",
        ),
        (
            "{model: tuned}",
            "{model: tuned, shot: 2}",
            15,
            "unknown key 'shot' in 'answer.tuned'",
            "did you mean 'shots'?",
        ),
        (
            "    against: [base]",
            "    againts: [base]",
            19,
            "unknown key 'againts' in 'compare.repair'",
            "did you mean 'against'?",
        ),
        (
            "model: tuned}",
            "model: tunes}",
            15,
            "there is no model 'tunes'",
            "did you mean 'tuned'?",
        ),
        (
            "    model: base\n",
            "    model: bse\n",
            11,
            "there is no model 'bse'",
            "did you mean 'base'?",
        ),
        (
            "{model: tuned}",
            "{model: tuned, data: brokn}",
            15,
            "there is no data 'brokn'",
            "did you mean 'broken'?",
        ),
        ("[tuned, base]", "[tuned, bas]", 18, "there is no answer 'bas'", "did you mean 'base'?"),
        (
            "answers: [tuned, base]",
            "answers:\n    - tuned\n    - xyz",
            20,
            "there is no answer 'xyz'",
            "known: base, tuned",
        ),
        (
            "answers: [tuned, base]",
            "answers: [tuned]",
            19,
            "there is no answer 'base'",
            "known: tuned",
        ),
        (
            "  tuned:\n    model",
            "  base:\n    model",
            10,
            "'base' names a model already",
            "rename one",
        ),
        (
            "    model: base\n",
            "    model: tuned\n",
            11,
            "training goes in a circle: tuned -> tuned",
            "",
        ),
        (
            "source: inject",
            "source: injection",
            5,
            "unknown source 'injection'",
            "did you mean 'inject'?",
        ),
        (
            "    source: inject\n",
            "",
            4,
            "'data.broken' needs a 'source'",
            "known: commits, conversations, folder, inject, instructions, pairs, programs, pulls, "
            "reviews, rows",
        ),
        (
            "    epochs: 2",
            "    epochs: [1, 2, 1]",
            10,
            "two training runs are named 'tuned epochs 1'",
            "give each value of a list once, and other names",
        ),
        (
            "answers: [tuned, base]",
            "answers: [tuned, base, tuned]",
            18,
            "'tuned' is there twice",
            "name it once",
        ),
        (
            "    against: [base]",
            "    against: [base]\n    floors: [unchanged, unchanged]",
            20,
            "'unchanged' is there twice",
            "name it once",
        ),
        ("models:", "seed: 2\nseed: 3\nmodels:", 8, "'seed' is there twice", "rename one"),
        (
            "  base: embedded/seedling",
            "  base: embedded/seedling\n  base: hf/x/y",
            9,
            "'base' is there twice",
            "rename one",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_to_do(
    file: Path, old: str, new: str, line: int, problem: str, hint: str
) -> None:
    told = refused(changed(file, old, new))
    assert told.where == f"{file}:{line}"
    assert told.problem == problem
    assert told.hint == hint


def test_two_answers_of_one_name_are_refused(file: Path) -> None:
    changed(file, "    epochs: 2\n", "    seed: [1, 2]\n")
    changed(
        file,
        "  tuned: {model: tuned}\n",
        "  tuned: {model: tuned}\n  tuned seed 2: {model: base}\n",
    )
    told = refused(file)
    assert (told.problem, told.hint) == ("two answers are named 'tuned seed 2'", "rename one")
    assert told.where == f"{file}:15"


def test_where_something_stands_is_no_part_of_a_study(file: Path, tmp_path: Path) -> None:
    study = load_study(file)
    assert study.where("models", "base") == f"{file}:8"
    again = tmp_path / "again.yaml"
    again.write_text("# a comment\n" + file.read_text())
    assert load_study(again) == study
    assert load_study(again).where("models", "base") == f"{again}:9"
    assert type(study).model_validate(study.model_dump()).where("models", "base") == ""


def test_a_circle_of_several_is_told_as_it_runs(file: Path) -> None:
    changed(
        file,
        "    model: base\n    epochs: 2\n",
        "    model: two\n  two: {model: three}\n  three: {model: two}\n",
    )
    told = refused(file)
    assert told.problem == "training goes in a circle: two -> three -> two"
    assert told.where == f"{file}:12"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("count: 50", "count: many", 6, "valid integer"),
        ("count: 50", "count: 0", 6, "greater than or equal to 1"),
        ("epochs: 2", "seed: []", 12, "train.tuned.seed"),
        ("epochs: 2", "seeds: 0", 12, "greater than or equal to 1"),
        ("epochs: 2", "validation: 1", 12, "less than 1"),
        ("epochs: 2", "data: {broken: 0}", 12, "greater than 0"),
        ("epochs: 2", "data: []", 12, "train.tuned.data"),
        ("epochs: 2", "learning_rate: fast", 12, "learning_rate"),
        ("epochs: 2", "precision: int8", 12, "'auto', 'bfloat16', 'float32' or 'float16'"),
        ("study: small", "study: a/b", 1, "study"),
        ("study: small", "study: ..", 1, "study"),
        ("study: small", "study: .stages", 1, "study"),
        ("study: small", "study: ''", 1, "study"),
        ("study: small", "study: [a]", 1, "valid string"),
        ("  base: embedded/seedling", "  base: [a]", 8, "models.base"),
        ("models:\n  base: embedded/seedling\n", "models: {}\n", 7, "models"),
        ("{model: tuned}", "tuned", 15, "answer.tuned"),
        ("{model: tuned}", "{model: tuned, top_p: 1.5}", 15, "less than or equal to 1"),
        ("[tuned, base]", "[]", 18, "compare.repair.answers"),
        ("[tuned, base]", "tuned", 18, "valid list"),
    ],
)
def test_a_value_of_the_wrong_form_is_told_with_its_line(
    file: Path, old: str, new: str, line: int, says: str
) -> None:
    told = refused(changed(file, old, new))
    assert told.where == f"{file}:{line}"
    assert says in told.problem
    assert "\n" not in str(told)


@pytest.mark.parametrize("key", ["study", "task", "data", "models", "answer"])
def test_a_key_that_is_missing_is_named(tmp_path: Path, key: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in yaml.safe_load(WHOLE).items() if k != key}))
    told = refused(path)
    assert (told.problem, told.where) == (f"key {key!r} is missing", f"{path}:1")


def test_a_key_that_is_missing_inside_is_told_where_it_should_be(file: Path) -> None:
    told = refused(changed(file, "    model: base\n", ""))
    assert (told.problem, told.where) == ("key 'model' is missing in 'train.tuned'", f"{file}:10")


def test_with_two_data_entries_each_user_says_which(file: Path) -> None:
    changed(file, "models:\n", "  other: {source: inject}\nmodels:\n")
    told = refused(file)
    assert told.problem == "'tuned' must say which data it uses"
    assert (told.hint, told.where) == ("one of: broken, other", f"{file}:11")


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "a study is a mapping of keys to values"),
        ("# nothing\n", 1, "a study is a mapping of keys to values"),
        ("- a\n- b\n", 1, "a study is a mapping of keys to values"),
        ("just words\n", 1, "a study is a mapping of keys to values"),
        ("study: a\n  task: b\n", 2, "this is not YAML: mapping values are not allowed"),
        ("study: {a\n", 2, "this is not YAML"),
        ("study: *nobody\n", 1, "this is not YAML: found undefined alias"),
        ("study: !!python/object:os.system x\n", 1, "could not determine a constructor"),
        ("study: a\n---\nstudy: b\n", 2, "this is not YAML"),
        ("study: a\n? [1, 2]\n: b\n", 2, "a key is a word"),
        ("study: a\nabout: 2026-13-01\n", 2, "this is no plain value: month must be in 1..12"),
    ],
)
def test_what_is_no_study_at_all_is_told(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text)
    told = refused(path)
    assert told.where == f"{path}:{line}"
    assert says in told.problem
    assert "\n" not in str(told)


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    told = refused(tmp_path / "none.yaml")
    assert (told.problem, told.where) == (
        "there is no such study file",
        str(tmp_path / "none.yaml"),
    )
    (tmp_path / "bytes.yaml").write_bytes(b"study: \xff\xfe")
    assert "can't be read" in refused(tmp_path / "bytes.yaml").problem
    (tmp_path / "nul.yaml").write_bytes(b"study: \x00")
    assert "this is not YAML" in refused(tmp_path / "nul.yaml").problem
    assert "can't be read" in refused(tmp_path).problem


def test_what_contains_itself_is_told(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("study: &a [*a]\n")
    assert refused(tmp_path / "study.yaml").problem == "it is nested without end"


# ------------------------------------------------------------------ YAML as people mean it


def test_what_is_merged_may_be_said_again_and_keeps_its_line(tmp_path: Path) -> None:
    path = tmp_path / "file.yaml"
    path.write_text("one: &one\n  a: 1\n  b: 2\ntwo:\n  <<: *one\n  b: 3\n")
    file = YamlFile.read(path)
    assert file.data == {"one": {"a": 1, "b": 2}, "two": {"a": 1, "b": 3}}
    assert file.where(("two", "a")) == f"{path}:2"
    assert file.where(("two", "b")) == f"{path}:6"
    assert file.where(("two", "b", "deeper", 3)) == f"{path}:6"
    assert file.where(("nowhere",)) == f"{path}:1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-3", 2e-3),
        ("1E5", 1e5),
        ("-1.5e3", -1.5e3),
        ("1.e2", 100.0),
        ("e3", "e3"),
        ("2e", "2e"),
        ("0x1e3", 0x1E3),
        ("true", True),
        ("~", None),
        ("12", 12),
        ("'2'", "2"),
    ],
)
def test_numbers_are_what_everyone_means(tmp_path: Path, text: str, value: Any) -> None:
    path = tmp_path / "file.yaml"
    path.write_text(f"a: {text}\n")
    read = YamlFile.read(path).data["a"]
    assert read == value
    assert type(read) is type(value)


def test_only_texts_can_be_numbers_in_disguise() -> None:
    assert number("2e-3") == 0.002
    assert number(True) is True
    assert number(["2e-3"]) == ["2e-3"]


scalars = (
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=20)
)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abcxyz", min_size=1), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.dictionaries(st.text("abcxyz", min_size=1), trees, min_size=1, max_size=4))
def test_a_file_is_read_as_yaml_reads_it(
    tmp_path_factory: pytest.TempPathFactory, tree: Any
) -> None:
    path = tmp_path_factory.mktemp("yaml") / "file.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), "utf-8", newline="")
    expected = _numbers(yaml.safe_load(path.read_text("utf-8")))
    assert YamlFile.read(path).data == expected


def _numbers(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _numbers(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_numbers(value) for value in tree]
    return number(tree)


def test_a_study_is_frozen(file: Path) -> None:
    study: Study = load_study(file)
    with pytest.raises(ValueError, match="frozen"):
        study.seed = 2  # type: ignore[misc]


# ------------------------------------------------------------------ tasks, cards, judges

JUDGED = """
judges:
  first: {model: base, way: choice}
  rater: {model: tuned, way: reward}
"""


def judged(file: Path, table: str = "    judges: [first]\n    judge_against: base\n") -> Path:
    file.write_text(file.read_text().rstrip("\n") + "\n" + table + JUDGED)
    return file


def test_a_study_has_one_task_or_several(file: Path) -> None:
    assert load_study(file).tasks == ["repair"]
    assert load_study(file, overrides=["task=[repair, prefer]"]).tasks == ["repair", "prefer"]
    assert "a task is there twice" in str(refused(file, "task=[repair, repair]"))


def test_what_is_known_of_a_model_stands_beside_its_name(file: Path) -> None:
    changed(
        file,
        "  base: embedded/seedling\n",
        "  base: {model: embedded/seedling, size: 0.004, kind: base, about: code}\n",
    )
    study = load_study(file)
    assert study.model("base") == Model(
        model="embedded/seedling", size=0.004, kind="base", about="code"
    )
    assert refused(file, "models.base.sise=3").hint == "did you mean 'size'?"


def test_a_plain_name_is_a_model_of_which_nothing_is_known(file: Path) -> None:
    assert load_study(file).model("base") == Model(model="embedded/seedling")


def test_a_table_names_its_judges_and_against_whom_they_judge(file: Path) -> None:
    study = load_study(judged(file))
    assert study.compare["repair"].judges == ["first"]
    assert (study.judges["first"].way, study.judges["first"].temperature) == ("choice", 0.0)
    assert study.compare["repair"].ties == "half"


def test_a_study_with_judges_is_written_down_whole(file: Path, tmp_path: Path) -> None:
    study = load_study(judged(file), overrides=["answer.base.temperature=provider"])
    (tmp_path / "again.yaml").write_text(study.dump(), "utf-8")
    assert load_study(tmp_path / "again.yaml") == study


@pytest.mark.parametrize(
    ("table", "overrides", "told"),
    [
        ("    judges: [frist]\n    judge_against: base\n", [], "no judge 'frist'"),
        ("    judges: [first, first]\n    judge_against: base\n", [], "'first' is there twice"),
        ("    judges: [first]\n", [], "set judge_against"),
        ("    judges: [first]\n    judge_against: tunde\n", [], "no answer 'tunde'"),
        (None, ["judges.first.model=nobody"], "no model 'nobody'"),
        (None, ["judges.first.scores=true"], "a judge by choice writes nothing: it has no scores"),
        (None, ["judges.rater.repeats=0.5"], "a judge by reward writes nothing"),
        (None, ["train.tuned.seeds=2"], "'tuned' is 2 models"),
        (None, ["compare.repair.ties=won"], "compare.repair.ties"),
    ],
)
def test_mistakes_about_judges_are_told(
    file: Path, table: str | None, overrides: list[str], told: str
) -> None:
    judged(file, table) if table else judged(file)
    assert told in str(refused(file, *overrides))


def test_judging_against_several_contestants_is_refused(file: Path) -> None:
    judged(file, "    judges: [first]\n    judge_against: tuned\n")
    told = refused(file, "train.tuned.epochs=[1, 2]", "judges.rater.model=base")
    assert "'tuned' is several contestants" in str(told)


def test_slices_may_be_several_fields(file: Path) -> None:
    assert load_study(file).compare["repair"].fields == []
    one = load_study(file, overrides=["compare.repair.slices=source"])
    assert one.compare["repair"].fields == ["source"]
    two = load_study(file, overrides=["compare.repair.slices=[source, given.size]"])
    assert two.compare["repair"].fields == ["source", "given.size"]
