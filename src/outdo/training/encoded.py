"""Rows as token ids, made once for all runs of a sweep that read them alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from outdo.models.chat import Chat
from outdo.models.reference import ModelReference
from outdo.records import digest
from outdo.training import preflight
from outdo.training.method import Method
from outdo.training.preflight import Row, Rows
from outdo.training.settings import Settings

KEPT = 2
"""Sets of rows that are kept: those that are learnt from, and those held out."""

_encoded: dict[str, Rows] = {}


def encoded_rows(
    given: Sequence[Row],
    *,
    base: ModelReference,
    method: Method[Any],
    chat: Chat,
    settings: Settings,
) -> Rows:
    """The rows as `preflight.rows` checks and encodes them, or did so for the run before."""
    reading = [base.bottom.digest, settings.method, settings.max_length, settings.longer]
    place = digest([*reading, list(given)])
    found = _encoded.pop(place, None)
    if found is None:
        found = preflight.rows(given, method=method, chat=chat, settings=settings)
    _encoded[place] = found
    while len(_encoded) > KEPT:
        del _encoded[next(iter(_encoded))]
    return found
