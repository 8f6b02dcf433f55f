"""Secrets and addresses out of many versions of the same files, most of which were seen before.

`secrets.scrub` decides, and reads some megabytes a second. A version of a file is its neighbour but
for a few lines; so a text is taken in parts that begin where its content says, and only parts that
are new are read. What has a secret goes through `secrets.scrub` as a whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from outdo import secrets

LINES = 12
"""About how many lines a part has."""

BEFORE = 6
"""Lines before a part that are read with it: none of the rules looks further back than that."""

REMEMBERED = 200_000
"""Parts that are remembered as clean, about 20 MB; the older half goes when there are more."""

_BETWEEN = "\n\x00\n"


@dataclass(slots=True)
class Scrubber:
    """Takes secrets and e-mail addresses out of texts, and remembers what had none."""

    _clean: dict[int, None] = field(default_factory=dict)

    def scrubbed(self, texts: Sequence[str]) -> tuple[list[str], Counter[str]]:
        """The texts without secrets and addresses, and how many places of each kind had one.

        A value has the same placeholder in all of them, and lines stay lines. The texts hold no
        NUL character. A `DataError` is raised where they are too long to be searched.
        """
        if all(self.is_clean(text) for text in texts):
            return list(texts), Counter()
        done = secrets.scrub(_BETWEEN.join(texts))
        return done.text.split(_BETWEEN), done.found

    def is_clean(self, text: str) -> bool:
        """Whether `secrets.scrub` finds nothing in a text."""
        if "PRIVATE KEY" in text:
            return not secrets.scrub(text).found
        return all(self._is_clean(part) for part in parts(text))

    def _is_clean(self, part: str) -> bool:
        name = hash(part)
        if name in self._clean:
            return True
        if secrets.scrub(part).found:
            return False
        if len(self._clean) >= REMEMBERED:
            for old in list(self._clean)[: REMEMBERED // 2]:
                del self._clean[old]
        self._clean[name] = None
        return True


def parts(text: str) -> list[str]:
    """The text in parts that overlap, cut where its lines say, so that an edit moves few cuts."""
    lines = text.split("\n")
    cuts = [0]
    for place, line in enumerate(lines):
        if line and place - cuts[-1] >= 2 and (31 * len(line) + ord(line[-1])) % LINES == 0:
            cuts.append(place)
    ends = [*cuts[1:], len(lines)]
    return [
        "\n".join(lines[max(0, start - BEFORE) : end])
        for start, end in zip(cuts, ends, strict=True)
    ]
