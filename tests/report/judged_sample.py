"""A judged study of pull requests, made up from a seed: any number of models and of judges."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Mapping

from outdo.records import Example, Measure, Metric, Score, Standing
from outdo.report import (
    Contestant,
    Cost,
    Environment,
    Findings,
    Judge,
    Match,
    ModelCard,
    Published,
    Row,
    Slice,
)
from outdo.report.findings import Ties
from outdo.stats import mean

TASKS = ("describe", "review", "improve")
LANGUAGES = ("Python", "TypeScript", "Go")
SIZES = ("small", "medium", "large")
REFERENCE = "openai/gpt-reference"
FAMILIES = ("OpenAI", "Anthropic", "Qwen", "Mistral")
MODELS = (
    ("qwen-coder-0.5b", 0.5, "base", "code", "Apache-2.0"),
    ("qwen-coder-1.5b-instruct", 1.5, "instruct", "code", "Apache-2.0"),
    ("llama-3b-instruct", 3.2, "instruct", "general", "Llama 3.2 Community"),
    ("mistral-7b", 7.2, "base", "general", "Apache-2.0"),
    ("qwen-coder-14b-instruct", 14.8, "instruct", "code", "Apache-2.0"),
)


def _metric(name: str, heading: str, about: str = "", *, better: str = "higher") -> Metric:
    return Metric(name=name, heading=heading, better=better, unit="share", about=about)  # type: ignore[arg-type]


METRICS: Mapping[str, tuple[Metric, ...]] = {
    "describe": (
        _metric("valid", "Valid", "share of replies in the form that was asked for"),
        _metric("covered", "Files covered"),
        _metric("files_exist", "Files exist"),
        _metric("type_right", "Type right"),
        _metric("limits", "Limits kept"),
        _metric("title", "Title agreement", "token F1 with the author's own title"),
    ),
    "review": (
        _metric("found", "Bugs found", "share of known bugs whose lines an issue names"),
        _metric("valid", "Valid"),
        _metric("grounded", "Lines exist"),
        _metric("precision", "Precision"),
        _metric("alarms", "False alarms", better="lower"),
    ),
    "improve": (
        _metric("fixed", "Fix found"),
        _metric("valid", "Valid"),
        _metric("applies", "Applies"),
    ),
}


def judged(
    *,
    seed: int = 11,
    models: int = 5,
    judges: int = 3,
    believed: int = 2,
    items: int = 90,
    tasks: tuple[str, ...] = TASKS,
    long: bool = False,
    ties: Ties = "half",
) -> Findings:
    """Models before and after fine-tuning, against one reference, in the eyes of a panel."""
    draw = random.Random(seed)
    examples = {one.id: one for one in _examples(tasks, items)}
    cards = dict(_cards(models, long=long))
    names = [*cards, REFERENCE]
    contestants = tuple(
        _contestant(draw, name, task, cards.get(name), examples) for task in tasks for name in names
    )
    preferred = {
        ("panel", task, name): {
            id: draw.choices((0.0, 0.5, 1.0), weights=_weights(card))[0]
            for id, one in examples.items()
            if one.task == task
        }
        for task in tasks
        for name, card in cards.items()
    }
    jury = tuple(_judge(draw, place, believed=place < believed) for place in range(judges))
    tuned = [name for name, card in cards.items() if card.before is not None]
    return Findings(
        study="pull_requests",
        about="Do fine-tuned open models outdo a reference on pull requests?",
        command="outdo run studies/pull_requests.yaml",
        item="pull request",
        group="repository",
        examples=examples,
        metrics={task: METRICS[task] for task in tasks},
        contestants=contestants,
        matches=tuple(
            Match(task=task, a=name, b=cards[name].before or "") for task in tasks for name in tuned
        ),
        slices=tuple(
            Slice(name=f"language: {language}", task=task, examples=_of(examples, task, language))
            for task in tasks
            for language in LANGUAGES
        ),
        environment=Environment(outdo="0.1.0", hardware="1 GPU"),
        judges=jury,
        standings=tuple(_standings(examples, preferred, jury, tasks)) if judges else (),
        preferred=preferred if judges else {},
        agreement=_agreement(jury),
        ties=dict.fromkeys(tasks, ties),
        cards=cards,
    )


def _examples(tasks: tuple[str, ...], items: int) -> Iterator[Example]:
    for task in tasks:
        for number in range(items):
            yield Example(
                id=f"{task}-{number:03}",
                task=task,
                given={"language": LANGUAGES[number % 3], "size": SIZES[number // 3 % 3]},
                wanted={},
                group=f"team/repository-{number % 18:02}",
                split="test",
                source="made up",
            )


def _cards(models: int, *, long: bool) -> Iterator[tuple[str, ModelCard]]:
    for number in range(models):
        name, size, kind, about, licence = MODELS[number % len(MODELS)]
        turn = number // len(MODELS)
        name = f"{name}, variant {turn}" if turn else name
        if long:
            name = f"huggingface/an-organisation-with-a-long-name/{name}-preview-2026-11-21-chat"
        card = ModelCard(
            size=round(size * (1 + 0.13 * turn), 2),
            kind=kind,  # type: ignore[arg-type]
            about=about,  # type: ignore[arg-type]
            licence=licence,
        )
        yield name, card
        yield f"{name} tuned", dataclasses.replace(card, before=name)


def _of(examples: Mapping[str, Example], task: str, language: str) -> tuple[str, ...]:
    return tuple(
        name
        for name, one in examples.items()
        if one.task == task and one.given["language"] == language
    )


def _skill(card: ModelCard | None) -> float:
    if card is None:
        return 0.8
    return min(0.9, 0.12 + 0.03 * (card.size or 1) + (0.3 if card.before else 0.0))


def _weights(card: ModelCard) -> tuple[float, float, float]:
    skill = 0.75 * _skill(card)
    return (1 - skill) * 0.8, 0.2, skill * 0.8


def _contestant(
    draw: random.Random,
    name: str,
    task: str,
    card: ModelCard | None,
    examples: Mapping[str, Example],
) -> Contestant:
    skill = _skill(card)
    rows = tuple(
        Row(
            example=one.id,
            reply="title: Fix the parser",
            value={"title": "Fix the parser"},
            finish="stop",
            scores=tuple(
                Score(
                    metric=metric.name,
                    by=f"{task} 1",
                    value=float((draw.random() < skill) == (metric.better == "higher")),
                )
                for metric in METRICS[task]
            ),
        )
        for one in examples.values()
        if one.task == task
    )
    return Contestant(name=name, task=task, rows=rows, cost=Cost(seconds=40.0, money=0.3))


def _judge(draw: random.Random, place: int, *, believed: bool) -> Judge:
    family = FAMILIES[place % len(FAMILIES)]

    def share(name: str, value: float, n: int, about: str = "") -> Measure:
        low, high = max(0.0, value - 0.06), min(1.0, value + 0.06)
        return Measure(name=name, value=value, low=low, high=high, n=n, unit="share", about=about)

    right = 0.93 if believed else 0.52
    return Judge(
        name=f"judge-{place + 1}",
        model=f"{family.lower()}/judge-{place + 1}-large",
        family=family,
        way="ask" if place != 2 else "choice",
        believed=believed,
        why=f"It picks the author's own title in {right:.2f} [{right - 0.05:.2f}, "
        f"{right + 0.05:.2f}] of 120 pairs" + ("." if believed else ": no better than chance."),
        warnings=(
            ("It is of the family of the reference, OpenAI, and may favour it.",)
            if place == 0
            else ()
        ),
        health=(
            share("known task", right, 120, "the author's own title against another's"),
            share("agreement between orders", 0.81 + draw.random() / 10, 270),
            share("first preferred", 0.55, 270, "0.5 is even"),
            share("flips on repeats", 0.07, 54),
            share("unreadable", 0.0, 540),
            Measure(name="slope on length", value=-0.31, low=-0.52, high=-0.1, n=270),
            Measure(name="kappa with people", value=None, about="nobody labelled these"),
            *((share("sensitivity", 0.77, 60, "of tests"),) if place == 1 else ()),
        ),
        cost=Cost(seconds=310.0, tokens_in=1_200_000, tokens_out=90_000, money=4.21),
    )


def _agreement(jury: tuple[Judge, ...]) -> tuple[Measure, ...]:
    pairs = [(a.name, b.name) for i, a in enumerate(jury) for b in jury[i + 1 :]]
    return tuple(
        Measure(name=f"{name}: {a} and {b}", value=value, low=value - 0.1, high=value + 0.1, n=270)
        for name, value in (("kappa", 0.61), ("Kendall's tau of the ranking", 0.8))
        for a, b in pairs
    )


Preferred = Mapping[tuple[str, str, str], Mapping[str, float]]


def _standings(
    examples: Mapping[str, Example],
    preferred: Preferred,
    jury: tuple[Judge, ...],
    tasks: tuple[str, ...],
) -> Iterator[Standing]:
    for judge in ("panel", *(one.name for one in jury)):
        for (_, task, name), values in preferred.items():
            if task in tasks:
                parts = [("", list(values))]
                for field in ("language", "size"):
                    for value in dict.fromkeys(str(examples[id].given[field]) for id in values):
                        ids = [id for id in values if examples[id].given[field] == value]
                        parts.append((f"{field}: {value}", ids))
                for part, ids in parts:
                    told = {id: values[id] for id in ids}
                    yield _standing(judge, task, name, part, told, examples)


def _standing(
    judge: str,
    task: str,
    name: str,
    part: str,
    values: Mapping[str, float],
    examples: Mapping[str, Example],
) -> Standing:
    counted = {
        "loss": {id: float(value == 1) for id, value in values.items()},
        "half": dict(values),
        "dropped": {id: value for id, value in values.items() if value != 0.5},
    }
    rates = []
    for way, told in counted.items():
        found = mean(list(told.values()), [examples[id].group for id in told], share=True)
        rates.append(
            Measure(
                name=way,
                value=found.value,
                low=found.low,
                high=found.high,
                n=found.n,
                unit="share",
            )
        )
    won, lost = (sum(value == end for value in values.values()) for end in (1, 0))
    return Standing(
        contestant=name,
        against=REFERENCE,
        task=task,
        judge=judge,
        part=part,
        won=won,
        lost=lost,
        tied=len(values) - won - lost,
        unreadable=2 if not part else 0,
        rates=(*rates, dataclasses.replace(rates[1], name="length")) if not part else tuple(rates),
    )


def published() -> Findings:
    """A published table: four rates without answers, without examples, without a judge."""
    counts = {"tuned, 14B": 122, "tuned, 7B": 110, "as it was, 14B": 40, "as it was, 7B": 11}
    rows, n = [], 300
    for name, count in counts.items():
        found = mean([1.0] * count + [0.0] * (n - count), share=True)
        rows.append(
            Measure(name=name, value=found.value, low=found.low, high=found.high, n=n, unit="share")
        )
    pairs = [
        Measure(
            name=f"{a.name} - {b.name}",
            value=(a.value or 0) - (b.value or 0),
            low=(a.low or 0) - (b.high or 0),
            high=(a.high or 0) - (b.low or 0),
            n=n,
            unit="share",
            about="about 2,350 each would settle it" if place == 0 else "p < 0.0001",
        )
        for place, (a, b) in enumerate((a, b) for i, a in enumerate(rows) for b in rows[i + 1 :])
    ]
    return Findings(
        study="published rates",
        about="Rates that were published without intervals.",
        examples={},
        metrics={},
        contestants=(),
        environment=Environment(outdo="0.1.0"),
        published=(
            Published(
                title="Preferred to the reference",
                rows=tuple(rows),
                pairs=tuple(pairs),
                sentences=("tuned, 14B and tuned, 7B can't be told apart.",),
            ),
        ),
    )
