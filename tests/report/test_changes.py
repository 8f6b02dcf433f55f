"""Diffs that lose nothing and never grow without bound."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.report.changes import MOST_CHARACTERS, MOST_LINES, Line, changes

programs = st.lists(st.text("ab =()<>&1\t", max_size=12), max_size=12).map("\n".join)


def texts(lines: list[Line], *kinds: str) -> list[str]:
    return ["".join(text for text, _ in line.pieces) for line in lines if line.kind in kinds]


def marked(lines: list[Line], kind: str) -> list[list[str]]:
    return [[text for text, changed in ln.pieces if changed] for ln in lines if ln.kind == kind]


def test_a_changed_token_is_marked_in_its_line() -> None:
    before = "def f(x):\n    total = 0\n    if x > 0:\n        total += x\n    return total\n"
    told = changes(before, before.replace("x > 0", "x >= 10"))
    assert [line.kind for line in told] == ["same", "same", "out", "in", "same", "same"]
    assert texts(told, "out", "in") == ["    if x > 0:", "    if x >= 10:"]
    assert marked(told, "out") == [["0"]]
    assert marked(told, "in") == [["=", "10"]]


def test_unequal_blocks_are_told_line_by_line() -> None:
    told = changes("a\nb", "a\nc\nd")
    assert [(line.kind, line.pieces) for line in told] == [
        ("same", (("a", False),)),
        ("out", (("b", True),)),
        ("in", (("c", True),)),
        ("in", (("d", True),)),
    ]


def test_distant_lines_are_skipped_and_counted() -> None:
    lines = [f"line {i}" for i in range(20)]
    other = [*lines]
    other[9] = "changed"
    told = changes("\n".join(lines), "\n".join(other))
    assert texts(told, "skip") == ["6 unchanged lines", "7 unchanged lines"]
    assert texts(told, "same") == lines[6:9] + lines[10:13]
    one = changes("a\n1\n2\n3\nx", "a\n1\n2\n3\ny")
    assert texts(one, "skip") == ["1 unchanged line"]


def test_no_change_is_said() -> None:
    assert changes("a\nb", "a\nb\n") == [Line(kind="skip", pieces=(("no change", False),))]
    assert texts(changes("", ""), "skip") == ["no change"]


def test_long_programs_and_lines_are_cut_aloud() -> None:
    told = changes("\n".join(["x"] * 500), "y" * 10_000)
    assert len(texts(told, "out")) == MOST_LINES
    assert texts(told, "in") == [
        f"{'y' * MOST_CHARACTERS}… {10_000 - MOST_CHARACTERS:,} more characters"
    ]
    assert texts(told, "skip") == [f"{500 - MOST_LINES} and 0 more lines"]


def test_null_bytes_are_shown() -> None:
    assert texts(changes("a", "a\x00b"), "in") == ["a␀b"]


@given(programs, programs)
@settings(max_examples=60, deadline=None)
def test_every_line_of_both_is_told_or_counted(before: str, after: str) -> None:
    told = changes(before, after)
    old, new = before.splitlines(), after.splitlines()
    if old == new:
        assert texts(told, "skip") == ["no change"]
        return
    skipped = sum(int(text.split()[0]) for text in texts(told, "skip"))
    assert len(texts(told, "out", "same")) + skipped == len(old)
    assert len(texts(told, "in", "same")) + skipped == len(new)
    if not skipped:
        assert texts(told, "out", "same") == old
        assert texts(told, "in", "same") == new
