"""BERTScore and CodeBERTScore: how near the tokens of two texts are in a model's vectors.

Each token is matched with the nearest of the other text (Zhang et al. 2020, equations 1 to 4);
CodeBERTScore (Zhou et al. 2023) leaves out punctuation, adds F3, and may read both texts behind
their context. Vectors are handed in: nothing here knows of a model.
"""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from outdo.errors import DataError

if TYPE_CHECKING:
    import numpy as np

Form = Literal["text", "code"]
"""What counts: all tokens (BERTScore), or those that aren't punctuation alone (CodeBERTScore)."""

VERSION = 1
_PUNCTUATION = frozenset(string.punctuation) - frozenset("+-*/&|~")
_BLANKS = "\u0120\u010a\u0109"
"""How byte-level tokenizers write a blank, a line feed and a tab."""


class Vectors(Protocol):
    """The tokens of one text, and the vector of each, of length 1, as the rows of an array.

    `special` marks tokens that every text has, as those at its ends: they can be matched, and
    weigh nothing. `windows` is 1 unless the text was too long to be read at once.
    """

    @property
    def ids(self) -> Sequence[int]: ...
    @property
    def tokens(self) -> Sequence[str]: ...
    @property
    def special(self) -> Sequence[bool]: ...
    @property
    def vectors(self) -> np.ndarray[Any, Any]: ...
    @property
    def windows(self) -> int: ...


class Encoder(Protocol):
    """Who turns texts into vectors."""

    @property
    def signature(self) -> str:
        """The model, its layer, the precision and the versions."""
        ...

    def encode(self, texts: Sequence[str], *, contexts: Sequence[str] | None) -> Sequence[Vectors]:
        """The vectors of each text, read behind its context where there are some."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """Precision, recall and their means; `windows` is the most that either text was read in."""

    precision: float
    recall: float
    f1: float
    f3: float
    windows: int
    because: str = ""


NOTHING = Similarity(precision=0.0, recall=0.0, f1=0.0, f3=0.0, windows=0, because="empty text")


def signature(
    encoder: Encoder,
    *,
    form: Form = "text",
    idf: bool = False,
    baseline: float | None = None,
    context: bool = False,
) -> str:
    """What the numbers of `similarity` depend on."""
    name = "codebertscore" if form == "code" else "bertscore"
    told = "no" if baseline is None else f"{baseline:g}"
    return (
        f"{name}|{encoder.signature}|idf:{_word(idf)}|baseline:{told}|punct:{_word(form == 'text')}"
        f"|context:{_word(context)}|v{VERSION}"
    )


def _word(said: bool) -> str:
    return "yes" if said else "no"


def similarity(
    *,
    candidates: Sequence[str],
    references: Sequence[str],
    encoder: Encoder,
    form: Form = "text",
    idf: bool = False,
    baseline: float | None = None,
    contexts: Sequence[str] | None = None,
) -> tuple[Similarity, ...]:
    """How near each candidate is to its reference.

    `idf` weighs tokens by their rarity among the references: log((n + 1) / (number with it + 1)).
    `baseline` b makes x into (x - b) / (1 - b). A text without anything but blanks, or with
    nothing that counts, scores 0.
    """
    if len(candidates) != len(references):
        raise DataError(f"{len(candidates)} candidates and {len(references)} references")
    if contexts is not None and len(contexts) != len(candidates):
        raise DataError(f"{len(candidates)} candidates and {len(contexts)} contexts")
    if baseline is not None and not baseline < 1:
        raise DataError(
            f"a baseline of {baseline:g}", "it is the score of unrelated texts: below 1"
        )
    both = [*candidates, *references]
    around = None if contexts is None else [*contexts, *contexts]
    encoded = encoder.encode(both, contexts=around)
    said, wanted = encoded[: len(candidates)], encoded[len(candidates) :]
    weights = _rarity(wanted) if idf else None
    unseen = math.log(len(references) + 1)
    return tuple(
        _pair(one, other, form, weights, unseen, baseline)
        if candidate.strip() and reference.strip()
        else NOTHING
        for candidate, reference, one, other in zip(
            candidates, references, said, wanted, strict=True
        )
    )


def mean(scores: Sequence[Similarity]) -> Similarity:
    """The score of a corpus: the mean of its pairs; of none, 0."""
    if not scores:
        return NOTHING
    n = len(scores)
    return Similarity(
        precision=math.fsum(one.precision for one in scores) / n,
        recall=math.fsum(one.recall for one in scores) / n,
        f1=math.fsum(one.f1 for one in scores) / n,
        f3=math.fsum(one.f3 for one in scores) / n,
        windows=max(one.windows for one in scores),
    )


def _rarity(references: Sequence[Vectors]) -> dict[int, float]:
    """Token to its inverse document frequency among the references."""
    holding = Counter(id_ for one in references for id_ in set(one.ids))
    n = len(references)
    return {id_: math.log((n + 1) / (times + 1)) for id_, times in holding.items()}


def _pair(
    candidate: Vectors,
    reference: Vectors,
    form: Form,
    weights: Mapping[int, float] | None,
    unseen: float,
    baseline: float | None,
) -> Similarity:
    said, mine = _counting(candidate, form, weights, unseen)
    wanted, theirs = _counting(reference, form, weights, unseen)
    if not math.fsum(mine) > 0 or not math.fsum(theirs) > 0:
        return NOTHING
    near = _rows(candidate, said) @ _rows(reference, wanted).T
    precision = float(near.max(axis=1) @ mine) / math.fsum(mine)
    recall = float(near.max(axis=0) @ theirs) / math.fsum(theirs)
    f1 = _f(precision, recall, 1)
    f3 = _f(precision, recall, 3)
    if baseline is not None:
        precision, recall, f1, f3 = (
            (x - baseline) / (1 - baseline) for x in (precision, recall, f1, f3)
        )
    return Similarity(
        precision=precision,
        recall=recall,
        f1=f1,
        f3=f3,
        windows=max(candidate.windows, reference.windows),
    )


def _rows(text: Vectors, places: list[int]) -> np.ndarray[Any, Any]:
    return text.vectors if len(places) == len(text.vectors) else text.vectors[places]


def _f(precision: float, recall: float, beta: int) -> float:
    """The mean in which recall weighs beta² times; 0 where it has no value."""
    below = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / below if below > 0 else 0.0


def _counting(
    text: Vectors, form: Form, weights: Mapping[int, float] | None, unseen: float
) -> tuple[list[int], list[float]]:
    """The places of the tokens that are matched, and what each weighs."""
    kept = [
        place
        for place, token in enumerate(text.tokens)
        if form == "text" or not is_punctuation(token)
    ]
    if all(text.special[place] for place in kept):
        return kept, [0.0] * len(kept)
    if weights is None:
        return kept, [0.0 if text.special[place] else 1.0 for place in kept]
    return kept, [weights.get(text.ids[place], unseen) for place in kept]


def is_punctuation(token: str) -> bool:
    """Whether a token is nothing but marks and blanks; operators are none."""
    return all(mark in _PUNCTUATION for mark in token.strip(_BLANKS))
