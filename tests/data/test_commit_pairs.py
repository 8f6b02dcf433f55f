"""Pairs out of commits: the one function that changed, what for, and what is left out and why."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from outdo.data.bridges.commits import Commit
from outdo.data.commit_pairs import NEVER, changed_function, commit_pairs, criterion_of
from outdo.errors import DataError
from outdo.sandbox import Sandbox
from outdo.study.sources import Commits

BEFORE = """import os

class Box:
    @property
    def size(self):
        return len(self.items)

def mean(numbers):
    # the arithmetic one
    return sum(numbers) / len(numbers)
"""
AFTER = BEFORE.replace("return len(self.items)", "return len(self.items or [])")


def commit(number: int, *, repo: str = "a/b", before: str = BEFORE, after: str = AFTER) -> Commit:
    after = after.replace("or []", f"or [{number}]")
    return Commit(
        repo=repo, sha=f"{number:012x}{0:028}", path="box.py", before=before, after=after,
        subject="Fix the size of an empty box, ask me@example.com", licence="MIT",
    )  # fmt: skip


def test_the_changed_method_stands_alone_on_both_sides() -> None:
    (pair,) = commit_pairs([commit(1)], seed=1, hold_out=0)
    assert pair.worse == "@property\ndef size(self):\n    return len(self.items)"
    assert pair.better == "@property\ndef size(self):\n    return len(self.items or [1])"
    assert (pair.criterion, pair.group, pair.licence) == ("correctness", "a/b", "MIT")
    assert pair.evidence["function"] == "Box.size" and pair.evidence["by"] == "commit"
    assert "Fix the size" in pair.statement and "example.com" not in pair.statement


def test_addresses_and_secrets_are_taken_out_of_both_sides() -> None:
    before = "def greet():\n    to = 'ann@people.example.org'\n    return to\n"
    after = before.replace("return to", "return [to]")
    (pair,) = commit_pairs([commit(1, before=before, after=after)], seed=1, hold_out=0)
    assert "ann@" not in pair.worse + pair.better
    assert pair.worse.replace("return to", "return [to]") == pair.better


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (BEFORE.replace("# the arithmetic one", "# plain"), "no function was changed"),
        (BEFORE.replace("import os", "import sys"), "no function was changed"),
        (AFTER.replace("sum(numbers)", "float(sum(numbers))"), "several functions were changed"),
        ("def broken(:\n", "a side isn't Python"),
        (BEFORE.replace("def mean", "def average"), "no function was changed"),
    ],
)
def test_a_change_of_none_or_several_gives_no_pair(after: str, why: str) -> None:
    assert changed_function(BEFORE, after) == why
    dropped: Counter[str] = Counter()
    assert commit_pairs([commit(1, after=after)], seed=1, dropped=dropped) == []
    assert dropped == {why: 1}


def test_the_same_change_counts_once_and_a_huge_function_not_at_all() -> None:
    huge = AFTER.replace("or []", "or " + repr(list(range(2000))))
    dropped: Counter[str] = Counter()
    commits = [commit(1), commit(1, repo="fork/b"), commit(2, after=huge)]
    assert len(commit_pairs(commits, seed=1, dropped=dropped)) == 1
    assert sorted(dropped.values()) == [1, 1]


@pytest.mark.parametrize(
    ("message", "criterion"),
    [
        ("Fix crash on empty input", "correctness"),
        ("Speed up the parser", "efficiency"),
        ("Escape user input: fixes an XSS", "security"),
        ("Refactor the reader", "readability"),
        ("Add an option", "general"),
        ("prefix everything", "general"),
    ],
)
def test_the_message_says_what_for(message: str, criterion: str) -> None:
    assert criterion_of(message) == criterion


def test_whole_repositories_are_held_out_and_a_count_takes_of_each_in_turn() -> None:
    commits = [commit(n, repo=f"r{n % 4}" if n < 20 else "r0") for n in range(1, 60)]
    pairs = commit_pairs(commits, seed=3, hold_out=1, count=12)
    assert Counter(pair.group for pair in pairs) == {f"r{n}": 3 for n in range(4)}
    assert {pair.split for pair in pairs if pair.source == NEVER} == {"test"}
    assert len({pair.group for pair in pairs if pair.split == "test"}) == 1
    assert commit_pairs(commits[::-1], seed=3, hold_out=1, count=12) == pairs


def test_a_study_reads_them_as_choices_and_for_no_other_task(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    from outdo.cli.sources import examples_of

    rows = [
        {"repo": one.repo, "sha": one.sha, "path": one.path, "before": one.before,
         "after": one.after, "subject": one.subject, "license": one.licence}
        for one in map(commit, range(6))
    ]  # fmt: skip
    (tmp_path / "commits.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    spec = Commits(source="commits", path="commits.jsonl")
    examples, notes = examples_of(spec, tmp_path, 1, sandbox, task="prefer")
    assert len(examples) == 6 and notes == []
    assert Counter(row.wanted["choice"] for row in examples) == {"first": 3, "second": 3}
    even = spec.model_copy(update={"lengths": "even"})
    assert examples_of(even, tmp_path, 1, sandbox, task="prefer") == (
        [],
        ["6 left out: so that the better program is as often the shorter one"],
    )
    silent = spec.model_copy(update={"criterion": "absent", "lengths": "even"})
    shorter = [{**row, "before": row["after"], "after": row["before"]} for row in rows[:2]]
    fixes = [{**row, "subject": "Make it faster"} for row in shorter]
    (tmp_path / "commits.jsonl").write_text(
        "".join(json.dumps({**row, "sha": f"f{row['sha']}"[:40]}) + "\n" for row in fixes)
        + "".join(json.dumps(row) + "\n" for row in rows)
    )
    assert examples_of(silent, tmp_path, 1, sandbox, task="prefer")[0] == [], (
        "lengths are even within what the message says, whether or not that is told"
    )
    with pytest.raises(DataError, match="no examples of 'repair'"):
        examples_of(spec, tmp_path, 1, sandbox, task="repair")
