"""Anthropic's Messages API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from outdo.engines import faults, wire
from outdo.engines.openai_chat import parsed
from outdo.engines.provider import Said, number, parts, text_of
from outdo.errors import EngineError, MissingExtra
from outdo.models.served import Served
from outdo.records import Finish, Json, Request

_FINISH: Mapping[object, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "refused",
}


class AnthropicMessages:
    """A model of Anthropic's; it takes no seed and tells no log-probabilities."""

    def __init__(self, served: Served, *, key: str, timeout: float, connections: int) -> None:
        try:
            import anthropic
        except ImportError as error:
            raise MissingExtra.of("anthropic", "anthropic") from error
        self.served = served
        self._key = key
        self._timeout = timeout
        self._sdk: Any = anthropic
        self._client = anthropic.Anthropic(
            api_key=key or "none",
            base_url=served.base_url,
            max_retries=0,
            http_client=wire.client(served.base_url, seconds=timeout, connections=connections),
        )

    def ask(self, request: Request, *, without: frozenset[str]) -> Said:
        """The reply of one call. Raises the errors of `faults`."""
        sdk = self._sdk
        asked = body(request, model=self.served.asked_for, without=without)
        try:
            reply = self._client.post("/v1/messages", cast_to=httpx2.Response, body=asked)
        except sdk.APIConnectionError as error:
            raise wire.fault(error, seconds=self._timeout, secret=self._key) from error
        except sdk.APIStatusError as error:
            raise faults.of_status(
                self.served,
                error.status_code,
                error.api_message or error.message,
                code=str(error.type or ""),
                headers=error.response.headers,
                secret=self._key,
            ) from error
        except sdk.AnthropicError as error:
            problem = f"the request can't be sent: {type(error).__name__}"
            raise EngineError(problem, where=self.served.name) from error
        return said(parsed(reply.content))


def body(request: Request, *, model: str, without: frozenset[str]) -> dict[str, Json]:
    """The request as JSON; what the provider decides itself isn't in it."""
    sampling = request.sampling
    system, turns = parts(request.prompt.messages)
    asked: dict[str, Json] = {
        "model": model,
        "max_tokens": sampling.max_tokens,
        "messages": [{"role": m.role, "content": m.content} for m in turns],
    }
    if system:
        asked["system"] = system
    if sampling.temperature is not None:
        asked["temperature"] = sampling.temperature
    if sampling.top_p != 1.0:
        asked["top_p"] = sampling.top_p
    if sampling.stop:
        asked["stop_sequences"] = list(sampling.stop)
    if request.prompt.schema is not None and "schema" not in without:
        form = {"type": "json_schema", "schema": request.prompt.schema}
        asked["output_config"] = {"format": form}
    return asked


def said(data: Mapping[str, Any]) -> Said:
    """What a message says, thoughts aside. Raises Again if it isn't one."""
    finish = data.get("stop_reason")
    if data.get("type") != "message" or finish not in _FINISH:
        raise faults.of_form(f"a {data.get('type')!r} that ended by {finish!r}")
    try:
        blocks = [block["text"] for block in data["content"] if block["type"] == "text"]
        usage = data["usage"]
        read = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
        counts = sum(number(usage.get(name)) for name in read), number(usage.get("output_tokens"))
    except (KeyError, TypeError, AttributeError) as error:
        raise faults.of_form(f"no content in it ({type(error).__name__})") from error
    if not blocks and _FINISH[finish] == "stop" and finish != "stop_sequence":
        raise faults.of_form("no text in it")
    return Said(
        text="".join(text_of(block, where="a block") for block in blocks),
        finish=_FINISH[finish],
        model=text_of(data.get("model"), where="the model"),
        tokens_in=counts[0],
        tokens_out=counts[1],
    )
