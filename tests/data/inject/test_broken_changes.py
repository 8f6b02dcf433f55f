"""Bugs in real diffs: one added line differs, in its syntax tree and by nothing else."""

from __future__ import annotations

import ast
import difflib
import gzip
import json
from pathlib import Path

import pytest

from outdo import diffs, text
from outdo.data.inject.changes import SUITED, BrokenDiff, broken_diff, respelled
from outdo.data.inject.wording import HEADERS, told

OLD = """\
def total(rows):
    found = 0
    for row in rows:
        found += row
    return found
"""
NEW = """\
def total(rows, *, limit=None):
    found = 0
    for place, row in enumerate(rows):
        if limit is not None and place >= limit:   # far enough
            break
        found += row['size']
    return found
"""


def diff_of(old: str, new: str, path: str = "src/total.py") -> str:
    rows = difflib.unified_diff(
        old.split("\n"), new.split("\n"), "a/" + path, "b/" + path, "", "", 3, ""
    )
    return f"diff --git a/{path} b/{path}\n" + "\n".join(rows) + "\n"


DIFF = diff_of(OLD, NEW)


def changed_lines(before: str, after: str) -> list[tuple[str, str]]:
    pairs = zip(before.split("\n"), after.split("\n"), strict=True)
    return [(one, other) for one, other in pairs if one != other]


def test_one_added_line_is_broken_and_the_rest_stays() -> None:
    found = broken_diff(DIFF, seed=0)
    assert found is not None
    assert changed_lines(DIFF, found.diff) == [(f"+{found.before}", f"+{found.after}")]
    (file,) = diffs.parse(found.diff).files
    assert diffs.new_side(file)[found.line] == found.after
    assert NEW.split("\n")[found.line - 1] == found.before
    whole = NEW.replace(found.before, found.after)
    assert ast.dump(ast.parse(whole)) != ast.dump(ast.parse(NEW))


def test_the_draw_follows_from_seed_and_diff() -> None:
    assert broken_diff(DIFF, seed=3) == broken_diff(DIFF, seed=3)
    assert len({broken_diff(DIFF, seed=seed) for seed in range(12)}) > 4


@pytest.mark.parametrize(
    ("operator", "after"),
    [
        ("wrong-jump", "            continue"),
        ("connective", "        if limit is not None or place >= limit:   # far enough"),
        ("accumulator-update", "        found -= row['size']"),
    ],
)
def test_what_stays_keeps_its_spelling(operator: str, after: str) -> None:
    found = {
        one.after
        for seed in range(20)
        if (one := broken_diff(DIFF, seed=seed, names=[operator])) is not None
    }
    assert after in found


@pytest.mark.parametrize(
    ("segment", "old", "new", "wanted"),
    [
        ('f("a",b)', "f('a', b)", "f(b, 'a')", 'f(b, "a")'),
        ("a<b", "a < b", "a <= b", "a<=b"),
        ("ok", "ok", "not ok", "not ok"),
        ("not  ok", "not ok", "ok", "ok"),
        ("0x10 + i", "16 + i", "16 - i", "0x10 - i"),
        ("x = y.strip()", "x = y.strip()", "y.strip()", "y.strip()"),
        ("return x", "return x", "x", "x"),
        ("x.sort()", "x.sort()", "x = x.sort()", "x = x.sort()"),
        ("f((a), b)", "f(a, b)", "f(b, a)", None),
        ("'", "'a'", "'b'", None),
    ],
)
def test_only_what_differs_is_written_anew(
    segment: str, old: str, new: str, wanted: str | None
) -> None:
    assert respelled(segment, old=old, new=new) == wanted


@pytest.mark.parametrize(
    "diff",
    [
        "",
        "no diff",
        diff_of("a", "b < c", "README.md"),
        diff_of("a", "b < c", "poetry.lock"),
        diff_of("x = 1\n", "import os\n"),
        diff_of("x = '''\n", "y = f(\n"),
        diff_of(NEW, ""),
    ],
)
def test_what_can_not_be_broken_is_none(diff: str) -> None:
    assert broken_diff(diff, seed=0) is None


def test_a_bug_never_puts_a_removed_line_back() -> None:
    diff = diff_of("if a > b:\n    pass\n", "if a >= b:\n    pass\n")
    made = {broken_diff(diff, seed=seed, names=["comparison"]) for seed in range(10)}
    assert made and all(one is None or one.after != "if a > b:" for one in made)


def test_line_ends_of_windows_stay() -> None:
    diff = "\n".join(
        row + "\r" if row.startswith((" ", "+", "-")) and row[:3] not in ("+++", "---") else row
        for row in DIFF.split("\n")
    )
    found = broken_diff(diff, seed=0)
    assert found is not None and f"+{found.after}\r\n" in found.diff


def test_letters_of_other_alphabets_stand_in_the_line() -> None:
    diff = diff_of("", "größe = 'ü' if länge < 3 else 'ä'\n")
    found = broken_diff(diff, seed=0, names=["comparison"])
    assert found is not None and found.after.startswith("größe = 'ü' if länge ")


@pytest.mark.parametrize("operator", [*SUITED, "some-other"])
def test_a_bug_is_told_in_several_ways(operator: str) -> None:
    ways = {told(operator, before="a < b", after="a > b", seed=seed) for seed in range(40)}
    assert len({way.header for way in ways}) == 3 and len({way.content for way in ways}) > 3
    for way in ways:
        assert "a < b" in way.fix and way.content.endswith(way.fix)
        assert len(way.header) <= 60 and "\n" not in way.content
    assert set(SUITED) == set(HEADERS)


def test_a_long_line_is_quoted_in_part() -> None:
    said = told("index", before="x" * 500, after="y" * 500, seed=0)
    assert len(said.content) < 220


def test_most_real_diffs_can_be_broken(pull_requests: Path) -> None:
    with gzip.open(pull_requests / "prs.jsonl.gz", "rt", encoding="utf-8") as stream:
        rows = [json.loads(row)["diff"] for row in stream][::60]
    made = [(diff, found) for diff in rows if (found := broken_diff(diff, seed=0)) is not None]
    assert len(made) > 0.6 * len(rows)
    assert len({found.operator for _, found in made}) >= 10
    for diff, found in made:
        _holds(diff, found)


def _holds(diff: str, found: BrokenDiff) -> None:
    assert changed_lines(diff, found.diff) == [("+" + found.before, "+" + found.after)] or (
        changed_lines(diff, found.diff) == [(f"+{found.before}\r", f"+{found.after}\r")]
    )
    files = [file for file in diffs.parse(found.diff).files if file.path == found.file]
    hunk = next(h for file in files if (h := diffs.hunk_of(file, found.line)) is not None)
    assert found.after in [line.text for line in hunk.lines if line.kind == "+"]
    indent = len(found.before) - len(found.before.lstrip())
    assert found.after[:indent] == found.before[:indent]
    kept = [line.text for line in hunk.lines if line.kind != "-"]
    whole = [kept[a : len(kept) - b] for a in (0, 3) for b in (0, 3)]
    assert any(found.after in rows and text.fragment(rows) is not None for rows in whole)
