"""What machine this is, in words: for reports, and beside everything that was timed on it."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path


def hardware() -> str:
    """The processor, its cores and the memory, in words."""
    return f"{processor()}, {cores()} cores, {memory_bytes() / 2**30:.0f} GiB"


def cores() -> int:
    """How many cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The processor's name as the kernel tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def memory_bytes() -> int:
    """The machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
