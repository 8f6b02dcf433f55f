"""The verbs of mining: what is written, what is said, and mistakes in one line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outdo.cli.app import app
from outdo.errors import DataError

RUNNER = CliRunner()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small working copy: a module, one edit of it, and one that squashed a pull request."""
    folder = tmp_path / "work"

    def git(*arguments: str) -> None:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@people.example.org"]
        subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True)

    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    module = folder / "double.py"
    for text, said in (
        ("number + number", "Begin with doubling"),
        ("2 * number", "Multiply by two instead of adding"),
        ("number * 2", "Put the number first, as it is said (#4)"),
    ):
        module.write_text(f"def double(number):\n    return {text}\n")
        git("add", "double.py")
        git("commit", "--quiet", "-m", said)
    return folder


def done(*words: str) -> str:
    result = RUNNER.invoke(app, ["data", "mine", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_commits_are_written_with_a_card(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    words = ["commits", str(repository), "--out", str(out), "--licence", "own"]
    said = done(*words)
    assert "2 rows of 3 commits, 3 of them looked at now" in said and "o.card.md" in said
    assert [json.loads(line)["license"] for line in out.read_text().splitlines()] == ["own"] * 2
    assert "# Commits of work" in (tmp_path / "o.card.md").read_text()
    assert "0 of them looked at now" in done(*words)


def test_a_limit_says_how_to_go_on(repository: Path, tmp_path: Path) -> None:
    words = ["commits", str(repository), "--out", str(tmp_path / "o.jsonl"), "--license", "MIT"]
    assert "the same command goes on" in done(*words, "--limit", "1")
    assert "2 rows of 3 commits, 2 of them" in done(*words)


def test_pull_requests_are_written_with_a_card(repository: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    said = done("pulls", str(repository), "--out", str(out), "--license", "own", "--repo", "a/b")
    assert "1 rows of 1 pull requests" in said
    row = json.loads(out.read_text())
    assert (row["repo"], row["number"]) == ("a/b", 4)


@pytest.mark.parametrize("verb", ["commits", "pulls"])
def test_nothing_is_fetched_where_nothing_may_be(verb: str, tmp_path: Path) -> None:
    out = str(tmp_path / "o.jsonl")
    for place in ("https://host.example.org/a/b.git", "a/b"):
        result = RUNNER.invoke(app, ["data", "mine", verb, place, "--out", out, "--local-only"])
        assert isinstance(result.exception, DataError)
        assert "--local-only forbids it" in str(result.exception)


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    out = str(tmp_path / "o.jsonl")
    result = RUNNER.invoke(app, ["data", "mine", "commits", str(tmp_path), "--out", out])
    assert isinstance(result.exception, DataError)
    assert "this is no git repository" in str(result.exception)
