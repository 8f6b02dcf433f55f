"""How much memory a run will need, how much is free, and how much it took at its peak."""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path

import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Numbers of malloc.h."""


def keep_pages() -> None:
    """Let freed memory stay with the process, so that each batch finds the pages of the last.

    The C library gives large blocks back at once and fetches empty pages again, which takes as long
    as the arithmetic on them. Does nothing where there is no glibc.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        set_option(M_MMAP_THRESHOLD, 2**31 - 1)
        set_option(M_TRIM_THRESHOLD, 2**31 - 1)


class Memory:
    """Measures from its making on: the device's memory, or the resident set of this process."""

    def __init__(self, device: torch.device) -> None:
        """Forget what was freed and what was the highest before."""
        self.device = device
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats(device)
            self.baseline_bytes = torch.cuda.memory_allocated(device)
            return
        _give_back()
        if sys.platform == "linux":
            _reset_high_water()
        self.baseline_bytes = _resident("VmRSS")

    @property
    def bytes_now(self) -> int:
        """What is in use at this moment; what was freed is given back first."""
        if self.device.type == "cuda":
            return int(torch.cuda.memory_allocated(self.device))
        _give_back()
        return _resident("VmRSS")

    @property
    def peak_bytes(self) -> int:
        """The highest so far, what was there at the beginning included."""
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self.device))
        return _resident("VmHWM")


def _give_back() -> None:
    """Let the allocator return to the kernel what it keeps for later."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _reset_high_water() -> None:
    """Let the kernel's high-water mark start from what is resident now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except (
        OSError
    ):  # a kernel or a container that doesn't allow it: the peak may be a predecessor's
        return


def _resident(field: str) -> int:
    """A line of /proc/self/status in bytes; elsewhere the process's maximum, never reset."""
    status = Path("/proc/self/status")
    if status.is_file():
        for line in status.read_text().splitlines():
            if line.startswith(f"{field}:"):
                return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def free_bytes(device: torch.device) -> int | None:
    """What may still be taken: of the device, or of this machine; None where nobody says."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    meminfo = Path("/proc/meminfo")
    if device.type != "cpu" or not meminfo.is_file():
        return None
    for line in meminfo.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None
