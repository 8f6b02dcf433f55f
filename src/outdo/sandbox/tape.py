"""What passes between outdo and an untrusted program, read as the work of a hostile hand.

A frame is a kind (one byte), a length and that many bytes of UTF-8. A job lies on the *tape*, a
file in memory; the program takes it off and writes its results there. A checker's questions and
the program's answers are the same frames on a socket. Nothing here is ever pickled or evaluated.
"""

from __future__ import annotations

import os
import struct
from typing import Final

_HEAD: Final = struct.Struct("<cI")

TEXT: Final = b"t"
ERROR: Final = b"e"
CUT: Final = b"c"
DONE: Final = b"d"
ASK: Final = b"a"

Frame = tuple[bytes, str]


def pack(kind: bytes, text: str) -> bytes:
    """The bytes of a frame; what UTF-8 can't say (lone surrogates) is escaped."""
    payload = text.encode("utf-8", "backslashreplace")
    return _HEAD.pack(kind, len(payload)) + payload


def frames(data: bytes) -> list[Frame]:
    """The whole frames at the start of `data`; reading stops at the first that is torn or odd."""
    found: list[Frame] = []
    at = 0
    while at + _HEAD.size <= len(data):
        kind, length = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        if kind not in (TEXT, ERROR, CUT, DONE) or at + length > len(data):
            break
        found.append((kind, data[at : at + length].decode("utf-8", "replace")))
        at += length
    return found


def write_all(place: int, data: bytes) -> None:
    """Write all of `data` to the file descriptor `place`."""
    view = memoryview(data)
    while view:
        view = view[os.write(place, view) :]


def ask(place: int, frame: bytes, *, limit: int) -> Frame:
    """The frame that comes back on a socket after sending one."""
    write_all(place, frame)
    return receive(place, limit=limit)


def receive(place: int, *, limit: int) -> Frame:
    """The next frame on a socket; EOFError if none will come, or one longer than `limit`."""
    kind, length = _HEAD.unpack(_exactly(place, _HEAD.size))
    if length > limit:
        raise EOFError("a frame is longer than allowed")
    return kind, _exactly(place, length).decode("utf-8", "replace")


def _exactly(place: int, count: int) -> bytes:
    parts: list[bytes] = []
    while count:
        part = os.read(place, min(count, 1 << 16))
        if not part:
            raise EOFError("the other side has gone")
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
