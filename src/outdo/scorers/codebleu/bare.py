"""Programs without comments and docstrings, as the published CodeBLEU takes them out."""

from __future__ import annotations

import re
import tokenize
from io import StringIO

_BRACES = re.compile(
    r"""//.*?$|/\*.*?\*/|'(?:\\.|[^\\'])*'|"(?:\\.|[^\\"])*\"""", re.DOTALL | re.MULTILINE
)


def bare(code: str, language: str) -> str:
    """The program without comments, blank lines and, in Python, strings that are statements.

    A Python program that `tokenize` refuses stays as it is. Blanks at the ends of lines vanish.
    """
    if language == "python":
        try:
            code = _bare_python(code)
        except (tokenize.TokenError, SyntaxError):
            return code
    else:
        code = _BRACES.sub(lambda found: " " if found[0][0] == "/" else found[0], code)
    return "\n".join([line for line in code.split("\n") if line.strip()])


def _bare_python(code: str) -> str:
    written = []
    before, row, column = tokenize.INDENT, -1, 0
    for kind, text, (top, left), (bottom, right), _ in tokenize.generate_tokens(
        StringIO(code).readline
    ):
        if top > row:
            column = 0
        if left > column:
            written.append(" " * (left - column))
        if kind == tokenize.STRING:
            if before not in (tokenize.INDENT, tokenize.NEWLINE) and left > 0:
                written.append(text)
        elif kind != tokenize.COMMENT:
            written.append(text)
        before, row, column = kind, bottom, right
    return "".join(written)
