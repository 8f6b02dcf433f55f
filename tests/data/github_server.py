"""A server on loopback that answers as GitHub's REST interface is documented to."""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = tuple[int, dict[str, str], bytes]
DIFF = """diff --git a/double.py b/double.py
index 1234567..89abcde 100644
--- a/double.py
+++ b/double.py
@@ -1,2 +1,2 @@
 def double(number):
-    return number + number
+    return {number} * number
"""


def user(login: str, kind: str = "User") -> dict[str, object]:
    return {"login": login, "id": 1, "type": kind}


def pull(number: int, **more: object) -> dict[str, object]:
    """A pull request as the list tells of it."""
    return {
        "id": 1000 + number,
        "number": number,
        "state": "closed",
        "title": f"Multiply by {number} instead of adding",
        "body": "As ann@people.example.org asked.\r\n\r\nIt is the same.",
        "user": user("ann"),
        "created_at": "2024-05-01T10:00:00Z",
        "closed_at": "2024-05-02T10:00:00Z",
        "merged_at": "2024-05-02T10:00:00Z",
        "merge_commit_sha": f"{number:040x}",
        "author_association": "CONTRIBUTOR",
        **more,
    }


@dataclass
class GitHub:
    """What the server knows, what it was asked, and what goes wrong before it answers."""

    pulls: list[dict[str, object]] = field(default_factory=list)
    licence: str | None = "MIT"
    per_page: int = 2
    diffs: dict[int, str] = field(default_factory=dict)
    comments: list[dict[str, object]] = field(default_factory=list)
    reviews: list[dict[str, object]] = field(default_factory=list)
    discussion: list[dict[str, object]] = field(default_factory=list)
    commits: list[dict[str, object]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    wrong: list[Answer] = field(default_factory=list)
    unchanged: int = 0
    url: str = ""

    def answer(self, path: str, headers: dict[str, str]) -> Answer:
        self.asked.append(path)
        self.tokens.add(headers.get("authorization", ""))
        if self.wrong:
            return self.wrong.pop(0)
        parts = urllib.parse.urlsplit(path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        place = parts.path.removeprefix("/repos/ann/work")
        numbered = place.removeprefix("/pulls/").removeprefix("/issues/").split("/")
        if place == "":
            about = {"full_name": "ann/work", "license": {"spdx_id": self.licence}}
            return self._json(about if self.licence else {**about, "license": None}, headers)
        if place == "/pulls":
            return self._page(self.pulls, parts.path, query, headers)
        if len(numbered) == 1 and "diff" in headers.get("accept", ""):
            known = self.diffs.get(int(numbered[0]), DIFF.format(number=numbered[0]))
            if known == "":
                said = {"message": "Sorry, the diff exceeded the maximum number of lines (20000)"}
                return 406, {}, json.dumps(said).encode()
            return 200, {"content-type": "application/vnd.github.diff"}, known.encode()
        lists = {
            "commits": self.commits,
            "reviews": self.reviews,
            "comments": self.discussion if "/issues/" in place else self.comments,
        }
        if len(numbered) == 2 and numbered[1] in lists:
            return self._page(lists[numbered[1]], parts.path, query, headers)
        return 404, {}, b'{"message": "Not Found"}'

    def _page(
        self,
        items: list[dict[str, object]],
        path: str,
        query: dict[str, str],
        headers: dict[str, str],
    ) -> Answer:
        page = int(query.get("page", "1"))
        first = (page - 1) * self.per_page
        status, more, body = self._json(items[first : first + self.per_page], headers)
        if first + self.per_page < len(items):
            following = urllib.parse.urlencode({**query, "page": page + 1})
            more["link"] = (
                f'<{self.url}{path}?{following}>; rel="next", <{self.url}{path}?page=9>; rel="last"'
            )
        return status, more, body

    def _json(self, value: object, headers: dict[str, str]) -> Answer:
        body = json.dumps(value).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
        limits = {"etag": etag, "x-ratelimit-remaining": "4999", "x-ratelimit-reset": "0"}
        if headers.get("if-none-match") == etag:
            self.unchanged += 1
            return 304, limits, b""
        return 200, {**limits, "content-type": "application/json; charset=utf-8"}, body


@contextmanager
def served(github: GitHub) -> Iterator[GitHub]:
    """The server at `github.url`, until the block ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(github.answer))
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(
    answer: Callable[[str, dict[str, str]], Answer],
) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, body = answer(self.path, headers)
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            if status != 304:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        log_message = lambda *_: None  # noqa: E731

    return Handler
