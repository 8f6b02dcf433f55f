"""Which tiers hold on this machine, found out by attacking each.

A tier is never believed by its name: a small hostile program tries what the tier must prevent,
and the tier is available if none of it succeeds.
"""

from __future__ import annotations

import functools
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from outdo.errors import SandboxError
from outdo.records import Call, Limits, Program
from outdo.sandbox import literal, policy, syscalls

TIERS: Final = ("linux", "namespaces")

_ATTACKS: Final = """
import os, socket

def escapes(secret):
    found = []
    def attempt(name, action):
        try:
            action()
        except OSError:
            return
        found.append(name)
    attempt("reads files outside", lambda: open(secret).read())
    attempt("writes files outside", lambda: open(secret + ".new", "w"))
    attempt("opens sockets", lambda: socket.socket())
    attempt("opens local sockets", lambda: socket.socket(socket.AF_UNIX))
    attempt("forks", fork)
    attempt("executes programs", lambda: os.execv("/bin/sh", ["sh", "-c", "exit"]))
    return found

def fork():
    if os.fork() == 0:
        os._exit(0)

def signals(pid):
    os.kill(pid, 0)
"""


def probe() -> dict[str, str | None]:
    """Each tier, and the reason why it can't be had here, or None if it holds."""
    return {tier: reason_why_not(tier) for tier in TIERS}


@functools.cache
def reason_why_not(tier: str) -> str | None:
    """Why `tier` can't be had on this machine; None if it holds, or promises nothing."""
    if tier == "none":
        return None
    if tier not in TIERS:
        return f"there is no such tier (there are {', '.join(TIERS)})"
    if not sys.platform.startswith("linux"):
        return f"it needs Linux, and this is {sys.platform}"
    if policy.MACHINE not in syscalls.HARMLESS:
        return f"no list of system calls for {policy.MACHINE}"
    return _attacked(tier)


def _attacked(tier: str) -> str | None:
    from outdo.sandbox.run import Worker

    worker = Worker(tier)  # type: ignore[arg-type]
    with tempfile.NamedTemporaryFile(prefix="outdo-probe-") as secret:
        program = Program(
            files={"main.py": _ATTACKS},
            calls=(
                Call(code=f"escapes({secret.name!r})"),
                Call(code=f"signals({os.getpid()})"),
            ),
            limits=Limits(seconds=30.0, cpu_seconds=10.0),
        )
        try:
            result = worker.play(program)
        except SandboxError as error:
            return error.problem
        finally:
            worker.close()
            Path(f"{secret.name}.new").unlink(missing_ok=True)
    found, signalled = result.outputs
    if found.text is None:
        return f"a program does not run: {found.error}"
    if escapes := literal.read(found.text):
        return f"a program {', '.join(map(str, escapes))}"  # type: ignore[call-overload]
    return None if signalled.text is None else "a program signals others"
