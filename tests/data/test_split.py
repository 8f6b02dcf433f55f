from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.data.examples import syntax_name
from outdo.data.split import hold_out, set_aside
from outdo.errors import DataError
from outdo.records import Example


def row(problem: str, id: str, program: str, *, split: str = "train", group: str = "") -> Example:
    return Example(
        id=id,
        task="repair",
        given={"problem": problem, "program": program},
        wanted={},
        group=group or problem,
        split=split,  # type: ignore[arg-type]
        source="test",
    )


ROWS = [row(p, f"{p}{i}", f"x = {i}\ny = '{p}'") for p in "abc" for i in range(10)]


def programs(rows: Sequence[Example], split: str) -> set[str]:
    return {syntax_name(each.given["program"]) for each in rows if each.split == split}


def test_so_many_of_each_problem_are_held_out() -> None:
    rows = hold_out(ROWS, per_group=3, seed=0)
    assert len(rows) == 30
    assert Counter(each.group for each in rows if each.split == "test") == dict.fromkeys("abc", 3)
    assert [each.id for each in rows] == [each.id for each in ROWS]


def test_a_group_that_has_fewer_gives_half() -> None:
    rows = hold_out(ROWS[:5], per_group=25, seed=0)
    assert Counter(each.split for each in rows) == {"train": 3, "test": 2}
    everything = hold_out(ROWS[:5], per_group=5, seed=0)
    assert Counter(each.split for each in everything) == {"test": 5}


def test_the_order_of_rows_changes_nothing_and_the_seed_does() -> None:
    mixed = random.Random(1).sample(ROWS, len(ROWS))

    def chosen(rows: Sequence[Example], seed: int) -> set[str]:
        split = hold_out(rows, per_group=3, seed=seed)
        return {each.id for each in split if each.split == "test"}

    assert chosen(ROWS, 0) == chosen(mixed, 0)
    assert chosen(ROWS, 0) != chosen(ROWS, 1)


@settings(max_examples=60, deadline=None)
@given(
    cells=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 6)), min_size=1, max_size=40),
    per_group=st.integers(0, 5),
    seed=st.integers(0, 3),
)
def test_no_syntax_tree_stands_on_both_sides(
    cells: list[tuple[str, int]], per_group: int, seed: int
) -> None:
    # The comment makes another text of the same tree; a tree may belong to two problems.
    rows = [row(p, f"{p}-{n}", f"x = {k}  # {n}") for n, (p, k) in enumerate(cells)]
    split = hold_out(rows, per_group=per_group, seed=seed)
    assert not programs(split, "train") & programs(split, "test")
    assert programs(split, "train") | programs(split, "test") == programs(rows, "train")
    tests = [syntax_name(each.given["program"]) for each in split if each.split == "test"]
    assert len(set(tests)) == len(tests)


def test_rows_that_are_held_out_already_stay() -> None:
    rows = [*ROWS, row("a", "t", "t = 1", split="test"), row("a", "v", "v = 1", split="valid")]
    split = hold_out(rows, per_group=1, seed=0)
    assert rows[-2] in split
    assert rows[-1] in split
    assert Counter(each.split for each in split) == {"train": 27, "test": 4, "valid": 1}


def test_programs_without_a_tree_differ_by_their_text() -> None:
    assert syntax_name("x = (") == syntax_name("x  =   (\n")
    assert syntax_name("x = (") != syntax_name("x = [")
    assert syntax_name("x=1") == syntax_name("x = 1  # one")
    assert syntax_name("x=1") != syntax_name("x=2")


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=60),
    share=st.floats(0.01, 0.99),
    seed=st.integers(0, 3),
)
def test_whole_groups_are_set_aside(rows: list[str], share: float, seed: int) -> None:
    numbered = list(enumerate(rows))
    if len(set(rows)) == 1:
        with pytest.raises(DataError, match="all rows are of one group"):
            set_aside(numbered, share, seed=seed, group=lambda row: row[1])
        return
    kept, aside = set_aside(numbered, share, seed=seed, group=lambda row: row[1])
    assert kept and aside
    assert sorted(kept + aside) == numbered
    assert not {group for _, group in kept} & {group for _, group in aside}
    turned = set_aside(numbered[::-1], share, seed=seed, group=lambda row: row[1])
    assert {group for _, group in turned[1]} == {group for _, group in aside}


def test_about_the_share_is_set_aside() -> None:
    rows = [(n, f"g{n % 20}") for n in range(200)]
    for share, count in ((0.1, 20), (0.5, 100), (0.02, 10), (0.99, 190)):
        assert len(set_aside(rows, share, seed=1, group=lambda row: row[1])[1]) == count
    one, other = (set_aside(rows, 0.1, seed=seed, group=lambda row: row[1])[1] for seed in (1, 2))
    assert one != other
