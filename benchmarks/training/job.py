"""One measured run: what is asked of a process, and what it tells."""

from __future__ import annotations

import contextlib
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

FOLDER = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run of one contender. `mode` is a way of TRL's, or of outdo's to do without something.

    `batch` is how many rows make a step; a row of `dpo` is a pair, two sequences. `budget` is
    outdo's tokens in a batch, `block` TRL's in a packed one (0: the longest row's). `rank` 0
    trains all weights. The first step warms up and isn't counted, unless it is the only one.
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
    block: int = 0
    learning_rate: float = 2e-4
    device: str = "cpu"


@dataclass(slots=True)
class Clock:
    """Processor seconds and tokens at the end of each step."""

    device: str = "cpu"
    began: float = 0.0
    seconds: list[float] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """The time at which it was made."""
        self.began = self.now()

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
        single = len(self.seconds) == 1
        seconds = self.seconds[-1] - (self.began if single else self.seconds[0])
        tokens = self.tokens[-1] - (0 if single else self.tokens[0])
        return {
            "steps": 1 if single else len(self.seconds) - 1,
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


class Worker:
    """A process that does jobs one after the other, with one thread where there is no GPU.

    What it has imported stays, so that jobs of two workers take turns without starting anew.
    """

    def __init__(self, device: str = "cpu") -> None:
        """Start the process; what it says goes to a file that a failure quotes."""
        quiet = {**os.environ, "TQDM_DISABLE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        quiet |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
        if device == "cpu":
            quiet |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        quiet["PYTHONPATH"] = os.pathsep.join(
            [str(FOLDER), *filter(None, [quiet.get("PYTHONPATH")])]
        )
        self.folder = tempfile.TemporaryDirectory()
        quiet["HF_DATASETS_CACHE"] = str(Path(self.folder.name, "cache"))
        self.words = Path(self.folder.name, "words")
        with self.words.open("w") as words:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from training.job import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=words,
                text=True,
                env=quiet,
                cwd=self.folder.name,
            )

    def __call__(self, job: Job) -> dict[str, Any]:
        """What the job told. Raises RuntimeError with the end of its words if it failed."""
        assert self.process.stdin and self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(asdict(job)) + "\n")
            self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{job} failed:\n{self.words.read_text()[-3000:]}")
        return {"mode": job.mode, **json.loads(answer)}

    def __enter__(self) -> Worker:
        """The worker itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process and forget its files."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.folder.cleanup()


def serve() -> None:
    """Do the jobs that come as lines, and answer each with a line; all else goes to stderr."""
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)
        for line in sys.stdin:
            answers.write(json.dumps(perform(Job(**json.loads(line)))) + "\n")
            answers.flush()


def apart(job: Job) -> dict[str, Any]:
    """What the job told, done in a fresh process."""
    with Worker(job.device) as worker:
        return worker(job)


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
