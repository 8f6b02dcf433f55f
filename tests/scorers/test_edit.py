from __future__ import annotations

import pytest

from outdo import tokens
from outdo.scorers import edit


def test_the_distance_counts_tokens_of_code() -> None:
    before = "def f(x):\n    return x - 1  # wrong\n"
    assert edit.token_distance(before=before, after="def f(x):\n\n    return x + 1") == 1
    assert edit.token_distance(before=before, after=before) == 0
    assert edit.SIGNATURE == tokens.SIGNATURE


def test_before_and_after_cannot_be_swapped_by_mistake() -> None:
    with pytest.raises(TypeError):
        edit.token_distance("a", "b")  # type: ignore[misc]
