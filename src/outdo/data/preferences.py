"""Pairs of programs out of repairs: one that is right against one that is known to be wrong.

A bug put into a program leaves its author's style as it was, so that nothing but the bug tells the
two apart; the evidence is what was broken and the first test that shows it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from outdo import literals
from outdo.data.examples import syntax_name
from outdo.data.pairs import CORRECTNESS, CodePair, choices
from outdo.data.trial import LIMITS, Runs
from outdo.records import Call, Example, Json, Outcome, Output, Program, Split, digest, from_json

SHARED = "pairs beyond those wanted of right programs that are kept for the test"


def preferences(
    examples: Sequence[Example],
    *,
    seed: int,
    failures: Mapping[str, Json] | None = None,
    dropped: Counter[str] | None = None,
) -> list[Example]:
    """The repair examples as choices between the program and its repair, in their order.

    No right program stands in training and in the test: see `programs_apart`. Of each split and
    source the better program stands first in half the examples. `failures` has for the id of an
    example the test that its program fails. Examples that hold no repair, or one that is the
    program itself, are left out.
    """
    pairs = pairs_of(examples, failures=failures)
    return choices(programs_apart(pairs, seed=seed, dropped=dropped), seed=seed)


def programs_apart(
    pairs: Sequence[CodePair], *, seed: int, dropped: Counter[str] | None = None
) -> list[CodePair]:
    """The pairs, those of problems on both sides split anew: no right program is on both.

    A judge that was shown a program as the right one need not compare it with anything. So of each
    such problem right programs are drawn for the test, at most half of them, until they have as
    many pairs as the test had. What they have beyond that is left out, and counted in `dropped`;
    pairs of all others are for training. A problem with one right program stays as it is.
    """
    problems: dict[str, list[CodePair]] = defaultdict(list)
    for pair in pairs:
        problems[pair.problem].append(pair)
    splits: dict[str, Split] = {}
    for problem, own in problems.items():
        if len({pair.split for pair in own}) > 1 and len({_tree(pair) for pair in own}) > 1:
            splits |= _apart(own, draw=lambda *names, of=problem: digest([seed, of, *names]))
        else:
            splits |= {pair.id: pair.split for pair in own}
    if dropped is not None:
        dropped[SHARED] += len(pairs) - len(splits)
    return [replace(pair, split=splits[pair.id]) for pair in pairs if pair.id in splits]


def _apart(pairs: Sequence[CodePair], *, draw: Callable[..., str]) -> dict[str, Split]:
    """The split of each pair of a problem that is kept."""
    wanted = sum(pair.split == "test" for pair in pairs)
    programs: dict[str, list[str]] = defaultdict(list)
    for pair in pairs:
        programs[_tree(pair)].append(pair.id)
    order = sorted(programs, key=draw)
    test: list[str] = []
    for name in order[: len(order) // 2]:
        if len(test) >= wanted:
            break
        test += sorted(programs.pop(name), key=draw)
    splits: dict[str, Split] = dict.fromkeys(test[:wanted], "test")
    return splits | {id: "train" for ids in programs.values() for id in ids}


def _tree(pair: CodePair) -> str:
    return syntax_name(pair.better)


def shared(examples: Sequence[Example]) -> int:
    """How many choices to test with show a right program that one for training shows too."""
    shown: dict[str, list[str]] = defaultdict(list)
    for one in examples:
        if one.task == "prefer":
            shown[one.split].append(syntax_name(str(one.given[one.wanted["choice"]])))
    known = set(shown["train"])
    return sum(name in known for name in shown["test"])


def pairs_of(
    examples: Sequence[Example], *, failures: Mapping[str, Json] | None = None
) -> list[CodePair]:
    """The repair examples as pairs of the repair and the program, those without one left out."""
    return [
        CodePair(
            id=row.id,
            group=row.group,
            problem=str(row.given["problem"]),
            source=row.source,
            split=row.split,
            criterion=CORRECTNESS,
            statement=str(row.given["statement"]),
            preamble=str(row.given.get("preamble") or ""),
            better=str(row.wanted["repair"]),
            worse=str(row.given["program"]),
            evidence={"slip": row.wanted.get("slip"), "test": (failures or {}).get(row.id)},
        )
        for row in examples
        if row.wanted.get("repair") not in (None, str(row.given["program"]))
    ]


# ------------------------------------------------------------------ which test tells them apart


def first_failures(examples: Sequence[Example], *, sandbox: Runs) -> dict[str, Json]:
    """For each example's id the first test that its program fails, and what came instead.

    A test is `{call, stdin, expected, gave, error}`. An example that a `check` or a suite tests as
    a whole has none, nor has one whose program passes.
    """
    asked = [row for row in examples if not (row.wanted.get("check") or row.wanted.get("suite"))]
    found = {}
    for number, outcome in sandbox.run([_tried(row) for row in asked]):
        row = asked[number]
        if failure := _failure(row.wanted["tests"], outcome):
            found[row.id] = failure
    return found


def _tried(example: Example) -> Program:
    tests = example.wanted["tests"]
    calls = tuple(
        from_json(Call, {"code": test["call"], "how": test["how"], "stdin": test["stdin"]})
        for test in tests
    )
    preamble = example.given.get("preamble") or ""
    return Program.tested(
        str(example.given["program"]), preamble=preamble, calls=calls, limits=LIMITS
    )


def _failure(tests: Sequence[Mapping[str, Json]], outcome: Outcome) -> Json:
    """The first test whose output isn't the expected one; a program cut off owes the rest."""
    outputs = [*outcome.outputs, *[Output()] * (len(tests) - len(outcome.outputs))]
    for test, output in zip(tests, outputs, strict=True):
        if not literals.agrees(output.text, test["expected"], how=test["how"]):
            told = {name: test[name] for name in ("call", "stdin", "expected")}
            return {**told, "gave": output.text, "error": output.error}
    return None
