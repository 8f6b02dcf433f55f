"""Right against wrong: two programs for one problem, of which one passes its tests and one fails.

The wrong one is a right one with a bug put in, what somebody handed in, or another sample of one
model. Each pair's evidence has the first test that the wrong program fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from outdo import text
from outdo.data.inject import inject
from outdo.data.pairs import CORRECTNESS, CodePair
from outdo.data.place import content_name
from outdo.data.preferences import first_failures, pairs_of
from outdo.data.problems import Problem, Test
from outdo.data.repairs import real_pairs, written
from outdo.data.submissions import Submission
from outdo.data.trial import Runs, trials
from outdo.records import Example, Json, Pair, Split

INJECTED, HANDED_IN, SAMPLED = "injected bugs", "handed in", "samples"
"""Where the wrong program comes from, as a pair's source."""

SAME = "programs that are the same as their repair but for layout"
REPAIR_FAILS = "repairs that fail a test"
NO_PROGRAM = "sampled pairs in which a side holds no program"


def correct(
    problems: Sequence[Problem],
    *,
    count: int,
    seed: int,
    sandbox: Runs,
    double: float = 0.0,
    licence: str = "",
) -> list[CodePair]:
    """About `count` pairs of a solution and the same with a bug, balanced over problems and bugs.

    Problems that are held out give pairs to test with. Raises DataError as `inject` does.
    """
    examples = inject(problems, count=count, double=double, seed=seed, sandbox=sandbox)
    pairs = pairs_of(examples, failures=first_failures(examples, sandbox=sandbox))
    return [
        replace(pair, id=f"correct/{pair.id}", source=INJECTED, licence=licence) for pair in pairs
    ]


def handed_in(
    problems: Sequence[Problem],
    programs: Sequence[Submission],
    *,
    sandbox: Runs,
    repairs: Mapping[str, str] | None = None,
    test: Sequence[str] = (),
    licence: str = "",
    dropped: Counter[str] | None = None,
) -> list[CodePair]:
    """Pairs of what somebody handed in and failed with, and the nearest program that passes.

    `repairs` has repairs of programs by their ids, where some are known: one that passes counts
    instead of the nearest. The group of a pair is its problem, so that problems can be left out;
    those in `test` give pairs to test with. `dropped` counts what gave none, and why.
    """
    dropped = Counter() if dropped is None else dropped
    found = real_pairs(problems, programs, sandbox=sandbox, source=HANDED_IN)
    dropped.update(found.dropped)
    examples = _repaired(found.examples, problems, repairs or {}, sandbox, dropped)
    failures = first_failures(examples, sandbox=sandbox)
    pairs = []
    for pair in pairs_of(examples, failures=failures):
        if _layout(pair.better) == _layout(pair.worse):
            dropped[SAME] += 1
            continue
        split: Split = "test" if pair.problem in test else "train"
        pairs.append(
            replace(
                pair,
                id=f"correct/{pair.id}",
                group=pair.problem,
                split=split,
                licence=licence,
                statement=pair.statement or pair.problem,
                evidence={
                    "repair": _repair_of(pair.id, repairs or {}),
                    "test": failures.get(pair.id),
                },
            )
        )
    return pairs


def _repair_of(id: str, repairs: Mapping[str, str]) -> str:
    return "known" if _name(id) in repairs else "nearest"


def _name(id: str) -> str:
    """The submission's id within that of its example: `problem/id/content`."""
    return id.partition("/")[2].rpartition("/")[0]


def _layout(code: str) -> str:
    return written(text.plain(code))


def _repaired(
    examples: Sequence[Example],
    problems: Sequence[Problem],
    repairs: Mapping[str, str],
    sandbox: Runs,
    dropped: Counter[str],
) -> list[Example]:
    """The examples, those of a known repair that passes with that one."""
    by_name = {problem.name: problem for problem in problems}
    known = {row.id: repairs[_name(row.id)] for row in examples if _name(row.id) in repairs}
    asked = [(by_name[row.given["problem"]], known[row.id]) for row in examples if row.id in known]
    tried = trials(asked, sandbox=sandbox)
    passed = dict(zip([row.id for row in examples if row.id in known], tried, strict=True))
    dropped[REPAIR_FAILS] += sum(not trial.passed for trial in tried)
    return [
        replace(row, wanted={**row.wanted, "repair": written(known[row.id])})
        if row.id in passed and passed[row.id].passed
        else row
        for row in examples
    ]


# ------------------------------------------------------------------ samples of a model


def sampled(
    pairs: Sequence[Pair],
    examples: Sequence[Example],
    *,
    dropped: Counter[str] | None = None,
) -> list[CodePair]:
    """A study's own pairs of replies (chosen passes, rejected fails) as pairs of programs.

    `examples` are those that the pairs' evidence names: they give problem, statement, preamble and
    split. A pair of which a side holds no program, or both the same, is counted and left out.
    """
    dropped = Counter() if dropped is None else dropped
    by_id = {example.id: example for example in examples}
    found = []
    for pair in pairs:
        example = by_id.get(str(pair.evidence.get("example")))
        sides = [text.extract(reply).code for reply in (pair.chosen, pair.rejected)]
        better, worse = (text.plain(code or "").strip("\n") for code in sides)
        if example is None or not better or not worse or better == worse:
            dropped[NO_PROGRAM] += 1
            continue
        given = example.given
        evidence: dict[str, Json] = {
            name: pair.evidence.get(name) for name in ("example", "chosen", "rejected")
        }
        found.append(
            CodePair(
                id=f"correct/{pair.id}",
                group=pair.group,
                problem=str(given.get("problem") or pair.group),
                source=SAMPLED,
                criterion=CORRECTNESS,
                statement=str(given.get("statement") or given.get("instruction") or pair.group),
                preamble=str(given.get("preamble") or ""),
                better=better,
                worse=worse,
                evidence=evidence,
                split=example.split,
            )
        )
    return found


# ------------------------------------------------------------------ problems out of examples


def problems_of(examples: Sequence[Example]) -> list[Problem]:
    """The examples of `write` that have an entry and tests, as problems with one solution."""
    return [
        Problem(
            name=f"{example.id}".replace("/", "-"),
            statement=str(example.given.get("instruction") or ""),
            entry=str(example.wanted["entry"]),
            preamble=str(example.given.get("preamble") or ""),
            tests=tuple(_test(test) for test in example.wanted["tests"]),
            check=example.wanted.get("check"),
            solutions=(str(example.wanted["reference"]),),
            held_out=example.split == "test",
        )
        for example in examples
        if example.wanted.get("entry")
        and example.wanted.get("reference")
        and example.wanted.get("tests")
        and text.syntax_tree(str(example.wanted["reference"])) is not None
    ]


def _test(test: Mapping[str, Json]) -> Test:
    return Test(
        call=str(test.get("call") or ""),
        expected=str(test["expected"]),
        how=test.get("how") or "value",
        stdin=str(test.get("stdin") or ""),
    )


def with_programs(
    problems: Sequence[Problem], programs: Sequence[Submission], *, most: int, sandbox: Runs
) -> list[Problem]:
    """The problems with at most `most` programs that were handed in and pass as their solutions.

    Programs are drawn by their content; those that read alike count once.
    """
    by_name = {problem.name: problem for problem in problems}
    distinct: dict[tuple[str, str], str] = {}
    for each in programs:
        if each.problem in by_name and text.syntax_tree(each.code) is not None:
            distinct.setdefault((each.problem, written(each.code)), each.code)
    drawn = sorted(distinct, key=lambda pair: content_name("/".join(pair)))
    tried = trials([(by_name[pair[0]], distinct[pair]) for pair in drawn], sandbox=sandbox)
    passing: dict[str, list[str]] = {name: [] for name in by_name}
    for pair, trial in zip(drawn, tried, strict=True):
        if trial.passed:
            passing[pair[0]].append(distinct[pair])
    return [
        replace(problem, solutions=tuple(passing[problem.name][:most]))
        for problem in problems
        if passing[problem.name]
    ]
