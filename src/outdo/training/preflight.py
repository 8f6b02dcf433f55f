"""What is checked before the first step: each a mistake that would otherwise cost a run.

Everything here either passes, or raises TrainingError with what is wrong and what mends it.
Rows that are too long are dealt with as the settings say, and counted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from outdo.errors import TrainingError
from outdo.models.attention import has_window
from outdo.models.chat import Chat, Encoded
from outdo.models.forest import Batch, Tree, lay
from outdo.models.logprobs import log_probabilities, path_scores
from outdo.models.reference import ModelReference
from outdo.records import Conversation, Pair
from outdo.training.held import in_float32
from outdo.training.method import Head, Method
from outdo.training.settings import Settings

Row = Conversation | Pair

TOLERANCE = 1e-3
"""How far log-probabilities may be apart, in float32, for a mask to count as understood."""

ROUGH = 0.05
"""The same for a model that is only to be had in fewer bits."""


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
    """The rows that are learnt from as trees, each with its number among those given.

    `cut` and `dropped` count those that were shortened or left out for it.
    """

    trees: tuple[Tree, ...]
    numbers: tuple[int, ...]
    cut: int
    dropped: int

    def given(self, more: Sequence[tuple[float, ...]]) -> Rows:
        """The same rows, each with what is known of it beside; `more` is for all rows given."""
        trees = [
            replace(tree, given=(*more[number], *tree.given))
            for number, tree in zip(self.numbers, self.trees, strict=True)
        ]
        return replace(self, trees=tuple(trees))


NO_ROWS = Rows(trees=(), numbers=(), cut=0, dropped=0)


def rows(given: Sequence[Row], *, method: Method[Any], chat: Chat, settings: Settings) -> Rows:
    """The rows, checked one by one; those with nothing to learn are dropped and counted."""
    trees: list[Tree] = []
    numbers: list[int] = []
    cut = dropped = 0
    for number, row in enumerate(given):
        talks = method.conversations(row)
        if any(_says_nothing(talk) for talk in talks) or len(set(talks)) < len(talks):
            dropped += 1
            continue
        whole = [chat.encode(talk) for talk in talks]
        for talk, path in zip(talks, whole, strict=True):
            _check_markers(path, chat, talk)
        paths = [_fitting(path, settings, where=row.id) for path in whole]
        fitting = tuple(path for path in paths if path is not None and any(path.learnt))
        if len(fitting) < len(whole):
            dropped += 1
            continue
        trees.append(method.tree(row, fitting))
        numbers.append(number)
        cut += any(path is not one for path, one in zip(fitting, whole, strict=True))
    _check_something_is_left(trees, chat, settings, given=len(given), dropped=dropped, cut=cut)
    return Rows(trees=tuple(trees), numbers=tuple(numbers), cut=cut, dropped=dropped)


def _says_nothing(talk: Conversation) -> bool:
    return not talk.messages[-1].content.strip()


def _check_something_is_left(
    trees: Sequence[Tree], chat: Chat, settings: Settings, *, given: int, dropped: int, cut: int
) -> None:
    if not trees:
        raise TrainingError(
            f"of {given} rows none is left to learn from ({dropped} dropped)",
            f"max_length is {settings.max_length}; empty answers and equal pairs teach nothing",
        )
    ends = (path.ids[-1] in chat.stop_ids for tree in trees for path in tree.paths)
    if cut == len(trees) and not any(ends):
        raise TrainingError(
            "every row is cut before its end, so the model would never learn to stop",
            "raise max_length",
        )


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


def packs(model: Any, trees: Sequence[Tree], *, head: Head) -> bool:
    """Whether this model, given a forest, computes each path of it as if it were alone.

    Tried on the shortest rows, all in one row of the batch, and where some layer's window is
    shorter than the longest row on one that is longer than it.
    """
    sizes = [tree.tokens for tree in trees]
    order = sorted(range(len(trees)), key=lambda row: sizes[row])
    tried = order[:3]
    config = model.config.get_text_config()
    if beyond := [row for row in order if has_window(config, _longest(trees[row]))]:
        tried = list(dict.fromkeys([*tried[:2], beyond[0]]))
    judge = path_scores if head == "score" else log_probabilities
    exactly = in_float32(model) if _exact(model) else contextlib.nullcontext()
    with torch.no_grad(), exactly:
        together = judge(model, lay(trees, [tried]).to(model.device))
        alone = judge(model, lay(trees, [[row] for row in tried], packed=False).to(model.device))
    most = TOLERANCE if _exact(model) else ROUGH
    return bool((together - alone).abs().max() < most * alone.abs().max().clamp(min=1))


def _exact(model: Any) -> bool:
    """Whether the model can be had in float32 for a moment: it is small, and isn't quantised."""
    return model.num_parameters() < 2**30 and not getattr(model, "is_quantized", False)


def _longest(tree: Tree) -> int:
    return max(len(path.ids) for path in tree.paths)


def fits(model: Any, longest: Batch, *, tokens: int, precision: str, settings: Settings) -> int:
    """The bytes that training is estimated to need above the model; refuses more than is free.

    `longest` is a batch of the longest row alone, `tokens` what a batch may have.
    """
    needed = _estimate(model, longest, tokens, 4 if precision == "float32" else 2, settings)
    free = _free_bytes(model.device)
    if free is not None and needed > free:
        fitting = int(tokens * free / needed) // 64 * 64
        raise TrainingError(
            f"a batch of {tokens} tokens needs about {needed / 2**30:.1f} GiB, "
            f"{free / 2**30:.1f} are free",
            f"lower tokens_per_batch to {max(64, fitting)}, or max_length: "
            f"the longest row has {longest.ids.shape[1]} tokens",
        )
    return needed


def _estimate(model: Any, longest: Batch, tokens: int, itemsize: int, settings: Settings) -> int:
    """Activations that are kept for the way back, masks, logits; gradients and moments."""
    config = model.config.get_text_config()
    wide, layers = config.hidden_size, config.num_hidden_layers
    inner = getattr(config, "intermediate_size", None) or 4 * wide
    kept = (14 * wide + 5 * inner) * itemsize
    activations = (
        tokens * (kept + layers * wide * itemsize)
        if settings.how.checkpointing
        else (tokens * layers * kept)
    )
    width = longest.ids.shape[1]
    heads = config.num_attention_heads if config._attn_implementation != "sdpa" else 1
    scores = tokens * width * heads * (layers * itemsize if heads > 1 else 1)
    learnt = len(longest.target) / max(1, longest.distinct)
    logits = int(tokens * learnt) * config.vocab_size * (2 * itemsize)
    moments = 3 * 4 * sum(one.numel() for one in model.parameters() if one.requires_grad)
    return int(activations + scores + logits + moments)


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
