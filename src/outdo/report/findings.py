"""All that a report knows, in one value.

A pipeline fills `Findings` from stored rows; everything that a report says is a pure function
of it. No task, model, key or network is needed to read it, today or in ten years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from outdo.records import Example, Finish, Json, Measure, Metric, Score, Standing
from outdo.report.replicated import Replicated
from outdo.stats import Claim

Ties = Literal["loss", "half", "dropped"]
"""What a tie counts as in a rate; all three are computed, and one is the headline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One answered and scored sample: what was said to one example, and what it earned.

    `run` numbers the training run of the contestant that answered, `view` the way in which the
    example was shown (both orders of a pair), 0 where there is but one.

    A row that was asked for and never answered has `missing`, the reason, and no scores; it
    counts as missing under every metric. A metric that has no score in an answered row does not
    apply to that row (the edit distance of a repair that fails) and isn't missing.
    """

    example: str
    index: int = 0
    view: int = 0
    run: int = 0
    reply: str = ""
    value: Json = None
    problem: str | None = None
    repaired_by: str | None = None
    finish: Finish | None = None
    scores: tuple[Score, ...] = ()
    missing: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a contestant's answers took, summed; money is in US dollars."""

    seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    money: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """One row of a table: who answered the examples of one task, and what came of it.

    `about` is shown as it is, key by key (model, digest, served by, precision, sampling, prompt
    variant). `trainings` names its training runs, if any, in `Findings.trainings`.
    """

    name: str
    task: str
    rows: tuple[Row, ...]
    floor: bool = False
    reference: bool = False
    about: Mapping[str, Json] = field(default_factory=dict)
    cost: Cost = field(default_factory=Cost)
    trainings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Two contestants of one task to be compared; differences are `a` minus `b`."""

    task: str
    a: str
    b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of a task's examples that is told apart, with the claim that it supports."""

    name: str
    task: str
    examples: tuple[str, ...]
    claim: Claim = "these"
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """One training run: its stored report and its loss curve, both as `training` wrote them.

    `report` holds what `training.REPORTED` lists, and what an older one lacks is not told; `curve`
    has rows {step, epoch, seconds, loss, learning_rate, tokens}. Runs of one `entry` differ in
    nothing but their seed; where none is named, those that one contestant stands on do.
    """

    name: str
    entry: str = ""
    report: Mapping[str, Json]
    curve: tuple[Mapping[str, Json], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """What is known of a contestant's model beside its answers; `size` is in billions of weights.

    `before` names the contestant that it was fine-tuned from.
    """

    size: float | None = None
    kind: Literal["base", "instruct"] | None = None
    about: Literal["code", "general"] | None = None
    licence: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Who said which of two replies is better, and whether that may be believed.

    `why` says how it fared on a task whose answer is known. The verdict of one that is not
    `believed` is withheld. `warnings` are in words, `health` in numbers.
    """

    name: str
    model: str
    family: str
    way: str
    believed: bool
    why: str
    warnings: tuple[str, ...] = ()
    health: tuple[Measure, ...] = ()
    cost: Cost = field(default_factory=Cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """How a contestant's replies fare with a judge that holds each alone against questions.

    `shares` tells how often each attribute holds, and last how often all of them do, where there
    are several; `about` of each is its question. `gaps` are the paired differences from the
    contestant that it stands `against`. `unreadable` and `failed` count replies.
    """

    judge: str
    task: str
    contestant: str
    shares: tuple[Measure, ...]
    against: str = ""
    gaps: tuple[Measure, ...] = ()
    replies: int = 0
    unreadable: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """Rates that somebody published, with the intervals that they had not.

    `rows` are the rates, `pairs` the differences of every two, named «a - b», with intervals that
    hold together; `sentences` say which rows can't be told apart, and what would tell them.
    """

    title: str
    rows: tuple[Measure, ...]
    pairs: tuple[Measure, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the study ran on."""

    outdo: str
    packages: Mapping[str, str] = field(default_factory=dict)
    hardware: str = ""
    sandbox: str = ""
    commit: str = ""
    started: str = ""
    finished: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A finished study.

    `metrics` lists each task's metrics in order of interest: the first is the headline.
    `matches` lists what is compared: the first is the headline. `margins` maps a task and one of
    its metrics to the largest difference that counts as none, `claims` a task to what is claimed
    of it (these examples, if nothing is said). `item` and `group` name what an example and its
    group are, in the singular. `standings` are in the order of the judges, a panel's first, and
    `ties` maps a task to how its headline rate counts ties. `cards` maps a contestant to its card.

    `preferred` maps (judge, task, contestant) to each example's preference for the contestant, 0
    to 1 with ties counted as in the headline rate: with it two contestants that were judged
    against the same third are compared in pairs. `agreement` tells how far judges agree with each
    other. `replicated` holds published cells beside the same ones of our own.
    """

    study: str
    about: str = ""
    command: str = ""
    resolved: str = ""
    claims: Mapping[str, Claim] = field(default_factory=dict)
    item: str = "program"
    group: str = "problem"
    examples: Mapping[str, Example]
    metrics: Mapping[str, tuple[Metric, ...]]
    contestants: tuple[Contestant, ...]
    matches: tuple[Match, ...] = ()
    margins: Mapping[tuple[str, str], float] = field(default_factory=dict)
    slices: tuple[Slice, ...] = ()
    trainings: tuple[Training, ...] = ()
    environment: Environment
    notes: tuple[str, ...] = ()
    judges: tuple[Judge, ...] = ()
    standings: tuple[Standing, ...] = ()
    preferred: Mapping[tuple[str, str, str], Mapping[str, float | None]] = field(
        default_factory=dict
    )
    agreement: tuple[Measure, ...] = ()
    rubrics: tuple[Rubric, ...] = ()
    ties: Mapping[str, Ties] = field(default_factory=dict)
    cards: Mapping[str, ModelCard] = field(default_factory=dict)
    published: tuple[Published, ...] = ()
    replicated: tuple[Replicated, ...] = ()
