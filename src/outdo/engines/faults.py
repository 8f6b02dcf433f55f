"""What a provider's refusal means: ask again, ask otherwise, never, or stop and tell a person.

Again            (transient) it may be answered another time: rate limit, 5xx, time-out, cut reply
Unsupported      the server doesn't know an optional parameter: ask again without it
PermanentError   this row can't be answered as asked: too long, filtered, a bad request
EngineError      nothing can be answered: a wrong key, an unknown model, no credit
"""

from __future__ import annotations

import email.utils
import re
import time
from collections.abc import Mapping
from typing import Literal

from outdo.errors import EngineError, PermanentError, TransientError
from outdo.models.served import Served

Kind = Literal["rate", "server", "time", "network", "form", "model"]

FEATURES = {
    "schema": r"response_format|json_?schema|structured|output_?config|response_?schema"
    r"|response_?mime_?type|guided",
    "max_completion_tokens": r"\bmax_completion_tokens\b",
    "max_tokens": r"\bmax_tokens\b",
    "logprobs": r"log_?probs",
    "seed": r"\bseed\b",
}
"""What may be left out of a request, and how servers call it when they refuse it."""

_REFUSED = (
    r"unsupported|not support|unknown|unrecogni[sz]ed|unexpected|not (permitted|allowed)|extra"
)
_TOO_LONG = (
    r"context[_ ]length|context window|maximum context|too many tokens|token (limit|count)"
    r"|(prompt|input).{0,20}too long|exceeds the (maximum|limit)|reduce the length"
)
_FILTERED = r"content[_ ]?(filter|management|policy)|safety|guardrail|responsible ai|moderation"
_NO_MODEL = (
    r"model[^.]{0,80}(not found|not exist)|(no such|unknown) model"
    r"|invalid model (name|id)|model identifier is invalid"
)
_NO_MODEL_CODES = {"model_not_found", "ResourceNotFoundException", "NOT_FOUND"}
_NO_KEY = r"api[_ -]?key.{0,20}(not valid|invalid|missing|expired)|(invalid|expired) api[_ -]?key"
_NO_CREDIT = r"insufficient_quota|credit balance|payment required|billing_error"
_AGAIN = {408, 409, 424, 425, 429}


class Again(TransientError):
    """A call that failed in a way that may pass.

    `wait` is how many seconds the provider asks for, `billed` whether it may have cost something.
    """

    def __init__(
        self, problem: str, *, kind: Kind, wait: float | None = None, billed: bool = False
    ) -> None:
        super().__init__(problem)
        self.kind = kind
        self.wait = wait
        self.billed = billed


class BadRequest(PermanentError):
    """A request that the server refuses for no reason that is known here.

    One may be the row's own fault; if all of them are, it is that of whoever asks.
    """


class Unsupported(Exception):
    """The server doesn't know a feature of `FEATURES`."""

    def __init__(self, feature: str, problem: str) -> None:
        super().__init__(problem)
        self.feature = feature


def of_status(
    served: Served,
    status: int,
    message: str,
    *,
    code: str = "",
    parameter: str = "",
    headers: Mapping[str, str] | None = None,
    secret: str = "",
) -> Exception:
    """What a reply with an HTTP status of 400 or more means; `secret` is kept out of its words."""
    said = _line(message, secret)
    told = f"{code} {said}"
    if _has(_NO_CREDIT, told) or status == 402:
        return EngineError(
            f"no credit is left: {said}", "top it up, and run the same again", where=served.name
        )
    if status in _AGAIN or status >= 500:
        kind: Kind = "rate" if status == 429 else "server"
        return Again(f"HTTP {status}: {said}", kind=kind, wait=retry_after(headers or {}))
    if status == 401 or (status in (400, 403) and _has(_NO_KEY, told)):
        return _wrong_key(served)
    if status == 403:
        return EngineError("this key may not use it", said, where=served.name)
    if status == 404 or code in _NO_MODEL_CODES or _has(_NO_MODEL, told):
        place = served.base_url
        return EngineError(f"{place} has no model {served.asked_for!r}", said, where=served.name)
    return _of_request(served, status, said, told, parameter)


def _wrong_key(served: Served) -> EngineError:
    names = " or ".join(served.keys) or "the credentials"
    return EngineError("the key was refused", f"check {names}", where=served.name)


def _of_request(served: Served, status: int, said: str, told: str, parameter: str) -> Exception:
    """What a bad request (400, 413, 422 and the like) means."""
    if status == 413 or _has(_TOO_LONG, told):
        return PermanentError(f"too long for the model: {said}")
    if (feature := _refused(parameter) or _refused(told)) and (
        _has(_REFUSED, told) or feature == "schema"
    ):
        return Unsupported(feature, said)
    if _has(r"temperature|top_?p", parameter or told):
        return EngineError(
            f"the model takes no such sampling: {said}",
            "temperature: null leaves it to the provider",
            where=served.name,
        )
    if _has(_FILTERED, told):
        return PermanentError(f"filtered by the provider: {said}")
    return BadRequest(f"refused with HTTP {status}: {said}")


def _refused(text: str) -> str | None:
    """The feature that the text names first, if it names one."""
    found = [(m.start(), one) for one, how in FEATURES.items() if (m := _find(how, text))]
    return min(found)[1] if found else None


def of_unreachable(problem: str, secret: str = "") -> Again:
    """Nobody is there, so nothing was asked and nothing is billed."""
    return Again(f"no connection: {_line(problem, secret)}", kind="network")


def of_time(seconds: float) -> Again:
    """No answer in time; it may be billed all the same."""
    return Again(f"no answer within {seconds:g} seconds", kind="time", billed=True)


def of_cut(problem: str, secret: str = "") -> Again:
    """A reply that ended too early."""
    return Again(f"the reply was cut off: {_line(problem, secret)}", kind="network", billed=True)


def of_form(problem: str) -> Again:
    """A reply that has not the form that the provider documents."""
    return Again(f"the reply has not the form of one: {problem}", kind="form", billed=True)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """How many seconds the provider asks to wait: Retry-After in seconds, or as a date."""
    said = {name.lower(): value for name, value in headers.items()}
    if (exact := _number(said.get("retry-after-ms"))) is not None:
        return max(0.0, exact / 1000)
    asked = said.get("retry-after")
    if asked is None or (seconds := _number(asked)) is not None:
        return None if asked is None else max(0.0, seconds or 0.0)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
    except ValueError:
        return None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is None or 0 <= value < 1e9 else None


def _find(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.IGNORECASE)


def _has(pattern: str, text: str) -> bool:
    return _find(pattern, text) is not None


def _line(text: str, secret: str) -> str:
    """The text in one line of at most 200 characters, the secret taken out."""
    if secret:
        text = text.replace(secret, "***")
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"
