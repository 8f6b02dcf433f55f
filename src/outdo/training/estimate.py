"""How much memory a batch will take: told before the first step, compared with the peak after it.

What is counted are the tensors that wait for the way back, the mask, the logits, gradients and
moments. The factors are those of a Llama's layer, fitted to measured peaks (docs/notebook.md);
another architecture's layer holds about as much for the same widths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from outdo.errors import TrainingError
from outdo.models.forest import Batch
from outdo.training.settings import Settings


@dataclass(frozen=True, slots=True)
class Needs:
    """Bytes above those of the model: of the weights that learn, and of one batch."""

    learning: int
    batch: int

    @property
    def total(self) -> int:
        return self.learning + self.batch


def needs(model: Any, batch: Batch, *, precision: str, settings: Settings) -> Needs:
    """What a step with this batch takes beside the model."""
    config = model.config.get_text_config()
    size = 4 if precision == "float32" else 2
    tokens, width = batch.computed, batch.ids.shape[1]
    wide, layers = config.hidden_size, config.num_hidden_layers
    inner = getattr(config, "intermediate_size", None) or 4 * wide
    heads = getattr(config, "num_attention_heads", 1)
    layer = tokens * (14 * wide + 5 * inner) * size
    written = config._attn_implementation != "sdpa"
    layer += tokens * width * (heads * size if written else 0)
    activations = (
        layer + layers * tokens * wide * size if settings.how.checkpointing else layers * layer
    )
    logits = len(batch.source) * config.vocab_size * 2 * size
    learning = sum(one.numel() for one in model.parameters() if one.requires_grad)
    return Needs(learning=3 * 4 * learning, batch=activations + tokens * width + logits)


def fits(needed: Needs, batch: Batch, free: int | None) -> None:
    """Refuses a batch that needs more than is free, and says what would fit."""
    if free is None or needed.total <= free:
        return
    width = batch.ids.shape[1]
    room = max(0, free - needed.learning)
    fitting = int(batch.computed * room / needed.batch) // 64 * 64
    raise TrainingError(
        f"a batch of {batch.computed} tokens needs about {needed.total / 2**30:.1f} GiB, "
        f"{free / 2**30:.1f} are free",
        f"lower tokens_per_batch to {fitting}"
        if fitting >= width
        else f"lower max_length below {width}, train fewer weights, or set checkpointing",
    )
