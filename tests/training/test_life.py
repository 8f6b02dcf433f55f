"""The life of a run: cut off and gone on with, looked at, stopped, split into batches."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import plain
from outdo.errors import TrainingError
from outdo.models.reference import ModelReference, resolve
from outdo.training import Lora, StepReport, checkpoint, train
from runs import ROWS, SETTINGS, curve, equal, weights

STEADY = replace(SETTINGS, schedule="constant", warmup=0.0)
"""A rate that doesn't know how long the run is: a shorter run is the beginning of a longer one."""


@pytest.fixture(scope="module")
def base(llama_folder: Path) -> ModelReference:
    return resolve(str(llama_folder), runs=llama_folder)


class Cut(Exception):
    """Stands for whatever ends a process."""


def cut_at(*steps: int) -> Callable[[StepReport], None]:
    def cut(report: StepReport) -> None:
        if report.step in steps:
            raise Cut

    return cut


def ups_and_downs() -> Callable[[Any], float]:
    """A score of the model that rises, and falls once its weights have moved by 1e-2."""

    def score(model: Any) -> float:
        moved = [w for name, w in model.named_parameters() if "lora_B" in name]
        return -abs(float(torch.cat([w.flatten() for w in moved]).abs().mean()) - 1e-2)

    return score


# ------------------------------------------------------------------ cut off and gone on with


@pytest.mark.parametrize("method", plain.METHODS)
def test_every_method_goes_on_as_if_it_had_not_been_cut(
    base: ModelReference, tmp_path: Path, method: str
) -> None:
    rows = plain.rows(method, 9)
    settings = replace(
        SETTINGS,
        method=method,
        rows_per_step=3,
        lora=Lora(rank=2, dropout=0.1),
        keep="best",
        evaluate_every=2,
        how=replace(SETTINGS.how, tokens_per_batch=200),
    )
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    one = train(base, rows, settings=settings, folder=whole, validation=rows[:3])
    with pytest.raises(Cut):
        train(base, rows, settings=settings, folder=torn, validation=rows[:3], on_step=cut_at(4))
    torch.manual_seed(99)
    two = train(base, rows, settings=settings, folder=torn, validation=rows[:3])
    assert two.resumes == 1 and one.resumes == 0
    assert equal(*(weights(f, "adapter_model.safetensors") for f in (whole, torn)))
    assert curve(torn) == curve(whole)
    assert two.validation == one.validation and two.best_step == one.best_step


@pytest.mark.parametrize("seconds", [0.0, 1e9])
@pytest.mark.parametrize("step", range(1, 7))
def test_looks_and_patience_survive_a_cut_at_any_step(
    base: ModelReference, tmp_path: Path, step: int, seconds: float
) -> None:
    settings = replace(
        STEADY,
        steps=12,
        epochs=None,
        keep="best",
        evaluate_every=1,
        patience=3,
        how=replace(SETTINGS.how, checkpoint_seconds=seconds),
    )

    def made(folder: Path, on_step: Callable[[StepReport], None] | None = None) -> Any:
        return train(
            base, ROWS[:4], settings=settings, folder=folder, score=ups_and_downs(), on_step=on_step
        )

    one = made(tmp_path / "whole")
    assert one.best_step is not None and one.best_step + 3 == one.steps < 12
    with pytest.raises(Cut):
        made(tmp_path / "torn", cut_at(step))
    two = made(tmp_path / "torn")
    assert (two.steps, two.best_step, two.validation) == (one.steps, one.best_step, one.validation)
    assert curve(tmp_path / "torn") == curve(tmp_path / "whole")
    assert equal(weights(tmp_path / "torn"), weights(tmp_path / "whole"))


@pytest.mark.parametrize("where", ["save_weights", "save"])
def test_a_run_that_dies_between_its_best_weights_and_its_checkpoint_loses_neither(
    base: ModelReference, tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(STEADY, steps=6, epochs=None, keep="best", evaluate_every=1, patience=3)

    def made(folder: Path) -> Any:
        return train(base, ROWS[:4], settings=settings, folder=folder, score=ups_and_downs())

    one = made(tmp_path / "whole")
    written = getattr(checkpoint, where)
    calls = []

    def dies(*given: Any, **named: Any) -> None:
        calls.append(where)
        if len(calls) == 3 and where == "save":
            raise Cut  # the best weights of this step lie there, the checkpoint is of the last
        written(*given, **named)
        if len(calls) == 3:
            raise Cut

    with monkeypatch.context() as patched, pytest.raises(Cut):
        patched.setattr(checkpoint, where, dies)
        made(tmp_path / "torn")
    two = made(tmp_path / "torn")
    assert two.resumes == 1 and two.best_step == one.best_step
    assert equal(weights(tmp_path / "torn"), weights(tmp_path / "whole"))


def test_best_weights_that_are_torn_are_refused_by_name(
    base: ModelReference, tmp_path: Path
) -> None:
    settings = replace(STEADY, steps=8, epochs=None, keep="best", evaluate_every=1)

    def tear(report: StepReport) -> None:
        if report.step == 8:
            (kept,) = (tmp_path / "checkpoint").glob("best-*.safetensors")
            kept.write_bytes(kept.read_bytes()[:-7])

    with pytest.raises(TrainingError, match="the checkpoint can't be read") as caught:
        train(
            base,
            ROWS[:4],
            settings=settings,
            folder=tmp_path,
            score=ups_and_downs(),
            on_step=tear,
        )
    assert "best-" in caught.value.where


def test_a_checkpoint_remembers_what_it_was_looking_at(
    base: ModelReference, tmp_path: Path
) -> None:
    with pytest.raises(Cut):
        train(
            base,
            ROWS,
            settings=SETTINGS,
            folder=tmp_path,
            validation=ROWS[:3],
            on_step=cut_at(3),
        )
    with pytest.raises(TrainingError, match="another run: validation was"):
        train(base, ROWS, settings=SETTINGS, folder=tmp_path, validation=ROWS[:2])


# ------------------------------------------------------------------ what is best


def test_the_best_weights_are_those_of_the_lowest_loss_on_held_out_rows(
    base: ModelReference, tmp_path: Path
) -> None:
    settings = replace(STEADY, learning_rate=3e-2, steps=10, epochs=None, evaluate_every=1)
    best = train(
        base,
        ROWS[:4],
        settings=replace(settings, keep="best"),
        folder=tmp_path / "best",
        validation=ROWS[8:],
    )
    losses = [look["loss"] for look in best.validation]
    assert best.best_step == losses.index(min(losses)) + 1 < 10
    shorter = replace(settings, steps=best.best_step, evaluate_every=None)
    train(base, ROWS[:4], settings=shorter, folder=tmp_path / "to")
    assert equal(weights(tmp_path / "best"), weights(tmp_path / "to"))
    last = train(base, ROWS[:4], settings=settings, folder=tmp_path / "l", validation=ROWS[8:])
    assert last.best_step is None and last.validation == best.validation
    assert not equal(weights(tmp_path / "l"), weights(tmp_path / "best"))


def test_a_score_that_is_handed_in_decides_over_the_loss(
    base: ModelReference, tmp_path: Path
) -> None:
    settings = replace(STEADY, steps=5, epochs=None, evaluate_every=1, keep="best")
    scores = iter([0.1, math.nan, 0.7, 0.2, 0.7])
    report = train(
        base,
        ROWS[:4],
        settings=settings,
        folder=tmp_path,
        validation=ROWS[8:],
        score=lambda _: next(scores),
    )
    assert report.best_step == 3
    assert [set(look) for look in report.validation] == [{"step", "epoch", "loss", "score"}] * 5
    assert [look["score"] for look in report.validation] == [0.1, None, 0.7, 0.2, 0.7]


def test_a_run_stops_when_its_patience_is_spent(base: ModelReference, tmp_path: Path) -> None:
    settings = replace(STEADY, steps=50, epochs=None, evaluate_every=2, patience=2)
    scores = iter([0.1, 0.5, 0.4, 0.5, 0.9])
    report = train(base, ROWS[:4], settings=settings, folder=tmp_path, score=lambda _: next(scores))
    assert report.steps == 8 and len(curve(tmp_path)) == 8
    assert [look["step"] for look in report.validation] == [2, 4, 6, 8]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("keep: best", {"keep": "best"}),
        ("patience", {"patience": 2}),
        ("evaluate_every", {"evaluate_every": 5}),
    ],
)
def test_nothing_is_chosen_by_looks_at_nothing(
    base: ModelReference, tmp_path: Path, name: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(TrainingError, match=f"{name} is set, but no row is held out"):
        train(base, ROWS, settings=replace(SETTINGS, **changes), folder=tmp_path)


# ------------------------------------------------------------------ how it is carried out


def moments(folder: Path) -> torch.Tensor:
    """The optimiser's means of gradients: after one step, a share of the gradient itself."""
    stored = weights(folder / "checkpoint", "state.safetensors")
    return torch.cat([v.flatten() for name, v in stored.items() if name.startswith("exp_avg/")])


@pytest.mark.parametrize("method", plain.METHODS)
def test_accumulated_batches_and_anew_computed_activations_make_the_same_step(
    base: ModelReference, tmp_path: Path, method: str
) -> None:
    settings = replace(STEADY, method=method, lora=None, steps=1, epochs=None, rows_per_step=6)
    ways = {
        "one": SETTINGS.how,
        "small": replace(SETTINGS.how, tokens_per_batch=64),
        "anew": replace(SETTINGS.how, checkpointing=True),
    }
    for name, how in ways.items():
        one = replace(settings, how=how)
        train(base, plain.rows(method, 6), settings=one, folder=tmp_path / name)
    whole, losses = moments(tmp_path / "one"), [curve(tmp_path / name)[0]["loss"] for name in ways]
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-6)
    for name in ("small", "anew"):
        assert float((moments(tmp_path / name) - whole).norm()) < 1e-5 * float(whole.norm()), name


def test_a_gradient_is_clipped_by_its_norm(base: ModelReference, tmp_path: Path) -> None:
    settings = replace(STEADY, steps=1, epochs=None)
    for clip in (0.0, 1e-3, 1e9):
        train(base, ROWS, settings=replace(settings, clip=clip), folder=tmp_path / str(clip))
    free, clipped, above = (moments(tmp_path / str(clip)) for clip in (0.0, 1e-3, 1e9))
    share = 1 - settings.betas[0]
    assert float(clipped.norm()) == pytest.approx(share * 1e-3, rel=1e-4)
    assert torch.equal(free, above) and float(free.norm()) > share * 1e-3
    assert torch.nn.functional.cosine_similarity(free, clipped, dim=0) == pytest.approx(1)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_the_curve_shows_the_rate_rise_and_fall(
    base: ModelReference, tmp_path: Path, schedule: Any
) -> None:
    settings = replace(SETTINGS, schedule=schedule, warmup=0.25, steps=8, epochs=None)
    train(base, ROWS, settings=settings, folder=tmp_path)
    rates = [line["learning_rate"] / settings.learning_rate for line in curve(tmp_path)]
    assert rates[:3] == pytest.approx([0.5, 1.0, 1.0])
    if schedule == "constant":
        assert rates[2:] == [1.0] * 6
    else:
        assert rates[2:] == sorted(rates[2:], reverse=True) and 0 < rates[-1] < 0.2


def test_a_resumed_run_has_the_memory_of_its_worst_part(
    base: ModelReference, tmp_path: Path
) -> None:
    with pytest.raises(Cut):
        train(base, ROWS, settings=SETTINGS, folder=tmp_path, on_step=cut_at(3))
    report = train(base, ROWS, settings=SETTINGS, folder=tmp_path)
    stored = json.loads((tmp_path / "training.json").read_text())
    assert stored["peak_bytes"] == report.peak_bytes >= report.baseline_bytes
    assert report.estimated_bytes > 0
