from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outdo.data.load import SAME_AGAIN, load
from outdo.errors import DataError

TESTS = [{"call": "f(1)", "expected": 2}, {"call": "f(0)", "expected": "1"}]


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def good(**changes: Any) -> dict[str, Any]:
    return {"description": "Add one.", "buggy": "def f(n): return n", "tests": TESTS} | changes


COLUMNS = {"statement": "description", "program": "buggy", "tests": "tests"}


def test_columns_become_a_repair_example(tmp_path: Path) -> None:
    path = write(tmp_path, good(who="s1", fix="def f(n): return n + 1"))
    columns = COLUMNS | {"group": "who", "repair": "fix"}
    [example] = load(path, task="repair", columns=columns, split="test").examples
    assert example.given["statement"] == "Add one."
    assert example.given["program"] == "def f(n): return n"
    assert example.wanted["tests"] == [
        {"call": "f(1)", "expected": "2", "how": "value", "stdin": ""},
        {"call": "f(0)", "expected": "1", "how": "value", "stdin": ""},
    ]
    assert example.wanted["repair"] == "def f(n): return n + 1"
    assert (example.group, example.split, example.source) == ("s1", "test", "rows.jsonl")


def test_a_table_holds_tests_as_json_text(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    tests = json.dumps(TESTS).replace('"', '""')
    path.write_text(f'id,program,tests,how\n7,f = 1,"{tests}",printed\n', "utf-8")
    [example] = load(path, task="repair").examples
    assert [test["how"] for test in example.wanted["tests"]] == ["printed", "printed"]
    assert example.id.split("/")[1] == "7"


def test_a_program_with_a_syntax_error_is_a_program(tmp_path: Path) -> None:
    path = write(tmp_path, good(buggy="def f(n) return"))
    assert (
        load(path, task="repair", columns=COLUMNS).examples[0].given["program"].endswith("return")
    )


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (good(tests=[]), "the problem has no tests"),
        (good(tests="{"), "tests aren't JSON"),
        (good(tests=[{"call": "f(", "expected": "1"}]), "not Python"),
        (good(tests=[{"call": "f(1)", "wants": "1"}]), "unknown key 'wants'"),
        (good(buggy="a\0b"), "program holds a null byte"),
        (good(buggy="#" * 10_000_000), "program has 10,000,000 bytes"),
        (good(buggy="  "), "program is empty"),
        (good(buggy=7), "program is int, not text"),
        ({"description": ""}, "the row has no column 'buggy'"),
    ],
)
def test_a_row_that_cannot_be_used_is_told(
    tmp_path: Path, row: dict[str, Any], problem: str
) -> None:
    path = write(tmp_path, good(), row)
    with pytest.raises(DataError) as told:
        load(path, task="repair", columns=COLUMNS)
    assert told.value.problem.startswith(problem)
    assert told.value.where == f"{path}:2"
    loaded = load(path, task="repair", columns=COLUMNS, drop=True)
    assert len(loaded.examples) == 1
    assert list(loaded.dropped.values()) == [1]
    assert list(loaded.first.values()) == [f"{path}:2"]


def test_nothing_left_is_an_error_even_when_dropping(tmp_path: Path) -> None:
    path = write(tmp_path, good(tests=[]))
    with pytest.raises(DataError, match="no row could be used"):
        load(path, task="repair", columns=COLUMNS, drop=True)


def test_an_id_that_stands_twice_is_always_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": 1, "text": "a"}, {"id": 1, "text": "b"})
    for drop in (False, True):
        with pytest.raises(DataError, match=r"the id '1' stood before, at .*rows.jsonl:1"):
            load(path, task="describe", drop=drop)


def test_the_same_row_without_an_id_counts_once(tmp_path: Path) -> None:
    path = write(tmp_path, good(who="a"), good(who="b"), good(who="a"))
    loaded = load(path, task="repair", columns=COLUMNS | {"group": "who"})
    assert [example.group for example in loaded.examples] == ["a", "b"]
    assert loaded.dropped == {SAME_AGAIN: 1}
    path = write(tmp_path, {"id": 0, "text": "a"}, {"id": "", "text": "b"}, {"text": "b"})
    loaded = load(path, task="describe")
    assert [example.given["text"] for example in loaded.examples] == ["a", "b"]
    assert loaded.examples[0].id == "0"


def test_other_tasks_take_what_is_given_and_wanted(tmp_path: Path) -> None:
    path = write(tmp_path, {"d": "diff", "m": "message", "r": "repo", "s": "valid"})
    columns = {"diff": "d", "wanted.message": "m", "group": "r", "split": "s"}
    [example] = load(path, task="describe", columns=columns, source="here").examples
    assert example.given == {"diff": "diff"}
    assert example.wanted == {"message": "message"}
    assert (example.group, example.split, example.source) == ("repo", "valid", "here")
    assert example.task == "describe"
    with pytest.raises(DataError, match="unknown split 'diff'"):
        load(path, task="describe", columns={"x": "m", "split": "d"})
    with pytest.raises(DataError, match="the row gives nothing"):
        load(path, task="describe", columns={"wanted.message": "m"})
