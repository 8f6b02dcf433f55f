"""A server that fails at set rates, each time by the same draw: what it says is known before."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Mapping

from loopback import Loopback, Reply, Seen, chat, error

KINDS = ("throttled", "broken", "hang", "cut", "garbage", "liar")


class Faulty(Loopback):
    """Answers «answer to <what was asked>», but for the rates of `KINDS`, each from 0 to 1.

    `hang` is how many seconds a call hangs that does; `wait` is what Retry-After says.
    """

    def __init__(
        self,
        rates: Mapping[str, float],
        *,
        hang: float = 30.0,
        wait: str = "0",
        seconds: float = 0.0,
        salt: int = 0,
    ) -> None:
        super().__init__(self._reply)
        self.rates = rates
        self.hang = hang
        self.wait = wait
        self.seconds = seconds
        self.salt = salt
        self.drawn: Counter[str] = Counter()
        self._times: Counter[str] = Counter()
        self._draws = threading.Lock()

    def _reply(self, seen: Seen) -> Reply:
        kind = self._draw(seen.asked)
        good = chat(f"answer to {seen.asked}")
        if kind == "throttled":
            return error("slow down", status=429, headers={"Retry-After": self.wait})
        if kind == "broken":
            return error("internal error", status=500)
        if kind == "hang":
            return Reply(good, hang=self.hang)
        if kind == "cut":
            return Reply(good, cut=True)
        if kind == "garbage":
            return Reply(raw=b'{"id": "chatcmpl-abc", "choices": [{"mess')
        if kind == "liar":
            return Reply(chat("said by somebody else", model="somebody-else"))
        return Reply(good, hang=self.seconds)

    def _draw(self, asked: str) -> str:
        """What becomes of this call: by what is asked, and for the how manieth time."""
        with self._draws:
            self._times[asked] += 1
            token = f"{self.salt} {asked} {self._times[asked]}".encode()
            left = int.from_bytes(hashlib.sha256(token).digest()[:7], "big") / 2**56
            for kind in KINDS:
                left -= self.rates.get(kind, 0.0)
                if left < 0:
                    self.drawn[kind] += 1
                    return kind
            self.drawn["good"] += 1
            return "good"
