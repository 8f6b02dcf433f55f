"""A server that answers every judgement after the same time, in OpenAI's form; one process.

It prints its port, and stops by itself when its input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys

REPLY = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1741569952,
    "model": "judge",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "The first names what changes; the second repeats the diff.\n" * 4
                + '{"verdict": "first", "scores": [8, 5]}',
                "refusal": None,
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 900, "completion_tokens": 60, "total_tokens": 960},
}


def reply() -> bytes:
    """The whole reply, head and body."""
    body = json.dumps(REPLY).encode()
    head = (
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def serve(seconds: float) -> None:
    """Answers on a free port of loopback until standard input ends."""
    content = reply()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.lower().split(b"\r\n")
                length = next(int(x[15:]) for x in lines if x.startswith(b"content-length:"))
                await reader.readexactly(length)
                await asyncio.sleep(seconds)
                writer.write(content)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
