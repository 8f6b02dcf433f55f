"""Single marks that tell chosen from rejected, beyond what chance would bring.

If nothing but their worth sets the two replies of a pair apart, then of the pairs in which only one
reply has a mark, about half have it in the chosen: an exact sign test. Pairs of one group or one
prompt count as one. A rule «the reply with the mark is the better» has nothing fitted but its
direction, which the test's two sides pay for; and all marks that could have been found count
against each that is (Bonferroni's correction by Tarone 1990, Biometrics 46, which leaves out
those that are too rare to ever be found). The fixed marks together are fitted on half of the
groups, and tried on the other half.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outdo.data.check.marks import CAUSES, FIXED, LENGTH, RATIOS, Mark, has, lengths, marks
from outdo.data.check.nouns import SHOWN, Entry, Finding, Gathered, Shown, drawn, excerpt, share_of
from outdo.records import Measure, digest
from outdo.stats.rates import clopper_pearson, tango

if TYPE_CHECKING:
    import numpy as np

LEVEL = 0.001
"""The chance that a set without any such mark has a finding here at all."""

PARTS = 3
"""Fixed marks, open marks, and all fixed ones together have a third of it each."""

LOOKED_AT = 10_000
"""Pairs that are looked at for marks; those that are found are then counted in all pairs."""

LEAST = 0.005
"""Pairs told apart, as a share of all and net of those told wrongly, that are worth a word."""

SERIOUS = 0.6
"""How often somebody must be right who goes by one mark alone, for it to be serious."""

COVERED = 0.7
"""A mark is another one again if that stands in so much of what it tells apart."""

MOST = 10
"""Findings that are told; those that tell least are left out."""

BETTER = 0.02
"""By how much all marks together must be more often right than the best single one."""

RIDGE = 1.0
FEWEST = 200
"""Pairs from which on all marks are tried together."""


@dataclass(frozen=True, slots=True)
class Lean:
    """A mark, the pairs in which the chosen reply alone has it, or the rejected; its p-value."""

    mark: Mark
    chosen: frozenset[int]
    rejected: frozenset[int]
    p: float

    @property
    def right(self) -> frozenset[int]:
        """The pairs for which the mark, read in its better direction, is right."""
        return max(self.chosen, self.rejected, key=len)

    @property
    def leads(self) -> bool:
        """Whether the chosen reply has it more often."""
        return len(self.chosen) >= len(self.rejected)

    @property
    def net(self) -> int:
        return abs(len(self.chosen) - len(self.rejected))


def separating(rows: Gathered) -> Iterator[Finding]:
    """The findings on pairs: single marks by how much they tell, then all of them together."""
    looked = drawn(rows.entries, LOOKED_AT)
    owners = _owners(looked)
    table = [_differing(entry) for entry in looked]
    told = _told(_leans(table, owners), len(looked))
    found = [_finding(lean, rows.entries) for lean in told]
    yield from found
    best = max((one.separates.value or 0 for one in found if one.separates), default=0.5)
    together = _together(table, owners)
    if together is not None and together[0] > best + BETTER:
        yield together[1]


def _owners(entries: Sequence[Entry]) -> list[int]:
    """The number of what holds each pair together with others: its group, else its prompt."""
    numbers: dict[str, int] = {}
    return [
        numbers.setdefault(entry.group or "\0" + entry.prompt, len(numbers)) for entry in entries
    ]


def _differing(entry: Entry) -> tuple[set[Mark], set[Mark]]:
    """The marks that the chosen reply alone has, and the rejected alone."""
    chosen, rejected = entry.replies
    if chosen == rejected:
        return set(), set()
    a, b = marks(chosen), marks(rejected)
    return (a - b) | lengths(chosen, rejected), (b - a) | lengths(rejected, chosen)


def _leans(table: Sequence[tuple[set[Mark], set[Mark]]], owners: Sequence[int]) -> list[Lean]:
    """Every mark that leans to one side, with its corrected p-value."""
    sides: tuple[dict[Mark, list[int]], dict[Mark, list[int]]] = (
        defaultdict(list),
        defaultdict(list),
    )
    for number, pair in enumerate(table):
        for side, found in zip(sides, pair, strict=True):
            for mark in found:
                side[mark].append(number)
    alone = len(set(owners)) == len(owners)
    counts = {}
    for mark in {**sides[0], **sides[1]}:
        wins, losses = sides[0].get(mark, []), sides[1].get(mark, [])
        counts[mark] = (len(wins), len(losses)) if alone else _by_owner(wins, losses, owners)
    fixed = {mark: count for mark, count in counts.items() if _is_fixed(mark)}
    opened = {mark: count for mark, count in counts.items() if not _is_fixed(mark)}
    return [
        Lean(mark, frozenset(sides[0].get(mark, ())), frozenset(sides[1].get(mark, ())), p)
        for part in (fixed, opened)
        for mark, p in corrected(part, level=LEVEL / PARTS).items()
    ]


def _is_fixed(mark: Mark) -> bool:
    return not mark.value or mark.kind == LENGTH


def _by_owner(wins: Sequence[int], losses: Sequence[int], owners: Sequence[int]) -> tuple[int, int]:
    """The groups that lean to either side; one that is even says nothing."""
    sums: Counter[int] = Counter()
    for number in wins:
        sums[owners[number]] += 1
    for number in losses:
        sums[owners[number]] -= 1
    return sum(one > 0 for one in sums.values()), sum(one < 0 for one in sums.values())


def corrected(counts: Mapping[Mark, tuple[int, int]], *, level: float) -> dict[Mark, float]:
    """The corrected p-values of marks that reach the level, by (wins, losses) of each.

    A mark that differs in n pairs has at least the p-value 2^(1 - n). With k the least number for
    which at most k marks can come below level / k, only these are counted against each other.
    """
    least = sorted(2.0 ** (1 - sum(count)) for count in counts.values())
    times = 1
    while bisect_right(least, level / times) > times:
        times += 1
    found = {}
    for mark, (wins, losses) in counts.items():
        if 2.0 ** (1 - wins - losses) <= level / times:
            p = times * sign_test(wins, losses)
            if p <= level:
                found[mark] = p * PARTS
    return found


def sign_test(wins: int, losses: int) -> float:
    """The exact two-sided p-value of «a coin decides who wins», quick for many of them."""
    from scipy.special import bdtr

    n = wins + losses
    return min(1.0, 2 * float(bdtr(min(wins, losses), n, 0.5))) if n else 1.0


def _told(leans: Sequence[Lean], rows: int) -> list[Lean]:
    """Those that tell something of their own, the strongest first."""
    strong = [lean for lean in leans if lean.net >= LEAST * rows]
    strong.sort(key=lambda one: (one.mark.kind not in CAUSES, -one.net, _order(one.mark)))
    kept: list[Lean] = []
    covered: set[int] = set()
    for lean in strong:
        if lean.mark.kind == LENGTH:
            if not any(one.mark.kind == LENGTH and one.leads == lean.leads for one in kept):
                kept.append(lean)
            continue
        if len(lean.right & covered) < COVERED * len(lean.right):
            kept.append(lean)
            covered |= lean.right
    return sorted(kept, key=lambda one: -one.net)[:MOST]


def _order(mark: Mark) -> tuple[bool, str, str]:
    """Of marks that tell as much, the one that says most comes first: its very words."""
    return _is_fixed(mark), mark.kind, mark.value


def _finding(lean: Lean, entries: Sequence[Entry]) -> Finding:
    """The finding on one mark, counted in all pairs."""
    if lean.mark.kind == LENGTH:
        return _of_length(lean, entries)
    having: list[tuple[bool, bool]] = []
    for entry in entries:
        chosen, rejected = entry.replies
        having.append((has(chosen, lean.mark), has(rejected, lean.mark)))
    in_chosen = sum(chosen for chosen, _ in having)
    in_rejected = sum(rejected for _, rejected in having)
    wins = [number for number, (one, other) in enumerate(having) if one and not other]
    losses = [number for number, (one, other) in enumerate(having) if other and not one]
    about = lean.mark.about
    what = f"the reply {about}: {in_chosen:,} chosen, {in_rejected:,} rejected"
    return _worded(lean, entries, wins, losses, what=what)


def _of_length(lean: Lean, entries: Sequence[Entry]) -> Finding:
    wins, losses = [], []
    for number, entry in enumerate(entries):
        chosen, rejected = entry.replies
        if lean.mark in lengths(chosen, rejected):
            wins.append(number)
        if lean.mark in lengths(rejected, chosen):
            losses.append(number)
    means = [sum(len(entry.replies[side]) for entry in entries) / len(entries) for side in (0, 1)]
    about = lean.mark.about
    what = (
        f"chosen replies have {means[0]:,.0f} characters on average, rejected {means[1]:,.0f}; "
        f"in {len(wins):,} pairs the chosen, in {len(losses):,} the rejected {about}"
    )
    return _worded(lean, entries, wins, losses, what=what)


def _worded(
    lean: Lean, entries: Sequence[Entry], wins: list[int], losses: list[int], *, what: str
) -> Finding:
    for_chosen = len(wins) >= len(losses)
    right = wins if for_chosen else losses
    n, net = len(entries), abs(len(wins) - len(losses))
    ends = tango(wins=len(right), losses=len(wins) + len(losses) - len(right), n=n)
    accuracy = Measure(
        name="accuracy",
        value=0.5 + net / n / 2,
        low=0.5 + ends[0] / 2,
        high=0.5 + ends[1] / 2,
        n=n,
        unit="share",
    )
    side = "chosen" if for_chosen else "rejected"
    return Finding(
        name=f"{lean.mark.kind}",
        side=side,
        serious=0.5 + net / n / 2 >= SERIOUS,
        what=what,
        rows=len(right),
        of=n,
        share=share_of(len(right), n),
        shown=tuple(
            Shown(entries[place].where, _shown(entries[place].replies[not for_chosen], lean.mark))
            for place in right[:SHOWN]
        ),
        todo=_todo(lean.mark),
        separates=accuracy,
        p=min(1.0, lean.p),
    )


def _shown(text: str, mark: Mark) -> str:
    if mark.kind == LENGTH:
        return f"{len(text):,} characters: {excerpt(text)}"
    if mark.kind.startswith("last") or mark.kind in ("closer", "line end last", "full stop last"):
        return excerpt(text[-100:])
    return excerpt(text)


def _todo(mark: Mark) -> str:
    if mark.kind == LENGTH:
        return "take pairs of about equal length, or a method that holds length back"
    return "give both sides the same form, or drop these pairs: else the model learns the mark"


# ------------------------------------------------------------------ all marks together


def _together(
    table: Sequence[tuple[set[Mark], set[Mark]]], owners: Sequence[int]
) -> tuple[float, Finding] | None:
    """How often all fixed marks together are right on groups that they weren't fitted to."""
    import numpy as np

    if len(table) < FEWEST:
        return None
    signs = _signs(table)
    half = np.array([int(digest(["half", owner])[:8], 16) % 2 == 0 for owner in owners])
    said = np.sign(signs[~half] @ _fitted(signs[half]))
    groups: dict[int, float] = defaultdict(float)
    for owner, one in zip(np.array(owners)[~half].tolist(), said.tolist(), strict=True):
        groups[owner] += one
    right, wrong = (sum(sign * one > 0 for one in groups.values()) for sign in (1, -1))
    p = sign_test(right, wrong)
    if p > LEVEL / PARTS or right <= wrong:
        return None
    value = 0.5 + (right - wrong) / len(groups) / 2
    strongest = np.argsort(-np.abs(signs.mean(axis=0)), kind="stable")[:5].tolist()
    named = ", ".join(COLUMNS[place] for place in strongest)
    return value, _of_all(right, len(groups), value, p, named)


def _of_all(right: int, n: int, value: float, p: float, named: str) -> Finding:
    low, high = clopper_pearson(successes=round(value * n), n=n)
    return Finding(
        name="marks together",
        side="pair",
        serious=value >= SERIOUS,
        what=(
            f"the chosen reply is told by form alone ({named} and others) in {value:.0%} of "
            f"{n:,} held-out groups"
        ),
        rows=right,
        of=n,
        share=share_of(right, n),
        shown=(),
        todo="give both sides the same form, or look at how the pairs were made",
        separates=Measure(name="accuracy", value=value, low=low, high=high, n=n, unit="share"),
        p=min(1.0, p * PARTS),
    )


COLUMNS = (*FIXED, *(f"{LENGTH} x{times:g}" for times in RATIOS))


def _signs(table: Sequence[tuple[set[Mark], set[Mark]]]) -> np.ndarray:
    """Pairs by fixed marks: 1 where the chosen reply alone has it, -1 where the rejected does."""
    import numpy as np

    places = {name: place for place, name in enumerate(COLUMNS)}
    signs = np.zeros((len(table), len(COLUMNS)))
    for number, pair in enumerate(table):
        for sign, found in zip((1, -1), pair, strict=True):
            for mark in found:
                name = f"{LENGTH} x{mark.value}" if mark.kind == LENGTH else mark.kind
                if _is_fixed(mark):
                    signs[number, places[name]] += sign
    return signs


def _fitted(signs: np.ndarray) -> np.ndarray:
    """The weights of a logistic model without intercept that the chosen reply wins, with a ridge.

    Every row is chosen less rejected, so that every outcome is a win; Newton's steps.
    """
    import numpy as np

    weights = np.zeros(signs.shape[1])
    for _ in range(15):
        p = 1 / (1 + np.exp(-np.clip(signs @ weights, -30, 30)))
        slope = signs.T @ (1 - p) - RIDGE * weights
        curve = (signs * (p * (1 - p))[:, None]).T @ signs + RIDGE * np.eye(len(weights))
        weights = weights + np.linalg.solve(curve, slope)
    return weights
