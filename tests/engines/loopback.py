"""A server on loopback that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from outdo.records import Completion, Message, Prompt, Request, Sampling


@dataclass(frozen=True)
class Seen:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def asked(self) -> str:
        """The last text of the request, whichever provider's form it has."""
        turn = (self.body.get("messages") or self.body.get("contents"))[-1]
        content = turn.get("content") or turn.get("parts")
        return str(content if isinstance(content, str) else content[-1]["text"])


@dataclass(frozen=True)
class Reply:
    """What goes back; `cut` sends half of it and closes, `hang` waits so many seconds before."""

    data: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    cut: bool = False
    hang: float = 0.0

    @property
    def content(self) -> bytes:
        return json.dumps(self.data).encode() if self.raw is None else self.raw


Answer = Callable[[Seen], Reply]


class Loopback:
    """A context manager: `url` while it is open, `seen` afterwards too."""

    def __init__(self, answer: Answer) -> None:
        self.seen: list[Seen] = []
        self.answer = answer
        self.at_once = 0
        self.most_at_once = 0
        self._lock = threading.Lock()
        self._ended = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_POST(self) -> None:
                outer.handle(self)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

        self.server = Server(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("content-length", 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        seen = Seen(handler.path, headers, json.loads(handler.rfile.read(length)))
        with self._lock:
            self.seen.append(seen)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            reply = self.answer(seen)
            if reply.hang:
                self._ended.wait(reply.hang)
        finally:
            with self._lock:
                self.at_once -= 1
        try:
            _send(handler, reply)
        except OSError:
            handler.close_connection = True

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    content = reply.content
    handler.send_response(reply.status)
    for name, value in {"Content-Type": "application/json", **reply.headers}.items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    if reply.cut:
        handler.wfile.write(content[: len(content) // 2])
        handler.close_connection = True
    else:
        handler.wfile.write(content)
    handler.wfile.flush()


# ------------------------------------------------------------------ requests, and OpenAI's form


def request(text: str, index: int = 0, **sampling: Any) -> Request:
    prompt = Prompt(
        messages=(Message(role="system", content="Be brief."), Message(role="user", content=text))
    )
    return Request(prompt=prompt, sampling=Sampling(**sampling), index=index)


def chat(text: str | None, *, model: str = "m", **changes: Any) -> dict[str, Any]:
    """A chat completion in OpenAI's documented form."""
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None, "annotations": []},
        "logprobs": None,
        "finish_reason": "stop",
    }
    return {
        "id": "chatcmpl-abc",
        "object": "chat.completion",
        "created": 1741569952,
        "model": model,
        "choices": [{**choice, **changes}],
        "usage": {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29},
        "service_tier": "default",
    }


def error(message: str, *, status: int = 400, code: str | None = None, **more: Any) -> Reply:
    """An error in OpenAI's documented form."""
    headers = more.pop("headers", {})
    about = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return Reply({"error": {**about, **more}}, status=status, headers=headers)


def texts(answers: Any) -> dict[str, str]:
    """What was asked, to what was said, or to the name of the error."""
    return {
        asked.prompt.messages[-1].content: said.text
        if isinstance(said, Completion)
        else f"<{type(said).__name__}>"
        for asked, said in answers
    }
