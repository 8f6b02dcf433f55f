"""Fast against slow: two programs that pass the same tests, of which one costs more as inputs grow.

The slow one is another solution of the same problem, or a variant of the fast one in its own style
(`slower`). Both pass every test; what each costs is measured on inputs that grow (`growing`,
`cost`), and stands with its numbers in the pair's evidence.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from outdo import text, tokens
from outdo.data.inject import normalised
from outdo.data.pairs import EFFICIENCY, CodePair
from outdo.data.place import content_name
from outdo.data.problems import Problem
from outdo.data.trial import LIMITS, Runs, trials
from outdo.data.verified import cost
from outdo.data.verified.growing import Family, entry_of, families
from outdo.data.verified.slower import slow_variants
from outdo.records import Json, digest

VARIANTS, SOLUTIONS = "slow variants", "solutions"
"""Where the slow program comes from, as a pair's source."""

MOST_SOLUTIONS = 8
"""Solutions of a problem that are looked at, unless told otherwise."""

MOST_TOGETHER = 10
"""Programs that are measured in one process."""

NO_INPUTS = "problems of whose inputs no larger ones are known"
FAILING = "slow variants that fail a test"
NOT_SLOWER = "slow variants that cost no more"
NOT_MEASURED = "slow variants that couldn't be measured"


@dataclass(frozen=True, slots=True)
class _Rival:
    """A program of a problem; `origin` is the place of what it is a variant of, made by `way`."""

    code: str
    way: str = ""
    origin: int = -1


@dataclass(frozen=True, slots=True)
class _Heat:
    """Programs of one problem that are measured together: their places among its rivals."""

    problem: str
    rivals: tuple[int, ...]


def faster(
    problems: Sequence[Problem],
    *,
    seed: int,
    sandbox: Runs,
    most: int = MOST_SOLUTIONS,
    per_problem: int | None = None,
    licence: str = "",
    dropped: Counter[str] | None = None,
) -> list[CodePair]:
    """The pairs of a fast and a slow program of each problem, by problem.

    Of a problem's solutions `most` are looked at, drawn by the seed. At most `per_problem` pairs of
    each problem are given, the ways of being slow in turn; all if it is None. Problems that are
    held out give pairs to test with. Costs are those on inputs of the kinds that the tests have.
    `dropped` counts what gave no pair, and why.
    """
    dropped = Counter() if dropped is None else dropped
    known = {problem.name: families(problem) for problem in problems}
    usable = [problem for problem in problems if known.get(problem.name)]
    dropped[NO_INPUTS] += len(problems) - len(usable)
    rivals = _rivals(usable, most, seed=seed, sandbox=sandbox, dropped=dropped)
    found: list[CodePair] = []
    measured = _measured(usable, rivals, known, sandbox=sandbox)
    for problem in usable:
        pairs = list(_pairs(problem, rivals[problem.name], measured[problem.name], known, dropped))
        found += _in_turn(pairs, per_problem, seed=seed)
    return [replace(pair, licence=licence) for pair in found]


# ------------------------------------------------------------------ who is measured


def _rivals(
    problems: Sequence[Problem], most: int, *, seed: int, sandbox: Runs, dropped: Counter[str]
) -> dict[str, list[_Rival]]:
    """The solutions of each problem that pass, and their slow variants that pass."""
    asked: list[tuple[Problem, _Rival]] = []
    for problem in problems:
        codes = [code for code in problem.solutions if text.syntax_tree(code)]
        own = list(dict.fromkeys(map(normalised, codes)))
        drawn = sorted(own, key=lambda code: digest([seed, problem.name, code]))[:most]
        solutions = [code for code in own if code in drawn]
        asked += [(problem, _Rival(code)) for code in solutions]
        for place, code in enumerate(solutions):
            asked += [
                (problem, _Rival(slow.code, slow.way, place))
                for slow in slow_variants(code)
                if slow.code not in own
            ]
    limits = replace(LIMITS, cpu_seconds=2.0)
    tried = trials([(p, one.code) for p, one in asked], sandbox=sandbox, limits=limits)
    found: dict[str, list[_Rival]] = defaultdict(list)
    places: dict[tuple[str, int], int] = {}
    counted: Counter[str] = Counter()
    for (problem, rival), trial in zip(asked, tried, strict=True):
        if not rival.way:
            if trial.passed:
                places[problem.name, counted[problem.name]] = len(found[problem.name])
                found[problem.name].append(rival)
            counted[problem.name] += 1
        elif not trial.passed:
            dropped[FAILING] += 1
        elif (problem.name, rival.origin) in places:
            origin = places[problem.name, rival.origin]
            found[problem.name].append(replace(rival, origin=origin))
    return defaultdict(list, found)


def _heats(name: str, rivals: Sequence[_Rival]) -> Iterator[_Heat]:
    """All solutions together, and each solution with its own variants."""
    solutions = [place for place, one in enumerate(rivals) if not one.way]
    for part in cost.batches(len(solutions), MOST_TOGETHER):
        if len(part) > 1:
            yield _Heat(name, tuple(solutions[n] for n in part))
    for origin in solutions:
        variants = [place for place, one in enumerate(rivals) if one.origin == origin]
        for part in cost.batches(len(variants), MOST_TOGETHER - 1):
            yield _Heat(name, (origin, *(variants[n] for n in part)))


Measured = dict[tuple[int, ...], dict[str, list[cost.Cost | None]]]
"""For each heat's places the costs of its programs, by family."""


def _measured(
    problems: Sequence[Problem],
    rivals: Mapping[str, Sequence[_Rival]],
    known: Mapping[str, Sequence[Family]],
    *,
    sandbox: Runs,
) -> dict[str, Measured]:
    by_name = {problem.name: problem for problem in problems}
    asked = [
        (heat, family)
        for name in by_name
        for heat in _heats(name, rivals[name])
        for family in known[name]
    ]
    found: dict[str, Measured] = {name: {} for name in by_name}
    programs = (
        cost.measuring(
            [rivals[heat.problem][place].code for place in heat.rivals],
            family,
            entry=entry_of(by_name[heat.problem]) or "",
            preamble=by_name[heat.problem].preamble,
        )
        for heat, family in asked
    )
    for number, outcome in sandbox.run(programs):
        heat, family = asked[number]
        said = outcome.outputs[0].text if outcome.outputs else None
        costs = cost.read(said, len(heat.rivals), family)
        found[heat.problem].setdefault(heat.rivals, {})[family.name] = costs
    return found


# ------------------------------------------------------------------ who is slower


def _pairs(
    problem: Problem,
    rivals: Sequence[_Rival],
    measured: Measured,
    known: Mapping[str, Sequence[Family]],
    dropped: Counter[str],
) -> Iterator[CodePair]:
    names = {family.name: family for family in known[problem.name]}
    for places, costs in sorted(measured.items()):
        costs = _usable(costs)
        if rivals[places[-1]].way:
            for number, place in enumerate(places[1:], start=1):
                evidence = cost.compared(_taken(costs, 0, number), names, 1, 0)
                if evidence is None:
                    lost = all(row[number] is None for row in costs.values())
                    dropped[NOT_MEASURED if lost else NOT_SLOWER] += 1
                    continue
                way = {"way": rivals[place].way, **evidence}
                yield _pair(problem, rivals[places[0]], rivals[place], way, VARIANTS)
        else:
            yield from _solutions(problem, [rivals[place] for place in places], costs, names)


def _usable(
    costs: Mapping[str, list[cost.Cost | None]],
) -> dict[str, list[cost.Cost | None]]:
    """The families that the first program takes: the others hold no inputs of the problem."""
    return {name: row for name, row in costs.items() if row and row[0] is not None}


def _taken(
    costs: Mapping[str, list[cost.Cost | None]], *places: int
) -> dict[str, list[cost.Cost | None]]:
    return {name: [row[place] for place in places] for name, row in costs.items()}


def _solutions(
    problem: Problem,
    solutions: Sequence[_Rival],
    costs: Mapping[str, list[cost.Cost | None]],
    names: Mapping[str, Family],
) -> Iterator[CodePair]:
    """Each solution that is slower than another, with the most alike of those that are faster."""
    for worse, rival in enumerate(solutions):
        others = sorted(
            (place for place in range(len(solutions)) if place != worse),
            key=lambda place: tokens.distance(rival.code, solutions[place].code),
        )
        for better in others:
            evidence = cost.compared(_taken(costs, worse, better), names, 0, 1)
            if evidence is not None:
                yield _pair(problem, solutions[better], rival, evidence, SOLUTIONS)
                break


def _pair(
    problem: Problem,
    better: _Rival,
    worse: _Rival,
    evidence: Mapping[str, Json],
    source: str,
) -> CodePair:
    return CodePair(
        id=f"faster/{problem.name}/{content_name(better.code + worse.code)}",
        group=problem.name,
        problem=problem.name,
        source=source,
        split="test" if problem.held_out else "train",
        criterion=EFFICIENCY,
        statement=problem.statement or problem.title or problem.name,
        preamble=problem.preamble,
        better=better.code,
        worse=worse.code,
        evidence=evidence,
    )


def _in_turn(pairs: Sequence[CodePair], most: int | None, *, seed: int) -> list[CodePair]:
    """At most so many pairs, one of each way in turn, the order within a way drawn by the seed."""
    by_way: dict[str, list[CodePair]] = defaultdict(list)
    for pair in sorted(pairs, key=lambda pair: digest([seed, pair.id])):
        by_way[str(pair.evidence.get("way", SOLUTIONS))].append(pair)
    place = {pair.id: n for row in by_way.values() for n, pair in enumerate(row)}
    chosen = sorted(pairs, key=lambda pair: (place[pair.id], digest([seed, pair.id])))[:most]
    return [pair for pair in pairs if pair in chosen]
