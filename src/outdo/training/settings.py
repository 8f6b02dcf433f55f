"""What a training run is, and how it is carried out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from outdo.errors import TrainingError
from outdo.records import Json, to_json

VERSION = "2"
"""Names the loop and its methods; a change of what comes out of them changes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Low-rank adapters (Hu et al. 2021): each target learns `alpha / rank * B @ A` beside it.

    `alpha` None is twice the rank. `targets` are names of modules, or "all-linear": every linear
    layer but the output's.
    """

    rank: int = 16
    alpha: float | None = None
    dropout: float = 0.0
    targets: tuple[str, ...] = ("all-linear",)
    dora: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What changes how long a run takes and not what it learns, but for rounding.

    `tokens_per_batch` bounds what is computed at once; a step is as many such batches as its
    rows need. `threads` None leaves torch's own choice. `checkpointing` computes activations anew
    on the way back instead of keeping them. `log_to` names where each step is told beside the
    run's own curve: "tensorboard", "wandb". With `strategy` "ddp" each of several processes has
    all weights, with "fsdp" a part of them; "auto" is what the launcher was told, or ddp.
    """

    tokens_per_batch: int = 4096
    checkpointing: bool = False
    log_to: tuple[str, ...] = ()
    device: str = "auto"
    threads: int | None = None
    checkpoint_seconds: float = 60.0
    strategy: Literal["auto", "ddp", "fsdp"] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a run learns from and how far; all of it names the result, but for `how`.

    `method` is a name of the catalog, or `module:attribute`. The run ends with the first budget
    that is spent: `epochs`, `steps`, or `max_tokens_seen` (tokens of rows, padding aside); without
    any it is one epoch. `lora` None trains all weights.
    `precision` "auto" is bfloat16 autocast where the chip computes in it, else float32.
    `quantise` "nf4" holds the frozen weights in 4 bits (Dettmers et al. 2023).
    `beta` is how dear it is to leave the reference, for methods that have one.
    With `share_context`, rows that have most of their prompt in common come in the same step,
    where that is computed once. The held-out rows are looked at each `evaluate_every` steps, or at
    the end of each epoch; after `patience` looks that found nothing better the run ends. `keep`
    says which weights stay: the last, or the best at such a look.
    """

    method: str = "sft"
    lora: Lora | None = field(default_factory=Lora)
    epochs: int | None = None
    steps: int | None = None
    max_tokens_seen: int | None = None
    learning_rate: float = 2e-4
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = 0.03
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = 1.0
    rows_per_step: int = 16
    max_length: int = 4096
    longer: Literal["drop", "cut", "refuse"] = "drop"
    seed: int = 0
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    quantise: Literal["none", "nf4"] = "none"
    beta: float = 0.1
    share_context: bool = True
    evaluate_every: int | None = None
    patience: int | None = None
    keep: Literal["last", "best"] = "last"
    how: How = field(default_factory=How)

    def __post_init__(self) -> None:
        """Refuse what no run could mean."""
        counts = {
            "epochs": self.epochs,
            "steps": self.steps,
            "max_tokens_seen": self.max_tokens_seen,
            "rows_per_step": self.rows_per_step,
            "max_length": self.max_length,
            "evaluate_every": self.evaluate_every,
            "patience": self.patience,
            "lora.rank": self.lora.rank if self.lora else None,
            "how.tokens_per_batch": self.how.tokens_per_batch,
        }
        for name, count in counts.items():
            if count is not None and count < 1:
                raise TrainingError(f"{name} is {count}", "at least 1")
        if self.learning_rate <= 0:
            raise TrainingError(f"learning_rate is {self.learning_rate}", "above 0, such as 2e-4")
        if self.beta <= 0:
            raise TrainingError(f"beta is {self.beta}", "above 0, such as 0.1")
        if self.quantise != "none" and self.lora is None:
            raise TrainingError("weights of 4 bits can't be trained themselves", "set lora")
        if not 0 <= self.warmup < 1:
            raise TrainingError(f"warmup is {self.warmup}", "a share of the steps, 0 to below 1")

    @property
    def what(self) -> dict[str, Json]:
        """What names the result: all but `how`, and the version of our own code."""
        named = {name: value for name, value in to_json(self).items() if name != "how"}
        return {**named, "version": VERSION}
