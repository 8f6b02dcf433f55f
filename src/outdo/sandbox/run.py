"""Untrusted programs in, what they did out; whoever knows the right answers is elsewhere.

`Sandbox` keeps a few workers. A worker holds up to three zygotes, each an `exec` of its own: for
programs, for checkers (so that no program's process ever held a checker's code), and for pytest.
A job goes out as a file in memory, its results come back in the same file.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Literal

from outdo.errors import SandboxError
from outdo.records import Cut, Limits, Outcome, Output, Program, Usage
from outdo.sandbox import tape, zygote
from outdo.sandbox.child import MESSAGE

Tier = Literal["none", "linux", "namespaces"]
Kind = Literal["program", "check", "suite"]

VERSION: Final = 1
"""Part of the signature: raised whenever an outcome could differ from an earlier version's."""

_PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
_HERE: Final = Path(__file__).parent
_BOOT: Final = """
import sys, types
for name, folder in (("outdo", sys.argv[2]), ("outdo.sandbox", sys.argv[3])):
    module = sys.modules[name] = types.ModuleType(name)
    module.__path__ = [folder]
from outdo.sandbox.zygote import main
main()
"""
"""Imports the zygote without the packages' own `__init__`, and without a path to anything else."""


class ZygoteDied(Exception):
    """A zygote ended though nobody told it to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How one child ended, in its zygote's words, and what it wrote."""

    why: bytes
    status: int
    usage: Usage
    frames: tuple[tape.Frame, ...]
    stderr: str
    overflowed: bool

    @property
    def cut(self) -> Cut | None:
        """Why the child did not come to its own end."""
        if self.why == b"t" or self._signal == signal.SIGXCPU:
            return "time"
        if self.why == b"w" or self.overflowed:
            return "output"
        told = [text for kind, text in self.frames if kind == tape.CUT]
        if told:
            return "memory" if told[0] == "memory" else "output"
        if self._signal == signal.SIGSYS:
            return "policy"
        if self.why == b"-" and (self.status or not self.ended):
            return "crash"
        return None

    @property
    def _signal(self) -> int:
        return os.WTERMSIG(self.status) if os.WIFSIGNALED(self.status) else 0

    @property
    def ended(self) -> bool:
        return bool(self.frames) and self.frames[-1][0] == tape.DONE

    @property
    def outputs(self) -> list[Output]:
        return [
            Output(text=text) if kind == tape.TEXT else Output(error=text)
            for kind, text in self.frames
            if kind in (tape.TEXT, tape.ERROR)
        ]


class Zygote:
    """A zygote's process as the parent sees it: one job at a time."""

    def __init__(self, kind: Kind, tier: Tier, *, scratch_bytes: int) -> None:
        self.scratch_bytes = scratch_bytes
        self.folder = Path(tempfile.mkdtemp(prefix="outdo-sandbox-"))
        (self.folder / "scratch").mkdir()
        (self.folder / "root").mkdir()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        settings = {
            "control": theirs.fileno(),
            "tier": tier,
            "folder": str(self.folder),
            "suite": kind == "suite",
            "scratch_bytes": scratch_bytes,
        }
        # Hashes are fixed, or the order of a set would differ from one run to the next. That
        # rules out -I, which ignores this variable; with an environment of our own and -s -P
        # nothing of the user's reaches the interpreter either.
        bare = ["-s", "-P"] if kind == "suite" else ["-s", "-P", "-S"]
        command = [sys.executable, *bare, "-c", _BOOT, json.dumps(settings)]
        with theirs:
            self.process = subprocess.Popen(
                [*command, str(_HERE.parent), str(_HERE)],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                cwd="/",
                env={"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"},
            )
        self._limits = Limits()
        self._places: tuple[int, int] = (-1, -1)
        greeting = self.control.recv(4096)
        if greeting != zygote.READY:
            self.close()
            raise SandboxError(
                f"the sandbox tier {tier!r} can't be had: {greeting.decode() or 'no answer'}",
                "`outdo doctor` shows which tiers work here",
            )

    def start(self, job: dict[str, object], program: Program, channel: int | None = None) -> None:
        """Begin a job; `finish` must follow."""
        limits = program.limits
        written = _written_bytes(program)
        tape_fd, errors = os.memfd_create("tape"), os.memfd_create("errors")
        self._places, self._limits = (tape_fd, errors), limits
        tape.write_all(tape_fd, json.dumps(job).encode())
        os.lseek(tape_fd, 0, os.SEEK_SET)
        order = zygote.ORDER.pack(
            b"j",
            limits.seconds,
            limits.cpu_seconds,
            limits.memory_bytes,
            max(limits.output_bytes + 1, written),
            written,
        )
        places = [tape_fd, errors] if channel is None else [tape_fd, errors, channel]
        try:
            socket.send_fds(self.control, [order], places)
        except OSError as error:
            raise ZygoteDied from error

    def stop(self) -> None:
        """Have the child killed if it is still there; a report comes nevertheless."""
        with contextlib.suppress(OSError):
            self.control.send(zygote.ORDER.pack(b"s", 0, 0, 0, 0, 0))

    def has_report(self) -> bool:
        """True if `finish` would not wait."""
        return bool(select.select([self.control], [], [], 0)[0])

    def finish(self) -> Report:
        """The report of the job that was begun, once the control socket can be read."""
        try:
            data = self.control.recv(zygote.REPORT.size)
        except OSError as error:
            raise ZygoteDied from error
        if len(data) != zygote.REPORT.size:
            raise ZygoteDied
        why, status, seconds, cpu_seconds, peak_bytes = zygote.REPORT.unpack(data)
        most = 2 * self._limits.output_bytes + 8 * MESSAGE * 100
        written, stderr = (self._taken(place, most) for place in self._places)
        self._close_places()
        kept = self._limits.output_bytes
        return Report(
            why=why,
            status=status,
            usage=Usage(seconds=seconds, cpu_seconds=cpu_seconds, peak_bytes=peak_bytes),
            frames=tuple(tape.frames(written)),
            stderr=stderr[:kept].decode("utf-8", "replace"),
            overflowed=len(written) > most or len(stderr) > kept,
        )

    @staticmethod
    def _taken(place: int, most: int) -> bytes:
        return os.pread(place, most + 1, 0)

    def _close_places(self) -> None:
        for place in self._places:
            if place >= 0:
                os.close(place)
        self._places = (-1, -1)

    def close(self) -> None:
        """End the process, whatever it does, and remove its folder."""
        self._close_places()
        self.control.close()
        try:
            self.process.wait(1.0)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.returncode:  # cut off: what lies there may be nested beyond any recursion
            subprocess.run(["rm", "-rf", "--", self.folder], check=False)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


class Worker:
    """Plays one program at a time, on zygotes that it starts when they are first needed."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self.index = -1
        self.program = Program(files={})
        self.tries = 0
        self._zygotes: dict[Kind, Zygote] = {}
        self._waiting: dict[Kind, Zygote] = {}
        self._reports: dict[Kind, Report] = {}

    def zygote(self, kind: Kind) -> Zygote:
        """The zygote of this kind; a new one if there is none whose scratch folder is as large."""
        size = 2 << (_written_bytes(self.program) - 1).bit_length()
        known = self._zygotes.get(kind)
        if known and (self.tier != "namespaces" or known.scratch_bytes == size):
            return known
        if known:
            known.close()
        self._zygotes[kind] = Zygote(kind, self.tier, scratch_bytes=size)
        return self._zygotes[kind]

    def begin(self, index: int, program: Program) -> None:
        """Start on a program; SandboxError if a file's name leads out of its folder."""
        for name in program.files:
            if not name or name.startswith("/") or ".." in name.split("/") or "\0" in name:
                raise SandboxError(f"{name!r} is no path inside the program's folder")
        self.index, self.program, self.tries = index, program, 0
        self._begin()

    def _begin(self) -> None:
        self.tries += 1
        self._reports.clear()
        self._waiting.clear()
        try:
            if self.program.check is not None:
                self._begin_check(self.program.check)
            elif self.program.suite:
                self._start("suite", _job(self.program, "suite"))
            else:
                self._start("program", _job(self.program, "calls"))
        except ZygoteDied:
            self.restart()

    def _begin_check(self, check: str) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with ours, theirs:
            self._start("program", _job(self.program, "answer"), theirs.fileno())
            job = {**_job(self.program, "check"), "main": check, "files": {}}
            self._start("check", job, ours.fileno())

    def _start(self, kind: Kind, job: dict[str, object], channel: int | None = None) -> None:
        ours = self.zygote(kind)
        ours.start(job, self.program, channel)
        self._waiting[kind] = ours

    @property
    def sockets(self) -> list[int]:
        """Where reports are awaited."""
        return [ours.control.fileno() for ours in self._waiting.values()]

    def hear(self) -> Outcome | None:
        """Take the reports that are there; the outcome, if none is awaited any more."""
        try:
            for kind, ours in list(self._waiting.items()):
                if ours.has_report():
                    self._reports[kind] = ours.finish()
                    del self._waiting[kind]
        except ZygoteDied:
            return self.restart()
        if not self._waiting:
            return replace(outcome(self.program, self._reports), tier=self.tier)
        if "check" in self._reports:
            self._waiting["program"].stop()
        return None

    def play(self, program: Program) -> Outcome:
        """What the program did, once it has ended."""
        self.begin(0, program)
        while True:
            _spoken([self])
            if result := self.hear():
                return result

    def restart(self) -> Outcome | None:
        """Begin again with new zygotes; after a second death, the outcome is a crash."""
        self.close()
        if self.tries < 2:
            self._begin()
            return None
        gone = Output(error="the sandbox's own process died")
        return Outcome(
            outputs=(gone,) * _expected_outputs(self.program), cut="crash", tier=self.tier
        )

    def close(self) -> None:
        for known in self._zygotes.values():
            known.close()
        self._zygotes.clear()
        self._waiting.clear()


def _job(program: Program, role: str) -> dict[str, object]:
    return {
        "role": role,
        "main": program.files.get("main.py", ""),
        "files": _files(program),
        "calls": [[call.code, call.how, call.stdin] for call in program.calls],
        "suite": list(program.suite),
        "entry": program.entry or "candidate",
        "output_bytes": program.limits.output_bytes,
    }


def _written_bytes(program: Program) -> int:
    """What may lie in the scratch folder: the program's own files, and what it may write."""
    own = sum(len(text.encode("utf-8", "surrogatepass")) for text in _files(program).values())
    return max(program.limits.written_bytes + own, 4096)


def _files(program: Program) -> dict[str, str]:
    """The files to write: a main file that stands alone is executed from memory."""
    return dict(program.files) if len(program.files) > 1 or program.suite else {}


def _expected_outputs(program: Program) -> int:
    return 1 if program.check is not None or program.suite else len(program.calls)


def outcome(program: Program, reports: dict[Kind, Report]) -> Outcome:
    """What the program did, put together from the reports of its one or two children."""
    told = reports.get("check") or reports.get("suite") or reports["program"]
    wanted = _expected_outputs(program)
    outputs = told.outputs[:wanted]
    cut = told.cut
    if "check" in reports and not (outputs and outputs[0].text is not None):
        cut = reports["program"].cut or cut
    missing = Output(error=_MISSING[cut or "crash"])
    outputs += [missing] * (wanted - len(outputs))
    parts = [report.usage for report in reports.values()]
    usage = Usage(
        seconds=max(part.seconds for part in parts),
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        peak_bytes=max(part.peak_bytes for part in parts),
    )
    stderr = (reports.get("program") or told).stderr
    return Outcome(outputs=tuple(outputs), stderr=stderr, cut=cut, usage=usage)


_MISSING: Final[dict[Cut, str]] = {
    "time": "stopped: out of time",
    "memory": "stopped: out of memory",
    "output": "stopped: wrote more than its limit",
    "policy": "stopped: tried what the sandbox forbids",
    "crash": "the program ended without an answer",
}


class Sandbox:
    """Runs untrusted programs, several at once, in a tier that was probed to hold.

    `tier` "auto" is `linux`; it refuses with a SandboxError where that can't be had, and never
    falls back. `workers` None is one for each processor. Use it as a context manager.
    """

    def __init__(
        self,
        tier: Literal["auto", "none", "linux", "namespaces"] = "auto",
        workers: int | None = None,
    ) -> None:
        from outdo.sandbox.probe import reason_why_not

        self.tier: Tier = "linux" if tier == "auto" else tier
        self.workers = workers or len(os.sched_getaffinity(0))
        self._idle: list[Worker] = []
        if why := reason_why_not(self.tier):
            raise SandboxError(
                f"the sandbox tier {self.tier!r} can't be had here: {why}",
                "untrusted programs run without any protection only if told: tier 'none'",
            )

    @property
    def signature(self) -> str:
        """What stands beside a score that came of an outcome: equal if the scores compare."""
        return f"sandbox {VERSION}, {self.tier}, CPython {_PYTHON}"

    def signature_for(self, program: Program) -> str:
        """The signature of this program's outcome: with `suite`, its verdict could be forged."""
        return f"{self.signature}, one process" if program.suite else self.signature

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        while self._idle:
            self._idle.pop().close()

    def run_one(self, program: Program) -> Outcome:
        """What one program did."""
        ((_, result),) = self.run([program])
        return result

    def run(self, programs: Iterable[Program]) -> Iterator[tuple[int, Outcome]]:
        """Each program's place and outcome, in the order in which they finish.

        Programs are drawn from `programs` as workers become free, never further ahead.
        """
        owed = enumerate(programs)
        busy: list[Worker] = []
        try:
            while True:
                while len(busy) < self.workers and (following := next(owed, None)):
                    busy.append(self._idle.pop() if self._idle else Worker(self.tier))
                    busy[-1].begin(*following)
                if not busy:
                    return
                for worker in _spoken(busy):
                    if result := worker.hear():
                        busy.remove(worker)
                        self._idle.append(worker)
                        yield worker.index, result
        finally:
            for worker in busy:  # interrupted, or nobody wants the rest
                worker.close()


def _spoken(workers: list[Worker]) -> list[Worker]:
    """The workers of which a zygote has something to say; waits until there is one."""
    poll = select.poll()
    owners = {}
    for worker in workers:
        for control in worker.sockets:
            owners[control] = worker
            poll.register(control, select.POLLIN)
    return list(dict.fromkeys(owners[place] for place, _ in poll.poll()))
