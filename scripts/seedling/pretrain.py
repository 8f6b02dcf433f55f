"""Training from random weights: Muon for the matrices, AdamW for the rest, and a warm, flat rate.

The rate rises, stays, and falls to nothing over the last part, so that a run may be shortened or
lengthened when it goes on. Checkpoints are written between pools; a pool is a function of its
number, so nothing else has to be kept.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch
from corpus import Corpus, Row
from torch.nn.functional import cross_entropy
from transformers import LlamaConfig, LlamaForCausalLM
from vocabulary import CONTEXT

SHAPE = 32
"""Rows are padded to multiples of this: every new shape costs a kernel of its own."""

GAUGED = ("random copy", "repeat", "fill in", "rename", "exchange", "write", "diff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Shape and schedule; `tokens` is the whole run's, padding not counted."""

    tokens: int
    seed: int = 20261121
    layers: int = 5
    width: int = 256
    heads: int = 4
    inner: int = 704
    batch_tokens: int = 4096
    matrix_rate: float = 5e-3
    other_rate: float = 2e-3
    weight_decay: float = 0.05
    warm: float = 0.02
    fall: float = 0.45
    nursery_tokens: int = 800_000
    nursery_batch_tokens: int = 2048
    """It begins with copies of random tokens, in small batches: see `Corpus.pool`."""


@dataclass(slots=True)
class Progress:
    """How far a run has come; kept in its checkpoints."""

    pool: int = 0
    steps: int = 0
    tokens: int = 0
    learnt: int = 0
    seconds: float = 0.0


def new_model(settings: Settings, vocabulary: int, ids: dict[str, int]) -> LlamaForCausalLM:
    """A model of random weights in the settings' shape; `ids` are those of bos, eos and pad."""
    torch.manual_seed(settings.seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=settings.width,
        intermediate_size=settings.inner,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        max_position_embeddings=CONTEXT,
        tie_word_embeddings=True,
        rms_norm_eps=1e-5,
        bos_token_id=ids["bos"],
        eos_token_id=ids["eos"],
        pad_token_id=ids["pad"],
        attn_implementation="sdpa",
    )
    return LlamaForCausalLM(config)


def return_memory() -> None:
    """Gives freed memory back: batches of many shapes leave the heap in pieces."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


class Run:
    """A run in a folder: model, optimisers, progress, log."""

    def __init__(self, folder: Path, corpus: Corpus, settings: Settings) -> None:
        self.folder, self.corpus, self.settings = folder, corpus, settings
        tokenizer = corpus.tokenizer
        ids = {name: getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
        self.model = new_model(settings, len(tokenizer), ids)
        matrices = [p for n, p in self.model.model.layers.named_parameters() if p.ndim == 2]
        chosen = {id(p) for p in matrices}
        others = [p for p in self.model.parameters() if id(p) not in chosen]
        self.optimisers: list[torch.optim.Optimizer] = [
            torch.optim.Muon(
                matrices, lr=settings.matrix_rate, weight_decay=settings.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(
                others, lr=settings.other_rate, betas=(0.9, 0.98), weight_decay=0.0, fused=True
            ),
        ]  # fmt: skip
        self.progress = Progress()
        if self.checkpoint.exists():
            self._load()

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def go_on(
        self,
        *,
        until: float = float("inf"),
        save_every: float = 150.0,
        gauge_every: float = 300.0,
        gauge_rows: int = 32,
    ) -> None:
        """Trains to the end of the settings' tokens, or until `time.time()` passes `until`."""
        began = saved = gauged = time.time()
        before = self.progress.seconds
        while self.progress.tokens < self.settings.tokens and time.time() < until:
            loss = self.one_pool()
            self.progress.seconds = before + time.time() - began
            self.log({"loss": round(loss, 4)})
            if time.time() - saved >= save_every:
                self.save()
                saved = time.time()
            if time.time() - gauged >= gauge_every:
                self.log({"right": self.gauge(rows_each=gauge_rows)})
                gauged = time.time()
        self.save()
        self.log({"right": self.gauge(rows_each=3 * gauge_rows)})

    def one_pool(self) -> float:
        """Trains on the next pool; its mean loss."""
        grown = self.progress.tokens / self.settings.nursery_tokens
        nursery = max(0.0, 2 * grown - 1) if grown < 1 else None
        rows = self.corpus.pool(self.progress.pool, nursery=nursery)
        small = nursery is not None
        budget = self.settings.nursery_batch_tokens if small else self.settings.batch_tokens
        losses = [self.step(batch) for batch in self.batches(rows, budget=budget)]
        self.progress.pool += 1
        return_memory()
        return sum(losses) / len(losses)

    def batches(self, rows: Sequence[Row], *, budget: int) -> Iterator[list[Row]]:
        """The pool in batches of rows of like length, within the budget, in random order."""
        ordered = sorted(rows, key=lambda row: len(row.ids))
        batches: list[list[Row]] = [[]]
        for row in ordered:
            if len(row.ids) * (len(batches[-1]) + 1) > budget and batches[-1]:
                batches.append([])
            batches[-1].append(row)
        Random(f"{self.settings.seed}/{self.progress.pool}/order").shuffle(batches)
        yield from batches

    def step(self, rows: Sequence[Row]) -> float:
        """One update; the mean loss of the rows' learnt tokens before it."""
        for optimiser, rate in zip(
            self.optimisers, (self.settings.matrix_rate, self.settings.other_rate), strict=True
        ):
            for group in optimiser.param_groups:
                group["lr"] = rate * self.rate()
        logits, wanted, _ = self.predicted(rows)
        loss = cross_entropy(logits.float(), wanted)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.progress.steps += 1
        self.progress.tokens += sum(len(row.ids) for row in rows)
        self.progress.learnt += len(wanted)
        return loss.item()

    def rate(self) -> float:
        """The share of the full learning rate at this point of the run."""
        done = self.progress.tokens / self.settings.tokens
        return max(0.005, min(1.0, done / self.settings.warm, (1 - done) / self.settings.fall))

    def predicted(self, rows: Sequence[Row]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits at the positions before learnt tokens, those tokens, and the row of each.

        Rows are padded on the right, where a causal model can't see them.
        """
        longest = -(-max(len(row.ids) for row in rows) // SHAPE) * SHAPE
        ids = torch.zeros(len(rows), longest, dtype=torch.long)
        learnt = torch.zeros(len(rows), longest, dtype=torch.bool)
        for number, row in enumerate(rows):
            ids[number, : len(row.ids)] = torch.tensor(row.ids)
            learnt[number, : len(row.ids)] = torch.tensor(row.learnt)
        with torch.autocast("cpu", torch.bfloat16):
            hidden = self.model.model(ids, use_cache=False).last_hidden_state
            logits = self.model.lm_head(hidden[:, :-1][learnt[:, 1:]])
        return logits, ids[:, 1:][learnt[:, 1:]], learnt[:, 1:].nonzero()[:, 0]

    def gauge(self, *, rows_each: int) -> dict[str, tuple[float, float]]:
        """For each chore: how many replies to unseen rows, and how many of their tokens, are right.

        A reply is right if each of its tokens is the likeliest one: greedy decoding says it.
        """
        rng = Random(f"{self.settings.seed}/gauge")
        chosen: dict[str, list[Row]] = defaultdict(list)
        chosen["random copy"] = [self.corpus.random_copy(rng) for _ in range(rows_each)]
        while any(len(chosen[kind]) < rows_each for kind in GAUGED):
            row = self.corpus.chat(rng, turns=1)
            if row and row.kind in GAUGED and len(chosen[row.kind]) < rows_each:
                chosen[row.kind].append(self.corpus.reply_learnt(row))
        return {kind: self._right(chosen[kind]) for kind in GAUGED}

    def _right(self, rows: Sequence[Row]) -> tuple[float, float]:
        whole = tokens = total = 0
        with torch.no_grad():
            for start in range(0, len(rows), 16):
                batch = rows[start : start + 16]
                logits, wanted, number = self.predicted(batch)
                wrong = logits.argmax(-1) != wanted
                whole += len(batch) - len(set(number[wrong].tolist()))
                tokens += int((~wrong).sum())
                total += len(wanted)
        return round(whole / len(rows), 3), round(tokens / total, 3)

    def log(self, what: dict[str, object]) -> None:
        """A line in the run's log."""
        line = {**asdict(self.progress), "rate": round(self.rate(), 4), **what}
        line["seconds"] = round(self.progress.seconds, 1)
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def save(self) -> None:
        """Writes the checkpoint; an older one stays until the new one is whole."""
        new = self.checkpoint.with_suffix(".new")
        state = {
            "model": self.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "progress": asdict(self.progress),
        }
        torch.save(state, new)
        new.replace(self.checkpoint)

    def _load(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.progress = Progress(**state["progress"])
