"""The machine under all providers: threads that ask, and one generator that decides.

All decisions are the generator's, in the thread of whoever reads it: what goes out next, what is
asked again and when, when to stop. So nothing here is locked. A call's place is free again only
when its answer has been taken, for the one who takes it writes it down: a killed process loses no
more answers than there were calls out.
"""

from __future__ import annotations

import heapq
import queue
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from outdo.engines.budget import Budget, OutOfBudget
from outdo.engines.faults import Again, BadRequest
from outdo.engines.ledger import Ledger
from outdo.engines.limiter import Limiter
from outdo.engines.tally import Tally
from outdo.errors import EngineError, OutdoError, PermanentError, TransientError
from outdo.records import Completion, Request

Reply = Completion | PermanentError
HOPELESS = 25
"""So many failures before any answer, and nothing is there that could answer."""

HINTS: Mapping[str, str] = {
    "network": "check the address, and whether the server runs",
    "model": "name the model as it calls itself",
}
"""What to do where a kind of failure is all that comes."""

SUSPECT = 5
"""So many bad requests without an answer are not the rows' fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often a row is asked again, how long between, and when all is given up.

    `faults` and `throttles` bound the calls of one row. Waits double from `first` to `longest`
    seconds, of which a random half to all is waited. After `silence` seconds in which every call
    failed, the rest is given up.
    """

    faults: int = 12
    throttles: int = 100
    first: float = 0.5
    longest: float = 30.0
    silence: float = 300.0


@dataclass(slots=True)
class Job:
    """A request on its way."""

    request: Request
    most: float
    faults: int = 0
    throttles: int = 0
    begun: float = 0.0
    call: str = ""


@dataclass(slots=True)
class Calls:
    """One round of requests, asked by `ask` in threads of their own.

    `ask` returns a completion or raises one of `faults`. `most` says what a call may cost.
    """

    ask: Callable[[Request], Completion]
    most: Callable[[Request], float]
    limiter: Limiter
    tally: Tally
    patience: Patience = field(default_factory=Patience)
    budget: Budget | None = None
    ledger: Ledger | None = None
    draw: random.Random = field(default_factory=random.Random)

    _ready: deque[Job] = field(default_factory=deque)
    _later: list[tuple[float, int, Job]] = field(default_factory=list)
    _work: queue.SimpleQueue[Job | None] = field(default_factory=queue.SimpleQueue)
    _done: queue.SimpleQueue[tuple[Job, Completion | BaseException]] = field(
        default_factory=queue.SimpleQueue
    )
    _held: list[tuple[Request, BadRequest]] = field(default_factory=list)
    _given_up: list[Again] = field(default_factory=list)
    _stop: Exception | None = None
    _flying: dict[int, Job] = field(default_factory=dict)
    _threads: int = 0
    _number: int = 0
    _in_a_row: int = 0
    _has_answered: bool = False
    _heard: float = 0.0

    def answers(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Reply]]:
        """Each request with its reply, the moment it is there.

        Raises EngineError where nothing can be answered, and TransientError for what is owed
        again, both after the calls that are out have come back.
        """
        self._ready.extend(Job(request, self.most(request)) for request in requests)
        if self.ledger is not None:
            asked = {request.key for request in requests}
            again = (n for key, n in self.ledger.unended.items() if key in asked)
            self.tally.remade += sum(again)
        self._heard = time.monotonic()
        try:
            yield from self._round()
        finally:
            for _ in range(self._threads):
                self._work.put(None)
            for job in list(self._flying.values()):  # nobody reads on: their answers are lost
                self._landed(job)
                if self.budget is not None:
                    self.budget.settle(job.most, job.most)

    # -------------------------------------------------------------- the generator's side

    def _round(self) -> Iterator[tuple[Request, Reply]]:
        while True:
            self._send()
            if not self._flying and (self._stop or not (self._ready or self._later)):
                break
            try:
                job, came = self._done.get(timeout=self._nap())
            except queue.Empty:
                continue
            self._settle(job, came)
            yield from self._came(job, came)
            self._landed(job)
        yield from self._last_words()

    def _landed(self, job: Job) -> None:
        """The place of a call is free again."""
        del self._flying[id(job)]
        self.limiter.end()

    def _last_words(self) -> Iterator[tuple[Request, Reply]]:
        """What was held back, if it is the rows' own fault, and then the reason of a stop."""
        if isinstance(self._stop, EngineError):
            raise self._stop
        yield from self._freed()
        if self._stop is not None:
            raise self._stop
        if self._given_up:
            last = self._given_up[-1]
            raise TransientError(
                f"{len(self._given_up)} of the calls failed as often as they may; lately: {last}"
            )

    def _send(self) -> None:
        """Sends what may go out now."""
        now = time.monotonic()
        while self._later and self._later[0][0] <= now:
            self._ready.append(heapq.heappop(self._later)[2])
        while self._ready and self._stop is None and self.limiter.is_open(now):
            job = self._ready[0]
            if self.budget is not None and not self.budget.reserve(job.most):
                if not self._flying and self.budget.reserved <= 0:
                    self._stop = self.budget.passed(job.most)
                return
            self._ready.popleft()
            self.limiter.begin()
            self._flying[id(job)] = job
            self.tally.calls += 1
            job.begun = now
            if self.ledger is not None:
                job.call = self.ledger.begun(job.request.key, most=job.most)
            if self._threads < len(self._flying):
                self._threads += 1
                threading.Thread(target=self._work_on, daemon=True).start()
            self._work.put(job)

    def _nap(self) -> float | None:
        """How many seconds until something may go out though nothing came back."""
        now = time.monotonic()
        if self._stop is not None:
            return None
        due = [self._later[0][0]] if self._later else []
        if self._ready and self.limiter.closed_until > now:
            due.append(self.limiter.closed_until)
        elif self._ready and not self._flying:
            due.append(now + 0.05)  # another engine holds what is left of the budget
        return max(0.001, min(due) - now) if due else None

    def _came(self, job: Job, came: Completion | BaseException) -> Iterator[tuple[Request, Reply]]:
        """Hands on what is final, and sees to what failed."""
        if isinstance(came, Completion):
            self._has_answered = True
            self._in_a_row = 0
            self._heard = time.monotonic()
            self.limiter.well()
            self.tally.answered += 1
            yield from self._freed()
            yield job.request, came
        elif isinstance(came, BadRequest) and not self._has_answered:
            self._held.append((job.request, came))
            if len(self._held) >= SUSPECT:
                hint = "no request was answered: see what the server accepts"
                self._halt(EngineError(str(came), hint))
        elif isinstance(came, PermanentError):
            self._heard = time.monotonic()
            yield job.request, came
        elif isinstance(came, Again):
            self._failed(job, came)
        elif isinstance(came, EngineError):
            self._halt(came)
        else:
            raise came

    def _freed(self) -> Iterator[tuple[Request, Reply]]:
        """The bad requests that were held back until one was answered: it is not all of them."""
        held, self._held = self._held, []
        yield from held

    def _settle(self, job: Job, came: Completion | BaseException) -> None:
        """Books what a call cost: what the provider counted, or all that it may have been."""
        cost = 0.0
        if isinstance(came, Completion):
            cost = came.usage.cost
            self.tally.tokens_in += came.usage.tokens_in
            self.tally.tokens_out += came.usage.tokens_out
        elif isinstance(came, Again) and came.billed:
            cost = job.most
        self.tally.cost += cost
        if self.budget is not None:
            self.budget.settle(job.most, cost)
        if self.ledger is not None:
            self.ledger.ended(job.request.key, job.call, cost=cost)

    def _failed(self, job: Job, why: Again) -> None:
        """Puts a request that failed back in the queue, or gives it up, or all of them."""
        now = time.monotonic()
        self.tally.failed[why.kind] += 1
        self._in_a_row += 1
        if why.kind == "rate":
            job.throttles += 1
            self.limiter.throttled(begun=job.begun, now=now, wait=why.wait)
        else:
            job.faults += 1
        if why.kind in ("network", "model") and not self._has_answered:
            if self._in_a_row >= HOPELESS:
                self._halt(EngineError(str(why), HINTS[why.kind]))
        elif now - self._heard > self.patience.silence or (why.wait or 0) > self.patience.silence:
            self._halt(TransientError(f"no answer for {now - self._heard:.0f} seconds: {why}"))
        if job.faults >= self.patience.faults or job.throttles >= self.patience.throttles:
            self._given_up.append(why)
            return
        self.tally.retries += 1
        pause = self._pause(job) if why.wait is None else why.wait * self.draw.uniform(1.0, 1.1)
        self._number += 1
        heapq.heappush(self._later, (now + pause, self._number, job))

    def _pause(self, job: Job) -> float:
        """Seconds to wait before the next call of a row: doubled each time, jittered."""
        times = min(job.faults + job.throttles - 1, 30)
        longest = min(self.patience.longest, self.patience.first * 2.0**times)
        return longest * self.draw.uniform(0.5, 1.0)

    def _halt(self, why: Exception) -> None:
        """Nothing more goes out; what is out is waited for."""
        if self._stop is None or isinstance(self._stop, OutOfBudget):
            self._stop = why

    # -------------------------------------------------------------- the threads' side

    def _work_on(self) -> None:
        while (job := self._work.get()) is not None:
            came: Completion | BaseException | None = None
            try:
                came = self.ask(job.request)
            except (OutdoError, TransientError, PermanentError) as error:
                came = error
            finally:  # a defect ends this thread, and the generator raises it
                self._done.put((job, came or sys.exception() or SystemExit()))
