"""The entries of a study: models, what is trained, which pairs are made, who answers and judges."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from outdo.study.part import Part, Several

Claim = Literal["these", "new"]
Share = Annotated[float, Field(gt=0)]
Ties = Literal["loss", "half", "dropped"]
Attribute = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""The name of a rubric's question: a word in snake_case."""
Tasks = Annotated[list[str], Field(min_length=1)] | None
"""Some of the study's tasks, spelt as there; none: all of them."""
Temperature = Annotated[float, Field(ge=0)] | Literal["provider"]
"""0 is greedy; `provider` leaves it to whoever serves the model."""


# ------------------------------------------------------------------ models


class Model(Part):
    """A model by name, and what is known of it; `size` is in billions of weights."""

    model: str
    size: float | None = Field(default=None, gt=0)
    kind: Literal["base", "instruct"] | None = None
    about: Literal["code", "general"] | None = None
    licence: str | None = None


# ------------------------------------------------------------------ what is trained


class Lora(Part):
    """Low-rank adapters (Hu et al. 2021): rank r, scaled by alpha / r; twice r if not said.

    With `dora` the length of each column is learnt apart from its direction (Liu et al. 2024).
    """

    rank: int = Field(default=16, ge=1)
    alpha: float | None = Field(default=None, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    targets: Literal["all-linear"] | list[str] = "all-linear"
    dora: bool = False


class _Recipe(Part):
    """What all runs of an entry have in common: how they learn, and from which of its rows."""

    method: str = "sft"
    prompt: str = "direct"
    beta: float = Field(default=0.1, gt=0)
    quantise: Literal["none", "nf4"] = "none"
    rows_per_step: int = Field(default=16, ge=1)
    share_context: bool = True
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: float = Field(default=0.03, ge=0, lt=1)
    weight_decay: float = Field(default=0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = Field(default=1.0, gt=0)
    max_length: int = Field(default=4096, ge=16)
    longer: Literal["drop", "cut", "refuse"] = "drop"
    context: int | None = Field(default=None, ge=16)
    precision: Literal["auto", "bfloat16", "float32", "float16"] = "auto"
    checkpointing: bool = False
    tasks: Tasks = None
    limit: int | None = Field(default=None, ge=1)
    leave_out: str | None = None
    validation: float = Field(default=0.0, ge=0, lt=1)
    evaluate_every: int | None = Field(default=None, ge=1)
    patience: int | None = Field(default=None, ge=1)
    keep: Literal["last", "best"] = "last"
    by: Literal["loss", "score"] = "loss"
    log_to: list[Literal["tensorboard", "wandb"]] = Field(default=[])


class Settings(_Recipe):
    """How one run learns: no list is left that would make several of it."""

    lora: Lora | Literal["none"]
    learning_rate: float
    epochs: int


class Train(_Recipe):
    """One training run, or a matrix of them where a value is a list.

    `seeds` runs differ in their seed alone and are one contestant; a list for `seed` makes several.
    """

    model: str
    data: (
        str
        | Annotated[list[str], Several]
        | Annotated[dict[str, Share], Field(min_length=1)]
        | None
    ) = None
    reference: str | None = None
    lora: Lora | Literal["none"] | Annotated[list[Lora], Several] = Lora()
    learning_rate: float | Annotated[list[float], Several] = 2e-4
    epochs: int | Annotated[list[int], Several] = 1
    seed: int | Annotated[list[int], Several] | None = None
    seeds: int | None = Field(default=None, ge=1)

    @property
    def sets(self) -> dict[str, float | None]:
        """The data sets that are named, each with its share where shares are given."""
        if self.data is None:
            return {}
        return dict.fromkeys([self.data] if isinstance(self.data, str) else self.data) | (
            self.data if isinstance(self.data, dict) else {}
        )


# ------------------------------------------------------------------ pairs of replies


class _Sampled(Part):
    """What a model says to the training examples of the data that `from` names."""

    examples: str = Field(alias="from")
    model: str
    prompt: str = "direct"
    samples: int = Field(default=8, ge=1)
    temperature: float = Field(default=0.8, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=512, ge=1)
    precision: Literal["float32", "bfloat16", "float16", "nf4"] = "float32"
    limit: int | None = Field(default=None, ge=1)


class Pairs(_Sampled):
    """Pairs of a better and a worse reply, from what a model says to training examples.

    `passes` and `fails` are the model's own replies as the tests judge them, `gold` is the known
    answer, `own` whatever the model said that isn't the gold answer.
    """

    chosen: Literal["passes", "gold"] = "passes"
    rejected: Literal["fails", "own"] = "fails"
    per_prompt: int = Field(default=2, ge=1)

    @property
    def models(self) -> tuple[str, ...]:
        """Who is asked."""
        return (self.model,)


class Critiqued(_Sampled):
    """Pairs of a revision and the draft before it: `model` drafts, and `critic` revises.

    Drafts answer the training examples of `write` in the data that `from` names; the pairs are
    examples of `prefer`. With `tested` a revision must pass the tests of its example, and where it
    is better by correctness the draft must fail one. `alike` is how alike two pairs' changes may
    be, none for any.
    """

    critic: str
    critic_prompt: str = "direct"
    critic_temperature: float = Field(default=0.0, ge=0)
    critic_tokens: int = Field(default=1024, ge=1)
    tested: bool = False
    alike: Annotated[float, Field(ge=0.5, le=1)] | None = 0.8
    licences: list[str] | None = None

    @property
    def models(self) -> tuple[str, ...]:
        """Who is asked: the drafter, then the critic."""
        return (self.model, self.critic)

    @property
    def draft(self) -> Answering:
        """How the drafter is asked."""
        return Answering(**self.model_dump(include=set(Answering.model_fields)))

    @property
    def criticise(self) -> Answering:
        """How the critic is asked."""
        return Answering(
            model=self.critic,
            prompt=self.critic_prompt,
            temperature=self.critic_temperature,
            max_tokens=self.critic_tokens,
            precision=self.precision,
        )


def _maker(entry: Any) -> str:
    """Who makes the pairs of an entry: a critic, or the tests that replies go through."""
    critic = entry.get("critic") if isinstance(entry, dict) else getattr(entry, "critic", None)
    return "replies" if critic is None else "critiques"


MadePairs = Annotated[
    Annotated[Pairs, Tag("replies")] | Annotated[Critiqued, Tag("critiques")], Discriminator(_maker)
]
"""An entry of `pairs`; one that names a `critic` has it revise what a drafter writes."""


# ------------------------------------------------------------------ a model that picks


class BestOf(Part):
    """A model that picks the best of another's answers: how often its pick passes, for 1 to N.

    `from` names data with examples of `task`, `model` answers each of them `samples` times, and
    `judge` picks, in one of its ways, by a `criterion`. `limit` is of examples.
    """

    examples: str = Field(alias="from")
    task: str = "repair"
    model: str
    prompt: str = "direct"
    samples: int = Field(default=8, ge=2, le=64)
    temperature: float = Field(default=0.8, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=512, ge=1)
    precision: Literal["float32", "bfloat16", "float16", "nf4"] = "float32"
    judge: str
    way: Literal["auto", "generate", "choice", "reward", "likelihood", "likelihood-normalised"] = (
        "auto"
    )
    judge_tokens: int = Field(default=1024, ge=1)
    criterion: str = "correctness"
    claim: Claim = "these"
    limit: int | None = Field(default=None, ge=1)


# ------------------------------------------------------------------ who answers, and the comparison


class Answering(Part):
    """A model with a way of asking it: one row of the table.

    With `guard` the task withholds by rule what its user must not see.
    """

    model: str
    data: str | None = None
    prompt: str = "direct"
    shots: int = Field(default=0, ge=0)
    context: int | None = Field(default=None, ge=16)
    temperature: Temperature = 0.0
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=512, ge=1)
    samples: int = Field(default=1, ge=1)
    precision: Literal["float32", "bfloat16", "float16", "nf4"] = "float32"
    guard: bool = False


class Judging(Part):
    """A model that is asked which of two replies is better, and how.

    `ask` has it write its reasons and a verdict, `choice` reads its probabilities of A and of B,
    `reward` its number for each reply. `rubric` asks of each reply alone which `attributes` hold,
    each a name and its question. `form` is how a verdict is written.
    """

    model: str
    way: Literal["ask", "choice", "reward", "rubric"] = "ask"
    form: Literal["json", "published"] = "json"
    attributes: dict[Attribute, Annotated[str, Field(min_length=1)]] = Field(default={})
    criterion: str | None = None
    scores: bool = False
    repeats: float = Field(default=0.0, ge=0, le=1)
    tests: bool = False
    known: int = Field(default=50, ge=10)
    max_tokens: int = Field(default=1024, ge=1)
    temperature: Temperature = 0.0
    precision: Literal["float32", "bfloat16", "float16", "nf4"] = "float32"


class Compared(Part):
    """One table: whose answers stand in it, against whom, what is claimed, and who judges."""

    answers: list[str] = Field(min_length=1)
    tasks: Tasks = None
    floors: list[str] = Field(default=[])
    against: list[str] = Field(min_length=1)
    claim: Claim = "these"
    margin: float = Field(default=0.05, gt=0)
    slices: str | Annotated[list[str], Field(min_length=1)] | None = None
    judges: list[str] = Field(default=[])
    judge_against: str | None = None
    ties: Ties = "half"
    leave_out_family: bool = False
    people: str | None = None

    @property
    def fields(self) -> list[str]:
        """The fields by whose values examples are told apart."""
        return [self.slices] if isinstance(self.slices, str) else self.slices or []
