"""GitHub's REST interface, asked as it wants to be: page by page, no faster than it allows.

A limit that it names is waited for; a page that hasn't changed since it was last read costs nothing
(ETag). What can't be had raises a DataError that says what to do.
"""

from __future__ import annotations

import contextlib
import email.utils
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

from outdo.errors import DataError
from outdo.records import Json

BASE_URL = "https://api.github.com"
TOKEN = "GITHUB_TOKEN"
JSON, DIFF = "application/vnd.github+json", "application/vnd.github.diff"

TRIES = 5
"""How often a question is asked that fails in a way that may pass."""

PATIENCE = 3_700.0
"""Seconds that are waited for a limit at once; the longest that GitHub names is an hour."""

SECOND_LIMIT = 60.0
"""Seconds to wait for a limit of which the server doesn't say when it ends."""

SECONDS = 60.0
"""How long a reply may take."""

MOST_BYTES = 64 * 2**20
"""Bytes of a reply that are read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: its status, its headers by lower-case name, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def etag(self) -> str:
        """What names this version of the page, empty if it has no name."""
        return self.headers.get("etag", "")

    @property
    def next(self) -> str | None:
        """The address of the next page, None after the last."""
        links = re.findall(r"<([^>]*)>\s*;([^,]*)", self.headers.get("link", ""))
        return next((url for url, about in links if 'rel="next"' in about), None)

    def said(self) -> str:
        """What the server says went wrong, in one line."""
        with contextlib.suppress(ValueError, TypeError, AttributeError):
            return " ".join(str(json.loads(self.body).get("message") or "").split())[:200]
        return ""


def pause(reply: Reply, *, now: float, attempt: int) -> float | None:
    """Seconds to wait before asking again, None if asking again is of no use.

    A primary limit names the second at which it ends, a secondary one how long to wait; where it
    doesn't, a minute, and twice as long each time.
    """
    after = _seconds(reply.headers.get("retry-after"), now)
    if reply.status in (403, 429):
        if after is not None:
            return after
        reset = _number(reply.headers.get("x-ratelimit-reset"))
        if reply.headers.get("x-ratelimit-remaining") == "0" and reset is not None:
            return max(0.0, reset - now) + 1.0
        limited = reply.status == 429 or "rate limit" in reply.said().lower()
        return SECOND_LIMIT * 2**attempt if limited else None
    if reply.status in (408, 425) or reply.status >= 500:
        return after if after is not None else float(2**attempt)
    return None


def _seconds(said: str | None, now: float) -> float | None:
    """Retry-After: seconds, or a date."""
    if said is None or (number := _number(said)) is not None:
        return None if said is None else number
    with contextlib.suppress(ValueError):
        return max(0.0, email.utils.parsedate_to_datetime(said).timestamp() - now)
    return None


def _number(said: str | None) -> float | None:
    with contextlib.suppress(ValueError):
        return max(0.0, float(said)) if said is not None and said.isascii() else None
    return None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """What opens an address and follows nothing by itself: a token goes nowhere else.

    The proxy of the environment is used, but for this machine.
    """
    here = _is_loopback(urllib.parse.urlsplit(url).hostname or "")
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler({} if here else None),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


@dataclass(slots=True)
class Rest:
    """Questions to one server; `tell` hears of every pause in seconds, and why it is made."""

    base_url: str = BASE_URL
    token: str = field(default="", repr=False)
    wait: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    tell: Callable[[float, str], None] | None = None
    asked: int = 0

    def __post_init__(self) -> None:
        self.base_url = self.base_url.rstrip("/")
        parts = urllib.parse.urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            hint = f"as {BASE_URL}, or https://host/api/v3 for a server of your own"
            raise DataError("this is no address of a server", hint, where=self.base_url)
        if self.token and parts.scheme == "http" and not _is_loopback(parts.hostname):
            hint = f"use https, or unset {TOKEN}"
            problem = "a token would be sent where everybody can read it"
            raise DataError(problem, hint, where=self.base_url)

    @classmethod
    def of_environment(
        cls, base_url: str | None, *, tell: Callable[[float, str], None] | None = None
    ) -> Rest:
        """With the token of the environment, if it has one."""
        return cls(base_url or BASE_URL, os.environ.get(TOKEN, "").strip(), tell=tell)

    def ask(self, place: str, *, accept: str = JSON, etag: str = "") -> Reply:
        """The reply to one question; with `etag`, a status of 304 says that nothing is new.

        `place` is a path below the base, or a whole address on the same server. A status of 400 or
        more comes back but where waiting helps, or where nothing can be answered.
        """
        url = self._url(place)
        for attempt in range(TRIES):
            try:
                reply = self._once(url, accept, etag)
            except (OSError, http.client.HTTPException) as error:
                self._pause(float(2**attempt), _why(error), last=attempt == TRIES - 1)
                continue
            if reply.status in (301, 302, 307, 308):
                url = self._url(reply.headers.get("location", ""))
                continue
            seconds = pause(reply, now=self.now(), attempt=attempt)
            if seconds is None:
                return self._checked(reply)
            told = reply.said() or f"HTTP {reply.status}"
            self._pause(seconds, told, last=attempt == TRIES - 1)
        raise DataError("too many redirects", "see the base URL", where=self.base_url)

    def json(self, place: str) -> tuple[Json, Reply]:
        """A reply's JSON. Raises DataError for any status but 200."""
        reply = self.ask(place)
        if reply.status != 200:
            problem = f"HTTP {reply.status}: {reply.said() or 'no reason is given'}"
            raise DataError(problem, "see the name and the base URL", where=place)
        return self.read(reply, place), reply

    def pages(self, place: str) -> Iterator[Json]:
        """The items of a list, page after page."""
        following: str | None = place
        while following:
            items, reply = self.json(following)
            yield from listed(items, following)
            following = reply.next

    def read(self, reply: Reply, place: str) -> Json:
        """The JSON of a reply."""
        try:
            return json.loads(reply.body)
        except (ValueError, RecursionError):
            raise DataError("the reply isn't JSON", "see the base URL", where=place) from None

    def _url(self, place: str) -> str:
        """A whole address; one on another server is refused, for the token isn't meant for it."""
        url = place if "://" in place else f"{self.base_url}/{place.lstrip('/')}"
        if _origin(url) != _origin(self.base_url):
            hint = "name the server that it leads to as the base URL"
            raise DataError(f"the server leads to {_origin(url)}", hint, where=self.base_url)
        return url

    def _once(self, url: str, accept: str, etag: str) -> Reply:
        headers = {"Accept": accept, "User-Agent": "outdo", "X-GitHub-Api-Version": "2022-11-28"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"If-None-Match": etag} if etag else {}
        request = urllib.request.Request(url, headers=headers)
        self.asked += 1
        try:
            with _opener(url).open(request, timeout=SECONDS) as found:
                return _reply(found.status, found.headers, found)
        except urllib.error.HTTPError as error:
            with error:
                return _reply(error.code, error.headers, error)

    def _pause(self, seconds: float, why: str, *, last: bool) -> None:
        hint = "the same command goes on where this stopped"
        if last:
            raise DataError(f"the server can't be asked: {why}", hint, where=self.base_url)
        if seconds > PATIENCE:
            minutes = f"its limit ends in {seconds / 60:,.0f} minutes"
            raise DataError(f"{minutes}: {why}", f"then {hint}", where=self.base_url)
        if self.tell is not None:
            self.tell(seconds, why)
        self.wait(seconds)

    def _checked(self, reply: Reply) -> Reply:
        """The reply. Raises DataError where nothing at all can be answered."""
        if reply.status == 401:
            hint = f"see {TOKEN}" if self.token else f"set {TOKEN}"
            raise DataError("the token was refused", hint, where=self.base_url)
        if reply.status == 403:
            told = reply.said() or "no reason is given"
            hint = f"see what {TOKEN} may read"
            raise DataError(f"this may not be read: {told}", hint, where=self.base_url)
        return reply


def listed(items: Json, place: str) -> list[Mapping[str, Json]]:
    """What a server sent, if it is a list of objects. Raises DataError for anything else."""
    if not isinstance(items, list) or not all(isinstance(one, Mapping) for one in items):
        raise DataError("the server sent no list", "see the base URL", where=place)
    return items


def _reply(status: int, headers: Any, body: IO[bytes]) -> Reply:
    found = body.read(MOST_BYTES + 1)
    if len(found) > MOST_BYTES:
        return Reply(413, {}, b"")
    return Reply(status, {name.lower(): value for name, value in headers.items()}, found)


def _why(error: Exception) -> str:
    reason = getattr(error, "reason", None) or error
    return str(reason) or type(reason).__name__


def _origin(url: str) -> str:
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
