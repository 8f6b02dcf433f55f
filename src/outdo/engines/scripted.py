"""An engine that answers from a script: for floors, examples and tests. The same every time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

from outdo.errors import EngineError, PermanentError
from outdo.records import Completion, Finish, Request, Usage


@dataclass(frozen=True, slots=True)
class Ended:
    """A reply that ends as a provider may end one: cut at the limit of tokens, or refused."""

    text: str
    finish: Finish


@dataclass(frozen=True, slots=True)
class Rule:
    """Replies for every prompt whose last user message the pattern is found in."""

    pattern: re.Pattern[str]
    replies: tuple[str | Ended, ...]


@dataclass(frozen=True, slots=True)
class Scripted:
    """Answers by the prompt's key, or else by the first rule that fits.

    Of several replies, sample number `index` gets the one of that number, round and round.
    A prompt that the script doesn't know is permanently unanswered.
    """

    replies: Mapping[str, Sequence[str | Ended]]
    rules: Sequence[Rule] = ()
    model: str = "scripted"
    served_by: str = field(default="script", kw_only=True)

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        """Each request with its scripted reply, in the order asked."""
        for request in requests:
            key = request.prompt.key
            replies = self._replies(key, request)
            if not replies:
                yield request, PermanentError("the script has no reply to this prompt")
                continue
            said = replies[request.index % len(replies)]
            yield (
                request,
                Completion(
                    prompt=key,
                    model=self.model,
                    served_by=self.served_by,
                    sampling=request.sampling,
                    index=request.index,
                    text=said if isinstance(said, str) else said.text,
                    finish="stop" if isinstance(said, str) else said.finish,
                    usage=Usage(),
                ),
            )

    def _replies(self, key: str, request: Request) -> Sequence[str | Ended]:
        if known := self.replies.get(key):
            return known
        asked = [m.content for m in request.prompt.messages if m.role == "user"]
        for rule in self.rules:
            if asked and rule.pattern.search(asked[-1]):
                return rule.replies
        return ()


def from_file(path: Path, *, model: str = "") -> Scripted:
    """The engine of a JSONL script: lines of `{"prompt": key | "match": pattern, "reply": ...}`.

    `reply` is a text or a list of texts, one a sample; `{"text": ..., "finish": "length" |
    "refused"}` stands for one that doesn't end by itself. Raises EngineError with file and line.
    """
    replies: dict[str, tuple[str | Ended, ...]] = {}
    rules: list[Rule] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise EngineError(f"the script can't be read: {error}", where=str(path)) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match _entry(line, f"{path}:{number}"):
            case str() as key, texts:
                replies[key] = texts
            case re.Pattern() as pattern, texts:
                rules.append(Rule(pattern, texts))
    return Scripted(replies, tuple(rules), model or f"scripted/{path.stem}")


def _entry(line: str, where: str) -> tuple[str | re.Pattern[str], tuple[str | Ended, ...]]:
    """A line's prompt key or pattern, and its replies."""
    form = '{"prompt": "<key>", "reply": "..."} or {"match": "<pattern>", "reply": ["...", "..."]}'
    try:
        data: Any = json.loads(line)
    except ValueError as error:
        raise EngineError(f"not JSON: {error}", form, where=where) from error
    if not isinstance(data, dict) or set(data) not in ({"prompt", "reply"}, {"match", "reply"}):
        raise EngineError("a script line has a prompt or a match, and a reply", form, where=where)
    said = data["reply"]
    texts = tuple(map(_reply, said if isinstance(said, list) else [said]))
    if not texts or None in texts:
        hint = 'as one sample: "..." or {"text": "...", "finish": "length"}'
        raise EngineError("the reply is a text or a list of texts", hint, where=where)
    known = tuple(text for text in texts if text is not None)
    if "prompt" in data:
        return str(data["prompt"]), known
    try:
        return re.compile(str(data["match"]), re.MULTILINE), known
    except re.error as error:
        raise EngineError(f"the pattern is not one: {error}", form, where=where) from error


def _reply(said: Any) -> str | Ended | None:
    """One reply of a script; None for what is none."""
    if isinstance(said, str):
        return said
    if not isinstance(said, dict) or set(said) != {"text", "finish"}:
        return None
    text, finish = said["text"], said["finish"]
    return Ended(text, finish) if isinstance(text, str) and finish in get_args(Finish) else None
