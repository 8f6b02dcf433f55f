"""A few processes that find each other as those of a launcher do, for tests."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
import traceback
from collections.abc import Callable

SECONDS = 90.0
"""So long may they take, on a machine that others use, too."""


def launched(work: Callable[[int], None], *, processes: int = 2) -> list[tuple[int, str]]:
    """The exit code of each process, and the last line of what it failed of.

    Each is forked from this one and calls `work` with its number. None outlives this call.
    """
    fork = multiprocessing.get_context("fork")
    port = _free_port()
    pipes = [fork.Pipe(duplex=False) for _ in range(processes)]
    made = [
        fork.Process(target=_be, args=(work, rank, processes, port, pipes[rank][1]), daemon=True)
        for rank in range(processes)
    ]
    for one in made:
        one.start()
    ends = time.monotonic() + SECONDS
    for one in made:
        one.join(max(0.0, ends - time.monotonic()))
    hung = [one for one in made if one.is_alive()]
    for one in hung:
        one.kill()
        one.join()
    assert not hung, f"{len(hung)} of {processes} processes hang"
    said = [pipe.recv() if pipe.poll() else "" for pipe, _ in pipes]
    return [(int(one.exitcode or 0), words) for one, words in zip(made, said, strict=True)]


def _be(work: Callable[[int], None], rank: int, processes: int, port: int, says: object) -> None:
    import torch

    torch.set_num_threads(1)
    os.environ |= {
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(processes),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    try:
        work(rank)
    except BaseException:
        says.send(traceback.format_exc().splitlines()[-1])  # type: ignore[attr-defined]
        os._exit(1)
    os._exit(0)


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
