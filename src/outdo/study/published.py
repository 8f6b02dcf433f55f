"""A study of rates that somebody published: nothing is asked, only intervals are told."""

from __future__ import annotations

from typing import Annotated, Self

import yaml
from pydantic import Field, model_validator

from outdo.study.part import Name, Part


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
