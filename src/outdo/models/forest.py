"""A batch is a forest: token sequences as tries, laid out depth first, several to a row.

`end[j]` is the index just past the subtree of token j, and token i sees token j if and only if
`j <= i < end[j]`; a token's position is its depth. That one array says packing, padding and the
sharing of prefixes: what several sequences have in common from their beginning is computed once,
forwards and backwards, and the gradient is that of the sequences computed apart.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from outdo.models import flex
from outdo.models.attention import masks
from outdo.models.branches import Branch, masks_of_branches
from outdo.models.chat import Encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What one row of data becomes: its paths from the root, and numbers that its loss is given.

    A conversation is one path; a pair is two, which share their prompt.
    """

    paths: tuple[Encoded, ...]
    given: tuple[float, ...] = ()

    @property
    def tokens(self) -> int:
        """The tokens of all paths, what they share counted for each."""
        return sum(len(path.ids) for path in self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Rows [rows, width] of token ids, and what is to be learnt of them.

    `source` holds the places in the flattened rows after which a learnt token follows, each once.
    Learnt token number k is `target[k]`, said after `source[pick[k]]`, on the path `path[k]`: two
    paths that share it have it twice. `last` is the place of each path's last token. Paths are
    numbered tree by tree, in the order of `trees`, whose numbers are those of the caller.
    `given` [trees, m] is what the trees bring along. `single` says that each row is one path from
    its beginning, which needs no mask of its own; `branches`, of a flat batch, where the tokens of
    each path lie. `tokens` counts those of all paths, `distinct` those of the tries, and `computed`
    padding as well.
    """

    ids: Tensor
    positions: Tensor
    end: Tensor
    source: Tensor
    pick: Tensor
    target: Tensor
    path: Tensor
    last: Tensor
    given: Tensor
    trees: tuple[int, ...]
    paths: int
    tokens: int
    distinct: int
    single: bool
    branches: tuple[Branch, ...] = ()

    @property
    def computed(self) -> int:
        """How many tokens go through the model, padding included."""
        return self.ids.numel()

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        moved: dict[str, Any] = {
            each.name: part.to(device)
            for each in fields(self)
            if isinstance(part := getattr(self, each.name), Tensor)
        }
        return replace(self, **moved)

    def mask(self, config: Any, dtype: torch.dtype, wanted: Tensor | None = None) -> Any:
        """The attention mask for a model of this configuration; None where causal is enough.

        Of a flat batch it says which places are `wanted`, for a last layer that can be narrow.
        """
        if self.branches:
            return masks_of_branches(config, self.branches, wanted)
        if self.single:
            return None
        if flex.used(config):
            return flex.block_masks(config, self.end, self.positions)
        place = torch.arange(self.ids.shape[1], device=self.ids.device)
        before = place[:, None] >= place[None, :]
        seen = before & (place[None, :, None] < self.end[:, None, :])
        return masks(
            config, seen[:, None], queries=self.positions, keys=self.positions, dtype=dtype
        )


WORTH_SHARING = 8
"""A prefix of fewer tokens is computed again rather than gathered for each branch."""

Layout = list[list[int]]
"""For each row of a batch, which trees lie in it."""


# ------------------------------------------------------------------ what shares with what


class Kinship:
    """The paths of many trees in lexicographic order, and how much neighbours there share.

    In that order the longest prefix that two paths have in common is the least of those that the
    neighbours between them have: so every question about sharing is a minimum over a slice. What
    is shorter than `least` counts as nothing.
    """

    def __init__(self, trees: Sequence[Tree], *, least: int = 1) -> None:
        owners = [(tree, path) for tree, one in enumerate(trees) for path in range(len(one.paths))]
        ids = [np.asarray(trees[tree].paths[path].ids, dtype=">u4") for tree, path in owners]
        order = sorted(range(len(ids)), key=lambda number: ids[number].tobytes())
        self.ranks: list[list[int]] = [[] for _ in trees]
        for rank, number in enumerate(order):
            self.ranks[owners[number][0]].append(rank)
        self.lengths = np.array([len(ids[number]) for number in order])
        pairs = itertools.pairwise(order)
        shared = np.array([_common(ids[a], ids[b]) for a, b in pairs], dtype=np.int64)
        self.shared = np.where(shared < least, 0, shared)

    def between(self, a: int, b: int) -> int:
        """How many tokens two paths have in common, by their ranks."""
        low, high = min(a, b), max(a, b)
        return int(self.shared[low:high].min()) if low < high else int(self.lengths[low])

    def cost(self, tree: int, ranks: list[int]) -> int:
        """How many tokens a tree adds to a trie that holds the paths of these ranks, sorted."""
        added, there = 0, ranks
        for rank in self.ranks[tree]:
            added += int(self.lengths[rank]) - self._known(rank, there)
            if len(self.ranks[tree]) > 1:
                there = sorted([*there, rank])
        return added

    def _known(self, rank: int, ranks: list[int]) -> int:
        place = bisect.bisect_left(ranks, rank)
        near = ranks[max(0, place - 1) : place + 1]
        return max((self.between(rank, other) for other in near), default=0)


def _common(a: np.ndarray, b: np.ndarray) -> int:
    """How many items two arrays have in common from their beginning."""
    least = min(len(a), len(b))
    differs = a[:least] != b[:least]
    return int(differs.argmax()) if differs.any() else least


def families(trees: Sequence[Tree], *, share: float, most: int) -> list[list[int]]:
    """The trees in groups that belong in one step, for they have most of their prompt in common.

    Neighbours in lexicographic order are kin if they share at least `share` of the shorter one's
    tokens before the first learnt one; a group has at most `most` trees.
    """
    kinship = Kinship([Tree(paths=tree.paths[:1]) for tree in trees])
    order = sorted(range(len(trees)), key=lambda tree: kinship.ranks[tree][0])
    groups: list[list[int]] = []
    for place, tree in enumerate(order):
        before = order[place - 1] if place else None
        if before is not None and len(groups[-1]) < most:
            least = min(_asked(trees[tree]), _asked(trees[before]))
            if kinship.shared[place - 1] >= max(1.0, share * least):
                groups[-1].append(tree)
                continue
        groups.append([tree])
    return groups


def _asked(tree: Tree) -> int:
    """How many tokens come before the first learnt one."""
    learnt = tree.paths[0].learnt
    return learnt.index(True) if True in learnt else len(learnt)


# ------------------------------------------------------------------ which tree lies where


@dataclass(slots=True)
class _Row:
    """A row that is being filled: its trees, the ranks of their paths, the room that is left."""

    room: int
    trees: list[int] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)


def layouts(
    trees: Sequence[Tree],
    order: Iterable[int],
    *,
    tokens: int,
    packed: bool = True,
    flat: bool = False,
) -> Iterator[Layout]:
    """The trees in batches of at most `tokens` (padding included), the longest first.

    A row is as long as its batch's longest tree. Where the batch is `packed`, others fill up what
    is left of the rows, each where it shares the most; else a row has one tree, and each of a
    tree's paths is computed apart. A `flat` batch is a single row without padding.
    """
    numbers = list(order)
    mine = [trees[number] for number in numbers]
    if flat:
        yield from _in_line(mine, numbers, tokens)
        return
    if not packed:
        yield from _apart(mine, numbers, tokens)
        return
    kinship = Kinship(mine)
    sizes = [kinship.cost(tree, []) for tree in range(len(mine))]
    rows: list[_Row] = []
    width = 0
    for tree in _longest_first(kinship, sizes):
        size = sizes[tree]
        row, cost = _best(rows, tree, size, kinship)
        if row is None:
            if rows and (len(rows) + 1) * width > tokens:
                yield [[numbers[one] for one in row.trees] for row in rows]
                rows = []
            if not rows:
                width = size
            row, cost = _Row(room=width), size
            rows.append(row)
        row.room -= cost
        row.trees.append(tree)
        row.ranks = sorted([*row.ranks, *kinship.ranks[tree]])
    if rows:
        yield [[numbers[one] for one in row.trees] for row in rows]


def _kin(kinship: Kinship, sizes: Sequence[int]) -> list[list[int]]:
    """Trees in lexicographic order, those together that share more than half with a neighbour."""
    order = sorted(range(len(sizes)), key=lambda tree: kinship.ranks[tree][0])
    kin: list[list[int]] = []
    for place, tree in enumerate(order):
        if place:
            first, before = kinship.ranks[tree][0], kinship.ranks[order[place - 1]][0]
            if 2 * kinship.between(first, before) > min(sizes[tree], sizes[order[place - 1]]):
                kin[-1].append(tree)
                continue
        kin.append([tree])
    return kin


def _longest_first(kinship: Kinship, sizes: Sequence[int]) -> list[int]:
    """Trees by size; those that share more than half with a neighbour come right behind it."""
    kin = [sorted(group, key=lambda tree: -sizes[tree]) for group in _kin(kinship, sizes)]
    return [tree for group in sorted(kin, key=lambda group: -sizes[group[0]]) for tree in group]


def _best(rows: Sequence[_Row], tree: int, size: int, kinship: Kinship) -> tuple[_Row | None, int]:
    """The row in which the tree shares the most, of those with room for it; the first if equal."""
    found: _Row | None = None
    least = size + 1
    for row in rows:
        cost = kinship.cost(tree, row.ranks)
        if cost <= row.room and cost < least:
            found, least = row, cost
    return found, least


def _in_line(mine: Sequence[Tree], numbers: Sequence[int], tokens: int) -> Iterator[Layout]:
    """Batches of one row: trees in lexicographic order, so that those that share lie together.

    Trees that have more than half in common with their neighbour stay in its batch, if a batch
    can hold all of them.
    """
    kinship = Kinship(mine, least=WORTH_SHARING)
    sizes = [kinship.cost(tree, []) for tree in range(len(mine))]
    row = _Row(room=tokens)
    for kin in _kin(kinship, sizes):
        together = _grown(_Row(room=tokens), kin, kinship)
        grown = _grown(row, kin, kinship)
        if grown.room < 0 <= together.room and row.trees:
            yield [[numbers[tree] for tree in row.trees]]
            grown = together
        elif grown.room < 0:
            *full, grown = _one_by_one(row, kin, kinship, tokens)
            yield from ([[numbers[tree] for tree in each.trees]] for each in full)
        row = grown
    if row.trees:
        yield [[numbers[tree] for tree in row.trees]]


def _one_by_one(row: _Row, kin: Sequence[int], kinship: Kinship, tokens: int) -> list[_Row]:
    """The rows that kin fill from this one on, a new one whenever a tree finds no room."""
    rows = [row]
    for tree in kin:
        grown = _grown(rows[-1], [tree], kinship)
        if grown.room < 0 and rows[-1].trees:
            rows.append(_grown(_Row(room=tokens), [tree], kinship))
        else:
            rows[-1] = grown
    return rows


def _grown(row: _Row, trees: Sequence[int], kinship: Kinship) -> _Row:
    """The row with these trees in it as well."""
    room, ranks = row.room, row.ranks
    for tree in trees:
        room -= kinship.cost(tree, ranks)
        ranks = sorted([*ranks, *kinship.ranks[tree]])
    return _Row(room=room, trees=[*row.trees, *trees], ranks=ranks)


def _apart(mine: Sequence[Tree], numbers: Sequence[int], tokens: int) -> Iterator[Layout]:
    """Batches whose rows are single paths: each tree fills as many rows as it has paths."""
    layout: Layout = []
    width = rows = 0
    for one in sorted(range(len(mine)), key=lambda one: -_longest(mine[one])):
        if layout and (rows + len(mine[one].paths)) * width > tokens:
            yield layout
            layout, rows = [], 0
        if not layout:
            width = _longest(mine[one])
        layout.append([numbers[one]])
        rows += len(mine[one].paths)
    if layout:
        yield layout


def _longest(tree: Tree) -> int:
    return max(len(path.ids) for path in tree.paths)


# ------------------------------------------------------------------ laying it out


@dataclass(slots=True)
class _Trie:
    """One row of the batch while it is written: ids, depths and ends of its nodes."""

    ids: list[int] = field(default_factory=list)
    depth: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    branches: list[Branch] = field(default_factory=list)

    def add(self, path: Encoded, nodes: list[int], shared: int) -> list[int]:
        """The nodes of a path whose first `shared` are those of the path before, `nodes`."""
        start = len(self.ids)
        for node in nodes[shared:]:
            self.end[node] = start
        more = range(start, start + len(path.ids) - shared)
        self.ids += path.ids[shared:]
        self.depth += range(shared, len(path.ids))
        self.end += [0] * len(more)
        if more:
            self.branches.append((*_spans(nodes[:shared]), (more.start, more.stop)))
        return [*nodes[:shared], *more]

    def close(self, nodes: Iterable[int], width: int) -> int:
        """End what is still open, pad up to `width`, and say how many tokens there were."""
        size = len(self.ids)
        for node in nodes:
            self.end[node] = size
        padding = range(size, width)
        self.ids += [0] * len(padding)
        self.depth += [0] * len(padding)
        self.end += [place + 1 for place in padding]
        return size


def _spans(nodes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Rising numbers as spans of neighbours."""
    start = 0
    for place in range(1, len(nodes) + 1):
        if place == len(nodes) or nodes[place] != nodes[place - 1] + 1:
            yield nodes[start], nodes[place - 1] + 1
            start = place


def lay(trees: Sequence[Tree], layout: Layout, *, packed: bool = True, flat: bool = False) -> Batch:
    """The batch of this layout: ids, depths, ends, and the learnt tokens."""
    least = WORTH_SHARING if flat else 1
    numbers = [number for row in layout for number in row]
    firsts = np.cumsum([0, *(len(trees[number].paths) for number in numbers)])
    first = dict(zip(numbers, firsts.tolist(), strict=False))
    owned = [[(tree, p) for tree in row for p in range(len(trees[tree].paths))] for row in layout]
    if not packed:
        owned = [[one] for row in owned for one in row]
    placed: dict[int, tuple[int, list[int]]] = {}
    tries: list[tuple[_Trie, list[int]]] = []
    for row, paths in enumerate(owned):
        trie, nodes, before = _Trie(), list[int](), None
        for tree, p in sorted(paths, key=lambda one: trees[one[0]].paths[one[1]].ids):
            path = trees[tree].paths[p]
            shared = _prefix(before.ids, path.ids) if before else 0
            shared = shared if shared >= least else 0
            nodes, before = trie.add(path, nodes, shared), path
            placed[first[tree] + p] = (row, nodes)
        tries.append((trie, nodes))
    width = max(len(trie.ids) for trie, _ in tries)
    distinct = sum(trie.close(nodes, width) for trie, nodes in tries)
    places = [
        [row * width + node for node in nodes]
        for row, nodes in (placed[number] for number in range(len(placed)))
    ]
    paths_of = [path for number in numbers for path in trees[number].paths]
    return Batch(
        ids=torch.tensor([trie.ids for trie, _ in tries]),
        positions=torch.tensor([trie.depth for trie, _ in tries]),
        end=torch.tensor([trie.end for trie, _ in tries]),
        last=torch.tensor([path[-1] for path in places], dtype=torch.long),
        given=torch.tensor([trees[number].given for number in numbers], dtype=torch.float32),
        **_learnt(paths_of, places),
        trees=tuple(numbers),
        paths=len(paths_of),
        tokens=sum(len(path.ids) for path in paths_of),
        distinct=distinct,
        single=all(len(paths) == 1 for paths in owned),
        branches=tuple(tries[0][0].branches) if flat else (),
    )


def _prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens two paths have in common, found by halving."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _learnt(paths: Sequence[Encoded], nodes: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    """What is learnt after which place, and on which path."""
    source: list[int] = []
    target: list[int] = []
    owner: list[int] = []
    for number, (path, places) in enumerate(zip(paths, nodes, strict=True)):
        said = [place for place, learnt in enumerate(path.learnt) if learnt and place]
        source += [places[place - 1] for place in said]
        target += [path.ids[place] for place in said]
        owner += [number] * len(said)
    unique, pick = np.unique(np.array(source, dtype=np.int64), return_inverse=True)
    return {
        "source": torch.from_numpy(unique),
        "pick": torch.from_numpy(pick.astype(np.int64)),
        "target": torch.tensor(target, dtype=torch.long),
        "path": torch.tensor(owner, dtype=torch.long),
    }
