"""A model as a plain Hugging Face directory, or as GGUF: what anybody else's tools load."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from safetensors import safe_open
from transformers import GenerationConfig

from outdo.errors import ModelError
from outdo.models.reference import SPOKEN, ModelReference, resolve
from outdo.models.weights import DTYPES, Head, load_base, load_chat
from outdo.store import explained

Dtype = Literal["float32", "bfloat16", "float16", "nf4"]
"""What weights are written in; "nf4" is 4 bits by bitsandbytes."""

CONVERTER = "OUTDO_GGUF_CONVERTER"
"""The environment variable that says where llama.cpp's convert_hf_to_gguf.py lies."""

_STORED: dict[str, Dtype] = {"F32": "float32", "BF16": "bfloat16", "F16": "float16"}
_GGUF = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}


def refuse_occupied(folder: Path) -> None:
    """Raise ModelError if something stands where a model is to be written."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ModelError("there is something here already", "name a new folder", where=str(folder))


@contextlib.contextmanager
def built_aside(folder: Path) -> Iterator[Path]:
    """A block with an empty folder, which becomes `folder` at its end; nothing, if that fails.

    Raises ModelError if `folder` is there and not empty, StoreError where it can't be written.
    """
    refuse_occupied(folder)
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:8]}.part")
    with explained(folder):
        aside.mkdir(parents=True)
        try:
            yield aside
            aside.replace(folder)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def stored_dtype(reference: ModelReference) -> Dtype:
    """What the largest tensor of a model is stored in; float32 where that is nothing of ours."""
    largest, found = 0, ""
    for file in sorted(reference.bottom.path.glob("*.safetensors")):
        with safe_open(file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 (it is no dict)
                tensor = tensors.get_slice(name)
                if (size := math.prod(tensor.get_shape())) > largest:
                    largest, found = size, tensor.get_dtype()
    return _STORED.get(found, "float32")


def write(
    model: Any, reference: ModelReference, folder: Path, *, dtype: Dtype, head: Head = "lm"
) -> None:
    """Write a model, with the tokenizer and the stop tokens of `reference`, into an empty folder.

    The model is changed to `dtype` in place.
    """
    if dtype == "nf4":
        model = _in_four_bits(model, reference, folder, head)
    else:
        model.to(DTYPES[dtype])
    generation = _generation(reference)
    # Its own would not be written if it held what transformers calls a contradiction.
    model.generation_config = GenerationConfig()
    model.save_pretrained(folder)
    for name in SPOKEN:
        if (file := reference.bottom.path / name).is_file():
            shutil.copy(file, folder / name)
    if head == "lm":
        text = json.dumps(generation, indent=2, sort_keys=True)
        (folder / "generation_config.json").write_text(text + "\n", "utf-8")


def _in_four_bits(model: Any, reference: ModelReference, folder: Path, head: Head) -> Any:
    """The model as it is once its linear layers are held in 4 bits, by way of a folder beside."""
    whole = folder.with_name(folder.name + ".whole")
    try:
        whole.mkdir()
        write(model, reference, whole, dtype="float32", head=head)
        return load_base(resolve(str(whole.resolve()), runs=whole), precision="nf4", head=head)
    finally:
        shutil.rmtree(whole, ignore_errors=True)


def _generation(reference: ModelReference) -> dict[str, Any]:
    """The generation configuration of the base, with every token at which an answer ends."""
    path = reference.bottom.path / "generation_config.json"
    said: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    chat = load_chat(reference)
    tokenizer = chat.tokenizer
    known = {"bos_token_id": tokenizer.bos_token_id, "pad_token_id": tokenizer.pad_token_id}
    given = {name: token for name, token in known.items() if token is not None}
    return {**given, **said, "eos_token_id": sorted(chat.stop_ids)}


# ------------------------------------------------------------------ GGUF


def converter() -> tuple[str, ...]:
    """The command that makes GGUF of a directory: the one of `CONVERTER`, else that on the PATH.

    Raises ModelError if there is none.
    """
    if told := os.environ.get(CONVERTER):
        path = Path(told).expanduser()
        if not path.is_file():
            raise ModelError("there is no such converter", f"see {CONVERTER}", where=told)
        return (sys.executable, str(path)) if path.suffix == ".py" else (str(path),)
    for name in ("convert_hf_to_gguf.py", "convert_hf_to_gguf", "convert-hf-to-gguf"):
        if found := shutil.which(name):
            return (found,)
    raise ModelError(
        "GGUF is made by llama.cpp's convert_hf_to_gguf.py, which isn't here",
        f"install llama.cpp, or set {CONVERTER} to where that file lies",
    )


def to_gguf(folder: Path, *, dtype: Dtype, command: Iterable[str]) -> Path:
    """The GGUF file made of the model in `folder`, beside its weights.

    Raises ModelError, with the converter's last words, if it fails or makes something else.
    """
    file = folder / f"{folder.resolve().name}-{_GGUF[dtype]}.gguf"
    aside = file.with_suffix(".part")
    asked = [*command, str(folder), "--outfile", str(aside), "--outtype", _GGUF[dtype]]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        lines = (done.stderr or done.stdout).strip().splitlines()
        if done.returncode:
            problem = f"the converter to GGUF failed: {lines[-1] if lines else done.returncode}"
            raise ModelError(problem, "the model beside it is whole", where=str(folder))
        if not aside.is_file() or _magic(aside) != b"GGUF":
            raise ModelError("the converter made no GGUF file", f"see {CONVERTER}", where=asked[0])
        aside.replace(file)
    except OSError as error:
        problem = f"the converter can't be run: {error.strerror}"
        raise ModelError(problem, f"see {CONVERTER}", where=asked[0]) from error
    finally:
        aside.unlink(missing_ok=True)
    return file


def _magic(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(4)
