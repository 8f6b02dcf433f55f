"""Comments out of programs: nothing else changes, and no line moves."""

from __future__ import annotations

import ast
import gzip
import json
import os
from pathlib import Path

import pytest

from outdo import text
from outdo.data.comments import without_comments
from outdo.errors import DataError

CASES = {
    "x = 1  # one\n": "x = 1\n",
    "# head\nx = '# no'  # yes\n": "\nx = '# no'\n",
    's = """\n# text\n"""  # out\n': 's = """\n# text\n"""\n',
    "f = f'{x!r:#>3}'  # é\n": "f = f'{x!r:#>3}'\n",
    "if x:\n    # why\n    pass\n": "if x:\n\n    pass\n",
    "x = 1 # no newline": "x = 1",
    "a = (1,  # one\n     2)  # two\n": "a = (1,\n     2)\n",
}


@pytest.mark.parametrize("code", CASES)
def test_comments_go_and_texts_stay(code: str) -> None:
    assert without_comments(code) == CASES[code]


BARE = {
    'def f():\n    """Doc."""\n    return 1\n': "def f():\n\n    return 1\n",
    'def f():\n    """Doc."""\n': "def f():\n    pass\n",
    '"""Doc.\n\nMore.\n"""\nx = 1\n': "\n\n\n\nx = 1\n",
    'class A:\n    """Döc."""  # c\n    x = """no doc"""\n': 'class A:\n\n    x = """no doc"""\n',
    'def f(): "Doc."\n': 'def f(): "Doc."\n',  # shares its line with code
    'def f():\n    "Doc."; x = 1\n': 'def f():\n    "Doc."; x = 1\n',
}


@pytest.mark.parametrize("code", BARE)
def test_docstrings_go_if_asked(code: str) -> None:
    assert without_comments(code, docstrings=True) == BARE[code]


def test_lines_end_by_a_line_feed_alone() -> None:
    assert without_comments("x = 1  # a\r\ny = 2\r") == "x = 1\ny = 2\n"


def test_what_has_no_tree_is_refused() -> None:
    with pytest.raises(DataError, match="no syntax tree"):
        without_comments("def f(:  # oh\n")


def undocumented(tree: ast.Module) -> str:
    """The tree without docstrings, and without the `pass` that takes the place of one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            match node.body[:1]:
                case [ast.Expr(value=ast.Constant(value=str()))]:
                    node.body = node.body[1:]
            if [type(one) for one in node.body] == [ast.Pass]:
                node.body = []
    return ast.dump(tree)


def holds(code: str) -> None:
    code = text.plain(code)
    tree = text.syntax_tree(code)
    if tree is None:
        return
    plain, bare = without_comments(code), without_comments(code, docstrings=True)
    assert plain.count("\n") == bare.count("\n") == code.count("\n")
    assert ast.dump(ast.parse(plain)) == ast.dump(tree)
    assert without_comments(plain) == plain
    kept = ast.parse(bare)
    assert undocumented(kept) == undocumented(ast.parse(code))


def test_this_project_keeps_its_meaning() -> None:
    sources = sorted((Path(__file__).parents[2] / "src" / "outdo" / "data").glob("*.py"))
    assert sources
    for path in sources[::8]:
        holds(path.read_text("utf-8"))


@pytest.mark.slow
def test_thousands_of_real_programs_keep_theirs() -> None:
    root = Path(__file__).parents[2]
    data = Path(os.environ.get("OUTDO_DATA", root.parent / "shared" / "data"))
    files = {"commits-permissive/commits.jsonl.gz": "after",
             "thealgorithms-python/functions.jsonl.gz": "code"}  # fmt: skip
    seen = 0
    for name, column in files.items():
        if not (data / name).is_file():
            pytest.skip(f"{data / name} isn't there: set OUTDO_DATA")
        with gzip.open(data / name, "rt", encoding="utf-8") as rows:
            for row in rows:
                holds(json.loads(row)[column])
                seen += 1
    assert seen > 5_000
