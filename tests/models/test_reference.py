"""A model's name, and what lies behind it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from outdo.errors import ModelError
from outdo.models.reference import resolve


def copy(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target))


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.fixture
def adapter(llama_folder: Path, tmp_path: Path) -> Path:
    """An adapter's directory, as far as names and digests go."""
    folder = tmp_path / "adapter"
    folder.mkdir()
    config = {"base_model_name_or_path": str(llama_folder), "r": 4}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    shutil.copy(llama_folder / "model.safetensors", folder / "adapter_model.safetensors")
    return folder


def test_the_same_content_elsewhere_is_the_same_model(llama_folder: Path, tmp_path: Path) -> None:
    here = resolve(str(llama_folder), runs=tmp_path)
    there = resolve(str(copy(llama_folder, tmp_path / "copy")), runs=tmp_path)
    assert here.digest == there.digest
    assert here.kind == "model" and here.adapters == () and here.bottom is here
    assert here.label == f"{llama_folder}@{here.digest[:12]}"


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "chat_template.jinja"])
def test_a_changed_file_is_another_model(llama_folder: Path, tmp_path: Path, name: str) -> None:
    folder = copy(llama_folder, tmp_path / "copy")
    before = resolve(str(folder), runs=tmp_path).digest
    (folder / name).write_text((folder / name).read_text() + " \n")
    assert resolve(str(folder), runs=tmp_path).digest != before


def test_what_decides_no_answer_names_nothing(llama_folder: Path, tmp_path: Path) -> None:
    folder = copy(llama_folder, tmp_path / "copy")
    (folder / "README.md").write_text("about")
    digest = resolve(str(llama_folder), runs=tmp_path).digest
    assert resolve(str(folder), runs=tmp_path).digest == digest


def test_torn_weights_are_refused(llama_folder: Path, tmp_path: Path) -> None:
    folder = copy(llama_folder, tmp_path / "copy")
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    for torn in (whole[:-1], whole[:100], whole[:4], b""):
        weights.write_bytes(torn)
        with pytest.raises(ModelError, match=r"model\.safetensors is torn"):
            resolve(str(folder), runs=tmp_path)


def test_a_missing_shard_is_refused(llama_folder: Path, tmp_path: Path) -> None:
    folder = copy(llama_folder, tmp_path / "copy")
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"model-00002\.safetensors is missing"):
        resolve(str(folder), runs=tmp_path)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("seedling", "no such form of a model's name"),
        ("hf/alone", "no such form of a model's name"),
        ("run/study", "no such form of a model's name"),
        ("hf/no such/name", "no name that the hub could have"),
        ("hf/outdo-tests/not-there", "not in the cache"),
        ("embedded/no-such", "no such model"),
        ("run/study/stage", "no study study was run"),
        ("./no-such", "no such model"),
    ],
)
def test_names_that_mean_nothing(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(ModelError) as caught:
        resolve(name, runs=tmp_path)
    assert problem in str(caught.value)
    assert caught.value.where == name and caught.value.hint


def test_folders_that_hold_no_model(llama_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        resolve(str(tmp_path), runs=tmp_path)
    folder = copy(llama_folder, tmp_path / "copy")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="no safetensors"):
        resolve(str(folder), runs=tmp_path)
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json can't be read"):
        resolve(str(folder), runs=tmp_path)


def test_code_of_a_models_own_runs_only_when_asked(llama_folder: Path, tmp_path: Path) -> None:
    folder = copy(llama_folder, tmp_path / "copy")
    edit(folder / "config.json", auto_map={"AutoModelForCausalLM": "modeling.Model"})
    with pytest.raises(ModelError, match="brings Python code of its own"):
        resolve(str(folder), runs=tmp_path)
    assert resolve(str(folder), runs=tmp_path, trust_remote_code=True).trusted


def test_an_adapter_is_named_by_its_own_content_and_its_bases(
    adapter: Path, llama_folder: Path, tmp_path: Path
) -> None:
    found = resolve(str(adapter), runs=tmp_path)
    assert found.kind == "adapter" and found.bottom.path == llama_folder
    assert found.adapters == (found,)
    other = copy(llama_folder, tmp_path / "other")
    edit(other / "generation_config.json", eos_token_id=5)
    on_other = resolve(str(adapter), runs=tmp_path, base=resolve(str(other), runs=tmp_path))
    assert on_other.digest != found.digest
    edit(adapter / "adapter_config.json", r=8)
    assert resolve(str(adapter), runs=tmp_path).digest not in (found.digest, on_other.digest)


def test_an_adapter_on_a_base_that_changed_is_refused(
    adapter: Path, llama_folder: Path, tmp_path: Path
) -> None:
    digest = resolve(str(llama_folder), runs=tmp_path).digest
    (adapter / "training.json").write_text(json.dumps({"base": {"digest": digest}}))
    assert resolve(str(adapter), runs=tmp_path).base is not None
    (adapter / "training.json").write_text(json.dumps({"base": {"digest": "0" * 64}}))
    with pytest.raises(ModelError, match="trained on another"):
        resolve(str(adapter), runs=tmp_path)


def test_a_runs_stage_is_found_by_its_link(adapter: Path, tmp_path: Path) -> None:
    stages = tmp_path / "runs" / "study" / "stages"
    stages.mkdir(parents=True)
    (stages / "train").symlink_to(adapter, target_is_directory=True)
    found = resolve("run/study/train", runs=tmp_path / "runs")
    assert found.name == "run/study/train"
    assert found.digest == resolve(str(adapter), runs=tmp_path).digest
    with pytest.raises(ModelError, match="stages of study: train"):
        resolve("run/study/tune", runs=tmp_path / "runs")


def test_names_and_digests_need_no_torch() -> None:
    code = "import sys, outdo.models.reference; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
