"""One measured run: what is asked of a process of its own, and what it tells."""

from __future__ import annotations

import ctypes
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).resolve().parent.parent / "training.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run of one contender. `mode` is a way of TRL's, or of outdo's to do without something.

    `batch` is how many rows make a step; a row of `dpo` is a pair, two sequences. `budget` is
    outdo's tokens in a batch. The first step warms up and isn't counted.
    """

    side: str
    method: str
    model: str
    rows: str
    mode: str = ""
    precision: str = "float32"
    batch: int = 16
    epochs: int = 1
    rank: int = 16
    budget: int = 4096
    learning_rate: float = 2e-4
    device: str = "cpu"


@dataclass(slots=True)
class Clock:
    """Processor seconds and tokens at the end of each step."""

    device: str = "cpu"
    seconds: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def now(self) -> float:
        """Seconds of all threads of this process; of the clock on the wall where a GPU works."""
        if self.device == "cpu":
            return time.process_time()
        import torch

        torch.cuda.synchronize()
        return time.perf_counter()

    def step(self, tokens: int) -> None:
        """A step has ended, after `tokens` in all."""
        self.seconds.append(self.now())
        self.tokens.append(tokens)

    def told(self) -> dict[str, Any]:
        """What was measured from the end of the first step to that of the last."""
        seconds = self.seconds[-1] - self.seconds[0]
        tokens = self.tokens[-1] - self.tokens[0]
        return {
            "steps": len(self.seconds) - 1,
            "seconds": seconds,
            "tokens": tokens,
            "tokens_in_all": self.tokens[-1],
            "tokens_per_second": tokens / seconds,
            "losses": self.losses,
        }


class Memory:
    """The peak above what was there when it was made: a process's resident set, or a GPU's."""

    def __init__(self, device: str) -> None:
        """Give back what is free, and let the high-water mark begin here."""
        self.device = device
        gc.collect()
        if device != "cpu":
            import torch

            torch.cuda.reset_peak_memory_stats()
            self.baseline = torch.cuda.memory_allocated()
            return
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
        self.baseline = _resident("VmRSS")

    def told(self) -> dict[str, int]:
        """Baseline and peak in bytes."""
        if self.device != "cpu":
            import torch

            return {
                "baseline_bytes": self.baseline,
                "peak_bytes": torch.cuda.max_memory_allocated() - self.baseline,
            }
        return {"baseline_bytes": self.baseline, "peak_bytes": _resident("VmHWM") - self.baseline}


def _resident(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {name}")


def apart(job: Job, *, patience: float = 900) -> dict[str, Any]:
    """What the job told, done in a fresh process with one thread.

    Raises RuntimeError with the end of its words if it failed.
    """
    quiet = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    quiet |= {"OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    if job.device != "cpu":
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            del quiet[name]
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "told.json")
        quiet["HF_DATASETS_CACHE"] = str(Path(folder, "cache"))
        done = subprocess.run(
            [sys.executable, str(SCRIPT), "--job", json.dumps(asdict(job)), "--told", str(told)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=quiet,
            cwd=folder,
            timeout=patience,
        )
        if done.returncode or not told.is_file():
            raise RuntimeError(f"{job} failed:\n{done.stdout[-3000:]}")
        return {"mode": job.mode, **json.loads(told.read_text())}


def rows(job: Job) -> list[dict[str, Any]]:
    """The job's lines: each a `record` for outdo and the `ids` of the same."""
    return [json.loads(line) for line in Path(job.rows).open(encoding="utf-8")]


def perform(job: Job) -> dict[str, Any]:
    """Do the job in this process."""
    if job.side == "outdo":
        from training import ours

        return ours.perform(job)
    from training import peer

    return peer.perform(job)
