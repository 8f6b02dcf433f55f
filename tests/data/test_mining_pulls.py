"""Pull requests out of a repository alone: squashed, merged, and those that lie in refs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from repositories import BETTER, MODULE, Story, begun

from outdo.data.mining.commits import Mined
from outdo.data.mining.git import Repository
from outdo.data.mining.pull_rows import PullFilters, cleaned, files_of
from outdo.data.mining.pulls import mine_pulls
from outdo.data.pulls import pull_examples, read_pulls
from outdo.errors import DataError

TITLE = "Multiply by two instead of adding"


def mined(folder: Path, out: Path, **options: object) -> tuple[list[dict[str, object]], Mined]:
    done = mine_pulls(Repository.opened(folder), out, **options)  # type: ignore[arg-type]
    return [json.loads(line) for line in out.read_bytes().splitlines()], done


def reasons(done: Mined) -> dict[str, int]:
    return {why: count for gate in done.told["gates"] for why, count in gate["reasons"].items()}


def test_a_squashed_pull_request_has_title_body_and_what_it_was_made_of(tmp_path: Path) -> None:
    story = begun()
    body = "* Multiply first\n\n* Say why it is so\n\nCo-authored-by: Bob <bob@people.example.org>"
    story.commit(f"{TITLE} (#12)\n\n{body}", {"double.py": BETTER})
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl", repo="some/where")
    (row,) = rows
    assert (row["number"], row["title"], row["merged_as"]) == (12, TITLE, "squash")
    assert row["body"] == "* Multiply first\n\n* Say why it is so"
    assert row["files"] == [{"path": "double.py", "added": "1", "deleted": "1"}]
    assert [each["subject"] for each in row["commits"]] == [  # type: ignore[attr-defined]
        "Multiply first",
        "Say why it is so",
    ]
    assert (row["repo"], row["license"], row["date"]) == ("some/where", "MIT", "2023-11-14")
    assert done.looked_at == done.kept == 1


def test_a_squashed_pull_request_whose_head_is_there_has_its_own_commits(tmp_path: Path) -> None:
    story = begun()
    first = story.commit("Try another way of it", {"double.py": BETTER + b"# x\n"}, onto=[1],
                         branch="refs/heads/w")  # fmt: skip
    last = story.commit("Take the remark out\n\nIt says nothing.", {"double.py": BETTER},
                        onto=[first], branch="refs/heads/w")  # fmt: skip
    story.commit(f"{TITLE} (#7)", {"double.py": BETTER}, onto=[1])
    story.reference("refs/pull/7/head", last)
    rows, _ = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    told = [(each["subject"], each["body"]) for each in rows[0]["commits"]]  # type: ignore[attr-defined]
    assert told == [("Try another way of it", ""), ("Take the remark out", "It says nothing.")]


def test_a_merged_pull_request_is_what_its_branch_did(tmp_path: Path) -> None:
    story = begun()
    side = story.commit(TITLE, {"double.py": BETTER}, onto=[1], branch="refs/heads/w")
    main = story.commit("Add what others need too", {"other.py": MODULE}, onto=[1])
    story.commit(f"Merge pull request #3 from ann/w\n\n{TITLE}\n\nIt is the same.",
                 {"double.py": BETTER}, onto=[main, side])  # fmt: skip
    rows, _ = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    (row,) = rows
    assert (row["number"], row["merged_as"], row["title"]) == (3, "merge", TITLE)
    assert row["body"] == "It is the same." and "other.py" not in str(row["diff"])
    assert [each["subject"] for each in row["commits"]] == [TITLE]  # type: ignore[attr-defined]


def test_what_lies_in_refs_alone_is_compared_with_where_it_left(tmp_path: Path) -> None:
    story = begun()
    one = story.commit(f"{TITLE}\n\nAs they are equal.", {"double.py": BETTER}, onto=[1],
                       branch="refs/heads/a")  # fmt: skip
    two = story.commit("Say more about doubling", {"double.py": BETTER + b"# more\n"}, onto=[one],
                       branch="refs/heads/b")  # fmt: skip
    story.commit("Go on with something else", {"other.py": MODULE}, onto=[1])
    story.reference("refs/pull/20/head", one)
    story.reference("refs/pull/21/head", two)
    story.reference("refs/pull/22/head", 1)
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    assert [(row["number"], row["title"], row["merged_as"]) for row in rows] == [
        (20, TITLE, "refs"),
        (21, "", "refs"),
    ]
    assert rows[0]["body"] == "As they are equal." and len(rows[1]["commits"]) == 2  # type: ignore[arg-type]
    assert reasons(done) == {"merged, and no commit says which": 1}


def test_what_teaches_nothing_is_counted_at_its_gate(tmp_path: Path) -> None:
    story = begun()
    story.commit("Bump requests from 1 to 2 (#1)", {"double.py": BETTER})
    story.commit("Say what it does (#2)", {"README.md": b"It doubles.\n"})
    story.commit("Lock what is used (#3)", {"uv.lock": b"a = 1\n"})
    story.commit("Add what is missing (#4)", {f"n{n}.py": MODULE for n in range(4)})
    story.commit("Draw a picture of it (#5)", {"x.py": b"\x00\x01"})
    story.commit(
        "Add a table of numbers (#6)", {"t.py": b"".join(b"%d,\n" % n for n in range(50_000))}
    )
    story.commit("Doubles in other letters (#7)", {"double.py": b"# \xe4\n"})
    story.commit("Add for a machine (#8)", {"double.py": MODULE}, author="renovate[bot] <a@b.c>")
    folder = story.told(tmp_path / "r")
    rows, done = mined(folder, tmp_path / "o.jsonl", filters=PullFilters(most_files=3))
    told = reasons(done)
    assert rows == [] and sum(told.values()) == 8
    assert told["a new version, or other dependencies"] == told["a bot"] == 1
    assert told["no file of a language that is wanted"] == told["more than 3 changed files"] == 1
    assert told["no file that somebody wrote has changed lines"] == 2
    assert told["more than 200,000 characters"] == told["a file that is no UTF-8"] == 1
    rows, _ = mined(folder, tmp_path / "any.jsonl", filters=PullFilters(languages=("any",)))
    assert [row["number"] for row in rows] == [4, 2]


def test_a_number_is_looked_at_once_whatever_comes_later(tmp_path: Path) -> None:
    story = begun()
    for number in range(1, 8):
        text = MODULE.replace(b"/ 2", b"/ %d" % (number + 2))
        story.commit(f"Divide by {number + 2}, as was asked (#{number})", {"double.py": text})
    folder = story.told(tmp_path / "r")
    out = tmp_path / "o.jsonl"
    rows, done = mined(folder, out, limit=3)
    assert len(rows) == 3 and not done.done
    more = Story(marks=100)
    more.commit(f"{TITLE} (#9)", {"double.py": BETTER})
    more.added(folder)
    rows, done = mined(folder, out)
    assert sorted(int(str(row["number"])) for row in rows) == [1, 2, 3, 4, 5, 6, 7, 9]
    assert done.done and done.now == 5
    assert mined(folder, out)[1].now == 0


def test_a_run_that_was_stopped_at_once_goes_on(tmp_path: Path) -> None:
    story = begun()
    story.commit(f"{TITLE} (#9)", {"double.py": BETTER})
    folder, out = story.told(tmp_path / "r"), tmp_path / "o.jsonl"

    def stop(looked: int, total: int | None, kept: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mined(folder, out, progress=stop)
    rows, done = mined(folder, out)
    assert [row["number"] for row in rows] == [9] and done.done


def test_the_rows_are_those_that_pull_requests_are_read_from(tmp_path: Path) -> None:
    story = begun()
    for number in range(1, 5):
        text = MODULE.replace(b"/ 2", b"/ %d" % (number + 2))
        story.commit(f"Divide by {number + 2}, as was asked (#{number})", {"double.py": text})
    mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    pulls = list(read_pulls(tmp_path / "o.jsonl", licences=()))
    assert len(pulls) == 4 and {pull.licence for pull in pulls} == {"MIT"}
    examples = pull_examples(pulls, tasks=["describe"], seed=0)
    assert len(examples) == 4


def test_secrets_have_one_placeholder_in_all_of_a_row() -> None:
    diff = "+# bob@people.example.org\n+# ann@people.example.org\n"
    commits = [{"body": "a\x00b"}]
    row = {"title": "Ask ann@people.example.org", "n": 3, "commits": commits, "diff": diff}
    clean, found = cleaned(row)
    assert clean["title"] == "Ask <email-1>" and found["email"] == 3
    assert clean["diff"] == "+# <email-2>\n+# <email-1>\n"
    assert clean["commits"] == [{"body": "a\ufffdb"}] and clean["n"] == 3


def test_binary_files_have_no_numbers_of_lines() -> None:
    diff = (
        "diff --git a/x.png b/x.png\nindex 1..2 100644\nBinary files a/x.png and b/x.png differ\n"
    )
    assert files_of(diff) == [{"path": "x.png", "added": "-", "deleted": "-"}]


def test_filters_that_let_nothing_through_are_refused() -> None:
    with pytest.raises(DataError, match=r"no language is called 'go' \(say Go\)"):
        PullFilters(languages=("go",)).checked()
    with pytest.raises(DataError, match="most_files is 0"):
        PullFilters(most_files=0).checked()
