"""An evaluation set: even over strata, stable, filled in by people, and frozen."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo.data.frozen import Frozen, freeze, held_to, read_frozen, rows_of
from outdo.data.pick import (
    Candidate,
    Review,
    propose,
    read_reviews,
    settled,
    top_up,
    write_reviews,
)
from outdo.errors import DataError
from outdo.records import Example


def candidate(n: int, repo: str, size: str) -> Candidate:
    return Candidate(id=f"row-{n}", stratum={"repo": repo, "size": size}, shown={})


def pool(*counts: int) -> list[Candidate]:
    """So many rows in each of several strata, in which each of three sizes comes in turn."""
    cells = [(f"r{n // 3}", "sml"[n % 3]) for n in range(len(counts))]
    kinds = [cell for cell, count in zip(cells, counts, strict=True) for _ in range(count)]
    return [candidate(n, *cell) for n, cell in enumerate(kinds)]


POOLS = st.lists(st.integers(0, 6), min_size=1, max_size=12).map(lambda c: pool(*c)).filter(bool)


@given(POOLS, st.integers(0, 5), st.data())
def test_strata_are_even_as_far_as_they_have_rows(
    rows: list[Candidate], seed: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(rows)))
    picked = propose(rows, count=count, seed=seed)
    assert len({one.id for one in picked}) == count
    have, taken = Counter(one.cell for one in rows), Counter(one.cell for one in picked)
    most = max(taken.values())
    assert all(taken[cell] >= min(have[cell], most - 1) for cell in have)


@given(POOLS, st.integers(0, 5), st.data())
def test_a_larger_count_only_adds_and_order_counts_for_nothing(
    rows: list[Candidate], seed: int, data: st.DataObject
) -> None:
    few = data.draw(st.integers(1, len(rows)))
    many = data.draw(st.integers(few, len(rows)))
    picked = propose(rows, count=few, seed=seed)
    assert {*picked_ids(picked)} <= {*picked_ids(propose(rows, count=many, seed=seed))}
    assert picked == propose(rows[::-1], count=few, seed=seed)


def picked_ids(picked: tuple[Candidate, ...]) -> list[str]:
    return [one.id for one in picked]


def test_single_fields_are_even_where_strata_are_too_many() -> None:
    rows = [
        Candidate(id=f"{r}{s}", stratum={"repo": r, "size": s}, shown={})
        for r in "abcdefghij"
        for s in "sml"
    ]
    for seed in range(20):
        picked = propose(rows, count=9, seed=seed)
        assert max(Counter(one.stratum["size"] for one in picked).values()) == 3
        assert max(Counter(one.stratum["repo"] for one in picked).values()) == 1


def test_rows_that_join_move_few_others() -> None:
    rows = pool(*[20] * 6)
    before = {*picked_ids(propose(rows, count=30, seed=1))}
    more = [*rows, *(candidate(1000 + n, "r0", "s") for n in range(20))]
    after = {*picked_ids(propose(more, count=30, seed=1))}
    assert len(before - after) <= 5  # at most those of the one stratum that grew
    assert {*picked_ids(propose(rows, count=30, seed=2))} != before


def test_more_than_there_are_is_told() -> None:
    with pytest.raises(DataError, match=r"4 rows can't be picked \(there are 3\)"):
        propose(pool(3), count=4, seed=0)


# ------------------------------------------------------------------ people


def test_the_rejected_are_replaced_from_their_stratum_until_there_are_no_more() -> None:
    rows = pool(3, 5, 1)
    picked = propose(rows, count=4, seed=3)
    reviews = [Review(candidate=one, verdict="reject", reason="dull") for one in picked]
    proposal = top_up(reviews, rows, count=4, seed=3)
    owed = Counter(one.cell for one in picked)
    added = [one for one in proposal.reviews if one.id in proposal.added]
    new = Counter(one.candidate.cell for one in added)
    assert new + Counter(proposal.short) == owed
    assert proposal.short[("r0", "l")] == 1
    assert top_up(reviews, rows, count=4, seed=3) == proposal
    again = top_up(proposal.reviews, rows, count=4, seed=3)
    assert again.added == (), "who waits for a verdict needs no other row"


@pytest.mark.parametrize("name", ["review.csv", "review.jsonl"])
def test_a_review_is_written_and_read(tmp_path: Path, name: str) -> None:
    rows = [
        Candidate(id="a,\n'b'", stratum={"repo": "x/y"}, shown={"title": 'a "b"\nand c'}),
        Candidate(id="c", stratum={"repo": "ü"}, shown={"title": ""}),
    ]
    reviews = [
        Review(candidate=rows[0], verdict="accept", reason="fine, thanks"),
        Review(candidate=rows[1]),
    ]
    write_reviews(tmp_path / name, reviews)
    assert read_reviews(tmp_path / name, rows) == reviews


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"id": "b"}, "the data has no row 'b' (pick with the same study and options)"),
        ({"repo": "other"}, "repo of 'a' is 'other' here and 'x' in the data (only verdict and"),
        ({"verdict": "acept"}, "'acept' is no verdict (did you mean 'accept'?)"),
        ({"verdict": "reject"}, "'a' is rejected without a reason (say why, in a few words)"),
        ({"reason": "dull"}, "'a' has a reason and no verdict (write accept or reject)"),
        ({"verdict": None}, None),
    ],
)
def test_mistakes_of_people_are_told_with_the_line(
    tmp_path: Path, row: dict[str, str], says: str | None
) -> None:
    path = tmp_path / "review.jsonl"
    path.write_text(json.dumps({"id": "a", "verdict": "", "reason": "", "repo": "x", **row}) + "\n")
    known = [Candidate(id="a", stratum={"repo": "x"}, shown={})]
    if says is None:
        assert read_reviews(path, known) == [Review(candidate=known[0])]
        return
    with pytest.raises(DataError) as told:
        read_reviews(path, known)
    assert str(told.value).startswith(f"{path}:1: {says}")


def test_a_row_that_stands_twice_a_missing_column_and_missing_verdicts(tmp_path: Path) -> None:
    known = [Candidate(id="a", stratum={}, shown={})]
    path = tmp_path / "review.csv"
    path.write_text("id,verdict,reason\na,accept,\na,reject,dull\n")
    with pytest.raises(DataError, match=r"review.csv:3: 'a' stood before, at .*review.csv:2"):
        read_reviews(path, known)
    path.write_text("id,verdict\na,accept\n")
    with pytest.raises(DataError, match="the row has no reason"):
        read_reviews(path, known)
    with pytest.raises(DataError, match="1 rows have no verdict yet: a"):
        settled([Review(candidate=known[0])])
    with pytest.raises(DataError, match=r"a review is a .csv or a .jsonl file"):
        write_reviews(tmp_path / "review.xlsx", [Review(candidate=known[0])])


# ------------------------------------------------------------------ frozen


def example(id: str, *, split: str = "test", given: str = "x") -> Example:
    return Example(
        id=id,
        task="review",
        given={"diff": given},
        wanted={},
        group="repo",
        split=split,  # type: ignore[arg-type]
        source="s",
    )


ROWS = [example("a"), example("b"), example("c"), example("d", split="train")]
FROZEN = Frozen(
    task="review", data="pulls", by=("group",), seed=1, wanted=2, rows=rows_of([ROWS[1], ROWS[0]])
)


def test_a_frozen_set_is_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    freeze(path, FROZEN)
    assert read_frozen(path) == FROZEN
    assert read_frozen(path).digest == json.loads(path.read_text())["digest"]
    freeze(path, FROZEN)
    with pytest.raises(DataError, match="another evaluation set is frozen here"):
        freeze(path, replace(FROZEN, seed=2))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda told: told["rows"].pop("a"), "the frozen set was changed"),
        (lambda told: told.update(seed=2), "the frozen set was changed"),
        (lambda told: told["rows"].update(a="0"), "the frozen set was changed"),
        (lambda told: told.pop("digest"), "this is no frozen set"),
        (lambda told: told.update(more=1), "this is no frozen set"),
    ],
)
def test_a_changed_file_is_refused(tmp_path: Path, change: object, says: str) -> None:
    path = tmp_path / "evaluation.json"
    freeze(path, FROZEN)
    told = json.loads(path.read_text())
    change(told)  # type: ignore[operator]
    path.write_text(json.dumps(told))
    with pytest.raises(DataError, match=says):
        read_frozen(path)
    path.write_text("[]")
    with pytest.raises(DataError, match="this is no frozen set"):
        read_frozen(path)


def test_only_the_frozen_rows_are_left_to_test_with() -> None:
    assert held_to(ROWS, FROZEN, where="e.json") == [ROWS[0], ROWS[1], ROWS[3]]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (ROWS[1:], "the data has no row 'a', which is in the frozen set"),
        ([example("a", given="y"), *ROWS[1:]], "the row 'a' isn't what it was when it was frozen"),
        ([example("a", split="train"), *ROWS[1:]], "the row 'a' is frozen for evaluation, and"),
    ],
)
def test_data_that_changed_are_refused(rows: list[Example], says: str) -> None:
    with pytest.raises(DataError) as told:
        held_to(rows, FROZEN, where="e.json")
    assert str(told.value).startswith(f"e.json: {says}")
