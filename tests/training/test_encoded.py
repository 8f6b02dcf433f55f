"""A sweep encodes its rows once; whatever is read otherwise is encoded anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import tiny
from outdo.models.chat import Chat
from outdo.models.reference import ModelReference, resolve
from outdo.training import Settings, preflight
from outdo.training.encoded import encoded_rows
from outdo.training.sft import Sft


@pytest.fixture
def base(llama_folder: Any, tmp_path: Any) -> ModelReference:
    return resolve(str(llama_folder), runs=tmp_path)


def test_rows_are_encoded_once(base: ModelReference, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    plain = preflight.rows

    def counted(given: Any, **how: Any) -> preflight.Rows:
        made.append(len(given))
        return plain(given, **how)

    monkeypatch.setattr(preflight, "rows", counted)
    settings, chat = Settings(), Chat(tiny.tokenizer())

    def encoded(rows: Any, settings: Settings) -> preflight.Rows:
        return encoded_rows(rows, base=base, method=Sft(settings), chat=chat, settings=settings)

    rows, others = tiny.talks(5), tiny.talks(2)
    first = encoded(rows, settings)
    encoded(others, settings)
    assert encoded(rows, replace(settings, learning_rate=1e-5, seed=7)) is first
    assert made == [5, 2]
    assert encoded(rows, replace(settings, max_length=40)).dropped > 0
    encoded(tiny.talks(3), settings)
    assert made == [5, 2, 5, 3]
    assert encoded(rows, settings).trees == first.trees
    assert made == [5, 2, 5, 3, 5]
