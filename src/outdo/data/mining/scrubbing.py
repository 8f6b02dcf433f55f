"""Secrets and addresses out of many versions of the same files, most of which were seen before.

`secrets.scrub` decides, and reads some megabytes a second. In a history the version before an edit
is the one after the edit before it, and differs from its neighbour by a few lines. So what was read
once is remembered by name, and of its neighbour only what differs is read. What has a secret goes
through `secrets.scrub` as a whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from outdo import secrets

AROUND = 6
"""Lines before and after that are read with others: no rule but that of private keys looks further.
"""

REMEMBERED = 100_000
"""Contents that are remembered as clean, about 10 MB; the older half goes when there are more."""

BETWEEN = "\n\x00\n"

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Version:
    """A file's text, and the name of its content."""

    name: str
    text: str


@dataclass(slots=True)
class Scrubber:
    """Takes secrets and e-mail addresses out of edits, and remembers what had none."""

    _clean: dict[str, None] = field(default_factory=dict)

    def scrubbed(
        self, words: Sequence[str], before: Version, after: Version, diff: str
    ) -> tuple[list[str], Counter[str]]:
        """Words, then both texts, without secrets, and how many places of each kind had one.

        `diff` is that of the two texts, with lines of context. A value has the same placeholder
        wherever it stands, and lines stay lines. Nothing holds a NUL character.
        """
        texts = [*words, before.text, after.text]
        if self._are_clean(words, before, after, diff):
            return texts, Counter()
        done = secrets.scrub(BETWEEN.join(texts))
        return done.text.split(BETWEEN), done.found

    def _are_clean(self, words: Sequence[str], before: Version, after: Version, diff: str) -> bool:
        """Whether `secrets.scrub` finds nothing in the words or in either text."""
        if after.name not in self._clean:
            if secrets.scrub(after.text).found:
                return False
            self._remember(after.name)
        if before.name in self._clean:
            about = ""
        elif "PRIVATE KEY" in before.text:
            about = before.text
        else:
            about = _about(before.text, diff)
        if secrets.scrub(BETWEEN.join([*words, about])).found:
            return False
        self._remember(before.name)
        return True

    def _remember(self, name: str) -> None:
        if len(self._clean) >= REMEMBERED:
            for old in list(self._clean)[: REMEMBERED // 2]:
                del self._clean[old]
        self._clean[name] = None


def _about(text: str, diff: str) -> str:
    """The lines of the old text in and around the hunks of a diff."""
    lines = text.split("\n")
    found: list[str] = []
    for hunk in _HUNK.finditer(diff):
        first, count = int(hunk[1]) - 1, int(hunk[2] or 1)
        found += [*lines[max(0, first - AROUND) : first + count + AROUND], "\x00"]
    return "\n".join(found)
