"""Slow variants: each way by what it makes of a program, and by what it leaves alone."""

from __future__ import annotations

import ast

import pytest

from outdo.data.verified.slower import WAYS, slow_variants

MADE = {
    "list-for-set": (
        "def f(xs):\n    seen = set()\n    for x in xs:\n"
        "        if x in seen:\n            return x\n        seen.add(x)",
        ["seen = []", "seen.append(x)"],
    ),
    "copied-keys": (
        "def f(xs):\n    table = {1: 2}\n    return [x for x in xs if x in table]",
        ["x in list(table)"],
    ),
    "popped-from-front": (
        "def f(xs):\n    queue = deque(xs)\n    while queue:\n        queue.popleft()\n"
        "        queue.appendleft(1)",
        ["queue = list(xs)", "queue.pop(0)", "queue.insert(0, 1)"],
    ),
    "concatenated-list": (
        "def f(xs):\n    out = []\n    for x in xs:\n        out.append(x)\n    return out",
        ["out = out + [x]"],
    ),
    "inserted-at-front": (
        "def f(xs):\n    out = []\n    for x in xs:\n        out.append(x)\n    return out[::-1]",
        ["out.insert(0, x)", "return out\n"],
    ),
    "recomputed-in-loop": (
        "def f(xs):\n    total = sum(xs)\n    for x in xs:\n        if x == total:\n"
        "            return x",
        ["if x == sum(xs)"],
    ),
    "sorted-in-loop": (
        "def f(xs):\n    ys = sorted(xs)\n    for i in range(len(ys)):\n        print(ys[i])",
        ["    for i in range(len(ys)):\n        ys = sorted(ys)"],
    ),
    "sorted-for-extreme": (
        "def f(xs):\n    return max(xs) - min(xs)",
        ["sorted(xs)[-1] - min(xs)"],
    ),
    "counted-again": (
        "def f(xs):\n    return Counter(xs)",
        ["{item: xs.count(item) for item in xs}"],
    ),
    "recomputed-sum": (
        "def f(xs):\n    total = 0\n    for i in range(len(xs)):\n        total += xs[i]",
        ["total = sum(xs[:i + 1])"],
    ),
    "forgotten-memo": (
        "@cache\ndef f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)",
        ["def f(n):"],
    ),
    "whole-range": (
        "def f(n):\n    return all(n % d for d in range(2, int(n ** 0.5) + 1))",
        ["range(2, n)"],
    ),
    "eager-quantifier": (
        "def f(xs):\n    return any(x < 0 for x in xs)",
        ["any([x < 0 for x in xs])"],
    ),
}


def test_every_way_is_tried_here() -> None:
    assert set(MADE) == set(WAYS)


@pytest.mark.parametrize("way", MADE)
def test_a_way_writes_what_it_says(way: str) -> None:
    code, wanted = MADE[way]
    found = [slow.code for slow in slow_variants(code, ways={way: WAYS[way]})]
    assert found, "the way finds its place"
    assert any(all(part in f"{one}\n" for part in wanted) for one in found), found
    assert all(ast.unparse(ast.parse(one)) == one != code for one in found)


LEFT = {
    "a set that is counted": (
        "list-for-set",
        "def f(xs):\n    seen = set()\n    for x in xs:\n        seen.add(x)\n    return len(seen)",
    ),
    "a table that is asked once": (
        "copied-keys",
        "def f(x):\n    table = {1: 2}\n    return x in table",
    ),
    "a list of somebody else's": (
        "concatenated-list",
        "def f(out, xs):\n    for x in xs:\n        out.append(x)",
    ),
    "a sum over what changes in the loop": (
        "recomputed-in-loop",
        "def f(xs):\n    total = sum(xs)\n    while xs:\n        xs.pop()\n        print(total)",
    ),
    "a value that is cheap": (
        "recomputed-in-loop",
        "def f(xs):\n    size = len(xs)\n    for x in xs:\n        print(size)",
    ),
    "an extreme by a key": ("sorted-for-extreme", "def f(xs):\n    return max(xs, key=len)"),
    "a deque of a bounded length": (
        "popped-from-front",
        "def f(xs):\n    q = deque(xs, maxlen=3)\n    q.popleft()",
    ),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_would_change_the_answer_is_left_alone(case: str) -> None:
    way, code = LEFT[case]
    assert slow_variants(code, ways={way: WAYS[way]}) == ()


def test_what_has_no_tree_has_no_variants() -> None:
    assert slow_variants("def f(:") == ()


def test_the_second_look_into_a_table_of_answers_goes() -> None:
    code = (
        "def f(n, known={}):\n    if n in known:\n        return known[n]\n"
        "    known[n] = n if n < 2 else f(n - 1) + f(n - 2)\n    return known[n]"
    )
    (slow,) = slow_variants(code, ways={"forgotten-memo": WAYS["forgotten-memo"]})
    assert "in known" not in slow.code
