"""Near-duplicates: what is dropped is alike, whatever the order, and what is alike is found."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo.data.near import near_duplicates, signature, signatures
from outdo.data.shingles import jaccard, runs, shingles
from outdo.errors import DataError

SAID = ["if", "else", "x", "total", "+=", "1", "naïve", "Ω", "_", "()", "==", "[]", "é", "\n"]
WORDS = st.lists(st.sampled_from(SAID))


def words(count: int, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [f"w{draw.randrange(10**6)}" for _ in range(count)]


def changed(text: list[str], share: float, seed: int) -> list[str]:
    draw = random.Random(seed)
    return [f"n{draw.randrange(10**6)}" if draw.random() < share else word for word in text]


def plain_shingles(text: str, n: int) -> set[tuple[str, ...]]:
    """What shingles are, said as plainly as Python can."""
    kept = "".join(c if c.isalnum() or c == "_" or ord(c) > 127 else " " for c in text.lower())
    said = kept.split(" ")
    said = [word for word in said if word]
    if len(said) < n:
        return {tuple(said)}
    return {tuple(said[i : i + n]) for i in range(len(said) - n + 1)}


@given(st.lists(WORDS.map(" ".join), min_size=2, max_size=6), st.integers(1, 4))
def test_shingles_are_those_of_a_plain_reading(texts: list[str], n: int) -> None:
    numbers = list(shingles(texts, words=n))
    plain = [plain_shingles(text, n) for text in texts]
    for a, one in zip(numbers, plain, strict=True):
        assert len(a) == len(one)
        for b, other in zip(numbers, plain, strict=True):
            if () not in one | other:  # a text without words is told by its marks
                assert jaccard(a, b) == len(one & other) / len(one | other)


def test_a_text_has_the_same_shingles_whatever_stands_beside_it() -> None:
    texts = [" ".join(words(n, n)) for n in (0, 1, 4, 5, 6, 300, 40_000)]
    together = [found.tolist() for found in runs(texts, words=5)]
    assert together == [next(runs([text], words=5)).tolist() for text in texts]
    assert [len(found) for found in together] == [1, 1, 1, 1, 2, 296, 39_996]


def test_case_layout_and_marks_count_for_nothing_and_words_do() -> None:
    a, b, c = shingles(["def  Add(a, b):\n\treturn a", "DEF add( a b ) return A", "x"], words=3)
    assert a.tolist() == b.tolist()
    assert jaccard(a, c) == 0


def test_a_signature_estimates_the_similarity() -> None:
    base = words(2000, 1)
    for share in (0.01, 0.03, 0.08):
        texts = [" ".join(base), " ".join(changed(base, share, 2))]
        exact = jaccard(*shingles(texts, words=5))
        estimate = (lambda s: (s[0] == s[1]).mean())(signatures(texts))
        assert abs(estimate - exact) < 4 * (exact * (1 - exact) / 125) ** 0.5


def corpus(seed: int = 0) -> dict[str, str]:
    """Forty families of rows, in which each is more or less like the first."""
    rows = {}
    for family in range(40):
        base = words(200, 1000 * seed + family)
        rows[f"{family}-0"] = " ".join(base)
        for n in range(1, 6):
            rows[f"{family}-{n}"] = " ".join(changed(base, 0.012 * n, 100 * family + n))
    return rows


def test_every_dropped_row_is_like_a_kept_one_and_no_two_kept_ones_are_alike() -> None:
    rows = corpus()
    dropped = near_duplicates(rows, threshold=0.8)
    sets = dict(zip(rows, shingles(rows.values(), words=5), strict=True))
    kept = [name for name in rows if name not in dropped]
    assert 20 < len(dropped) < 200
    for name, like in dropped.items():
        assert like.kept in kept
        assert like.similarity == jaccard(sets[name], sets[like.kept]) >= 0.8
    for place, name in enumerate(kept):
        assert all(jaccard(sets[name], sets[other]) < 0.8 for other in kept[:place])


def test_the_order_of_rows_changes_nothing() -> None:
    rows = corpus(1)
    names = list(rows)
    random.Random(5).shuffle(names)
    assert near_duplicates({name: rows[name] for name in names}) == near_duplicates(rows)


def test_of_equal_rows_the_first_by_name_is_kept() -> None:
    dropped = near_duplicates({"b": "the same", "c": "the  SAME", "a": "the same"})
    assert len(dropped) == 2
    assert {like.similarity for like in dropped.values()} == {1.0}
    assert near_duplicates({"b": "the same", "a": "the same"})["b"].kept == "a"
    assert near_duplicates({"b": "", "a": " ", "c": "?!"}) | {} == near_duplicates(
        {"a": " ", "b": "", "c": "?!"}
    )


def test_rows_that_share_all_but_little_without_reaching_the_threshold_all_stay() -> None:
    base = words(100, 3)
    rows = {f"{n}": " ".join([*base[:70], *words(30, 50 + n)]) for n in range(200)}
    assert near_duplicates(rows, threshold=0.8) == {}
    assert near_duplicates(rows, threshold=0.5)


def test_rows_like_others_that_stay_are_dropped_and_those_never_are() -> None:
    base = " ".join(words(60, 9))
    against = {"x": base, "y": base}
    dropped = near_duplicates({"x": base, "z": "quite another"}, against=against)
    assert list(dropped) == ["x"]
    assert dropped["x"].kept in against


def test_nothing_and_a_threshold_that_bands_would_miss() -> None:
    assert near_duplicates({}) == {}
    with pytest.raises(DataError, match=r"the threshold is 0.3 \(from 0.5 to 1\)"):
        near_duplicates({"a": "b"}, threshold=0.3)
    assert signature(0.9) == "minhash|5-word shingles|25x5|exact jaccard >= 0.9|2"


def test_the_numbers_are_the_same_everywhere() -> None:
    assert [hex(n) for n in next(shingles(["to be or not to be"], words=5)).tolist()] == GOLDEN
    assert signatures(["to be or not to be"])[0, :3].tolist() == SIGNED


GOLDEN = ["0xcd9684ad26f78e2", "0x534850ff140c842b"]
SIGNED = [1316671101, 503890242, 2384070684]
