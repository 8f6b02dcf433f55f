"""All slips that the operators can make in a program, each with what was broken and where.

Code is written by `ast.unparse`: layout and comments are normalised, so that a slip differs from
its origin in the slip alone. Lines and columns are those of the normalised code with the slip.
"""

from __future__ import annotations

import ast
import textwrap
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

from outdo.data.inject import expressions, names, statements
from outdo.data.inject.trees import Edit, Operator, rebuilt

OPERATORS: Mapping[str, Operator] = {
    function.__name__.replace("_", "-"): function
    for function in (
        expressions.range_bound,
        expressions.index,
        expressions.slice_bound,
        expressions.constant,
        expressions.comparison,
        expressions.negation,
        expressions.connective,
        expressions.missing_condition,
        expressions.short_or,
        expressions.division,
        expressions.arithmetic,
        expressions.precedence,
        expressions.wrong_method,
        expressions.wrong_function,
        expressions.string_case,
        expressions.missing_conversion,
        expressions.swapped_arguments,
        expressions.missing_keyword,
        expressions.index_for_element,
        names.wrong_variable,
        names.shadowed_name,
        names.shadowed_builtin,
        names.mutated_argument,
        statements.missing_case,
        statements.missing_test,
        statements.swapped_branches,
        statements.broken_chain,
        statements.wrong_indent,
        statements.early_return,
        statements.reset_in_loop,
        statements.accumulator_start,
        statements.accumulator_update,
        statements.forgotten_update,
        statements.missing_return,
        statements.printed_result,
        statements.lost_result,
        statements.wrong_jump,
        statements.single_turn,
        statements.swapped_statements,
    )
}
"""Every operator by the name that a slip carries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """A program with one thing broken: by which operator, where, from what, to what.

    `line` and `column` (from 1) lead to the first character that differs, in `code`. `before`
    and `after` are the lines that differ; either may be empty, where lines were lost or added.
    """

    operator: str
    line: int
    column: int
    before: str
    after: str
    code: str


def normalised(code: str) -> str:
    """The code as `ast.unparse` writes it; raises SyntaxError if it isn't Python."""
    return ast.unparse(_parsed(code))


def slips(code: str, *, operators: Mapping[str, Operator] = OPERATORS) -> tuple[Slip, ...]:
    """Every slip of one edit, each a program of its own that compiles, in a fixed order.

    A program that two operators make is told once, under the first. Whether a slip does any
    harm, only the tests can say. Raises SyntaxError if the code isn't Python.
    """
    found: dict[str, Slip] = {}
    for draft in drafts(code, operators=operators):
        slip = draft.slip()
        if slip and slip.code not in found:
            found[slip.code] = slip
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Draft:
    """A slip that is not written out yet, which is the dear part of making one."""

    operator: str
    origin: str
    tree: ast.Module
    edit: Edit

    def slip(self) -> Slip | None:
        """The slip, or None if it changes nothing or isn't a program."""
        broken = ast.unparse(rebuilt(self.tree, self.edit))
        if broken == self.origin or not _compiles(broken):
            return None
        return difference(self.operator, origin=self.origin, broken=broken)


def drafts(code: str, *, operators: Mapping[str, Operator] = OPERATORS) -> tuple[Draft, ...]:
    """What every operator would do to the code; two drafts may come to the same program."""
    tree = _parsed(code)
    origin = ast.unparse(tree)
    return tuple(
        Draft(name, origin, tree, edit)
        for name, operator in operators.items()
        for edit in operator(tree)
    )


def _parsed(code: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(code)


def _compiles(code: str) -> bool:
    """Whether it is a program; parsing alone lets `break` stand outside of loops."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            compile(code, "main.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def difference(operator: str, *, origin: str, broken: str) -> Slip:
    """The slip that leads from one text to the other: the lines that differ, and where."""
    old, new = origin.splitlines(), broken.splitlines()
    head = _shared(old, new)
    tail = _shared(old[head:][::-1], new[head:][::-1])
    lost, won = old[head : len(old) - tail], new[head : len(new) - tail]
    line = min(head, len(new) - 1)
    column = _shared(lost[0], won[0]) if lost and won else _indent(new[line])
    return Slip(
        operator=operator,
        line=line + 1,
        column=column + 1,
        before=textwrap.dedent("\n".join(lost)),
        after=textwrap.dedent("\n".join(won)),
        code=broken,
    )


def _shared(one: str | list[str], other: str | list[str]) -> int:
    """How many items both begin with."""
    count = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        count += 1
    return count


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
