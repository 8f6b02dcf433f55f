"""The standard library's source as training text: functions in the one layout, prose, modules.

Only what comes with the running interpreter is read, tests and packages installed beside it aside.
"""

from __future__ import annotations

import ast
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SKIPPED = {
    "test", "tests", "idlelib", "lib2to3", "site-packages", "dist-packages", "turtledemo",
    "ensurepip", "encodings", "pydoc_data", "__pycache__", "msilib", "distutils",
}  # fmt: skip
LONGEST = 1600
"""Characters of the longest function that is used by itself."""


@dataclass(frozen=True, slots=True)
class Library:
    """`functions` stand alone, `bare` ones are short and without docstring, `modules` are whole."""

    functions: tuple[str, ...]
    bare: tuple[str, ...]
    prose: tuple[str, ...]
    modules: tuple[str, ...]


def standard_library() -> Library:
    """What the interpreter's own modules hold, in the order of their paths."""
    functions: dict[str, None] = {}
    bare: dict[str, None] = {}
    prose: dict[str, None] = {}
    modules: list[str] = []
    for text, tree in _trees(Path(sysconfig.get_paths()["stdlib"])):
        modules.append(text)
        for node in ast.walk(tree):
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
                continue
            if (docstring := ast.get_docstring(node)) and len(docstring) > 60:
                prose[docstring] = None
            if not isinstance(node, ast.FunctionDef) or node.decorator_list:
                continue
            if 60 < len(code := ast.unparse(node)) < LONGEST:
                functions[code] = None
            if 80 < len(code := ast.unparse(_undocumented(node))) < LONGEST // 2:
                bare[code] = None
    return Library(tuple(functions), tuple(bare), tuple(prose), tuple(modules))


def _trees(root: Path) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(root.rglob("*.py")):
        if SKIPPED & set(path.relative_to(root).parts):
            continue
        try:
            text = path.read_text(encoding="utf-8")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield text, ast.parse(text)
        except (SyntaxError, UnicodeDecodeError):
            continue


def _undocumented(node: ast.FunctionDef) -> ast.FunctionDef:
    body = node.body
    if ast.get_docstring(node) is not None and len(body) > 1:
        body = body[1:]
    return ast.FunctionDef(
        name=node.name,
        args=node.args,
        body=body,
        decorator_list=[],
        returns=None,
        type_comment=None,
        lineno=1,
    )
