"""The filters as programs: what each verdict would be, computed by a small BPF machine."""

from __future__ import annotations

import errno
import os
import struct

import pytest

from outdo.sandbox import policy, syscalls

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
MACHINE = os.uname().machine
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}[MACHINE]
GUARDED = syscalls.GUARDED[MACHINE]


def verdict(program: bytes, number: int, *arguments: int, architecture: int = ARCHITECTURE) -> int:
    """What the kernel would answer to a system call."""
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("=IIQ6Q", number, architecture, 0, *padded)
    at, held = 0, 0
    while True:
        code, if_true, if_false, value = struct.unpack_from("HBBI", program, at * 8)
        at += 1
        if code == 0x20:
            (held,) = struct.unpack_from("=I", data, value)
        elif code == 0x54:
            held &= value
        elif code == 0x15:
            at += if_true if held == value else if_false
        elif code == 0x35:
            at += if_true if held >= value else if_false
        else:
            assert code == 0x06
            return int(value)


@pytest.fixture(scope="module")
def outer() -> bytes:
    return policy.zygote_filter()


@pytest.fixture(scope="module")
def inner() -> bytes:
    return policy.own(policy.program_filter())


def test_every_listed_call_has_its_groups_verdict(outer: bytes) -> None:
    for group, answer in (
        (syscalls.HARMLESS, ALLOW),
        (syscalls.KEEPERS, ALLOW),
        (syscalls.FATAL, KILL),
    ):
        assert {verdict(outer, number) for number in group[MACHINE].values()} == {answer}


def test_what_is_not_listed_is_refused(outer: bytes) -> None:
    listed = {
        number
        for group in (syscalls.HARMLESS, syscalls.KEEPERS, syscalls.FATAL, syscalls.GUARDED)
        for number in group[MACHINE].values()
    }
    assert {verdict(outer, number) for number in set(range(500)) - listed} == {EPERM}


def test_no_call_stands_in_two_groups() -> None:
    for machine in ("x86_64", "aarch64"):
        numbers = [
            number
            for group in (syscalls.HARMLESS, syscalls.KEEPERS, syscalls.FATAL, syscalls.GUARDED)
            for number in group[machine].values()
        ]
        assert len(numbers) == len(set(numbers))


def test_another_architecture_is_fatal(outer: bytes, inner: bytes) -> None:
    for program in (outer, inner):
        assert verdict(program, 0, architecture=0x40000003) == KILL
        if MACHINE == "x86_64":
            assert verdict(program, 0x40000000) == KILL
            assert verdict(program, 0x40000000 + 39) == KILL


@pytest.mark.parametrize(
    ("name", "arguments", "answer"),
    [
        ("ioctl", (1, 0x5401), ALLOW),
        ("ioctl", (1, 0x5412), EPERM),
        ("fcntl", (1, 4), ALLOW),
        ("fcntl", (1, 1030), ALLOW),
        ("fcntl", (1, 8), EPERM),
        ("fcntl", (1, 10), EPERM),
        ("socketpair", (1, 1), ALLOW),
        ("socketpair", (1, 1 | 0o2000000), ALLOW),
        ("socketpair", (1, 2), EPERM),
        ("socketpair", (2, 1), EPERM),
        ("clone3", (), ENOSYS),
    ],
)
def test_arguments_decide(outer: bytes, name: str, arguments: tuple[int, ...], answer: int) -> None:
    assert verdict(outer, GUARDED[name], *arguments) == answer


def test_a_program_loses_what_its_zygote_keeps(inner: bytes) -> None:
    assert {verdict(inner, number) for number in syscalls.KEEPERS[MACHINE].values()} == {EPERM}
    assert {verdict(inner, number) for number in syscalls.HARMLESS[MACHINE].values()} == {ALLOW}
    assert verdict(inner, GUARDED["clone"], 0x10000 | 0x100) == ALLOW  # a thread
    assert verdict(inner, GUARDED["clone"], 17) == EPERM  # a process
    assert verdict(inner, GUARDED["prctl"], 15) == ALLOW
    assert verdict(inner, GUARDED["prctl"], 1) == EPERM


def test_a_program_signals_itself_alone(inner: bytes) -> None:
    own, other = os.getpid(), os.getppid()
    for name in ("kill", "tgkill", "prlimit64"):
        assert verdict(inner, GUARDED[name], own) == ALLOW
        assert verdict(inner, GUARDED[name], other) == KILL
        assert verdict(inner, GUARDED[name], 0xFFFFFFFF) == KILL
    assert verdict(inner, GUARDED["kill"], 0) == KILL
    assert verdict(inner, GUARDED["prlimit64"], 0) == ALLOW


def test_packages_and_outdo_itself_are_not_readable_with_the_libraries() -> None:
    paths = policy.readable()
    assert any(path.endswith("/random.py") for path in paths)
    assert not [path for path in paths if "site-packages" in path or "/outdo" in path]
