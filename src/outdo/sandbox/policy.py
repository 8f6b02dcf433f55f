"""What an untrusted program may do, and the kernel's means to hold it to that.

Landlock fences files, ports and signals, seccomp the system calls, namespaces everything that has
a name, rlimits what is left. Nothing here trusts the interpreter: it is the program's to break.
Standard library only, and little of it: this module also lives in the bare interpreter that forks
for every program, where each page costs time. Hence `os.path` and not `pathlib`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from outdo.sandbox import syscalls

_libc: Final = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_python: Final = ctypes.PyDLL(None, use_errno=True)  # holds the interpreter's lock

MACHINE: Final = os.uname().machine

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_GET_NAME: Final = 16
_PR_SET_SECCOMP: Final = 22
_PR_SET_NO_NEW_PRIVS: Final = 38


class Refused(Exception):
    """The kernel does not give a means that the tier needs; the message says which, and why."""


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise Refused(f"{what}: {os.strerror(number)}")
    return result


def _prctl(option: int, value: object, what: str) -> None:
    _check(_libc.prctl(option, value, 0, 0, 0), what)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when `parent`, which forked it, ends."""
    _prctl(_PR_SET_PDEATHSIG, 9, "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        os._exit(1)


def fork() -> int:
    """Fork as `os.fork` does, without Python's hooks; for a process of one thread.

    The hooks would seed `random` anew, so that a program's draws differ from run to run, and touch
    pages that the child otherwise never copies: it starts in half the time without them.
    """
    return _check(_python.fork(), "fork")


# ------------------------------------------------------------------ seccomp

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_EPERM: Final = 0x00050000 | errno.EPERM
_ENOSYS: Final = 0x00050000 | errno.ENOSYS

_AUDIT: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32: Final = 0x40000000

_LOAD: Final = 0x20
_AND: Final = 0x54
_EQUAL: Final = 0x15
_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06

_CLONE_THREAD: Final = 0x00010000
_AF_UNIX: Final = 1
_STREAM: Final = 1
_TERMINAL_QUERIES: Final = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
"""TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX."""
_FILE_CONTROLS: Final = (0, 1, 2, 3, 4, 5, 6, 7, 1030, 1034)
"""Duplicating, flags, locks. Not F_SETOWN and F_SETSIG: with O_ASYNC they signal anybody."""

Instruction = tuple[int, int, int, int]


def _answer(number: int, verdict: int) -> list[Instruction]:
    return [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, verdict)]


def _guard(
    number: int, *tests: tuple[int, Sequence[int]], otherwise: int, mask: int = 0xFFFFFFFF
) -> list[Instruction]:
    """Allow call `number` if each argument (by its index) is one of its values."""
    block: list[Instruction] = []
    for index, values in tests:
        block += [(_LOAD, 0, 0, 16 + 8 * index), (_AND, 0, 0, mask)]
        block += [(_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
        block.append((_RETURN, 0, 0, otherwise))
    block.append((_RETURN, 0, 0, _ALLOW))
    return [(_EQUAL, 0, len(block), number), *block]


def _filter(rules: Iterable[Instruction], otherwise: int) -> bytes:
    """A BPF program: `rules` for this machine's own system calls, `otherwise` for all others."""
    prologue: list[Instruction] = [
        (_LOAD, 0, 0, 4),
        (_EQUAL, 1, 0, _AUDIT[MACHINE]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, 0),
    ]
    if MACHINE == "x86_64":
        prologue += [(_AT_LEAST, 0, 1, _X32), (_RETURN, 0, 0, _KILL)]
    program = [*prologue, *rules, (_RETURN, 0, 0, otherwise)]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in program)


def zygote_filter() -> bytes:
    """The filter of zygote and program alike: a list of what is allowed; fatal calls kill."""
    guarded = syscalls.GUARDED[MACHINE]
    rules: list[Instruction] = []
    for number in syscalls.HARMLESS[MACHINE].values():
        rules += _answer(number, _ALLOW)
    for number in syscalls.KEEPERS[MACHINE].values():
        rules += _answer(number, _ALLOW)
    for name in ("clone", "kill", "tgkill", "prctl", "prlimit64"):
        rules += _answer(guarded[name], _ALLOW)
    rules += _answer(guarded["clone3"], _ENOSYS)  # libc then falls back to clone
    rules += _guard(guarded["ioctl"], (1, _TERMINAL_QUERIES), otherwise=_EPERM)
    rules += _guard(guarded["fcntl"], (1, _FILE_CONTROLS), otherwise=_EPERM)
    rules += _socketpair(guarded["socketpair"])
    for number in syscalls.FATAL[MACHINE].values():
        rules += _answer(number, _KILL)
    return _filter(rules, _EPERM)


def _socketpair(number: int) -> list[Instruction]:
    """Allow stream pairs, which asyncio needs; datagram ones could name any socket as address."""
    return [
        (_EQUAL, 0, 7, number),
        (_LOAD, 0, 0, 16),
        (_EQUAL, 0, 4, _AF_UNIX),
        (_LOAD, 0, 0, 24),
        (_AND, 0, 0, 0xF),
        (_EQUAL, 0, 1, _STREAM),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _EPERM),
    ]


_SELF: Final = 0x7FFFFFFF
"""Stands for the program's own process id in the filter that is made before it is born."""


def program_filter() -> bytes:
    """What a program loses beyond its zygote: processes, and signals to any other one.

    Made once; `own` puts the program's process id in.
    """
    guarded = syscalls.GUARDED[MACHINE]
    rules = _guard(guarded["clone"], (0, (_CLONE_THREAD,)), otherwise=_EPERM, mask=_CLONE_THREAD)
    rules += _guard(guarded["kill"], (0, (_SELF,)), otherwise=_KILL)
    rules += _guard(guarded["tgkill"], (0, (_SELF,)), otherwise=_KILL)
    rules += _guard(guarded["prlimit64"], (0, (0, _SELF)), otherwise=_KILL)
    rules += _guard(guarded["prctl"], (0, (_PR_SET_NAME, _PR_GET_NAME)), otherwise=_EPERM)
    for number in syscalls.KEEPERS[MACHINE].values():
        rules += _answer(number, _EPERM)
    return _filter(rules, _ALLOW)


def own(program: bytes) -> bytes:
    """`program_filter`'s answer for this very process."""
    return program.replace(struct.pack("I", _SELF), struct.pack("I", os.getpid()))


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def install(program: bytes) -> None:
    """Put a seccomp filter on this process, for good."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, "prctl(PR_SET_NO_NEW_PRIVS)")
    holder = _Program(len(program) // 8, program)
    _check(_libc.prctl(_PR_SET_SECCOMP, 2, ctypes.byref(holder), 0, 0), "seccomp")


# ------------------------------------------------------------------ Landlock

_CREATE_RULESET: Final = 444
_ADD_RULE: Final = 445
_RESTRICT_SELF: Final = 446

_WRITE_FILE: Final = 1 << 1
_READ_FILE: Final = 1 << 2
_READ_DIR: Final = 1 << 3
_REMOVE_DIR: Final = 1 << 4
_REMOVE_FILE: Final = 1 << 5
_MAKE_DIR: Final = 1 << 7
_MAKE_REG: Final = 1 << 8
_REFER: Final = 1 << 13
_TRUNCATE: Final = 1 << 14
_BASE_RIGHTS: Final = (1 << 13) - 1


def landlock_version() -> int:
    """The version of Landlock that the kernel offers; Refused if it offers none."""
    return _check(_libc.syscall(_CREATE_RULESET, None, 0, 1), "Landlock")


def fence(*, read: Iterable[str], write: Iterable[str], devices: Iterable[str] = ()) -> None:
    """Leave this process only the files beneath `read` and `write`, and `devices`; no ports.

    What a path grants holds for all beneath it; paths that don't exist are passed over.
    """
    version = landlock_version()
    rights = _BASE_RIGHTS
    rights |= _REFER if version >= 2 else 0
    rights |= _TRUNCATE if version >= 3 else 0
    rights |= 1 << 15 if version >= 5 else 0  # ioctl on devices
    ports = 0b11 if version >= 4 else 0  # bind and connect
    scopes = 0b11 if version >= 6 else 0  # abstract sockets, and signals to those outside
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    attributes = struct.pack("QQQ", rights, ports, scopes)[:size]
    ruleset = _check(_libc.syscall(_CREATE_RULESET, attributes, size, 0), "Landlock ruleset")
    for path in read:
        _grant(ruleset, path, rights & (_READ_FILE | _READ_DIR))
    for path in write:
        wanted = _READ_FILE | _READ_DIR | _WRITE_FILE | _TRUNCATE
        wanted |= _MAKE_REG | _MAKE_DIR | _REMOVE_FILE | _REMOVE_DIR | _REFER
        _grant(ruleset, path, rights & wanted)
    for path in devices:
        _grant(ruleset, path, _READ_FILE | _WRITE_FILE)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, "prctl(PR_SET_NO_NEW_PRIVS)")
    _check(_libc.syscall(_RESTRICT_SELF, ruleset, 0), "Landlock")
    os.close(ruleset)


def _grant(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        rights &= _READ_FILE | _WRITE_FILE | _TRUNCATE
    rule = struct.pack("=Qi", rights, place)
    _check(_libc.syscall(_ADD_RULE, ruleset, 1, rule, 0), f"Landlock rule for {path}")
    os.close(place)


_LIBRARIES: Final = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")
_NEVER: Final = ("site-packages", "dist-packages", "outdo")
"""Packages may hold the answers to the very problems: never readable with a library's folder."""


def standard_library() -> list[str]:
    """The folder of the standard library, which the program may import."""
    return [os.path.dirname(os.__file__)]


def library_folders() -> list[str]:
    """The folders in which the loader finds shared libraries."""
    multiarch = f"{MACHINE}-linux-gnu"
    folders = [*_LIBRARIES, *(f"{folder}/{multiarch}" for folder in _LIBRARIES)]
    folders.append(f"{sys.base_prefix}/lib")
    return [folder for folder in folders if os.path.isdir(folder)]


def readable(*, packages: Iterable[str] = ()) -> list[str]:
    """What a program may read: standard library, shared libraries, time zones, `packages`."""
    found = ["/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo"]
    for folder in (*standard_library(), *packages):
        found += _entries(folder)
    for folder in library_folders():
        found += [path for path in _entries(folder) if ".so" in os.path.basename(path)]
    return found


def _entries(folder: str) -> Iterator[str]:
    """The paths in `folder`, packages and outdo itself left out."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(_NEVER):
                yield entry.path


# ------------------------------------------------------------------ namespaces

_NEWNS: Final = 0x00020000
_NEWCGROUP: Final = 0x02000000
_NEWUTS: Final = 0x04000000
_NEWIPC: Final = 0x08000000
_NEWUSER: Final = 0x10000000
_NEWPID: Final = 0x20000000
_NEWNET: Final = 0x40000000

_MS_RDONLY: Final = 1
_MS_NOSUID: Final = 2
_MS_NODEV: Final = 4
_MS_REMOUNT: Final = 32
_MS_BIND: Final = 4096
_MS_REC: Final = 16384
_MS_PRIVATE: Final = 1 << 18
_MS_RELATIME: Final = 1 << 21
_MS_LOCKED: Final = 0b110000001110
"""nosuid, nodev, noexec, noatime, nodiratime: what a mount has, a remount of it must name."""
_MNT_DETACH: Final = 2
_PIVOT_ROOT: Final = {"x86_64": 155, "aarch64": 41}


def leave_namespaces() -> None:
    """Move this process into namespaces of its own; its next child is their first process."""
    user, group = os.getuid(), os.getgid()
    flags = _NEWUSER | _NEWNS | _NEWPID | _NEWNET | _NEWIPC | _NEWUTS | _NEWCGROUP
    _check(_libc.unshare(flags), "namespaces")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        try:
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
        except OSError as error:
            raise Refused(f"user namespace: {name}: {error.strerror}") from None


def _mount(source: str, target: str, kind: str, flags: int, data: str = "") -> None:
    texts = [text.encode() for text in (source, target, kind)]
    result = _libc.mount(*texts, ctypes.c_ulong(flags), data.encode() or None)
    _check(result, f"mount {target}")


def new_root(root: str, *, keep: Iterable[str], scratch: str, scratch_bytes: int) -> None:
    """Make `root` the whole file system: `keep` read-only, and an empty writable `scratch`."""
    _mount("none", "/", "none", _MS_REC | _MS_PRIVATE)
    _mount("root", root, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755")
    for path in keep:
        _bind(path, root + path)
    os.makedirs(root + scratch)
    options = f"size={scratch_bytes},nr_inodes=2048,mode=0700"
    _mount("scratch", root + scratch, "tmpfs", _MS_NOSUID | _MS_NODEV, options)
    os.chdir(root)
    place = str(root).encode()
    _check(_libc.syscall(_PIVOT_ROOT[MACHINE], place, place), "pivot_root")
    _check(_libc.umount2(b"/", _MNT_DETACH), "umount")
    os.chdir("/")


def _bind(path: str, target: str) -> None:
    if not os.path.exists(path) or os.path.lexists(target):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.mkdir(target)
    else:
        os.close(os.open(target, os.O_CREAT))
    _mount(path, target, "none", _MS_BIND | _MS_REC)
    if path.startswith("/dev/"):
        return
    stated = os.statvfs(target).f_flag
    held = stated & _MS_LOCKED | (_MS_RELATIME if stated & os.ST_RELATIME else 0)
    flags = _MS_BIND | _MS_REMOUNT | _MS_RDONLY | _MS_NOSUID | held
    _mount("none", target, "none", flags)


def drop_capabilities() -> None:
    """Give up what root may do; owning files is fenced by Landlock."""
    header = struct.pack("Ii", 0x20080522, 0)
    _check(_libc.capset(header, bytes(24)), "capset")


# ------------------------------------------------------------------ rlimits


def limit_all() -> None:
    """Bound what has one bound for every program: no core dumps, few open files."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, 64)


def limit(*, memory_bytes: int, cpu_seconds: float, file_bytes: int) -> None:
    """Bound this process's memory, CPU time and the size of its files."""
    _lower(resource.RLIMIT_AS, memory_bytes)
    _lower(resource.RLIMIT_CPU, int(cpu_seconds) + 2)  # the zygote, which sees fractions, is first
    _lower(resource.RLIMIT_FSIZE, file_bytes)


def _lower(kind: int, value: int) -> None:
    _, most = resource.getrlimit(kind)
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(kind, (value, value))
