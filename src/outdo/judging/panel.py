"""Several judges: how far they agree with each other, and how they rank the contestants."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations

from outdo.judging.families import kin
from outdo.judging.nouns import Judgement
from outdo.judging.standings import named
from outdo.judging.truth import Key, Told, coefficient, sides, told
from outdo.records import Measure, Standing
from outdo.stats import Claim
from outdo.stats.agreement import cohen_kappa, kendall_tau, krippendorff_alpha


def seated(
    judges: Mapping[str, Sequence[str]],
    contestants: Mapping[str, Sequence[str]],
    *,
    leave_out_family: bool,
) -> tuple[str, ...]:
    """The judges that take their seats: with `leave_out_family` none that is kin to a contestant.

    Both mappings go from a name to the names of its models.
    """
    return tuple(
        name
        for name, models in judges.items()
        if not (leave_out_family and kin(models, contestants))
    )


def between(
    judgements: Iterable[Judgement],
    groups: Mapping[str, Hashable],
    *,
    claim: Claim = "new",
) -> tuple[Measure, ...]:
    """How far judges agree: Cohen's kappa of every two, and Krippendorff's alpha of all.

    Over the pairs of replies that both have told, from whichever side; nothing for a single judge.
    """
    by_judge: dict[str, list[Judgement]] = {}
    for one in judgements:
        by_judge.setdefault(one.preference.by, []).append(one)
    said = {name: told(one.preference for one in each) for name, each in by_judge.items()}
    found = [
        _kappa(one, other, said[one], said[other], groups, claim)
        for one, other in combinations(said, 2)
    ]
    if len(said) > 2:
        ranks = {"b": 0, "tie": 1, "a": 2}
        turned = {name: sides(each) for name, each in said.items()}
        keys = list(dict.fromkeys(key for each in turned.values() for key in each))
        rows = [
            [ranks[each[key]] if key in each else None for each in turned.values()] for key in keys
        ]
        alpha = krippendorff_alpha(rows, scale="ordinal", groups=_labels(keys, groups, claim))
        about = "Krippendorff's alpha, ordinal; 0 is chance"
        found.append(coefficient("alpha of all judges", alpha, about=about))
    return tuple(found)


def _kappa(
    one: str,
    other: str,
    mine: Told,
    theirs: Told,
    groups: Mapping[str, Hashable],
    claim: Claim,
) -> Measure:
    left, right = sides(mine), sides(theirs)
    keys = [key for key in left if key in right]
    kappa = cohen_kappa(
        [left[key] for key in keys],
        [right[key] for key in keys],
        groups=_labels(keys, groups, claim),
    )
    return coefficient(f"kappa of {one} and {other}", kappa, about="Cohen's kappa; 0 is chance")


def _labels(
    keys: Sequence[Key], groups: Mapping[str, Hashable], claim: Claim
) -> list[Hashable] | None:
    return [groups[key[0]] for key in keys] if claim == "new" else None


def rankings(
    standings: Iterable[Standing], *, task: str, against: str, rate: str = "half"
) -> tuple[Measure, ...]:
    """Kendall's tau of how every two judges rank the contestants of a task by this rate."""
    rows: dict[str, list[Standing]] = {}
    for row in standings:
        if row.task == task and row.against == against:
            rows.setdefault(row.judge, []).append(row)
    found = []
    for one, other in combinations(rows, 2):
        left, right = named(rows[one], rate), named(rows[other], rate)
        names = [name for name in left if name in right]
        tau = kendall_tau(
            [left[name].value for name in names], [right[name].value for name in names]
        )
        found.append(
            coefficient(
                f"tau of {one} and {other}",
                tau,
                about="Kendall's tau of the rankings; 1 is the same order",
            )
        )
    return tuple(found)
