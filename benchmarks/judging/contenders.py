"""Who asks the same judgements: outdo's engine, a bare pool of threads, and inspect_ai.

Each runs in a process of its own, warms up with one call, and tells its seconds and peak memory.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from outdo.records import Message, Prompt, Request, Sampling

REASON = "Say which reply describes the pull request better. Reasons first, then JSON."
DIFF = "\n".join(f"{n:4} + total = add(total, item[{n}])  # a line of a diff" for n in range(60))


def requests(pairs: int) -> list[Request]:
    """Each pair in both orders, at about a thousand tokens a prompt."""
    made = []
    for number in range(pairs):
        for order in ("ab", "ba"):
            replies = [f"Reply {one} to pull request {number}." for one in order]
            text = f"{DIFF}\n\nFirst: {replies[0]}\nSecond: {replies[1]}\n{REASON}"
            turns = (
                Message(role="system", content="You judge."),
                Message(role="user", content=text),
            )
            made.append(Request(prompt=Prompt(messages=turns), sampling=Sampling(max_tokens=300)))
    return made


def outdo(asked: list[Request], url: str, connections: int) -> Callable[[], int]:
    """The engine that studies use."""
    from outdo.engines.remote import RemoteOptions, open_remote

    options = RemoteOptions(base_url=url, max_connections=connections)
    engine = open_remote("openai-api/bench/judge", options=options)
    list(engine.complete(asked[:1]))
    return lambda: sum(1 for _ in engine.complete(asked))


def thread_pool(asked: list[Request], url: str, connections: int) -> Callable[[], int]:
    """The same SDK in a pool of as many threads, as anybody would write it."""
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    client = openai.OpenAI(
        api_key="none",
        base_url=url,
        max_retries=0,
        http_client=openai.DefaultHttpx2Client(limits=limits),
    )

    def ask(request: Request) -> str:
        turns = [{"role": m.role, "content": m.content} for m in request.prompt.messages]
        reply = client.chat.completions.create(
            model="judge",
            messages=turns,  # type: ignore[arg-type]
            temperature=0.0,
            max_tokens=request.sampling.max_tokens,
            seed=1,
        )
        return reply.choices[0].message.content or ""

    ask(asked[0])

    def run() -> int:
        with ThreadPoolExecutor(connections) as pool:
            return sum(1 for _ in pool.map(ask, asked))

    return run


def inspect_ai(asked: list[Request], url: str, connections: int) -> Callable[[], int]:
    """The model interface of inspect_ai, all calls at once under its own limit."""
    import asyncio

    from inspect_ai.model import (
        ChatMessageSystem,
        ChatMessageUser,
        GenerateConfig,
        get_model,
    )

    config = GenerateConfig(max_connections=connections, max_tokens=300, temperature=0.0, seed=1)
    model = get_model("openai-api/bench/judge", base_url=url, api_key="none", config=config)

    async def ask(request: Request) -> str:
        system, user = request.prompt.messages
        turns = [ChatMessageSystem(content=system.content), ChatMessageUser(content=user.content)]
        return str((await model.generate(turns)).completion)

    async def every() -> int:
        await ask(asked[0])
        return len(await asyncio.gather(*(ask(one) for one in asked)))

    return lambda: asyncio.run(every())


CONTENDERS = {"outdo": outdo, "thread_pool": thread_pool, "inspect_ai": inspect_ai}


def here() -> list[str]:
    """The contenders that are installed."""
    found = importlib.util.find_spec("inspect_ai")
    return [name for name in CONTENDERS if name != "inspect_ai" or found]


def peak_mb() -> float:
    """The most that was resident, in MB; `ru_maxrss` would begin at what its parent held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak) / 1024


def main() -> None:
    """Runs one contender, and prints what it took."""
    name, url, pairs, connections = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    asked = requests(pairs)
    run = CONTENDERS[name](asked, url, connections)
    cpu, begun = time.process_time(), time.monotonic()
    answered = run()
    told = {
        "answered": answered,
        "seconds": time.monotonic() - begun,
        "cpu_ms_per_call": (time.process_time() - cpu) / len(asked) * 1000,
        "peak_mb": peak_mb(),
        "load": os.getloadavg()[0],
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
