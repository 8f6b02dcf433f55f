"""The engine that answers on this machine: a transformers model, rows batched by length."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch

from outdo.engines.choose import candidates, choices
from outdo.engines.decode import Drawing, Row, Said, answers
from outdo.errors import EngineError, ModelError, PermanentError
from outdo.models.forest import Tree
from outdo.models.reference import ModelReference
from outdo.models.weights import Precision, Weights
from outdo.records import Completion, Request, Sampling, Usage


class Local:
    """One model or adapter, ready to answer; engines of one base may share its `weights`."""

    def __init__(
        self,
        reference: ModelReference,
        *,
        weights: Weights | None = None,
        precision: Precision = "float32",
        device: str = "auto",
        rows_per_batch: int = 32,
        cache_bytes: int = 2**29,
        tokens_per_batch: int = 4096,
    ) -> None:
        self.reference = reference
        self.weights = weights or Weights(reference, precision=precision, device=device)
        if self.weights.head != reference.head:
            raise ModelError(
                f"needs weights with the head {reference.head!r}", where=reference.name
            )
        self.rows_per_batch = rows_per_batch
        self.cache_bytes = cache_bytes
        self.tokens_per_batch = tokens_per_batch
        self.model = reference.label
        self.served_by = f"transformers/{self.weights.precision}"
        self._config = self.weights.model.config.get_text_config()
        stops = sorted(self.weights.chat.stop_ids)
        self._stops = torch.tensor(stops, dtype=torch.long)

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        """Each request with its completion as soon as that is finished, longest prompts first.

        A prompt with candidates is answered by the one that the model gives the most probability,
        or the highest score. A prompt that leaves no room in the model's context is permanently
        unanswered.
        """
        yield from self._choose([one for one in requests if one.prompt.candidates])
        yield from self._generate([one for one in requests if not one.prompt.candidates])

    def _choose(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        head = self.reference.head
        asked: list[Request] = []
        trees: list[Tree] = []
        for request in requests:
            tree = candidates(request.prompt, self.weights.chat, head=head, context=self._context())
            if isinstance(tree, PermanentError):
                yield request, tree
            else:
                asked.append(request)
                trees.append(tree)
        if not trees:
            return
        told = choices(
            self.weights.model,
            trees,
            head=head,
            tokens=self.tokens_per_batch,
            activate=lambda: self.weights.activate(self.reference),
            per_token={n for n, request in enumerate(asked) if request.prompt.per_token},
        )
        for chosen in told:
            request, path = asked[chosen.tree], trees[chosen.tree].paths[chosen.picked]
            yield (
                request,
                Completion(
                    prompt=request.prompt.key,
                    model=self.model,
                    served_by=self.served_by,
                    sampling=request.sampling,
                    index=request.index,
                    text=request.prompt.candidates[chosen.picked],
                    finish="stop",
                    logprobs=chosen.logprobs,
                    usage=Usage(seconds=chosen.seconds, tokens_in=len(path.ids)),
                ),
            )

    def _generate(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        if requests and self.reference.head == "score":
            raise EngineError(
                "this model rates texts and writes none",
                "ask it with a prompt that has candidates, such as reward",
                where=self.reference.name,
            )
        owed: dict[Sampling, list[tuple[Request, Row]]] = {}
        for request in requests:
            row = self._row(request)
            if isinstance(row, PermanentError):
                yield request, row
            else:
                owed.setdefault(request.sampling, []).append((request, row))
        for sampling, rows in owed.items():
            rows.sort(key=lambda pair: (-len(pair[1].prompt), pair[1].prompt))
            for batch in self._batches(rows):
                yield from self._answer(batch, sampling)

    def _row(self, request: Request) -> Row | PermanentError:
        ids = self.weights.chat.prompt_ids(request.prompt)
        context = self._context()
        room = context - len(ids)
        if room < 1:
            return PermanentError(f"the prompt's {len(ids)} tokens fill the context of {context}")
        limit = min(request.sampling.max_tokens, room)
        return Row(prompt=tuple(ids), limit=limit, seed=request.seed)

    def _context(self) -> int:
        return getattr(self._config, "max_position_embeddings", None) or 2**31

    def _batches(
        self, rows: Sequence[tuple[Request, Row]]
    ) -> Iterator[Sequence[tuple[Request, Row]]]:
        """Rows in slices whose keys and values fit the memory that is theirs."""
        start = 0
        while start < len(rows):
            first = rows[start][1]
            tokens = max(1, self.cache_bytes // self._bytes_per_token())
            fitting = max(1, tokens // (len(first.prompt) + first.limit))
            count = min(self.rows_per_batch, fitting)
            yield rows[start : start + count]
            start += count

    def _bytes_per_token(self) -> int:
        config = self._config
        heads = config.num_attention_heads
        width = getattr(config, "head_dim", None) or config.hidden_size // heads
        shared = getattr(config, "num_key_value_heads", None) or heads
        size: int = self.weights.model.dtype.itemsize
        return int(2 * config.num_hidden_layers * shared * width * size)

    def _answer(
        self, batch: Sequence[tuple[Request, Row]], sampling: Sampling
    ) -> Iterator[tuple[Request, Completion]]:
        self.weights.activate(self.reference)
        told = answers(
            self.weights.model,
            [row for _, row in batch],
            drawing=self._drawing(sampling),
            stops=self._stops,
            ended=self._ended(sampling.stop),
        )
        for said in told:
            request, row = batch[said.row]
            yield request, self._completion(request, row, said)
            self.weights.activate(self.reference)  # another engine may have had its turn

    def _drawing(self, sampling: Sampling) -> Drawing:
        temperature = sampling.temperature
        if temperature is None:
            own = self.weights.model.generation_config
            temperature = float(own.temperature or 1.0) if own.do_sample else 0.0
        return Drawing(temperature=temperature, top_p=sampling.top_p)

    def _ended(self, stop: tuple[str, ...]) -> Callable[[list[int]], bool] | None:
        """Whether one of the stop strings ends what was said, looking at its last tokens only."""
        if not stop:
            return None
        tail = max(len(text.encode()) for text in stop) + 1
        text_of = self.weights.chat.text
        return lambda ids: any(text in text_of(ids[-tail:]) for text in stop)

    def _completion(self, request: Request, row: Row, said: Said) -> Completion:
        ids = said.ids
        if ids and ids[-1] in self.weights.chat.stop_ids:
            ids = ids[:-1]
        text = _before(self.weights.chat.text(ids), request.sampling.stop)
        usage = Usage(seconds=said.seconds, tokens_in=len(row.prompt), tokens_out=len(said.ids))
        return Completion(
            prompt=request.prompt.key,
            model=self.model,
            served_by=self.served_by,
            sampling=request.sampling,
            index=request.index,
            text=text,
            finish="stop" if said.stopped else "length",
            usage=usage,
        )


def _before(text: str, stop: Any) -> str:
    """The text up to the first of the stop strings."""
    ends = [place for mark in stop if (place := text.find(mark)) >= 0]
    return text[: min(ends)] if ends else text
