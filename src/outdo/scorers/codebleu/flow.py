"""Where the values of a program's variables come from, as edges between its tokens.

The walk is that of GraphCodeBERT (Guo et al. 2021), which CodeBLEU compares programs by: a token
comes from the tokens that last set its name, or is computed from the tokens of an assignment's
right side. `twice` walks the body of each loop twice, as the published code does; since what a walk
gives depends on nothing but the names set before, no body is walked twice from the same start, and
nested loops stay cheap. Otherwise a loop begins with all that it sets, and is walked once.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, compress
from operator import itemgetter, ne

from outdo.scorers.codebleu.trees import Tree

COMES = "comesFrom"
COMPUTED = "computedFrom"

States = dict[str, tuple[int, ...]]
"""A name, and the tokens that may have set it last."""

Use = tuple[int, str, bool]
"""A token that is no mark: its place among the leaves, its text, and whether it can set a name."""

Edge = tuple[str, int, str, tuple[str, ...], tuple[int, ...]]
"""A token by name and place, how its value came, and the names and places that it came from."""

Item = tuple[int, str, tuple[int, ...]]
"""A variable, how its value came, and the variables that it came from; names are numbered."""


class Unreadable(Exception):
    """A statement lacks a part that it must have."""


def linked(edges: Iterable[Edge]) -> list[Edge]:
    """The edges by place, one for each, without those that neither come from nor lead anywhere."""
    ordered = sorted(edges, key=itemgetter(1))
    touched = {place for edge in ordered for place in edge[4]}
    touched.update([edge[1] for edge in ordered if edge[4]])
    merged: dict[int, Edge] = {}
    for edge in ordered:
        place = edge[1]
        if place in touched:
            merged[place] = joined(merged[place], edge) if place in merged else edge
    return list(merged.values())


def joined(old: Edge, new: Edge) -> Edge:
    """Two edges of one token as one: what both come from, each once.

    The published code takes the order of a set, which changes with the seed of Python's hashes;
    here it is that of a hash without a seed.
    """
    name, place, how, names, places = old
    if len(names) > 1 or names != new[3]:
        names = tuple(sorted({*names, *new[3]}, key=_unseeded))
    if places != new[4]:
        places = tuple(sorted({*places, *new[4]}))
    return name, place, how, names, places


@lru_cache(maxsize=1 << 14)
def _unseeded(name: str) -> bytes:
    return hashlib.md5(name.encode("utf-8", "replace"), usedforsecurity=False).digest()


def numbered(edges: Iterable[Edge]) -> Counter[Item]:
    """The edges with their variables numbered in the order in which they appear."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    number = numbers.__getitem__
    # Sources are numbered before what comes from them.
    return Counter(
        [
            (number(name), how, sources)
            for name, _, how, names, _ in edges
            for sources in (tuple(map(number, names)) if names else (),)
        ]
    )


class Walk:
    """One walk over a program: the edges found, and which token set which name.

    `busy` are the types of nodes that the walk has rules for: below all others, where none of these
    is, tokens are used one after the other.
    """

    busy: frozenset[str]

    def __init__(
        self, tree: Tree, texts: Sequence[str], *, twice: bool, known: set[Use] | None
    ) -> None:
        self.tree = tree
        self.kinds = tree.kinds
        self.sizes = tree.sizes
        self.before = tree.before
        self.twice = twice
        self.edges: list[Edge] = []
        self.made: set[Use] = set()
        self.loops = 0
        self._known = known
        self._within = 0
        self._seen: dict[tuple[object, ...], tuple[list[Edge], list[tuple[int, ...] | None]]] = {}
        self.uses, self._first = _uses(tree, texts)
        self._busy = list(accumulate(map(self.busy.__contains__, tree.kinds), initial=0))

    def run(self) -> None:
        """Walk the whole program."""
        self.visit(0, {})

    def visit(self, node: int, states: States) -> None:
        """Add the edges of a node; `states` then says who set which name after it."""
        raise NotImplementedError

    # -------------------------------------------------------------- what walks are made of

    def variables(self, node: int | None) -> list[Use]:
        """The tokens below a node that aren't marks or keywords."""
        if node is None:
            raise Unreadable
        if self.sizes[node] == 1 and not self.tree.is_leaf(node):
            self._silent(node, node + 1)
        return self.uses[self._first[node] : self._first[node + self.sizes[node]]]

    def part(self, node: int, name: str) -> int:
        """The child under a name, which must be there."""
        found = self.tree.field(node, name)
        if found is None:
            raise Unreadable
        return found

    def add(self, to: Use, how: str, sources: Sequence[Use]) -> None:
        """One edge, from all sources."""
        places, names = tuple([use[0] for use in sources]), tuple([use[1] for use in sources])
        self.edges.append((to[1], to[0], how, names, places))

    def define(self, to: Use, states: States) -> None:
        """A token sets its name."""
        self.made.add(to)
        if self._known is None or not self._within or to[1] not in states:
            states[to[1]] = (to[0],)

    def plain(self, node: int, states: States) -> bool:
        """Whether nothing busy is in a node; its tokens are used then.

        Each comes from who set its name, or is the first to set it.
        """
        end = node + self.sizes[node]
        before = self.before
        if self._busy[node] != self._busy[end] and before[node] == before[node + 1]:
            return False
        first, last = self._first[node], self._first[end]
        if first == last:
            if before[node] == before[end]:
                self._silent(node, end)
            return True
        add = self.edges.append
        known = states.get
        for place, text, sets in self.uses[first:last]:
            setters = known(text)
            if setters is not None:
                add((text, place, COMES, (text,), setters))
                continue
            if sets:
                states[text] = (place,)
            add((text, place, COMES, (), ()))
        return True

    def _silent(self, node: int, end: int) -> None:
        """The parts of a string, which are no tokens: the published code stops there."""
        if self.twice and any(
            self.sizes[one] == 1 and self.kinds[one] != "comment" for one in range(node, end)
        ):
            raise Unreadable

    def children(self, node: int, states: States) -> None:
        """Walk all children, in their order."""
        sizes, visit = self.sizes, self.visit
        child, end = node + 1, node + sizes[node]
        while child < end:
            visit(child, states)
            child += sizes[child]

    def loop(self, node: int, states: States, walk: LoopWalk) -> None:
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

    def _begin(self, node: int, states: States) -> None:
        """Let a loop begin with all that it sets."""
        assert self._known is not None
        for use in self.variables(node):
            if use in self._known:
                states[use[1]] = (*states.get(use[1], ()), use[0])

    def _again(self, node: int, states: States, walk: LoopWalk) -> None:
        """Walk a loop's body twice, unless it was walked from here before; merge its edges."""
        names = list(dict.fromkeys([use[1] for use in self.variables(node)]))
        start = (node, *map(states.get, names))
        done = self._seen.get(start)
        if done is None:
            outside, self.edges = self.edges, []
            walk.twice(self, node, states)
            merged: dict[tuple[str, int, str], Edge] = {}
            for edge in self.edges:
                key = edge[:3]
                merged[key] = joined(merged[key], edge) if key in merged else edge
            done = list(merged.values()), [states.get(name) for name in names]
            self._seen[start] = done
            self.edges = outside
        self.edges += done[0]
        for name, places in zip(names, done[1], strict=True):
            if places is not None:
                states[name] = places


def _uses(tree: Tree, texts: Sequence[str]) -> tuple[list[Use], list[int]]:
    """The tokens whose text isn't their type, and how many of them come before each node."""
    kinds = [tree.kinds[leaf] for leaf in tree.leaves]
    places: Sequence[int] = range(len(kinds))
    if "" in texts:
        # Two tokens with the same span, as those that the parser adds, are one: the last.
        spans = [tree.raws[leaf].byte_range for leaf in tree.leaves]
        last = {span: place for place, span in enumerate(spans)}
        places = [last[span] for span in spans]
        texts = [texts[place] for place in places]
    are = list(map(ne, kinds, texts))
    sets = map("identifier".__eq__, compress(kinds, are))
    uses = list(zip(compress(places, are), compress(texts, are), sets, strict=True))
    before = list(accumulate(are, initial=0))
    return uses, list(map(before.__getitem__, tree.before))


class LoopWalk:
    """In what order the parts of a loop are walked."""

    def once(self, walk: Walk, node: int, states: States) -> None:
        """The body once."""
        raise NotImplementedError

    def twice(self, walk: Walk, node: int, states: States) -> None:
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
