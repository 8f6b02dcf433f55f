"""The door to models behind an API, and the engine that stands behind it for all providers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from outdo.engines.budget import Budget
from outdo.engines.calls import Calls, Patience
from outdo.engines.estimate import most_cost
from outdo.engines.faults import FEATURES, Unsupported
from outdo.engines.ledger import Ledger
from outdo.engines.limiter import MOST, START, Limiter
from outdo.engines.prices import Prices, prices
from outdo.engines.provider import Provider, Said, check_candidates, check_model, chosen, named
from outdo.engines.tally import Tally
from outdo.errors import EngineError, PermanentError
from outdo.models.served import Served, served
from outdo.protocols import UNPICKED, Engine
from outdo.records import Completion, Request, Usage

DROPPED = {
    "schema": "no JSON schema: the reader must cope with what comes",
    "seed": "no seed: the same request may be answered otherwise",
    "logprobs": "no log-probabilities: candidates are told apart by what is written",
    "max_tokens": "max_completion_tokens and not max_tokens",
    "max_completion_tokens": "max_tokens and not max_completion_tokens",
}
"""What is told when a server refuses a feature."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteOptions:
    """How a provider is asked; nothing here decides what a model answers, but its address.

    `base_url` goes before the environment's. `timeout` is in seconds, of one call.
    `served_as` is the name under which the server answers, where it is quite another.
    `tell` is told once of each thing that a person should know, such as a feature left out.
    """

    base_url: str | None = None
    max_connections: int | None = None
    budget: Budget | None = None
    timeout: float = 300.0
    prices: Prices = field(default_factory=prices)
    patience: Patience = field(default_factory=Patience)
    ledger: Ledger | None = None
    served_as: str | None = None
    local_only: bool = False
    tell: Callable[[str], None] | None = None


def open_remote(
    name: str,
    *,
    options: RemoteOptions | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Engine:
    """The engine of a model behind an API. No call is made for it.

    Raises EngineError if the provider or its address isn't known, a key is missing, the model is
    remote though only local ones may be asked, or a budget is set and the price isn't known;
    MissingExtra if the provider's library isn't installed.
    """
    options = options or RemoteOptions()
    model = served(name, base_url=options.base_url, environment=environment)
    if options.local_only and not model.is_local:
        hint = "take a model that runs here, or leave --local-only out"
        raise EngineError(f"{model.base_url} is another machine", hint, where=name)
    if model.provider == "vllm" and not model.base_url:
        from outdo.engines.vllm import InProcess

        return InProcess(model)
    price = options.prices.price(model)
    if price is None and options.budget is not None:
        raise EngineError(
            "no price is known, so a budget can't be kept",
            f"give it in your prices.yaml: {name}: {{in: 1.25, out: 10.00}}",
            where=name,
        )
    return Remote(_provider(model, options, _key(model, environment)), options=options)


class Remote:
    """A model behind an API, asked by many threads at once; calls are counted in `tally`."""

    def __init__(self, provider: Provider, *, options: RemoteOptions) -> None:
        self.served = provider.served
        self.model = self.served.label
        self.served_by = f"{self.served.provider} at {self.served.base_url}"
        self.options = options
        self.price = options.prices.price(self.served)
        self.tally = Tally(priced=self.price is not None)
        self.limiter = Limiter(options.max_connections or MOST, start=START)
        self._provider = provider
        self._named = replace(self.served, model=options.served_as or self.served.asked_for)
        self._without: frozenset[str] = frozenset()
        if self.price is None:
            self._note(f"{self.served.name}: no price is known, so its cost isn't either")

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        """Each request with its completion the moment it arrives, asked again where that helps.

        Candidates are chosen by the probabilities of the first token where the server tells them,
        and by the letter that is written where it doesn't. Raises EngineError if the provider
        can't be used at all, OutOfBudget before a budget is passed, and TransientError for what
        is owed after all tries.
        """
        for request in requests:
            if request.prompt.candidates:
                check_candidates(request.prompt, where=self.served.name)
        calls = Calls(
            ask=self._completion,
            most=self._most,
            limiter=self.limiter,
            tally=self.tally,
            patience=self.options.patience,
            budget=self.options.budget,
            ledger=self.options.ledger,
        )
        yield from calls.answers(requests)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of how this model was asked."""
        return tuple(self.tally.notes)

    def _most(self, request: Request) -> float:
        return most_cost(request, self.price) if self.price else 0.0

    def _completion(self, request: Request) -> Completion:
        """The completion of one call, or of as many as features that the server refuses."""
        begun = time.monotonic()
        for _ in range(len(FEATURES) + 1):
            without = self._without
            try:
                said = self._provider.ask(request, without=without)
            except Unsupported as error:
                self._leave_out(error, without)
                continue
            check_model(self._named, said.model)
            return self._completed(request, said, seconds=time.monotonic() - begun)
        raise PermanentError("the server refuses each way of asking")

    def _completed(self, request: Request, said: Said, *, seconds: float) -> Completion:
        text, logs = said.text, None
        if request.prompt.candidates:
            text, logs = _picked(request, said)
        return Completion(
            prompt=request.prompt.key,
            model=self.model,
            served_by=f"{self.served.provider}/{said.model or self.served.asked_for}",
            sampling=request.sampling,
            index=request.index,
            text=text,
            finish=said.finish,
            logprobs=logs,
            usage=Usage(
                seconds=seconds,
                tokens_in=said.tokens_in,
                tokens_out=said.tokens_out,
                cost=self.price.of(said.tokens_in, said.tokens_out) if self.price else 0.0,
            ),
        )

    def _leave_out(self, error: Unsupported, without: frozenset[str]) -> None:
        """Remembers what the server refuses, and tells of it once."""
        limits = {"max_tokens", "max_completion_tokens"}
        if error.feature in without or limits <= without | {error.feature}:
            raise EngineError(f"the server refuses it: {error}", where=self.served.name)
        if error.feature not in self._without:
            self._without |= {error.feature}
            self._note(f"{self.served.name} takes {DROPPED[error.feature]} ({error})")

    def _note(self, text: str) -> None:
        if text not in self.tally.notes:
            self.tally.notes.append(text)
            if self.options.tell is not None:
                self.options.tell(text)


def _picked(request: Request, said: Said) -> tuple[str, tuple[float, ...] | None]:
    """The candidate that was picked, with the log-probabilities of all where they were told."""
    if said.likely and (found := chosen(request.prompt, said.likely)) is not None:
        return found
    if (name := named(request.prompt, said.text)) is not None:
        return name, None
    raise PermanentError(f"{UNPICKED}: {said.text[:80]!r}")


def _key(model: Served, environment: Mapping[str, str]) -> str:
    """The key from the first of its variables that is set; empty where none is needed."""
    for name in model.keys:
        if key := environment.get(name, "").strip():
            return key
    if model.keys and model.key_needed:
        hint = f"export {model.keys[0]}=..."
        raise EngineError(f"{' or '.join(model.keys)} is not set", hint, where=model.name)
    return ""


def _provider(model: Served, options: RemoteOptions, key: str) -> Provider:
    """The provider's own way to ask; its library is imported here, and nowhere before."""
    settings: dict[str, Any] = {
        "key": key,
        "timeout": options.timeout,
        "connections": options.max_connections or MOST,
    }
    match model.provider:
        case "openai" | "vllm":
            from outdo.engines.openai_chat import OpenAIChat

            return OpenAIChat(model, **settings)
        case "anthropic":
            from outdo.engines.anthropic_messages import AnthropicMessages

            return AnthropicMessages(model, **settings)
        case "google":
            from outdo.engines.google_content import GoogleContent

            return GoogleContent(model, **settings)
        case "bedrock":
            from outdo.engines.bedrock import Bedrock

            return Bedrock(model, **settings)
