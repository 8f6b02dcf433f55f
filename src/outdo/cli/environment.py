"""What this machine and this installation are, for reports and for `outdo doctor`."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import subprocess
import time
from pathlib import Path

from outdo import __version__
from outdo.machine import hardware
from outdo.records import Json

TOLD = ("torch", "transformers", "peft", "numpy", "scipy", "rapidfuzz", "pygments")
"""The packages whose versions can change a number."""


@functools.cache
def environment(*, sandbox: str) -> dict[str, Json]:
    """What a report says it ran on; the time is that of the first call."""
    return {
        "outdo": __version__,
        "packages": packages(TOLD),
        "hardware": hardware(),
        "sandbox": sandbox,
        "commit": commit(),
        "started": time.strftime("%Y-%m-%d %H:%M:%S %z"),
    }


def packages(names: tuple[str, ...]) -> dict[str, str]:
    """The installed ones among some packages, with their versions."""
    found = {}
    for name in names:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"python": platform.python_version(), **found}


def commit() -> str:
    """The commit of outdo's own source, with a plus if it was changed since; empty if unknown."""
    source = Path(__file__).resolve().parent
    try:
        # Installed somewhere below a user's repository, it would tell that one's commit.
        _git("ls-files", "--error-unmatch", Path(__file__).name, folder=source)
        head = _git("rev-parse", "--short=12", "HEAD", folder=source)
        changed = _git("status", "--porcelain", "--", ".", folder=source.parent)
    except (OSError, subprocess.SubprocessError):
        return ""
    return head + ("+" if changed else "")


def _git(*arguments: str, folder: Path) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()
