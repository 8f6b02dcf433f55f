"""The real tools where something that they stand on isn't there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from outdo.cli.tools import _settings, stored_only, tools_for
from outdo.errors import SandboxError, StoreError
from outdo.study import Run, load_study
from outdo.training.settings import Settings

STUDY = """
study: small
task: repair
data: {broken: {source: inject}}
models: {base: embedded/seedling}
train: {tuned: {model: base}}
answer: {tuned: {model: tuned}}
"""


def run_of(folder: Path, *overrides: str) -> Run:
    path = folder / "study.yaml"
    path.write_text(STUDY)
    (run,) = load_study(path, overrides=overrides).runs().values()
    return run


def test_a_study_and_the_trainer_have_the_same_defaults(tmp_path: Path) -> None:
    told = tools_for(tmp_path, tier="auto", task="repair").settings(run_of(tmp_path))
    alone = {**Settings().what, "epochs": 1, "seed": 1}
    assert told == {**alone, "lora": {**alone["lora"], "alpha": 32.0}}


def test_every_key_of_a_study_reaches_the_trainer(tmp_path: Path) -> None:
    said = {
        "method": "ipo",
        "beta": 0.3,
        "quantise": "nf4",
        "epochs": 3,
        "learning_rate": 0.5,
        "schedule": "linear",
        "warmup": 0.5,
        "weight_decay": 0.25,
        "betas": [0.5, 0.75],
        "clip": 2.0,
        "rows_per_step": 5,
        "share_context": False,
        "max_length": 99,
        "longer": "refuse",
        "seed": 9,
        "precision": "float32",
        "evaluate_every": 7,
        "patience": 4,
        "keep": "best",
    }
    lora = {"rank": 2, "alpha": 3.0, "dropout": 0.5, "targets": ["q_proj"], "dora": True}
    overrides = [f"train.tuned.{key}={value}" for key, value in said.items()]
    run = run_of(tmp_path, *overrides, f"train.tuned.lora={lora}", "train.tuned.validation=0.1")
    told = tools_for(tmp_path, tier="auto", task="repair").settings(run)
    assert told == {**Settings().what, **said, "lora": lora}
    assert set(told) - set(said) == {"lora", "steps", "max_tokens_seen", "version"}


def test_how_a_run_goes_reaches_the_trainer_and_names_nothing(tmp_path: Path) -> None:
    run = run_of(tmp_path, "train.tuned.checkpointing=true", "train.tuned.log_to=[wandb]")
    how = _settings(run).how
    assert how.checkpointing and how.log_to == ("wandb",)
    settings = tools_for(tmp_path, tier="auto", task="repair").settings
    assert settings(run) == settings(run_of(tmp_path))


def test_what_names_a_reference_is_what_decides_its_log_probabilities(tmp_path: Path) -> None:
    tools = tools_for(tmp_path, tier="auto", task="repair")
    named = [
        tools.reference_settings(run_of(tmp_path, f"train.tuned.{change}"))
        for change in ("method=dpo", "method=ipo", "learning_rate=1", "beta=2", "epochs=9")
    ]
    assert all(one == named[0] for one in named)
    others = [
        tools.reference_settings(run_of(tmp_path, f"train.tuned.{change}"))
        for change in ("max_length=99", "precision=float32", "lora=none", "quantise=nf4")
    ]
    assert all(one != named[0] for one in others)


def test_a_report_needs_no_sandbox(tmp_path: Path) -> None:
    def refused() -> dict[str, str]:
        raise SandboxError("no Landlock")

    real = replace(tools_for(tmp_path, tier="auto", task="repair"), environment=refused)
    tools = stored_only(real, command="outdo run study.yaml")
    assert tools.environment()["sandbox"] == "none can be had here"
    with pytest.raises(StoreError, match="isn't finished"):
        tools.engine(None, None)  # type: ignore[arg-type]
