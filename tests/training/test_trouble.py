"""What stops a run says what it was, in which rows, and what mends it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import tiny
from outdo.errors import TrainingError
from outdo.models.forest import Batch
from outdo.models.reference import ModelReference, resolve
from outdo.training import StepReport, train
from outdo.training.sft import Sft
from runs import ROWS, SETTINGS


@pytest.fixture(scope="module")
def base(llama_folder: Path) -> ModelReference:
    return resolve(str(llama_folder), runs=llama_folder)


class Failing(Sft):
    """Learns like the plain method until it is told to fail."""

    fails = False

    def loss(self, model: Any, batch: Batch) -> tuple[Tensor, float]:
        total, weight = super().loss(model, batch)
        return (self.fail(total) if Failing.fails else total), weight

    def fail(self, total: Tensor) -> Tensor:
        raise NotImplementedError


class NotANumber(Failing):
    def fail(self, total: Tensor) -> Tensor:
        return total * float("nan")


class TooSteep(Failing):
    def fail(self, total: Tensor) -> Tensor:
        return total.sub(total.detach()).abs().sqrt()  # 0, with an infinite gradient


class FullDevice(Failing):
    def fail(self, total: Tensor) -> Tensor:
        del total
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class FullMachine(Failing):
    def fail(self, total: Tensor) -> Tensor:
        return total + torch.empty(2**60, dtype=torch.uint8).sum()


class Defect(Failing):
    def fail(self, total: Tensor) -> Tensor:
        del total
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")


def stopped(
    base: ModelReference,
    folder: Path,
    how: type[Failing],
    patch: pytest.MonkeyPatch,
    *,
    after: int = 2,
    **changes: Any,
) -> str:
    """What is said of a run that fails after some steps, at once if after none."""

    def on_step(report: StepReport) -> None:
        patch.setattr(Failing, "fails", report.step >= after)

    patch.setattr(Failing, "fails", after == 0)
    settings = replace(SETTINGS, method=f"test_trouble:{how.__name__}", **changes)
    with pytest.raises(TrainingError) as caught:
        train(base, ROWS, settings=settings, folder=folder, on_step=on_step)
    assert not (folder / "training.json").exists()
    return str(caught.value)


@pytest.mark.parametrize(
    ("how", "what"), [(NotANumber, "the loss"), (TooSteep, "the gradient")], ids=str
)
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_rows(
    base: ModelReference,
    tmp_path: Path,
    how: type[Failing],
    what: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = stopped(base, tmp_path, how, monkeypatch)
    assert said.startswith(f"{what} at step 3 is not a number (lower learning_rate")
    kept = json.loads((tmp_path / "not_finite.json").read_text())
    assert (kept["step"], kept["what"]) == (3, what) and str(tmp_path) in said
    texts = {row.id: row.messages for row in ROWS}
    assert len(kept["rows"]) == SETTINGS.rows_per_step
    for row in kept["rows"]:
        (path,) = row["paths"]
        asked, answer = texts[row["row"]]
        assert asked.content in path["text"] and path["text"].endswith(f"{answer.content}<|end|>")
        assert len(path["ids"]) == len(path["learnt"]) and any(path["learnt"])
        assert path["ids"] == tiny.tokenizer()(path["text"], add_special_tokens=False)["input_ids"]


def test_a_rate_that_is_far_too_high_stops_the_run(base: ModelReference, tmp_path: Path) -> None:
    settings = replace(SETTINGS, learning_rate=1e30, clip=0.0, warmup=0.0, schedule="constant")
    with pytest.raises(TrainingError, match="is not a number"):
        train(base, ROWS, settings=settings, folder=tmp_path)


@pytest.mark.parametrize("how", [FullDevice, FullMachine])
def test_memory_that_runs_out_is_told_with_the_batch_and_what_would_fit(
    base: ModelReference, tmp_path: Path, how: type[Failing], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = stopped(base, tmp_path, how, monkeypatch)
    assert "memory ran out at step 3, in a batch of" in said
    assert "(row-" in said and "; the largest so far that fitted had" in said
    assert "lower tokens_per_batch to " in said


def test_memory_that_runs_out_before_the_first_step_is_told_alike(
    base: ModelReference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = stopped(base, tmp_path, FullDevice, monkeypatch, after=0)
    assert "memory ran out at step 1, in a batch of" in said and "fitted had" not in said


def test_a_single_row_that_does_not_fit_must_become_shorter(
    base: ModelReference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = stopped(base, tmp_path, FullDevice, monkeypatch, rows_per_step=1)
    assert "lower max_length (the longest row has" in said


def test_a_defect_keeps_its_traceback(
    base: ModelReference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "fails", True)
    settings = replace(SETTINGS, method="test_trouble:Defect")
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train(base, ROWS, settings=settings, folder=tmp_path)
