from __future__ import annotations

import ast
import collections
import enum
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.sandbox import literal
from outdo.sandbox.literal import LiteralError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
    | st.just(...)
)
HASHABLE = st.recursive(
    SCALARS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=6
)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner)
        | st.dictionaries(HASHABLE, inner, max_size=3)
        | st.sets(HASHABLE, max_size=3)
    ),
    max_leaves=20,
)


def same(a: object, b: object) -> bool:
    """Equal in value and in every type within."""
    if type(a) is not type(b) or a != b:
        return False
    if isinstance(a, (list, tuple)):
        return all(map(same, a, b))  # type: ignore[arg-type]
    if isinstance(a, dict):
        return all(map(same, a.values(), b.values()))  # type: ignore[attr-defined]
    return True


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_reading_undoes_writing(value: object) -> None:
    assert same(literal.read(literal.write(value, limit=10**6)), value)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_the_text_is_canonical(value: object) -> None:
    text = literal.write(value, limit=10**6)
    assert literal.write(literal.read(text), limit=10**6) == text


@given(st.text(alphabet="[](){},: 'abcu\\x0123456789.-+einftTrueNoneset\"", max_size=60))
def test_any_text_is_read_as_python_would_or_refused(text: str) -> None:
    try:
        value = literal.read(text)
    except LiteralError:
        return
    try:
        wanted = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return  # inf, nan, frozenset: ours alone
    assert same(value, wanted) or value == wanted


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([1, (2,), {}], "[1, (2,), {}]"),
        ({3, 1, 2}, "{1, 2, 3}"),
        (set(), "set()"),
        (frozenset({1}), "frozenset({1})"),
        (frozenset(), "frozenset()"),
        (float("-inf"), "-inf"),
        (-0.0, "-0.0"),
        (1 - 2j, "complex(1.0, -2.0)"),
        (collections.Counter("aab"), "{'a': 2, 'b': 1}"),
        (collections.OrderedDict(a=1), "{'a': 1}"),
        (collections.defaultdict(list, a=[1]), "{'a': [1]}"),
        (collections.namedtuple("Point", "x y")(1, 2), "(1, 2)"),
        (enum.IntEnum("Colour", "RED").RED, "1"),  # type: ignore[attr-defined]
    ],
)
def test_how_values_are_written(value: object, text: str) -> None:
    assert literal.write(value, limit=100) == text


def test_nan_is_written_and_read() -> None:
    (value,) = literal.read("[nan]")  # type: ignore[misc]
    assert math.isnan(value)


def test_large_integers_are_written_in_base_16() -> None:
    text = literal.write(-(16**5000), limit=10**4)
    assert text.startswith("-0x1000")
    assert literal.read(text) == -(16**5000)


def test_what_is_no_literal() -> None:
    for value, name in (
        (object(), "object"),
        (len, "builtin_function_or_method"),
        (range(3), "range"),
    ):
        with pytest.raises(LiteralError, match=rf"^not a literal: {name}$"):
            literal.write(value, limit=100)


def test_the_limit_counts_characters() -> None:
    assert literal.write("abc", limit=5) == "'abc'"
    with pytest.raises(LiteralError, match=r"^not a literal: longer than 4 characters$"):
        literal.write("abc", limit=4)


def test_depth_is_bounded_on_both_sides() -> None:
    def nested(depth: int) -> list[object]:
        return [nested(depth - 1)] if depth else []

    assert literal.read(literal.write(nested(100), limit=1000)) == nested(100)
    for act in (
        lambda: literal.write(nested(101), limit=1000),
        lambda: literal.read("[" * 102 + "]" * 102),
    ):
        with pytest.raises(LiteralError, match=r"^not a literal: nested deeper than 100$"):
            act()


@pytest.mark.parametrize(
    "text",
    ["", "  ", "[", "]", "1 2", "[1 2]", "(", "{1: 2, 3}", "{1, 2: 3}", "{[]}", "{[]: 1}", "x",
     "f()", "1 + 1", "set([1])", "set", "frozenset([1])", "complex(1, 2)", "complex(1.0)", "'a",
     "'a' 'b'", "f'a'", "b'\u00e9'", "'\\x'", "__import__('os')", "lambda: 1", "1" * 5000, "[,]",
     "{:}", "--1"],
)  # fmt: skip
def test_texts_that_are_refused(text: str) -> None:
    with pytest.raises(LiteralError, match=r"^not a literal: "):
        literal.read(text)


def test_a_long_hostile_text_is_refused_and_not_parsed_deeply() -> None:
    for text in ("[" * 10**6, "(" * 10**6, "{1:" * 10**6, "-" * 10**6 + "1", "1+" * 10**6 + "1"):
        with pytest.raises(LiteralError):
            literal.read(text)
