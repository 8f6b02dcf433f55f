"""Studies of what somebody published: nothing is asked.

Of rates only intervals are told; outputs are scored anew, and held against the published cells.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

import yaml
from pydantic import Field, model_validator

from outdo.study.part import Name, Part
from outdo.study.similarity import Similarity


class PublishedRow(Part):
    """One row of a published table: a rate, or a count, of `n` items if not the table's own."""

    rate: Annotated[float, Field(ge=0, le=1)] | None = None
    count: int | None = Field(default=None, ge=0)
    n: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.rate is None) == (self.count is None):
            raise ValueError("a row has a rate or a count, and not both")
        return self


class PublishedTable(Part):
    """Rates that stand together: of how many items each is, and where they were published."""

    n: int | None = Field(default=None, ge=1)
    source: str = ""
    digits: int = Field(default=3, ge=1, le=6)
    rows: dict[Name, PublishedRow] = Field(min_length=1)

    @model_validator(mode="after")
    def _of_items(self) -> Self:
        for name, row in self.rows.items():
            n = row.n or self.n
            if n is None:
                raise ValueError(f"{name!r} must say of how many items it is: set n")
            if row.count is not None and row.count > n:
                raise ValueError(f"{name!r}: {row.count} of {n} is no rate")
        return self

    def counts(self, name: str) -> tuple[float, int]:
        """(successes, items) of a row; successes needn't be whole where a rate was published."""
        row = self.rows[name]
        n = row.n or self.n or 1
        return (row.rate * n if row.rate is not None else float(row.count or 0)), n

    def is_whole(self, name: str) -> bool:
        """Whether some whole count of the items gives the published rate, rounded as it was."""
        rate = self.rows[name].rate
        successes, n = self.counts(name)
        return rate is None or round(round(successes) / n, self.digits) == round(rate, self.digits)


class PublishedStudy(Part):
    """A whole study of published rates, as its file spells it."""

    study: Name
    about: str = ""
    published: dict[Name, PublishedTable] = Field(min_length=1)

    def dump(self) -> str:
        """The study as YAML, ready to be run again."""
        data = self.model_dump(mode="json", exclude_none=True)
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)


# ------------------------------------------------------------------ outputs, scored anew

Statistic = Literal[
    "mean", "median", "variance", "sd", "corpus", "ngrams", "weighted_ngrams", "syntax", "dataflow"
]
"""What is told of a metric: of its items (the variance is divided by n), or of all texts at once.

The last four are the parts of CodeBLEU over all texts.
"""

Likeness = Literal[
    "bleu",
    "codebleu",
    "codebleu_compat",
    "bertscore_precision",
    "bertscore_recall",
    "bertscore_f1",
    "bertscore_f3",
    "codebertscore_precision",
    "codebertscore_recall",
    "codebertscore_f1",
    "codebertscore_f3",
]
"""Metrics that hold a text against its reference, of which cells may have been published."""

OF_ITEMS: tuple[Statistic, ...] = get_args(Statistic)[:4]
OF_ALL: dict[str, tuple[Statistic, ...]] = {
    "bleu": ("corpus",),
    "codebleu": get_args(Statistic)[4:],
    "codebleu_compat": get_args(Statistic)[4:],
}
"""Metric to what is told of all texts at once; of others there is nothing but the items."""


class PublishedCells(Part):
    """What was published of a metric, rounded to `digits`: contestant to statistic to value.

    A value no farther off than `within` counts as near; `because` says why so much is allowed.
    """

    digits: int = Field(default=3, ge=1, le=6)
    within: float = Field(default=0.0, ge=0, lt=1)
    because: str = ""
    cells: dict[Name, dict[Statistic, float]] = Field(min_length=1)

    @model_validator(mode="after")
    def _because_of_something(self) -> Self:
        if self.within and not self.because:
            raise ValueError("say in because why so much is allowed")
        return self


class Outputs(Part):
    """A file of stored outputs: which fields hold what, and what was published of them.

    `contestants` maps a name to the field of its outputs. A field within a field is spelt with a
    point. `against` names the one that the others are compared with, the first if none.
    """

    path: str
    id: str = "id"
    instruction: str = "instruction"
    input: str = "input"
    reference: str = "reference"
    contestants: dict[Name, str] = Field(min_length=1)
    against: str | None = None
    margin: float = Field(default=0.05, gt=0)
    source: str = ""
    published: dict[Likeness, PublishedCells] = Field(default={})

    @model_validator(mode="after")
    def _of_contestants(self) -> Self:
        named = {self.against} if self.against else set()
        named |= {name for one in self.published.values() for name in one.cells}
        if unknown := sorted(named - self.contestants.keys()):
            known = ", ".join(self.contestants)
            raise ValueError(f"there is no contestant {unknown[0]!r}: known are {known}")
        for metric, one in self.published.items():
            told = {*OF_ITEMS, *OF_ALL.get(metric, ())}
            asked = {statistic for cells in one.cells.values() for statistic in cells}
            if strange := sorted(asked - told):
                raise ValueError(f"{metric} has no {strange[0]}")
        return self

    @property
    def reference_contestant(self) -> str:
        """Whom the others are compared with."""
        return self.against or next(iter(self.contestants))


class OutputsStudy(Part):
    """A whole study of published outputs, as its file spells it."""

    study: Name
    about: str = ""
    data_root: str = "."
    similarity: Similarity | None = None
    outputs: dict[Name, Outputs] = Field(min_length=1)

    def dump(self) -> str:
        """The study as YAML, ready to be run again."""
        data = self.model_dump(mode="json", exclude_none=True)
        return yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
