"""Pairs whose lengths say nothing: types that cost nothing, and as many longer as shorter."""

from __future__ import annotations

import types
from collections import Counter

import pytest

from outdo import tokens
from outdo.data.pairs import CodePair
from outdo.data.verified.evened import TYPED, evened, typed

FAST = """\
def f{n}(items):
    found = []
    for one in items:
        found.append(one)
    return found"""
SLOW = FAST.replace("found.append(one)", "found = found + [one]")


def pair(number: int, better: str, worse: str, **more: str) -> CodePair:
    said = {"criterion": "efficiency", "source": "s", "split": "test", **more}
    return CodePair(
        id=f"p{number}",
        group=f"g{number}",
        statement="Copy the items.",
        better=better.replace("{n}", str(number)),
        worse=worse.replace("{n}", str(number)),
        **said,  # type: ignore[arg-type]
    )


def longer(one: CodePair) -> int:
    more = len(tokens.code_tokens(one.better)) - len(tokens.code_tokens(one.worse))
    return (more > 0) - (more < 0)


def test_as_many_are_longer_as_shorter_and_types_say_nothing() -> None:
    pairs = [pair(n, FAST, SLOW) for n in range(40)] + [pair(n, SLOW, FAST) for n in range(40, 44)]
    found = evened(pairs, seed=1)
    assert len(found) == 44 and [one.id for one in found] == [one.id for one in pairs]
    assert Counter(map(longer, found)) == {1: 22, -1: 22}
    sides = Counter(str(one.evidence.get(TYPED)) for one in found)
    assert sides == {"better": 18, "worse": 18, "None": 8}
    for one in found:
        side = one.evidence.get(TYPED)
        for name in ("better", "worse"):
            assert ("found: list = []" in getattr(one, name)) == (name == side)
        assert len(one.better) != len(one.worse)
        assert (len(one.better) > len(one.worse)) == (longer(one) > 0)
    assert evened(pairs, seed=1) == found != evened(pairs, seed=2)
    assert evened(pairs[::-1], seed=1) == found[::-1]


def test_where_the_better_side_is_mostly_the_longer_one_it_is_the_other_way_round() -> None:
    found = evened([pair(n, SLOW, FAST) for n in range(10)], seed=1)
    assert Counter(map(longer, found)) == {1: 5, -1: 5}
    assert Counter(one.evidence[TYPED] for one in found) == {"better": 5, "worse": 5}


def test_what_cannot_be_evened_is_left_out_and_counted() -> None:
    short, long = "def g{n}(x):\n    return x", "def g{n}(x):\n    return x + 0"
    pairs = [pair(n, short, long) for n in range(6)] + [pair(6, long, short)]
    pairs += [pair(7, short, short.replace("x", "y"))]
    dropped = Counter[str]()
    found = evened(pairs, seed=1, dropped=dropped)
    assert Counter(map(longer, found)) == {1: 1, -1: 1, 0: 1}
    assert +dropped == {"pairs of efficiency that lengths give away": 5}


def test_no_pair_is_turned_without_another_whose_longer_side_says_types() -> None:
    short, bare = FAST.replace("[]", "set()"), SLOW.replace("[]", "-[]")
    pairs = [pair(n, short, bare) for n in range(4)]
    assert {longer(one) for one in pairs} == {-1}
    one = pairs[0]
    assert typed(one.better, than=one.worse) is not None
    assert typed(one.worse, than=one.worse) is None
    assert evened(pairs, seed=1) == []
    mixed = [*pairs, pair(4, FAST, SLOW), pair(5, FAST, SLOW)]
    sides = Counter(one.evidence.get(TYPED) for one in evened(mixed, seed=1))
    assert sides["better"] == sides["worse"] > 0


def test_criteria_are_evened_apart() -> None:
    pairs = [pair(n, FAST, SLOW) for n in range(4)]
    pairs += [pair(n, SLOW, FAST, criterion="correctness") for n in range(4, 8)]
    found = evened(pairs, seed=1)
    for criterion in ("efficiency", "correctness"):
        own = [one for one in found if one.criterion == criterion]
        assert Counter(map(longer, own)) == {1: 2, -1: 2}


# ------------------------------------------------------------------ types


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a = 0", "a: int = 0"),
        ("a = ''", "a: str = ''"),
        ("a = True", "a: bool = True"),
        ("a = 0.5", "a: float = 0.5"),
        ("a = {}", "a: dict = {}"),
        ("a = {1}", "a: set = {1}"),
        ("a = set()", "a: set = set()"),
        ("a = [x for x in b]", "a: list = [x for x in b]"),
        ("a = len(b)", "a: int = len(b)"),
    ],
)
def test_the_type_of_what_a_name_begins_as_is_said(line: str, said: str) -> None:
    code = f"def f(b):\n    {line}  # é\n    a = a\n    return a"
    assert typed(code, than=code) == code.replace(line, said)


@pytest.mark.parametrize(
    "code",
    [
        "def f(a):\n    a = 0\n    return a",
        "def f(b):\n    a = b\n    return a",
        "def f(b):\n    global a\n    a = 0",
        "def f(b):\n    a = c = 0\n    return a, c",
        "def f(b):\n    for x in b:\n        a = 0\n    a = 1\n    return a",
        "a = 0",
        "def f(:",
    ],
)
def test_where_no_type_is_plain_nothing_is_said(code: str) -> None:
    assert typed(code, than=code) is None


def test_no_more_types_are_said_than_are_needed_and_the_bytecode_stays() -> None:
    code = "def f(b):\n    n = 0\n    s = ''\n    for x in b:\n        n += x\n    return n, s"
    one, two = typed(code, than=code), typed(code, than=code + " or 1")
    assert one is not None and two is not None
    assert (one.count(": int"), one.count(": str")) == (1, 0)
    assert (two.count(": int"), two.count(": str")) == (1, 1)
    plain, said = (compile(each, "f", "exec").co_consts[0] for each in (code, two))
    assert isinstance(plain, types.CodeType) and isinstance(said, types.CodeType)
    assert plain.co_code == said.co_code
