"""HTTP with one connection a thread: a transport for the SDKs, which cost more than the wait.

A pool that many threads share looks through all its connections for every request, under a lock.
Here a thread keeps its own connection, by the standard library's client, and a deadline holds for
the whole reply, so that a server that trickles can't hold a thread for ever. Proxies and
certificates that the environment names are honoured: with a proxy, the SDK's own transport is used.
"""

from __future__ import annotations

import http.client
import select
import ssl
import sys
import threading
import time
import urllib.request
from urllib.parse import urlsplit

import httpx2

from outdo.engines.faults import Again, of_cut, of_time, of_unreachable

CONNECT_SECONDS = 10.0
"""Nobody who is there takes longer to open a connection."""

_HOPS = {"host", "connection", "transfer-encoding"}
_Connection = http.client.HTTPConnection


def client(base_url: str, *, seconds: float, connections: int) -> httpx2.Client:
    """A client for as many threads as there are to be connections; `seconds` bound one call."""
    timeout = httpx2.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
    if _proxied(base_url):
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        return httpx2.Client(timeout=timeout, limits=limits, follow_redirects=True)
    wire = Wire(seconds=seconds)
    return httpx2.Client(transport=wire, timeout=timeout, trust_env=False, follow_redirects=True)


def fault(error: BaseException, *, seconds: float, secret: str = "") -> Again:
    """What an error of a connection means: nobody was there, it took too long, or it was cut."""
    reason = error.__cause__ or error
    if isinstance(reason, (httpx2.ConnectError, httpx2.ConnectTimeout)):
        return of_unreachable(str(reason) or type(reason).__name__, secret)
    if isinstance(reason, httpx2.TimeoutException):
        return of_time(seconds)
    return of_cut(str(reason) or type(reason).__name__, secret)


def _proxied(base_url: str) -> bool:
    parts = urlsplit(base_url)
    bypassed = urllib.request.proxy_bypass(parts.hostname or "")
    proxies = urllib.request.getproxies()
    return not bypassed and bool({parts.scheme, "all"} & proxies.keys())


class _Connections(dict[tuple[str, str, int | None], http.client.HTTPConnection]):
    """A thread's connections by scheme, host and port; closed when the thread has ended."""

    def __del__(self) -> None:
        for connection in self.values():
            connection.close()


class Wire(httpx2.BaseTransport):
    """Sends a request on the thread's own connection, and reads the whole reply."""

    def __init__(self, *, seconds: float) -> None:
        self.seconds = seconds
        self._mine = threading.local()
        self._tls: ssl.SSLContext | None = None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The reply, read to its end. Raises the errors of httpx, as any transport does."""
        deadline = time.monotonic() + self.seconds
        place = (request.url.scheme, request.url.host, request.url.port)
        connection = self._connection(place)
        self._connect(connection, request)
        try:
            return self._exchange(connection, request, deadline)
        except TimeoutError as error:
            raise httpx2.ReadTimeout("timed out", request=request) from error
        except http.client.HTTPException as error:
            raise httpx2.RemoteProtocolError(type(error).__name__, request=request) from error
        except OSError as error:
            raise httpx2.NetworkError(str(error), request=request) from error
        finally:
            if sys.exception() is not None:
                self._forget(place)

    def _connect(self, connection: _Connection, request: httpx2.Request) -> None:
        """Opens the connection where it isn't open."""
        if connection.sock is not None:
            return
        connection.timeout = min(self.seconds, CONNECT_SECONDS)
        try:
            connection.connect()
        except TimeoutError as error:
            raise httpx2.ConnectTimeout("timed out", request=request) from error
        except OSError as error:
            raise httpx2.ConnectError(str(error), request=request) from error

    def _exchange(
        self, connection: _Connection, request: httpx2.Request, deadline: float
    ) -> httpx2.Response:
        if connection.sock is not None:
            connection.sock.settimeout(self.seconds)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOPS}
        target = request.url.raw_path.decode("ascii")
        connection.request(request.method, target, body=request.read(), headers=headers)
        reply = connection.getresponse()
        content = _whole(reply, deadline)
        reply.close()
        if reply.will_close:
            connection.close()
        kept = [(k, v) for k, v in reply.getheaders() if k.lower() not in _HOPS]
        return httpx2.Response(
            reply.status, headers=kept, stream=httpx2.ByteStream(content), request=request
        )

    def _connection(self, place: tuple[str, str, int | None]) -> _Connection:
        """The thread's connection to a place: the open one, unless the server has closed it."""
        mine = self._kept()
        connection = mine.get(place)
        if connection is None:
            connection = mine[place] = self._made(*place)
        elif connection.sock is not None and _is_stale(connection):
            connection.close()
        return connection

    def _made(self, scheme: str, host: str, port: int | None) -> _Connection:
        if scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self.seconds)
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=self.seconds, context=self._tls)

    def _forget(self, place: tuple[str, str, int | None]) -> None:
        if connection := self._kept().pop(place, None):
            connection.close()

    def _kept(self) -> _Connections:
        if not hasattr(self._mine, "connections"):
            self._mine.connections = _Connections()
        kept: _Connections = self._mine.connections
        return kept


def _whole(reply: http.client.HTTPResponse, deadline: float) -> bytes:
    """The body to its end. Raises IncompleteRead if it is shorter than it said."""
    parts: list[bytes] = []
    while part := reply.read1(1 << 16):
        parts.append(part)
        if time.monotonic() > deadline:
            raise TimeoutError("the reply came too slowly")
    if reply.length:
        raise http.client.IncompleteRead(b"", reply.length)
    return b"".join(parts)


def _is_stale(connection: _Connection) -> bool:
    """Whether there is something to read before anything was asked: the end, or nonsense."""
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
