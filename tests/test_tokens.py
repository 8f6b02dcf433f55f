"""Tokens are those of Pygments, without what the eye doesn't count; distances are exact."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers.python import PythonLexer

from outdo import tokens

CODES = st.text(alphabet=st.sampled_from("ab1+=()[]:'\"\\#.,\n\t éß\r\x00\ud800"), max_size=40)


def table_distance(before: tuple[str, ...], after: tuple[str, ...]) -> int:
    """Levenshtein's table, row by row."""
    row = list(range(len(after) + 1))
    for i, one in enumerate(before, 1):
        above, row[0] = row[0], i
        for j, other in enumerate(after, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (one != other))
    return row[-1]


def test_comments_blank_lines_and_blanks_are_dropped_and_an_indent_is_one_token() -> None:
    code = "#!/usr/bin/env python\ndef f( x ):  # why\n\n    # here\n    return  x+1\n\n\n"
    assert tokens.code_tokens(code) == (
        *("def", "f", "(", "x", ")", ":"),
        *("    ", "return", "x", "+", "1"),
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("", ()),
        (" \n\t\n", ()),
        ("# only\n  # comments", ()),
        ("x", ("x",)),
        ("if x:\n\ty", ("if", "x", ":", "\t", "y")),
        ("x = \\\n    y", ("x", "=", "    ", "y")),
        ("f(\n\n  x)", ("f", "(", "  ", "x", ")")),
        ("print 'a b'", ("print", "'", "a b", "'")),
        ("f'{x} '", ("f", "'", "{", "x", "}", " ", "'")),
        ("x <> 1", ("x", "<", ">", "1")),
        (
            "def f():\n\n  '''Doc\n  more.'''\n",
            ("def", "f", "(", ")", ":", "  ", "'''Doc\n  more.'''"),
        ),
        ("x = '''a\n  b'''", ("x", "=", "'''", "a", "\n", "  b", "'''")),
        ("if x:\r\n  y\r", ("if", "x", ":", "  ", "y")),
        ("\ufeffx\x00y", ("xy",)),
        ("x = '\ud800", ("x", "=", "'", "\ud800")),
    ],
)
def test_tokens_of_odd_programs(code: str, expected: tuple[str, ...]) -> None:
    assert tokens.code_tokens(code) == expected


@settings(deadline=None)
@given(CODES)
def test_no_visible_character_is_lost(code: str) -> None:
    """Without comments, the tokens joined are the program without its blanks."""
    code = code.replace("#", "").replace("\\", "").replace("\x00", "")
    joined = "".join("".join(tokens.code_tokens(code)).split())
    assert joined == "".join(code.split())


@settings(deadline=None)
@given(CODES)
def test_every_token_but_indents_is_one_of_pygments(code: str) -> None:
    given = [piece for _, piece in PythonLexer(stripnl=False).get_tokens(code.replace("\x00", ""))]
    assert all(token in given or not token.strip() for token in tokens.code_tokens(code))


@settings(deadline=None)
@given(CODES, CODES)
def test_the_distance_is_that_of_the_table(before: str, after: str) -> None:
    expected = table_distance(tokens.code_tokens(before), tokens.code_tokens(after))
    assert tokens.distance(before, after) == expected


def test_layout_costs_nothing_but_an_indent_costs_one() -> None:
    before = "for x in a:\n    f(x)\n    g(x)\n"
    assert tokens.distance(before, "# now\nfor x  in a :\n\n    f( x )\n    g(x)") == 0
    assert tokens.distance(before, "for x in a:\n    f(x)\ng(x)\n") == 1
    assert tokens.distance(before, "") == 15


def test_the_nearest_program_is_found_with_its_distance() -> None:
    others = ["def f(): pass", "x = 1 + 1", "x = 2", "x = 3"]
    assert tokens.nearest("x = 1", others) == (2, 1)
    assert tokens.nearest("x = 3", others) == (3, 0)
    assert tokens.nearest("x = 1", []) is None


@settings(deadline=None)
@given(CODES, st.lists(CODES, min_size=1, max_size=6))
def test_the_nearest_is_the_first_of_the_least(code: str, others: list[str]) -> None:
    distances = [tokens.distance(code, other) for other in others]
    assert tokens.nearest(code, others) == (distances.index(min(distances)), min(distances))


def test_the_signature_names_the_lexer_and_the_distance() -> None:
    assert tokens.SIGNATURE.startswith("pygments-2.")
    assert tokens.SIGNATURE.endswith("|levenshtein")
