"""A preference model that picks among N answers of a model, beside pickers that need none.

Answers that can't be read have no program to be judged by: every picker takes one of them only
where there is nothing else. Equal programs are judged once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from outdo import catalog, text, tokens
from outdo.data.picks import Choice, sizes
from outdo.errors import DataError, StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline.asking import asked, sampled
from outdo.pipeline.bench import LIKELIHOODS, Contender, contender, hear
from outdo.pipeline.job import Job
from outdo.pipeline.jury import cost_of
from outdo.pipeline.learning import Weights
from outdo.pipeline.stages import Shop, completed, generate, mark, score, score_key
from outdo.records import Completion, Example, Request, digest
from outdo.report.best_of import ORACLE, READABLE, SAMPLE, Picked
from outdo.report.findings import Cost
from outdo.stats import Claim
from outdo.stats.best_of import Curve, by_contests, by_score, curve, oracle
from outdo.study import Answering
from outdo.study.entries import BestOf
from outdo.tasks import Task, prefer

UNREADABLE = -math.inf
"""The score of an answer without a program."""


Rates = Mapping[str, list[float]]


def picked(
    shop: Shop,
    judge: Contender,
    choices: Sequence[Choice],
    *,
    name: str,
    model: str,
    criterion: str,
    claim: Claim,
    seed: int,
    notes: Sequence[str] = (),
) -> Picked:
    """The judge's curve, and those of pickers that need no model, of one sample and the oracle."""
    if judge.way in ("reward", *LIKELIHOODS):
        mine, cost, unjudged = _by_scores(shop, judge, choices, criterion=criterion, seed=seed)
    else:
        mine, cost, unjudged = _by_contests(shop, judge, choices, criterion=criterion, seed=seed)
    told = []
    if unjudged:
        told.append(
            f"{unjudged:,} of {len(choices):,} examples have a call of {judge.name} without a "
            "verdict: it prefers none of those answers"
        )
    few, many = sizes(choices)
    if few < many:
        told.append(f"some examples have {few} answers and others {many}: the curve ends at {few}")
    groups = {one.id: one.group for one in choices}
    return Picked(
        name=name,
        judge=judge.name,
        model=model,
        samples=few,
        examples=len(choices),
        groups=len(set(groups.values())),
        curves=tuple(_curves(judge.name, mine, choices, groups, claim=claim, seed=seed)),
        cost=cost,
        notes=(*notes, *told),
    )


def _curves(
    name: str,
    mine: Rates,
    choices: Sequence[Choice],
    groups: Mapping[str, str],
    *,
    claim: Claim,
    seed: int,
) -> Iterator[Curve]:
    best = {one.id: oracle(one.passed) for one in choices}
    plain = {id: [own[0]] * len(own) for id, own in best.items()}
    rules = {rule: _ruled(rule, choices) for rule in RULES}
    every = {name: mine, **rules, SAMPLE: plain, ORACLE: best}
    for title, rates in every.items():
        yield curve(title, rates, groups, best=best, claim=claim, seed=seed)


def _rates(scores: Sequence[float], passed: Sequence[float]) -> list[float]:
    return [by_score(scores, passed, n=n) for n in range(1, len(passed) + 1)]


# ------------------------------------------------------------------ pickers without a model


def _tokens(program: str, _: Counter[str]) -> float:
    return -float(len(tokens.code_tokens(text.plain(program))))


RULES: Mapping[str, Callable[[str, Counter[str]], float]] = {
    "shortest": _tokens,
    "most frequent": lambda program, counts: float(counts[program]),
    READABLE: lambda _program, _counts: 0.0,
}
"""Scores of a program by what it is, and how often each program was given."""


def _ruled(rule: str, choices: Sequence[Choice]) -> Rates:
    found = {}
    for one in choices:
        counts = Counter(program for program in one.programs if program is not None)
        scores = [
            UNREADABLE if program is None else RULES[rule](program, counts)
            for program in one.programs
        ]
        found[one.id] = _rates(scores, one.passed)
    return found


# ------------------------------------------------------------------ pickers with a model


def _question(one: Choice, first: str, second: str, *, criterion: str) -> Example:
    """Two of the answers as a pair; nobody knows which is better, so the first is said to be."""
    given = {
        "statement": one.statement,
        "preamble": one.preamble,
        "criterion": criterion,
        "first": first,
        "second": second,
    }
    return Example(
        id=one.id,
        task="prefer",
        given=given,
        wanted={"choice": prefer.FIRST},
        group=one.group,
        split="test",
        source="answers",
    )


def _by_scores(
    shop: Shop, judge: Contender, choices: Sequence[Choice], *, criterion: str, seed: int
) -> tuple[Rates, Cost, int]:
    """Rates by the scores of all answers of an example, what they cost, and how many have none."""
    sampling = sampled(judge.ask, seed=seed)
    owed: dict[str, Request] = {}
    keys: dict[str, str] = {}
    about = {}
    for one in choices:
        programs = one.distinct
        if len(programs) < 2:
            continue
        pair = _question(one, programs[0], programs[1], criterion=criterion)
        shown = prefer.prompt(pair, variant=judge.ask.prompt)
        prompt = replace(shown, candidates=tuple(text.fence(program) for program in programs))
        request = Request(prompt=prompt, sampling=sampling)
        owed[request.key], keys[one.id] = request, request.key
        about[request.key] = {"example": one.id, "group": one.group, "index": 0}
    said: Mapping[str, Completion | str] = {}
    if owed:
        title = f"{judge.name} picks"
        _, said = completed(shop, judge.model, judge.ask, owed, about, title=title, unit="examples")
    rates, unjudged = {}, 0
    for one in choices:
        reply = said.get(keys.get(one.id, ""))
        scores = dict.fromkeys(one.distinct, 0.0)
        if isinstance(reply, Completion) and reply.logprobs is not None:
            scores = dict(zip(one.distinct, reply.logprobs, strict=True))
        elif one.id in keys:
            unjudged += 1
        own = [UNREADABLE if program is None else scores[program] for program in one.programs]
        rates[one.id] = _rates(own, one.passed)
    return rates, cost_of(said.values()), unjudged


def _by_contests(
    shop: Shop, judge: Contender, choices: Sequence[Choice], *, criterion: str, seed: int
) -> tuple[Rates, Cost, int]:
    """Rates by contests of every two answers, in both orders; a call without a verdict is even."""
    pairs = {
        f"{one.id}#{i}#{j}": (one, i, j)
        for one in choices
        for i, j in combinations(range(len(one.distinct)), 2)
    }
    examples = [
        replace(_question(one, one.distinct[i], one.distinct[j], criterion=criterion), id=name)
        for name, (one, i, j) in pairs.items()
    ]
    calls = hear(shop, judge, examples, seed=seed).calls if examples else {}
    won: dict[str, dict[tuple[int, int], float]] = {one.id: {} for one in choices}
    unjudged = set()
    for name, (one, i, j) in pairs.items():
        told = [call.look for call in calls[name]]
        credits = [look.forecast for look in told if look.forecast is not None]
        if len(credits) < len(told):
            credits = [{"right": 1.0, "wrong": 0.0}.get(look.said, 0.5) for look in told]
        if any(look.said not in ("right", "wrong", "tie") for look in told):
            unjudged.add(one.id)
        won[one.id][i, j] = math.fsum(credits) / len(credits)
    rates = {one.id: _contested(one, won[one.id], seed=seed) for one in choices}
    said = [call.completion for own in calls.values() for call in own if call.completion]
    return rates, cost_of(said), len(unjudged)


def _contested(one: Choice, won: Mapping[tuple[int, int], float], *, seed: int) -> list[float]:
    place = {program: i for i, program in enumerate(one.distinct)}

    def better(a: str | None, b: str | None) -> float:
        if a == b:
            return 0.5
        if a is None or b is None:
            return UNBEATEN if b is None else 0.0
        i, j = place[a], place[b]
        return won[i, j] if i < j else 1 - won[j, i]

    table = [[better(a, b) for b in one.programs] for a in one.programs]
    return [by_contests(table, one.passed, n=n, seed=seed) for n in range(1, len(one.passed) + 1)]


UNBEATEN = 1e3
"""What an answer that can be read is ahead of one that can't: more than any contests can give."""


# ------------------------------------------------------------------ of a study


def best_of(job: Job, weights: Mapping[str, Sequence[Weights]]) -> list[Picked]:
    """What every entry of a study's `best_of` comes to."""
    return [_entry(job, weights, name, one) for name, one in job.study.best_of.items()]


def _entry(job: Job, weights: Mapping[str, Sequence[Weights]], name: str, entry: BestOf) -> Picked:
    study = job.study
    runs = study.runs()
    where = {
        key: study.single(getattr(entry, key), runs, "best_of", name, key)
        for key in ("model", "judge")
    }
    answers = weights[where["model"]][0].reference
    judge = contender(
        entry.judge,
        weights[where["judge"]][0].reference,
        way=entry.way,
        max_tokens=entry.judge_tokens,
        precision=entry.precision,
    )
    task: Task = catalog.named(catalog.TASKS, entry.task, noun="task")
    test = _examples(job, name, entry, task)
    choices, notes = answered(
        job.shop, task, _asking(entry), test, answers, name=name, seed=study.seed
    )
    return picked(
        job.shop,
        judge,
        choices,
        name=name,
        model=answers.label,
        criterion=entry.criterion,
        claim=entry.claim,
        seed=study.seed,
        notes=notes,
    )


def check_picks(job: Job) -> None:
    """Raises StudyError for an entry of `best_of` whose data hold nothing to be answered."""
    for name, entry in job.study.best_of.items():
        _examples(job, name, entry, catalog.named(catalog.TASKS, entry.task, noun="task"))


def _examples(job: Job, name: str, entry: BestOf, task: Task) -> list[Example]:
    """The examples of an entry, in an order of their own: a larger limit only adds."""
    study = job.study
    mine = [one for one in job.data[entry.examples].of("test") if one.task == task.name]
    if not mine:
        problem = f"{entry.examples!r} has no example of the task {task.name!r} to answer"
        hint = f"its source may have to say tasks: [{task.name}]"
        raise StudyError(problem, hint, where=study.where("best_of", name, "from"))
    order = sorted(mine, key=lambda one: digest([study.seed, one.id]))
    return order[: entry.limit or study.limit]


def answered(
    shop: Shop,
    task: Task,
    ask: Answering,
    examples: Sequence[Example],
    model: ModelReference,
    *,
    name: str,
    seed: int,
) -> tuple[list[Choice], list[str]]:
    """The model's answers to each example, run and scored, and what was left out, in words.

    An example with an answer that was never given, or that couldn't be told right or wrong, is
    left out. Raises DataError where none is left.
    """
    owed = list(asked(task, ask, examples, (), seed=seed))
    generated = generate(shop, model, ask, owed, name=name)
    scored = score(shop, task, generated, name=name).by_key
    answers: dict[str, list[tuple[str | None, float]]] = {one.id: [] for one in examples}
    broken: set[str] = set()
    for one, completion in generated.answers:
        value = None
        if isinstance(completion, Completion) and one.place == 0:
            told = scored[score_key(one, completion)]
            value = mark(task, told)
            program = told.answer.value if isinstance(told.answer.value, str) else None
            answers[one.example.id].append((program, float(value == 1)))
        if value is None and one.place == 0:
            broken.add(one.example.id)
    found = [_choice(one, answers[one.id]) for one in examples if one.id not in broken]
    if not found:
        raise DataError(f"{name!r}: no example has all its answers", "see why each is missing")
    lost = len(examples) - len(found)
    return found, [f"{lost:,} examples left out: an answer is missing"] if lost else []


def _choice(example: Example, answers: Sequence[tuple[str | None, float]]) -> Choice:
    given = example.given
    statement = str(given.get("statement") or given.get("instruction") or "")
    return Choice(
        id=example.id,
        group=example.group,
        statement=statement,
        preamble=str(given.get("preamble") or ""),
        programs=tuple(program for program, _ in answers),
        passed=tuple(passed for _, passed in answers),
    )


def _asking(entry: BestOf) -> Answering:
    return Answering(
        model=entry.model,
        prompt=entry.prompt,
        samples=entry.samples,
        temperature=entry.temperature,
        top_p=entry.top_p,
        max_tokens=entry.max_tokens,
        precision=entry.precision,
    )
