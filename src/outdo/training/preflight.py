"""What is checked before the first step: each a mistake that would otherwise cost a run.

Everything here either passes, or raises TrainingError with what is wrong and what mends it.
Rows that are too long are dealt with as the settings say, and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from outdo.errors import TrainingError
from outdo.models.chat import Chat, Encoded
from outdo.models.reference import ModelReference
from outdo.records import Conversation
from outdo.training.forest import Batch, lay
from outdo.training.method import Method, log_probabilities
from outdo.training.settings import Settings

TOLERANCE = 1e-3
"""How far log-probabilities may be apart, in float32, for a mask to count as understood."""


def precision(wanted: str, device: torch.device) -> str:
    """The precision to compute in: the one wanted, or the best that the chip is made for."""
    if wanted == "float16" and device.type == "cpu":
        raise TrainingError("float16 on a CPU is many times slower than float32", "precision: auto")
    if wanted != "auto":
        return wanted
    if device.type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    if device.type != "cpu":
        return "float32"
    flags = Path("/proc/cpuinfo")
    text = flags.read_text() if flags.is_file() else ""
    return "bfloat16" if "avx512_bf16" in text or "amx_bf16" in text else "float32"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows that are learnt from, encoded, and how many were cut or left out for it."""

    encoded: tuple[Encoded, ...]
    cut: int
    dropped: int


def rows(
    conversations: Sequence[Conversation],
    *,
    method: Method[Conversation],
    chat: Chat,
    settings: Settings,
) -> Rows:
    """The rows, checked one by one; those with nothing to learn are dropped and counted."""
    kept: list[Encoded] = []
    cut = dropped = 0
    for conversation in conversations:
        whole = method.encode(conversation, chat)
        _check_markers(whole, chat, conversation)
        encoded = _fitting(whole, settings, where=conversation.id)
        says_something = conversation.messages[-1].content.strip()
        if encoded is None or not any(encoded.learnt) or not says_something:
            dropped += 1
        else:
            kept.append(encoded)
            cut += encoded is not whole
    if not kept:
        raise TrainingError(
            f"of {len(conversations)} rows none is left to learn from ({dropped} dropped)",
            f"max_length is {settings.max_length}",
        )
    if not any(one.ids[-1] in chat.stop_ids for one in kept):
        raise TrainingError(
            "every row is cut before its end, so the model would never learn to stop",
            "raise max_length",
        )
    return Rows(encoded=tuple(kept), cut=cut, dropped=dropped)


def _fitting(row: Encoded, settings: Settings, *, where: str) -> Encoded | None:
    """The row itself if it is short enough; else cut, or None if it is to be dropped."""
    most = settings.max_length
    if len(row.ids) <= most:
        return row
    if settings.longer == "refuse":
        raise TrainingError(
            f"the row has {len(row.ids)} tokens, max_length is {most}",
            "raise max_length, or set longer to drop or cut",
            where=where,
        )
    if settings.longer == "drop":
        return None
    return Encoded(ids=row.ids[:most], learnt=row.learnt[:most])


def _check_markers(encoded: Encoded, chat: Chat, row: Conversation) -> None:
    """BOS once and in front; an end that is learnt; answers that come back as they were."""
    bos = chat.tokenizer.bos_token_id
    if bos is not None and bos not in chat.stop_ids and encoded.ids.count(bos) > 1:
        raise TrainingError(
            "the beginning-of-sequence token stands there more than once",
            "the template or the text brings a second one",
            where=row.id,
        )
    if encoded.ids[-1] not in chat.stop_ids or not encoded.learnt[-1]:
        raise TrainingError("the end of the answer is not learnt", where=row.id)
    said = chat.text(
        [one for one, learnt in zip(encoded.ids, encoded.learnt, strict=True) if learnt]
    )
    wanted = "".join(m.content for m in row.messages if m.role == "assistant")
    if "".join(said.split()) != "".join(wanted.split()):
        raise TrainingError(
            "the tokenizer doesn't give back the answer that it was given",
            "the answer holds characters or special tokens that it doesn't keep",
            where=row.id,
        )


def targets(model: Any, settings: Settings) -> None:
    """Refuses LoRA targets that name no module."""
    if settings.lora is None or settings.lora.targets == ("all-linear",):
        return
    names = [name for name, _ in model.named_modules()]
    for target in settings.lora.targets:
        if not any(name == target or name.endswith(f".{target}") for name in names):
            linear = {
                n.rpartition(".")[2] for n, m in model.named_modules() if hasattr(m, "weight")
            }
            raise TrainingError(
                f"the LoRA target {target!r} is no module of the model",
                f"modules with weights: {', '.join(sorted(linear))}",
            )


def packs(model: Any, encoded: Sequence[Encoded]) -> bool:
    """Whether this model, given rows of several conversations, computes each as if alone."""
    short = sorted(range(len(encoded)), key=lambda row: len(encoded[row].ids))[:3]
    device = model.device
    with torch.no_grad():
        together = log_probabilities(model, lay(encoded, [short]).to(device))
        alone = [log_probabilities(model, lay(encoded, [[row]]).to(device)) for row in short]
    return bool((together - torch.cat(alone)).abs().max() < TOLERANCE)


def fits(model: Any, batch: Batch, *, itemsize: int) -> int:
    """The bytes that the largest batch is estimated to need; refuses what exceeds the memory."""
    needed = _estimate(model.config.get_text_config(), batch, itemsize)
    free = _free_bytes(model.device)
    if free is not None and needed > free:
        raise TrainingError(
            f"the largest batch needs about {needed / 2**30:.1f} GiB, {free / 2**30:.1f} are free",
            f"lower tokens_per_batch or max_length: one row has {batch.ids.shape[1]} tokens",
        )
    return needed


def _estimate(config: Any, batch: Batch, itemsize: int) -> int:
    """Activations that are kept for the way back, masks, and logits with their gradient."""
    wide = config.hidden_size
    inner = getattr(config, "intermediate_size", None) or 4 * wide
    layers = config.num_hidden_layers
    kept = batch.computed * layers * (14 * wide + 5 * inner) * itemsize
    rows, width = batch.ids.shape
    heads = config.num_attention_heads if config._attn_implementation == "eager" else 1
    scores = rows * width * width * heads * (layers * itemsize if heads > 1 else 1)
    return int(kept + scores + 3 * len(batch.target) * config.vocab_size * 4)


def _free_bytes(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    meminfo = Path("/proc/meminfo")
    if device.type != "cpu" or not meminfo.is_file():
        return None
    for line in meminfo.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def base(reference: ModelReference, settings: Settings) -> None:
    """Refuses to train all weights below an adapter: what it was fitted to would move away."""
    if reference.adapters and settings.lora is None:
        raise TrainingError(
            "all weights can't be trained below an adapter", "merge it first", where=reference.name
        )
