"""Chat tasks about programs: write, repeat, rename, fill in, edit as told, apply a diff, explain.

None of them shows a wrong program to be repaired. They teach what every later task stands on:
to read a statement, a program and its tests in one layout, and to give a program back exactly,
changed in the places that were asked for and nowhere else.
"""

from __future__ import annotations

import ast
import difflib
import io
import re
import tokenize
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from exercise import Exercise, bound_names, canonical, renamed
from words import TAKEN, function_name, identifier, integer

Turn = tuple[str, str]
"""What the user says and what the assistant answers."""

BLANK = "___"

SYSTEMS = (
    "You help people who learn to program in Python.",
    "You help people who learn to program in Python.",
    "You are a careful programmer.",
    "You help students of Python.",
    "You write short Python programs.",
    "You are a helpful assistant for Python programs. Answer with the program only.",
    "You are a patient teacher of programming.",
    "You are given a problem and a student's program.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A program with what is known of it; statement and tests may be empty."""

    code: str
    statement: str = ""
    tests: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()
    entry: str = ""


def piece_of(rng: Random, exercise: Exercise) -> Piece:
    """One program of an exercise, the others kept as other ways to write it."""
    code = rng.choice(exercise.programs)
    return Piece(
        code=code,
        statement=exercise.statement,
        tests=exercise.tests[:3],
        others=tuple(other for other in exercise.programs if other != code),
        entry=exercise.entry,
    )


def fenced(code: str) -> str:
    return f"```python\n{code}\n```"


def told_tests(rng: Random, tests: Sequence[tuple[str, str]], *, usual: bool = False) -> str:
    """The tests, one a line, mostly as `call -> result`."""
    draw = 0.0 if usual else rng.random()
    if draw < 0.75:
        return "\n".join(f"{call} -> {expected}" for call, expected in tests)
    if draw < 0.85:
        return "\n".join(f"assert {call} == {expected}" for call, expected in tests)
    if draw < 0.93:
        return "\n".join(f"{call} == {expected}" for call, expected in tests)
    return "\n".join(f">>> {call}\n{expected}" for call, expected in tests)


def asked(rng: Random, piece: Piece, instruction: str, *, code: str | None = None) -> str:
    """Statement, program and tests, what is to be done at the end; mostly in the tasks' layout."""
    usual = rng.random() < 0.6
    statement = piece.statement if rng.random() < 0.93 else ""
    tests = told_tests(rng, piece.tests, usual=usual) if rng.random() < 0.9 else ""
    if usual:
        shown = "\n".join(part for part in (fenced(code) if code else "", tests) if part)
        return "\n\n".join(part for part in (statement, shown, instruction) if part)
    parts = []
    if statement:
        parts.append(rng.choice(("Problem:\n", "Problem: ")) + statement)
    if code is not None:
        parts.append(rng.choice(("Program:\n", "", "The program:\n", "Code:\n")) + fenced(code))
    if tests:
        parts.append(rng.choice(("Tests:\n", "Examples:\n", "It should give:\n")) + tests)
    return "\n\n".join((*parts, instruction))


# ------------------------------------------------------------------ whole programs


def write(rng: Random, piece: Piece) -> Turn | None:
    if not piece.statement:
        return None
    name = f" The function is called {piece.entry}." if rng.random() < 0.5 else ""
    instruction = rng.choice(("Write the program.", "Write the function.", "Solve the problem."))
    return asked(rng, piece, instruction + name), fenced(piece.code)


def rewrite(rng: Random, piece: Piece) -> Turn | None:
    if not piece.others:
        return None
    instruction = "Write a program that does the same in another way."
    return asked(rng, piece, instruction, code=rng.choice(piece.others)), fenced(piece.code)


def repeat(rng: Random, piece: Piece) -> Turn | None:
    instruction = rng.choice((
        "Repeat the program.", "Say the program again.", "Copy the program without a change.",
        "Give the same program back.", "Return the program as it is.",
    ))  # fmt: skip
    return asked(rng, piece, instruction, code=piece.code), fenced(piece.code)


def tidy(rng: Random, piece: Piece) -> Turn | None:
    """An untidy layout, to be laid out anew."""
    untidy = piece.code.replace("    ", rng.choice(("  ", " ", "\t", "   ")))
    if rng.random() < 0.6:
        untidy = re.sub(r" (=|\+|-|\*|==|<|>|\+=|%) ", r"\1", untidy)
    if rng.random() < 0.4:
        untidy = untidy.replace(", ", ",")
    try:
        if canonical(untidy) != piece.code:
            return None
    except SyntaxError:
        return None
    instruction = rng.choice(("Lay the program out anew.", "Tidy the layout of the program."))
    return asked(rng, piece, instruction, code=untidy), fenced(piece.code)


# ------------------------------------------------------------------ filling in


def fill_in(rng: Random, piece: Piece) -> Turn | None:
    """A program with blanks for tokens, expressions or lines, to be given back whole."""
    masked = blanked(rng, piece.code)
    if masked is None:
        return None
    instruction = rng.choice((
        f"Fill in {BLANK} and give the whole program.",
        f"Replace each {BLANK} by what belongs there.",
        f"Parts of the program are hidden as {BLANK}. Write the whole program.",
        "Complete the program.", "Write the complete program.",
    ))  # fmt: skip
    return asked(rng, piece, instruction, code=masked), fenced(piece.code)


def blanked(rng: Random, code: str) -> str | None:
    """The program with one to three of its parts hidden, seldom many."""
    spans = rng.choice((_token_spans, _token_spans, _expression_spans, _line_spans))(code)
    if not spans:
        return None
    count = rng.choice((1, 1, 1, 1, 2, 2, 3, max(3, len(spans) // 6)))
    chosen: list[tuple[int, int]] = []
    for start, end in rng.sample(spans, min(count, len(spans))):
        if all(end <= other[0] or start >= other[1] for other in chosen):
            chosen.append((start, end))
    for start, end in sorted(chosen, reverse=True):
        code = code[:start] + BLANK + code[end:]
    return code


_COMPARED = ("==", "!=", "<", ">", "<=", ">=")
_COMPUTED = ("+", "-", "*", "//", "%")
_UPDATED = ("+=", "-=", "*=")
_WORDS = {
    "and", "or", "not", "in", "is", "True", "False", "None",
    "break", "continue", "return", "if", "while", "for",
}  # fmt: skip
_HIDEABLE = {*_COMPARED, *_COMPUTED, *_UPDATED, "/", "**", "//=", *_WORDS}
_SHOWN = {"def", "lambda", "else", "elif", "import", "from", "class", "try", "except"}


def _offsets(code: str) -> list[int]:
    offsets = [0]
    for line in code.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))
    return offsets


def _token_spans(code: str) -> list[tuple[int, int]]:
    offsets = _offsets(code)
    spans = []
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        kind = token.type
        word = kind == tokenize.NAME and token.string not in _SHOWN
        if word or token.string in _HIDEABLE or kind in (tokenize.NUMBER, tokenize.STRING):
            (row, start), (last, end) = token.start, token.end
            spans.append((offsets[row - 1] + start, offsets[last - 1] + end))
    return spans


def _expression_spans(code: str) -> list[tuple[int, int]]:
    if not code.isascii():
        return []
    offsets = _offsets(code)
    return [
        (
            offsets[node.lineno - 1] + node.col_offset,
            offsets[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0),
        )
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.expr)
        and not isinstance(node, (ast.Name, ast.JoinedStr, ast.FormattedValue))
    ]


def _line_spans(code: str) -> list[tuple[int, int]]:
    offsets = _offsets(code)
    lines = code.splitlines()
    return [
        (offsets[row] + len(line) - len(line.lstrip()), offsets[row] + len(line))
        for row, line in enumerate(lines)
        if row > 0 and line.strip() and not line.rstrip().endswith(",")
    ]


# ------------------------------------------------------------------ edits that are told


def _renaming(rng: Random, code: str) -> tuple[str, str, str] | None:
    names = bound_names(code)
    if not names:
        return None
    old = rng.choice(names)
    functions = [
        node.name for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)
    ]
    if old in functions:
        new = function_name(rng)
    else:
        new = identifier(
            rng, role=rng.choice(("x", "acc", "xs", "text", "")), avoid=TAKEN | {*names}
        )
    return (old, new, renamed(code, {old: new})) if new not in names else None


def rename(rng: Random, piece: Piece) -> Turn | None:
    change = _renaming(rng, piece.code)
    if change is None:
        return None
    old, new, after = change
    instruction = rng.choice((
        f"Rename {old} to {new} everywhere.", f"Rename `{old}` to `{new}`.",
        f"Call `{old}` `{new}` instead.", f"Use the name {new} for {old}.",
    ))  # fmt: skip
    return asked(rng, piece, instruction, code=piece.code), fenced(after)


def exchange(rng: Random, piece: Piece) -> Turn | None:
    """One token or expression that stands once, replaced by another that is given."""
    spans = rng.choice((_token_spans, _expression_spans, _line_spans))(piece.code)
    if not spans:
        return None
    start, end = rng.choice(spans)
    old = piece.code[start:end]
    new = _replacement(rng, piece.code, old)
    line = piece.code[piece.code.rfind("\n", 0, start) + 1 :].split("\n")[0].strip()
    after = piece.code[:start] + new + piece.code[end:]
    if new == old or "\n" in old or piece.code.count(line) != 1 or line.count(old) != 1:
        return None
    changed = line.replace(old, new)
    instruction = rng.choice((
        f"In the line `{line}` replace `{old}` by `{new}`.",
        f"Replace the line `{line}` by `{changed}`.", f"Change `{line}` to `{changed}`.",
        f"Write `{new}` for `{old}` in `{line}`.",
    ))  # fmt: skip
    return asked(rng, piece, instruction, code=piece.code), fenced(after)


def _replacement(rng: Random, code: str, old: str) -> str:
    if re.fullmatch(r"-?\d+", old):
        return str(integer(rng))
    if old in _HIDEABLE and not old.isalpha():
        kinds = (_COMPARED, _UPDATED, _COMPUTED)
        return rng.choice(next((kind for kind in kinds if old in kind), _COMPUTED))
    others = [code[a:b] for a, b in _expression_spans(code) if "\n" not in code[a:b]]
    return rng.choice([*others, *bound_names(code), identifier(rng)])


def drop_line(rng: Random, piece: Piece) -> Turn | None:
    lines = piece.code.splitlines()
    row = rng.randrange(len(lines))
    line = lines[row].strip()
    if not line or piece.code.count(line) != 1 or line.endswith(":"):
        return None
    after = "\n".join(lines[:row] + lines[row + 1 :])
    return asked(rng, piece, f"Take the line `{line}` out.", code=piece.code), fenced(after)


def add_line(rng: Random, piece: Piece) -> Turn | None:
    lines = piece.code.splitlines()
    row = rng.randrange(len(lines))
    line = lines[row].strip()
    if row == 0 or not line or line.endswith(":") or not lines[row - 1].strip():
        return None
    before = "\n".join(lines[:row] + lines[row + 1 :])
    above = lines[row - 1].strip()
    if before.count(above) != 1:
        return None
    depth = (len(lines[row]) - len(line)) // 4
    instruction = f"After the line `{above}` put `{line}`, indented {depth} times."
    return asked(rng, piece, instruction, code=before), fenced(piece.code)


def document(rng: Random, piece: Piece) -> Turn | None:
    """A docstring put in or taken out."""
    if not piece.statement or '"""' in piece.code:
        return None
    documented = with_docstring(piece, piece.statement)
    if documented is None:
        return None
    if rng.random() < 0.5:
        instruction = rng.choice(("Take the docstring out.", "Remove the docstring."))
        bare = Piece(code=piece.code, tests=piece.tests)
        return asked(rng, bare, instruction, code=documented), fenced(piece.code)
    instruction = "Give the function the problem's statement as its docstring."
    shown = Piece(code=piece.code)
    return (
        f"Problem:\n{piece.statement}\n\n{asked(rng, shown, instruction, code=piece.code)}",
        fenced(documented),
    )


def with_docstring(piece: Piece, text: str) -> str | None:
    """The program whose entry has the text as its docstring, or None without an entry."""
    tree = ast.parse(piece.code)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == (piece.entry or node.name):
            node.body.insert(0, ast.Expr(ast.Constant(text)))
            return ast.unparse(tree)
    return None


# ------------------------------------------------------------------ diffs


def unified(before: str, after: str, name: str) -> str:
    """The unified diff of two programs."""
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"a/{name}.py", f"b/{name}.py", lineterm=""
    )
    return "\n".join(lines)


def diff(rng: Random, piece: Piece) -> Turn | None:
    """A renaming as a diff: to apply, to write, or to tell in one line."""
    change = _renaming(rng, piece.code)
    if change is None:
        return None
    old, new, after = change
    patch = f"```diff\n{unified(piece.code, after, piece.entry or 'program')}\n```"
    draw = rng.random()
    if draw < 0.4:
        ask = f"Program:\n{fenced(piece.code)}\n\nDiff:\n{patch}\n\nApply the diff."
        return ask, fenced(after)
    if draw < 0.65:
        ask = f"Before:\n{fenced(piece.code)}\n\nAfter:\n{fenced(after)}\n\nWrite the diff."
        return ask, patch
    told = rng.choice((f"Rename {old} to {new}", f"Rename `{old}` to `{new}`"))
    return f"Diff:\n{patch}\n\nDescribe the change in one line.", told


# ------------------------------------------------------------------ meaning


def explain(rng: Random, piece: Piece) -> Turn | None:
    if not piece.statement:
        return None
    instruction = rng.choice(("What does the program do?", "Write the statement of the problem."))
    shown = Piece(code=piece.code, tests=piece.tests if rng.random() < 0.5 else ())
    return asked(rng, shown, instruction, code=piece.code), piece.statement


def result(rng: Random, piece: Piece) -> Turn | None:
    if len(piece.tests) < 2:
        return None
    *shown, (call, expected) = piece.tests
    known = Piece(code=piece.code, statement=piece.statement, tests=tuple(shown))
    return asked(rng, known, f"What is {call}?", code=piece.code), expected


Chore = Callable[[Random, Piece], Turn | None]

CHORES: dict[str, tuple[Chore, float]] = {
    "fill in": (fill_in, 34),
    "write": (write, 11),
    "repeat": (repeat, 11),
    "rename": (rename, 13),
    "exchange": (exchange, 11),
    "rewrite": (rewrite, 5),
    "diff": (diff, 5),
    "explain": (explain, 3),
    "document": (document, 2),
    "drop line": (drop_line, 1.5),
    "add line": (add_line, 1.5),
    "tidy": (tidy, 1),
    "result": (result, 2),
}
"""The chores with the share that each has, in percent."""
