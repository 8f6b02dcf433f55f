"""Rows in the shapes that people have: as commits, as instructions, as pairs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from outdo import diffs
from outdo.data.bridges.commits import (
    AGAIN,
    LONG,
    LONGEST,
    NEW,
    SAME,
    UNWRITTEN,
    commit_examples,
    read_commits,
)
from outdo.data.bridges.decomposed import read_decomposed
from outdo.data.instructions import read_instructions
from outdo.data.pairs import choices
from outdo.data.rows import Mistakes
from outdo.errors import DataError
from outdo.tasks import commit_instruct, write
from outdo.tasks.rewriting import CRITERIA

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))
BEFORE = "def total(rows):\n    found = 0\n    for row in rows:\n        found += row\n"
BEFORE += "    return found\n"
AFTER = "def total(rows):\n    return sum(rows)\n"
MINED: dict[str, Any] = {
    "repo": "shop/till",
    "license": "MIT",
    "sha": "0123456789abcdef",
    "date": "2024-05-31",
    "subject": "Sum at once",
    "message": "Sum at once\n\nAsked for by ann@shop.example.",
    "path": "till.py",
    "before": BEFORE,
    "after": AFTER,
    "diff": "not looked at",
}
PACKED: dict[str, Any] = {
    "commit": "fedcba9876543210",
    "old_file": "till.py",
    "new_file": "till.py",
    "old_contents": BEFORE.replace("\n", "\r\n"),
    "new_contents": AFTER,
    "subject": "Sum at once",
    "message": "Sum at once\n",
    "lang": "Python",
    "license": "mit",
    "repos": "shop/till,fork/till",
}
EDIT = {**PACKED, "instruction": "Use the built-in sum.", "content": "..."}
SELF_OSS: dict[str, Any] = {
    "fingerprint": None,
    "sha1": "1234",
    "seed": "def total(rows):\n    return sum(rows)\n",
    "concepts": ["sums"],
    "prompt": "...",
    "instruction": "Write a function that sums rows.",
    "response": f"It is short:\n\n```python\n{AFTER}```\n\nAs you see.",
    "id": 7,
}
FAVORED: dict[str, Any] = {
    "seed_info": {"commit": "fedcba9876543210", "old_contents": BEFORE, "lang": "Python"},
    "model_id": "some-model",
    "note": "success",
    "instruction": "Sum the rows.",
    "criteria": "Efficiency and readability of the loop",
    "naive_code": f"```python\n{BEFORE}```",
    "improved_code": f"```python\n{AFTER}```",
    "feedback": "The second is shorter.",
}
EVOLVED = {
    "inst_md5": "abc",
    "reflection": "It loops.",
    **{name: FAVORED[name] for name in FAVORED if name not in ("seed_info", "model_id", "note")},
    "criteria": "Elegance",
}


def rows(folder: Path, *values: Mapping[str, Any]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(value) + "\n" for value in values))
    return path


# ------------------------------------------------------------------ commits


@pytest.mark.parametrize("row", [MINED, PACKED, EDIT], ids=["mined", "packed", "edit"])
def test_commits_are_read_by_their_fields(tmp_path: Path, row: dict[str, Any]) -> None:
    (commit,) = read_commits(rows(tmp_path, row))
    assert (commit.repo, commit.path, commit.language) == ("shop/till", "till.py", "Python")
    assert (commit.before, commit.after) == (BEFORE, AFTER)
    assert commit.licence.lower() == "mit" and commit.subject == "Sum at once"
    assert commit.id.startswith(("shop/till@0123456789ab:", "shop/till@fedcba987654:"))
    assert commit.instruction == row.get("instruction", "")


def test_a_commit_as_it_is_shown(tmp_path: Path) -> None:
    mined, edit = commit_examples(rows(tmp_path, MINED, {**EDIT, "old_contents": BEFORE + "\n#"}))
    assert mined.group == "shop/till" and mined.given["license"] == "MIT"
    assert (
        "ann@shop.example" not in mined.given["message"] and "<email-1>" in mined.given["message"]
    )
    parsed = diffs.parse(mined.given["diff"])
    assert parsed.problems == () and parsed.files[0].path == "till.py"
    assert diffs.apply(parsed.files[0], BEFORE) == AFTER
    assert edit.given["message"] == "Sum at once\n\nUse the built-in sum."
    asked = commit_instruct.task.prompt(mined, variant="json").messages[1].content
    assert "-        found += row" in asked and "+    return sum(rows)" in asked


def test_rows_that_no_exercise_is_made_of_are_counted(tmp_path: Path) -> None:
    mistakes = Mistakes()
    path = rows(
        tmp_path,
        MINED,
        {**MINED, "sha": "another"},
        {**MINED, "after": BEFORE},
        {**MINED, "before": ""},
        {**MINED, "after": None},
        {**MINED, "after": "x" * (LONGEST + 1)},
        {**MINED, "path": "poetry.lock", "after": AFTER + "\n\n"},
        {**MINED, "sha": "third", "after": AFTER + "\n", "message": MINED["message"]},
    )
    kept = commit_examples(path, mistakes=mistakes)
    assert [one.given["sha"] for one in kept] == ["0123456789abcdef", "third"]
    assert mistakes.counts == {AGAIN: 1, SAME: 1, NEW: 2, LONG: 1, UNWRITTEN: 1}


def test_a_change_that_is_shown_alike_counts_once(tmp_path: Path) -> None:
    mistakes = Mistakes()
    far = "\n" * 40 + "last = 1\n"
    path = rows(
        tmp_path,
        {**MINED, "before": BEFORE + far, "after": AFTER + far},
        {**MINED, "sha": "picked", "before": f"{BEFORE}{far}#", "after": f"{AFTER}{far}#"},
    )
    assert len(commit_examples(path, mistakes=mistakes)) == 1
    assert mistakes.counts == {AGAIN: 1}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"id": 1}, "no known form of commits: the row has 'id'"),
        ({**MINED, "sha": ""}, "the row has no sha"),
        ({**PACKED, "old_contents": ["a"]}, "old_contents is list, not text"),
        ({**MINED, "before": "a\0b"}, "before holds a null byte"),
    ],
)
def test_rows_that_are_no_commits_are_told(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError) as told:
        list(read_commits(rows(tmp_path, MINED, row)))
    assert told.value.problem.startswith(says) and told.value.where.endswith("rows.jsonl:2")
    counted = Mistakes(dropping=True)
    assert len(list(read_commits(rows(tmp_path, MINED, row), mistakes=counted))) == 1
    assert counted.counts.total() == 1


def test_a_file_of_nothing_that_can_be_used_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no row could be used"):
        list(read_commits(rows(tmp_path, {**MINED, "after": BEFORE})))


def test_real_commits_are_read() -> None:
    path = DATA / "commits-permissive" / "commits.jsonl.gz"
    if not path.is_file():
        pytest.skip("../shared/data/commits-permissive is not here")
    commits = read_commits(path)
    first = [next(commits) for _ in range(50)]
    assert all(one.repo and one.licence and one.language == "Python" for one in first)


# ------------------------------------------------------------------ instructions


@pytest.mark.parametrize(
    ("row", "group"),
    [(EDIT, "shop/till"), (FAVORED, None), (SELF_OSS, None)],
    ids=["edits", "favored", "self-oss-instruct"],
)
def test_instructions_are_read_by_their_fields(
    tmp_path: Path, row: dict[str, Any], group: str | None
) -> None:
    (example,) = read_instructions(rows(tmp_path, row), hold_out=0).examples
    assert example.split == "train" and example.task == "write"
    assert example.wanted["reference"] == AFTER.strip("\n")
    assert example.given["instruction"] == row["instruction"]
    assert group is None or example.group == group
    assert row["instruction"] in write.statement(example)
    assert "Reply" not in write.statement(example)


def test_an_edit_shows_the_program_it_is_about(tmp_path: Path) -> None:
    (example,) = read_instructions(rows(tmp_path, EDIT), hold_out=0).examples
    assert write.statement(example) == f"Use the built-in sum.\n\nInput:\n{BEFORE.strip()}"


def test_instructions_of_one_seed_are_a_group(tmp_path: Path) -> None:
    path = rows(tmp_path, SELF_OSS, {**SELF_OSS, "id": 8, "instruction": "Sum."})
    one, two = read_instructions(path, hold_out=0).examples
    assert one.group == two.group and one.id != two.id


# ------------------------------------------------------------------ pairs


def test_pairs_are_read_by_their_fields(tmp_path: Path) -> None:
    path = rows(tmp_path, FAVORED, {**EVOLVED, "instruction": "Sum these rows."}, FAVORED)
    mistakes = Mistakes()
    found = list(read_decomposed(path, criteria=CRITERIA, licence="own", mistakes=mistakes))
    assert [pair.source for pair in found] == ["commits", "critiques"]
    for pair in found:
        assert (pair.worse, pair.better) == (BEFORE.strip("\n"), AFTER.strip("\n"))
        assert pair.licence == "own" and pair.evidence["feedback"] == "The second is shorter."
    assert found[0].criterion == "efficiency" and found[0].group == "fedcba9876543210"
    assert found[0].evidence["criteria"] == "Efficiency and readability of the loop"
    assert found[0].evidence["by"] == "some-model"
    assert found[1].criterion == "general" and found[1].group == "abc"
    assert found[1].evidence["reasons"] == "It loops."
    assert mistakes.counts == {"the same pair again": 1}
    assert [one.task for one in choices(found, seed=1)] == ["prefer", "prefer"]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({**FAVORED, "naive_code": " "}, "the row has no naive_code"),
        ({**FAVORED, "instruction": None}, "the row has no instruction"),
        ({**FAVORED, "improved_code": BEFORE}, "both programs are the same"),
        ({**FAVORED, "improved_code": ["a"]}, "improved_code is list, not text"),
    ],
)
def test_rows_that_are_no_pairs_are_told(tmp_path: Path, row: dict[str, Any], says: str) -> None:
    path = rows(tmp_path, FAVORED, row)
    with pytest.raises(DataError, match=says):
        list(read_decomposed(path, criteria=CRITERIA))
    mistakes = Mistakes(dropping=True)
    assert len(list(read_decomposed(path, criteria=CRITERIA, mistakes=mistakes))) == 1
    assert mistakes.counts.total() == 1
