"""Growing inputs, what programs cost on them, and when one may be called slower."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from outdo.data.pairs import EFFICIENCY
from outdo.data.problems import Problem, Test
from outdo.data.verified import faster
from outdo.data.verified.cost import STEPS_MOST, Cost, Ratio, compared, costs, ratio, slower
from outdo.data.verified.growing import Family, arguments, entry_of, families
from outdo.sandbox import Sandbox

# ------------------------------------------------------------------ inputs


def problem(*calls: str, entry: str | None = "f") -> Problem:
    return Problem(name="p", entry=entry, tests=tuple(Test(call=c, expected="0") for c in calls))


def test_arguments_are_read_by_place_and_name() -> None:
    assert arguments("f([1, 2], 'a', key=3)", "f") == {"0": [1, 2], "1": "a", "key": 3}


@pytest.mark.parametrize("call", ["g(1)", "f(x)", "f(1) + 1", "f(", "f(*[1])"])
def test_other_calls_have_none(call: str) -> None:
    assert arguments(call, "f") == {}


def test_each_size_has_as_many_items_and_the_same_calls_each_time() -> None:
    found = families(problem("f([3, 1, 2], 5)"), sizes=(4, 8))
    assert found == families(problem("f([3, 1, 2], 5)"), sizes=(4, 8))
    distinct = next(one for one in found if one.name == "distinct argument 0")
    values = [ast.literal_eval(call) for call in distinct.calls]
    assert [len(set(value[0][0])) for value in values] == [4, 8]
    assert [value[0][1] for value in values] == [5, 5]
    larger = next(one for one in found if one.name == "larger argument 1")
    assert [ast.literal_eval(call)[0][1] for call in larger.calls] == [17, 33]


def test_lists_that_are_always_in_order_stay_so() -> None:
    found = families(problem("f([1, 2, 9])", "f([4, 5])"), sizes=(16,))
    ordered = next(one for one in found if one.name == "sorted argument 0")
    ((items,), _) = ast.literal_eval(ordered.calls[0])
    assert items == sorted(items) and len(items) == 16


def test_texts_keep_their_letters_and_tables_grow_both_ways() -> None:
    (text,) = [one for one in families(problem("f('()[]')"), sizes=(8,)) if "distinct" in one.name]
    assert set(ast.literal_eval(text.calls[0])[0][0]) <= set("()[]")
    table = families(problem("f([[1, 2], [3, 4]])"), sizes=(16,))
    square = next(one for one in table if one.name == "square")
    rows = ast.literal_eval(square.calls[0])[0][0]
    assert len(rows) == 4 and all(len(row) == 4 for row in rows)


def test_a_problem_that_calls_nothing_has_no_families() -> None:
    assert families(Problem(name="p", tests=(Test(how="script", expected="", stdin="1"),))) == ()
    assert entry_of(problem("g(1)", "g(2)", "h(1)", entry=None)) == "g"


# ------------------------------------------------------------------ deciding


def cost(*steps: int | None, ns: tuple[tuple[int, ...], ...]) -> Cost:
    return Cost(sizes=(16, 64, 256)[: len(steps)], steps=steps, nanoseconds=ns)


def test_a_ratio_is_told_size_by_size() -> None:
    one = cost(100, 400, ns=((10, 30), (40, 50)))
    other = cost(50, 100, ns=((10, 10), (10, 10)))
    found = ratio(one, other)
    assert found.steps == (2.0, 4.0)
    assert found.times == (2.0, 4.5)
    assert found.least == (1.0, 4.0)


def test_who_is_no_longer_followed_has_a_lower_bound_and_no_time() -> None:
    found = ratio(cost(100, None, ns=((10,), ())), cost(50, 100, ns=((10,), (10,))))
    assert found.steps == (2.0, STEPS_MOST / 100)
    assert found.times == (1.0,)
    assert slower(found) == "steps"


@pytest.mark.parametrize(
    ("steps", "times", "least", "wanted"),
    [
        ((1.0, 1.4, 2.5), (1.0, 1.3, 2.4), (0.9, 1.0, 1.5), "steps"),
        ((1.0, 1.2, 1.6), (1.0, 1.2, 1.6), (0.9, 1.0, 1.1), "steps"),  # growing
        ((1.0, 1.4, 2.5), (1.0, 1.0, 1.0), (0.9, 0.9, 0.9), None),  # denied by the time
        ((1.0, 1.0, 1.0), (2.0, 4.0, 8.0), (1.5, 2.5, 6.0), "time"),
        ((1.0, 1.0, 1.0), (2.0, 4.0, 8.0), (1.5, 1.9, 6.0), None),  # not in every round
        ((1.6, 1.6, 1.6), (1.6, 1.6, 1.6), (1.5, 1.5, 1.5), None),  # a constant factor below 2
        ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), (0.4, 0.4, 0.4), None),
        ((5.0,), (5.0,), (5.0,), None),  # one size says nothing of growth
    ],
)
def test_slower_is_said_by_a_wide_margin_alone(
    steps: tuple[float, ...], times: tuple[float, ...], least: tuple[float, ...], wanted: str | None
) -> None:
    sizes = (16, 64, 256)[: len(steps)]
    assert slower(Ratio(sizes=sizes, steps=steps, times=times, least=least)) == wanted


def test_a_family_that_says_the_contrary_decides_against_the_pair() -> None:
    slow, fast = cost(100, 400, ns=((10,), (80,))), cost(50, 100, ns=((10,), (10,)))
    known = {name: Family(name=name, sizes=(16, 64), calls=()) for name in ("a", "b")}
    agreed = compared({"a": [slow, fast]}, known, 0, 1)
    assert agreed is not None and agreed["measure"] == "steps" and agreed["steps"] == [2.0, 4.0]
    assert compared({"a": [slow, fast], "b": [fast, slow]}, known, 0, 1) is None
    assert compared({"a": [slow, None]}, known, 0, 1) is None


# ------------------------------------------------------------------ running


FAST = "def f(xs):\n    return sum(xs)"
SLOW = "def f(xs):\n    return sum(x for x in xs for _ in xs if x == x) // max(1, len(xs))"
WRONG = "def f(xs):\n    return 0"
RAISES = "def f(xs):\n    raise ValueError"


def test_costs_are_measured_and_steps_are_the_same_each_time(sandbox: Sandbox) -> None:
    family = families(problem("f([1, 2, 3])"), sizes=(8, 32))[0]
    first = costs([FAST, SLOW, WRONG, RAISES], family, entry="f", sandbox=sandbox)
    again = costs([FAST, SLOW, WRONG, RAISES], family, entry="f", sandbox=sandbox)
    assert [one and one.steps for one in first] == [one and one.steps for one in again]
    assert first[2] is None and first[3] is None
    fast, slow = first[:2]
    assert fast is not None and slow is not None
    assert len(slow.nanoseconds) == 2 and all(len(rounds) == 5 for rounds in slow.nanoseconds)
    assert slower(ratio(slow, fast)) == "steps"


def test_a_program_that_ends_the_process_costs_nothing_that_is_told(sandbox: Sandbox) -> None:
    family = families(problem("f([1, 2, 3])"), sizes=(8, 32))[0]
    gone = "import os\ndef f(xs):\n    os._exit(0)"
    assert costs([FAST, gone], family, entry="f", sandbox=sandbox) == [None, None]


@pytest.mark.slow
def test_fast_and_slow_solutions_become_pairs(sandbox: Sandbox, total: Problem) -> None:
    dropped: Counter[str] = Counter()
    pairs = faster([total], seed=1, sandbox=sandbox, dropped=dropped)
    assert {pair.criterion for pair in pairs} == {EFFICIENCY}
    two = next(pair for pair in pairs if pair.source == "solutions")
    assert "numbers[:i + 1]" in two.worse and "total += number" in two.better
    assert two.evidence["steps"] and two.evidence["sizes"][0] == 16
    assert len(faster([total], seed=1, sandbox=sandbox, per_problem=1)) == 1
