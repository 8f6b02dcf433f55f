"""Rule scores of what is said of a diff: places, code, known issues, titles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo.scorers.found import SLACK, Place, hits, line_accuracy, overlap, precision, recall
from outdo.scorers.grounded import (
    around,
    block_of,
    file_meant,
    lines_missing,
    same_code,
    with_block,
)
from outdo.scorers.titles import token_f1

LINES = {
    3: "def f(x):",
    4: "    if x:",
    5: "        return 1",
    6: "",
    7: "    return 2",
    20: "    if x:",
    21: "        return 3",
}
SIDES = {"src/a.py": LINES, "b/c.py": {}}


def at(first: int, last: int, file: str = "a") -> Place:
    return Place(file=file, first=first, last=last)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("src/a.py", "src/a.py"),
        (" `src/a.py` ", "src/a.py"),
        ("b/src/a.py", "src/a.py"),
        ("a/src/a.py", "src/a.py"),
        ("./src/a.py", "src/a.py"),
        ("b/c.py", "b/c.py"),
        ("a.py", None),
        ("", None),
    ],
)
def test_a_file_is_meant_by_its_whole_path(said: str, meant: str | None) -> None:
    assert file_meant(said, SIDES) == meant


@pytest.mark.parametrize(
    ("file", "first", "last", "why"),
    [
        ("src/a.py", 3, 7, ""),
        ("src/a.py", 4, 4, ""),
        ("src/a.py", 3, 8, "src/a.py: line 8 is not in the diff"),
        ("src/a.py", 1, 99, "src/a.py: line 1 and 99 is not in the diff"),
        ("src/a.py", 5, 4, "src/a.py: 5 to 4 is no range"),
        ("z.py", 3, 4, "z.py is not in the diff"),
    ],
)
def test_lines_exist_or_it_is_said_why_not(file: str, first: int, last: int, why: str) -> None:
    assert lines_missing(file, first=first, last=last, sides=SIDES) == why


@pytest.mark.parametrize(
    ("code", "block"),
    [
        ("def f(x):", (3, 3)),
        ("if x:\n    return 1", (4, 5)),
        ("\n        return 1\n\n    return 2  \n\n", (5, 7)),
        ("if x:", None),
        ("return 2\nif x:", None),
        ("return 9", None),
        ("", None),
        ("\n \n", None),
    ],
)
def test_code_is_found_where_it_stands_once(code: str, block: tuple[int, int] | None) -> None:
    assert block_of(code, LINES) == block


def placed(existing: str, improved: str, first: int, last: int) -> list[str]:
    run = around(LINES, first, last)
    assert run == (3, 7)
    return with_block(LINES, existing=existing, improved=improved, first=first, last=last, run=run)


def test_a_block_is_put_in_place_with_the_indent_of_what_was_there() -> None:
    made = placed("return 1", "if y:\n    return 9\nelse:\n    z", 5, 5)
    assert made[2:6] == [
        "        if y:",
        "            return 9",
        "        else:",
        "            z",
    ]
    assert made[:2] + made[6:] == [LINES[3], LINES[4], "", "    return 2"]
    assert placed("return 1\n", "", 5, 6) == [LINES[3], LINES[4], LINES[7]]


@pytest.mark.parametrize(
    ("existing", "improved"),
    [
        ("return 1\n\nreturn 2", "return 8\n\nreturn 9"),  # all at the margin
        ("    return 1\n\nreturn 2", "    return 8\n\nreturn 9"),
        ("return 1\n\nreturn 2", "    return 8\n\nreturn 9"),
        ("  return 1\n\n  return 2", "        return 8\n\n    return 9\n"),
    ],
)
def test_code_that_falls_back_keeps_its_steps(existing: str, improved: str) -> None:
    assert placed(existing, improved, 5, 7)[2:] == ["        return 8", "", "    return 9"]


def test_code_is_the_same_up_to_layout() -> None:
    assert same_code(["  f( a,b )"], ["f(a, b)  # why"], python=True)
    assert not same_code(["f(a, b)"], ["f(b, a)"], python=True)
    assert same_code(["a  =  1", "", "b"], ["a = 1", "b "], python=False)
    assert not same_code(["x ( 1"], ["x (1"], python=True)  # no Python: letters decide


@pytest.mark.parametrize(
    ("said", "known", "hit", "share"),
    [
        (at(5, 5), at(5, 5), True, 1.0),
        (at(4, 6), at(5, 5), True, 1 / 3),
        (at(5, 6), at(6, 9), True, 1 / 5),
        (at(1, 4), at(5, 5), False, 0.0),
        (at(5, 5, "b"), at(5, 5), False, 0.0),
        (at(1, 11), at(5, 5), True, 1 / 11),
        (at(1, 12), at(5, 5), False, 0.0),
        (at(6, 5), at(5, 6), False, 0.0),
    ],
)
def test_a_place_is_hit_by_lines_that_meet_it(
    said: Place, known: Place, hit: bool, share: float
) -> None:
    assert hits(said, known) is hit
    assert overlap(said, known) == pytest.approx(share)


def test_recall_precision_and_lines_of_several() -> None:
    known, said = [at(1, 2), at(9, 9), at(30, 30)], [at(2, 2), at(9, 9), at(50, 50)]
    assert recall(said, known) == pytest.approx(2 / 3)
    assert precision(said, known) == pytest.approx(2 / 3)
    assert line_accuracy(said, known) == pytest.approx((1 / 2 + 1 + 0) / 3)
    assert recall([], known) == 0.0 and line_accuracy([], known) == 0.0


def test_what_nobody_judged_tells_nothing() -> None:
    known, rejected = [at(1, 2)], [at(9, 9)]
    assert precision([at(1, 1), at(50, 50)], known, rejected) == 1.0
    assert precision([at(1, 1), at(9, 9)], known, rejected) == 0.5
    assert precision([at(50, 50)], known, rejected) is None
    assert precision([], known) is None and recall([at(1, 1)], []) is None
    assert line_accuracy([at(1, 1)], []) is None


place = st.builds(at, st.integers(1, 30), st.integers(1, 30), st.sampled_from("ab"))


@given(place, place)
def test_overlap_is_a_share_and_above_zero_for_hits_alone(said: Place, known: Place) -> None:
    assert 0.0 <= overlap(said, known) <= 1.0
    assert (overlap(said, known) > 0) == hits(said, known)
    if said.count <= SLACK and known.count <= SLACK:
        assert overlap(said, known) == pytest.approx(overlap(known, said))


@given(st.lists(place, max_size=5), st.lists(place, min_size=1, max_size=5))
def test_lines_never_say_more_than_recall(said: list[Place], known: list[Place]) -> None:
    found, exact = recall(said, known), line_accuracy(said, known)
    assert found is not None and exact is not None and 0 <= exact <= found <= 1


@pytest.mark.parametrize(
    ("said", "authors", "f1"),
    [
        ("Fix the parser", "fix the Parser!", 1.0),
        ("Fix the parser", "Fix a leak", 1 / 3),
        ("the the", "the", 2 / 3),
        ("", "Fix", 0.0),
        ("", "...", 1.0),
        ("Größe ändern", "größe ändern", 1.0),
    ],
)
def test_titles_are_alike_by_their_words(said: str, authors: str, f1: float) -> None:
    assert token_f1(said=said, authors=authors) == pytest.approx(f1)
    assert token_f1(said=authors, authors=said) == pytest.approx(f1)
