"""GGUF by a converter that stands in for llama.cpp's: a real process, with its arguments."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from outdo.errors import ModelError
from outdo.models.export import CONVERTER, converter, to_gguf

WORKS = """
import pathlib, sys
folder, _, out, _, kind = sys.argv[1:]
assert pathlib.Path(folder, "config.json").is_file()
pathlib.Path(out).write_bytes(b"GGUF" + kind.encode())
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "tuned"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


def script(folder: Path, text: str) -> tuple[str, ...]:
    path = folder / "convert_hf_to_gguf.py"
    path.write_text(text)
    return (sys.executable, str(path))


def test_the_converter_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = script(tmp_path, WORKS)
    monkeypatch.setenv(CONVERTER, command[1])
    assert converter() == command
    monkeypatch.setenv(CONVERTER, str(tmp_path / "none.py"))
    with pytest.raises(ModelError, match="no such converter"):
        converter()
    monkeypatch.delenv(CONVERTER)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ModelError, match=r"install llama\.cpp, or set OUTDO_GGUF_CONVERTER"):
        converter()
    Path(command[1]).chmod(0o755)
    assert converter() == (command[1],)


def test_a_gguf_file_lies_beside_the_weights(model: Path, tmp_path: Path) -> None:
    file = to_gguf(model, dtype="bfloat16", command=script(tmp_path, WORKS))
    assert file == model / "tuned-bf16.gguf" and file.read_bytes() == b"GGUFbf16"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("import sys; sys.exit('no such architecture')", "failed: no such architecture"),
        ("", "made no GGUF file"),
        (WORKS.replace("GGUF", "text"), "made no GGUF file"),
    ],
)
def test_a_converter_that_fails(model: Path, tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ModelError, match=problem):
        to_gguf(model, dtype="float16", command=script(tmp_path, text))
    assert [path.name for path in model.iterdir()] == ["config.json"]


def test_a_converter_that_can_not_be_run(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="can't be run"):
        to_gguf(model, dtype="float16", command=(str(tmp_path / "none"),))
