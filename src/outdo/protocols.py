"""Whoever answers prompts, and whoever runs programs, as those see them who ask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from outdo.errors import PermanentError
from outdo.records import Completion, Outcome, Program, Request

UNPICKED = "none of the candidates was picked"
"""How a failure begins that is none of the provider's: a reply that names no candidate."""


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

        They come in any order, each the moment it is there. Raises TransientError when all that
        is left is owed again.
        """
        ...


class Runner(Protocol):
    """Whoever runs untrusted programs."""

    @property
    def tier(self) -> str:
        """How programs are held."""
        ...

    @property
    def signature(self) -> str:
        """The same for scores that stand on it."""
        ...

    def run(self, programs: Iterable[Program], /) -> Iterator[tuple[int, Outcome]]:
        """The outcomes as they come, each with its program's number."""
        ...
