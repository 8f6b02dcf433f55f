"""What a token costs: a packaged table, and a user's own before it."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from outdo.errors import EngineError
from outdo.models.served import Served

_DATED = re.compile(
    r"(-(\d{4}-\d\d-\d\d|\d{8}|\d{3,4}|latest))?(-v\d+(:\d+)?)?", flags=re.ASCII | re.IGNORECASE
)
"""What tells one version of a model from another of the same price."""

_FORM = "prices:\n  openai/some-model: {in: 1.25, out: 10.00}   # a million tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """US dollars for a million tokens, read and written.

    A call that reads more than `long_from` tokens is charged in whole by `long`.
    """

    tokens_in: float
    tokens_out: float
    long_from: int | None = None
    long: Price | None = None

    def of(self, tokens_in: float, tokens_out: float) -> float:
        """What a call of so many tokens costs, in US dollars."""
        if self.long and self.long_from is not None and tokens_in > self.long_from:
            return self.long.of(tokens_in, tokens_out)
        return (tokens_in * self.tokens_in + tokens_out * self.tokens_out) / 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices by the names of models; `own` goes before `table`, entry by entry."""

    table: Mapping[str, Price] = field(default_factory=dict)
    own: Mapping[str, Price] = field(default_factory=dict)
    known: str = ""

    def price(self, served: Served) -> Price | None:
        """The model's price; None if it isn't known. What is served on this machine is free,
        unless the user's own table says otherwise.
        """
        mine = _found(self.own, served.name)
        if mine is None and served.is_local:
            return Price(tokens_in=0.0, tokens_out=0.0)
        return mine or _found(self.table, served.name)


def prices(own: Path | None = None) -> Prices:
    """The packaged prices, and those of the file `own` before them.

    Raises EngineError if the file can't be read or says something else than prices.
    """
    known, table = _packaged()
    if own is None:
        return Prices(table=table, known=known)
    try:
        text = own.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EngineError(f"the prices can't be read: {error}", where=str(own)) from error
    return Prices(table=table, own=_read(text, str(own))[1], known=known)


@functools.cache
def _packaged() -> tuple[str, Mapping[str, Price]]:
    text = resources.files("outdo.engines").joinpath("prices.yaml").read_text("utf-8")
    return _read(text, "prices.yaml")


def _read(text: str, where: str) -> tuple[str, dict[str, Price]]:
    """The date and the prices of a table."""
    try:
        data: Any = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise EngineError("the prices are not YAML", _FORM, where=where) from error
    entries = data.get("prices") if isinstance(data, dict) else None
    if not isinstance(entries, dict):
        raise EngineError("there are no prices", _FORM, where=where)
    found = {str(name): _price(entry, f"{where}: {name}") for name, entry in entries.items()}
    return str(data.get("known", "")), found


def _price(entry: Any, where: str) -> Price:
    if not isinstance(entry, dict) or set(entry) not in ({"in", "out"}, {"in", "out", "long"}):
        raise EngineError("a price has in and out, and perhaps long", _FORM, where=where)
    start, long = None, None
    if "long" in entry:
        told = entry["long"]
        if not isinstance(told, dict) or set(told) != {"from", "in", "out"}:
            raise EngineError("a price of long prompts has from, in and out", _FORM, where=where)
        start, long = told["from"], _price({name: told[name] for name in ("in", "out")}, where)
        if not isinstance(start, int) or isinstance(start, bool) or start < 1:
            raise EngineError(f"{start!r} is no number of tokens", _FORM, where=where)
    return Price(
        tokens_in=_dollars(entry["in"], where),
        tokens_out=_dollars(entry["out"], where),
        long_from=start,
        long=long,
    )


def _dollars(value: Any, where: str) -> float:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value < float("inf"):
        raise EngineError(f"{value!r} is no price", _FORM, where=where)
    return float(value)


def _found(table: Mapping[str, Price], name: str) -> Price | None:
    """The entry of the longest name that the model's begins with, dates and versions aside."""
    for known in sorted(table, key=len, reverse=True):
        if known.endswith("*") and name.startswith(known[:-1]):
            return table[known]
        if name.startswith(known) and _DATED.fullmatch(name[len(known) :]):
            return table[known]
    return None
