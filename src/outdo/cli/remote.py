"""How models behind APIs are asked by one command: where, how many at once, for how much money."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outdo.errors import EngineError, MissingExtra
from outdo.models.reference import ModelReference
from outdo.models.served import is_remote
from outdo.protocols import Engine


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """What a command says of models behind APIs.

    `budget` is in US dollars, over all runs that share `ledger`, the file in which calls are
    counted. `prices` is a user's own table.
    """

    base_url: str | None = None
    max_connections: int | None = None
    budget: float | None = None
    local_only: bool = False
    prices: Path | None = None
    ledger: Path | None = None

    def check(self, name: str) -> None:
        """Raises EngineError for a model on another machine where nothing may leave this one."""
        if self.local_only and is_remote(name, base_url=self.base_url):
            hint = "take a model that runs here, or leave --local-only out"
            raise EngineError("its prompts would leave this machine", hint, where=name)


class Doors:
    """Opens engines of providers; all of them share one budget and one ledger."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self._options: Any = None
        self._open: dict[str, Engine] = {}

    def __call__(self, model: ModelReference) -> Engine:
        if model.name not in self._open:
            from outdo.engines.remote import open_remote

            try:
                self._open[model.name] = open_remote(model.name, options=self._opened())
            except ModuleNotFoundError as error:
                raise _missing(error) from error
        return self._open[model.name]

    def _opened(self) -> Any:
        from outdo.engines.budget import Budget
        from outdo.engines.ledger import Ledger
        from outdo.engines.prices import prices
        from outdo.engines.remote import RemoteOptions

        if self._options is None:
            said = self.remote
            ledger = Ledger(said.ledger) if said.ledger is not None else None
            budget = None
            if said.budget is not None:
                budget = Budget(said.budget, spent=ledger.spent if ledger else 0.0)
            self._options = RemoteOptions(
                base_url=said.base_url,
                max_connections=said.max_connections,
                budget=budget,
                prices=prices(said.prices),
                ledger=ledger,
                local_only=said.local_only,
                tell=lambda text: print(text, file=sys.stderr, flush=True),
            )
        return self._options


def _missing(error: ModuleNotFoundError) -> Exception:
    from outdo.catalog import EXTRAS

    name = (error.name or "").partition(".")[0]
    return MissingExtra.of(name, EXTRAS[name]) if name in EXTRAS else error
