"""Vectors of a model of language: those of a token hang on what stands before it, and no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import outdo
from outdo.engines.encoder import BertEncoder
from outdo.errors import ModelError
from outdo.scorers.bertscore import similarity

SEEDLING = Path(outdo.__file__).parent / "embedded" / "seedling"


@pytest.fixture(scope="module")
def encoder() -> BertEncoder:
    return BertEncoder(SEEDLING, name="seedling", layer=2, precision="float32", window=64)


def test_a_model_of_language_gives_the_vectors_of_a_layer(encoder: BertEncoder) -> None:
    assert encoder.layer == 2 and "model:seedling|layer:2" in encoder.signature
    texts = ["x = 1", "def f(a):\n    return a + 1\n"]
    alone = [encoder.encode([text])[0] for text in texts]
    together = encoder.encode(texts)
    for one, other in zip(alone, together, strict=True):
        assert one.vectors.shape[0] == len(one.tokens) > 2
        np.testing.assert_allclose(np.linalg.norm(one.vectors, axis=1), 1, atol=1e-5)
        np.testing.assert_allclose(one.vectors, other.vectors, atol=1e-5)


def test_what_comes_after_changes_nothing_before(encoder: BertEncoder) -> None:
    short, long = encoder.encode(["a = b + c", "a = b + c\nprint(a)"])
    kept = len(short.tokens) - 1
    np.testing.assert_allclose(short.vectors[:kept], long.vectors[:kept], atol=1e-5)


def test_its_similarity_is_one_of_equal_texts_and_texts_over_the_window_are_read(
    encoder: BertEncoder,
) -> None:
    text = "\n".join(f"value_{n} = {n} * {n}" for n in range(40))
    same, other = similarity(
        candidates=[text, "import os"], references=[text, "x = [1, 2]"], encoder=encoder
    )
    assert same.f1 == pytest.approx(1, abs=1e-5) and same.windows > 1
    assert other.f1 < same.f1


def test_a_layer_that_it_has_not_is_told() -> None:
    with pytest.raises(ModelError, match="no layer 9"):
        BertEncoder(SEEDLING, name="seedling", layer=9, precision="float32")
