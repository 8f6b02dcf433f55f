"""Values are compared as Python would, kinds kept apart; text without the blanks around it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo import literals
from outdo.sandbox import literal as written

SIMPLE = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.floats() | st.binary()
VALUES = st.recursive(
    SIMPLE,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=2) | st.integers() | st.booleans(), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (True, 1),
        (False, 0),
        (None, False),
        ("1", 1),
        (b"a", "a"),
        ((1, 2), [1, 2]),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ([True], [1]),
        ({1: "a"}, {True: "a"}),
        ({1: 0}, {1: False}),
        ({1: 0}, {1: 0, 2: 0}),
        ({1}, {True}),
        ({1}, frozenset({1})),
        ({(1, True)}, {(1, 1)}),
        (1.0, 1.0001),
        (0.0, 1e-12),
        (1, 2),
        (10**400, 1.0),
        (math.inf, -math.inf),
        (math.nan, 0.0),
        ("a", "a "),
        (1j, 1),
    ],
)
def test_values_that_differ(one: object, other: object) -> None:
    assert not literals.same(one, other)
    assert not literals.same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (2, 2.0),
        (0.1 + 0.2, 0.3),
        (1e16 / 3, 1e16 / 3 + 1),
        (math.inf, math.inf),
        ([math.nan], [math.nan]),
        ({"a": 1, "b": 2}, {"b": 2.0, "a": 1}),
        ({1.0: "x"}, {1: "x"}),
        ({1, 2}, {2, 1.0}),
        ({(1, "a")}, {(1, "a")}),
        ((), ()),
        (10**400, 10**400),
        (1j, 1j),
    ],
)
def test_values_that_are_the_same(one: object, other: object) -> None:
    assert literals.same(one, other)
    assert literals.same(other, one)


@settings(deadline=None)
@given(VALUES)
def test_every_value_is_the_same_as_what_its_text_writes(value: object) -> None:
    assert literals.same(literals.literal(repr(value)), value)
    assert literals.agrees(written.write(value, limit=100_000), f" {value!r}\n")


@settings(deadline=None)
@given(VALUES, VALUES)
def test_sameness_has_no_order_and_implies_equality(one: object, other: object) -> None:
    assert literals.same(one, other) == literals.same(other, one)
    assert literals.same(one, other, tolerance=0.0) <= (one == other or "nan" in repr(one))


def test_the_tolerance_is_relative_and_can_be_none() -> None:
    assert literals.same([1000.0], [1000.5], tolerance=1e-3)
    assert literals.same({"a": (1000.0,)}, {"a": (1000.5,)}, tolerance=1e-3)
    assert not literals.same([1000.0], [1002.0], tolerance=1e-3)
    assert not literals.same(0.1 + 0.2, 0.3, tolerance=0.0)
    assert literals.agrees("1000.5", "1000", tolerance=1e-3)
    assert not literals.agrees("1000.5", "1000")


@pytest.mark.parametrize(
    "text", ["", "x", "f(1)", "1 +", "[" * 300 + "]" * 300, "__import__('os')", "\x00", "9" * 5000]
)
def test_what_is_no_literal_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a literal: "):
        literals.literal(text)


def test_infinities_are_literals() -> None:
    assert literals.literal("[inf, -inf]") == [math.inf, -math.inf]
    assert literals.literal(" set() ") == set()


@pytest.mark.parametrize(
    ("output", "expected", "how", "agree"),
    [
        ("[1, 2]", "[1,2]", "value", True),
        ("[1, 2]", "[1,2]", "printed", False),
        ("[1, 2]\n", " [1, 2]", "printed", True),
        ("(1, 2)", "[1, 2]", "value", False),
        ("'a'", '"a"', "value", True),
        ("'a'", '"a"', "session", False),
        ("a", "a", "script", True),
        ("True", "1", "value", False),
        ("2.0", "2", "value", True),
        ("2.0", "2", "printed", False),
        ("0xff", "255", "value", True),
        ("{3, 1}", "{1,  3}", "value", True),
        ("frozenset({1})", "{1}", "value", False),
        ("oops", "1", "value", False),
        ("1", "oops", "value", False),
        (None, "None", "value", False),
        ("9" * 5000, "9" * 5000, "value", True),
    ],
)
def test_outputs_agree(output: str | None, expected: str, how: str, agree: bool) -> None:
    assert literals.agrees(output, expected, how=how) is agree


def test_values_are_the_default() -> None:
    assert literals.agrees("{1: 2, 3: 4}", "{3: 4, 1: 2}")
