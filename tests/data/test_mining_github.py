"""Pull requests from a server: pages, limits, unchanged pages, and what is said of lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from github_server import GitHub, pull, served, user

from outdo.data.mining import rest as interface
from outdo.data.mining.commits import Mined
from outdo.data.mining.github import is_name, mine_github
from outdo.data.mining.rest import Reply, Rest, pause
from outdo.data.pulls import read_pulls
from outdo.errors import DataError

NOW = 1_700_000_000.0


@pytest.fixture
def github() -> Iterator[GitHub]:
    with served(GitHub(pulls=[pull(n) for n in range(1, 6)])) as server:
        yield server


class Clock:
    """A clock that waiting sets forward."""

    def __init__(self) -> None:
        self.time = NOW
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += seconds


def asking(github: GitHub, clock: Clock | None = None, token: str = "") -> Rest:
    clock = clock or Clock()
    return Rest(github.url, token, wait=clock.wait, now=lambda: clock.time)


def mined(
    github: GitHub, out: Path, clock: Clock | None = None, **options: object
) -> tuple[list[dict[str, object]], Mined]:
    rest = asking(github, clock, token="sesame")
    done = mine_github("ann/work", out, rest=rest, **options)  # type: ignore[arg-type]
    return [json.loads(line) for line in out.read_bytes().splitlines()], done


def reasons(done: Mined) -> dict[str, int]:
    return {why: count for gate in done.told["gates"] for why, count in gate["reasons"].items()}


def test_merged_pull_requests_come_page_by_page(github: GitHub, tmp_path: Path) -> None:
    github.commits = [{"sha": "c" * 40, "commit": {"message": "Multiply\n\nCc: Bob <bob@x.org>"}}]
    rows, done = mined(github, tmp_path / "o.jsonl")
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]
    assert github.tokens == {"Bearer sesame"}
    row = rows[0]
    assert (row["repo"], row["license"], row["date"]) == ("ann/work", "MIT", "2024-05-02")
    assert row["body"] == "As <email-1> asked.\n\nIt is the same."
    assert row["commits"] == [{"sha": "c" * 40, "subject": "Multiply", "body": ""}]
    assert row["files"] == [{"path": "double.py", "added": "1", "deleted": "1"}]
    assert done.done and done.looked_at == 5
    assert len(list(read_pulls(tmp_path / "o.jsonl", licences=()))) == 5
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "sesame" not in text and "people.example.org" not in text


def test_reviews_and_comments_keep_file_and_line_and_no_names(
    github: GitHub, tmp_path: Path
) -> None:
    github.pulls = [pull(1)]
    said = {"author_association": "MEMBER", "created_at": "2024-05-01T11:00:00Z"}
    place = {"path": "double.py", "side": "RIGHT", "original_commit_id": "d" * 40}
    github.reviews = [
        {"id": 7, "user": user("zoe"), "state": "CHANGES_REQUESTED", "body": "Not yet.", **said}
    ]
    github.comments = [
        {"id": 8, "user": user("zoe"), "body": "Why not <<?", "line": 2, "start_line": None,
         "pull_request_review_id": 7, "diff_hunk": "@@ -1,2 +1,2 @@", **place, **said},
        {"id": 9, "user": user("ann"), "body": "It is\r\nclearer.", "line": 2, "in_reply_to_id": 8,
         "start_line": 1, **place, **said},
        {"id": 10, "user": user("lint[bot]", "Bot"), "body": "Line is gone.", "line": None,
         "original_line": 40, "original_start_line": 38, **place, **said},
        {"id": 11, "user": None, "body": "I left.", "line": 1, **place, **said},
    ]  # fmt: skip
    github.discussion = [{"id": 12, "user": user("yan"), "body": "Thanks.", **said}]
    (row,), _ = mined(github, tmp_path / "o.jsonl")
    (review,) = row["reviews"]  # type: ignore[attr-defined]
    assert (review["by"], review["state"], review["body"]) == (
        "reviewer-1", "CHANGES_REQUESTED", "Not yet.",
    )  # fmt: skip
    comments: list[dict[str, object]] = row["comments"]  # type: ignore[assignment]
    assert [each["by"] for each in comments] == ["reviewer-1", "author", "bot", "reviewer-2"]
    assert [each["line"] for each in comments] == [2, 2, 40, 1]
    assert [each["start_line"] for each in comments] == [None, 1, 38, None]
    assert [each["outdated"] for each in comments] == [False, False, True, False]
    assert [each["reply_to"] for each in comments] == [None, 8, None, None]
    assert comments[0]["path"] == "double.py" and comments[0]["diff_hunk"] == "@@ -1,2 +1,2 @@"
    assert comments[0]["review"] == 7 and comments[0]["association"] == "MEMBER"
    assert comments[1]["body"] == "It is\nclearer."
    assert [each["body"] for each in row["discussion"]] == ["Thanks."]  # type: ignore[attr-defined]
    assert not {"zoe", "yan", "ann"} & set(json.dumps(row).split('"'))


def test_long_lists_are_read_to_their_end(github: GitHub, tmp_path: Path) -> None:
    github.pulls = [pull(1)]
    github.discussion = [{"id": n, "user": user("zoe"), "body": f"no. {n}"} for n in range(5)]
    (row,), _ = mined(github, tmp_path / "o.jsonl")
    assert len(row["discussion"]) == 5  # type: ignore[arg-type]


def test_what_teaches_nothing_is_not_asked_for(github: GitHub, tmp_path: Path) -> None:
    github.pulls = [
        pull(1, merged_at=None),
        pull(2, user=user("dependabot[bot]", "Bot")),
        pull(3, title="Bump requests from 1 to 2"),
        pull(4),
        pull(5),
        pull(6, user=None),
    ]
    github.diffs = {
        4: "",
        5: "diff --git a/x.md b/x.md\n--- a/x.md\n+++ b/x.md\n@@ -1 +1 @@\n-a\n+b\n",
    }
    rows, done = mined(github, tmp_path / "o.jsonl")
    assert [row["number"] for row in rows] == [6]
    told = reasons(done)
    assert told["closed without a merge"] == told["a bot"] == 1
    assert told["a new version, or other dependencies"] == 1
    assert told["no file of a language that is wanted"] == 1
    why = "the server gives no diff: Sorry, the diff exceeded the maximum number of lines (20000)"
    assert told[why] == 1
    assert not any("/pulls/1" in path or "/pulls/5/" in path for path in github.asked)


def test_a_run_that_was_stopped_asks_no_pull_request_again(github: GitHub, tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    rows, done = mined(github, out, limit=3)
    assert [row["number"] for row in rows] == [1, 2, 3] and not done.done
    github.asked.clear()
    rows, done = mined(github, out)
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5] and done.done
    assert not any(f"/pulls/{n}" in path for n in (1, 2, 3) for path in github.asked)
    assert github.unchanged == 1, "of two pages begun, one was looked at whole"


def test_what_was_closed_since_is_added_and_pages_that_stayed_cost_nothing(
    github: GitHub, tmp_path: Path
) -> None:
    out = tmp_path / "o.jsonl"
    mined(github, out)
    github.asked.clear()
    github.pulls.append(pull(6))
    rows, done = mined(github, out)
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5, 6] and done.now == 1
    assert github.unchanged == 2
    assert sum("/pulls/6" in path for path in github.asked) == 4


def test_an_interrupted_run_keeps_what_it_has(github: GitHub, tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"

    def stop(looked: int, total: int | None, kept: int) -> None:
        if looked == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mined(github, out, progress=stop)
    rows, _ = mined(github, out)
    assert [row["number"] for row in rows] == [1, 2, 3, 4, 5]


# ------------------------------------------------------------------ limits


def test_limits_are_waited_for_and_nothing_is_lost(github: GitHub, tmp_path: Path) -> None:
    clock = Clock()
    github.wrong = [
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW) + 90)},
         b'{"message": "API rate limit exceeded"}'),
        (403, {"retry-after": "30"}, b'{"message": "You have exceeded a secondary rate limit"}'),
        (502, {}, b"<html>Bad gateway</html>"),
    ]  # fmt: skip
    rows, _ = mined(github, tmp_path / "o.jsonl", clock)
    assert len(rows) == 5
    assert clock.waits == [91.0, 30.0, 4.0]


def reply(status: int, headers: dict[str, str] | None = None, message: str = "") -> Reply:
    return Reply(status, headers or {}, json.dumps({"message": message}).encode())


@pytest.mark.parametrize(
    ("answer", "attempt", "seconds"),
    [
        (reply(200), 0, None),
        (reply(304), 0, None),
        (reply(404), 0, None),
        (reply(422), 0, None),
        (reply(403, message="Resource not accessible"), 0, None),
        (reply(403, {"x-ratelimit-remaining": "12", "x-ratelimit-reset": "9"}), 0, None),
        (reply(403, {"retry-after": "7"}), 0, 7.0),
        (reply(429, {"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}), 0, 60.0),
        (reply(429, {"retry-after": "soon"}), 0, 60.0),
        (reply(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000010"}), 0, 11.0),
        (reply(403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}), 0, 1.0),
        (reply(403, message="You have exceeded a secondary rate limit."), 0, 60.0),
        (reply(403, message="You have exceeded a secondary rate limit."), 2, 240.0),
        (reply(500), 3, 8.0),
        (reply(503, {"retry-after": "5"}), 3, 5.0),
    ],
)
def test_how_long_a_server_asks_to_wait(answer: Reply, attempt: int, seconds: float | None) -> None:
    assert pause(answer, now=NOW, attempt=attempt) == seconds


def test_a_limit_that_lasts_too_long_is_told_instead(github: GitHub, tmp_path: Path) -> None:
    github.wrong = [(429, {"retry-after": "7200"}, b"{}")]
    with pytest.raises(DataError, match=r"its limit ends in 120 minutes.*goes on where this"):
        mined(github, tmp_path / "o.jsonl")


def test_a_server_that_stays_broken_is_asked_a_few_times(github: GitHub, tmp_path: Path) -> None:
    clock = Clock()
    github.wrong = [(500, {}, b"")] * 9
    with pytest.raises(DataError, match="the server can't be asked: HTTP 500"):
        mined(github, tmp_path / "o.jsonl", clock)
    assert clock.waits == [1.0, 2.0, 4.0, 8.0]


def test_nobody_at_the_address_is_said(tmp_path: Path) -> None:
    clock = Clock()
    rest = Rest("http://127.0.0.1:9", wait=clock.wait, now=lambda: clock.time)
    with pytest.raises(DataError, match=r"the server can't be asked: .*refused"):
        mine_github("ann/work", tmp_path / "o.jsonl", rest=rest)


# ------------------------------------------------------------------ what can't be had


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (401, "Bad credentials", r"the token was refused \(see GITHUB_TOKEN\)"),
        (403, "Resource not accessible by token", "this may not be read: Resource not accessible"),
        (404, "Not Found", "HTTP 404: Not Found"),
        (451, "Repository access blocked", "HTTP 451: Repository access blocked"),
    ],
)
def test_refusals_are_one_line(
    github: GitHub, tmp_path: Path, status: int, message: str, told: str
) -> None:
    github.wrong = [(status, {}, json.dumps({"message": message}).encode())]
    with pytest.raises(DataError, match=told) as error:
        mined(github, tmp_path / "o.jsonl")
    assert "sesame" not in str(error.value) and not (tmp_path / "o.jsonl").exists()


def test_what_is_no_json_is_said(github: GitHub, tmp_path: Path) -> None:
    github.wrong = [(200, {}, b"<html>Welcome</html>")]
    with pytest.raises(DataError, match="the reply isn't JSON"):
        mined(github, tmp_path / "o.jsonl")


@pytest.mark.parametrize("body", [b'{"message": "hello"}', b'["hello"]'])
def test_json_of_another_shape_is_said(github: GitHub, tmp_path: Path, body: bytes) -> None:
    about = b'{"full_name": "ann/work", "license": {"spdx_id": "MIT"}}'
    github.wrong = [(200, {}, about), (200, {}, body)]
    with pytest.raises(DataError, match="the server sent no list"):
        mined(github, tmp_path / "o.jsonl")
    github.wrong = [(200, {}, b"[1]")]
    with pytest.raises(DataError, match="the server sent no object"):
        mined(github, tmp_path / "p.jsonl")


def test_a_token_goes_to_no_other_server(github: GitHub, tmp_path: Path) -> None:
    github.wrong = [(301, {"location": "http://elsewhere.example.org/repos/ann/work"}, b"")]
    with pytest.raises(DataError, match=r"the server leads to http://elsewhere\.example\.org"):
        mined(github, tmp_path / "o.jsonl")
    github.wrong = [(301, {"location": "/repos/ann/work"}, b"")]
    assert len(mined(github, tmp_path / "o.jsonl")[0]) == 5
    with pytest.raises(DataError, match="a token would be sent where everybody can read it"):
        Rest("http://git.example.org/api/v3", "sesame")
    assert "sesame" not in repr(Rest("https://git.example.org/api/v3", "sesame"))


def test_an_address_that_is_none_is_said() -> None:
    with pytest.raises(DataError, match="this is no address of a server"):
        Rest("git.example.org")


def test_a_reply_without_end_is_cut(github: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interface, "MOST_BYTES", 100)
    assert asking(github).ask("repos/ann/work/pulls").status == 413


def test_the_token_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", " sesame\n")
    assert Rest.of_environment(None).token == "sesame"
    assert Rest.of_environment("https://host/api/v3/").base_url == "https://host/api/v3"


@pytest.mark.parametrize("licence", [None, "NOASSERTION", "GPL-3.0"])
def test_a_licence_that_does_not_permit_is_refused(
    github: GitHub, tmp_path: Path, licence: str | None
) -> None:
    github.licence = licence
    with pytest.raises(DataError, match=r"knows no licence|GPL-3\.0 is not permitted"):
        mined(github, tmp_path / "o.jsonl")
    rows, _ = mined(github, tmp_path / "o.jsonl", licence="own")
    assert {row["license"] for row in rows} == {"own"}


@pytest.mark.parametrize(
    ("place", "is_one"),
    [("ann/work", True), ("ann/work.py", True), ("work", False), ("a/b/c", False), ("../x", False)],
)
def test_a_name_is_owner_and_name(place: str, is_one: bool) -> None:
    assert is_name(place) == is_one
