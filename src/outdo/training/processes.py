"""Several processes that make one run: who computes which rows, and how their gradients meet.

A step is a set of rows, of which each process takes a share. Sums of gradients and of weights are
added up over the processes and divided once, so the step is that of a single process but for the
order in which numbers are added. One that fails tells the others why, and all of them end.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from outdo.errors import TrainingError
from outdo.models.forest import Batch
from outdo.training.settings import How

T = TypeVar("T")

PATIENCE = timedelta(minutes=30)
"""How long a process waits for the others at one place."""

LAST_WORDS = timedelta(seconds=5)
"""How long the leader waits for the others to hear why it failed."""

BUCKET = 2**24
"""So many numbers of gradients are sent at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Processes:
    """Those that make a run together: this one is number `rank` of `count`; the first leads.

    `sharded` says that each holds a part of the weights, so that a pass through the model is
    something that all of them do together.
    """

    rank: int = 0
    count: int = 1
    sharded: bool = False

    @property
    def leads(self) -> bool:
        """Whether this process writes, and tells how far the run is."""
        return self.rank == 0

    def share(self, numbers: Sequence[int], sizes: Sequence[int] | Mapping[int, int]) -> list[int]:
        """This process's share of the numbers, in order; `sizes` are the rows' tokens, by number.

        Shares are runs of neighbours, which have prompts in common, and differ by no more than
        a row's tokens. One may be empty.
        """
        ends = list(itertools.accumulate(sizes[number] for number in numbers))
        middles = (2 * end - sizes[number] for number, end in zip(numbers, ends, strict=True))
        return [
            number
            for number, middle in zip(numbers, middles, strict=True)
            if middle * self.count // (2 * ends[-1]) == self.rank
        ]

    def even(
        self, batches: Iterable[Batch], spare: Callable[[], Batch]
    ) -> Iterator[tuple[Batch, bool]]:
        """The batches, and whether each counts.

        Where a pass is something that all do together, all have as many: who has fewer goes
        through `spare`, which doesn't count.
        """
        if not self.sharded:
            yield from ((batch, True) for batch in batches)
            return
        mine = list(batches)
        missing = int(self.highest(len(mine))) - len(mine)
        yield from ((batch, True) for batch in mine)
        yield from ((spare(), False) for _ in range(missing))

    def sum(self, numbers: Sequence[float]) -> list[float]:
        """Each number summed over the processes, in float64."""
        return self._reduced(numbers, "SUM")

    def highest(self, number: float) -> float:
        """The highest that any process has."""
        return self._reduced([number], "MAX")[0]

    def _reduced(self, numbers: Sequence[float], how: Literal["SUM", "MAX"]) -> list[float]:
        if self.count == 1:
            return list(numbers)
        held = torch.tensor(numbers, dtype=torch.float64)
        dist.all_reduce(held, op=getattr(dist.ReduceOp, how))
        return held.tolist()

    def same(self, value: T) -> T:
        """What the leader has, for all."""
        if self.count == 1:
            return value
        held = [value]
        dist.broadcast_object_list(held, src=0, device=torch.device("cpu"))
        return held[0]

    def gathered(self, some: dict[int, T]) -> dict[int, T]:
        """What each process has found out, put together."""
        if self.count == 1:
            return some
        held: list[dict[int, T]] = [{} for _ in range(self.count)]
        dist.all_gather_object(held, some)
        return {number: one for part in held for number, one in part.items()}

    def begin_alike(self, weights: Iterable[torch.nn.Parameter]) -> None:
        """Give all processes the leader's weights."""
        if self.count > 1:
            for weight in weights:
                dist.broadcast(weight.data, src=0)

    def add_gradients(self, weights: Iterable[torch.nn.Parameter]) -> None:
        """Sum the gradients of the weights over the processes; one that nobody has stays None.

        Gradients of weights that lie in parts were added up on the way back.
        """
        if self.count == 1 or self.sharded:
            return
        every = list(weights)
        found = self.sum([float(weight.grad is not None) for weight in every])
        mine = [weight for weight, there in zip(every, found, strict=True) if there]
        for weight in mine:
            if weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        for some in _buckets([weight.grad for weight in mine if weight.grad is not None]):
            flat = torch.cat([one.reshape(-1) for one in some])
            dist.all_reduce(flat)
            parts = torch.split(flat, [one.numel() for one in some])
            for one, part in zip(some, parts, strict=True):
                one.copy_(part.view_as(one))


ALONE = Processes()
"""The one process of a run that was not started by a launcher."""


def _buckets(gradients: Sequence[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Neighbours of one type, no more numbers of them than a bucket holds if they are several."""
    some: list[torch.Tensor] = []
    room = BUCKET
    for one in gradients:
        if some and (one.numel() > room or one.dtype != some[0].dtype):
            yield some
            some, room = [], BUCKET
        some.append(one)
        room -= one.numel()
    if some:
        yield some


# ------------------------------------------------------------------ coming together


def launched() -> tuple[int, int]:
    """This process's number, and how many a launcher such as torchrun has started."""
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


class Together:
    """A block in which the processes of a launcher are one team; one process is a team, too.

    If the block fails in one of them it fails in all, with the reason of the first; one that was
    killed is missed at the next place where all meet. Raises TrainingError there.
    """

    rounds = itertools.count()
    """Blocks of this process so far: the same number names the same block in all of them."""

    def __init__(self, how: How) -> None:
        self.rank, self.count = launched()
        self.sharded = self.count > 1 and _strategy(how) == "fsdp"
        self.on_cuda = torch.cuda.is_available() and how.device in ("auto", "cuda")

    def __enter__(self) -> Processes:
        if self.count == 1:
            return ALONE
        if dist.is_initialized():
            raise TrainingError(
                "torch.distributed is in use already", "leave init_process_group to outdo"
            )
        if self.on_cuda:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        self.store = PrefixStore(f"outdo/{next(self.rounds)}", meeting_place())
        dist.init_process_group(
            "cpu:gloo,cuda:nccl" if self.on_cuda else "gloo",
            store=self.store,
            rank=self.rank,
            world_size=self.count,
            timeout=PATIENCE,
        )
        return Processes(rank=self.rank, count=self.count, sharded=self.sharded)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if self.count == 1:
            return
        told = self._told(error) if error is not None else None
        dist.destroy_process_group()
        if told is not None:
            raise told from error
        if error is not None and self.rank == 0:
            self._stay()

    def _told(self, error: BaseException) -> TrainingError | None:
        """What another process has failed of, where that is why this one did; else tells them."""
        missed = _is_of_another(error)
        with contextlib.suppress(dist.DistError):
            if not missed:
                said = f"process {self.rank} failed: {error or type(error).__name__}"
                self.store.compare_set("failed", "", said)
                self.store.set(f"heard/{self.rank}", "")
                return None
            if self.store.check(["failed"]):
                said = self.store.get("failed").decode()
                self.store.set(f"heard/{self.rank}", "")
                return TrainingError(said)
        return (
            TrainingError(
                "another process of this run is gone",
                "it was killed, or the network failed; the same command goes on",
            )
            if missed
            else None
        )

    def _stay(self) -> None:
        """Let the others hear why, for the store may go with this process."""
        others = [f"heard/{rank}" for rank in range(1, self.count)]
        with contextlib.suppress(dist.DistError):
            self.store.wait(others, LAST_WORDS)


def _is_of_another(error: BaseException) -> bool:
    """Whether a process learns by this error that it waits for another in vain."""
    if isinstance(error, dist.DistError):
        return True
    return type(error) is RuntimeError and "gloo" in str(error)


def _strategy(how: How) -> str:
    """How the weights lie; `auto` asks accelerate's launcher, if it is that."""
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true":
        raise TrainingError("DeepSpeed can't be used", "set strategy: fsdp, which does the same")
    if how.strategy != "auto":
        return how.strategy
    return "fsdp" if os.environ.get("ACCELERATE_USE_FSDP") == "true" else "ddp"


@functools.cache
def meeting_place() -> Any:
    """The store at which the launcher's processes find each other. Raises TrainingError."""
    try:
        store, _, _ = next(rendezvous("env://", timeout=PATIENCE))
    except ValueError as error:
        raise TrainingError(f"{error}", "start outdo with torchrun or accelerate") from error
    return store
