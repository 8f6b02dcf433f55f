"""Engines: whoever answers prompts, be it a model on this machine or a script.

An engine takes requests and yields completions in any order, each the moment it is there, so
that what has arrived is stored before the next is paid for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from outdo.errors import PermanentError
from outdo.records import Completion, Request


class Engine(Protocol):
    """One model behind one door."""

    @property
    def model(self) -> str:
        """The model's name by content, as completions carry it."""
        ...

    @property
    def served_by(self) -> str:
        """What answered: a library, a provider, a file."""
        ...

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        """Each request with its completion, or with why it can never be answered as asked.

        Raises TransientError when all that is left is owed again.
        """
        ...
