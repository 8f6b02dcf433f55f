"""Each step of a run told to TensorBoard or Weights & Biases, where these are installed."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from outdo.catalog import suggestion
from outdo.errors import MissingExtra, TrainingError
from outdo.training.report import StepReport

Told = Callable[[StepReport], None]

TOLD = ("epoch", "loss", "learning_rate", "seconds", "tokens", "tokens_per_second")
"""What of a step is told, each as a series of its own."""


@contextlib.contextmanager
def open_logs(names: Sequence[str], folder: Path, run_name: str) -> Iterator[Told]:
    """A block with an observer that tells each step to all of `names`; closed with the block.

    "tensorboard" writes event files to `folder/tensorboard`. "wandb" writes to `folder/wandb` a run
    `run_name` of the project "outdo" (or `WANDB_PROJECT`), which stays on this machine unless
    `WANDB_API_KEY` is set or `WANDB_MODE` says otherwise. Raises TrainingError if a name isn't
    known, MissingExtra if what it needs isn't installed.
    """
    for name in names:
        if name not in _LOGS:
            raise TrainingError(f"log_to knows no {name!r}", suggestion(name, _LOGS))
    with contextlib.ExitStack() as open_ones:
        observers = [open_ones.enter_context(_LOGS[name](folder, run_name)) for name in names]

        def told(step: StepReport) -> None:
            for observer in observers:
                observer(step)

        yield told


@contextlib.contextmanager
def _tensorboard(folder: Path, _run_name: str) -> Iterator[Told]:
    writer_class = _writer_class()
    writers: list[Any] = []

    def told(step: StepReport) -> None:
        if not writers:  # what a run that was cut off wrote from here on is hidden
            writers.append(writer_class(str(folder / "tensorboard"), purge_step=step.step))
        for name, value in _values(step).items():
            writers[0].add_scalar(name, value, step.step)

    try:
        yield told
    finally:
        for writer in writers:
            writer.close()


def _writer_class() -> Any:
    """TensorBoard's own writer, or that of tensorboardX, which writes the same files."""
    for module in ("torch.utils.tensorboard", "tensorboardX"):
        with contextlib.suppress(ImportError):
            return importlib.import_module(module).SummaryWriter
    raise MissingExtra.of("tensorboardX", "tensorboard")


@contextlib.contextmanager
def _wandb(folder: Path, run_name: str) -> Iterator[Told]:
    try:
        wandb = importlib.import_module("wandb")
    except ImportError:
        raise MissingExtra.of("wandb", "wandb") from None
    online = bool(os.environ.get("WANDB_API_KEY"))
    folder.mkdir(parents=True, exist_ok=True)
    with wandb.init(
        project=os.environ.get("WANDB_PROJECT") or "outdo",
        name=run_name,
        id=re.sub(r"[^\w.-]", "-", run_name),
        resume="allow",
        dir=str(folder),
        mode=os.environ.get("WANDB_MODE") or ("online" if online else "offline"),
        settings=wandb.Settings(silent=True, console="off"),
    ) as run:
        yield lambda step: run.log(_values(step), step=step.step)


def _values(step: StepReport) -> dict[str, float]:
    return {name: value for name, value in asdict(step).items() if name in TOLD}


_LOGS = {"tensorboard": _tensorboard, "wandb": _wandb}
