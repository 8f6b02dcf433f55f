"""A small, bare interpreter that becomes one untrusted program after the other, by forking.

It fences itself off first, so that a program is born fenced; then it waits for a job, forks, and
watches the child's time and what it writes. It never reads a job: only the child does. When the
parent goes, the control socket ends, and zygote and child go too.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from typing import Any, Final, NamedTuple

from outdo.sandbox import child, policy

ORDER: Final = struct.Struct("<cddQQQ")
"""Job or stop, wall seconds, CPU seconds, and bytes: memory, one file, all that is written."""

REPORT: Final = struct.Struct("<ciddQ")
"""Why the child was killed (or `-`), its wait status, wall and CPU seconds, peak memory."""

READY: Final = b"ready"

_TICK: Final = 0.02
_IDLE: Final = 1.0
_FILES: Final = 1_000
"""Files and folders that a program may leave at any time."""

PRELOADED: Final = """
    bisect collections.abc copy functools heapq itertools json math operator random re string typing
"""
"""Loaded once for all; the rest of the standard library loads when a program asks for it.

Few, for what is loaded here makes every fork slower: with `datetime`, `dataclasses`, `decimal` and
the like it takes half as long again, and most programs need none of them.
"""


class Settings(NamedTuple):
    """What the parent tells a zygote at its start."""

    control: int
    tier: str
    folder: str
    suite: bool
    scratch_bytes: int


class Order(NamedTuple):
    """One job's limits, and the descriptors that come with it."""

    seconds: float
    cpu_seconds: float
    memory_bytes: int
    file_bytes: int
    written_bytes: int
    places: list[int]


class Gone(Exception):
    """The parent went, or took its end of the control socket away."""


def main() -> None:
    """Fence this process off, say that it is ready or why not, and serve until the parent goes."""
    settings = Settings(**json.loads(sys.argv[1]))
    control = socket.socket(fileno=settings.control)
    try:
        scratch = prepare(settings)
    except policy.Refused as refusal:
        control.send(str(refusal).encode())
        os._exit(1)
    control.send(READY)
    zygote = Zygote(control, settings, scratch)
    with contextlib.suppress(Gone):
        while True:
            zygote.serve()
    empty(scratch)
    os._exit(0)


def prepare(settings: Settings) -> str:
    """The scratch folder's path, once this process has loaded what it needs and is fenced."""
    for name in PRELOADED.split():
        __import__(name)
    packages = _packages() if settings.suite else []
    scratch = settings.folder + "/scratch"
    if settings.tier == "namespaces":
        _become_first_process(settings)
        root = settings.folder + "/root"
        keep = [*policy.standard_library(), *policy.library_folders(), *packages, *_FILES_READ]
        policy.new_root(
            root,
            keep=[*keep, *_DEVICES],
            scratch=scratch,
            scratch_bytes=settings.scratch_bytes,
        )
    if settings.tier != "none":
        policy.fence(
            read=[*policy.readable(packages=packages), *_DEVICES],
            write=[scratch],
            devices=["/dev/null"],
        )
        if settings.tier != "namespaces":
            policy.drop_capabilities()
        policy.install(policy.zygote_filter())
    policy.limit_all()
    os.chdir(scratch)
    child.rehearse()
    random.seed(0)  # every program starts from this state, whichever ran before
    gc.collect()
    gc.freeze()
    return scratch


_DEVICES: Final = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
_FILES_READ: Final = ("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo")


def _packages() -> list[str]:
    """The folders of installed packages; pytest is loaded from there."""
    import site

    import pytest

    found = [*site.getsitepackages(), os.path.dirname(os.path.dirname(pytest.__file__))]
    return [folder for folder in dict.fromkeys(found) if os.path.isdir(folder)]


def _become_first_process(settings: Settings) -> None:
    """Go on as process 1 of new namespaces; what is left outside waits for it and ends."""
    policy.leave_namespaces()
    parent = os.getppid()
    inner = os.fork()
    if inner:
        os.close(settings.control)
        ended = select.poll()
        ended.register(os.pidfd_open(inner), select.POLLIN)
        while not ended.poll(_IDLE * 1000) and os.getppid() == parent:
            pass
        os._exit(0)
    policy.die_with(0)  # the first process of a namespace sees its parent as 0


class Zygote:
    """The loop: take an order, fork, watch, report."""

    def __init__(self, control: socket.socket, settings: Settings, scratch: str) -> None:
        self.control = control
        self.settings = settings
        self.scratch = scratch
        self.filter = policy.program_filter() if settings.tier != "none" else b""
        self.pid = os.getpid()
        self.parent = os.getppid()
        self.poll = select.poll()
        self.poll.register(control, select.POLLIN)

    def serve(self) -> None:
        """Carry out the next order; Gone if there will be none."""
        order = self.next_order()
        if order is None:
            return
        started = time.monotonic()
        pid = policy.fork()
        if pid == 0:
            self.become(order)
        for place in order.places:
            os.close(place)
        why, status, usage = self.watch(pid, order, started)
        if self.settings.tier == "namespaces":
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)  # whoever is left in this PID namespace
        if why == b"-" and not fits(self.scratch, order.written_bytes):
            why = b"w"
        empty(self.scratch)
        seconds = time.monotonic() - started
        cpu = usage.ru_utime + usage.ru_stime
        self.control.send(REPORT.pack(why, status, seconds, cpu, usage.ru_maxrss * 1024))

    def next_order(self) -> Order | None:
        """The parent's next order; None for one to stop what has ended already."""
        while not self.poll.poll(_IDLE * 1000):
            if os.getppid() != self.parent:
                raise Gone
        data, places, _, _ = socket.recv_fds(self.control, ORDER.size, 4)
        if len(data) != ORDER.size:
            raise Gone
        kind, *limits = ORDER.unpack(data)
        return Order._make([*limits, places]) if kind == b"j" else None

    def watch(self, pid: int, order: Order, started: float) -> tuple[bytes, int, Any]:
        """Why the child was killed, its status and usage, once it has ended one way or another."""
        ended = os.pidfd_open(pid)
        self.poll.register(ended, select.POLLIN)
        why = b"-"
        try:
            while ended not in (places := [place for place, _ in self.poll.poll(_TICK * 1000)]):
                # A word of the parent's now says that it has gone, or that nobody waits for this.
                why = b"s" if places else self.reason_to_kill(pid, order, started)
                if why != b"-":
                    os.kill(pid, signal.SIGKILL)
                    break
        finally:
            self.poll.unregister(ended)
            os.close(ended)
        _, status, usage = os.wait4(pid, 0)
        return why, status, usage

    def reason_to_kill(self, pid: int, order: Order, started: float) -> bytes:
        """`t` for time, `w` for what it has written, `-` to let the child go on."""
        if time.monotonic() - started > order.seconds:
            return b"t"
        if time.clock_gettime(~pid << 3 | 2) > order.cpu_seconds:
            return b"t"
        return b"-" if fits(self.scratch, order.written_bytes) else b"w"

    def become(self, order: Order) -> None:
        """In the forked child: take the limits on, perform the job, and end."""
        try:
            policy.die_with(self.pid)
            tape_fd, channel = self.descriptors(order.places)
            job = json.loads(_whole(tape_fd))
            os.ftruncate(tape_fd, 0)
            os.lseek(tape_fd, 0, os.SEEK_SET)
            settle(job["files"], self.scratch)
            policy.limit(
                memory_bytes=order.memory_bytes,
                cpu_seconds=order.cpu_seconds,
                file_bytes=order.file_bytes,
            )
            if self.settings.tier == "namespaces":
                policy.drop_capabilities()
            if self.settings.tier != "none":
                policy.install(policy.own(self.filter))
            child.perform(job, tape_fd=tape_fd, channel=channel)
            os._exit(0)
        except BaseException:  # of ours or of the program's making: it goes to its stderr
            import traceback

            traceback.print_exc()
        finally:
            os._exit(1)

    def descriptors(self, places: list[int]) -> tuple[int, int | None]:
        """The tape and the channel, once 0 and 1 are files in memory, 2 the given one."""
        self.control.close()
        for standard in (0, 1):
            place = os.memfd_create("stream")
            os.dup2(place, standard)
            os.close(place)
        tape_fd, errors, *channel = places
        os.dup2(errors, 2)
        os.close(errors)
        return tape_fd, channel[0] if channel else None


def _whole(place: int) -> bytes:
    """All bytes of a file in memory."""
    size = os.fstat(place).st_size
    parts = []
    while size > 0 and (part := os.read(place, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def settle(files: dict[str, str], scratch: str) -> None:
    """Write the program's files into the scratch folder, and let it import them."""
    for name, text in files.items():
        folder = os.path.dirname(name)
        if folder:
            os.makedirs(folder, exist_ok=True)
        with open(name, "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            file.write(text)
    if files:
        sys.path.insert(0, scratch)


def fits(folder: str, bytes_allowed: int) -> bool:
    """True if what lies under `folder` is within the limits of bytes and of files."""
    folders = [folder]
    count = size = 0
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    count += 1
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        size += entry.stat(follow_symlinks=False).st_size
                    if size > bytes_allowed or count > _FILES:
                        return False
        except FileNotFoundError:  # removed meanwhile
            continue
        except OSError:  # a path too long, a folder that can't be read: places to hide things
            return False
    return True


def empty(folder: str) -> None:
    """Remove all that lies under `folder`, and make it the working directory.

    Goes down and up one step at a time: however deep a program nested its folders, and whatever
    modes it gave them, no path grows long and nothing recurses.
    """
    os.chdir(folder)
    entered: list[str] = []
    levels = [_without_files()]
    while levels:
        if levels[-1]:
            entered.append(levels[-1].pop())
            os.chmod(entered[-1], 0o700)
            os.chdir(entered[-1])
            levels.append(_without_files())
        else:
            levels.pop()
            if entered:
                os.chdir("..")
                os.rmdir(entered.pop())


def _without_files() -> list[str]:
    """The folders in the working directory, once its files are removed."""
    with os.scandir(".") as entries:
        found = list(entries)
    for entry in found:
        if not entry.is_dir(follow_symlinks=False):
            os.unlink(entry.name)
    return [entry.name for entry in found if entry.is_dir(follow_symlinks=False)]
