"""Gates of pairs: who comes through each, and why the others don't."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from outdo.data.pair_gates import (
    balance_gate,
    band_gate,
    contradiction_gate,
    differing_gate,
    even_gate,
    gated,
    gates,
    likeness,
    near_gate,
    parsed_gate,
    passing_gate,
    with_comments,
)
from outdo.data.pairs import CORRECTNESS, EFFICIENCY, CodePair
from outdo.data.problems import Problem
from outdo.data.sifting import Item
from outdo.errors import DataError
from outdo.sandbox import Sandbox
from outdo.tokens import code_tokens

ONE = CodePair(
    id="one",
    group="g",
    problem="running-total",
    source="s",
    criterion=CORRECTNESS,
    statement="Add them up.",
    better="def f(xs):\n    return sum(xs)\n",
    worse="def f(xs):\n    return len(xs)\n",
    licence="MIT",
)


def dropped(pairs: list[CodePair], *some: object) -> dict[str, str]:
    kept = gated(pairs, some)  # type: ignore[arg-type]
    return {id: drop.why for id, (_, drop) in kept.sifted.drops.items()}


def test_sides_parse_and_differ_by_more_than_layout() -> None:
    broken = replace(ONE, id="broken", worse="def f(:\n")
    layout = replace(ONE, id="layout", worse="def f(xs):\n    # add\n    return  sum(xs)\n")
    pairs = [ONE, broken, layout]
    assert dropped(pairs, parsed_gate(pairs)) == {"broken": "the worse side isn't Python"}
    assert dropped([ONE, layout], differing_gate([ONE, layout])) == {
        "layout": "the sides differ in layout and comments alone"
    }


def test_sides_are_like_each_other_within_a_band() -> None:
    far = replace(ONE, id="far", worse="import os\nclass A:\n    x: int = 3\n    y: str = ''\n")
    assert likeness(ONE.better, ONE.better) == 1.0
    assert dropped([ONE, far], band_gate([ONE, far], 0.5, 1.0)) == {
        "far": "the sides are too different"
    }
    assert set(dropped([ONE], band_gate([ONE], 0.1, 0.5))) == {"one"}
    with pytest.raises(DataError, match="empty"):
        band_gate([ONE], 0.9, 0.3)


def test_pairs_that_contradict_each_other_both_go() -> None:
    turned = replace(ONE, id="turned", better=ONE.worse, worse=ONE.better)
    other = replace(turned, id="other", criterion=EFFICIENCY)
    again = replace(ONE, id="two")
    pairs = [ONE, turned, other]
    assert dropped(pairs, contradiction_gate(pairs)) == {
        "one": "another pair says the opposite",
        "turned": "another pair says the opposite",
    }
    assert dropped([ONE, again], contradiction_gate([ONE, again])) == {
        "two": "another pair says the same"
    }


def test_sides_are_run_on_the_tests_of_their_problem(sandbox: Sandbox, total: Problem) -> None:
    good, bad = total.solutions[0], "def running_total(numbers):\n    return numbers\n"
    pairs = [
        replace(ONE, id="good", better=good, worse=bad),
        replace(ONE, id="turned", better=bad, worse=good),
        replace(ONE, id="both", better=good, worse=total.solutions[1]),
        replace(ONE, id="faster", criterion=EFFICIENCY, better=good, worse=total.solutions[1]),
        replace(ONE, id="unknown", problem="elsewhere"),
    ]
    assert dropped(pairs, passing_gate(pairs, [total], sandbox=sandbox)) == {
        "turned": "the better side fails a test",
        "both": "the worse side passes every test",
    }


LONG = "def f(xs, ys):\n" + "".join(f"    value_{n} = xs[{n}] + ys[{n}]\n" for n in range(30))


def test_of_changes_that_are_nearly_the_same_one_is_kept() -> None:
    a = replace(ONE, id="a", better=LONG + "    return 1\n", worse=LONG + "    return 2\n")
    b = replace(a, id="b", better=a.better.replace("def f", "def g"),
                worse=a.worse.replace("def f", "def g"))  # fmt: skip
    c = replace(
        a, id="c", worse=LONG.replace("value_3 = xs[3]", "value_3 = xs[4]") + "    return 1\n"
    )
    assert len(dropped([a, b, c], near_gate([a, b, c]))) == 1, "c shares a side, not the change"


def many(count: int, *, longer: int, criterion: str = CORRECTNESS) -> list[CodePair]:
    """Pairs of which so many have the longer side as the better one."""
    return [
        replace(
            ONE,
            id=f"{criterion}{n}",
            group=f"g{n % 3}",
            criterion=criterion,
            better=f"def f(xs):\n    return {n}{' + 0' if n < longer else ''}\n",
            worse=f"def f(xs):\n    return {n}{'' if n < longer else ' + 0'}\n",
        )
        for n in range(count)
    ]


def test_even_lengths_leave_nothing_to_whoever_takes_the_shorter_side() -> None:
    pairs = many(10, longer=8)
    kept = gated(pairs, [even_gate(pairs, seed=1)])
    assert Counter(len(pair.better) > len(pair.worse) for pair in kept.pairs) == {True: 2, False: 2}
    assert kept.pairs == gated(pairs, [even_gate(pairs, seed=1)]).pairs


def test_no_criterion_has_more_than_its_share() -> None:
    pairs = many(12, longer=0) + many(4, longer=0, criterion=EFFICIENCY)
    kept = gated(pairs, [balance_gate(pairs, most=1.5, seed=1)]).pairs
    assert Counter(pair.criterion for pair in kept) == {CORRECTNESS: 6, EFFICIENCY: 4}
    groups = Counter(pair.group for pair in kept if pair.criterion == CORRECTNESS)
    assert set(groups.values()) == {2}, "each group in turn"
    with pytest.raises(DataError):
        balance_gate(pairs, most=0.5, seed=1)


def test_criteria_that_are_balanced_stay_even_in_length() -> None:
    pairs = many(12, longer=6) + many(6, longer=3, criterion=EFFICIENCY)
    for most, wanted in ((1.0, 6), (1.2, 6), (1.5, 8)):
        kept = gated(pairs, gates(pairs, even=True, balance=most, near=None, band=(0.0, 1.0))).pairs
        own = [pair for pair in kept if pair.criterion == CORRECTNESS]
        assert len(own) == wanted
        longer = [len(code_tokens(p.better)) > len(code_tokens(p.worse)) for p in own]
        assert sum(longer) * 2 == wanted


def test_all_gates_in_order_with_an_evaluation_and_licences() -> None:
    known = "def solve(numbers):\n" + "".join(f"    step_{n} = numbers[{n}]\n" for n in range(20))
    leaked = replace(
        ONE, id="leaked", better=known + "    return 1\n", worse=known + "    return 2\n"
    )
    stolen = replace(ONE, id="stolen", licence="GPL-3.0", better="def f(xs):\n    return xs\n")
    pairs = [ONE, leaked, stolen]
    evaluation = [Item(id="benchmark", texts=(known,))]
    kept = gated(pairs, gates(pairs, evaluation=evaluation, licences=(), band=(0.1, 1.0)))
    assert [pair.id for pair in kept.pairs] == ["one"]
    assert kept.sifted.drops["leaked"][0].startswith("evaluation")
    assert kept.sifted.drops["stolen"][0] == "licence"


def test_comments_go_from_both_sides_alike() -> None:
    noted = replace(ONE, better=ONE.better + "# b\n", worse=ONE.worse + "# w\n")
    alone = replace(ONE, id="alone", worse=ONE.better + "# w\n", better=ONE.better + "#\n")
    broken = replace(ONE, id="broken", worse="def f(:")
    lost: Counter[str] = Counter()
    (found,) = with_comments([noted, alone, broken], "strip", dropped=lost)
    assert "#" not in found.better + found.worse
    assert sorted(lost.values()) == [1, 1]
    assert with_comments([noted], "keep") == [noted]
