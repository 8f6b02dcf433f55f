"""What is installed: the pins agree with the ranges, and the wheel holds what the package reads."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from outdo.catalog import EXTRAS

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ASKED = {
    "core": [Requirement(line) for line in PROJECT["dependencies"]],
    **{
        extra: [Requirement(line) for line in lines]
        for extra, lines in PROJECT["optional-dependencies"].items()
    },
}


def pins() -> dict[str, Version]:
    """Package to the one version that constraints.txt allows."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pairs}


@pytest.mark.parametrize("extra", sorted(ASKED))
def test_every_requirement_is_pinned_within_its_range(extra: str) -> None:
    pinned = pins()
    wrong = [
        str(wanted)
        for wanted in ASKED[extra]
        if not wanted.specifier.contains(pinned.get(canonicalize_name(wanted.name), Version("0")))
    ]
    assert wrong == []


def test_pins_bring_no_cuda_and_name_no_place() -> None:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in pinned)
    assert len(pinned) == len(pins()), "a package stands twice"
    assert not [name for name in pins() if re.match(r"nvidia|cuda|triton", name)]
    assert pins()["torch"] == Version("2.13.0")


def test_the_core_asks_for_nothing_of_the_training_stack() -> None:
    core = {canonicalize_name(wanted.name) for wanted in ASKED["core"]}
    assert not core & {canonicalize_name(library) for library in EXTRAS}


def test_the_catalog_knows_which_extra_brings_a_library() -> None:
    for library, extra in EXTRAS.items():
        assert library in {wanted.name for wanted in ASKED[extra]}


def test_nothing_that_a_user_installs_is_copyleft() -> None:
    """Weak, per-file copyleft (MPL) is let in; GPL, LGPL and AGPL are not."""
    wrong = {name for name in installed() if re.search(r"\b[AL]?GPL|Affero|GNU", licence(name))}
    assert wrong == set()


def installed() -> set[str]:
    """Every package that the core, train and data bring, by what is installed here."""
    found: set[str] = set()
    waiting = [*ASKED["core"], *ASKED["train"], *ASKED["data"]]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found:
            continue
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        needed = [Requirement(line) for line in needs]
        waiting += [one for one in needed if not one.marker or one.marker.evaluate({"extra": ""})]
    return found


def licence(name: str) -> str:
    """What a package says its licence is: the expression, or the classifiers."""
    about = metadata.metadata(name)
    classifiers = about.get_all("Classifier") or []
    said = [line for line in classifiers if line.startswith("License ::")]
    return about.get("License-Expression") or "; ".join(said)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel that is built from a copy of the tree."""
    folder = tmp_path_factory.mktemp("wheel")
    clutter = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=clutter)
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, folder)
    build = "from setuptools import build_meta; build_meta.build_wheel('.')"
    done = subprocess.run(
        [sys.executable, "-c", build], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_the_wheel_holds_every_file_of_the_package(wheel: set[str]) -> None:
    source = ROOT / "src"
    expected = {
        path.relative_to(source).as_posix()
        for path in (source / "outdo").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert expected - wheel == set()


def test_the_wheel_says_that_it_is_typed_and_licensed(wheel: set[str]) -> None:
    assert "outdo/py.typed" in wheel
    assert [name for name in wheel if name.endswith("licenses/LICENSE")]


@pytest.mark.parametrize("target", ["demo", "test", "test-slow", "check", "mutants", "bench"])
def test_make_knows_what_the_documents_promise(target: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", target, "NAME=sandbox"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
