"""OpenAI's chat completions, which nearly every server of models speaks.

The SDK builds, signs and sends the request; what stands in it and what comes back is read here as
plain JSON, since typing both by pydantic models takes longer than the rest of a call.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx2

from outdo.engines import faults, wire
from outdo.engines.provider import Said, number, seed, text_of
from outdo.errors import EngineError
from outdo.models.served import Served
from outdo.records import Finish, Json, Request

TOP = 20
"""How many of the likeliest first tokens are asked for: the most that the interface knows."""

_FINISH: Mapping[object, Finish] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "refused",
}


class OpenAIChat:
    """A model behind chat completions, at OpenAI or at any server that speaks the same."""

    def __init__(self, served: Served, *, key: str, timeout: float, connections: int) -> None:
        import openai

        self.served = served
        self._key = key
        self._timeout = timeout
        self._sdk: Any = openai
        self._client = openai.OpenAI(
            api_key=key or "none",
            base_url=served.base_url,
            max_retries=0,
            http_client=wire.client(served.base_url, seconds=timeout, connections=connections),
        )
        self._is_own = served.name.startswith("openai/")
        if not self._is_own:  # what the environment says of an account at OpenAI is nobody else's
            self._client.organization = self._client.project = None

    def ask(self, request: Request, *, without: frozenset[str]) -> Said:
        """The reply of one call. Raises the errors of `faults`."""
        asked = body(request, model=self.served.asked_for, own=self._is_own, without=without)
        sdk = self._sdk
        try:
            reply = self._client.post("/chat/completions", cast_to=httpx2.Response, body=asked)
        except sdk.APIConnectionError as error:
            raise wire.fault(error, seconds=self._timeout, secret=self._key) from error
        except sdk.APIStatusError as error:
            raise faults.of_status(
                self.served,
                error.status_code,
                error.message,
                code=f"{error.code or ''} {error.type or ''}".strip(),
                parameter=str(error.param or ""),
                headers=error.response.headers,
                secret=self._key,
            ) from error
        except sdk.OpenAIError as error:
            problem = f"the request can't be sent: {type(error).__name__}"
            raise EngineError(problem, where=self.served.name) from error
        return said(parsed(reply.content))


def body(request: Request, *, model: str, own: bool, without: frozenset[str]) -> dict[str, Json]:
    """The request as JSON; what the provider decides itself isn't in it.

    `own` is OpenAI itself, where the limit of an answer has another name than elsewhere.
    """
    sampling, prompt = request.sampling, request.prompt
    asked: dict[str, Json] = {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in prompt.messages],
    }
    limits = ("max_tokens", "max_completion_tokens")
    limit = next((name for name in (limits[::-1] if own else limits) if name not in without), None)
    if limit:
        asked[limit] = sampling.max_tokens
    if sampling.temperature is not None:
        asked["temperature"] = sampling.temperature
    if sampling.top_p != 1.0:
        asked["top_p"] = sampling.top_p
    if sampling.stop:
        asked["stop"] = list(sampling.stop)
    if "seed" not in without:
        asked["seed"] = seed(request)
    if prompt.candidates and "logprobs" not in without:
        asked |= {"logprobs": True, "top_logprobs": TOP}
    elif prompt.schema is not None and "schema" not in without:
        asked["response_format"] = _format(prompt.schema)
    return asked


def _format(schema: Mapping[str, Json]) -> dict[str, Json]:
    form = {"name": "reply", "schema": schema, "strict": is_closed(schema)}
    return {"type": "json_schema", "json_schema": form}


def is_closed(schema: Json) -> bool:
    """Whether every object of the schema names all of its keys and needs each: «strict»."""
    if isinstance(schema, list):
        return all(is_closed(one) for one in schema)
    if not isinstance(schema, dict):
        return True
    keys = schema.get("properties")
    if isinstance(keys, dict) and schema.get("type") == "object":
        needed = set(schema.get("required", ()))
        if schema.get("additionalProperties") is not False or needed != set(keys):
            return False
    return all(is_closed(one) for one in schema.values())


def parsed(content: bytes) -> dict[str, Any]:
    """The JSON object of a reply's body. Raises Again if it is none."""
    try:
        data = json.loads(content)
    except ValueError as error:
        raise faults.of_form("not JSON") from error
    if not isinstance(data, dict):
        raise faults.of_form("not an object")
    return data


def said(data: Mapping[str, Any]) -> Said:
    """What a chat completion says. Raises Again if it isn't one."""
    if data.get("error"):
        raise faults.of_form(f"an error under HTTP 200: {str(data['error'])[:100]}")
    try:
        choice = data["choices"][0]
        message = choice["message"]
        finish = choice["finish_reason"]
        refusal = message.get("refusal")
        content = message["content"]
        usage = data.get("usage") or {}
        counts = number(usage.get("prompt_tokens")), number(usage.get("completion_tokens"))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise faults.of_form(f"no choice in it ({type(error).__name__})") from error
    if refusal and not content:
        content, finish = refusal, "content_filter"
    if finish not in _FINISH:
        raise faults.of_form(f"it ended by {finish!r}")
    if content is None and finish != "stop":
        content = ""
    return Said(
        text=text_of(content, where="the content"),
        finish=_FINISH[finish],
        model=text_of(data.get("model", ""), where="the model"),
        tokens_in=counts[0],
        tokens_out=counts[1],
        likely=_likely(choice.get("logprobs")),
    )


def _likely(told: Any) -> tuple[tuple[str, float], ...]:
    """The likeliest tokens at the first place that isn't blank; none where none are told."""
    try:
        for place in (told or {}).get("content") or ():
            if str(place["token"]).strip():
                return tuple((str(t["token"]), float(t["logprob"])) for t in place["top_logprobs"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()
    return ()
