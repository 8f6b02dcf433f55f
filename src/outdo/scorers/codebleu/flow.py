"""Where the values of a program's variables come from, as edges between its tokens.

The walk is that of GraphCodeBERT (Guo et al. 2021), which CodeBLEU compares programs by: a token
comes from the tokens that last set its name, or is computed from the tokens of an assignment's
right side. `twice` walks the body of each loop twice, as the published code does; since what a walk
gives depends on nothing but the names set before, no body is walked twice from the same start, and
nested loops stay cheap. Otherwise a loop begins with all that it sets, and is walked once.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, chain, compress
from operator import ne

from outdo.scorers.codebleu.trees import Tree

COMES = "comesFrom"
COMPUTED = "computedFrom"

Setters = tuple[int, ...]
"""The places of the tokens that may have set a name last."""

States = dict[str, Setters]
"""A name, and who set it."""

Use = tuple[int, str, bool]
"""A token that is no mark: its place among the leaves, its text, and whether it can set a name."""

Edge = tuple[str, tuple[str, ...]]
"""How the value of a token came, and the names that it came from."""

START: Edge = (COMES, ())
"""A token that comes from no other."""


class Unreadable(Exception):
    """A statement lacks a part that it must have."""


def joined(old: Edge, new: Edge) -> Edge:
    """Two edges of one token as one: what both come from, each once.

    The published code takes the order of a set, which changes with the seed of Python's hashes;
    here it is that of a hash without a seed.
    """
    how, names = old
    if len(names) > 1 or names != new[1]:
        names = _ordered({*names, *new[1]})
    return how, names


def _ordered(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names, key=_unseeded) if len(names) > 1 else names)


@lru_cache(maxsize=1 << 14)
def _unseeded(name: str) -> bytes:
    return hashlib.md5(name.encode("utf-8", "replace"), usedforsecurity=False).digest()


class Walk:
    """One walk over a program: the edges found, and which token set which name.

    `busy` are the types of nodes that the walk has rules for: below all others, where none of these
    is, tokens are used one after the other. `edges` are by place, and `sources` are the places that
    they come from.
    """

    busy: frozenset[str]

    def __init__(self, tree: Tree, texts: Sequence[str], *, twice: bool) -> None:
        self.tree = tree
        self.kinds = tree.kinds
        self.sizes = tree.sizes
        self.twice = twice
        self.edges: dict[int, Edge] = {}
        self.sources: list[Setters] = []
        self._texts = texts
        self._made: set[Use] | None = None
        self._within = 0
        self._seen: dict[tuple[object, ...], tuple[dict[int, Edge], list[Setters | None]]] = {}
        self.uses, self._first = _uses(tree, texts)
        kinds, busy = tree.kinds, self.busy
        self._busy = [*[node for node in tree.inner if kinds[node] in busy], len(kinds)]

    def run(self) -> Counter[int]:
        """Walk the whole program, and count its edges, equal ones by equal numbers.

        Variables are numbered in the order in which they appear, sources before what comes from
        them. Edges count that come from another token, or that another comes from.
        """
        self.visit(0, {})
        edges, texts = self.edges, self._texts
        counted = set(chain.from_iterable(self.sources))
        counted.update([place for place, edge in edges.items() if edge[1]])
        numbers: defaultdict[str, int] = defaultdict()
        numbers.default_factory = numbers.__len__
        number = numbers.__getitem__
        found: list[int] = []
        before: tuple[str, ...] = ()
        sources: tuple[int, ...] = ()
        for place in sorted(counted & edges.keys()):
            how, names = edges[place]
            # The targets of an assignment share their sources.
            if names is not before:
                before, sources = names, tuple(map(number, names))
            found.append(hash((sources, number(texts[place]), how)))
        return Counter(found)

    def visit(self, node: int, states: States) -> None:
        """Add the edges of a node; `states` then says who set which name after it."""
        end = node + self.sizes[node]
        busy = self._busy
        if busy[bisect_left(busy, node)] >= end or self._is_leaf(node):
            self.use(node, end, states)
        else:
            self.follow(node, states)

    def follow(self, node: int, states: States) -> None:
        """`visit` a node that something busy is in, or that is so itself."""
        raise NotImplementedError

    # -------------------------------------------------------------- what walks are made of

    def variables(self, node: int | None) -> list[Use]:
        """The tokens below a node that aren't marks or keywords."""
        if node is None:
            raise Unreadable
        if self.sizes[node] == 1 and not self._is_leaf(node):
            self._silent(node, node + 1)
        return self.uses[self._first[node] : self._first[node + self.sizes[node]]]

    def part(self, node: int, name: str) -> int:
        """The child under a name, which must be there."""
        found = self.tree.field(node, name)
        if found is None:
            raise Unreadable
        return found

    def add(self, to: Sequence[Use], how: str, sources: Sequence[Use], states: States) -> None:
        """One edge to each token, from all sources; the tokens then set their names."""
        self._add(to, (how, tuple([use[1] for use in sources])), sources, states)

    def add_each(self, to: Sequence[Use], how: str, sources: Sequence[Use], states: States) -> None:
        """An edge to each token from each source; the tokens then set their names."""
        if sources:
            self._add(to, (how, _ordered({use[1] for use in sources})), sources, states)
        else:
            self._define(to, states)

    def _add(self, to: Sequence[Use], edge: Edge, sources: Sequence[Use], states: States) -> None:
        if to:
            self.sources.append(tuple([use[0] for use in sources]))
        before = after = edge
        for use in to:
            old = self.edges.setdefault(use[0], edge)
            if old is not edge:
                if old is not before:
                    before, after = old, joined(old, edge)
                self.edges[use[0]] = after
        self._define(to, states)

    def _define(self, to: Sequence[Use], states: States) -> None:
        if self._made is None:
            states.update([(text, (place,)) for place, text, _ in to])
            return
        self._made.update(to)
        for place, text, _ in to:
            states.setdefault(text, (place,))

    def use(self, start: int, end: int, states: States) -> None:
        """Use the tokens of nodes that nothing busy is in.

        Each comes from who set its name, or is the first to set it.
        """
        first, last = self._first[start], self._first[end]
        if first == last:
            leaves = self.tree.leaves
            if bisect_left(leaves, start) == bisect_left(leaves, end):
                self._silent(start, end)
            return
        edges, setters_of, add_sources = self.edges, states.get, self.sources.append
        for place, text, sets in self.uses[first:last]:
            setters = setters_of(text)
            edge = START
            if setters is not None:
                add_sources(setters)
                edge = COMES, (text,)
            elif sets:
                states[text] = (place,)
            old = edges.setdefault(place, edge)
            if old is not edge and old != edge:
                edges[place] = joined(old, edge)

    def _is_leaf(self, node: int) -> bool:
        leaves = self.tree.leaves
        place = bisect_left(leaves, node)
        return place < len(leaves) and leaves[place] == node

    def _silent(self, node: int, end: int) -> None:
        """The parts of a string, which are no tokens: the published code stops there."""
        if self.twice and any(
            self.sizes[one] == 1 and self.kinds[one] != "comment" for one in range(node, end)
        ):
            raise Unreadable

    def children(self, node: int, states: States) -> None:
        """Walk all children, in their order."""
        sizes, busy = self.sizes, self._busy
        child, end = node + 1, node + sizes[node]
        while child < end:
            start, next_ = child, busy[bisect_left(busy, child)]
            if next_ >= end:
                self.use(start, end, states)
                return
            while child + sizes[child] <= next_:
                child += sizes[child]
            if start < child:
                self.use(start, child, states)
            self.visit(child, states)
            child += sizes[child]

    def loop(self, node: int, states: States, walk: LoopWalk) -> None:
        """Walk a loop with `walk`, which says in what order its parts come."""
        self._within += 1
        try:
            if self.twice:
                self._again(node, states, walk)
            elif self._within > 1:
                walk.once(self, node, states)
            else:
                self._whole(node, states, walk)
        finally:
            self._within -= 1

    def _whole(self, node: int, states: States, walk: LoopWalk) -> None:
        """Walk a loop that is in no other, from all that it sets."""
        outside, sources = self.edges, self.sources
        self._made, self.edges, self.sources = set(), {}, []
        walk.once(self, node, {})
        self.edges, self.sources = outside, sources
        for use in self.variables(node):
            if use in self._made:
                states[use[1]] = (*states.get(use[1], ()), use[0])
        walk.once(self, node, states)
        self._made = None

    def _again(self, node: int, states: States, walk: LoopWalk) -> None:
        """Walk a loop's body twice, unless it was walked from here before, within another loop."""
        if self._within == 1:
            walk.twice(self, node, states)
            return
        names = list(dict.fromkeys([use[1] for use in self.variables(node)]))
        start = (node, *map(states.get, names))
        if start in self._seen:
            found, setters = self._seen[start]
            states.update({name: one for name, one in zip(names, setters, strict=True) if one})
        else:
            outside, self.edges = self.edges, {}
            walk.twice(self, node, states)
            found, self.edges = self.edges, outside
            self._seen[start] = found, [states.get(name) for name in names]
        edges = self.edges
        for place, edge in found.items():
            old = edges.setdefault(place, edge)
            if old is not edge:
                edges[place] = joined(old, edge)


def _uses(tree: Tree, texts: Sequence[str]) -> tuple[list[Use], list[int]]:
    """The tokens whose text isn't their type, and how many of them come before each node."""
    kinds = [tree.kinds[leaf] for leaf in tree.leaves]
    places: Sequence[int] = range(len(kinds))
    if "" in texts:
        places = _merged(tree)
        texts = [texts[place] for place in places]
    are = list(map(ne, kinds, texts))
    sets = [kind == "identifier" for kind in compress(kinds, are)]
    uses = list(zip(compress(places, are), compress(texts, are), sets, strict=True))
    used = bytearray(len(tree.kinds))
    for leaf in compress(tree.leaves, are):
        used[leaf] = 1
    return uses, list(accumulate(used, initial=0))


def _merged(tree: Tree) -> list[int]:
    """The places of the tokens, where tokens that span nothing at one point are the last of them.

    A parser adds such ones.
    """
    empty = [place for place, text in enumerate(tree.texts) if not text]
    raws = tree.torn
    if not all(tree.leaves[place] in raws for place in empty):
        raws = dict(enumerate(tree.raws()))
    points = {place: raws[tree.leaves[place]].start_byte for place in empty}
    last = {point: place for place, point in points.items()}
    places = list(range(len(tree.leaves)))
    for place, point in points.items():
        places[place] = last[point]
    return places


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
    found = dict(branches[0])
    for branch in branches[1:]:
        for name, places in branch.items():
            old = found.setdefault(name, places)
            if old is not places and old != places:
                found[name] = tuple(sorted({*old, *places}))
    return found
