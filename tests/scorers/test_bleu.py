"""BLEU is NLTK's and sacreBLEU's, and the published table's, to the last digit that they have."""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Callable
from typing import Any, get_args

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate import bleu_score

from outdo.errors import DataError
from outdo.scorers import bleu

METHODS = {
    "none": "method0",
    "epsilon": "method1",
    "add-one": "method2",
    "halving": "method3",
    "short": "method4",
}
WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "="]), max_size=14).map(" ".join)
TEXTS = st.text(alphabet=st.sampled_from("ab 1.,-&;\n\t\"'()<>éß\r\x00\ud800"), max_size=40)


def nltk_sentence(
    candidate: str,
    reference: str,
    smoothing: str = "none",
    weights: tuple[float, ...] = (0.25,) * 4,
) -> float:
    smooth = getattr(bleu_score.SmoothingFunction(), METHODS[smoothing])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = bleu_score.sentence_bleu([reference.split()], candidate.split(), weights, smooth)
    return float(found)


@pytest.mark.parametrize("step", [11, pytest.param(1, marks=pytest.mark.slow)])
def test_two_thousand_real_pairs_score_as_with_nltk(
    step: int, pairs: list[tuple[str, str]]
) -> None:
    for candidate, reference in pairs[::step]:
        ours = bleu.sentence_bleu(candidate=candidate, reference=reference)
        assert ours == nltk_sentence(candidate, reference)


@pytest.mark.parametrize("smoothing", get_args(bleu.Smoothing))
def test_every_smoothing_is_nltks_on_real_pairs(
    smoothing: bleu.Smoothing, pairs: list[tuple[str, str]]
) -> None:
    for candidate, reference in pairs[:2000:40]:
        ours = bleu.sentence_bleu(candidate=candidate, reference=reference, smoothing=smoothing)
        theirs = nltk_sentence(candidate, reference, smoothing)
        assert ours == pytest.approx(theirs, rel=1e-14)


@given(WORDS, WORDS, st.sampled_from(get_args(bleu.Smoothing)), st.integers(1, 5))
def test_small_alphabets_score_as_with_nltk(
    candidate: str, reference: str, smoothing: bleu.Smoothing, orders: int
) -> None:
    weights = (1 / orders,) * orders
    ours = bleu.sentence_bleu(
        candidate=candidate, reference=reference, smoothing=smoothing, weights=weights
    )
    assert ours == pytest.approx(nltk_sentence(candidate, reference, smoothing, weights), rel=1e-14)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_a_corpus_scores_as_with_nltk(rows: list[tuple[str, str]]) -> None:
    candidates, references = [one for one, _ in rows], [other for _, other in rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = bleu_score.corpus_bleu(
            [[r.split()] for r in references], [c.split() for c in candidates]
        )
    assert bleu.corpus_bleu(candidates=candidates, references=references) == theirs


def test_real_pairs_score_as_with_sacrebleu(pairs: list[tuple[str, str]]) -> None:
    metric = sacrebleu.BLEU(effective_order=True)
    for candidate, reference in pairs[::25]:
        theirs = metric.sentence_score(candidate, [reference]).score / 100
        ours = bleu.sacre_sentence_bleu(candidate=candidate, reference=reference)
        assert ours == pytest.approx(theirs, rel=1e-12)
    candidates, references = zip(*pairs[::25], strict=True)
    theirs = sacrebleu.corpus_bleu(list(candidates), [list(references)]).score / 100
    ours = bleu.sacre_corpus_bleu(candidates=candidates, references=references)
    assert ours == pytest.approx(theirs, rel=1e-12)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3))
def test_any_text_scores_as_with_sacrebleu(rows: list[tuple[str, str]]) -> None:
    metric = sacrebleu.BLEU(effective_order=True)
    for candidate, reference in rows:
        theirs = metric.sentence_score(candidate, [reference]).score / 100
        ours = bleu.sacre_sentence_bleu(candidate=candidate, reference=reference)
        assert ours == pytest.approx(theirs, rel=1e-12)
    candidates, references = [one for one, _ in rows], [other for _, other in rows]
    theirs = sacrebleu.BLEU().corpus_score(candidates, [references]).score / 100
    ours = bleu.sacre_corpus_bleu(candidates=candidates, references=references)
    assert ours == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(
    ("model", "published"),
    [
        ("base", (0.231, 0.101, 0.083, 0.288)),
        ("sft", (0.227, 0.117, 0.087, 0.295)),
        ("dpo", (0.074, 0.000, 0.021, 0.144)),
    ],
)
def test_the_published_table_comes_out(
    model: str, published: tuple[float, ...], thesis: list[dict[str, Any]]
) -> None:
    """Mean, median, variance and standard deviation of three models, to three digits."""
    scores = [
        bleu.sentence_bleu(candidate=row["outputs"][model], reference=row["reference"])
        for row in thesis
    ]
    told: list[Callable[[list[float]], float]] = [
        statistics.fmean,
        statistics.median,
        statistics.pvariance,
        statistics.pstdev,
    ]
    assert tuple(round(one(scores), 3) for one in told) == published


ODD = ["", " \n\t", "\x00", "\ud800 \udfff", "é ß 語", "a " * 20_000, "[" * 400]


@pytest.mark.parametrize("candidate", ODD)
@pytest.mark.parametrize("reference", ODD)
def test_odd_texts_have_a_score(candidate: str, reference: str) -> None:
    scores = [
        bleu.sentence_bleu(candidate=candidate, reference=reference),
        bleu.sacre_sentence_bleu(candidate=candidate, reference=reference),
        bleu.corpus_bleu(candidates=[candidate], references=[reference]),
        bleu.sacre_corpus_bleu(candidates=[candidate], references=[reference]),
    ]
    assert all(math.isfinite(score) and 0 <= score <= 1 + 1e-12 for score in scores)
    if not candidate.strip() or not reference.strip():
        assert scores == [0.0] * 4


def test_no_texts_score_nothing_and_lists_must_be_alike() -> None:
    assert bleu.corpus_bleu(candidates=[], references=[]) == 0
    assert bleu.sacre_corpus_bleu(candidates=[], references=[]) == 0
    for corpus in (bleu.corpus_bleu, bleu.sacre_corpus_bleu):
        with pytest.raises(DataError, match="1 candidates and 2 references"):
            corpus(candidates=["a"], references=["a", "b"])


def test_candidate_and_reference_cannot_be_swapped_by_mistake() -> None:
    with pytest.raises(TypeError):
        bleu.sentence_bleu("a", "b")  # type: ignore[misc]


def test_a_signature_names_whatever_changes_the_number() -> None:
    assert bleu.signature() == (
        "bleu|form:nltk|tok:whitespace|smooth:none|weights:0.25,0.25,0.25,0.25|v1"
    )
    other = bleu.signature(tokenizer="13a", smoothing="epsilon", weights=(0.5, 0.5))
    assert other == "bleu|form:nltk|tok:13a|smooth:epsilon|weights:0.5,0.5|v1"
    assert "tok:13a|smooth:exp" in bleu.SACRE_SIGNATURE
