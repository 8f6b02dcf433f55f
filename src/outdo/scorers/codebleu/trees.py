"""Programs as concrete syntax trees, of tree-sitter, which reads broken ones too.

A tree is copied once out of the parser, into lists by number of node: a node's subtree is the run
of numbers that begins with its own, and the leaves that it spans are a run as well. Nothing here
depends on how a release of the parser prints a tree, but for the names of the form `compat`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, compress, pairwise
from typing import TYPE_CHECKING

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

    `sizes` are numbers of nodes in a subtree, its root included. `leaves` are the tokens, by number
    of node, and `before` says how many of them come before each node, and last how many there are.
    """

    source: bytes
    language: str
    raws: list[tree_sitter.Node]
    kinds: list[str]
    named: list[bool]
    sizes: list[int]
    leaves: list[int]
    before: list[int]

    def is_leaf(self, node: int) -> bool:
        """Whether a node is a token."""
        return self.before[node + 1] > self.before[node]

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
        raws, sizes = self.raws, self.sizes
        raw = raws[node].child_by_field_name(name)
        if raw is None:
            return None
        child = node + 1
        while raws[child] != raw:
            child += sizes[child]
        return child

    def texts(self) -> list[str]:
        """What each leaf spans."""
        leaves = [self.raws[leaf] for leaf in self.leaves]
        source = self.source
        if not source.isascii():
            spans = [source[leaf.start_byte : leaf.end_byte] for leaf in leaves]
            return [span.decode("utf-8", "replace") for span in spans]
        text = source.decode("ascii")
        marks = _grammar(self.language).marks
        if not marks:
            return [text[leaf.start_byte : leaf.end_byte] for leaf in leaves]
        known = [marks[self.kinds[leaf]] for leaf in self.leaves]
        if self.raws[0].has_error:
            known = [
                None if mark and leaf.is_missing else mark
                for mark, leaf in zip(known, leaves, strict=True)
            ]
        return [
            mark or text[leaf.start_byte : leaf.end_byte]
            for mark, leaf in zip(known, leaves, strict=True)
        ]

    def is_deeper(self, levels: int) -> bool:
        """Whether a leaf lies more levels deep."""
        # Under half as many levels, each of the others holds more nodes than half of them.
        half = levels // 2
        if len([size for size in self.sizes if size > half]) < half:
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
    """A parser, and its types of nodes by number: their names, and whether a name isn't a mark.

    Those in `odd` are tokens or none, whatever they hold. `marks` tells by name what a token spans,
    where its name is its text; it is empty where a grammar gives names that aren't. Those in
    `silencing` are comments, or may begin with a docstring.
    """

    parser: tree_sitter.Parser
    kinds: dict[int, str]
    named: dict[int, bool]
    odd: dict[int, bool]
    marks: dict[str, str | None]
    silencing: frozenset[str]


ERROR = 65_535
"""The number of the type of what no rule of a grammar reads."""


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
    words = {kinds[number] for number in numbers if named[number]}
    marks = {kind: None if kind in words or " " in kind else kind for kind in kinds.values()}
    return _Grammar(
        parser=parsers.Parser(rules),
        kinds=kinds,
        named=named,
        odd={n: kind in TEXTS for n, kind in kinds.items() if kind in TEXTS or kind == "comment"},
        marks=marks if language == "python" else {},
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
    grammar = _grammar(language)
    raws: list[tree_sitter.Node] = []
    sizes: list[int] = []
    owed = [grammar.parser.parse(source).root_node]
    while owed:
        raw = owed.pop()
        raws.append(raw)
        size = raw.descendant_count
        sizes.append(size)
        if size > 1:
            owed += raw.children[::-1]
    numbers = [raw.kind_id for raw in raws]
    leaves, before = _leaves(numbers, sizes, grammar)
    return Tree(
        source=source,
        language=language,
        raws=raws,
        kinds=list(map(grammar.kinds.__getitem__, numbers)),
        named=list(map(grammar.named.__getitem__, numbers)),
        sizes=sizes,
        leaves=leaves,
        before=before,
    )


def _leaves(
    numbers: Sequence[int], sizes: Sequence[int], grammar: _Grammar
) -> tuple[list[int], list[int]]:
    """The tokens, and how many come before each node; a string is one, and a comment none."""
    are = [size == 1 for size in sizes]
    odd, end = grammar.odd, 0
    for node in [node for node, number in enumerate(numbers) if number in odd]:
        if node < end:
            continue
        are[node] = odd[numbers[node]]
        if are[node]:
            end = node + sizes[node]
            are[node + 1 : end] = [False] * (end - node - 1)
    return list(compress(range(len(are)), are)), list(accumulate(are, initial=0))


# ------------------------------------------------------------------ subtrees


_QUOTED = re.compile(r"UNEXPECTED (?:'\\?.'|-?\w+)|MISSING \"(?:\\.|[^\"\\])*\"")
"""What a parser stumbled over, or misses, as it prints it: it may be a parenthesis."""


def printed_shapes(tree: Tree) -> list[int]:
    """The subtrees of a program, named as the parser prints them: with fields, without marks.

    The root and whatever has children count, anonymous nodes as well. Equal subtrees have equal
    numbers, which mean nothing else.
    """
    if tree.is_deeper(DEEPEST_PRINT):
        return clean_shapes(tree)
    # Closing parentheses alone tell the levels.
    pieces = _spelled_print(tree.raws[0]).split("(")
    text = "".join(pieces)
    begins = list(accumulate(map(len, pieces[:-1])))
    shown, sizes = tree.named, tree.sizes
    doubtful: set[int] = set()
    if "MISSING" in text:
        # What is missing is printed, named or not, and even where it is no node.
        shown = [
            named or (raw.is_missing and raw.start_byte == raw.end_byte)
            for named, raw in zip(shown, tree.raws, strict=True)
        ]
        hidden = {begin for begin in begins if text.startswith("MISSING _", begin)}
        doubtful = {one for one, other in pairwise(begins) if other in hidden}
        begins = [begin for begin in begins if begin not in hidden]
    before = list(accumulate(shown, initial=0))
    if len(begins) != before[-1]:
        return clean_shapes(tree)
    found = []
    end_of = text.index
    inner = [(node, size) for node, size in enumerate(sizes) if size > 1]
    for node, size in inner or [(0, 1)]:
        last = begins[before[node + size] - 1]
        if shown[node] and last not in doubtful:
            # The end of the last name tells the rest: what is open there is closed behind it.
            found.append(hash(text[begins[before[node]] : end_of(")", last)]))
        else:
            alone = _spelled_print(tree.raws[node]).replace("(", "")
            found.append(hash(alone.rstrip(")")))
    return found


def _spelled_print(raw: tree_sitter.Node) -> str:
    """A node as the parser prints it, with what it stumbled over in letters."""
    text = str(raw)
    text = text[text.index("(") :]
    return _QUOTED.sub(_spelled, text) if "'" in text or '"' in text else text


def _spelled(quoted: re.Match[str]) -> str:
    word, _, marks = quoted[0].partition(" ")
    return f"{word} {marks.encode().hex()}"


def clean_shapes(tree: Tree) -> list[int]:
    """The subtrees of a program by types of named nodes; comments and docstrings are left out.

    The root and whatever has children count.
    """
    found: list[int] = []
    # From the last node to the first: the children of a node are those that no parent took yet.
    owed: list[tuple[int, int]] = []
    kinds, sizes, named, spoken = tree.kinds, tree.sizes, tree.named, spoken_of(tree)
    told = [
        one and (word or size > 1) for one, word, size in zip(spoken, named, sizes, strict=True)
    ]
    for node in reversed([*compress(range(len(kinds)), told)]):
        size = sizes[node]
        if size == 1:
            number = hash((kinds[node],))
            owed.append((node, number))
            if not node:
                found.append(number)
            continue
        parts: list[object] = [kinds[node]]
        while owed and owed[-1][0] < node + size:
            parts.append(owed.pop()[1])
        if named[node]:
            number = hash(tuple(parts))
            owed.append((node, number))
            found.append(number)
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
    kinds = tree.kinds
    first = next((child for child in tree.children(body) if kinds[child] != "comment"), body)
    children = tree.children(first) if kinds[first] == "expression_statement" else [first]
    return first if len(children) == 1 and kinds[children[0]] == "string" else None


def tokens(tree: Tree, texts: Sequence[str]) -> list[str]:
    """The texts of the leaves, comments and docstrings left out; a string is one token."""
    spoken = spoken_of(tree)
    return [
        text
        for leaf, one in zip(tree.leaves, texts, strict=True)
        if spoken[leaf] and (text := one.strip())
    ]
