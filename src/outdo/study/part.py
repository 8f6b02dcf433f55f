"""What every section of a study file is: a frozen mapping that refuses keys it doesn't know."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[
    str, Field(min_length=1, max_length=80, pattern=r"^[^./\\\x00-\x1f][^/\\\x00-\x1f]*$")
]

Several = Field(min_length=1)
"""A list that makes one run of each of its values, and so must have one."""


class Part(BaseModel):
    """A section of a study, or an entry of one."""

    model_config = ConfigDict(extra="forbid", frozen=True)
