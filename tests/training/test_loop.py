"""A run: what it learns, what it keeps, and that a cut one ends as an uncut one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from outdo.errors import StudyError, TrainingError
from outdo.models.reference import ModelReference, resolve
from outdo.records import from_json
from outdo.training import Lora, Settings, StepReport, TrainingReport, train
from runs import ROWS, SETTINGS, curve, equal, weights


@pytest.fixture(scope="module")
def base(llama_folder: Path) -> ModelReference:
    return resolve(str(llama_folder), runs=llama_folder)


@pytest.fixture(scope="module")
def uncut(base: ModelReference, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("uncut")
    train(base, ROWS, settings=SETTINGS, folder=folder, validation=ROWS[:3])
    return folder


def test_a_run_learns_and_gives_an_account(base: ModelReference, tmp_path: Path) -> None:
    told: list[StepReport] = []
    settings = replace(SETTINGS, epochs=8, learning_rate=1e-2)
    report = train(
        base, ROWS, settings=settings, folder=tmp_path, validation=ROWS[:3], on_step=told.append
    )
    assert [one.step for one in told] == list(range(1, 25)) and told[0].steps == 24
    assert told[-1].loss < 0.8 * told[0].loss
    assert told[-1].seconds_left == 0 and told[-1].epoch == 8
    stored = json.loads((tmp_path / "training.json").read_text())
    assert from_json(TrainingReport, stored) == report
    assert report.base == {"name": base.name, "digest": base.digest}
    assert report.rows == 12 and report.rows_cut == 0 and report.rows_dropped == 0
    assert report.steps == 24 and report.epochs == 8 and report.resumes == 0
    assert report.tokens_learnt < report.tokens and report.tokens_shared > 0
    distinct = report.tokens - report.tokens_shared
    assert report.padding_share == 1 - distinct / report.tokens_computed
    assert report.shared_share == 1 - distinct / report.tokens
    assert report.seconds > 0 and report.peak_bytes >= report.baseline_bytes > 0
    assert report.trainable == sum(w.numel() for w in weights(tmp_path).values())
    assert report.total > report.trainable
    assert [one["epoch"] for one in report.validation] == list(range(1, 9))
    assert report.validation[-1]["loss"] < report.validation[0]["loss"]
    lines = curve(tmp_path)
    assert [line["step"] for line in lines] == list(range(1, 25))
    assert set(lines[0]) == {"step", "epoch", "loss", "learning_rate", "tokens"}
    assert lines[-1]["tokens"] == report.tokens


def test_plain_peft_loads_what_was_kept(base: ModelReference, uncut: Path) -> None:
    from peft import PeftModel

    from outdo.engines.local import Local
    from outdo.models.weights import load_base, peft_without_warnings
    from outdo.records import Completion, Message, Prompt, Request, Sampling

    with peft_without_warnings():
        model = PeftModel.from_pretrained(load_base(base, device="cpu"), uncut).eval()
    config = json.loads((uncut / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == base.name and config["r"] == 4
    tuned = resolve(str(uncut), runs=uncut)
    engine = Local(tuned, device="cpu")
    prompt = Prompt(messages=(Message(role="user", content="Repair it."),))
    ((_, answer),) = engine.complete([Request(prompt=prompt, sampling=Sampling(max_tokens=9))])
    ids = torch.tensor([engine.weights.chat.prompt_ids(prompt)])
    made = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=9,
        do_sample=False,
        eos_token_id=sorted(engine.weights.chat.stop_ids),
        pad_token_id=0,
    )[0, ids.shape[1] :].tolist()
    assert isinstance(answer, Completion)
    assert answer.text == engine.weights.chat.text(made)


def test_the_same_seed_gives_the_same_weights(
    base: ModelReference, uncut: Path, tmp_path: Path
) -> None:
    train(base, ROWS, settings=SETTINGS, folder=tmp_path / "again", validation=ROWS[:3])
    assert equal(weights(tmp_path / "again"), weights(uncut))
    assert curve(tmp_path / "again") == curve(uncut)
    train(base, ROWS, settings=replace(SETTINGS, seed=1), folder=tmp_path / "other")
    assert not equal(weights(tmp_path / "other"), weights(uncut))


def test_small_batches_add_up_to_the_step_of_one(base: ModelReference, tmp_path: Path) -> None:
    settings = replace(SETTINGS, steps=1, epochs=None, clip=0.0)
    for tokens in (60, 4096):
        how = replace(settings.how, tokens_per_batch=tokens)
        train(base, ROWS, settings=replace(settings, how=how), folder=tmp_path / str(tokens))
    small, large = (curve(tmp_path / name)[0]["loss"] for name in ("60", "4096"))
    assert small == pytest.approx(large, rel=1e-6)


class Cut(Exception):
    """Stands for whatever ends a process."""


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_cut_run_ends_as_an_uncut_one(
    base: ModelReference, tmp_path: Path, dropout: float
) -> None:
    settings = replace(SETTINGS, lora=Lora(rank=4, dropout=dropout))

    def cut(report: StepReport) -> None:
        if report.step in (2, 5):
            raise Cut

    whole, torn = tmp_path / "whole", tmp_path / "torn"
    train(base, ROWS, settings=settings, folder=whole, validation=ROWS[:3])
    for _ in range(2):
        with pytest.raises(Cut):
            train(base, ROWS, settings=settings, folder=torn, validation=ROWS[:3], on_step=cut)
    torch.manual_seed(99)
    report = train(base, ROWS, settings=settings, folder=torn, validation=ROWS[:3])
    assert report.resumes >= 1
    assert equal(weights(torn), weights(whole))
    assert curve(torn) == curve(whole)
    stored = json.loads((whole / "training.json").read_text())
    assert [dict(one) for one in report.validation] == stored["validation"]
    assert report.tokens_computed == stored["tokens_computed"]


KILLER = """
import os, signal, sys, time
from pathlib import Path
import runs as t
from outdo.models.reference import resolve
import outdo.training.run
from outdo.training import train

base, folder = resolve(sys.argv[1], runs=Path(".")), Path(sys.argv[2])

def lines():
    path = folder / "loss.jsonl"
    return path.read_bytes().count(b"\\n") if path.is_file() else 0

for wanted in (1, 3, 4, 99):
    child = os.fork()
    if not child:
        train(base, t.ROWS, settings=t.SETTINGS, folder=folder, validation=t.ROWS[:3])
        os._exit(0)
    while lines() < wanted and not os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.mark.slow
def test_a_killed_run_ends_as_an_uncut_one(
    base: ModelReference, uncut: Path, tmp_path: Path
) -> None:
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), *sys.path])
    command = [sys.executable, "-c", KILLER, base.name, str(tmp_path)]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["-9", "-9", "-9", "0"]
    assert equal(weights(tmp_path), weights(uncut))
    assert curve(tmp_path) == curve(uncut)


def test_a_checkpoint_of_another_run_is_refused_by_name(
    base: ModelReference, tmp_path: Path
) -> None:
    def cut(_: StepReport) -> None:
        if (tmp_path / "checkpoint" / "state.safetensors").is_file():
            raise Cut

    with pytest.raises(Cut):
        train(base, ROWS, settings=SETTINGS, folder=tmp_path, on_step=cut)
    other = replace(SETTINGS, learning_rate=1e-4)
    with pytest.raises(TrainingError, match=r"another run: learning_rate was 0\.003, is 0\.0001"):
        train(base, ROWS, settings=other, folder=tmp_path)
    with pytest.raises(TrainingError, match="another run: rows was"):
        train(base, ROWS[:-1], settings=SETTINGS, folder=tmp_path)
    state = tmp_path / "checkpoint" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-7])
    with pytest.raises(TrainingError, match="the checkpoint can't be read"):
        train(base, ROWS, settings=SETTINGS, folder=tmp_path)


def test_a_method_that_nobody_knows_is_refused(base: ModelReference, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="there is no method 'stf'") as told:
        train(base, ROWS, settings=Settings(method="stf"), folder=tmp_path)
    assert told.value.hint == "did you mean 'sft'?"


def test_all_weights_can_be_trained(base: ModelReference, tmp_path: Path) -> None:
    report = train(base, ROWS, settings=replace(SETTINGS, lora=None, epochs=1), folder=tmp_path)
    assert report.trainable == report.total
    tuned = resolve(str(tmp_path), runs=tmp_path)
    assert tuned.kind == "model" and tuned.digest != base.digest
    changed = weights(tmp_path, "model.safetensors")
    before = weights(base.path, "model.safetensors")
    assert changed.keys() == before.keys() and not equal(changed, before)


def test_an_adapter_can_be_trained_further(
    base: ModelReference, uncut: Path, tmp_path: Path
) -> None:
    first = resolve(str(uncut), runs=tmp_path)
    report = train(first, ROWS, settings=replace(SETTINGS, steps=1, epochs=None), folder=tmp_path)
    further = resolve(str(tmp_path), runs=tmp_path)
    assert report.base["digest"] == base.digest and further.bottom.digest == base.digest
    moved = weights(tmp_path)
    assert moved.keys() == weights(uncut).keys() and not equal(moved, weights(uncut))
    size = max(float((moved[n] - w).abs().max()) for n, w in weights(uncut).items())
    assert size < 2 * SETTINGS.learning_rate


def test_bfloat16_learns_the_same_within_its_rounding(
    base: ModelReference, uncut: Path, tmp_path: Path
) -> None:
    train(base, ROWS, settings=replace(SETTINGS, precision="bfloat16"), folder=tmp_path)
    for one, two in zip(curve(tmp_path), curve(uncut), strict=True):
        assert one["loss"] == pytest.approx(two["loss"], rel=0.05)
