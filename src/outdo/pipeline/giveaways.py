"""What gives the better program of a pair away to somebody who doesn't read it.

Rules that know nothing of programs (the shorter one, the one that stands first, the one that is
like what was right before, regular expressions) are asked about pairs in both orders. A set on
which one of them does well teaches that rule, and a score on it says as little.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from outdo.data.pairs import CodePair, choices
from outdo.records import Example, digest
from outdo.tasks import prefer

ASKED, KNOWN = 200, 300
"""Pairs of a part that rules are asked about, and others that `nearest` knows, at most."""

CHARACTERS = "fewer characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Giveaway:
    """The share of pairs of a part of which a rule finds the better program, over both orders."""

    criterion: str
    source: str
    rule: str
    share: float
    pairs: int


def giveaways(pairs: Sequence[CodePair], *, seed: int) -> list[Giveaway]:
    """What each rule comes to on each criterion and source, on a draw where there are many pairs.

    `nearest` knows other pairs of the same part, those of the same problem first.
    """
    parts: dict[tuple[str, str], list[CodePair]] = {}
    for pair in pairs:
        parts.setdefault((pair.criterion, pair.source), []).append(pair)
    found = []
    for (criterion, source), part in sorted(parts.items()):
        drawn = sorted(part, key=lambda pair: digest([seed, "asked", pair.id]))
        examples = choices(drawn, seed=seed)
        asked, known = examples[:ASKED], examples[:KNOWN]
        shares = {
            rule: _share(rule, asked, known) for rule in prefer.task.floors if rule != "longer"
        }
        shares[CHARACTERS] = _shorter_text(drawn[:ASKED])
        found += [
            Giveaway(criterion=criterion, source=source, rule=rule, share=share, pairs=len(asked))
            for rule, share in shares.items()
        ]
    return found


def _share(rule: str, asked: Sequence[Example], known: Sequence[Example]) -> float:
    floor = prefer.task.floors[rule]
    right = [
        floor(view, [one for one in known if one.id != example.id] if rule == "nearest" else ())
        == prefer.gold(view)
        for example in asked
        for view in prefer.views(example)
    ]
    return sum(right) / len(right)


def _shorter_text(pairs: Sequence[CodePair]) -> float:
    """The share of pairs whose better program has fewer characters, ties as a half."""
    signs = Counter((len(pair.worse) > len(pair.better)) - (len(pair.worse) < len(pair.better))
                    for pair in pairs)  # fmt: skip
    return (signs[1] + signs[0] / 2) / len(pairs)


HEADS = {"first": "first", "shorter": "fewer tokens"}
"""Rules by the words that a reader knows them by, where those aren't their names."""


def section(found: Sequence[Giveaway]) -> str:
    """The giveaways as a section of a data card, in Markdown."""
    rules = list(dict.fromkeys(one.rule for one in found))
    lines = [
        "## What gives the better one away",
        "",
        "The share of pairs of which a rule finds the better side without reading it, in both",
        "orders; 50% is chance.",
        "",
        f"| criterion | source | pairs | {' | '.join(HEADS.get(rule, rule) for rule in rules)} |",
        f"|{' --- |' * (3 + len(rules))}",
    ]
    for key in dict.fromkeys((one.criterion, one.source) for one in found):
        row = {one.rule: one for one in found if (one.criterion, one.source) == key}
        pairs = next(iter(row.values())).pairs
        shares = " | ".join(f"{row[rule].share:.0%}" for rule in rules)
        lines.append(f"| {key[0]} | {key[1]} | {pairs:,} | {shares} |")
    return "\n".join([*lines, ""])
