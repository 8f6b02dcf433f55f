"""`outdo merge` from the command's words to the folder that anybody loads."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import tiny
from outdo.cli.app import app
from outdo.errors import ModelError
from outdo.models.export import CONVERTER
from outdo.models.reference import resolve
from outdo.training import Lora, Settings, train


def outdo(*words: str | Path) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def refused(*words: str | Path) -> str:
    with pytest.raises(ModelError) as told:
        outdo(*words)
    return str(told.value)


@pytest.fixture(scope="module")
def runs(llama_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs of a study with one training, as a pipeline leaves them."""
    folder = tmp_path_factory.mktemp("runs")
    stage = folder / ".stages" / "train-0123456789ab"
    stage.mkdir(parents=True)
    settings = Settings(lora=Lora(rank=4), learning_rate=1e-2, steps=2, rows_per_step=4)
    base = resolve(str(llama_folder), runs=folder)
    train(base, tiny.talks(12), settings=settings, folder=stage)
    (stage / "how.json").write_text(json.dumps({"outdo": "9", "packages": {"torch": "8.7.6"}}))
    links = folder / "small" / "stages"
    links.mkdir(parents=True)
    (links / "train tuned").symlink_to(stage)
    study = {
        "study": "small",
        "data": {"talks": {"source": "conversations"}},
        "train": {"tuned": {}},
    }
    (folder / "small" / "study.yaml").write_text(yaml.safe_dump(study))
    return folder


def test_a_run_is_merged_with_its_card(runs: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    out = tmp_path / "tuned"
    said = outdo("merge", "run/small/train tuned", "--out", out, "--log-dir", runs)
    assert re.search(r"tuned: [\d,]+ parameters in float32; logits move by up to \S+e-0[5-9]", said)
    text = (out / "README.md").read_text("utf-8")
    assert "| method | sft, LoRA of rank 4 |" in text and "| data | talks (conversations) |" in text
    assert "torch 8.7.6" in text and "llama, fine-tuned by sft." in text
    assert "Against the adapter beside the weights: logits move by up to" in text
    assert str(tmp_path) not in text and str(runs) not in text
    model = AutoModelForCausalLM.from_pretrained(out)
    assert model.dtype == torch.float32
    assert resolve(str(out), runs=runs).kind == "model"


def test_weights_are_normalised_aloud(llama_folder: Path, tmp_path: Path) -> None:
    other = tiny.save(tmp_path / "other", seed=3)
    words = ("merge", llama_folder, other, "--weight", "3", "--weight", "1", "--out")
    assert "weights add up to 4; taken as 0.75, 0.25" in outdo(*words, tmp_path / "a")
    assert "0.75 × llama" in (tmp_path / "a" / "README.md").read_text("utf-8")
    plain = outdo("merge", llama_folder, other, "--out", tmp_path / "b")
    assert "weights add up" not in plain
    assert "0.5 × other" in (tmp_path / "b" / "README.md").read_text("utf-8")


def test_what_can_not_be_is_refused_at_once(
    llama_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = ("--out", tmp_path / "out")
    assert "1 models and 2 weights" in refused(
        "merge", llama_folder, "--weight", "1", "--weight", "2", *out
    )
    assert "a weight isn't above 0" in refused("merge", llama_folder, "--weight", "0", *out)
    assert "another one in bfloat16" in refused("merge", llama_folder, "--dtype", "bfloat16", *out)
    assert "something here already" in refused("merge", llama_folder, "--out", llama_folder)
    assert "not of 4 bits" in refused("merge", llama_folder, "--gguf", "--dtype", "nf4", *out)
    monkeypatch.setenv(CONVERTER, str(tmp_path / "none.py"))
    assert "no such converter" in refused("merge", llama_folder, "--gguf", *out)
    assert not (tmp_path / "out").exists()


def test_a_gguf_file_is_made_by_the_converter_that_is_here(
    llama_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    converter = tmp_path / "convert_hf_to_gguf.py"
    converter.write_text("import sys\nopen(sys.argv[3], 'wb').write(b'GGUF')\n")
    monkeypatch.setenv(CONVERTER, str(converter))
    said = outdo("merge", llama_folder, "--out", tmp_path / "whole", "--gguf")
    assert said.splitlines()[-1] == str(tmp_path / "whole" / "whole-f32.gguf")


def test_an_adapter_finds_a_base_that_lies_elsewhere(
    runs: Path, llama_folder: Path, tmp_path: Path
) -> None:
    stage = runs / "small" / "stages" / "train tuned"
    outdo("merge", stage.resolve(), "--base", llama_folder, "--out", tmp_path / "out")
    assert (tmp_path / "out" / "model.safetensors").is_file()
