"""Which rows train and which are held out: by group, by program, or a whole group at a time.

A choice depends on the seed and the rows' own names, never on their order. No syntax tree stands
on both sides: whoever has trained on a program hasn't been tested on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from outdo.data.examples import syntax_name
from outdo.errors import DataError
from outdo.records import Example, Split, digest

By = Callable[[Example], str]


def problem_of(example: Example) -> str:
    """The problem that an example belongs to; its group, where it names none."""
    return str(example.given.get("problem", example.group))


def group_of(example: Example) -> str:
    """What is resampled as one: a problem, a repository, a student."""
    return example.group


def hold_out(
    examples: Sequence[Example],
    *,
    per_group: int,
    seed: int,
    split: Split = "test",
    by: By = problem_of,
) -> tuple[Example, ...]:
    """The rows, with `per_group` distinct programs of each group moved from training to `split`.

    A group that has fewer gives half of them. Rows that aren't for training pass unchanged.
    Of rows with one syntax tree one is held out, and the others are left out.
    """
    trees = _by_tree(example for example in examples if example.split == "train")
    groups: dict[str, list[str]] = defaultdict(list)
    for tree, rows in trees.items():
        groups[by(rows[0])].append(tree)
    chosen: set[str] = set()
    for group, names in groups.items():
        number = per_group if len(names) >= per_group else len(names) // 2
        chosen.update(sorted(names, key=lambda tree: _draw(seed, group, tree))[:number])
    return tuple(
        row if row.split != "train" or tree not in chosen else replace(row, split=split)
        for tree, row in ((_tree(row), row) for row in examples)
        if row.split != "train" or tree not in chosen or row is trees[tree][0]
    )


def hold_out_groups(
    examples: Sequence[Example],
    groups: Collection[str],
    *,
    by: By = problem_of,
    per_group: int | None = None,
    seed: int = 0,
) -> tuple[Example, ...]:
    """The rows, with every distinct program of some groups for testing and none for training.

    At most `per_group` of each group are kept. Training rows whose syntax tree is tested too are
    left out. Raises DataError if a group has no row.
    """
    rows = [row for row in examples if by(row) in groups]
    for group in groups:
        if not any(by(row) == group for row in rows):
            raise DataError(f"no row belongs to {group!r}", "check the group's name")
    trees = _by_tree(rows)
    tested: list[Example] = []
    for group in sorted(groups):
        names = [tree for tree, found in trees.items() if by(found[0]) == group]
        names.sort(key=lambda tree: _draw(seed, group, tree))
        tested += [replace(trees[tree][0], split="test") for tree in names[:per_group]]
    kept = [row for row in examples if row.split == "train" and by(row) not in groups]
    return (*(row for row in kept if _tree(row) not in trees), *tested)


def rotations(
    examples: Sequence[Example],
    *,
    by: By = problem_of,
    folds: int | None = None,
    per_group: int | None = None,
    seed: int,
) -> Iterator[tuple[str, tuple[Example, ...]]]:
    """For each fold its name and the rows split so that its groups are tested and never trained.

    Without `folds`, each group is a fold of its own, named after it; otherwise groups are dealt
    into so many folds, named by number. Rows that are for testing already count like any other.
    """
    groups = sorted({by(row) for row in examples})
    if len(groups) < 2 or (folds is not None and not 2 <= folds <= len(groups)):
        raise DataError(
            f"{len(groups)} groups can't be rotated" + (f" in {folds} folds" if folds else ""),
            "give two groups at least, and no more folds than groups",
        )
    every = [replace(row, split="train") for row in examples]
    if folds is None:
        dealt = {group: [group] for group in groups}
    else:
        order = sorted(groups, key=lambda group: _draw(seed, "fold", group))
        dealt = {f"fold-{fold + 1}": order[fold::folds] for fold in range(folds)}
    for name, left_out in dealt.items():
        yield name, hold_out_groups(every, left_out, by=by, per_group=per_group, seed=seed)


def _by_tree(examples: Iterable[Example]) -> dict[str, list[Example]]:
    """Rows of one syntax tree together, the first by id first."""
    trees: dict[str, list[Example]] = defaultdict(list)
    for row in sorted(examples, key=lambda row: row.id):
        trees[_tree(row)].append(row)
    return trees


def _tree(example: Example) -> str:
    program = example.given.get("program")
    return syntax_name(program) if isinstance(program, str) else digest(example.given)


def _draw(seed: int, *names: str) -> str:
    """A number that only the seed and the names decide, to sort by."""
    return digest([seed, *names])
