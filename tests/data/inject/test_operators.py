"""Each operator on the smallest program that shows what it does: one line a case."""

from __future__ import annotations

import ast
import textwrap

import pytest

from outdo.data.inject import OPERATORS, slips

Case = tuple[str, str, str]


def function(*lines: str) -> str:
    return "def f(xs, n):\n" + textwrap.indent("\n".join(lines), "    ")


LOOP = ("total = 0", "for x in xs:", "    total += x", "return total")

CASES: list[Case] = [
    ("range-bound", "range(n)", "range(n - 1)"),
    ("range-bound", "range(n)", "range(1, n)"),
    ("range-bound", "range(1, n + 1)", "range(1, n)"),
    ("range-bound", "range(n - 1, -1, -1)", "range(n - 1, 0, -1)"),
    ("range-bound", "range(n, 0, -1)", "range(n, 0)"),
    ("index", "xs[0]", "xs[1]"),
    ("index", "xs[-1]", "xs[-2]"),
    ("index", "xs[n - 1]", "xs[n]"),
    ("slice-bound", "xs[1:]", "xs[:]"),
    ("slice-bound", "xs[:n]", "xs[:n + 1]"),
    ("slice-bound", "xs[::-1]", "xs[:]"),
    ("constant", "n % 2 == 0", "n % 3 == 0"),
    ("constant", "n + 1", "n + 0"),
    ("comparison", "n < 3", "n <= 3"),
    ("comparison", "n >= 3", "n <= 3"),
    ("comparison", "0 < n < 3", "0 < n <= 3"),
    ("comparison", "n == 3", "n != 3"),
    ("negation", "not n", "n"),
    ("negation", "n in xs", "n not in xs"),
    ("connective", "n and xs", "n or xs"),
    ("missing-condition", "n and xs and f", "n and f"),
    ("short-or", "n == 1 or n == 2", "n == 1 or 2"),
    ("division", "n // 2", "n / 2"),
    ("division", "n % 2", "n // 2"),
    ("arithmetic", "n - 1", "1 - n"),
    ("arithmetic", "n * 2", "n + 2"),
    ("precedence", "(n + 1) * 2", "n + 1 * 2"),
    ("precedence", "2 * (n + 1)", "2 * n + 1"),
    ("precedence", "n - (2 - 1)", "n - 2 - 1"),
    ("precedence", "not (n or xs)", "not n or xs"),
    ("precedence", "n and (xs or f)", "n and xs or f"),
    ("precedence", "(xs or f) and n", "xs or (f and n)"),
    ("wrong-method", "xs.append(n)", "xs.extend(n)"),
    ("wrong-function", "min(xs)", "max(xs)"),
    ("string-case", "n.lower() in xs", "n in xs"),
    ("missing-conversion", "len(xs)", "xs"),
    ("swapped-arguments", "pow(n, 2)", "pow(2, n)"),
    ("missing-keyword", "sorted(xs, reverse=True)", "sorted(xs)"),
]

BLOCKS: list[Case] = [
    ("negation", function("if n:", "    return 1"), function("if not n:", "    return 1")),
    (
        "index",
        function("for i in range(n):", "    print(xs[i])"),
        function("for i in range(n):", "    print(xs[i + 1])"),
    ),
    (
        "index-for-element",
        function("for i in range(n):", "    print(xs[i])"),
        function("for i in range(n):", "    print(i)"),
    ),
    (
        "wrong-variable",
        "def f(n, m):\n    return n < m",
        "def f(n, m):\n    return n < n",
    ),
    (
        "shadowed-name",
        function(*LOOP),
        function("total = 0", "for xs in xs:", "    total += xs", "return total"),
    ),
    (
        "shadowed-name",
        function("for i in xs:", "    for j in n:", "        print(i, j)"),
        function("for i in xs:", "    for i in n:", "        print(i, i)"),
    ),
    (
        "shadowed-builtin",
        function("total = sum(xs)", "return total"),
        function("sum = sum(xs)", "return sum"),
    ),
    (
        "mutated-argument",
        function("ys = sorted(xs)", "return ys"),
        function("xs.sort()", "ys = xs", "return ys"),
    ),
    ("mutated-argument", function("ys = xs[:]"), function("ys = xs")),
    ("mutated-argument", function("ys = list(xs)"), function("ys = xs")),
    ("mutated-argument", function("ys = xs.copy()"), function("ys = xs")),
    ("mutated-argument", function("xs = xs + [n]"), function("xs += [n]")),
    (
        "missing-case",
        function("if not xs:", "    return 0", "return xs[0]"),
        function("return xs[0]"),
    ),
    (
        "missing-case",
        function("if n:", "    a()", "elif xs:", "    b()", "else:", "    c()"),
        function("if n:", "    a()", "else:", "    c()"),
    ),
    (
        "missing-case",
        function("if n:", "    a()", "else:", "    c()"),
        function("if n:", "    a()"),
    ),
    ("missing-test", function("if n:", "    a()"), function("a()")),
    (
        "swapped-branches",
        function("if n:", "    a()", "else:", "    c()"),
        function("if n:", "    c()", "else:", "    a()"),
    ),
    ("swapped-branches", "x = 1 if n else 2", "x = 2 if n else 1"),
    (
        "broken-chain",
        function("if n:", "    a()", "elif xs:", "    b()"),
        function("if n:", "    a()", "if xs:", "    b()"),
    ),
    (
        "wrong-indent",
        function("for x in xs:", "    a()", "    b()"),
        function("for x in xs:", "    a()", "b()"),
    ),
    (
        "wrong-indent",
        function("for x in xs:", "    a()", "b()"),
        function("for x in xs:", "    a()", "    b()"),
    ),
    (
        "early-return",
        function(*LOOP),
        function("total = 0", "for x in xs:", "    total += x", "    return total"),
    ),
    (
        "early-return",
        function("for x in xs:", "    if x == n:", "        return True", "return False"),
        function(
            "for x in xs:",
            "    if x == n:",
            "        return True",
            "    else:",
            "        return False",
            "return False",
        ),
    ),
    (
        "reset-in-loop",
        function(*LOOP),
        function("total = 0", "for x in xs:", "    total = 0", "    total += x", "return total"),
    ),
    (
        "accumulator-start",
        function(*LOOP),
        function("total = 1", "for x in xs:", "    total += x", "return total"),
    ),
    (
        "accumulator-start",
        function("best = xs[0]", "for x in xs:", "    best = max(best, x)"),
        function("best = 0", "for x in xs:", "    best = max(best, x)"),
    ),
    (
        "accumulator-start",
        function("found = False", "for x in xs:", "    found = found or x"),
        function("found = True", "for x in xs:", "    found = found or x"),
    ),
    (
        "accumulator-update",
        function(*LOOP),
        function("total = 0", "for x in xs:", "    total = x", "return total"),
    ),
    (
        "accumulator-update",
        function(*LOOP),
        function("total = 0", "for x in xs:", "    total -= x", "return total"),
    ),
    ("accumulator-update", function("n = n + 1"), function("n = 1")),
    (
        "forgotten-update",
        function("while n:", "    a()", "    n -= 1"),
        function("while n:", "    a()"),
    ),
    ("missing-return", function("return n + 1"), function("n + 1")),
    ("printed-result", function("return n + 1"), function("print(n + 1)")),
    ("lost-result", function("n = n.strip()"), function("n.strip()")),
    ("lost-result", function("xs.append(n)"), function("xs = xs.append(n)")),
    (
        "wrong-jump",
        function("for x in xs:", "    if x:", "        break"),
        function("for x in xs:", "    if x:", "        continue"),
    ),
    ("single-turn", function("while n:", "    n -= 1"), function("if n:", "    n -= 1")),
    (
        "swapped-statements",
        function("for x in xs:", "    n += 1", "    print(n)"),
        function("for x in xs:", "    print(n)", "    n += 1"),
    ),
]


def as_blocks(case: Case) -> Case:
    name, before, after = case
    return name, function(f"return {before}"), function(f"return {after}")


@pytest.mark.parametrize(("operator", "before", "after"), [*map(as_blocks, CASES), *BLOCKS])
def test_an_operator_makes_its_slip(operator: str, before: str, after: str) -> None:
    found = slips(before, operators={operator: OPERATORS[operator]})
    assert ast.unparse(ast.parse(after)) in [slip.code for slip in found]
    assert {slip.operator for slip in found} == {operator}


@pytest.mark.parametrize(
    ("operator", "code"),
    [
        ("index", "x = table['key']"),
        ("index", "x = table[key]"),
        ("constant", "x = True == y"),
        ("arithmetic", "x = 'a' + y"),
        ("division", "x = 'a %s' % y"),
        ("single-turn", "while n:\n    break"),
        ("missing-return", "def f():\n    return 1"),
        ("missing-conversion", "x = sum(a)"),
        ("wrong-variable", "def f(n):\n    return n"),
    ],
)
def test_an_operator_leaves_alone_what_nobody_would_get_wrong(operator: str, code: str) -> None:
    assert slips(code, operators={operator: OPERATORS[operator]}) == ()


def test_every_operator_has_a_case() -> None:
    assert {name for name, _, _ in CASES + BLOCKS} == set(OPERATORS)
    assert len(OPERATORS) >= 14
