from __future__ import annotations

import os
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo.sandbox import tape

KINDS = st.sampled_from([tape.TEXT, tape.ERROR, tape.CUT, tape.DONE])
PLAIN = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(KINDS, PLAIN)))
def test_frames_are_read_as_they_were_packed(frames: list[tape.Frame]) -> None:
    assert tape.frames(b"".join(tape.pack(*frame) for frame in frames)) == frames


@given(st.binary())
def test_any_bytes_can_be_read(data: bytes) -> None:
    assert isinstance(tape.frames(data), list)


@given(st.lists(st.tuples(KINDS, PLAIN), min_size=1), st.data())
def test_a_torn_tail_is_left_out(frames: list[tape.Frame], data: st.DataObject) -> None:
    whole = b"".join(tape.pack(*frame) for frame in frames)
    last = len(tape.pack(*frames[-1]))
    cut = data.draw(st.integers(1, last))
    assert tape.frames(whole[:-cut]) == frames[:-1]


def test_reading_stops_at_an_unknown_kind() -> None:
    odd = struct.pack("<cI", b"z", 0)
    assert tape.frames(tape.pack(tape.TEXT, "a") + odd + tape.pack(tape.TEXT, "b")) == [(b"t", "a")]


def test_lone_surrogates_are_escaped() -> None:
    assert tape.frames(tape.pack(tape.TEXT, "\ud800")) == [(b"t", "\\ud800")]


def test_questions_travel_on_sockets() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        tape.write_all(theirs.fileno(), tape.pack(tape.TEXT, "answer"))
        asked = tape.ask(ours.fileno(), tape.pack(tape.ASK, "question"), limit=6)
        assert asked == (tape.TEXT, "answer")
        assert tape.receive(theirs.fileno(), limit=100) == (tape.ASK, "question")


def test_a_frame_longer_than_its_limit_is_refused_unread() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        tape.write_all(theirs.fileno(), tape.pack(tape.TEXT, "answer"))
        with pytest.raises(EOFError, match=r"^a frame is longer than allowed$"):
            tape.receive(ours.fileno(), limit=5)


def test_an_end_in_the_middle_of_a_frame_is_an_end() -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            os.write(theirs.fileno(), tape.pack(tape.TEXT, "answer")[:-1])
        with pytest.raises(EOFError, match=r"^the other side has gone$"):
            tape.receive(ours.fileno(), limit=100)
