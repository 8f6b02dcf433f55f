"""Programs as concrete syntax trees, of tree-sitter, which reads broken ones too.

A tree is copied once out of the parser, into nodes that know which leaves they span: the names of
subtrees and the flow of data are then read from lists, and nothing here depends on how a release
of the parser prints a tree, but for the names of the form `compat`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from outdo.errors import DataError, MissingExtra
from outdo.scorers.codebleu.words import KEYWORDS

if TYPE_CHECKING:
    import tree_sitter

TEXTS = frozenset({"string_literal", "string", "character_literal"})
"""Types of nodes that are one token, whatever they hold."""

DEEPEST_PRINT = 1_000
"""Levels beyond which a parser isn't asked to print a tree, for it would overrun its stack."""

_FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    "python": {
        "assignment": ("left", "right"),
        "augmented_assignment": ("left", "right"),
        "for_in_clause": ("left",),
        "for_statement": ("left", "right"),
        "default_parameter": ("name", "value"),
    },
    "java": {
        "variable_declarator": ("name", "value"),
        "assignment_expression": ("left", "right"),
        "enhanced_for_statement": ("name", "value", "body"),
    },
    "javascript": {
        "variable_declarator": ("name", "value"),
        "assignment_pattern": ("left", "right"),
        "assignment_expression": ("left", "right"),
        "augmented_assignment_expression": ("left", "right"),
        "for_in_statement": ("left", "right", "body"),
    },
    "go": {
        "var_spec": ("name", "value"),
        "assignment_statement": ("left", "right"),
        "short_var_declaration": ("left", "right"),
        "for_clause": ("update",),
    },
    "c": {
        "assignment_expression": ("left", "right"),
        "init_declarator": ("declarator", "value"),
    },
    "cpp": {
        "assignment_expression": ("left", "right"),
        "init_declarator": ("declarator", "value"),
        "for_range_loop": ("declarator", "right", "body"),
    },
}
"""Language to types of nodes, each with the fields that the flow of data asks for."""


NOTHING: list[Node] = []
"""The children of whoever has none."""


class Node:
    """A node: its type, its bytes, its children, and the leaves that it spans."""

    __slots__ = (
        "children",
        "covered",
        "end",
        "fields",
        "first",
        "last",
        "leaf",
        "level",
        "raw",
        "start",
        "type",
    )

    first: int
    last: int

    def __init__(self, raw: tree_sitter.Node, level: int, covered: bool) -> None:
        self.raw = raw
        self.type = raw.type
        self.start = raw.start_byte
        self.end = raw.end_byte
        self.level = level
        self.covered = covered
        self.leaf = False
        self.children = NOTHING
        self.fields: dict[str, Node] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A program: all nodes with the root first and parents before children, and the leaves.

    `depth` is how many levels it has.
    """

    source: bytes
    nodes: list[Node]
    leaves: list[Node]
    depth: int
    language: str

    def text(self, node: Node) -> str:
        """What a node spans."""
        return self.source[node.start : node.end].decode("utf-8", "replace")


@cache
def _parser(language: str) -> tree_sitter.Parser:
    if language not in KEYWORDS:
        raise DataError(
            f"CodeBLEU of {language!r} isn't known", f"known: {', '.join(sorted(KEYWORDS))}"
        )
    try:
        parsers = importlib.import_module("tree_sitter")
        grammar = importlib.import_module(f"tree_sitter_{language}")
    except ModuleNotFoundError as error:
        raise MissingExtra.of(str(error.name).replace("_", "-"), "code") from error
    parser: tree_sitter.Parser = parsers.Parser(parsers.Language(grammar.language()))
    return parser


@cache
def grammar(language: str) -> str:
    """The parser and the grammar of a language with their versions, as a signature names them."""
    _parser(language)
    versions = importlib.import_module("importlib.metadata")
    names = ("tree-sitter", f"tree-sitter-{language}")
    return ",".join(f"{name}-{versions.version(name)}" for name in names)


def parse(code: str, language: str) -> Tree:
    """The tree of a program; half a pair of surrogates is read as a question mark."""
    source = code.encode("utf-8", "replace")
    root = _parser(language).parse(source).root_node
    fielded = _FIELDS[language]
    top = Node(root, 1, False)
    nodes: list[Node] = []
    leaves: list[Node] = []
    deepest = 1
    owed = [top]
    while owed:
        node = owed.pop()
        nodes.append(node)
        node.first = len(leaves)
        raw, covered, kind = node.raw, node.covered, node.type
        bare = not raw.child_count
        if not covered and (bare or kind in TEXTS) and kind != "comment":
            node.leaf = covered = True
            leaves.append(node)
        if not bare:
            level = node.level + 1
            if level > deepest:
                deepest = level
            node.children = [Node(child, level, covered) for child in raw.children]
            owed += node.children[::-1]
            if kind in fielded:
                _name_fields(node, fielded[kind])
    for node in reversed(nodes):
        if node.leaf:
            node.last = node.first + 1
        else:
            node.last = node.children[-1].last if node.children else node.first
    return Tree(source, nodes, leaves, deepest, language)


def _name_fields(node: Node, names: Sequence[str]) -> None:
    """Put children under the names that their parent gives them; the first of a name stays."""
    node.fields = {}
    for name in names:
        raw = node.raw.child_by_field_name(name)
        if raw is not None:
            node.fields[name] = next(child for child in node.children if child.raw == raw)


# ------------------------------------------------------------------ subtrees


_PRINTED = re.compile(
    r"(?:\w+: )?\((?:UNEXPECTED (?:'\\?.'|-?\w+)|MISSING (?:\"(?:\\.|[^\"\\])*\"|\w+)|\w+)\)"
    r"|\)|\(\w+|\w+:"
)
"""A node without named children and its field; the end of one; the start of one; a field."""


def printed_shapes(tree: Tree) -> list[int]:
    """The subtrees of a program, named as the parser prints them: with fields, without marks.

    The root and whatever has children count, anonymous nodes as well. Equal subtrees have equal
    numbers, which mean nothing else.
    """
    if tree.depth > DEEPEST_PRINT:
        return clean_shapes(tree)
    names = _read_print(str(tree.nodes[0].raw))
    shown = [
        node.raw.is_named or (node.start == node.end and node.raw.is_missing) for node in tree.nodes
    ]
    if len(names) != sum(shown):
        return clean_shapes(tree)
    found = []
    named = iter(names)
    for node, is_shown in zip(tree.nodes, shown, strict=True):
        name = next(named) if is_shown else None
        if node.children or node is tree.nodes[0]:
            if name is None:
                name = str(node.raw)
            if isinstance(name, str):
                name = hash(name[name.index("(") :])
            found.append(name)
    return found


def _read_print(text: str) -> list[int | str]:
    """Each subtree of a printed tree, parents first: its number, or its print where it is short."""
    found: list[int | str] = []
    parts: list[object] = []
    outer: list[tuple[int, list[object]]] = []
    for token in _PRINTED.findall(text):
        if token == ")":
            if not outer:
                return []
            number = hash(tuple(parts))
            place, parts = outer.pop()
            found[place] = number
            parts.append(number)
        elif token[-1] == ")":
            # What a parser misses is printed even where it is no node that one can visit.
            if "(MISSING _" not in token:
                found.append(token)
            parts.append(token)
        elif token[0] == "(":
            outer.append((len(found), parts))
            parts = [token]
            found.append(-1)
        else:
            parts.append(token)
    return found


def clean_shapes(tree: Tree) -> list[int]:
    """The subtrees of a program by types of named nodes; comments and docstrings are left out.

    The root and whatever has children count.
    """
    dropped = _unspoken(tree)
    numbers: dict[int, int] = {}
    found = []
    for node in reversed(tree.nodes):
        if id(node) in dropped:
            continue
        parts = [numbers[id(child)] for child in node.children if id(child) in numbers]
        number = hash((node.type, *parts))
        if node.raw.is_named:
            numbers[id(node)] = number
        if (node.children and node.raw.is_named) or node is tree.nodes[0]:
            found.append(number)
    return found


def _unspoken(tree: Tree) -> set[int]:
    """The nodes that are comments or docstrings, each with all that is below it."""
    dropped: set[int] = set()
    for node in tree.nodes:
        if id(node) in dropped or "comment" in node.type:
            dropped.add(id(node))
            dropped.update(map(id, node.children))
        elif node.type in ("block", "module") and tree.language == "python":
            dropped.update(map(id, _docstring(node)))
    return dropped


def _docstring(block: Node) -> Iterator[Node]:
    for first in block.children:
        if first.type == "comment":
            continue
        if first.type == "expression_statement" and len(first.children) == 1:
            if first.children[0].type == "string":
                yield first
        elif first.type == "string":
            yield first
        return


def tokens(tree: Tree) -> list[str]:
    """The texts of the leaves, comments and docstrings left out; a string is one token."""
    dropped = _unspoken(tree)
    return [
        text
        for leaf in tree.leaves
        if id(leaf) not in dropped and (text := tree.text(leaf).strip())
    ]
