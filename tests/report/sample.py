"""A finished study, made up from a seed: what a report has to show, at any size."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterator

from outdo.records import Example, Metric, Score
from outdo.report import (
    Contestant,
    Cost,
    Environment,
    Findings,
    Match,
    Row,
    Slice,
    Training,
)

RPASS = Metric(
    name="rpass",
    heading="RPass",
    better="higher",
    unit="share",
    about="share of programs whose repair passes all tests",
)
REDIT = Metric(
    name="redit",
    heading="REdit",
    better="lower",
    unit="tokens",
    about="token edits from the buggy program to a repair that passes",
    common=True,
)
TIER = "repair 1; tests by value; sandbox linux, Landlock 7"
LEXER = "redit 1; Pygments Python lexer; Levenshtein"
HOSTILE = "<script>window.owned = 1</script><img src=x onerror=alert(1)>"

BODY = """def {name}({argument}):
    \"\"\"Return the {what} of the {argument}.\"\"\"
    total = {start}
    for item in {argument}:
        if item {comparison} {limit}:
            total += item
    return total
"""


def findings(
    *,
    seed: int = 7,
    problems: int = 60,
    programs: int = 160,
    models: int = 3,
    samples: int = 1,
    unseen: int = 15,
) -> Findings:
    """A study of repair in which the last model was tuned and is much better than the first."""
    draw = random.Random(seed)
    examples = {example.id: example for example in _examples(draw, problems, programs)}
    names = ["base, zero-shot", "base, few-shot", *(f"tuned {i}" for i in range(2, models - 1))]
    names = [*names[: models - 1], "tuned"]
    given = list(examples.values())
    contestants = [
        _model(draw, name, given, samples=samples, rate=_rate(name), unseen=unseen)
        for name in names
    ]
    floors = [
        _model(draw, f"floor/{name}", given, samples=1, rate=rate, unseen=unseen)
        for name, rate in (("unchanged", 0.0), ("nearest", 0.55))
    ]
    fresh = [example.id for example in examples.values() if _number(example) < unseen]
    return Findings(
        study="quickstart",
        about="Does LoRA fine-tuning make a small code model better at repairing programs?",
        command="outdo run studies/quickstart.yaml --set seed=7",
        resolved="study: quickstart\nabout: >\n  repair <b>programs</b>\nseed: 7\nmodels:\n"
        "  base: embedded/seedling\n  tuned: {train: lora, rank: 16}\n",
        claims={"repair": "these"},
        examples=examples,
        metrics={"repair": (RPASS, REDIT)},
        contestants=(*contestants, *floors),
        matches=(
            Match(task="repair", a="tuned", b=names[1]),
            Match(task="repair", a="tuned", b=names[0]),
            Match(task="repair", a="tuned", b="floor/nearest"),
        ),
        margins={("repair", "rpass"): 0.05},
        slices=(
            Slice(
                name="seen problems",
                task="repair",
                examples=tuple(id for id in examples if id not in set(fresh)),
                about="Held-out programs of problems that training saw.",
            ),
            Slice(
                name="unseen problems",
                task="repair",
                examples=tuple(fresh),
                claim="new",
                about="Programs of problems that no training saw.",
            ),
        ),
        trainings=(_training(draw, "tuned"),),
        environment=Environment(
            outdo="0.1.0",
            packages={"torch": "2.13.0", "transformers": "5.23.0", "peft": "0.19.1"},
            hardware="2 cores, Intel Xeon, 8 GiB, no GPU",
            sandbox="linux; Landlock 7, seccomp",
            commit="f94f136",
            started="2026-11-21T02:10:00+00:00",
            finished="2026-11-21T02:15:40+00:00",
        ),
        notes=("3 of 6,512 training rows were longer than 1,024 tokens and were dropped.",),
    )


def _rate(name: str) -> float:
    return {"base, zero-shot": 0.0, "base, few-shot": 0.03, "tuned": 0.68}.get(name, 0.4)


def _number(example: Example) -> int:
    return int(example.group.rsplit("-", 1)[1])


def _examples(draw: random.Random, problems: int, programs: int) -> Iterator[Example]:
    for number in range(programs):
        problem = number % problems
        right = BODY.format(
            name=f"problem_{problem}",
            argument=draw.choice(["numbers", "scores", "prices"]),
            what=draw.choice(["sum", "total", "count"]),
            start=0,
            comparison=draw.choice([">", "<", ">=", "<="]),
            limit=draw.randrange(10),
        )
        wrong = right.replace("total = 0", "total = 1") if number % 3 else _flip(right)
        yield Example(
            id=f"program-{number:04}",
            task="repair",
            given={
                "problem": f"problem-{problem:02}",
                "statement": "Return the total of the items beyond a limit.",
                "preamble": "",
                "program": wrong,
                "shown": [],
            },
            wanted={"tests": [], "repair": right},
            group=f"problem-{problem:02}",
            split="test",
            source="embedded",
        )


def _flip(program: str) -> str:
    for sign, other in ((">=", "<"), ("<=", ">"), (" > ", " <= "), (" < ", " >= ")):
        if sign in program:
            return program.replace(sign, other)
    return program


def _model(
    draw: random.Random,
    name: str,
    examples: list[Example],
    *,
    samples: int,
    rate: float,
    unseen: int,
) -> Contestant:
    floor = name.startswith("floor/")
    rows = []
    for example in examples:
        chance = rate * (0.35 if _number(example) < unseen else 1.0)
        rows += [_row(draw, example, index, chance, floor=floor) for index in range(samples)]
    return Contestant(
        name=name,
        task="repair",
        rows=tuple(rows),
        floor=floor,
        reference=name == "base, few-shot",
        about={}
        if floor
        else {
            "model": "embedded/seedling" + (" + adapter" if name == "tuned" else ""),
            "digest": f"sha256:{draw.getrandbits(64):016x}",
            "served_by": "transformers 5.23.0, cpu",
            "dtype": "float32",
            "sampling": {"temperature": 0.0, "max_tokens": 256, "seed": 7},
            "variant": "few-shot" if "few" in name else "direct",
        },
        cost=Cost()
        if floor
        else Cost(seconds=61.5, tokens_in=31_020 * samples, tokens_out=14_870 * samples),
        trainings=("tuned",) if name == "tuned" else (),
    )


def _row(draw: random.Random, example: Example, index: int, chance: float, *, floor: bool) -> Row:
    if not floor and draw.random() < 0.01:
        return Row(
            example=example.id, index=index, missing="the prompt is longer than 4,096 tokens"
        )
    if draw.random() < chance:
        program = str(example.wanted["repair"])
        edit = float(draw.choice([1, 1, 2, 2, 3, 5, 9]))
        scores = (
            Score(metric="rpass", by=TIER, value=1.0),
            Score(metric="redit", by=LEXER, value=edit),
        )
        return Row(
            example=example.id,
            index=index,
            reply=f"```python\n{program}```",
            value=program,
            finish="stop",
            scores=scores,
        )
    failed = (Score(metric="rpass", by=TIER, value=0.0, because="2 of 6 tests failed"),)
    if floor or draw.random() < 0.7:
        program = str(example.given["program"])
        return Row(
            example=example.id,
            index=index,
            reply=program,
            value=program,
            repaired_by=None if floor else "no fence",
            finish="stop",
            scores=failed,
        )
    return Row(
        example=example.id,
        index=index,
        reply=f"def f(:\n{HOSTILE}\n",
        problem="no program in the reply",
        finish="length",
        scores=failed,
    )


def _training(draw: random.Random, name: str) -> Training:
    curve = [
        {
            "step": step,
            "epoch": step / 60,
            "seconds": step * 0.9,
            "loss": 0.25 + 2.2 * math.exp(-step / 30) + draw.gauss(0, 0.04),
            "learning_rate": 2e-3 * (1 - step / 180),
            "tokens": step * 6_000,
        }
        for step in range(1, 181)
    ]
    return Training(
        name=name,
        report={
            "seconds": 162.4,
            "peak_bytes": 1_312_000_000,
            "baseline_bytes": 420_000_000,
            "trainable": 294_912,
            "total": 9_120_768,
            "tokens_per_second": 6_650.0,
            "settings": {"rank": 16, "learning_rate": 2e-3, "epochs": 3, "seed": 7},
            "hardware": "2 cores, Intel Xeon, no GPU",
        },
        curve=tuple(curve),
    )


MEMORY = {4: 610_000_000, 16: 660_000_000, 64: 890_000_000}
"""Bytes above the baseline, by rank."""


def sweep(*, ranks: tuple[int, ...] = (4, 16, 64), seeds: int = 3) -> Findings:
    """A study of three ranks, each trained with three seeds that differ in what they reach."""
    draw = random.Random(3)
    study = findings(problems=40, programs=120, unseen=0)
    given = list(study.examples.values())
    trainings = [_swept(draw, rank, seed) for rank in ranks for seed in range(seeds)]
    tuned = []
    for place, rank in enumerate(ranks):
        rows: list[Row] = []
        for run in range(seeds):
            rate = 0.35 + 0.08 * place + draw.gauss(0, 0.05)
            one = _model(draw, f"rank {rank}", given, samples=1, rate=rate, unseen=0)
            rows += [dataclasses.replace(row, run=run) for row in one.rows]
        names = tuple(f"rank {rank}, seed {run}" for run in range(seeds))
        tuned.append(
            dataclasses.replace(one, rows=tuple(rows), trainings=names, cost=Cost(seconds=180.0))
        )
    return dataclasses.replace(
        study,
        study="lora_sweep",
        about="Which rank does repair need?",
        contestants=(*study.contestants[:2], *tuned, *study.contestants[-2:]),
        matches=tuple(
            Match(task="repair", a=one.name, b="base, few-shot") for one in reversed(tuned)
        ),
        slices=(),
        trainings=tuple(trainings),
    )


def _swept(draw: random.Random, rank: int, seed: int) -> Training:
    """One run of the sweep: as a stored report tells it, and a curve that ends lower by rank."""
    end = 0.5 - 0.05 * math.log2(rank) + draw.gauss(0, 0.01)
    steps = 120
    curve = tuple(
        {
            "step": step,
            "epoch": step / 40,
            "seconds": step * 0.5,
            "loss": end + 2.0 * math.exp(-step / 20) + draw.gauss(0, 0.03),
            "learning_rate": 2e-3 * (1 - step / steps),
            "tokens": step * 4_000,
        }
        for step in range(1, steps + 1)
    )
    looks = [
        {"step": step, "epoch": step / 40, "loss": end + 0.12 + 2.0 * math.exp(-step / 20)}
        for step in (40, 80, 120)
    ]
    return Training(
        name=f"rank {rank}, seed {seed}",
        report={
            "base": {"name": "embedded/seedling", "digest": "sha256:00"},
            "settings": {
                "method": "sft",
                "lora": {"rank": rank, "alpha": None, "targets": ["all-linear"]},
                "learning_rate": 2e-3,
                "seed": seed,
                "how": {"tokens_per_batch": 4096},
            },
            "hardware": "2 cores, AMD EPYC",
            "seconds": 150.0 + 0.4 * rank + draw.gauss(0, 4),
            "peak_bytes": 420_000_000 + MEMORY.get(rank, 700_000_000) + draw.randrange(9_000_000),
            "baseline_bytes": 420_000_000,
            "estimated_bytes": 700_000_000,
            "trainable": 18_432 * rank,
            "total": 9_120_768 + 18_432 * rank,
            "steps": steps,
            "epochs": 3.0,
            "tokens": 480_000,
            "tokens_computed": 402_000,
            "tokens_learnt": 160_000,
            "tokens_shared": 90_000,
            "tokens_per_second": 3_100.0 - 2 * rank + draw.gauss(0, 40),
            "padding_share": 0.03,
            "shared_share": 0.1875,
            "packed": True,
            "rows": 1_628,
            "rows_cut": 0,
            "rows_dropped": 3,
            "loss": curve[-1]["loss"],
            "validation": looks,
            "best_step": 120,
            "precision": "bfloat16",
            "device": "cpu",
            "threads": 1,
            "processes": 1,
            "resumes": 0,
        },
        curve=curve,
    )
