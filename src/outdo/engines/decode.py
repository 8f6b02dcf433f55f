"""A batch of prompts, answered token by token: greedy or sampled, each row on its own.

Prompts are padded on the left with positions of their own, asked once however many samples are
wanted of them, and a row's draws come from its own seed: no answer depends on its neighbours
(in float32; in bfloat16 the order of a sum may, and a near tie tip over).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from outdo.engines.cache import RowCache
from outdo.models.attention import has_window, masks


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One answer to be given: after which ids, how long at most, and the seed of its draws."""

    prompt: tuple[int, ...]
    limit: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a row said, its stop token included; `seconds` is its share of the batch's time."""

    row: int
    ids: tuple[int, ...]
    stopped: bool
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How a token is drawn from logits; temperature 0 takes the likeliest."""

    temperature: float
    top_p: float

    def __call__(self, logits: Tensor, uniform: Tensor | None) -> Tensor:
        """A token for each row of logits [rows, vocabulary], by uniform draws [rows] in [0, 1)."""
        if uniform is None:
            return logits.argmax(-1)
        weights = torch.softmax(logits.double() / self.temperature, dim=-1)
        order = None
        if self.top_p < 1:
            weights, order = weights.sort(dim=-1, descending=True, stable=True)
            weights = weights.masked_fill(weights.cumsum(-1) - weights >= self.top_p, 0.0)
        upto = weights.cumsum(-1)
        total = upto[:, -1:]
        below = torch.minimum(uniform[:, None] * total, torch.nextafter(total, total * 0))
        place = torch.searchsorted(upto, below, right=True)
        return (place if order is None else order.gather(-1, place))[:, 0]


@torch.inference_mode()
def answers(
    model: Any, rows: Sequence[Row], *, drawing: Drawing, stops: Tensor, ended: Any = None
) -> Iterator[Said]:
    """Each row's answer, the moment it is finished.

    `ended(place, ids)` may end a row by what it has said so far (stop strings).
    """
    batch = _Batch(model, rows, drawing=drawing, stops=stops)
    logits = batch.prefill()
    while True:
        done = batch.advance(logits, ended)
        yield from done
        if not batch.live:
            return
        logits = batch.step()


class _Batch:
    """Rows in play: the first `live` places; `row[i]` says whose place i is."""

    def __init__(self, model: Any, rows: Sequence[Row], *, drawing: Drawing, stops: Tensor) -> None:
        self.model, self.rows, self.drawing, self.stops = model, rows, drawing, stops
        self.device = model.device
        self.live = len(rows)
        self.said = 0
        self.clock = time.perf_counter()
        self.share = 0.0
        longest = max(row.limit for row in rows)
        self.row = torch.arange(self.live)
        self.limit = torch.tensor([row.limit for row in rows])
        self.out = torch.zeros((self.live, longest), dtype=torch.long)
        self.draws = _draws(rows, longest) if drawing.temperature else None

    def prefill(self) -> Tensor:
        """Logits for each row's first token: every distinct prompt is computed once."""
        distinct = sorted({row.prompt for row in self.rows}, key=len)
        place = {prompt: number for number, prompt in enumerate(distinct)}
        width = len(distinct[-1])
        ids = torch.zeros((len(distinct), width), dtype=torch.long)
        real = torch.zeros((len(distinct), width), dtype=torch.bool)
        for number, prompt in enumerate(distinct):
            ids[number, width - len(prompt) :] = torch.tensor(prompt)
            real[number, width - len(prompt) :] = True
        real = real.to(self.device)
        positions = (real.cumsum(-1) - 1).clamp_(min=0)
        self.cache = RowCache(self.model.config.get_text_config().num_hidden_layers)
        logits = self._forward(ids.to(self.device), positions, self._prompt_mask(real, positions))
        rows = torch.tensor([place[row.prompt] for row in self.rows], device=self.device)
        self.cache.spread(rows)
        limit = int(self.limit.max())
        self.real = torch.nn.functional.pad(real[rows], (0, limit), value=True)
        self.position = torch.nn.functional.pad(positions[rows], (0, limit))
        last = positions[rows, -1:]
        self.position[:, width:] = last + torch.arange(1, limit + 1, device=self.device)
        self.width = width
        self.padded = not bool(real.all())
        return logits[rows]

    def step(self) -> Tensor:
        """Logits for the next token of the rows in play."""
        end = self.width + self.said
        config = self.model.config.get_text_config()
        positions = self.position[: self.live, end - 1 : end]
        mask = None
        if self.padded or has_window(config, end):
            mask = masks(
                config,
                self.real[: self.live, None, None, :end],
                queries=positions,
                keys=self.position[: self.live, :end],
                dtype=self.model.dtype,
            )
        last = self.out[: self.live, self.said - 1 : self.said].to(self.device)
        return self._forward(last, positions, mask)

    def advance(self, logits: Tensor, ended: Any) -> list[Said]:
        """Draw a token for each row in play; the rows that end with it leave."""
        uniform = None if self.draws is None else self.draws[: self.live, self.said]
        drawn = self.drawing(logits, uniform if uniform is None else uniform.to(logits.device))
        self.out[: self.live, self.said] = drawn.cpu()
        self.said += 1
        now = time.perf_counter()
        self.share += (now - self.clock) / self.live
        self.clock = now
        stopped = torch.isin(self.out[: self.live, self.said - 1], self.stops)
        if ended is not None:
            said = self.out[: self.live, : self.said].tolist()
            stopped |= torch.tensor([ended(ids) for ids in said])
        done = stopped | (self.limit[: self.live] <= self.said)
        if not bool(done.any()):
            return []
        finished = [self._said(place, stopped) for place in done.nonzero()[:, 0].tolist()]
        self._close_up(done)
        return finished

    def _said(self, place: int, stopped: Tensor) -> Said:
        return Said(
            row=int(self.row[place]),
            ids=tuple(self.out[place, : self.said].tolist()),
            stopped=bool(stopped[place]),
            seconds=self.share,
        )

    def _close_up(self, done: Tensor) -> None:
        """Move the last rows in play to the places of those that are done."""
        live = self.live - int(done.sum())
        target = done[:live].nonzero()[:, 0]
        source = live + (~done[live:]).nonzero()[:, 0]
        self.live = live
        if live == 0:
            return
        for state in (self.row, self.limit, self.out, self.draws):
            if state is not None:
                state[target] = state[source]
        target, source = target.to(self.device), source.to(self.device)
        for state in (self.real, self.position):
            state[target] = state[source]
        self.cache.move(source=source, target=target, rows=live)

    def _prompt_mask(self, real: Tensor, positions: Tensor) -> Any:
        config = self.model.config.get_text_config()
        if bool(real.all()) and not has_window(config, real.shape[1]):
            return None
        width = real.shape[1]
        causal = torch.ones((width, width), dtype=torch.bool, device=real.device).tril()
        itself = torch.eye(width, dtype=torch.bool, device=real.device)
        seen = causal & real[:, None, None, :] | itself
        return masks(config, seen, queries=positions, keys=positions, dtype=self.model.dtype)

    def _forward(self, ids: Tensor, positions: Tensor, mask: Any) -> Tensor:
        """Logits [rows, vocabulary] after the last of `ids`."""
        made = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = made.logits[:, -1].float()
        return logits


def _draws(rows: Sequence[Row], longest: int) -> Tensor:
    """Uniform numbers [rows, longest], each row's from its own seed, on any device the same."""
    return torch.stack(
        [
            torch.rand(
                longest, generator=torch.Generator().manual_seed(row.seed), dtype=torch.float64
            )
            for row in rows
        ]
    )
