"""Pull requests as data: read, scrubbed, split by repository and time, half of them broken."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from outdo import diffs
from outdo.data.pulls import (
    LATER,
    LONGEST_DIFF,
    NEVER,
    SEEN,
    TASKS,
    Pull,
    pull_examples,
    read_pulls,
    type_of,
)
from outdo.data.reviews import read_reviews
from outdo.data.rows import Mistakes
from outdo.errors import DataError
from outdo.records import Example
from outdo.tasks import Task, describe, improve, review

TASK: dict[str, Task] = {
    "describe": describe.task,
    "review": review.task,
    "improve": improve.task,
}


def diff_of(name: str, body: str = "    if {0} > limit:\n        return {0}\n") -> str:
    rows = [f"+def {name}(limit):", *("+" + row for row in body.format(name).splitlines())]
    return (
        f"diff --git a/src/{name}.py b/src/{name}.py\nnew file mode 100644\n--- /dev/null\n"
        f"+++ b/src/{name}.py\n@@ -0,0 +1,{len(rows)} @@\n" + "\n".join(rows) + "\n"
    )


def row(repo: str, number: int, **changes: Any) -> dict[str, Any]:
    name = f"f{repo[-1]}{number}"
    return {
        "repo": repo,
        "number": number,
        "license": "MIT",
        "date": f"2024-01-{number:02}",
        "title": f"Add {name} with a limit (#{number})",
        "body": f"It stops at the limit of {name}.",
        "diff": diff_of(name),
        **changes,
    }


def written(folder: Path, rows: Sequence[dict[str, Any]]) -> Path:
    path = folder / "pulls.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")
    return path


@pytest.fixture
def many(tmp_path: Path) -> list[Pull]:
    repos = [f"shop/{letter}" for letter in "abcdefghi"]
    return list(read_pulls(written(tmp_path, [row(r, n) for r in repos for n in range(1, 11)])))


# ------------------------------------------------------------------ reading


def test_a_row_is_read_and_scrubbed(tmp_path: Path) -> None:
    mail = "anna" + "@" + "example.org"
    body = f"    return 1 > limit  # ask {mail}\n"
    changed = row("shop/a", 1, title=":bug: Ask  anna (#1)", body=mail, diff=diff_of("x", body))
    (pull,) = read_pulls(written(tmp_path, [changed]))
    assert (pull.id, pull.title, pull.licence) == ("shop/a#1", "Ask anna", "MIT")
    assert mail not in pull.diff + pull.body
    assert diffs.parse(pull.diff).files[0].hunks[0].new_count == 2


def test_columns_may_have_other_names(tmp_path: Path) -> None:
    path = written(tmp_path, [{"project": "a", "patch": diff_of("x"), "headline": "Add x there"}])
    columns = {"repo": "project", "diff": "patch", "title": "headline"}
    (pull,) = read_pulls(path, columns=columns)
    assert pull.repo == "a" and pull.title == "Add x there" and pull.number
    with pytest.raises(DataError, match="no field 'patch'"):
        list(read_pulls(path, columns={"patch": "patch"}))
    with pytest.raises(DataError, match="the row has no repo"):
        list(read_pulls(path))


def test_what_can_not_be_used_is_left_out_and_counted(tmp_path: Path) -> None:
    lock = diff_of("x").replace("src/x.py", "poetry.lock")
    rows = [
        row("shop/a", 1),
        row("shop/a", 2, diff=diff_of("fa1")),
        row("shop/a", 3, diff="no diff at all"),
        row("shop/a", 4, diff=diff_of("y", "    x\n" * (LONGEST_DIFF // 5))),
        row("shop/a", 5, diff=lock),
        row("shop/a", 6, license="AGPL-3.0"),
        row("shop/a", 7, license=""),
        row("shop/a", 8, license="own"),
    ]
    mistakes = Mistakes()
    read = list(read_pulls(written(tmp_path, rows), licences=[], mistakes=mistakes))
    assert [pull.number for pull in read] == ["1", "8"]
    assert mistakes.counts == {
        "the same diff again": 1,
        "the diff has no hunks that can be read": 1,
        "the diff has more than 200,000 characters": 1,
        "the diff has no file that somebody wrote": 1,
        "AGPL-3.0 is not permitted": 1,
        "no licence is told": 1,
    }
    named = list(read_pulls(written(tmp_path, rows), licences=["AGPL-3.0"]))
    assert [pull.number for pull in named] == ["1", "6", "8"]


def test_mistakes_are_told_with_their_line_or_dropped(tmp_path: Path) -> None:
    path = written(tmp_path, [row("shop/a", 1), {"repo": "shop/a"}])
    with pytest.raises(DataError, match=r"pulls.jsonl:2: the row has no diff"):
        list(read_pulls(path))
    mistakes = Mistakes(dropping=True)
    assert len(list(read_pulls(path, mistakes=mistakes))) == 1 and mistakes.counts.total() == 1
    with pytest.raises(DataError, match="the id 'shop/a#1' stood before"):
        list(read_pulls(written(tmp_path, [row("shop/a", 1), row("shop/a", 1, diff=diff_of("z"))])))
    with pytest.raises(DataError, match="no row could be used"):
        list(read_pulls(written(tmp_path, [row("shop/a", 1, diff="none")])))


@pytest.mark.parametrize(
    ("title", "paths", "kind"),
    [
        ("Fix the parser", ["a.py"], "bug fix"),
        ("fix(core): do it", ["a.py"], "bug fix"),
        ("Fix a typo", ["docs/a.md", "a.py"], "documentation"),
        ("Add a parser", ["a.py", "tests/test_a.py"], "enhancement"),
        ("feat: streams", ["a.py"], "enhancement"),
        ("Add tests of the parser", ["tests/test_a.py", "setup.cfg"], "tests"),
        ("Whatever", ["tests/test_a.py"], "tests"),
        ("Whatever", ["README.md"], "documentation"),
        ("Bump ruff", ["pyproject.toml"], "other"),
        ("Refactor the parser", ["a.py"], "other"),
        ("New ways", ["a.py"], None),
    ],
)
def test_the_type_follows_from_title_and_files(
    title: str, paths: list[str], kind: str | None
) -> None:
    assert type_of(title, paths) == kind and (kind is None or kind in describe.TYPES)


# ------------------------------------------------------------------ examples


def made(pulls: Sequence[Pull], **settings: Any) -> list[Example]:
    return pull_examples(pulls, **{"tasks": TASKS, "seed": 0, "hold_out": 2, **settings})


def test_each_pull_request_gives_an_example_of_each_task(many: list[Pull]) -> None:
    examples = made(many)
    assert Counter(one.task for one in examples) == dict.fromkeys(TASKS, 90)
    assert len({one.id for one in examples}) == 270
    (one,) = (e for e in examples if e.id == "describe/shop/a#1")
    assert one.group == one.given["repo"] == "shop/a"
    assert (one.given["language"], one.given["size"]) == ("Python", "small")
    assert one.wanted == {
        "title": "Add fa1 with a limit",
        "body": "It stops at the limit of fa1.",
        "type": "enhancement",
    }


def test_repositories_and_the_newest_are_held_out(many: list[Pull]) -> None:
    examples = [one for one in made(many) if one.task == "describe"]
    repos = {
        source: {one.group for one in examples if one.source == source}
        for source in (NEVER, LATER, SEEN)
    }
    assert len(repos[NEVER]) == 2 and not repos[NEVER] & repos[SEEN]
    assert repos[LATER] == repos[SEEN] and len(repos[SEEN]) == 7
    assert {one.given["number"] for one in examples if one.source == LATER} == {"10"}
    assert {(one.source, one.split) for one in examples} == {
        (NEVER, "test"),
        (LATER, "test"),
        (SEEN, "train"),
    }


def test_one_repository_is_never_held_out_alone(tmp_path: Path) -> None:
    pulls = list(read_pulls(written(tmp_path, [row("shop/a", n) for n in range(1, 11)])))
    sources = Counter(one.source for one in made(pulls, tasks=["describe"]))
    assert sources == {SEEN: 9, LATER: 1}
    assert {one.split for one in made(pulls, newest=0.0)} == {"train"}


def test_half_are_clean_and_the_same_half_in_both_tasks(many: list[Pull]) -> None:
    examples = made(many)
    clean = {
        task: {
            e.given["number"] + e.group for e in examples if e.task == task and e.wanted["clean"]
        }
        for task in ("review", "improve")
    }
    assert clean["review"] == clean["improve"]
    for source in (NEVER, LATER, SEEN):
        part = [e for e in examples if e.task == "review" and e.source == source]
        assert abs(sum(e.wanted["clean"] for e in part) - len(part) / 2) <= 1
    assert all(e.wanted["clean"] for e in made(many, inject=0.0) if e.task == "review")
    assert not any(e.wanted["clean"] for e in made(many, inject=1.0) if e.task == "review")


def test_review_and_improve_show_one_bug_in_one_diff(many: list[Pull]) -> None:
    by_id = {one.id: one for one in made(many, inject=1.0)}
    for one in (e for e in by_id.values() if e.task == "review"):
        other = by_id[one.id.replace("review", "improve")]
        assert one.given["diff"] == other.given["diff"]
        (issue,), (fix,) = one.wanted["issues"], other.wanted["fixes"]
        assert issue["file"] == fix["file"] and fix["first"] <= issue["first"] <= fix["last"]
        assert one.wanted["slip"]["after"] in fix["existing"]
        assert one.wanted["slip"]["before"] in fix["improved"]
        assert one.wanted["kind"] == one.wanted["slip"]["operator"]


def test_gold_is_full_marks_and_bait_is_not(many: list[Pull]) -> None:
    for one in made(many):
        task = TASK[one.task]
        for reply, wanted in ((task.gold(one), 1.0), (task.bait(one), 0.0)):
            scores = {s.metric: s for s in task.score(one, task.parse(reply, one), None)}
            assert scores[task.metrics[0].name].value == wanted, (one.id, reply)


def test_examples_depend_on_the_seed_and_not_on_the_order(many: list[Pull]) -> None:
    assert sorted(made(many), key=str) == sorted(made(many[::-1]), key=str)
    assert made(many, seed=1) != made(many)


def test_a_larger_count_only_adds(many: list[Pull]) -> None:
    few, more = (made(many, count=count, tasks=["describe"]) for count in (18, 36))
    assert len(few) == 18 and {one.id for one in few} < {one.id for one in more}
    assert set(Counter(one.group for one in few).values()) == {2}
    assert [one for one in more if one.id in {e.id for e in few}] == few


def test_changes_of_some_sizes_alone_can_be_asked_for(tmp_path: Path) -> None:
    long = diff_of("y", "".join(f"    n = n + {place}\n" for place in range(30)))
    rows = [row("shop/a", 1), row("shop/a", 2, diff=long), row("shop/b", 3)]
    pulls = list(read_pulls(written(tmp_path, rows)))
    sizes = {one.id: one.given["size"] for one in made(pulls)}
    assert sorted(set(sizes.values())) == ["medium", "small"]
    dropped: Counter[str] = Counter()
    small = made(pulls, sizes=["small"], dropped=dropped)
    assert {one.id for one in small} == {id for id, size in sizes.items() if size == "small"}
    assert dropped["the change is of another size"] == 1


def test_what_teaches_nothing_is_counted(tmp_path: Path) -> None:
    rows = [
        row("shop/a", 1, title="wip"),
        row("shop/a", 2, title="Merge branch 'main' into it"),
        row("shop/a", 3, title="x " * 60),
        row("shop/a", 4, diff=diff_of("z", "    return\n")),
        row("shop/a", 5),
    ]
    dropped: Counter[str] = Counter()
    examples = made(list(read_pulls(written(tmp_path, rows))), dropped=dropped)
    assert Counter(one.task for one in examples) == {"describe": 2, "review": 4, "improve": 4}
    assert sorted(dropped.values()) == [1, 3]


def test_a_line_that_stands_twice_is_mended_with_its_neighbours(tmp_path: Path) -> None:
    body = "    x = 1\n    if limit:\n        break\n    y = 2\n    if limit:\n        break\n"
    diff = diff_of("z", body)
    (pull,) = read_pulls(written(tmp_path, [row("shop/a", 1, diff=diff)]))
    for seed in range(12):
        for one in pull_examples([pull], tasks=["improve"], seed=seed, inject=1.0):
            scores = improve.task.score(one, improve.task.parse(improve.task.gold(one), one), None)
            assert all(s.value == 1.0 for s in scores), one.wanted


# ------------------------------------------------------------------ people's comments


def comment(**changes: Any) -> dict[str, Any]:
    made = {
        "path": "src/x.py",
        "from_line": 3,
        "to_line": 2,
        "side": "right",
        "note": "**Bug**: it.",
    }
    return {**made, **changes}


def reviewed(folder: Path, **changes: Any) -> tuple[list[Example], Counter[str]]:
    one = {"repo": "shop/a", "pr": "x/pull/7", "diff": diff_of("x"), "comments": [comment()]}
    dropped: Counter[str] = Counter()
    path = written(folder, [{**one, **changes}])
    return list(read_reviews(path, dropped=dropped)), dropped


def test_accepted_comments_are_issues_and_rejected_ones_are_none(tmp_path: Path) -> None:
    rejected = [comment(from_line=1, to_line=1)]
    (one,), dropped = reviewed(tmp_path, rejected_comments=rejected)
    assert (one.id, one.split, one.group) == ("review/shop/a#7", "test", "shop/a")
    (issue,) = one.wanted["issues"]
    assert (issue["file"], issue["first"], issue["last"]) == ("src/x.py", 2, 3)
    assert (issue["header"], issue["content"]) == ("Bug:", "**Bug**: it.")
    assert one.wanted["rejected"][0]["first"] == 1 and one.wanted["clean"] is False
    assert not dropped


def test_comments_that_nobody_could_find_are_counted(tmp_path: Path) -> None:
    strange = [comment(side="left"), comment(from_line=99, to_line=99), comment(path="z.py")]
    (one,), dropped = reviewed(tmp_path, comments=[comment(), *strange])
    assert len(one.wanted["issues"]) == 1 and dropped.total() == 3
    with pytest.raises(DataError, match="no row could be used"):
        reviewed(tmp_path, comments=strange)
    with pytest.raises(DataError, match="comments is no list of comments"):
        reviewed(tmp_path, comments="none")
    with pytest.raises(DataError, match="the row has no diff"):
        reviewed(tmp_path, diff="")


def test_reviews_of_the_open_set(aacr: Path) -> None:
    examples = list(read_reviews(aacr))
    assert len(examples) == 6 and sum(len(one.wanted["issues"]) for one in examples) == 23
    for one in examples:
        found = {
            s.metric: s.value
            for s in review.task.score(one, review.task.parse(review.task.gold(one), one), None)
        }
        assert found["right"] == found["precision"] == found["grounded"] == 1.0


# ------------------------------------------------------------------ the real set


def test_real_pull_requests_prove_the_tasks(pull_requests: Path, tmp_path: Path) -> None:
    with gzip.open(pull_requests / "prs.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [json.loads(line) for line in stream][::160]
    pulls = list(read_pulls(written(tmp_path, rows), licences=[]))
    examples = made(pulls, hold_out=6)
    assert len(pulls) >= 48 and len(examples) > 110
    for one in examples:
        task = TASK[one.task]
        answer = task.parse(task.gold(one), one)
        assert answer.repaired_by is None and answer.problem is None
        for score in task.score(one, answer, None):
            assert score.value == (0.0 if score.metric == "false_alarm" else 1.0), (one.id, score)
        bait = task.score(one, task.parse(task.bait(one), one), None)
        assert next(s.value for s in bait if s.metric == task.metrics[0].name) == 0.0
