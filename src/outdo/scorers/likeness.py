"""How like its reference a program is, as scores: what it would cost to make one of the other.

Likeness is not correctness: in published data it goes with the effort of editing far more than with
whether a program is right, so that all of it stands under the heading of that effort.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from outdo.errors import MissingExtra
from outdo.records import Metric, Score
from outdo.scorers import bertscore, bleu, codebleu, edit

HEADING = "Edit effort"
CORRELATION = {"correctness": 0.16, "editing effort": 0.72}
"""What similarity to a reference correlates with, and how much, as it was published."""

TOLD = "likeness, not correctness: published correlation " + ", ".join(
    f"{value:.2f} with {what}" for what, value in CORRELATION.items()
)


def _metric(name: str, title: str, about: str) -> Metric:
    return Metric(
        name=name,
        heading=f"{HEADING}, {title}",
        better="higher",
        unit="share",
        about=f"{about}; {TOLD}",
        least=0.0,
    )


EDITS = Metric(
    name="edits",
    heading=f"{HEADING}, tokens",
    better="lower",
    unit="tokens",
    about="token edits from the program to the reference: effort, not correctness",
    least=0.0,
)
BLEU = _metric("bleu", "BLEU", "sentence BLEU of the program against the reference")
CODEBLEU = _metric("codebleu", "CodeBLEU", "CodeBLEU of the program against the reference")
COMPAT = _metric(
    "codebleu_compat",
    "CodeBLEU as published",
    "CodeBLEU as the package computes it, for numbers that were published with it",
)

VECTORED: Mapping[bertscore.Form, str] = {"text": "BERTScore", "code": "CodeBERTScore"}
"""Form of the similarity of vectors to what it is called."""

_PARTS = {
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "f3": "F3",
}


def vectored(form: bertscore.Form) -> tuple[Metric, ...]:
    """The metrics of BERTScore or CodeBERTScore: precision, recall, F1 and F3."""
    called = VECTORED[form]
    return tuple(
        _metric(
            f"{called.lower()}_{part}",
            f"{called} {title}",
            f"{title} of the nearest tokens in a model's vectors",
        )
        for part, title in _PARTS.items()
    )


def _trees(form: codebleu.Form) -> str | None:
    """What CodeBLEU depends on; None where the parsers of the extra `code` aren't installed."""
    try:
        return codebleu.signature(language="python", form=form)
    except MissingExtra:
        return None


TREES, TREES_COMPAT = _trees("fixed"), _trees("compat")

Scorer = Callable[[str, str], float]


def _codebleu(form: codebleu.Form) -> Scorer:
    return lambda candidate, reference: (
        codebleu.codebleu(
            candidate=candidate, reference=reference, language="python", form=form
        ).score
    )


SCORERS: dict[str, Scorer] = {
    "edits": lambda candidate, reference: float(
        edit.token_distance(before=candidate, after=reference)
    ),
    "bleu": lambda candidate, reference: bleu.sentence_bleu(
        candidate=candidate, reference=reference
    ),
    "codebleu": _codebleu("fixed"),
    "codebleu_compat": _codebleu("compat"),
}
"""Metric to its number of a candidate and its reference, in this order."""

SIGNATURES: dict[str, str | None] = {
    "edits": f"edits|{edit.SIGNATURE}",
    "bleu": f"bleu|{bleu.signature()}",
    "codebleu": TREES,
    "codebleu_compat": TREES_COMPAT,
}
"""Metric to what its numbers depend on; None where a library is missing."""


def scores(
    metrics: Sequence[Metric], *, candidate: str, reference: str, version: str = ""
) -> list[Score]:
    """The scores of one program; a metric whose library isn't installed has none.

    `version` is that of whoever asks, and stands at the end of each signature.
    """
    return [
        Score(
            metric=metric.name,
            by=by + version,
            value=SCORERS[metric.name](candidate, reference),
        )
        for metric in metrics
        if (by := SIGNATURES[metric.name]) is not None
    ]


def by_vectors(
    *,
    candidates: Sequence[str],
    references: Sequence[str],
    encoder: bertscore.Encoder,
    form: bertscore.Form,
    contexts: Sequence[str] | None = None,
) -> list[tuple[Score, ...]]:
    """BERTScore or CodeBERTScore of each program, as the scores of `vectored(form)`.

    Numbers are held within 0 and 1, from which rounding, or vectors that point apart, may lead out.
    A program over the model's window, and one without a text, say so in `because`.
    """
    by = bertscore.signature(encoder, form=form, context=contexts is not None)
    found = bertscore.similarity(
        candidates=candidates, references=references, encoder=encoder, form=form, contexts=contexts
    )
    return [
        tuple(
            Score(metric=metric.name, by=by, value=_held(one, part), because=_because(one))
            for metric, part in zip(vectored(form), _PARTS, strict=True)
        )
        for one in found
    ]


def _because(one: bertscore.Similarity) -> str:
    return one.because or (f"read in {one.windows} windows" if one.windows > 1 else "")


def _held(one: bertscore.Similarity, part: str) -> float:
    value: float = getattr(one, part)
    return min(1.0, max(0.0, value))
