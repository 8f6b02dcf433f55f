"""Pull requests and reviews as data entries of a study."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from outdo.cli.sources import content_of, examples_of
from outdo.errors import DataError
from outdo.records import Example
from outdo.sandbox import Sandbox
from outdo.study.sources import Pulls, Reviews, kind_of

DIFF = """\
diff --git a/src/{0}.py b/src/{0}.py
--- a/src/{0}.py
+++ b/src/{0}.py
@@ -1 +1,3 @@
 import sys
+def {0}(limit):
+    return {0} > limit
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tier="auto", workers=1) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pulls = [
        {
            "repo": f"shop/{repo}",
            "number": number,
            "title": f"Add {repo}{number} to it",
            "license": "MIT" if number else "AGPL-3.0",
            "diff": DIFF.format(f"{repo}{number}"),
        }
        for repo in "abc"
        for number in range(5)
    ]
    note = {"path": "src/x.py", "from_line": 3, "to_line": 3, "side": "right", "note": "Wrong."}
    reviews = [{"repo": "shop/a", "pr": "7", "diff": DIFF.format("x"), "comments": [note]}]
    for name, rows in (("pulls", pulls), ("reviews", reviews)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text, "utf-8")
    return tmp_path


def entry(**settings: object) -> Pulls:
    return Pulls.model_validate({"source": "pulls", "path": "pulls.jsonl", **settings})


def test_an_entry_gives_examples_of_the_studys_task(folder: Path, sandbox: Sandbox) -> None:
    for task in ("describe", "review", "improve"):
        rows, notes = examples_of(entry(), folder, 1, sandbox, task=task)
        assert len(rows) == 15 and notes == []
        assert {row.task for row in rows if isinstance(row, Example)} == {task}


def test_an_entry_may_name_several_tasks(folder: Path, sandbox: Sandbox) -> None:
    spec = entry(tasks=["review", "describe"], licences=[], hold_out=1, inject=1.0)
    rows, notes = examples_of(spec, folder, 1, sandbox, task="describe")
    examples = [row for row in rows if isinstance(row, Example)]
    assert Counter(row.task for row in examples) == {"describe": 12, "review": 12}
    assert len({row.group for row in examples if row.split == "test"}) >= 1
    assert not any(row.wanted["clean"] for row in examples if row.task == "review")
    assert notes == ["3 left out: AGPL-3.0 is not permitted"]


def test_another_task_is_refused(folder: Path, sandbox: Sandbox) -> None:
    with pytest.raises(DataError, match="no examples of 'repair'"):
        examples_of(entry(), folder, 1, sandbox, task="repair")


def test_the_seed_and_the_count_decide(folder: Path, sandbox: Sandbox) -> None:
    few, _ = examples_of(entry(count=6), folder, 1, sandbox, task="review")
    again, _ = examples_of(entry(count=6), folder, 1, sandbox, task="review")
    other, _ = examples_of(entry(count=6), folder, 2, sandbox, task="review")
    assert len(few) == 6 and few == again and few != other


def test_reviews_are_for_testing(folder: Path, sandbox: Sandbox) -> None:
    spec = Reviews(source="reviews", path="reviews.jsonl")
    (row,), notes = examples_of(spec, folder, 1, sandbox, task="review")
    assert isinstance(row, Example) and row.split == "test" and notes == []
    assert kind_of(spec, ["review"]) == kind_of(entry(), ["review"]) == "examples"


def test_what_is_read_is_named_by_its_content(folder: Path) -> None:
    named = content_of(entry(), folder, task="review")
    assert content_of(entry(), folder, task="improve") != named
    (folder / "pulls.jsonl").write_text("{}\n")
    assert content_of(entry(), folder, task="review") != named


@pytest.mark.parametrize(
    "settings", [{"tasks": ["repair"]}, {"inject": 1.5}, {"newest": 1.0}, {"count": 0}]
)
def test_settings_out_of_bounds_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        entry(**settings)
