from __future__ import annotations

import contextlib
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from outdo.errors import MissingExtra, TrainingError
from outdo.models.reference import resolve
from outdo.training import StepReport, train
from outdo.training.logs import TOLD, open_logs
from runs import ROWS, SETTINGS


def step(number: int) -> StepReport:
    return StepReport(
        step=number,
        steps=3,
        epoch=number / 3,
        loss=1 / number,
        learning_rate=1e-4,
        seconds=2.0 * number,
        seconds_left=2.0,
        tokens=100 * number,
        tokens_per_second=50.0,
    )


def events(path: Path) -> Iterator[Any]:
    """What an event file holds: records of a length, its checksum, the bytes, their checksum."""
    from tensorboardX.proto.event_pb2 import Event

    data = path.read_bytes()
    while data:
        (length,) = struct.unpack_from("<Q", data)
        yield Event.FromString(data[12 : 12 + length])
        data = data[16 + length :]


def test_tensorboard_reads_what_was_told(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    with open_logs(["tensorboard"], tmp_path, "run") as told:
        for number in (1, 2, 3):
            told(step(number))
    [path] = (tmp_path / "tensorboard").iterdir()
    values = {
        (value.tag, event.step): value.simple_value
        for event in events(path)
        for value in event.summary.value
    }
    assert {name for name, _ in values} == set(TOLD)
    assert [values["loss", number] for number in (1, 2, 3)] == pytest.approx([1, 1 / 2, 1 / 3])
    assert values["tokens", 3] == 300


def test_a_run_that_goes_on_hides_what_the_cut_one_wrote_more(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    with open_logs(["tensorboard"], tmp_path, "run") as told:
        told(step(2))
    [path] = (tmp_path / "tensorboard").iterdir()
    starts = [event for event in events(path) if event.HasField("session_log")]
    assert [event.step for event in starts] == [2]


def test_a_run_without_logs_writes_nothing(tmp_path: Path) -> None:
    with open_logs([], tmp_path, "run") as told:
        told(step(1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["tensorboard", "wandb"])
def test_what_is_not_installed_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for module in ("torch.utils.tensorboard", "tensorboardX", "wandb"):
        monkeypatch.setitem(sys.modules, module, None)
    with (
        pytest.raises(MissingExtra, match=rf"pip install 'outdo\[{name}\]'"),
        open_logs([name], tmp_path, "run"),
    ):
        pass


def test_a_log_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with (
        pytest.raises(TrainingError, match=r"no 'wandbb' \(did you mean 'wandb'"),
        open_logs(["wandbb"], tmp_path, "run"),
    ):
        pass


class Recorder:
    """Stands in for the module `wandb`: it keeps how it was called."""

    def __init__(self) -> None:
        self.begun: dict[str, Any] = {}
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.finished = False
        self.Settings = SimpleNamespace

    @contextlib.contextmanager
    def init(self, **how: Any) -> Iterator[Recorder]:
        self.begun = how
        yield self
        self.finished = True

    def log(self, values: dict[str, float], *, step: int) -> None:
        self.logged.append((step, values))


@pytest.mark.parametrize(
    ("environment", "mode"),
    [({}, "offline"), ({"WANDB_API_KEY": "k"}, "online"), ({"WANDB_MODE": "online"}, "online")],
)
def test_wandb_stays_here_unless_a_key_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], mode: str
) -> None:
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "wandb", recorder)
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with open_logs(["wandb"], tmp_path, "sweep/rank 4") as told:
        told(step(2))
    assert (recorder.begun["mode"], recorder.begun["project"]) == (mode, "outdo")
    assert (recorder.begun["name"], recorder.begun["id"]) == ("sweep/rank 4", "sweep-rank-4")
    [(number, values)] = recorder.logged
    assert number == 2 and set(values) == set(TOLD) and values["loss"] == 0.5
    assert recorder.finished


def test_a_run_is_named_as_its_folder_will_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, llama_folder: Path
) -> None:
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, "wandb", recorder)
    settings = replace(SETTINGS, epochs=1, how=replace(SETTINGS.how, log_to=("wandb",)))
    base = resolve(str(llama_folder), runs=llama_folder)
    train(base, ROWS[:4], settings=settings, folder=tmp_path / "train-0123456789ab.part")
    assert recorder.begun["name"] == "train-0123456789ab"
    assert [number for number, _ in recorder.logged] == [1]


def test_wandb_itself_writes_a_run_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("wandb")
    for name in ("WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    with open_logs(["wandb"], tmp_path, "run") as told:
        told(step(1))
        told(step(2))
    [path] = (tmp_path / "wandb").glob("offline-run-*/run-*.wandb")
    deadline = time.monotonic() + 60  # a process of the library's own writes the file
    while b"tokens_per_second" not in path.read_bytes():
        assert time.monotonic() < deadline, "the file holds no step"
        time.sleep(0.1)
