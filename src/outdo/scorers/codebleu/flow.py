"""Where the values of a program's variables come from, as edges between its tokens.

The walk is that of GraphCodeBERT (Guo et al. 2021), which CodeBLEU compares programs by: a token
comes from the tokens that last set its name, or is computed from the tokens of an assignment's
right side. `twice` walks the body of each loop twice, as the published code does; since what a walk
gives depends on nothing but the names set before, no body is walked twice from the same start, and
nested loops stay cheap. Otherwise a loop begins with all that it sets, and is walked once.
"""

from __future__ import annotations

import bisect
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple

from outdo.scorers.codebleu.trees import Node, Tree

COMES = "comesFrom"
COMPUTED = "computedFrom"

States = dict[str, tuple[int, ...]]
"""A name, and the tokens that may have set it last."""

Item = tuple[str, str, tuple[str, ...]]
"""A variable, how its value came, and the variables that it came from; names are numbered."""


class Unreadable(Exception):
    """A statement lacks a part that it must have."""


class Edge(NamedTuple):
    """A token, and the tokens that its value came from, by name and by place."""

    name: str
    place: int
    how: str
    names: tuple[str, ...]
    places: tuple[int, ...]


def linked(edges: Iterable[Edge]) -> list[Edge]:
    """The edges by place, one for each, without those that neither come from nor lead anywhere."""
    ordered = sorted(edges, key=itemgetter(1))
    touched = {place for edge in ordered for place in edge.places}
    touched |= {edge.place for edge in ordered if edge.places}
    merged: dict[int, Edge] = {}
    for edge in ordered:
        if edge.place in touched:
            old = merged.get(edge.place)
            merged[edge.place] = edge if old is None else joined(old, edge)
    return list(merged.values())


def joined(old: Edge, new: Edge) -> Edge:
    """Two edges of one token as one: what both come from, each once.

    The published code takes the order of a set, which changes with the seed of Python's hashes;
    here it is that of a hash without a seed.
    """
    return Edge(
        old.name,
        old.place,
        old.how,
        tuple(sorted({*old.names, *new.names}, key=_unseeded)),
        tuple(sorted({*old.places, *new.places})),
    )


@lru_cache(maxsize=1 << 14)
def _unseeded(name: str) -> bytes:
    return hashlib.md5(name.encode("utf-8", "replace"), usedforsecurity=False).digest()


def numbered(edges: Iterable[Edge]) -> Counter[Item]:
    """The edges with their variables numbered in the order in which they appear."""
    numbers: dict[str, str] = {}

    def number(name: str) -> str:
        return numbers.setdefault(name, f"var_{len(numbers)}")

    items: Counter[Item] = Counter()
    for edge in edges:
        sources = tuple([number(name) for name in edge.names])
        items[number(edge.name), edge.how, sources] += 1
    return items


class Walk:
    """One walk over a program: the edges found, and which token set which name."""

    def __init__(
        self,
        tree: Tree,
        texts: Sequence[str],
        *,
        twice: bool,
        known: list[tuple[int, str]] | None,
    ) -> None:
        self.tree = tree
        self.twice = twice
        self.edges: list[Edge] = []
        self.made: set[tuple[int, str]] = set()
        self.loops = 0
        self._known = known
        self._within = 0
        self._seen: dict[tuple[object, ...], tuple[list[Edge], list[tuple[int, ...] | None]]] = {}
        # Two tokens with the same span, as those that the parser adds, are one: the last.
        spans = {(leaf.start, leaf.end): place for place, leaf in enumerate(tree.leaves)}
        self.places = [spans[leaf.start, leaf.end] for leaf in tree.leaves]
        self.texts = texts

    def run(self) -> None:
        """Walk the whole program."""
        self.visit(self.tree.nodes[0], {})

    def visit(self, node: Node, states: States) -> None:
        """Add the edges of a node; `states` then says who set which name after it."""
        raise NotImplementedError

    # -------------------------------------------------------------- what walks are made of

    def variables(self, node: Node | None) -> list[tuple[int, str]]:
        """The tokens below a node that aren't marks or keywords: their places and texts."""
        if node is None:
            raise Unreadable
        if node.first == node.last:
            self.bare(node)
        found = []
        for number in range(node.first, node.last):
            text = self.texts[self.places[number]]
            if self.tree.leaves[number].type != text:
                found.append((self.places[number], text))
        return found

    def part(self, node: Node, name: str) -> Node:
        """The child under a name, which must be there."""
        found = (node.fields or {}).get(name)
        if found is None:
            raise Unreadable
        return found

    def add(self, to: tuple[int, str], how: str, sources: Sequence[tuple[int, str]]) -> None:
        """One edge, from all sources."""
        names = tuple([text for _, text in sources])
        self.edges.append(Edge(to[1], to[0], how, names, tuple([place for place, _ in sources])))

    def define(self, to: tuple[int, str], states: States) -> None:
        """A token sets its name."""
        self.made.add(to)
        if self._known is None or not self._within or to[1] not in states:
            states[to[1]] = (to[0],)

    def leaf(self, node: Node, states: States) -> None:
        """A token is used: it comes from who set its name, or is the first to set it."""
        place = self.places[node.first]
        text = self.texts[place]
        if node.type == text:
            return
        known = states.get(text)
        if known is not None:
            self.edges.append(Edge(text, place, COMES, (text,), known))
            return
        if node.type == "identifier":
            states[text] = (place,)
        self.edges.append(Edge(text, place, COMES, (), ()))

    def bare(self, node: Node) -> None:
        """A part of a string, which is no token: the published code stops there."""
        if self.twice and not node.children and node.type != "comment":
            raise Unreadable

    def children(self, node: Node, states: States) -> None:
        """Walk all children, in their order."""
        for child in node.children:
            self.visit(child, states)

    def loop(self, node: Node, states: States, walk: LoopWalk) -> None:
        """Walk a loop with `walk`, which says in what order its parts come."""
        self.loops += 1
        outer = not self._within
        self._within += 1
        try:
            if self.twice:
                self._again(node, states, walk)
                return
            if outer and self._known is not None:
                self._begin(node, states)
            walk.once(self, node, states)
        finally:
            self._within -= 1

    def _begin(self, node: Node, states: States) -> None:
        """Let a loop begin with all that it sets."""
        assert self._known is not None
        low = bisect.bisect_left(self._known, (node.first, ""))
        high = bisect.bisect_left(self._known, (node.last, ""))
        for place, text in self._known[low:high]:
            states[text] = (*states.get(text, ()), place)

    def _again(self, node: Node, states: States, walk: LoopWalk) -> None:
        """Walk a loop's body twice, unless it was walked from here before; merge its edges."""
        names = sorted({self.texts[self.places[n]] for n in range(node.first, node.last)})
        start = (node.first, node.start, node.type, *(states.get(name) for name in names))
        done = self._seen.get(start)
        if done is None:
            outside, self.edges = self.edges, []
            walk.twice(self, node, states)
            merged: dict[tuple[str, int, str], Edge] = {}
            for edge in self.edges:
                key = edge.name, edge.place, edge.how
                merged[key] = joined(merged[key], edge) if key in merged else edge
            done = list(merged.values()), [states.get(name) for name in names]
            self._seen[start] = done
            self.edges = outside
        self.edges += done[0]
        for name, places in zip(names, done[1], strict=True):
            if places is not None:
                states[name] = places


class LoopWalk:
    """In what order the parts of a loop are walked."""

    def once(self, walk: Walk, node: Node, states: States) -> None:
        """The body once."""
        raise NotImplementedError

    def twice(self, walk: Walk, node: Node, states: States) -> None:
        """The body twice, as published."""
        self.once(walk, node, states)
        self.once(walk, node, states)


def union(branches: Sequence[States]) -> States:
    """Who may have set each name, after any of the branches."""
    if len(branches) == 1:
        return branches[0]
    found: dict[str, tuple[int, ...]] = {}
    for branch in branches:
        for name, places in branch.items():
            old = found.get(name)
            if old is None:
                found[name] = places
            elif old != places:
                found[name] = tuple(sorted({*old, *places}))
    return found
