"""What requests would take, told without asking anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from outdo.engines.prices import Price
from outdo.records import Prompt, Request, canonical

BYTES_PER_TOKEN = 4
"""About as many in English and in code; with a tokenizer at hand, `count` is exact."""

MESSAGE_TOKENS = 8
"""What a template puts around a turn, at most as seen in public ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Calls, tokens and US dollars; `cost` is None where the price isn't known.

    `tokens_out` is the limit of every answer, so `cost` is high rather than low. `at_most` is what
    can't be passed, since no token is shorter than a byte.
    """

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float | None = 0.0
    at_most: float | None = 0.0

    def __add__(self, other: Estimate) -> Estimate:
        return Estimate(
            calls=self.calls + other.calls,
            tokens_in=self.tokens_in + other.tokens_in,
            tokens_out=self.tokens_out + other.tokens_out,
            cost=_sum(self.cost, other.cost),
            at_most=_sum(self.at_most, other.at_most),
        )


def estimate(
    requests: Iterable[Request],
    *,
    price: Price | None,
    count: Callable[[str], int] | None = None,
) -> Estimate:
    """What the requests would take at a price; `count` counts a text's tokens."""
    total = Estimate() if price else Estimate(cost=None, at_most=None)
    for request in requests:
        size, tokens_out = most_tokens_in(request.prompt), request.sampling.max_tokens
        tokens_in = _tokens(request.prompt, size, count)
        total += Estimate(
            calls=1,
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            cost=price.of(tokens_in, tokens_out) if price else None,
            at_most=price.of(size, tokens_out) if price else None,
        )
    return total


def most_tokens_in(prompt: Prompt) -> int:
    """More tokens than this a prompt can't have: one a byte, and what stands around the turns."""
    text = sum(len(m.content.encode("utf-8", "replace")) + MESSAGE_TOKENS for m in prompt.messages)
    return text + (len(canonical(prompt.schema)) if prompt.schema else 0)


def most_cost(request: Request, price: Price) -> float:
    """What the call can cost at most, in US dollars."""
    return price.of(most_tokens_in(request.prompt), request.sampling.max_tokens)


def _tokens(prompt: Prompt, size: int, count: Callable[[str], int] | None) -> int:
    if count is None:
        return -(-size // BYTES_PER_TOKEN)
    return sum(count(message.content) + MESSAGE_TOKENS for message in prompt.messages)


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other
