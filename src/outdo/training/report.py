"""What a run tells: a line a step while it goes, and one account when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from outdo.records import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """A step that was made, of `steps` in all; `loss` is the mean over its learnt tokens."""

    step: int
    steps: int
    epoch: float
    loss: float
    learning_rate: float
    seconds: float
    seconds_left: float
    tokens: int
    tokens_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """What a run took and reached. Times add up over resumes; bytes are the highest of them.

    `tokens` are those of the rows seen, `tokens_computed` those that went through the model
    (padding included), `tokens_learnt` those that had a loss. `peak_bytes` is the device's
    memory, or on a CPU the resident set, of which `baseline_bytes` was there before the model.
    `packed` says whether a row holds several conversations; not where the model can't tell them
    apart.
    """

    base: Mapping[str, Json]
    settings: Mapping[str, Json]
    seconds: float
    peak_bytes: int
    baseline_bytes: int
    trainable: int
    total: int
    steps: int
    epochs: float
    tokens: int
    tokens_computed: int
    tokens_learnt: int
    tokens_per_second: float
    padding_share: float
    packed: bool
    rows: int
    rows_cut: int
    rows_dropped: int
    loss: float
    validation: tuple[Mapping[str, Json], ...]
    precision: str
    device: str
    threads: int
    resumes: int
