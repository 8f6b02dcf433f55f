"""How alike two titles are."""

from __future__ import annotations

import re
from collections import Counter

SIGNATURE = "token-f1,lower"

_WORD = re.compile(r"\w+")


def token_f1(*, said: str, authors: str) -> float:
    """F1 of the words that two texts share, as bags, letters lowered (SQuAD's, Rajpurkar 2016).

    Articles count. Two texts without words are alike.
    """
    one, other = (Counter(_WORD.findall(words.lower())) for words in (said, authors))
    if not one or not other:
        return float(one == other)
    common = (one & other).total()
    return 2 * common / (one.total() + other.total())
