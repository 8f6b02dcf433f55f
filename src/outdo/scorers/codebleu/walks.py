"""How the flow of data goes in each language: Python, and those that read like C."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from outdo.scorers.codebleu.flow import (
    COMES,
    COMPUTED,
    LoopWalk,
    States,
    Unreadable,
    Walk,
    union,
)
from outdo.scorers.codebleu.trees import DEEPEST_PRINT, Tree

DEEPEST = 250
"""Levels of a tree beyond which its flow isn't followed, where loops are walked once."""


def parts(tree: Tree, node: int) -> list[int]:
    """The members of a list, without its commas."""
    return [child for child in tree.children(node) if tree.kinds[child] != ","]


# ------------------------------------------------------------------ Python


TARGETS = frozenset({"pattern_list", "tuple_pattern", "list_pattern"})
COMPREHENSIONS = frozenset(
    {
        "list_comprehension",
        "set_comprehension",
        "dictionary_comprehension",
        "generator_expression",
        "ERROR",
    }
)
VALUES = frozenset({"expression_list", "tuple", "list"})


STATEMENTS = frozenset(
    {
        "assignment",
        "augmented_assignment",
        "default_parameter",
        "for_in_clause",
        "for_statement",
        "if_statement",
        "while_statement",
    }
)
RULED = STATEMENTS | COMPREHENSIONS


class PythonFor(LoopWalk):
    """The iterated value, the variables, the body."""

    def once(self, walk: Walk, node: int, states: States) -> None:
        """The body once."""
        assert isinstance(walk, PythonWalk)
        left, right = walk.sides(walk.part(node, "left"), walk.part(node, "right"))
        walk.assign(left, right, states)
        body = walk.tree.children(node)[-1]
        if walk.kinds[body] == "block":
            walk.visit(body, states)


class Whole(LoopWalk):
    """All children in their order."""

    def once(self, walk: Walk, node: int, states: States) -> None:
        """All children once."""
        walk.children(node, states)


class PythonWalk(Walk):
    """Python: several targets at once, `elif`, comprehensions whose loop comes first."""

    busy = STATEMENTS
    _for = PythonFor()
    _while = Whole()

    def follow(self, node: int, states: States) -> None:
        """Add the edges of a node by the rule for its type."""
        kind = self.kinds[node]
        if kind not in RULED:
            self.children(node, states)
        elif kind == "default_parameter":
            self._default(node, states)
        elif kind in ("assignment", "augmented_assignment", "for_in_clause"):
            self._assignment(node, states)
        elif kind == "if_statement":
            self._if(node, states)
        elif kind == "for_statement":
            self.loop(node, states, self._for)
        elif kind == "while_statement":
            self.loop(node, states, self._while)
        else:
            children = self.tree.children(node)
            children.sort(key=lambda child: self.kinds[child] != "for_in_clause")
            for child in children:
                self.visit(child, states)

    def sides(self, left: int, right: int) -> tuple[list[int], list[int]]:
        """Targets and values one by one where they are as many, else each side whole.

        The published code takes any node's children for a list's members, those of `a.b` too.
        """
        lists = self.kinds[left] in TARGETS and self.kinds[right] in VALUES
        if not self.twice and not lists:
            return [left], [right]
        if self.sizes[left] == 1:
            return [left], [right]
        targets, values = parts(self.tree, left), parts(self.tree, right)
        if len(targets) != len(values) or not targets:
            return [left], [right]
        return targets, values

    def assign(self, left: list[int], right: list[int], states: States) -> None:
        """Walk the values, then let each target be computed from its value."""
        for node in right:
            self.visit(node, states)
        for target, value in zip(left, right, strict=False):
            sources = self.variables(value)
            self.add(self.variables(target), COMPUTED, sources, states)

    def _assignment(self, node: int, states: States) -> None:
        if self.kinds[node] == "for_in_clause":
            self.assign([self.part(node, "left")], [self.tree.children(node)[-1]], states)
            return
        value = self.tree.field(node, "right")
        if value is not None:
            left, right = self.sides(self.part(node, "left"), value)
            self.assign(left, right, states)

    def _default(self, node: int, states: States) -> None:
        names = self.variables(self.tree.field(node, "name"))
        value = self.tree.field(node, "value")
        if value is None:
            self.add(names, COMES, (), states)
            return
        sources = self.variables(value)
        self.visit(value, states)
        self.add_each(names, COMES, sources, states)

    def _if(self, node: int, states: States) -> None:
        before = dict(states)
        branches = []
        complete = False
        for child in self.tree.children(node):
            kind = self.kinds[child]
            complete = complete or "else" in kind
            if kind in ("elif_clause", "else_clause"):
                branches.append(dict(before))
                self.visit(child, branches[-1])
            else:
                self.visit(child, states)
        branches.append(dict(states))
        if not complete:
            branches.append(before)
        states.update(union(branches))


# ------------------------------------------------------------------ Java, JavaScript, Go, C, C++


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """The types of nodes that a language calls its statements by."""

    declaration: str
    assignment: frozenset[str]
    increment: str
    each: str
    starts: str
    declares: tuple[str, str] | None = ("name", "value")
    each_parts: tuple[str, str] = ("name", "value")
    whiles: bool = True
    keeps: bool = False

    @property
    def busy(self) -> frozenset[str]:
        """The types of nodes that are walked by rules of their own."""
        named = {self.declaration, self.increment, self.each} | self.assignment
        return frozenset(named | {"if_statement", "for_statement", "while_statement"})


class ClassicFor(LoopWalk):
    """All of it, then what follows the declaration that it starts with."""

    def once(self, walk: Walk, node: int, states: States) -> None:
        """All children once."""
        walk.children(node, states)

    def twice(self, walk: Walk, node: int, states: States) -> None:
        """All children, then again those behind the declaration."""
        assert isinstance(walk, BracesWalk)
        walk.children(node, states)
        started = False
        for child in walk.tree.children(node):
            if started:
                walk.visit(child, states)
            elif walk.kinds[child] == walk.types.starts:
                update = walk.tree.field(child, "update")
                if update is not None:
                    walk.visit(update, states)
                started = True


class EachFor(LoopWalk):
    """The iterated value, the variable, the body."""

    def once(self, walk: Walk, node: int, states: States) -> None:
        """The body once."""
        assert isinstance(walk, BracesWalk)
        name, value = walk.types.each_parts
        walk.visit(walk.part(node, value), states)
        walk.pairwise(walk.part(node, name), walk.part(node, value), COMPUTED, states)
        walk.visit(walk.part(node, "body"), states)


class BracesWalk(Walk):
    """A language that reads like C, by the types of its nodes."""

    types: Types
    _for = ClassicFor()
    _each = EachFor()
    _while = Whole()

    def follow(self, node: int, states: States) -> None:
        """Add the edges of a node by the rule for its type."""
        types, kind = self.types, self.kinds[node]
        if kind == types.declaration:
            self._declaration(node, states)
        elif kind in types.assignment:
            left, right = self.part(node, "left"), self.part(node, "right")
            self.visit(right, states)
            self.pairwise(left, right, COMPUTED, states)
        elif kind == types.increment:
            self.pairwise(node, node, COMPUTED, states)
        elif kind == "if_statement":
            self._if(node, states)
        elif kind == "for_statement":
            self.loop(node, states, self._for)
        elif kind == types.each:
            self.loop(node, states, self._each)
        elif kind == "while_statement" and types.whiles:
            self.loop(node, states, self._while)
        else:
            self.children(node, states)

    def pairwise(self, left: int, right: int, how: str, states: States) -> None:
        """An edge from each variable of the right side to each of the left, which are then set."""
        sources = self.variables(right)
        self.add_each(self.variables(left), how, sources, states)

    def _declaration(self, node: int, states: States) -> None:
        name, value = self._declared(node)
        if value is not None:
            self.variables(name)
            self.visit(value, states)
            self.pairwise(name, value, COMES, states)
            return
        self.add(self.variables(name), COMES, (), states)

    def _declared(self, node: int) -> tuple[int, int | None]:
        """What a declaration names, and its value."""
        if self.types.declares is None:
            children = self.tree.children(node)
            return children[0], children[1] if len(children) == 2 else None
        name, value = self.types.declares
        return self.part(node, name), self.tree.field(node, value)

    def _if(self, node: int, states: States) -> None:
        before = dict(states)
        branches: list[States] = []
        complete = False
        for child in self.tree.children(node):
            kind = self.kinds[child]
            complete = complete or "else" in kind
            if kind not in ("if_statement", "else") and not branches:
                self.visit(child, states)
            else:
                branches.append(dict(before))
                self.visit(child, branches[-1])
        branches.append(dict(states))
        if not complete or self.types.keeps:
            branches.append(before)
        states.update(union(branches))


def _walk(types: Types) -> type[BracesWalk]:
    return type("LanguageWalk", (BracesWalk,), {"types": types, "busy": types.busy})


_C = Types(
    declaration="variable_declarator",
    declares=None,
    assignment=frozenset({"assignment_expression"}),
    increment="postfix_unary_expression",
    each="for_each_statement",
    each_parts=("left", "right"),
    starts="local_variable_declaration",
)

PUBLISHED: dict[str, type[Walk]] = {
    "python": PythonWalk,
    "java": _walk(
        Types(
            declaration="variable_declarator",
            assignment=frozenset({"assignment_expression"}),
            increment="update_expression",
            each="enhanced_for_statement",
            starts="local_variable_declaration",
        )
    ),
    "javascript": _walk(
        Types(
            declaration="variable_declarator",
            assignment=frozenset({"assignment_pattern", "augmented_assignment_expression"}),
            increment="update_expression",
            each="",
            starts="variable_declaration",
            keeps=True,
        )
    ),
    "go": _walk(
        Types(
            declaration="var_spec",
            assignment=frozenset({"assignment_statement"}),
            increment="inc_statement",
            each="",
            starts="for_clause",
            whiles=False,
            keeps=True,
        )
    ),
    "c": _walk(_C),
    "cpp": _walk(_C),
}
"""Language to the walk that the published code takes; C and C++ go by the words of C#."""

MEANT: dict[str, type[Walk]] = {
    **PUBLISHED,
    "javascript": _walk(
        Types(
            declaration="variable_declarator",
            assignment=frozenset(
                {
                    "assignment_expression",
                    "assignment_pattern",
                    "augmented_assignment_expression",
                }
            ),
            increment="update_expression",
            each="for_in_statement",
            each_parts=("left", "right"),
            starts="",
        )
    ),
    "go": _walk(
        Types(
            declaration="var_spec",
            assignment=frozenset({"assignment_statement", "short_var_declaration"}),
            increment="inc_statement",
            each="",
            starts="",
        )
    ),
    "c": _walk(
        Types(
            declaration="init_declarator",
            declares=("declarator", "value"),
            assignment=frozenset({"assignment_expression"}),
            increment="update_expression",
            each="",
            starts="",
        )
    ),
    "cpp": _walk(
        Types(
            declaration="init_declarator",
            declares=("declarator", "value"),
            assignment=frozenset({"assignment_expression"}),
            increment="update_expression",
            each="for_range_loop",
            each_parts=("declarator", "right"),
            starts="",
        )
    ),
}
"""Language to a walk in that language's own words."""


def flow(tree: Tree, texts: Sequence[str], *, twice: bool) -> Counter[int]:
    """The edges of a program, counted; `texts` are those of its leaves.

    A program that lacks a part of a statement, or is nested too deeply, has none.
    """
    kind = (PUBLISHED if twice else MEANT)[tree.language]
    if tree.is_deeper(DEEPEST_PRINT if twice else DEEPEST):
        return Counter()
    try:
        return kind(tree, texts, twice=twice).run()
    except (Unreadable, RecursionError):
        return Counter()
