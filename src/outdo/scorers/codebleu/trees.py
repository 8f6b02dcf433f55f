"""Programs as concrete syntax trees, of tree-sitter, which reads broken ones too.

A tree is copied once out of the parser, into lists by number of node: a node's subtree is the run
of numbers that begins with its own, and the leaves that it spans are a run as well. Nothing here
depends on how a release of the parser prints a tree, but for what is missing, in the form `compat`.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import compress
from operator import mul
from typing import TYPE_CHECKING, Any

from outdo.errors import DataError, MissingExtra
from outdo.scorers.codebleu.words import KEYWORDS

if TYPE_CHECKING:
    import tree_sitter

TEXTS = frozenset({"string_literal", "string", "character_literal"})
"""Types of nodes that are one token, whatever they hold."""

BODIES = frozenset({"block", "module"})
"""Types of nodes that a docstring of Python may begin."""

DEEPEST_PRINT = 1_000
"""Levels beyond which a parser isn't asked to print a tree, for it would overrun its stack."""


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """A program: its nodes by number, the root first and parents before children.

    `numbers` are those of the types of nodes, `kinds` their names, and `fields` the numbers of what
    parents call their children by, unless these are marks. `sizes` are numbers of nodes in a
    subtree, its root included; `inner` are the nodes that have children. `leaves` are the tokens,
    by number of node, and `texts` what each spans; a string is one, and a comment none. `torn` are
    the parser's own nodes without children that are missing, or that no rule reads.
    """

    source: bytes
    language: str
    root: tree_sitter.Node
    numbers: list[int]
    kinds: list[str]
    fields: list[int | None]
    sizes: list[int]
    inner: list[int]
    leaves: list[int]
    texts: list[str]
    torn: dict[int, tree_sitter.Node]

    def children(self, node: int) -> list[int]:
        """The numbers of a node's children."""
        sizes, found = self.sizes, []
        end, child = node + sizes[node], node + 1
        while child < end:
            found.append(child)
            child += sizes[child]
        return found

    def field(self, node: int, name: str) -> int | None:
        """The first child that its parent calls by a name."""
        number = _grammar(self.language).fields.get(name, 0)
        sizes, fields = self.sizes, self.fields
        child, end = node + 1, node + sizes[node]
        while child < end:
            if fields[child] == number:
                return child
            child += sizes[child]
        return None

    def raws(self) -> list[tree_sitter.Node]:
        """All nodes as the parser has them."""
        found = []
        owed = [self.root]
        while owed:
            found.append(owed.pop())
            owed += found[-1].children[::-1]
        return found

    def is_deeper(self, levels: int) -> bool:
        """Whether a leaf lies more levels deep."""
        # Under half as many levels, each of the others holds more nodes than half of them.
        half = levels // 2
        if len([node for node in self.inner if self.sizes[node] > half]) < half:
            return False
        ends: list[int] = []
        for node, size in enumerate(self.sizes):
            while ends and ends[-1] <= node:
                ends.pop()
            if len(ends) >= levels:
                return True
            ends.append(node + size)
        return False


@dataclass(frozen=True, slots=True, eq=False)
class _Grammar:
    """A parser, and what is known of its types of nodes by number.

    `labels` are the numbers of those with names, and 0 of marks. `marks` tells what a token spans
    whose name is its text, and nothing of comments, which are no tokens; where a grammar gives
    names that aren't texts it tells of these alone. Types in `whole` are a token each or none, with
    all below. Types of the names in `silencing` are comments, or may begin with a docstring.
    """

    parser: tree_sitter.Parser
    kinds: dict[int, str]
    labels: dict[int, int]
    fields: dict[str, int]
    marks: dict[int, str]
    whole: frozenset[int]
    silencing: frozenset[str]


COMMENT = ""
"""What a comment spans of a program's tokens."""

ERROR = 65_535
"""The number of the type of what no rule of a grammar reads."""

HIDDEN = "MISSING _"
"""How a print tells of something missing that is no node, as an indent."""


@cache
def _grammar(language: str) -> _Grammar:
    if language not in KEYWORDS:
        raise DataError(
            f"CodeBLEU of {language!r} isn't known", f"known: {', '.join(sorted(KEYWORDS))}"
        )
    try:
        parsers = importlib.import_module("tree_sitter")
        grammar = importlib.import_module(f"tree_sitter_{language}")
    except ModuleNotFoundError as error:
        raise MissingExtra.of(str(error.name).replace("_", "-"), "code") from error
    rules = parsers.Language(grammar.language())
    numbers = [*range(rules.node_kind_count), ERROR]
    kinds = {number: rules.node_kind_for_id(number) for number in numbers}
    named = {number: rules.node_kind_is_named(number) for number in numbers}
    comments = {number: COMMENT for number, kind in kinds.items() if kind == "comment"}
    marks = {n: kind for n, kind in kinds.items() if not named[n] and " " not in kind}
    fields = {rules.field_name_for_id(n): n for n in range(1, rules.field_count + 1)}
    return _Grammar(
        parser=parsers.Parser(rules),
        kinds=kinds,
        labels={number: number if named[number] else 0 for number in numbers},
        fields=fields,
        marks=marks | comments if language == "python" else comments,
        whole=frozenset(n for n, kind in kinds.items() if kind in TEXTS) | comments.keys(),
        silencing=frozenset(
            kind
            for kind in kinds.values()
            if "comment" in kind or (language == "python" and kind in BODIES)
        ),
    )


@cache
def grammar(language: str) -> str:
    """The parser and the grammar of a language with their versions, as a signature names them."""
    _grammar(language)
    versions = importlib.import_module("importlib.metadata")
    names = ("tree-sitter", f"tree-sitter-{language}")
    return ",".join(f"{name}-{versions.version(name)}" for name in names)


def parse(code: str, language: str) -> Tree:
    """The tree of a program; half a pair of surrogates is read as a question mark."""
    source = code.encode("utf-8", "replace")
    return _copied(_grammar(language).parser.parse(source).root_node, source, language)


def _copied(root: tree_sitter.Node, source: bytes, language: str) -> Tree:
    """A tree of the parser's in lists, by one walk."""
    grammar, broken = _grammar(language), root.has_error
    mark_of, whole = grammar.marks.get, grammar.whole
    # One character a byte, so that what a node spans is a slice.
    text = source.decode("latin-1")
    numbers: list[int] = []
    fields: list[int | None] = []
    inner: list[int] = []
    leaves: list[int] = []
    texts: list[str] = []
    torn: dict[int, tree_sitter.Node] = {}
    spans: dict[int, int] = {}
    open_: list[int] = []
    node = within = 0
    cursor = root.walk()
    down, across, up = cursor.goto_first_child, cursor.goto_next_sibling, cursor.goto_parent
    while True:
        raw: Any = cursor.node
        number = raw.kind_id
        mark = mark_of(number)
        numbers.append(number)
        fields.append(None if mark else cursor.field_id)
        if down():
            if number in whole and not within:
                within = node
                if mark is None:
                    leaves.append(node)
                    texts.append(text[raw.start_byte : raw.end_byte])
            inner.append(node)
            open_.append(node)
            node += 1
            continue
        if broken and (raw.is_missing or number == ERROR):
            torn[node] = raw
            fields[node] = cursor.field_id
            # A token that is missing spans nothing, whatever its name.
            mark = mark and None
        if mark != COMMENT and not within:
            leaves.append(node)
            texts.append(mark or text[raw.start_byte : raw.end_byte])
        node += 1
        while open_ and not across():
            up()
            parent = open_.pop()
            spans[parent] = node - parent
            if parent == within:
                within = 0
        if not open_:
            break
    sizes = [1] * node
    for parent, size in spans.items():
        sizes[parent] = size
    if not source.isascii():
        texts = [one.encode("latin-1").decode("utf-8", "replace") for one in texts]
    kinds = list(map(grammar.kinds.__getitem__, numbers))
    return Tree(source, language, root, numbers, kinds, fields, sizes, inner, leaves, texts, torn)


# ------------------------------------------------------------------ subtrees


def printed_shapes(tree: Tree) -> list[int]:
    """The subtrees of a program, told apart as by the parser's print: with fields, without marks.

    The root and whatever has children count, anonymous nodes as well. Equal subtrees have equal
    numbers, which mean nothing else.
    """
    if tree.is_deeper(DEEPEST_PRINT):
        return clean_shapes(tree, spoken_of(tree))
    labels = list(_labels(tree))
    # What is missing is printed, named or not.
    for node, raw in tree.torn.items():
        labels[node] = hash(str(raw))
    return _shapes(tree, tree.inner, labels, tree.fields, _hiding(tree))


def _hiding(tree: Tree) -> dict[int, int]:
    """The shapes of the subtrees that lack something which is no node, and shows in prints only."""
    found: dict[int, int] = {}
    owed = [(0, tree.root)] if tree.root.has_error else []
    while owed:
        node, raw = owed.pop()
        printed = str(raw)
        if HIDDEN in printed:
            found[node] = hash(printed)
            broken = zip(tree.children(node), raw.children, strict=True)
            owed += [(child, one) for child, one in broken if one.has_error]
    return found


def clean_shapes(tree: Tree, spoken: Sequence[int]) -> list[int]:
    """The subtrees of a program by types of named nodes, of those that are `spoken_of` it.

    The root and whatever has children count.
    """
    labels = list(map(mul, _labels(tree), spoken))
    inner = [node for node in tree.inner if labels[node]]
    return _shapes(tree, inner, labels, [None] * len(labels), {})


def _labels(tree: Tree) -> Iterable[int]:
    return map(_grammar(tree.language).labels.__getitem__, tree.numbers)


def _shapes(
    tree: Tree,
    inner: list[int],
    labels: list[int],
    fields: Sequence[int | None],
    known: dict[int, int],
) -> list[int]:
    """The shape of each inner node, of its type and its children's labels and fields.

    The label of an inner node is its shape; some shapes are known. A node whose label is 0 isn't
    there, but what is in it may be.
    """
    numbers, sizes = tree.numbers, tree.sizes
    found = []
    # Children come before their parents.
    for node in reversed(inner or [0]):
        parts = [numbers[node]]
        child, end = node + 1, node + sizes[node]
        while child < end:
            label = labels[child]
            if not label:
                child += 1
                continue
            parts.append(label)
            field = fields[child]
            if field:
                parts.append(-field)
            child += sizes[child]
        # Alone, a type is the same with marks in it as without children.
        shape = hash(tuple(parts)) if len(parts) > 1 else parts[0]
        if node in known:
            shape = known[node]
        if labels[node]:
            labels[node] = shape
        found.append(shape)
    return found


def spoken_of(tree: Tree) -> bytearray:
    """1 for each node that is neither comment nor docstring, nor below one; else 0."""
    spoken = bytearray(b"\x01") * len(tree.kinds)
    kinds, silencing = tree.kinds, _grammar(tree.language).silencing
    for node in [node for node, kind in enumerate(kinds) if kind in silencing]:
        silent: int | None = node
        if "comment" not in kinds[node]:
            silent = _docstring(tree, node) if spoken[node] else None
        if silent is not None:
            size = tree.sizes[silent]
            spoken[silent : silent + size] = bytes(size)
    return spoken


def _docstring(tree: Tree, body: int) -> int | None:
    """The statement that is the docstring of a body, or None."""
    kinds, sizes = tree.kinds, tree.sizes
    first, end = body + 1, body + sizes[body]
    while first < end and kinds[first] == "comment":
        first += sizes[first]
    if first == end:
        return None
    wrapped = kinds[first] == "expression_statement"
    if wrapped and (sizes[first] == 1 or sizes[first] > 1 + sizes[first + 1]):
        return None
    return first if kinds[first + wrapped] == "string" else None


def tokens(tree: Tree, spoken: Sequence[int]) -> list[str]:
    """The texts of the leaves that are `spoken_of` a program; a string is one token."""
    texts = compress(tree.texts, map(spoken.__getitem__, tree.leaves))
    return [text for text in map(str.strip, texts) if text]
