"""A finished study of written code, made up from a seed: tests, likeness to a reference, ranks."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Sequence

from sample import findings, sweep

from outdo.records import Example, Metric, Score
from outdo.report import Contestant, Findings, Match, Row

PASSED = Metric(
    name="passed", heading="Pass", better="higher", unit="share", about="programs that pass"
)
SIGNATURE = "bertscore|model a|layer 1"
LIKENESS = {
    "bleu": "BLEU",
    "bertscore_precision": "BERTScore precision",
    "bertscore_recall": "BERTScore recall",
    "bertscore_f1": "BERTScore F1",
}


def _likeness(name: str, title: str) -> Metric:
    return Metric(name=name, heading=f"Edit effort, {title}", better="higher", unit="share")


EDITS = Metric(
    name="edits", heading="Edit effort, tokens", better="lower", unit="tokens", least=0.0
)
METRICS = (PASSED, *(_likeness(*one) for one in LIKENESS.items()), EDITS)


def written(
    names: Sequence[str] = ("base", "sft", "dpo"),
    *,
    items: int = 100,
    groups: int = 40,
    seed: int = 5,
    reference: int = 0,
) -> Findings:
    """Contestants of whom later ones pass oftener and lie nearer to the reference."""
    draw = random.Random(seed)
    examples = {f"write-{i:03}": _example(i, groups) for i in range(items)}
    contestants = tuple(
        Contestant(
            name=name,
            task="write",
            rows=tuple(_row(draw, example, place / max(1, len(names))) for example in examples),
            floor=name.startswith("floor/"),
            reference=place == reference,
        )
        for place, name in enumerate(names)
    )
    return dataclasses.replace(
        findings(problems=2, programs=2),
        study="written",
        about="Does preference tuning make code better?",
        claims={},
        item="task",
        group="topic",
        examples=examples,
        metrics={"write": METRICS},
        contestants=contestants,
        matches=tuple(
            Match(task="write", a=name, b=names[reference])
            for name in names
            if name != names[reference] and not name.startswith("floor/")
        ),
        margins={},
        slices=(),
        trainings=sweep().trainings,
        notes=(),
    )


def _example(number: int, groups: int) -> Example:
    topic = f"topic-{number % groups:02}"
    return Example(
        id=f"write-{number:03}",
        task="write",
        given={"instruction": f"Add {number} to a number.", "input": "", "preamble": ""},
        wanted={"reference": f"def add(n):\n    return n + {number}\n", "tests": []},
        group=topic,
        split="test",
        source="made up",
    )


def _row(draw: random.Random, example: str, ability: float) -> Row:
    if draw.random() < 0.02:
        return Row(example=example, missing="no answer came")
    likeness = min(1.0, max(0.0, draw.betavariate(0.6 + ability, 1.4)))
    recall = round(min(1.0, 0.7 + 0.28 * likeness + draw.gauss(0, 0.02)), 4)
    precision = round(min(1.0, max(0.0, recall * 0.8 + 0.17 + draw.gauss(0, 0.025))), 4)
    numbers = {
        "passed": float(draw.random() < 0.2 + 0.6 * ability),
        "bleu": round(likeness, 4) if draw.random() < 0.6 else 0.0,
        "bertscore_precision": precision,
        "bertscore_recall": recall,
        "bertscore_f1": round(2 * precision * recall / (precision + recall), 4),
        "edits": float(int(draw.expovariate(0.08))) * (12 if draw.random() < 0.02 else 1),
    }
    by = {name: SIGNATURE if name.startswith("bert") else f"{name}|1" for name in numbers}
    return Row(
        example=example,
        reply=f"```python\ndef add(n):\n    return n + {int(10 * likeness)}\n```",
        value=f"def add(n):\n    return n + {int(10 * likeness)}\n",
        finish="stop",
        scores=tuple(
            Score(metric=name, by=by[name], value=value) for name, value in numbers.items()
        ),
    )
