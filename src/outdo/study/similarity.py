"""How near programs are to their references in a model's vectors, as a study asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, model_validator

from outdo.study.part import Part

Form = Literal["text", "code"]


class Encoding(Part):
    """A model whose vectors are compared: its layer (the last), its window, its precision.

    With `context` both texts are read behind the instruction, which is not compared itself.
    """

    model: str = Field(min_length=1)
    layer: int | None = Field(default=None, ge=1)
    window: int | None = Field(default=None, ge=8)
    precision: Literal["auto", "float32", "bfloat16"] = "float32"
    context: bool = False


class Similarity(Part):
    """BERTScore and CodeBERTScore, each by a model, or by one that more is said of."""

    bertscore: str | Encoding | None = None
    codebertscore: str | Encoding | None = None

    @model_validator(mode="after")
    def _of_some_model(self) -> Self:
        if self.bertscore is None and self.codebertscore is None:
            raise ValueError("name a model, as in bertscore: hf/organisation/name")
        return self

    def forms(self) -> Iterator[tuple[Form, Encoding]]:
        """What is asked for: all tokens, or those of code alone, and by which model."""
        said: tuple[tuple[Form, str | Encoding | None], ...] = (
            ("text", self.bertscore),
            ("code", self.codebertscore),
        )
        for form, one in said:
            if one is not None:
                yield form, Encoding(model=one) if isinstance(one, str) else one
