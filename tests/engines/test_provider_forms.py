"""Requests and replies in each provider's documented form, served on loopback."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from loopback import Answer, Loopback, Reply, Seen, chat, error, request

from outdo.engines.openai_chat import is_closed
from outdo.engines.remote import RemoteOptions, open_remote
from outdo.errors import EngineError, PermanentError
from outdo.records import Completion, Message, Prompt, Request, Sampling

SECRET = "sk-very-secret-key"
SCHEMA = {
    "type": "object",
    "properties": {"verdict": {"type": "string"}},
    "required": ["verdict"],
    "additionalProperties": False,
}
SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=64, seed=7, stop=("END",))
TALK = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="One?"),
    Message(role="assistant", content="Two."),
    Message(role="user", content="Three?"),
)
ASKED = Request(prompt=Prompt(messages=TALK, schema=SCHEMA), sampling=SAMPLING)
PLAIN = Request(
    prompt=Prompt(messages=TALK[1:2]), sampling=Sampling(temperature=None, max_tokens=64)
)


def anthropic_message(text: str, **changes: Any) -> dict[str, Any]:
    message = {
        "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
        "type": "message",
        "role": "assistant",
        "model": "claude-x-20250929",
        "content": [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "text", "text": text},
        ],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 20,
            "cache_creation_input_tokens": 3,
            "cache_read_input_tokens": 7,
            "output_tokens": 12,
            "service_tier": "standard",
        },
    }
    return {**message, **changes}


def gemini_response(text: str, finish: str = "STOP") -> dict[str, Any]:
    parts = [{"text": "Hm.", "thought": True}, {"text": text}]
    return {
        "candidates": [
            {"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": 11,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 4,
            "totalTokenCount": 20,
        },
        "modelVersion": "gemini-x-001",
        "responseId": "abc",
    }


def converse_response(text: str, stop: str = "end_turn") -> dict[str, Any]:
    blocks = [{"reasoningContent": {"reasoningText": {"text": "Hm."}}}, {"text": text}]
    return {
        "output": {"message": {"role": "assistant", "content": blocks}},
        "stopReason": stop,
        "usage": {"inputTokens": 30, "outputTokens": 6, "totalTokens": 36},
        "metrics": {"latencyMs": 551},
    }


ENVIRONMENT = {
    "OPENAI_API_KEY": SECRET,
    "MY_BOX_API_KEY": SECRET,
    "ANTHROPIC_API_KEY": SECRET,
    "GEMINI_API_KEY": SECRET,
    "AWS_REGION": "us-east-1",
}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Credentials of nobody's, and no proxies or files of whoever runs the tests."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    yield


def ask(name: str, answer: Answer, *asked: Request, **options: Any) -> tuple[list[Any], list[Seen]]:
    """What an engine said to the requests, and what its server has seen."""
    with Loopback(answer) as server:
        base = server.url + ("/v1" if name.startswith(("openai", "vllm")) else "")
        engine = open_remote(
            name, options=RemoteOptions(base_url=base, **options), environment=ENVIRONMENT
        )
        assert SECRET not in repr(vars(engine)), "keys aren't kept where they could be shown"
        return [said for _, said in engine.complete(asked)], server.seen


def one(name: str, answer: Answer, asked: Request = ASKED) -> tuple[Completion, Seen]:
    (said,), seen = ask(name, answer, asked)
    assert isinstance(said, Completion), said
    return said, seen[-1]


# ------------------------------------------------------------------ OpenAI's chat completions


def test_openai_is_asked_and_answers() -> None:
    said, seen = one("openai/m", lambda _: Reply(chat("Four.", model="m-2024-08-06")))
    assert seen.path == "/v1/chat/completions"
    assert seen.headers["authorization"] == f"Bearer {SECRET}"
    assert seen.body == {
        "model": "m",
        "messages": [{"role": m.role, "content": m.content} for m in TALK],
        "max_completion_tokens": 64,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": ASKED.seed & (2**31 - 1),
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "schema": SCHEMA, "strict": True},
        },
    }
    assert (said.text, said.finish, said.served_by) == ("Four.", "stop", "openai/m-2024-08-06")
    assert (said.usage.tokens_in, said.usage.tokens_out) == (19, 10)
    assert said.usage.seconds > 0 and said.prompt == ASKED.prompt.key


def test_a_compatible_server_is_asked_in_the_older_words() -> None:
    _, seen = one("openai-api/my-box/org/m", lambda _: Reply(chat("x", model="m")))
    assert seen.body["model"] == "org/m"
    assert seen.body["max_tokens"] == 64 and "max_completion_tokens" not in seen.body
    assert seen.headers["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(("name", "told"), [("openai/m", True), ("openai-api/my-box/m", False)])
def test_an_account_is_told_to_its_own_provider_alone(
    monkeypatch: pytest.MonkeyPatch, name: str, told: bool
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-mine")
    _, seen = one(name, lambda _: Reply(chat("x", model="m")))
    assert ("org-mine" in seen.headers.values()) is told
    assert ("project-mine" in seen.headers.values()) is told


def test_an_adapter_of_vllm_is_a_model_of_its_server() -> None:
    said, seen = one("vllm/base:tuned", lambda _: Reply(chat("x", model="tuned")))
    assert seen.body["model"] == "tuned"
    assert said.served_by == "vllm/tuned"


@pytest.mark.parametrize("name", ["openai/m", "openai-api/my-box/m"])
def test_what_the_provider_decides_isnt_sent(name: str) -> None:
    _, seen = one(name, lambda _: Reply(chat("x")), PLAIN)
    assert set(seen.body) == {"model", "messages", "seed", *(k for k in seen.body if "max" in k)}


@pytest.mark.parametrize(
    ("data", "text", "finish"),
    [
        (chat("cut", finish_reason="length"), "cut", "length"),
        (chat(None, finish_reason="length"), "", "length"),
        (chat("half", finish_reason="content_filter"), "half", "refused"),
        (chat(None, message={"content": None, "refusal": "I won't."}), "I won't.", "refused"),
    ],
)
def test_how_openai_ends_an_answer(data: dict[str, Any], text: str, finish: str) -> None:
    said, _ = one("openai/m", lambda _: Reply(data))
    assert (said.text, said.finish) == (text, finish)


def test_a_compressed_reply_is_read() -> None:
    raw = gzip.compress(json.dumps(chat("Four.")).encode())
    said, seen = one("openai/m", lambda _: Reply(raw=raw, headers={"Content-Encoding": "gzip"}))
    assert "gzip" in seen.headers["accept-encoding"] and said.text == "Four."


def test_a_schema_is_strict_only_if_every_object_is_closed() -> None:
    assert is_closed(SCHEMA)
    assert not is_closed({**SCHEMA, "required": []})
    assert not is_closed({"type": "array", "items": {**SCHEMA, "additionalProperties": True}})


# ------------------------------------------------------------------ Anthropic, Google, Bedrock


def test_anthropic_is_asked_and_answers() -> None:
    said, seen = one("anthropic/claude-x", lambda _: Reply(anthropic_message("Four.")))
    assert seen.path == "/v1/messages"
    assert SECRET in (seen.headers.get("x-api-key", "") + seen.headers.get("authorization", ""))
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", seen.headers["anthropic-version"])
    assert seen.body == {
        "model": "claude-x",
        "max_tokens": 64,
        "system": "Be brief.",
        "messages": [{"role": m.role, "content": m.content} for m in TALK[1:]],
        "temperature": 0.5,
        "top_p": 0.9,
        "stop_sequences": ["END"],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
    }
    assert (said.text, said.finish) == ("Four.", "stop")
    assert said.served_by == "anthropic/claude-x-20250929"
    assert (said.usage.tokens_in, said.usage.tokens_out) == (30, 12)


def test_google_is_asked_and_answers() -> None:
    said, seen = one("google/gemini-x", lambda _: Reply(gemini_response("Four.")))
    assert re.fullmatch(r"/v1(beta)?/models/gemini-x:generateContent", seen.path)
    assert seen.headers["x-goog-api-key"] == SECRET
    assert [(c["role"], c["parts"][0]["text"]) for c in seen.body["contents"]] == [
        ("user", "One?"),
        ("model", "Two."),
        ("user", "Three?"),
    ]
    assert seen.body["systemInstruction"]["parts"] == [{"text": "Be brief."}]
    assert seen.body["generationConfig"] == {
        "temperature": 0.5,
        "topP": 0.9,
        "maxOutputTokens": 64,
        "stopSequences": ["END"],
        "seed": ASKED.seed & (2**31 - 1),
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }
    assert (said.text, said.finish, said.served_by) == ("Four.", "stop", "google/gemini-x-001")
    assert (said.usage.tokens_in, said.usage.tokens_out) == (11, 9)


def test_bedrock_is_asked_and_answers() -> None:
    said, seen = one("bedrock/maker.m-v1:0", lambda _: Reply(converse_response("Four.")))
    assert seen.path == "/model/maker.m-v1%3A0/converse"
    assert seen.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert SECRET not in json.dumps(seen.headers)
    assert seen.body["system"] == [{"text": "Be brief."}]
    assert seen.body["messages"][1] == {"role": "assistant", "content": [{"text": "Two."}]}
    assert seen.body["inferenceConfig"] == {
        "maxTokens": 64,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["END"],
    }
    form = seen.body["outputConfig"]["textFormat"]
    assert form["type"] == "json_schema"
    assert json.loads(form["structure"]["jsonSchema"]["schema"]) == SCHEMA
    assert (said.text, said.finish, said.served_by) == ("Four.", "stop", "bedrock/maker.m-v1:0")
    assert (said.usage.tokens_in, said.usage.tokens_out) == (30, 6)


@pytest.mark.parametrize(
    ("name", "data", "finish"),
    [
        ("anthropic/claude-x", anthropic_message("a", stop_reason="max_tokens"), "length"),
        ("anthropic/claude-x", anthropic_message("a", stop_reason="refusal"), "refused"),
        ("google/gemini-x", gemini_response("a", "MAX_TOKENS"), "length"),
        ("google/gemini-x", gemini_response("a", "SAFETY"), "refused"),
        ("bedrock/maker.m", converse_response("a", "max_tokens"), "length"),
        ("bedrock/maker.m", converse_response("a", "guardrail_intervened"), "refused"),
    ],
)
def test_how_the_others_end_an_answer(name: str, data: dict[str, Any], finish: str) -> None:
    said, _ = one(name, lambda _: Reply(data))
    assert (said.text, said.finish) == ("a", finish)


@pytest.mark.parametrize(
    ("name", "data", "absent"),
    [
        ("anthropic/claude-x", anthropic_message("a"), ("temperature", "system", "output_config")),
        ("google/gemini-x", gemini_response("a"), ("systemInstruction",)),
        ("bedrock/maker.m", converse_response("a"), ("system", "outputConfig")),
    ],
)
def test_the_others_arent_sent_it_either(name: str, data: Any, absent: tuple[str, ...]) -> None:
    _, seen = one(name, lambda _: Reply(data), PLAIN)
    assert not set(absent) & set(seen.body)
    assert "temperature" not in json.dumps(seen.body)


# ------------------------------------------------------------------ errors in each one's form


def anthropic_error(kind: str, message: str, status: int) -> Reply:
    return Reply({"type": "error", "error": {"type": kind, "message": message}}, status=status)


def google_error(code: int, status: str, message: str) -> Reply:
    return Reply({"error": {"code": code, "message": message, "status": status}}, status=code)


def aws_error(kind: str, message: str, status: int) -> Reply:
    return Reply({"message": message}, status=status, headers={"x-amzn-ErrorType": kind})


NO_KEY = "the key was refused"
NO_MODEL = "has no model"


@pytest.mark.parametrize(
    ("name", "reply", "problem"),
    [
        ("openai/m", error(f"Incorrect API key provided: {SECRET}", status=401), NO_KEY),
        ("anthropic/m", anthropic_error("authentication_error", "invalid x-api-key", 401), NO_KEY),
        (
            "google/m",
            google_error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid one."),
            NO_KEY,
        ),
        (
            "bedrock/m",
            aws_error("UnrecognizedClientException", "The security token is invalid.", 403),
            NO_KEY,
        ),
        ("openai/m", error("The model `m` does not exist", status=404), NO_MODEL),
        ("anthropic/m", anthropic_error("not_found_error", "model: m", 404), NO_MODEL),
        ("google/m", google_error(404, "NOT_FOUND", "models/m is not found"), NO_MODEL),
        (
            "bedrock/m",
            aws_error("ValidationException", "The provided model identifier is invalid.", 400),
            NO_MODEL,
        ),
        (
            "openai/m",
            error("You exceeded your current quota", status=429, code="insufficient_quota"),
            "no credit",
        ),
        (
            "anthropic/m",
            anthropic_error("invalid_request_error", "Your credit balance is too low", 400),
            "no credit",
        ),
        (
            "openai/m",
            error("Unsupported value: 'temperature' does not support 0.5", param="temperature"),
            "temperature: null",
        ),
        ("bedrock/m", aws_error("AccessDeniedException", "no access", 403), "may not use it"),
    ],
)
def test_a_provider_that_cant_be_used_is_told_at_once(
    name: str, reply: Reply, problem: str
) -> None:
    with pytest.raises(EngineError) as caught:
        ask(name, lambda _: reply, *(request(f"q{i}") for i in range(3)))
    assert problem in str(caught.value) and SECRET not in str(caught.value)
    assert caught.value.where == name


TOO_LONG, FILTERED = "too long for the model", "filtered by the provider"


@pytest.mark.parametrize(
    ("name", "reply", "problem"),
    [
        (
            "openai/m",
            error("maximum context length is 8192 tokens", code="context_length_exceeded"),
            TOO_LONG,
        ),
        ("openai/m", error("flagged by our content policy", code="content_filter"), FILTERED),
        (
            "anthropic/m",
            anthropic_error("invalid_request_error", "prompt is too long: 215000 tokens", 400),
            TOO_LONG,
        ),
        (
            "google/m",
            google_error(400, "INVALID_ARGUMENT", "The input token count exceeds the maximum"),
            TOO_LONG,
        ),
        (
            "google/m",
            Reply({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}),
            "PROHIBITED_CONTENT",
        ),
        (
            "bedrock/m",
            aws_error("ValidationException", "Input is too long for requested model.", 400),
            TOO_LONG,
        ),
    ],
)
def test_a_row_that_cant_be_answered_is_told_and_the_others_are(
    name: str, reply: Reply, problem: str
) -> None:
    fine = {
        "openai": chat("ok"),
        "anthropic": anthropic_message("ok", model="m"),
        "google": {**gemini_response("ok"), "modelVersion": "m"},
        "bedrock": converse_response("ok"),
    }[name.partition("/")[0]]

    said, seen = ask(
        name,
        lambda s: reply if s.asked == "bad" else Reply(fine),
        *(request(text) for text in ("a", "bad", "b")),
    )
    errors = [one for one in said if isinstance(one, PermanentError)]
    assert len(seen) == 3 and len(errors) == 1 and problem in str(errors[0])
    assert [one.text for one in said if isinstance(one, Completion)] == ["ok", "ok"]


@pytest.mark.parametrize(
    ("name", "first", "then"),
    [
        ("openai/m", error("slow down", status=429, headers={"Retry-After": "0"}), chat("ok")),
        ("openai/m", error("oops", status=503), chat("ok")),
        ("openai/m", Reply(raw=b"<html>"), chat("ok")),
        ("openai/m", Reply({"object": "list"}), chat("ok")),
        ("openai/m", Reply({"error": {"message": "overloaded"}}), chat("ok")),
        ("openai/m", Reply(chat(None)), chat("ok")),
        ("openai/m", Reply(chat("ok"), cut=True), chat("ok")),
        ("openai/m", Reply(chat("liar", model="another")), chat("ok")),
        (
            "anthropic/claude-x",
            anthropic_error("overloaded_error", "Overloaded", 529),
            anthropic_message("ok"),
        ),
        ("anthropic/claude-x", Reply(raw=b"[]"), anthropic_message("ok")),
        (
            "anthropic/claude-x",
            Reply(anthropic_message("liar", model="claude-z")),
            anthropic_message("ok"),
        ),
        (
            "google/gemini-x",
            google_error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota"),
            gemini_response("ok"),
        ),
        ("google/gemini-x", google_error(503, "UNAVAILABLE", "overloaded"), gemini_response("ok")),
        ("google/gemini-x", Reply(raw=b"{"), gemini_response("ok")),
        ("google/gemini-x", Reply({"candidates": []}), gemini_response("ok")),
        ("google/gemini-x", Reply(gemini_response("x"), cut=True), gemini_response("ok")),
        ("bedrock/m", aws_error("ThrottlingException", "slow", 429), converse_response("ok")),
        ("bedrock/m", aws_error("InternalServerException", "oops", 500), converse_response("ok")),
        ("bedrock/m", Reply(raw=b"{"), converse_response("ok")),
        ("bedrock/m", Reply(converse_response("x"), cut=True), converse_response("ok")),
    ],
)
def test_what_may_pass_is_asked_again_and_counted(name: str, first: Reply, then: Any) -> None:
    from outdo.engines.calls import Patience

    replies = [first, Reply(then)]
    with Loopback(lambda _: replies.pop(0)) as server:
        base = server.url + ("/v1" if name.startswith("openai") else "")
        quick = Patience(first=0.01)
        engine: Any = open_remote(
            name, options=RemoteOptions(base_url=base, patience=quick), environment=ENVIRONMENT
        )
        ((_, said),) = engine.complete([ASKED])
    assert said.text == "ok"
    assert (engine.tally.calls, engine.tally.retries, engine.tally.answered) == (2, 1, 1)
    assert sum(engine.tally.failed.values()) == 1


# ------------------------------------------------------------------ features that aren't there


@pytest.mark.parametrize(
    ("name", "refusal", "fine", "key"),
    [
        (
            "openai-api/my-box/m",
            error("Unexpected fields in the request: {'response_format'}", status=422),
            chat("ok"),
            "response_format",
        ),
        (
            "openai-api/my-box/m",
            error("json_schema is not supported by this backend", param="response_format"),
            chat("ok"),
            "response_format",
        ),
        (
            "anthropic/claude-x",
            anthropic_error("invalid_request_error", "output_config: Extra inputs", 400),
            anthropic_message("ok"),
            "output_config",
        ),
        (
            "bedrock/m",
            aws_error("ValidationException", "outputConfig is not supported by this model", 400),
            converse_response("ok"),
            "outputConfig",
        ),
        ("openai-api/my-box/m", error("seed: unknown field", status=422), chat("ok"), "seed"),
        (
            "openai-api/my-box/m",
            error(
                "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
                param="max_tokens",
            ),
            chat("ok"),
            "max_tokens",
        ),
    ],
)
def test_a_feature_that_is_refused_is_left_out_aloud_and_once(
    name: str, refusal: Reply, fine: Any, key: str
) -> None:
    told: list[str] = []
    said, seen = ask(
        name,
        lambda s: refusal if key in s.body else Reply(fine),
        *(replace(ASKED, index=i) for i in range(40)),
        tell=told.append,
        max_connections=1,
    )
    assert {one.text for one in said} == {"ok"} and len(said) == 40
    assert len([one for one in seen if key in one.body]) == 1, "it is remembered for that server"
    assert len(told) == 1 and name in told[0]
