"""The one place where a conversation becomes token ids, for training, generation and judging.

A conversation is rendered as segments: what the model is given, what it has to say, what it is
given next. Each is tokenised alone, so a prompt has the same ids whether an answer follows it
in a training row or is about to be generated.

A tokenizer without a chat template gets a plain one: `### User:`, a newline, the text, a blank
line, `### Assistant:`, a newline, the answer, the end-of-sequence token.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from outdo.errors import ModelError
from outdo.records import Conversation, Message, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """Token ids, and for each whether the model has to learn to say it."""

    ids: tuple[int, ...]
    learnt: tuple[bool, ...]


class Chat:
    """How one tokenizer speaks: prompts in, texts out, and where an answer ends."""

    def __init__(self, tokenizer: Any, *, stop_ids: Iterable[int] = ()) -> None:
        """`stop_ids` are added to the tokenizer's own, as a generation configuration names them."""
        self.tokenizer = tokenizer
        if tokenizer.eos_token_id is None:
            raise ModelError("the tokenizer has no end-of-sequence token", "set its eos_token")
        self._more_stops = frozenset(stop_ids)

    @functools.cached_property
    def stop_ids(self) -> frozenset[int]:
        """The tokens that end an answer: EOS, and the end of turn that the template writes."""
        stops = {self.tokenizer.eos_token_id, *self._more_stops}
        if self.tokenizer.chat_template:
            probe = (Message(role="user", content="?"), Message(role="assistant", content="x"))
            closing = self._ids(self._segments(probe, answer_next=False)[-1])
            special = set(self.tokenizer.all_special_ids) | set(self.tokenizer.added_tokens_decoder)
            stops |= set([token for token in closing if token in special][:1])
        return frozenset(stops)

    def prompt_ids(self, prompt: Prompt) -> list[int]:
        """The ids after which the model answers."""
        segments = self._segments(prompt.messages, answer_next=True)
        return self._opened([token for segment in segments for token in self._ids(segment)])

    def encode(self, conversation: Conversation) -> Encoded:
        """The ids of a whole conversation; the assistant's turns are learnt, each with its end.

        What the template writes after the last end of turn is left out: nothing is generated
        there. Raises ModelError if the template changes an answer or doesn't close it.
        """
        messages = conversation.messages
        if not messages or messages[-1].role != "assistant":
            raise ModelError("the last turn isn't the assistant's", where=conversation.id)
        ids: list[int] = []
        learnt: list[bool] = []
        segments = self._segments(messages, answer_next=False)
        for number, segment in enumerate(segments):
            tokens = self._ids(segment)
            said = self._said(tokens, conversation.id) if number % 2 else 0
            ids += tokens
            learnt += [place < said for place in range(len(tokens))]
        last = len(learnt) - learnt[::-1].index(True)
        opened = self._opened(ids[:last])
        return Encoded(
            ids=tuple(opened),
            learnt=(False,) * (len(opened) - last) + tuple(learnt[:last]),
        )

    def text(self, ids: Sequence[int]) -> str:
        """What was said: decoded, without stop tokens or other special ones."""
        decoded = self.tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return str(decoded)

    def _ids(self, segment: str) -> list[int]:
        return list(self.tokenizer(segment, add_special_tokens=False)["input_ids"])

    def _opened(self, ids: list[int]) -> list[int]:
        """With BOS in front, once: where the template writes none and the tokenizer would."""
        bos = self.tokenizer.bos_token_id
        if bos is None or self.tokenizer.chat_template or ids[:1] == [bos]:
            return ids
        adds = list(self.tokenizer("a")["input_ids"])[:1] == [bos]
        return [bos, *ids] if adds else ids

    def _said(self, tokens: list[int], row: str) -> int:
        """How many tokens of an answer's segment are the model's: through its stop token."""
        ends = [place for place, token in enumerate(tokens) if token in self.stop_ids]
        if not ends:
            raise ModelError(
                "the chat template closes the assistant's turn with no stop token",
                "set the tokenizer's eos_token to the template's end of turn",
                where=row,
            )
        return ends[-1] + 1

    def _segments(self, messages: Sequence[Message], *, answer_next: bool) -> list[str]:
        """Texts that alternate: given, said, given, said, ...; all together are the rendering."""
        segments: list[str] = []
        done = ""
        for place, message in enumerate(messages):
            if message.role != "assistant":
                continue
            given = self._render(messages[:place], answer_next=True)
            whole = self._render(messages[: place + 1], answer_next=False)
            answer = whole[len(given) :]
            if not (given.startswith(done) and whole.startswith(given)):
                raise ModelError(
                    "the chat template writes earlier turns anew as the talk goes on",
                    "give each answer a conversation of its own",
                )
            if not answer.startswith(message.content.rstrip()):
                template = str(self.tokenizer.chat_template)[:40]
                raise ModelError(
                    f"the chat template {template!r}... changes the answer "
                    f"{message.content[:40]!r} to {answer[:40]!r}",
                    "the model would learn something else: mend the template, or the answer",
                )
            segments += [given[len(done) :], answer]
            done = whole
        if answer_next:
            given = self._render(messages, answer_next=True)
            if not given.startswith(done):
                raise ModelError("the chat template writes earlier turns anew as the talk goes on")
            segments.append(given[len(done) :])
        return segments

    def _render(self, messages: Sequence[Message], *, answer_next: bool) -> str:
        if not self.tokenizer.chat_template:
            return self._plain(messages, answer_next=answer_next)
        turns = [{"role": message.role, "content": message.content} for message in messages]
        rendered = self.tokenizer.apply_chat_template(
            turns,
            tokenize=False,
            add_generation_prompt=answer_next,
            enable_thinking=False,
        )
        return str(rendered)

    def _plain(self, messages: Sequence[Message], *, answer_next: bool) -> str:
        text = ""
        for message in messages:
            closing = f"{self.tokenizer.eos_token}\n\n" if message.role == "assistant" else "\n\n"
            text += f"### {message.role.title()}:\n{message.content}{closing}"
        return text + ("### Assistant:\n" if answer_next else "")
