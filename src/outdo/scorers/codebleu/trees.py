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
from typing import TYPE_CHECKING, Any

from outdo.errors import DataError, MissingExtra
from outdo.scorers.codebleu.words import KEYWORDS

if TYPE_CHECKING:
    import tree_sitter

TEXTS = frozenset({"string_literal", "string", "character_literal"})
"""Types of nodes that are one token, whatever they hold."""

DEEPEST_PRINT = 1_000
"""Levels beyond which a parser isn't asked to print a tree, for it would overrun its stack."""

_FIELDS = {
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


class Node:
    """A node: its type, its bytes, its children, and the leaves that it spans."""

    __slots__ = ("children", "end", "fields", "first", "last", "leaf", "raw", "start", "type")

    def __init__(self, raw: tree_sitter.Node, leaf: bool) -> None:
        self.raw = raw
        self.type = raw.type
        self.start = raw.start_byte
        self.end = raw.end_byte
        self.leaf = leaf
        self.children: list[Node] = []
        self.fields: dict[str, Node] | None = None
        self.first = self.last = 0


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
    nodes: list[Node] = []
    leaves: list[Node] = []
    depth = 0
    owed: list[tuple[Any, Node | None, bool, int]] = [(root, None, False, 1)]
    while owed:
        raw, parent, covered, level = owed.pop()
        children = raw.children
        leaf = not covered and (not children or raw.type in TEXTS) and raw.type != "comment"
        node = Node(raw, leaf)
        node.first = len(leaves)
        nodes.append(node)
        depth = max(depth, level)
        if leaf:
            leaves.append(node)
        if parent is not None:
            parent.children.append(node)
            if parent.type in fielded:
                _name_fields(parent, node, fielded[parent.type])
        if children:
            covered = covered or leaf
            owed += [(child, node, covered, level + 1) for child in reversed(children)]
    for node in reversed(nodes):
        node.last = node.first + 1 if node.leaf else node.first
        if node.children and not node.leaf:
            node.last = node.children[-1].last
    return Tree(source, nodes, leaves, depth, language)


def _name_fields(parent: Node, child: Node, names: Sequence[str]) -> None:
    """Put a child under the names that its parent gives it; the first of a name stays."""
    if parent.fields is None:
        parent.fields = {}
    for name in names:
        if name not in parent.fields and parent.raw.child_by_field_name(name) == child.raw:
            parent.fields[name] = child


# ------------------------------------------------------------------ subtrees


Shapes = dict[object, int]
"""A table that gives equal subtrees the same number."""

_PRINTED = re.compile(
    r"\(UNEXPECTED (?:'\\?.'|-?\w+)\)|\(MISSING (?:\"(?:\\.|[^\"\\])*\"|\w+)\)|[()]|[^()\s]+"
)


def printed_shapes(tree: Tree, shapes: Shapes) -> list[int]:
    """The subtrees of a program, named as the parser prints them: with fields, without marks.

    The root and whatever has children count, anonymous nodes as well.
    """
    named = None
    if tree.depth <= DEEPEST_PRINT:
        shown = [node for node in tree.nodes if node.raw.is_named or node.raw.is_missing]
        named = _read_print(str(tree.nodes[0].raw), len(shown), shapes)
    if named is None:
        return clean_shapes(tree, shapes)
    number = dict(zip(map(id, shown), named, strict=True))
    found = []
    for node in tree.nodes:
        if node.children or node is tree.nodes[0]:
            known = number.get(id(node))
            if known is None:
                known = shapes.setdefault(str(node.raw), len(shapes))
            found.append(known)
    return found


def _read_print(text: str, expected: int, shapes: Shapes) -> list[int] | None:
    """The number of each subtree of a printed tree, parents first; None if it can't be read."""
    found: list[int] = []
    frames: list[tuple[int, list[object]]] = [(-1, [])]
    for token in _PRINTED.findall(text):
        if token == "(":
            frames.append((len(found), []))
            found.append(-1)
        elif token == ")":
            if len(frames) < 2:
                return None
            place, parts = frames.pop()
            found[place] = shapes.setdefault(tuple(parts), len(shapes))
            frames[-1][1].append(found[place])
        elif token.startswith("(MISSING _"):  # printed, and yet no node that one can visit
            frames[-1][1].append(token)
        elif token[0] == "(":
            found.append(shapes.setdefault(token, len(shapes)))
            frames[-1][1].append(found[-1])
        else:
            frames[-1][1].append(token)
    return found if len(found) == expected and len(frames) == 1 else None


def clean_shapes(tree: Tree, shapes: Shapes) -> list[int]:
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
        number = shapes.setdefault((node.type, *parts), len(shapes))
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
