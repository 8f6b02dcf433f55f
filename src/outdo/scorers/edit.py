"""How much a repair changes: the Levenshtein distance in tokens of code."""

from __future__ import annotations

from outdo import tokens

SIGNATURE = tokens.SIGNATURE
"""The tokenizer, its version, and the distance."""


def token_distance(*, before: str, after: str) -> int:
    """The fewest tokens to insert, delete or replace that turn `before` into `after`.

    Comments, blank lines and blanks within a line cost nothing; the indent of a line is one token.
    """
    return tokens.distance(before, after)
