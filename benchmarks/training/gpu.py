"""Models of real size on a GPU: tokens a second, MFU and peak memory, beside TRL with packing.

Weights are random, with the configurations of Llama 3 8B and Phi-3-mini. Rows are equally long
(4,096 tokens, as published figures are) or functions of the standard library, both packed to
blocks of as many tokens.

Work a token, in FLOP, of a model with n frozen weights and m learnt ones in its matrices (the
output's too, the embedding's not), L layers of width d that attend to c tokens on average:
    4 n + 6 m + 12 L d c
Each weight is a multiplication and an addition on the way there, as much for the gradient of its
input, and as much again for its own where it learns; attention's two products are 4 d c a layer,
and twice that on the way back. Work that is done anew (checkpointing) doesn't count. MFU is that
work a second over what the chip does at most in bfloat16 without sparsity (Chowdhery et al. 2022,
appendix B, whose 6 N is ours with nothing frozen).
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from outdo.models.chat import Chat
from training import account, data, prepare
from training.job import Job, apart

Told = dict[str, Any]
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "RTX 4090": 165e12}
"""FLOP a second of dense bfloat16, as the makers say."""
BLOCK = 4096


def llama_8b(speaks: Any) -> Any:
    """Llama 3 8B."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=128_256,
        hidden_size=4096,
        intermediate_size=14_336,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=8,
        max_position_embeddings=8192,
        tie_word_embeddings=False,
        **prepare.ends(speaks),
    )


def phi_3_mini(speaks: Any) -> Any:
    """Phi-3-mini with 4,096 tokens."""
    from transformers import Phi3Config

    return Phi3Config(
        vocab_size=32_064,
        hidden_size=3072,
        intermediate_size=8192,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=32,
        max_position_embeddings=4096,
        sliding_window=2047,
        tie_word_embeddings=False,
        **prepare.ends(speaks),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A model, and how much of it learns: the rank of LoRA, or 0 for all weights."""

    name: str
    config: Callable[[Any], Any]
    rank: int = 16


CASES = (
    Case(name="llama-3-8b, LoRA", config=llama_8b),
    Case(name="phi-3-mini, LoRA", config=phi_3_mini),
    Case(name="phi-3-mini, all weights", config=phi_3_mini, rank=0),
)


def compared(device: str, *, quick: bool) -> Told:
    """All cases on this device."""
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            case.name: measured(
                case, Path(folder), device=device, turns=1 if quick else 3, rows=8 if quick else 24
            )
            for case in CASES
        }
    return {
        "precision": account.precision(device),
        "quick": quick,
        "block": BLOCK,
        "cases": cases,
        "machine": account.machine(device),
    }


def measured(
    case: Case,
    folder: Path,
    *,
    device: str,
    turns: int,
    rows: int,
    block: int = BLOCK,
    run: Callable[[Job], Told] = apart,
    peak: float | None = None,
) -> Told:
    """Both sides on both sorts of rows: medians over turns, and the ratio of rates.

    `rows` are the blocks of a run, four steps of them. `peak` is the chip's FLOP a second.
    """
    speaks = prepare.tokenizer(prepare.texts(["stdlib"], limit=1000))
    precision = account.precision(device)
    config = case.config(speaks)
    prepare.model(folder / "model", speaks, config, device=device, precision=precision)
    plain = Job(
        side="outdo",
        method="sft",
        model=str(folder / "model"),
        rows="",
        precision=precision,
        batch=max(1, rows // 4),
        rank=case.rank,
        budget=block,
        block=block,
        device=device,
    )
    told: Told = {}
    for sort, (path, batch, context) in files(Chat(speaks), folder, rows, block).items():
        job = replace(plain, rows=str(path), batch=batch)
        taken = [
            {"outdo": run(job), "trl": run(replace(job, side="trl", mode="packed"))}
            for _ in range(turns)
        ]
        work = flop_a_token(config, rank=case.rank, context=context)
        told[sort] = summed(taken, work=work, peak=peak or chip(device))
    return told


def files(chat: Chat, folder: Path, rows: int, block: int) -> dict[str, tuple[Path, int, float]]:
    """Each sort of rows: its file, rows a step, and to how many tokens a token attends (mean)."""
    even = prepare.even(chat, length=block, count=rows)
    short = prepare.fitting(islice(data.stdlib(), 20 * rows), chat, longest=block)
    mean = statistics.mean(one["row"] for one in prepare.parts(short[:200], chat))
    short = short[: max(4, int(rows * block / mean))]
    made = {}
    for name, some in (("rows of one block", even), ("stdlib", short)):
        path = folder / f"{len(made)}.jsonl"
        prepare.write_rows(path, some, chat, name)
        lengths = [one["row"] for one in prepare.parts(some, chat)]
        context = sum(n * (n + 1) / 2 for n in lengths) / sum(lengths)
        made[name] = (path, max(1, len(some) // 4), context)
    return made


def summed(taken: list[Mapping[str, Told]], *, work: float, peak: float | None) -> Told:
    """Each side's medians, MFU where the chip's peak is known, and the ratio within turns."""
    told: Told = {"flop_a_token": work}
    for side in ("outdo", "trl"):
        rate = statistics.median(turn[side]["tokens_per_second"] for turn in taken)
        told[side] = {
            "tokens_per_second": round(rate, 1),
            "mfu": round(rate * work / peak, 4) if peak else None,
            "peak_bytes": statistics.median(turn[side]["peak_bytes"] for turn in taken),
            "baseline_bytes": statistics.median(turn[side]["baseline_bytes"] for turn in taken),
        }
    ratios = [t["outdo"]["tokens_per_second"] / t["trl"]["tokens_per_second"] for t in taken]
    return {**told, "ratio": round(statistics.median(ratios), 2)}


def flop_a_token(config: Any, *, rank: int, context: float) -> float:
    """Work of training on a token, as the module says; adapters lie on every linear layer."""
    width, inner = config.hidden_size, config.intermediate_size
    heads = config.num_attention_heads
    keys = width // heads * config.num_key_value_heads
    shapes = [(width, width), (width, keys), (width, keys), (width, width)]
    shapes += [(width, inner), (width, inner), (inner, width)]
    layers = config.num_hidden_layers
    weights = layers * sum(a * b for a, b in shapes) + width * config.vocab_size
    attention = 12 * layers * width * context
    if rank == 0:
        return float(6 * weights + attention)
    adapters = layers * rank * sum(a + b for a, b in shapes)
    return float(4 * weights + 6 * adapters + attention)


def chip(device: str) -> float | None:
    """FLOP a second of the GPU, or None if it isn't known here."""
    if device == "cpu":
        return None
    import torch

    name = torch.cuda.get_device_name()
    return next((peak for known, peak in PEAKS.items() if known in name), None)
