"""Bedrock's Converse: models of many makers, signed for with the credentials of that cloud."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from outdo.engines import faults
from outdo.engines.provider import Said, number, parts, text_of
from outdo.errors import EngineError, MissingExtra, PermanentError
from outdo.models.served import Served
from outdo.records import Finish, Json, Request

_FINISH: Mapping[object, Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "guardrail_intervened": "refused",
    "content_filtered": "refused",
}


class Bedrock:
    """A model of Bedrock's; it takes no seed, and doesn't say by which version it answers.

    Credentials are found as boto3 finds them: variables, a profile, a role.
    """

    def __init__(self, served: Served, *, key: str, timeout: float, connections: int) -> None:
        del key
        try:
            import boto3
            import botocore.exceptions
            from botocore.config import Config
        except ImportError as error:
            raise MissingExtra.of("boto3", "bedrock") from error
        self.served = served
        self._timeout = timeout
        self._errors: Any = botocore.exceptions
        session = boto3.Session()
        if session.get_credentials() is None:
            hint = "export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            raise EngineError("there are no credentials for AWS", hint, where=served.name)
        self._client = session.client(
            "bedrock-runtime",
            endpoint_url=served.base_url,
            region_name=session.region_name or "us-east-1",
            config=Config(
                retries={"total_max_attempts": 1},
                connect_timeout=min(timeout, 10.0),
                read_timeout=timeout,
                max_pool_connections=connections,
            ),
        )

    def ask(self, request: Request, *, without: frozenset[str]) -> Said:
        """The reply of one call. Raises the errors of `faults`."""
        errors = self._errors
        try:
            reply = self._client.converse(**body(request, self.served.asked_for, without=without))
        except errors.ClientError as error:
            raise self._refused(error) from error
        except errors.ReadTimeoutError as error:
            raise faults.of_time(self._timeout) from error
        except (errors.EndpointConnectionError, errors.ConnectTimeoutError) as error:
            raise faults.of_unreachable(str(error)) from error
        except (errors.HTTPClientError, errors.ResponseStreamingError) as error:
            raise faults.of_cut(str(error)) from error
        except errors.ParamValidationError as error:
            raise PermanentError(f"no such request can be made: {error}") from error
        except errors.BotoCoreError as error:
            problem = f"the request can't be signed or sent: {error}"
            raise EngineError(problem, where=self.served.name) from error
        except ValueError as error:  # what botocore's parsers raise on a broken body
            raise faults.of_form(type(error).__name__) from error
        return said(reply, model=self.served.asked_for)

    def _refused(self, error: Any) -> Exception:
        told = error.response.get("Error", {})
        about = error.response.get("ResponseMetadata", {})
        code = str(told.get("Code", ""))
        if code in ("UnrecognizedClientException", "InvalidSignatureException"):
            hint = "check the credentials for AWS"
            return EngineError("the key was refused", hint, where=self.served.name)
        return faults.of_status(
            self.served,
            int(about.get("HTTPStatusCode", 500)),
            str(told.get("Message", "")),
            code=code,
            headers=about.get("HTTPHeaders") or {},
        )


def body(request: Request, model: str, *, without: frozenset[str]) -> dict[str, Json]:
    """The request as Converse takes it; what the provider decides itself isn't in it."""
    sampling = request.sampling
    system, turns = parts(request.prompt.messages)
    how: dict[str, Json] = {"maxTokens": sampling.max_tokens}
    if sampling.temperature is not None:
        how["temperature"] = sampling.temperature
    if sampling.top_p != 1.0:
        how["topP"] = sampling.top_p
    if sampling.stop:
        how["stopSequences"] = list(sampling.stop)
    asked: dict[str, Json] = {
        "modelId": model,
        "messages": [{"role": m.role, "content": [{"text": m.content}]} for m in turns],
        "inferenceConfig": how,
    }
    if system:
        asked["system"] = [{"text": system}]
    if request.prompt.schema is not None and "schema" not in without:
        form = {"jsonSchema": {"name": "reply", "schema": json.dumps(dict(request.prompt.schema))}}
        asked["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": form}}
    return asked


def said(data: Mapping[str, Any], *, model: str) -> Said:
    """What a reply of Converse says, thoughts aside. Raises Again if it isn't one."""
    finish = data.get("stopReason")
    if finish not in _FINISH:
        raise faults.of_form(f"it ended by {finish!r}")
    try:
        blocks = [b["text"] for b in data["output"]["message"]["content"] if "text" in b]
        usage = data["usage"]
        read = ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")
        counts = sum(number(usage.get(name)) for name in read), number(usage.get("outputTokens"))
    except (KeyError, TypeError, AttributeError) as error:
        raise faults.of_form(f"no message in it ({type(error).__name__})") from error
    if not blocks and finish == "end_turn":
        raise faults.of_form("no text in it")
    return Said(
        text="".join(text_of(block, where="a block") for block in blocks),
        finish=_FINISH[finish],
        model=model,
        tokens_in=counts[0],
        tokens_out=counts[1],
    )
