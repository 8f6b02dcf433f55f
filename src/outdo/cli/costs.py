"""What models would be asked and what that would take, by provider, told without asking anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from outdo.cli.remote import Remote
from outdo.engines.estimate import Estimate, estimate
from outdo.engines.prices import prices
from outdo.errors import EngineError
from outdo.models.served import is_served, served
from outdo.records import Request

HERE = "this machine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one model would be asked for one purpose."""

    provider: str
    model: str
    what: str
    estimate: Estimate


class Books:
    """Whose model a name is, and what that one charges."""

    def __init__(self, remote: Remote) -> None:
        self.remote = remote
        self._prices = prices(remote.prices)

    def share(self, name: str, what: str, requests: Sequence[Request]) -> Share:
        """What a model of this name would take for these requests."""
        if not is_served(name):
            return Share(
                provider=HERE, model=name, what=what, estimate=estimate(requests, price=None)
            )
        provider, price = name.partition("/")[0], None
        try:
            found = served(name, base_url=self.remote.base_url)
            provider, price = found.provider, self._prices.price(found)
        except EngineError:  # its address isn't known here: neither is its price
            price = None
        told = estimate(requests, price=price)
        return Share(provider=provider, model=name, what=what, estimate=told)


def totals(shares: Sequence[Share]) -> dict[str, Estimate]:
    """What each provider would take in all."""
    found: dict[str, Estimate] = {}
    for one in shares:
        found[one.provider] = found.get(one.provider, Estimate()) + one.estimate
    return found


def show_shares(shares: Sequence[Share], console: Console) -> None:
    """Say how many calls, tokens and dollars each share would take, and each provider in all."""
    table = Table(title="what would be asked, were nothing stored yet", title_justify="left")
    for heading in ("provider", "model", "what"):
        table.add_column(heading, overflow="fold")
    for heading in ("calls", "tokens in", "tokens out", "cost"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in shares:
        table.add_row(one.provider, one.model, one.what, *_cells(one.estimate, one.provider))
    table.add_section()
    for provider, total in totals(shares).items():
        table.add_row(provider, "", "in all", *_cells(total, provider))
    console.print(table)
    console.print(
        "Four bytes count as a token, and every answer as long as it may be: the cost is high "
        "rather than low."
    )


def _cells(one: Estimate, provider: str) -> tuple[str, str, str, str]:
    cost = "" if provider == HERE else "unknown" if one.cost is None else f"${one.cost:,.2f}"
    return f"{one.calls:,}", f"{one.tokens_in:,}", f"{one.tokens_out:,}", cost
