"""Several processes make the run of one: the same curve, the same weights, the same end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import tiny
from launch import launched
from outdo.errors import TrainingError
from outdo.models.reference import ModelReference, resolve
from outdo.records import to_json
from outdo.training import Lora, Settings, StepReport, train
from outdo.training.processes import ALONE, Processes, Together
from outdo.training.sft import Sft
from runs import ROWS, SETTINGS, curve, weights

STRATEGIES = ("ddp", "fsdp")
FULL = replace(SETTINGS, lora=None, learning_rate=3e-4)
SLOW = replace(SETTINGS, learning_rate=1e-3)
"""So slow that what rounding does to a gradient near 0 stays small in the weights."""


@pytest.fixture(scope="module")
def base(llama_folder: Path) -> ModelReference:
    return resolve(str(llama_folder), runs=llama_folder)


def spread(settings: Settings, strategy: Any, **how: Any) -> Settings:
    return replace(settings, how=replace(settings.how, strategy=strategy, **how))


def together(
    base: ModelReference,
    rows: Any,
    settings: Settings,
    folder: Path,
    processes: int = 2,
    **more: Any,
) -> None:
    """Train with several processes, all of which end well."""
    done = launched(work(base, rows, settings, folder, **more), processes=processes)
    assert done == [(0, "")] * processes


def work(
    base: ModelReference, rows: Any, settings: Settings, folder: Path, **more: Any
) -> Callable[[int], None]:
    """What each of several processes does."""

    def trains(_: int) -> None:
        train(base, rows, settings=settings, folder=folder, **more)

    return trains


def cut_at(step: int) -> Callable[[StepReport], None]:
    def cut(report: StepReport) -> None:
        if report.step == step:
            raise KeyboardInterrupt

    return cut


def report(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "training.json").read_text())  # type: ignore[no-any-return]


def assert_alike(one: Path, two: Path, *, name: str = "adapter_model.safetensors") -> None:
    """Curves, looks and weights agree to 1e-5."""
    for a, b in zip(curve(one), curve(two), strict=True):
        assert {**a, "loss": 0} == {**b, "loss": 0}
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
    for a, b in zip(report(one)["validation"], report(two)["validation"], strict=True):
        assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
    ours, theirs = weights(one, name), weights(two, name)
    assert ours.keys() == theirs.keys()
    for tensor in ours:
        torch.testing.assert_close(ours[tensor], theirs[tensor], rtol=1e-5, atol=1e-5)


# ------------------------------------------------------------------ shares and sums


def test_every_row_has_one_owner_and_shares_are_even() -> None:
    sizes = [7, 300, 20, 90, 41, 60, 5, 200, 33, 90]
    order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
    for count in (1, 2, 3, 16):
        shares = [Processes(rank=rank, count=count).share(order, sizes) for rank in range(count)]
        assert [row for share in shares for row in share] == order
        fair = sum(sizes) / count
        assert all(sum(sizes[row] for row in share) <= fair + max(sizes) for share in shares)


def test_one_process_is_a_team_that_sends_nothing() -> None:
    with Together(SETTINGS.how) as processes:
        assert processes is ALONE
        assert processes.sum([1.5, 2]) == [1.5, 2] and processes.same("x") == "x"
    assert not torch.distributed.is_initialized()


def test_sums_and_gradients_meet() -> None:
    def work(rank: int) -> None:
        with Together(SETTINGS.how) as processes:
            assert processes.sum([1.0, float(rank)]) == [2.0, 1.0]
            assert processes.highest(float(rank)) == 1.0
            assert processes.same({"from": rank}) == {"from": 0}
            assert processes.gathered({rank: "row"}) == {0: "row", 1: "row"}
            both, one, nobody = (torch.nn.Parameter(torch.zeros(3)) for _ in range(3))
            both.grad = torch.full((3,), 1.0 + rank)
            if rank == 1:
                one.grad = torch.ones(3)
            processes.add_gradients([both, one, nobody])
            assert both.grad.tolist() == [3.0] * 3
            assert one.grad is not None and one.grad.tolist() == [1.0] * 3
            assert nobody.grad is None

    assert launched(work) == [(0, ""), (0, "")]


def test_the_failure_of_one_is_told_by_all() -> None:
    def work(rank: int) -> None:
        with Together(SETTINGS.how) as processes:
            if rank == 1:
                raise ValueError("a bad row")
            processes.sum([1.0])

    (first, told), (second, said) = launched(work)
    assert first == second == 1
    assert said == "ValueError: a bad row"
    assert told == "outdo.errors.TrainingError: process 1 failed: a bad row"


def test_one_that_is_killed_is_missed() -> None:
    def work(rank: int) -> None:
        with Together(SETTINGS.how) as processes:
            if rank == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            processes.sum([1.0])

    (code, told), (killed, _) = launched(work)
    assert killed == -signal.SIGKILL
    assert code == 1 and "another process of this run is gone" in told


def test_what_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "true")
    with pytest.raises(TrainingError, match="DeepSpeed"):
        Together(SETTINGS.how)
    monkeypatch.setenv("ACCELERATE_USE_DEEPSPEED", "false")
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    assert Together(SETTINGS.how).sharded
    assert not Together(replace(SETTINGS.how, strategy="ddp")).sharded
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(TrainingError, match="RANK expected"), Together(SETTINGS.how):
        pass


# ------------------------------------------------------------------ the run of one


@pytest.mark.slow
@pytest.mark.parametrize("lora", [True, False], ids=["lora", "full"])
@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_two_processes_learn_what_one_learns(
    base: ModelReference, tmp_path: Path, method: str, lora: bool
) -> None:
    rows = ROWS if method == "sft" else tiny.pairs(12)
    settings = replace(SLOW if lora else FULL, method=method)
    name = "adapter_model.safetensors" if lora else "model.safetensors"
    train(base, rows, settings=settings, folder=tmp_path / "one", validation=rows[:5])
    for strategy in STRATEGIES:
        folder = tmp_path / strategy
        how = spread(settings, strategy, tokens_per_batch=150)
        together(base, rows, how, folder, validation=rows[:5])
        assert_alike(folder, tmp_path / "one", name=name)
        one, two = report(tmp_path / "one"), report(folder)
        assert (one["processes"], two["processes"]) == (1, 2)
        for count in ("tokens", "tokens_learnt", "trainable", "total", "rows", "steps"):
            assert two[count] == one[count]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_process_without_rows_takes_part(
    base: ModelReference, tmp_path: Path, strategy: str
) -> None:
    settings = replace(SLOW, rows_per_step=2, epochs=1)
    train(base, ROWS[:5], settings=settings, folder=tmp_path / "one", validation=ROWS[:1])
    how = spread(settings, strategy)
    together(base, ROWS[:5], how, tmp_path / "three", 3, validation=ROWS[:1])
    assert_alike(tmp_path / "three", tmp_path / "one")


PARTS: dict[str, tuple[dict[str, Any], str, Settings]] = {
    "tied": ({"tie_word_embeddings": True}, "model.safetensors", FULL),
    "recomputed": (
        {},
        "model.safetensors",
        replace(FULL, how=replace(FULL.how, checkpointing=True)),
    ),
    "dora": ({}, "adapter_model.safetensors", replace(SLOW, lora=Lora(rank=4, dora=True))),
    "reward": ({}, "adapter_model.safetensors", replace(SLOW, method="reward")),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", PARTS)
def test_weights_in_parts_are_whole_at_the_end(tmp_path: Path, kind: str) -> None:
    changes, name, settings = PARTS[kind]
    base = resolve(str(tiny.save(tmp_path / "base", **changes)), runs=tmp_path)
    rows = tiny.pairs(8) if kind == "reward" else ROWS[:8]
    train(base, rows, settings=settings, folder=tmp_path / "one")
    together(base, rows, spread(settings, "fsdp"), tmp_path / "two")
    assert_alike(tmp_path / "two", tmp_path / "one", name=name)


# ------------------------------------------------------------------ cut off, judged, failed


@pytest.mark.slow
def test_what_some_began_others_end(base: ModelReference, tmp_path: Path) -> None:
    settings = replace(FULL, keep="best", evaluate_every=2)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    train(base, ROWS, settings=settings, folder=whole, validation=ROWS[:4])

    cuts = ((2, "fsdp", 2), (3, "ddp", 3), (4, "auto", 1), (6, "fsdp", 3))
    for step, strategy, processes in cuts:
        more = {"validation": ROWS[:4], "on_step": cut_at(step)}
        how = spread(settings, strategy)
        ends = launched(work(base, ROWS, how, torn, **more), processes=processes)
        assert all(code == 1 for code, _ in ends)
    together(base, ROWS, spread(settings, "fsdp"), torn, validation=ROWS[:4])
    assert_alike(torn, whole, name="model.safetensors")
    assert report(torn)["resumes"] == 4
    assert report(torn)["tokens"] == report(whole)["tokens"]


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_best_weights_come_back_to_all(
    base: ModelReference, tmp_path: Path, strategy: str
) -> None:
    """What is learnt makes the held-out row ever less likely."""
    settings = replace(SLOW, keep="best", evaluate_every=1)
    other = [tiny.talk("Say it.", "qwv jzx 0817 #!", name="other")]
    train(base, ROWS, settings=settings, folder=tmp_path / "one", validation=other)
    together(base, ROWS, spread(settings, strategy), tmp_path / "two", validation=other)
    assert_alike(tmp_path / "two", tmp_path / "one")
    one, two = report(tmp_path / "one"), report(tmp_path / "two")
    assert one["best_step"] == two["best_step"] < one["steps"]


@pytest.mark.slow
def test_the_leader_alone_scores_and_tells(base: ModelReference, tmp_path: Path) -> None:
    def score(_: Any) -> float:
        assert os.environ["RANK"] == "0"
        return 0.5

    def told(_: StepReport) -> None:
        assert os.environ["RANK"] == "0"

    how = spread(replace(SETTINGS, epochs=1), "ddp")
    together(base, ROWS, how, tmp_path, score=score, on_step=told)
    assert [look["score"] for look in report(tmp_path)["validation"]] == [0.5]
    in_parts = work(base, ROWS, spread(how, "fsdp"), tmp_path / "parts", score=score)
    refused = launched(in_parts)
    assert all("can't be scored by its task" in said for _, said in refused)


@pytest.mark.slow
@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("trouble", ["nan", "memory", "killed"])
def test_what_befalls_one_ends_all(
    base: ModelReference, tmp_path: Path, strategy: str, trouble: str
) -> None:
    learn = Sft.loss
    batches = 0

    def loss(self: Sft, model: Any, batch: Any) -> tuple[torch.Tensor, float]:
        nonlocal batches
        batches += model.training
        if batches == 3 and os.environ["RANK"] == "1":
            if trouble == "memory":
                raise MemoryError
            if trouble == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            total, weight = learn(self, model, batch)
            return total * float("nan"), weight
        return learn(self, model, batch)

    def trains(_: int) -> None:
        Sft.loss = loss  # type: ignore[method-assign]
        train(base, ROWS, settings=spread(SETTINGS, strategy), folder=tmp_path)

    (code, told), (_, said) = launched(trains)
    assert code == 1
    if trouble == "killed":
        assert "another process of this run is gone" in told
    else:
        why = said.removeprefix("outdo.errors.TrainingError: ")
        assert ("is not a number" if trouble == "nan" else "memory ran out") in why
        assert told == f"outdo.errors.TrainingError: process 1 failed: {why}"
    assert not (tmp_path / "training.json").exists()


# ------------------------------------------------------------------ a study under a launcher

STUDY = """
study: two
task: repair
seed: 1
data_root: FOLDER
data:
  chats: {source: conversations, path: chats.jsonl}
  asked: {source: inject, problems: embedded, count: 60}
models:
  small: MODEL
train:
  tuned:
    {model: small, data: chats, lora: {rank: 4}, learning_rate: 3e-3, epochs: 2, rows_per_step: 4}
answer:
  tuned: {model: tuned, data: asked}
"""


@pytest.mark.slow
def test_a_study_runs_under_torchrun(llama_folder: Path, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.replace("MODEL", str(llama_folder)).replace("FOLDER", str(tmp_path)))
    rows = [{"messages": to_json(row)["messages"]} for row in ROWS]
    (tmp_path / "chats.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "-m", "outdo"]
    launch = {**os.environ, "OMP_NUM_THREADS": "1", "OUTDO_STRATEGY": "fsdp"}
    done = subprocess.run(
        [*command, "train", str(study), "--log-dir", str(tmp_path / "runs")],
        env=launch,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("tuned: ") == 1
    (stage,) = (tmp_path / "runs" / ".stages").glob("train-*")
    assert report(stage)["processes"] == 2
    assert (stage / "adapter_model.safetensors").is_file()
