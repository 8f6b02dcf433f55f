"""What the name of a model behind an API means: whose it is, and where it is asked.

Only names and addresses stand here. A key is named, never read: whoever asks reads it when it does.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from outdo.errors import EngineError
from outdo.records import digest

Provider = Literal["openai", "anthropic", "google", "bedrock", "vllm"]

FORMS = (
    "openai/<model>, openai-api/<name>/<model>, anthropic/<model>, google/<model>, "
    "bedrock/<model>, vllm/<base>[:<adapter>]"
)

_OWN = {
    "openai": ("OPENAI_BASE_URL", "https://api.openai.com/v1", ("OPENAI_API_KEY",)),
    "anthropic": ("ANTHROPIC_BASE_URL", "https://api.anthropic.com", ("ANTHROPIC_API_KEY",)),
    "google": (
        "GOOGLE_GEMINI_BASE_URL",
        "https://generativelanguage.googleapis.com",
        ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    ),
    "vllm": ("VLLM_BASE_URL", "", ("VLLM_API_KEY",)),
}
"""Provider to the variable of its address, that address else, and the variables of its key."""

KEYS = tuple(key for *_, keys in _OWN.values() for key in keys)
"""The variables in which providers' keys are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model as its provider calls it, and where it is asked; `keys` name variables.

    `base_url` is empty where nothing is asked over a network. `asked_for` is what a server is
    asked for: of vllm, the adapter where one is named.
    """

    name: str
    provider: Provider
    model: str
    base_url: str
    keys: tuple[str, ...] = ()
    key_needed: bool = True

    @property
    def asked_for(self) -> str:
        return self.model.partition(":")[2] or self.model if self.provider == "vllm" else self.model

    @property
    def digest(self) -> str:
        """The name by what decides who answers: provider, model and address."""
        return digest(["api", self.provider, self.model, self.base_url])

    @property
    def label(self) -> str:
        """The name as completions carry it: `openai/some-model@0123456789ab`."""
        return f"{self.name}@{self.digest[:12]}"

    @property
    def is_local(self) -> bool:
        """Whether what is asked stays on this machine."""
        return not self.base_url or _is_loopback(self.base_url)


def is_served(name: str) -> bool:
    """Whether the name is one of a model behind an API."""
    return name.partition("/")[0] in {*_OWN, "bedrock", "openai-api"}


def is_remote(name: str, *, base_url: str | None = None) -> bool:
    """Whether asking this model sends its prompts to another machine.

    A server at a loopback address is not remote, and neither is a model that has no server.
    """
    return is_served(name) and not served(name, base_url=base_url).is_local


def served(
    name: str, *, base_url: str | None = None, environment: Mapping[str, str] = os.environ
) -> Served:
    """The model that `name` means. `base_url` goes before the provider's variable.

    Raises EngineError if the name has no such form, or if its server has no address.
    """
    provider, _, model = name.partition("/")
    if not is_served(name):
        raise EngineError("there is no such provider", FORMS, where=name)
    if not model.strip():
        raise EngineError("the name of the model is missing", FORMS, where=name)
    if provider == "openai-api":
        found = _compatible(name, model, base_url, environment)
    elif provider == "bedrock":
        found = _bedrock(name, model, base_url, environment)
    else:
        found = _own(name, provider, model, base_url, environment)
    if found.base_url:
        _check(found.base_url, name)
    return found


def _own(
    name: str, provider: str, model: str, base_url: str | None, environment: Mapping[str, str]
) -> Served:
    variable, own, keys = _OWN[provider]
    address = (base_url or environment.get(variable) or own).rstrip("/")
    return Served(
        name=name,
        provider=provider,  # type: ignore[arg-type]
        model=model,
        base_url=address,
        keys=keys,
        key_needed=provider != "vllm" and not _is_loopback(address),
    )


def _compatible(
    name: str, rest: str, base_url: str | None, environment: Mapping[str, str]
) -> Served:
    """A server that speaks OpenAI's language, by a name that the user has given it."""
    alias, _, model = rest.partition("/")
    if not alias or not model:
        raise EngineError(
            "the name of the server or of the model is missing",
            "openai-api/<name>/<model>, with <NAME>_BASE_URL and <NAME>_API_KEY",
            where=name,
        )
    prefix = alias.upper().replace("-", "_")
    variable = f"{prefix}_BASE_URL"
    address = (base_url or environment.get(variable) or "").rstrip("/")
    if not address:
        raise EngineError(
            f"{variable} is not set", f"export {variable}=http://127.0.0.1:8000/v1", where=name
        )
    return Served(
        name=name,
        provider="openai",
        model=model,
        base_url=address,
        keys=(f"{prefix}_API_KEY",),
        key_needed=not _is_loopback(address),
    )


def _bedrock(name: str, model: str, base_url: str | None, environment: Mapping[str, str]) -> Served:
    region = environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
    own = f"https://bedrock-runtime.{region}.amazonaws.com" if region else ""
    address = base_url or environment.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME") or own
    if not address:
        hint = "export AWS_REGION=us-east-1, or where your models are"
        raise EngineError("AWS_REGION is not set", hint, where=name)
    return Served(name=name, provider="bedrock", model=model, base_url=address.rstrip("/"))


def _check(base_url: str, name: str) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        hint = "such as http://127.0.0.1:8000/v1"
        raise EngineError(f"{base_url!r} is no address of a server", hint, where=name)
    if parts.username or parts.password:
        hint = "put the key into its variable"
        raise EngineError("the address of the server holds a password", hint, where=name)


def _is_loopback(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
