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
    (padding included), `tokens_learnt` those that had a loss, `tokens_shared` those that were not
    computed again because rows have them in common. `peak_bytes` is the device's memory, or on a
    CPU the resident set, of which `baseline_bytes` was there before the run; what the run added,
    `peak_bytes - baseline_bytes`, was estimated as `estimated_bytes` before its first step.
    `rows_cut` rows were shortened, one of them by `longest_cut` tokens. `notes` are sentences on
    what a reader must know: rows that were left out, what gives pairs away. `packed` says whether
    a row of a batch holds several rows of data; not where the model can't tell them apart.
    `best_step` is the step whose weights were kept, if not the last. `hardware` names the machine.
    Of several `processes` tokens are summed, and `peak_bytes` are those of the one that took most.
    """

    base: Mapping[str, Json]
    settings: Mapping[str, Json]
    seconds: float
    peak_bytes: int
    baseline_bytes: int
    estimated_bytes: int
    trainable: int
    total: int
    steps: int
    epochs: float
    tokens: int
    tokens_computed: int
    tokens_learnt: int
    tokens_shared: int
    tokens_per_second: float
    padding_share: float
    shared_share: float
    packed: bool
    rows: int
    rows_cut: int
    rows_dropped: int
    longest_cut: int = 0
    loss: float
    validation: tuple[Mapping[str, Json], ...]
    best_step: int | None
    precision: str
    device: str
    hardware: str
    threads: int
    processes: int
    resumes: int
    notes: tuple[str, ...] = ()
