"""Names, and where what they name is found."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from outdo import catalog
from outdo.errors import MissingExtra, StudyError


@pytest.mark.parametrize("names", [catalog.TASKS, catalog.METHODS])
def test_every_entry_names_a_module_that_is_there(names: dict[str, str]) -> None:
    for spelled in names.values():
        module, _, attribute = spelled.partition(":")
        spec = importlib.util.find_spec(module)
        assert spec is not None
        assert spec.origin is not None
        assert attribute in Path(spec.origin).read_text("utf-8")


def test_a_known_name_gives_the_object() -> None:
    assert catalog.named(catalog.TASKS, "repair", noun="task").name == "repair"


def test_a_name_may_spell_the_object_itself() -> None:
    assert catalog.named({}, "json:dumps", noun="task")({}) == "{}"


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("repare", "there is no task 'repare' (did you mean 'repair'?)"),
        ("xyz", "there is no task 'xyz' (known: repair, write)"),
        ("nowhere.at_all:task", "task 'nowhere.at_all:task': there is no module 'nowhere.at_all'"),
        ("json.none:task", "task 'json.none:task': there is no module 'json.none'"),
        ("json:none", "task 'json:none': json has no 'none'"),
    ],
)
def test_a_name_that_means_nothing_is_told(name: str, line: str) -> None:
    with pytest.raises(StudyError) as told:
        catalog.named({"repair": "json:dumps", "write": "json:loads"}, name, noun="task")
    assert str(told.value) == line


def module(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)


def test_a_library_of_an_extra_is_told_by_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(catalog.EXTRAS, "not_a_library", "train")
    module(tmp_path, "wants_extra", "import not_a_library.part\n")
    with pytest.raises(MissingExtra) as told:
        catalog.named({}, "wants_extra:task", noun="task")
    assert str(told.value) == "not_a_library is not installed (pip install 'outdo[train]')"


def test_a_module_that_lacks_what_it_needs_keeps_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    module(tmp_path, "wants_other", "import not_a_library\n")
    with pytest.raises(ModuleNotFoundError, match="not_a_library"):
        catalog.named({}, "wants_other:task", noun="task")
    module(tmp_path, "is_broken", "None.nothing\n")
    with pytest.raises(AttributeError, match="nothing"):
        catalog.named({}, "is_broken:task", noun="task")


def test_suggestions() -> None:
    known = {"epochs": 1, "limit": 2}
    assert catalog.suggestion("epoch", known) == "did you mean 'epochs'?"
    assert catalog.suggestion("zzz", known) == "known: epochs, limit"
    assert catalog.suggestion("zzz", {}) == ""


def test_what_is_said_of_methods_is_what_they_are() -> None:
    known = catalog.METHODS
    methods = {name: catalog.named(known, name, noun="method") for name in known}
    assert set(catalog.ROWS) == set(known)
    assert {name for name, one in methods.items() if one.needs_reference} == set(catalog.REFERRING)
