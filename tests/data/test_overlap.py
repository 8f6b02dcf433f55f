"""What an evaluation set and rows to learn from have in common, and what is dropped for it."""

from __future__ import annotations

import random

import pytest

from outdo.data.overlap import Hit, apart, overlaps
from outdo.data.sifting import Drop, Gate, Item, duplicate_gate, each, licence_gate, sift
from outdo.errors import DataError


def words(count: int, seed: int) -> str:
    draw = random.Random(seed)
    return " ".join(f"w{draw.randrange(10**6)}" for _ in range(count))


def item(id: str, *texts: str, **more: str) -> Item:
    return Item(id=id, texts=texts or (words(80, hash_of(id)),), **more)


def hash_of(id: str) -> int:
    return sum(ord(char) * 31**place for place, char in enumerate(id))


def dropped(items: list[Item], gates: list[Gate]) -> dict[str, tuple[str, str]]:
    return {id: (gate, drop.detail) for id, (gate, drop) in sift(items, gates).drops.items()}


def plain_share(a: str, b: str) -> float:
    grams = [
        {tuple(text.split()[i : i + 13]) for i in range(len(text.split()) - 12)} for text in (a, b)
    ]
    return len(grams[0] & grams[1]) / min(map(len, grams))


def test_the_share_is_that_of_the_shorter_text() -> None:
    a, b, c = words(200, 1), words(60, 2), words(90, 3)
    part = " ".join(a.split()[50:100])
    evaluation = [item("e1", a), item("e2", b)]
    rows = [item("inside", f"{c} {part}"), item("whole", f"{c} {b}"), item("apart", c)]
    found = overlaps(rows, evaluation)
    assert found[0] == Hit("e1", plain_share(rows[0].text, a)) != Hit("e1", 1.0)
    assert found[1] == Hit("e2", 1.0)
    assert found[2] is None
    assert overlaps(rows, []) == [None] * 3
    assert overlaps([], evaluation) == []


def test_neither_order_nor_neighbours_change_what_is_found() -> None:
    draw = random.Random(0)
    pool = [words(40, seed) for seed in range(30)]
    evaluation = [item(f"e{n}", " ".join(draw.sample(pool, 3))) for n in range(12)]
    rows = [item(f"r{n}", " ".join(draw.sample(pool, 3))) for n in range(40)]
    found = overlaps(rows, evaluation)
    assert any(hit and hit.share > 0.2 for hit in found)
    assert overlaps(rows[::-1], evaluation[::-1]) == found[::-1]
    assert [overlaps([row], evaluation)[0] for row in rows] == found


def test_what_all_rows_of_the_evaluation_share_counts_for_nothing() -> None:
    template = words(60, 99)
    evaluation = [item(f"e{n}", f"{template} {words(40, n)}") for n in range(10)]
    rows = [item("template", f"{template} {words(40, 77)}"), item("copy", evaluation[3].text)]
    assert dropped(rows, apart(evaluation)[-1:]) == {
        "copy": ("evaluation: n-grams", "100% of the shorter, with e3")
    }


def test_texts_that_are_told_again_are_found_blanks_aside() -> None:
    text = "def mean(values):\n    return sum(values) / len(values)"
    evaluation = [item("e", "question one", text)]
    rows = [
        item("again", "another question", text.replace("    ", "\t")),
        item("short", "question one", words(20, 4)),
        item("other", words(20, 5)),
    ]
    assert dropped(rows, apart(evaluation)) == {"again": ("evaluation: text", "stands in e")}


def test_groups_and_time() -> None:
    evaluation = [item("e", group="ours"), item("f")]
    rows = [
        item("same", group="ours", date="2020-01-01"),
        item("old", group="theirs", date="2023-12-31T23:59:59Z"),
        item("new", group="theirs", date="2024-01-01"),
        item("unknown", group="theirs"),
        item("odd", date="last year"),
    ]
    assert dropped(rows, apart(evaluation, before="2024-01-01")) == {
        "same": ("evaluation: group", "ours"),
        "new": ("evaluation: time", "2024-01-01"),
        "unknown": ("evaluation: time", ""),
        "odd": ("evaluation: time", "last year"),
    }
    assert dropped(rows, apart(evaluation, by_group=False)) == {}


def test_bounds_are_checked() -> None:
    with pytest.raises(DataError, match=r"'May' is no date \(like 2024-05-31\)"):
        apart([], before="May")
    with pytest.raises(DataError, match="the share of n-grams is 0"):
        apart([], share=0)


# ------------------------------------------------------------------ gates in general


def test_each_gate_sees_what_came_through_those_before() -> None:
    seen: list[list[str]] = []

    def gate(name: str, bad: str) -> Gate:
        def failing(items: object) -> dict[str, Drop]:
            seen.append([one.id for one in items])  # type: ignore[attr-defined]
            return {bad: Drop("bad")} if bad in seen[-1] else {}

        return Gate(name=name, about="", failing=failing)

    sifted = sift([item(id) for id in "abc"], [gate("1", "b"), gate("2", "a"), gate("3", "b")])
    assert seen == [["a", "b", "c"], ["a", "c"], ["c"]]
    assert sifted.kept == ("c",)
    assert [(p.seen, p.dropped) for p in sifted.passages] == [(3, 1), (2, 1), (1, 0)]
    assert sifted.told == "1 rows kept; dropped: 1 by 1, 1 by 2"
    assert {*sifted.kept, *sifted.drops} == {"a", "b", "c"}


def test_reasons_are_counted_and_the_first_by_id_are_shown() -> None:
    def odd(one: Item) -> Drop | None:
        return Drop("odd", one.id * 2) if int(one.id) % 2 else None

    (passage,) = sift([item(str(n)) for n in range(20, 0, -1)], [each("odd", "", odd)]).passages
    assert passage.reasons == {"odd": 10}
    assert [one["id"] for one in passage.shown] == ["1", "11", "13", "15", "17"]
    assert passage.shown[0]["detail"] == "11"


def test_an_id_that_stands_twice_is_told() -> None:
    with pytest.raises(DataError, match="the id 'a' stands more than once"):
        sift([item("a"), item("a")], [])


def test_alike_rows_of_two_kinds_both_stay() -> None:
    text = words(50, 1)
    rows = [item("a", text, kind="review"), item("b", text, kind="improve"), item("c", text)]
    assert sift(rows, [duplicate_gate()]).kept == ("a", "b", "c")
    assert len(sift([*rows, item("d", text)], [duplicate_gate()]).kept) == 3


def test_the_gate_of_licences() -> None:
    rows = [item("a", licence="MIT"), item("b", licence="GPL-3.0"), item("c")]
    assert sift(rows, [licence_gate()]).kept == ("a",)
    assert sift(rows, [licence_gate(allowed=["gpl-3.0"])]).kept == ("a", "b")
