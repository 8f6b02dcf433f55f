"""Tokens are those of Pygments, without what the eye doesn't count; distances are exact."""

from __future__ import annotations

import gzip
import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pygments.lexers.python import PythonLexer

from outdo import text, tokens

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


ODD = [
    "x = 'a\\n%d {} \"b\" \\' c'\ny = 'un",
    "def f():\n    r'''raw \\d'''\n    u\"\"\"doc\"\"\"\n\n    b'x' rb'\\x' Rb\"y\"",
    "f'{x} {y:>3} {z!r}' f'{a[\"b\"]}' f\"{{}}\" rf'{x}\\d'",
    "1.5 .5 1. 1e5j 0x_ff 0b12 0o7 1_000 1__0 x.1 1..real 1.5j",
    "@a.b\n@ c\na @ b @d\nyield from x\nyield  from y\nasync for z in w: pass",
    "match x:\n  case 1: pass\nmatch = 3\nif x: case = 2",
    "from . import (a,\n  b as c)\nimport os.path as p, q\nraise X from None\nfrom .5 import x",
    "a = b \\\n  + c\nimport \\\n  x\nclass A(B): pass\nclass (x)\nx = $y ? z ! w != v `q`",
    "é = 1\nx = 'é'\n\ty\n  \tz\f\n",
    "'''doc \\''' more'''\n(\n'''in\nbrackets''')\n''''''\n\"\" \"\"\"\"\"\"",
]


@pytest.mark.parametrize("code", ODD)
def test_odd_programs_have_the_tokens_of_pygments(code: str) -> None:
    for row in (code, *code.split("\n"), *(code[:end] for end in range(len(code)))):
        assert tokens.code_tokens(row) == tuple(tokens._tokens(text.plain(row)))


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet=st.sampled_from("abrf1.e_=()[]{}%:'\"\\#@,\n\t "), max_size=30))
def test_any_program_has_the_tokens_of_pygments(code: str) -> None:
    assert tokens.code_tokens(code) == tuple(tokens._tokens(text.plain(code)))


@pytest.mark.parametrize("most", [25, pytest.param(5_000, marks=pytest.mark.slow)])
def test_real_programs_have_the_tokens_of_pygments(most: int) -> None:
    """And nearly all of them take the short way."""
    folder = Path(os.environ.get("OUTDO_DATA", Path(__file__).parents[2] / "shared" / "data"))
    sets = {
        "refactory-intropynus/programs.jsonl.gz": "code",
        "debugbench-python/debugbench-python.jsonl.gz": "buggy_code",
        "thealgorithms-python/functions.jsonl.gz": "code",
        "mbpp/mbpp.jsonl": "code",
        "humaneval/HumanEval.jsonl.gz": "prompt",
        "thesis-sft-dpo/dpo-2000.jsonl.gz": "rejected",
    }
    here = {folder / name: field for name, field in sets.items() if (folder / name).exists()}
    if not here:
        pytest.skip(f"no programs at {folder}: set OUTDO_DATA")
    quick = all_ = 0
    for path, field in here.items():
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as file:
            for line in itertools.islice(file, most):
                code = text.plain(json.loads(line)[field])
                assert tokens.code_tokens(code) == tuple(tokens._tokens(code))
                quick += tokens._quick_tokens(code) is not None
                all_ += 1
    assert quick > 0.75 * all_
