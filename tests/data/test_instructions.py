"""Instructions of every form: what is given, what is wanted, and expected outputs really made."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo.data.expected import arguments_of, ordered, shape_of, shaped, spelled
from outdo.data.instructions import ids_of, read_instructions
from outdo.data.place import Place
from outdo.data.rows import Mistakes
from outdo.errors import DataError
from outdo.sandbox import Sandbox
from outdo.tasks.write import task

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))
HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'import math\n\n\ndef half(n):\n    return n / 2\n\n\ndef f(n):\n    """Say it."""\n',
    "entry_point": "f",
    "canonical_solution": "    return half(n)\n",
    "test": "def check(candidate):\n    assert candidate(2) == 1.0\n    assert candidate(4) == 2\n",
}
EVALPLUS = {
    "task_id": "Mbpp/2",
    "prompt": '"""\nThe items of both.\nassert shared((1, 2), (2, 3)) == (2,)\n"""\n',
    "entry_point": "shared",
    "canonical_solution": "\ndef shared(a, b):\n    return a[:0] + tuple(x for x in a if x in b)\n",
    "base_input": [[[1, 2], [2, 3]]],
    "plus_input": [[[], []], [[1], [1]], [5, 6]],
    "assertion": "\nassert shared((1, 2), (2, 3)) == (2,)\n",
    "atol": 0,
}
MBPP = {
    "text": "Twice n.",
    "code": "def twice(n):\r\n    return 2 * n",
    "task_id": 601,
    "test_setup_code": "",
    "test_list": ["assert twice(2) == 4", "assert twice(3) == 6"],
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tier="auto", workers=1) as made:
        yield made


def file_of(folder: Path, *rows: Any, name: str = "rows.jsonl") -> Path:
    path = folder / name
    whole = json.dumps(rows) if name.endswith(".json") else "\n".join(map(json.dumps, rows))
    path.write_text(whole, "utf-8")
    return path


def test_alpaca_rows_are_code_after_an_instruction(tmp_path: Path) -> None:
    rows = [
        {"instruction": f"Do {n}.", "input": "[1]" if n else "", "output": f"x = {n}"}
        for n in range(10)
    ]
    rows[3]["output"] = "Here:\n```python\nx = 3\n```"
    found = read_instructions(file_of(tmp_path, *rows, rows[0]), hold_out=4)
    assert Counter(one.split for one in found.examples) == {"train": 6, "test": 4}
    assert found.dropped == {"the same instruction and code as an earlier row": 1}
    by_said = {one.given["instruction"]: one for one in found.examples}
    assert by_said["Do 3."].wanted["reference"] == "x = 3"
    assert by_said["Do 1."].given["input"] == "[1]"
    again = read_instructions(file_of(tmp_path, *reversed(rows)), hold_out=4)
    assert {one.id: one.split for one in again.examples} == {
        one.id: one.split for one in found.examples
    }, "which are held out doesn't depend on the order of rows"
    assert len({one.split for one in read_instructions(tmp_path / "rows.jsonl").examples}) == 2


@pytest.mark.parametrize(("hold_out", "held"), [(None, 5), (0, 0), (1, 1), (4, 2)])
def test_all_rows_or_none_may_be_for_testing(
    tmp_path: Path, hold_out: int | None, held: int
) -> None:
    rows = [{"instruction": f"Say {n}.", "output": f"print({n})"} for n in range(5)]
    found = read_instructions(file_of(tmp_path, *rows), hold_out=hold_out)
    assert Counter(one.split for one in found.examples)["test"] == held


def test_no_group_stands_on_both_sides(tmp_path: Path) -> None:
    rows = [
        {"instruction": f"Say {n}.", "output": f"print({n})", "group": f"g{n // 3}"}
        for n in range(30)
    ]
    rows += [{"instruction": f"Say {n}.", "output": "pass", "group": "large"} for n in range(9)]
    found = read_instructions(file_of(tmp_path, *rows), hold_out=8).examples
    sides = {side: {one.group for one in found if one.split == side} for side in ("train", "test")}
    assert not sides["train"] & sides["test"]
    assert sum(one.split == "test" for one in found) == 6
    assert "large" in sides["train"]
    few = read_instructions(tmp_path / "rows.jsonl", hold_out=2).examples
    assert sum(one.split == "test" for one in few) == 3


def test_columns_and_json_lists_are_read(tmp_path: Path) -> None:
    path = file_of(tmp_path, {"task": "Do it.", "reference": "x = 1"}, name="rows.json")
    columns = {"instruction": "task", "output": "reference"}
    (one,) = read_instructions(path, columns=columns).examples
    assert (one.given["instruction"], one.wanted["reference"]) == ("Do it.", "x = 1")


def test_humaneval_keeps_its_head_and_runs_what_stands_beside_it(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    (one,) = read_instructions(file_of(tmp_path, HUMANEVAL)).examples
    assert one.split == "test" and one.id == "write/humaneval/0"
    assert one.given["preamble"] == "import math\n\ndef half(n):\n    return n / 2"
    assert [test["call"] for test in one.wanted["tests"]] == ["f(2)", "f(4)"]
    reply = "```python\ndef f(n):\n    return half(n)\n```"
    assert passes(sandbox, one, reply) and passes(sandbox, one, task.gold(one))
    assert not passes(sandbox, one, task.bait(one))


def test_a_check_that_is_more_than_literals_stays_code(tmp_path: Path, sandbox: Sandbox) -> None:
    test = "def check(candidate):\n    assert abs(candidate(3) - half(3)) < 1e-6\n"
    (one,) = read_instructions(file_of(tmp_path, {**HUMANEVAL, "test": test})).examples
    assert one.wanted["tests"] == [] and "def half" in one.wanted["check"]
    assert passes(sandbox, one, task.gold(one)) and not passes(sandbox, one, task.bait(one))


def passes(sandbox: Sandbox, one: Any, reply: str) -> bool:
    answer = task.parse(reply, one)
    program = task.program(one, answer)
    assert program is not None
    ((_, outcome),) = sandbox.run([program])
    return {s.metric: s.value for s in task.score(one, answer, outcome)}["passed"] == 1


def test_expected_outputs_are_made_by_running_and_inputs_get_their_kinds(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    found = read_instructions(file_of(tmp_path, EVALPLUS), sandbox=sandbox)
    (one,) = found.examples
    assert one.given["instruction"] == "The items of both."
    assert one.given["examples"] == ["assert shared((1, 2), (2, 3)) == (2,)"]
    tests = [(t["call"], t["expected"]) for t in (*one.wanted["tests"], *one.wanted["plus"])]
    assert tests == [
        ("shared((1, 2), (2, 3))", "(2,)"),
        ("shared((), ())", "()"),
        ("shared((1,), (1,))", "(1,)"),
    ]
    assert found.dropped == {"inputs for which the canonical solution gives no literal in time": 1}
    assert passes(sandbox, one, task.gold(one)) and not passes(sandbox, one, task.bait(one))


def test_added_inputs_are_limited_and_a_problem_without_outputs_is_left_out(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    many = {**EVALPLUS, "plus_input": [[[n], [n]] for n in range(100)]}
    broken = {**EVALPLUS, "task_id": "Mbpp/3", "canonical_solution": "\nshared = None\n"}
    found = read_instructions(file_of(tmp_path, many, broken), sandbox=sandbox, most=4)
    (one,) = found.examples
    assert [t["call"] for t in one.wanted["plus"]] == [
        f"shared(({n},), ({n},))" for n in (0, 25, 50, 75)
    ]
    assert found.dropped["problems of which no base input has an expected output"] == 1
    with pytest.raises(DataError, match="give a sandbox"):
        read_instructions(file_of(tmp_path, many))


def test_mbpp_is_divided_as_its_authors_did(tmp_path: Path, sandbox: Sandbox) -> None:
    rows = [{**MBPP, "task_id": number} for number in (5, 11, 510, 511, 974)]
    found = read_instructions(file_of(tmp_path, *rows))
    splits = {one.id: one.split for one in found.examples}
    assert splits == {
        "write/mbpp/5": "train",
        "write/mbpp/11": "test",
        "write/mbpp/510": "test",
        "write/mbpp/511": "train",
        "write/mbpp/974": "train",
    }
    one = found.examples[0]
    assert one.given["examples"] == ["assert twice(2) == 4"]
    assert [t["call"] for t in one.wanted["tests"]] == ["twice(2)", "twice(3)"]
    assert passes(sandbox, one, task.gold(one)) and not passes(sandbox, one, task.bait(one))


def test_what_is_tested_on_elsewhere_is_not_trained_on(tmp_path: Path) -> None:
    elsewhere = file_of(tmp_path, {**EVALPLUS, "task_id": "Mbpp/601"}, name="plus.jsonl")
    rows = [{**MBPP, "task_id": number} for number in (11, 601, 602)]
    assert ids_of(elsewhere) == {"write/mbpp/601"}
    found = read_instructions(file_of(tmp_path, *rows), apart=ids_of(elsewhere))
    assert {one.id for one in found.examples} == {"write/mbpp/11", "write/mbpp/602"}
    assert found.dropped == {"training rows that are tested on elsewhere": 1}


def test_assertions_that_are_code_run_as_statements(tmp_path: Path, sandbox: Sandbox) -> None:
    lines = ["assert set(twice(2 * one)) == {4}", "assert twice(3) != [7]"]
    code = "def twice(n):\n    return [2 * n]"
    row = {**MBPP, "code": code, "test_setup_code": "one = 1", "test_list": lines}
    (one,) = read_instructions(file_of(tmp_path, row)).examples
    assert {t["how"] for t in one.wanted["tests"]} == {"printed"}
    assert passes(sandbox, one, task.gold(one)) and not passes(sandbox, one, task.bait(one))


def test_functions_with_doctests_show_their_first_line(tmp_path: Path, sandbox: Sandbox) -> None:
    body = "    if n > LIMIT:\n        raise ValueError('too large')\n    return 2 * n"
    session = ">>> twice(2)\n4\n>>> twice(9)\nTraceback (most recent call last):\n    ...\n"
    docstring = f"Twice n.\n\n{session}ValueError: too large\n"
    row = {
        "instruction": "Twice n.",
        "path": "a.py",
        "name": "twice",
        "signature": "def twice(n):",
        "context": "LIMIT = 5",
        "docstring": docstring,
        "body": body,
        "code": f'def twice(n):\n    """{docstring}"""\n{body}',
    }
    (one,) = read_instructions(file_of(tmp_path, row)).examples
    assert one.group == "a.py" and one.given["stub"] == "def twice(n):"
    assert one.given["preamble"] == "LIMIT = 5"
    assert one.wanted["reference"] == f"def twice(n):\n{body}"
    assert len(one.wanted["tests"]) == 2
    assert passes(sandbox, one, task.gold(one)) and not passes(sandbox, one, task.bait(one))


BAD = [
    ({"instruction": "a"}, "no known form of instructions: the row has instruction"),
    ({"instruction": "", "output": "x"}, "instruction isn't text, or is empty"),
    ({"instruction": "a", "output": ""}, "output is empty"),
    ({"instruction": "a", "output": None}, "output is NoneType, not text"),
    ({"instruction": "a", "output": "x" * 2**21}, "output has 2,097,152 bytes"),
    ({**HUMANEVAL, "prompt": 3}, "prompt isn't text"),
    ({**EVALPLUS, "base_input": [3]}, "base_input isn't a list of lists"),
    ({**EVALPLUS, "atol": "much"}, "atol is no number"),
    ({**MBPP, "task_id": "one"}, "task_id is no number"),
    ({**MBPP, "test_list": []}, "test_list isn't a list of assertions"),
    ({**MBPP, "text": None}, "the row has no text"),
]


@pytest.mark.parametrize(("row", "problem"), BAD, ids=lambda value: str(value)[:40])
def test_a_row_that_can_not_be_used_is_told_with_its_line(
    tmp_path: Path, row: Any, problem: str
) -> None:
    good = {"instruction": "Do it.", "output": "x = 1"}
    path = file_of(tmp_path, good, row)
    with pytest.raises(DataError, match=problem) as told:
        read_instructions(path)
    assert told.value.where == f"{path}:2"
    kept = read_instructions(path, mistakes=Mistakes(dropping=True))
    assert len(kept.examples) == 1 and sum(kept.dropped.values()) == 1


def test_an_id_twice_an_unknown_form_and_an_empty_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="stood before"):
        read_instructions(file_of(tmp_path, MBPP, MBPP))
    with pytest.raises(DataError, match="there is no form 'apps'"):
        read_instructions(file_of(tmp_path, MBPP), form="apps")
    with pytest.raises(DataError, match="isn't a list"):
        read_instructions(file_of(tmp_path, name="rows.json"))
    (tmp_path / "torn.json").write_text('[{"a": 1}', "utf-8")
    with pytest.raises(DataError, match="isn't JSON"):
        read_instructions(tmp_path / "torn.json")


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ([1, 2], (1, 2)),
        ([[1, "a"], [2, "b"]], [(1, "a"), (2, "b")]),
        ([[1, 2], "x"], ([1, 2], "x")),
        ([1, [2, 3]], (1, (2, 3))),
        ([1, 2], {1, 2}),
        ("(1+2j)", 1 + 2j),
        ({"1": [2]}, {1: (2,)}),
    ],
)
def test_what_assertions_mean_is_said_of_all_inputs(value: Any, meant: object) -> None:
    shape = shape_of([[value]], [[meant]])
    assert shaped(value, shape.get(0)) == meant
    assert type(shaped(value, shape.get(0))) is type(meant)


def test_assertions_that_disagree_leave_inputs_as_they_are() -> None:
    shape = shape_of([[[1]], [[2]]], [[(1,)], [{2}]])
    assert shaped([3], shape.get(0)) == [3]
    assert arguments_of("assert f((1,), x=2) == 3\nassert f(g(1)) == 2\nassert 1", "f") == [
        [(1,)],
        [],
        [],
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.sets(st.integers(), max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES)
def test_what_is_spelled_reads_back(value: object) -> None:
    assert eval(spelled(value), {"__builtins__": {"float": float, "set": set}}) == value


def test_numbers_that_python_does_not_write_are_left_out() -> None:
    made = ordered("", entry="f", base=[[10**5000], [1]], plus=None, place=Place(path="x"))
    assert made.base == ("", "f(1)")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rows", "least"),
    [
        ("humaneval/HumanEval.jsonl.gz", 164, 1.0),
        ("mbpp/sanitized-mbpp.json", 427, 1.0),
        ("mbpp/mbpp.jsonl", 974, 0.99),
        ("evalplus/HumanEvalPlus-Mini.jsonl.gz", 164, 1.0),
        ("thealgorithms-python/functions.jsonl.gz", 1048, 0.9),
    ],
)
def test_published_sets_are_read_as_they_are_and_their_gold_passes(
    sandbox: Sandbox, name: str, rows: int, least: float
) -> None:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"{path} isn't there: set OUTDO_DATA")
    found = read_instructions(path, sandbox=sandbox)
    assert len(found.examples) == rows
    asked = [(one, task.parse(task.gold(one), one)) for one in found.examples]
    programs = [(one, answer, task.program(one, answer)) for one, answer in asked]
    run = [(one, answer, program) for one, answer, program in programs if program is not None]
    passed = 0
    for number, outcome in sandbox.run([program for *_, program in run]):
        one, answer, _ = run[number]
        passed += {s.metric: s.value for s in task.score(one, answer, outcome)}["passed"] == 1
    assert passed >= least * len(run) and len(run) >= 0.95 * rows
