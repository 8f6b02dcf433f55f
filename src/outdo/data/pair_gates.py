"""What pairs of programs must come through before anybody learns from them or is judged by them.

Gates are those of `sifting`, so that each pair is kept, or has the gate and the reason why not. A
gate that compares pairs with each other looks at what sets a pair's sides apart, for many pairs
may share one side.
"""

from __future__ import annotations

import difflib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rapidfuzz.distance import Indel

from outdo import text, tokens
from outdo.data.comments import without_comments
from outdo.data.examples import syntax_name
from outdo.data.near import THRESHOLD, near_duplicates, signature
from outdo.data.overlap import SHARE, apart
from outdo.data.pairs import CORRECTNESS, CodePair, uneven
from outdo.data.problems import Problem
from outdo.data.sifting import Drop, Gate, Item, Sifted, licence_gate, sift
from outdo.data.trial import LIMITS, Runs, trials
from outdo.errors import DataError
from outdo.records import digest

Fault = Callable[[CodePair], Drop | None]
Comments = Literal["keep", "strip", "bare"]
"""Comments stay, go, or go with docstrings."""

BAND = (0.3, 1.0)
"""How alike both sides must be at least and may be at most: shares of common tokens."""

SHAPE = 3
"""Lines around a change that belong to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The pairs that are kept, in order, and what befell all of them."""

    pairs: tuple[CodePair, ...]
    sifted: Sifted


def gated(pairs: Sequence[CodePair], gates: Sequence[Gate]) -> Kept:
    """The pairs that come through all gates. Raises DataError if an id stands twice."""
    sifted = sift([item(pair) for pair in pairs], gates)
    kept = set(sifted.kept)
    return Kept(pairs=tuple(pair for pair in pairs if pair.id in kept), sifted=sifted)


def item(pair: CodePair) -> Item:
    """The pair as gates see it."""
    return Item(
        id=pair.id,
        texts=(pair.statement, pair.better, pair.worse),
        group=pair.group,
        kind=pair.criterion,
        licence=pair.licence or None,
    )


def gates(
    pairs: Sequence[CodePair],
    *,
    problems: Sequence[Problem] = (),
    sandbox: Runs | None = None,
    band: tuple[float, float] = BAND,
    near: float | None = THRESHOLD,
    evaluation: Sequence[Item] = (),
    share: float = SHARE,
    licences: Sequence[str] | None = None,
    even: bool = False,
    balance: float | None = None,
    seed: int = 1,
) -> list[Gate]:
    """The gates that suit these pairs, cheap ones first, those that draw last.

    With `problems` and a sandbox sides are run on the tests of their problems. `near` is the
    similarity of near-duplicates, None for no such gate; `evaluation` what nothing may overlap by
    `share` or more; `licences` are allowed beside permissive ones, None lets all in. `even` and
    `balance` are those of `even_gate` and `balance_gate`.
    """
    found = [parsed_gate(pairs), differing_gate(pairs), band_gate(pairs, *band)]
    found.append(contradiction_gate(pairs))
    found += [licence_gate(allowed=licences)] if licences is not None else []
    found += [passing_gate(pairs, problems, sandbox=sandbox)] if problems and sandbox else []
    found += [near_gate(pairs, threshold=near)] if near is not None else []
    found += apart(evaluation, by_group=False, share=share) if evaluation else []
    found += [even_gate(pairs, seed=seed)] if even else []
    if balance is not None:
        found.append(balance_gate(pairs, most=balance, seed=seed, even=even))
    return found


def _each(pairs: Sequence[CodePair], name: str, about: str, fault: Fault) -> Gate:
    """A gate that looks at every pair by itself."""
    by_id = {pair.id: pair for pair in pairs}

    def failing(items: Sequence[Item]) -> dict[str, Drop]:
        return {one.id: drop for one in items if (drop := fault(by_id[one.id])) is not None}

    return Gate(name=name, about=about, failing=failing)


# ------------------------------------------------------------------ one pair


def parsed_gate(pairs: Sequence[CodePair]) -> Gate:
    """Both sides have a syntax tree, with the preamble before them."""

    def fault(pair: CodePair) -> Drop | None:
        for side, code in (("better", pair.better), ("worse", pair.worse)):
            if text.syntax_tree(f"{pair.preamble}\n{code}") is None:
                return Drop(f"the {side} side isn't Python")
        return None

    return _each(pairs, "parsed", "both sides have a syntax tree", fault)


def differing_gate(pairs: Sequence[CodePair]) -> Gate:
    """The sides differ by more than layout and comments."""

    def fault(pair: CodePair) -> Drop | None:
        same = syntax_name(pair.better) == syntax_name(pair.worse)
        return Drop("the sides differ in layout and comments alone") if same else None

    return _each(pairs, "differing", "sides differ by more than layout and comments", fault)


def likeness(one: str, other: str) -> float:
    """The share of tokens that two programs have in common, in order: 1 where they are the same."""
    return float(Indel.normalized_similarity(tokens.code_tokens(one), tokens.code_tokens(other)))


def band_gate(pairs: Sequence[CodePair], least: float, most: float) -> Gate:
    """The sides are neither two quite different programs nor nearly one. Raises DataError."""
    if not 0 <= least < most <= 1:
        raise DataError(f"the band {least:g} to {most:g} is empty", "like 0.3 to 1")

    def fault(pair: CodePair) -> Drop | None:
        alike = likeness(pair.better, pair.worse)
        if alike < least:
            return Drop("the sides are too different", f"{alike:.2f} of their tokens in common")
        if alike > most:
            return Drop("the sides are too alike", f"{alike:.3f} of their tokens in common")
        return None

    about = f"from {least:g} to {most:g} of all tokens in common"
    return _each(pairs, "similarity", about, fault)


def unproved(pair: CodePair, *, better: bool, worse: bool) -> Drop | None:
    """Why tests don't bear a pair out, given which of its sides passes them all."""
    if not better:
        return Drop("the better side fails a test", pair.problem)
    if worse and pair.criterion == CORRECTNESS:
        return Drop("the worse side passes every test", pair.problem)
    return None


def passing_gate(pairs: Sequence[CodePair], problems: Sequence[Problem], *, sandbox: Runs) -> Gate:
    """The better side passes the tests of its problem; of correctness, the worse one fails.

    Pairs of other problems pass unseen.
    """
    by_name = {problem.name: problem for problem in problems}
    by_id = {pair.id: pair for pair in pairs}

    def failing(items: Sequence[Item]) -> dict[str, Drop]:
        seen = [by_id[one.id] for one in items if by_id[one.id].problem in by_name]
        sides = [
            (by_name[pair.problem], code) for pair in seen for code in (pair.better, pair.worse)
        ]
        limits = replace(LIMITS, cpu_seconds=2.0)
        passed = [trial.passed for trial in trials(sides, sandbox=sandbox, limits=limits)]
        drops = {}
        for pair, better, worse in zip(seen, passed[::2], passed[1::2], strict=True):
            if (drop := unproved(pair, better=better, worse=worse)) is not None:
                drops[pair.id] = drop
        return drops

    about = f"the better side passes the tests of {len(by_name):,} problems"
    return Gate(name="tested", about=about, failing=failing)


# ------------------------------------------------------------------ pairs beside each other


def contradiction_gate(pairs: Sequence[CodePair]) -> Gate:
    """No two pairs of one criterion say the opposite of each other; nor the same."""
    by_id = {pair.id: pair for pair in pairs}

    def failing(items: Sequence[Item]) -> dict[str, Drop]:
        said: dict[tuple[str, str, str], str] = {}
        drops: dict[str, Drop] = {}
        for one in sorted(items, key=lambda one: one.id):
            pair = by_id[one.id]
            sides = syntax_name(pair.better), syntax_name(pair.worse)
            if (other := said.get((pair.criterion, *sides[::-1]))) is not None:
                drops[one.id] = Drop("another pair says the opposite", other)
                drops[other] = Drop("another pair says the opposite", one.id)
            elif (other := said.setdefault((pair.criterion, *sides), one.id)) != one.id:
                drops[one.id] = Drop("another pair says the same", other)
        return drops

    return Gate(name="agreeing", about="no pair says the opposite or the same", failing=failing)


def change(pair: CodePair) -> str:
    """What sets the sides apart: the lines that differ, worse first, with those around them."""
    worse, better = pair.worse.splitlines(), pair.better.splitlines()
    lines = difflib.unified_diff(worse, better, lineterm="", n=SHAPE)
    return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def near_gate(pairs: Sequence[CodePair], *, threshold: float = THRESHOLD) -> Gate:
    """One of several pairs whose change is nearly the same, of a criterion."""
    by_id = {pair.id: pair for pair in pairs}

    def failing(items: Sequence[Item]) -> dict[str, Drop]:
        kinds: dict[str, dict[str, str]] = defaultdict(dict)
        for one in items:
            kinds[one.kind][one.id] = change(by_id[one.id])
        return {
            id: Drop(
                "its change is like one that is kept", f"{like.similarity:.2f} like {like.kept}"
            )
            for texts in kinds.values()
            for id, like in near_duplicates(texts, threshold=threshold).items()
        }

    about = f"the change in its lines: {signature(threshold)}"
    return Gate(name="near-duplicate", about=about, failing=failing)


def even_gate(pairs: Sequence[CodePair], *, seed: int) -> Gate:
    """As many pairs whose better side is the longer one as the other way round.

    Within each criterion, source and split those of the more frequent kind go that the seed draws,
    so that whoever always takes the shorter side is right in half of what is left. Pairs of equal
    length stay.
    """
    by_id = {pair.id: pair for pair in pairs}

    def failing(items: Sequence[Item]) -> dict[str, Drop]:
        pairs = (by_id[one.id] for one in items)
        longer = (
            (
                pair.id,
                (pair.criterion, pair.source, pair.split),
                len(tokens.code_tokens(pair.better)) - len(tokens.code_tokens(pair.worse)),
            )
            for pair in pairs
        )
        return {
            id: Drop(f"too often the better side is the {'longer' if kind else 'shorter'} one")
            for id, kind in uneven(longer, seed=seed).items()
        }

    about = "the better side is as often the longer as the shorter one"
    return Gate(name="even lengths", about=about, failing=failing)


def longer(pair: CodePair) -> int:
    """1 where the better side has more tokens, -1 where it has fewer, else 0."""
    more = len(tokens.code_tokens(pair.better)) - len(tokens.code_tokens(pair.worse))
    return (more > 0) - (more < 0)


def balance_gate(pairs: Sequence[CodePair], *, most: float, seed: int, even: bool = False) -> Gate:
    """No criterion has more than `most` times the pairs of the least, split by split.

    Pairs go that the seed draws, from the largest groups of the criterion first; with `even` as
    many go whose better side is the longer one as others. Raises DataError if `most` is below 1.
    """
    if most < 1:
        raise DataError(f"{most:g} times the least criterion is less than that one", "1 or more")
    by_id = {pair.id: pair for pair in pairs}

    def failing(items: Sequence[Item]) -> dict[str, Drop]:
        parts: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for one in items:
            parts[by_id[one.id].split][one.kind].append(one.id)
        drops = {}
        for kinds in parts.values():
            keep = math.floor(most * min(map(len, kinds.values())))
            for kind, ids in kinds.items():
                order = _in_turns(ids, by_id, seed)
                kept = set(_evenly(order, by_id, keep) if even else order[:keep])
                for id in order:
                    if id not in kept:
                        drops[id] = Drop(f"more of {kind!r} than of other criteria")
        return drops

    about = f"no criterion has more than {most:g} times the pairs of the least"
    return Gate(name="balanced", about=about, failing=failing)


def _drawn(ids: Sequence[str], seed: int) -> list[str]:
    return sorted(ids, key=lambda id: digest([seed, id]))


def _in_turns(ids: Sequence[str], by_id: Mapping[str, CodePair], seed: int) -> list[str]:
    """The ids, one of each group in turn, the order within a group drawn by the seed."""
    seen: Counter[str] = Counter()
    order = []
    for id in _drawn(ids, seed):
        order.append((seen[by_id[id].group], digest([seed, id]), id))
        seen[by_id[id].group] += 1
    return [id for *_, id in sorted(order)]


def _evenly(order: Sequence[str], by_id: Mapping[str, CodePair], most: int) -> list[str]:
    """At most so many of the ids, as they come, as many longer ones as shorter where some go."""
    if len(order) <= most:
        return list(order)
    kinds: dict[int, list[str]] = {-1: [], 0: [], 1: []}
    for id in order:
        kinds[longer(by_id[id])].append(id)
    place = {id: number for number, id in enumerate(order)}
    both = list(zip(kinds[-1], kinds[1], strict=False))
    units: list[tuple[str, ...]] = sorted(
        [*both, *((id,) for id in kinds[0])], key=lambda unit: min(place[id] for id in unit)
    )
    kept: list[str] = []
    for unit in units:
        if len(kept) + len(unit) <= most:
            kept += unit
    return kept


# ------------------------------------------------------------------ comments


def with_comments(
    pairs: Sequence[CodePair], comments: Comments, *, dropped: Counter[str] | None = None
) -> list[CodePair]:
    """The pairs with comments kept or taken out of both sides; layout stays.

    A pair that has no syntax tree, or whose sides are then the same, is counted and left out.
    """
    if comments == "keep":
        return list(pairs)
    dropped = Counter() if dropped is None else dropped
    found = []
    for pair in pairs:
        try:
            better, worse = (
                without_comments(code, docstrings=comments == "bare")
                for code in (pair.better, pair.worse)
            )
        except DataError:
            dropped["pairs without a syntax tree"] += 1
            continue
        if better == worse:
            dropped["pairs whose sides differ in comments alone"] += 1
            continue
        found.append(replace(pair, better=better, worse=worse))
    return found
