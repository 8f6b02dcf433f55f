"""Google's generateContent, for the Gemini models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from outdo.engines import faults, wire
from outdo.engines.provider import Said, number, parts, seed, text_of
from outdo.errors import MissingExtra, PermanentError
from outdo.models.served import Served
from outdo.records import Finish, Json, Message, Request

_FINISH: Mapping[str, Finish] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "refused",
    "RECITATION": "refused",
    "BLOCKLIST": "refused",
    "PROHIBITED_CONTENT": "refused",
    "SPII": "refused",
    "LANGUAGE": "refused",
    "MODEL_ARMOR": "refused",
}


class GoogleContent:
    """A Gemini model by its own API and key; candidates are told apart by what is written."""

    def __init__(self, served: Served, *, key: str, timeout: float, connections: int) -> None:
        try:
            from google import genai
            from google.genai import errors, types
        except ImportError as error:
            raise MissingExtra.of("google-genai", "google") from error
        self.served = served
        self._key = key
        self._timeout = timeout
        self._errors: Any = errors
        self._config: Any = types.GenerateContentConfig
        self._client = genai.Client(
            api_key=key or "none",
            vertexai=False,
            http_options=types.HttpOptions(
                base_url=served.base_url,
                timeout=int(timeout * 1000),
                httpx_client=wire.client(served.base_url, seconds=timeout, connections=connections),
            ),
        )

    def ask(self, request: Request, *, without: frozenset[str]) -> Said:
        """The reply of one call. Raises the errors of `faults`."""
        system, turns = parts(request.prompt.messages)
        try:
            reply = self._client.models.generate_content(
                model=self.served.asked_for,
                contents=[content(turn) for turn in turns],  # type: ignore[arg-type]
                config=self._config(**config(request, system=system, without=without)),
            )
        except self._errors.APIError as error:
            raise faults.of_status(
                self.served,
                int(error.code or 500),
                str(error.message or error),
                code=str(error.status or ""),
                headers=getattr(error.response, "headers", None) or {},
                secret=self._key,
            ) from error
        except httpx2.HTTPError as error:
            raise wire.fault(error, seconds=self._timeout, secret=self._key) from error
        except ValueError as error:  # neither JSON nor of the documented types
            raise faults.of_form(type(error).__name__) from error
        return said(reply.model_dump(mode="json", exclude_none=True, exclude={"sdk_http_response"}))


def content(turn: Message) -> dict[str, Json]:
    """A turn as Google writes it: the assistant is called model."""
    return {"role": "model" if turn.role == "assistant" else "user", "parts": [_part(turn)]}


def _part(turn: Message) -> dict[str, Json]:
    return {"text": turn.content}


def config(request: Request, *, system: str, without: frozenset[str]) -> dict[str, Json]:
    """How the answer is drawn; what the provider decides itself isn't in it."""
    sampling = request.sampling
    asked: dict[str, Json] = {"max_output_tokens": sampling.max_tokens}
    if system:
        asked["system_instruction"] = system
    if sampling.temperature is not None:
        asked["temperature"] = sampling.temperature
    if sampling.top_p != 1.0:
        asked["top_p"] = sampling.top_p
    if sampling.stop:
        asked["stop_sequences"] = list(sampling.stop)
    if "seed" not in without:
        asked["seed"] = seed(request)
    if request.prompt.schema is not None and "schema" not in without:
        asked["response_mime_type"] = "application/json"
        asked["response_json_schema"] = request.prompt.schema
    return asked


def said(data: Mapping[str, Any]) -> Said:
    """What a response says, thoughts aside. Raises Again if it isn't one, PermanentError if the
    prompt was blocked.
    """
    if blocked := (data.get("prompt_feedback") or {}).get("block_reason"):
        raise PermanentError(f"filtered by the provider: {blocked}")
    try:
        candidate = data["candidates"][0]
        finish = candidate["finish_reason"]
        pieces = (candidate.get("content") or {}).get("parts") or ()
        texts = [piece["text"] for piece in pieces if "text" in piece and not piece.get("thought")]
        usage = data.get("usage_metadata") or {}
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise faults.of_form(f"no candidate in it ({type(error).__name__})") from error
    if finish not in _FINISH:
        raise faults.of_form(f"it ended by {finish!r}")
    if not texts and finish == "STOP":
        raise faults.of_form("no text in it")
    written = number(usage.get("candidates_token_count"))
    return Said(
        text="".join(text_of(text, where="a part") for text in texts),
        finish=_FINISH[finish],
        model=text_of(data.get("model_version", ""), where="the model"),
        tokens_in=number(usage.get("prompt_token_count")),
        tokens_out=written + number(usage.get("thoughts_token_count")),
    )
