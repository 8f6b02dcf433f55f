"""Adapters folded into the weights that they stand on, and models averaged.

A merged model is held to what it is made of: the logits of the model with its adapters beside the
weights, against those of the folder that was written, read back. Both are computed in float32, so
that what they differ in is what merging and rounding did to the weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from outdo.errors import ModelError
from outdo.models.chat import Chat
from outdo.models.export import Dtype, built_aside, stored_dtype, write
from outdo.models.reference import ModelReference, resolve
from outdo.models.weights import Head, load_base, load_chat, peft_without_warnings
from outdo.records import Message, Prompt

TOLERANCE = 1e-3
"""How far a logit may move: far above the rounding of float32, far below that of bfloat16."""

ASKED = (
    "Say hello.",
    "Write a function `double(n)` that returns twice n.",
    "Repair the program.\n\ndef mean(numbers):\n    return sum(numbers) / len(numbers) + 1\n",
    "Which tests fail?\n\nassert first([3, 1, 2]) == 3\nassert first([]) is None\n",
    "Explain in one sentence what this does.\n\nfor i in range(10):\n    print(i * i)\n",
)
"""What models are asked before and after; all places of these prompts are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What merging did: the furthest that a logit moved, and how often another one is highest."""

    logits: float
    changed: float

    @property
    def is_lossless(self) -> bool:
        """Whether no logit moved further than `TOLERANCE`; False where one is no number."""
        return self.logits <= TOLERANCE

    def __str__(self) -> str:
        return (
            f"logits move by up to {self.logits:.2g} (tolerated: {TOLERANCE:g}), "
            f"the likeliest token changes at {self.changed:.1%} of the places"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What was written, and what it differs in from what it was made of."""

    dtype: Dtype
    parameters: int
    head: Head
    difference: Difference


def merge(
    parts: Sequence[tuple[ModelReference, float]],
    *,
    out: Path,
    dtype: Dtype | None = None,
    lossy: bool = False,
    device: str = "auto",
    about: Callable[[Merged], str] | None = None,
) -> Merged:
    """Write the sum of models, each folded and times its weight, as a directory of its own.

    One part of weight 1 is a plain merge; the tokenizer is that of the first. `dtype` None is
    what the first one's base is stored in. `about` writes the folder's README.md. Raises ModelError
    if the models don't fit each other, if `out` isn't empty, or, unless `lossy`, if the logits
    move by more than `TOLERANCE`; nothing is written then.
    """
    first = parts[0][0]
    head = head_of(first)
    dtype = dtype or stored_dtype(first)
    with built_aside(out) as aside:
        model, before = _sum(parts, head, device)
        parameters = sum(one.numel() for one in model.parameters())
        write(model, first, aside, dtype=dtype, head=head)
        del model
        written = load_base(resolve(str(aside.resolve()), runs=aside), device=device, head=head)
        moved = difference(before, logits(written, load_chat(first)))
        if not (moved.is_lossless or lossy):
            raise ModelError(
                f"the merged model is another one in {dtype}: {moved}",
                "write it all the same with --lossy, or exactly with --dtype float32",
                where=first.name,
            )
        merged = Merged(dtype=dtype, parameters=parameters, head=head, difference=moved)
        if about is not None:
            (aside / "README.md").write_text(about(merged), "utf-8")
    return merged


def head_of(reference: ModelReference) -> Head:
    """What stands on a model, as its adapter's or its own configuration says."""
    if reference.kind == "script":
        raise ModelError("a script has no weights", "name a model", where=reference.name)
    if reference.adapters:
        scores = _json(reference.path / "adapter_config.json").get("task_type") == "SEQ_CLS"
    else:
        named = _json(reference.path / "config.json").get("architectures") or [""]
        scores = str(named[0]).endswith("ForSequenceClassification")
    return "score" if scores else "lm"


def folded(
    reference: ModelReference, *, head: Head = "lm", device: str = "auto"
) -> tuple[Any, list[Tensor]]:
    """The model in float32 with its adapters in its weights, and its logits with them beside."""
    if "quantization_config" in _json(reference.bottom.path / "config.json"):
        raise ModelError(
            "the weights are held in few bits, and nothing can be added to them",
            "merge into the model that they were made of",
            where=reference.bottom.name,
        )
    model = load_base(reference, device=device, head=head)
    chat = load_chat(reference)
    if not reference.adapters:
        return model, logits(model, chat)
    from peft import PeftModel

    names = [f"part-{number}" for number in range(len(reference.adapters))]
    try:
        with peft_without_warnings():
            for name, adapter in zip(names, reference.adapters, strict=True):
                if name == names[0]:
                    model = PeftModel.from_pretrained(
                        model, adapter.path, adapter_name=name, local_files_only=True
                    )
                else:
                    model.load_adapter(adapter.path, name, local_files_only=True)
            model.base_model.set_adapter(names, inference_mode=True)
            before = logits(model.eval(), chat)
            return model.merge_and_unload(adapter_names=names), before
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        problem = f"can't be merged: {str(error).strip().partition(chr(10))[0]}"
        raise ModelError(problem, where=reference.name) from error


def _sum(
    parts: Sequence[tuple[ModelReference, float]], head: Head, device: str
) -> tuple[Any, list[Tensor]]:
    """The sum of the models in float32, and the logits that it has to keep."""
    (first, share), *others = parts
    model, before = folded(first, head=head, device=device)
    if not others:
        return model, before
    total = dict(model.named_parameters())
    with torch.no_grad():
        for weight in total.values():
            weight.mul_(share)
        for reference, share in others:
            _fits(first, reference, head)
            other, _ = folded(reference, head=head, device=device)
            adding = dict(other.named_parameters())
            _same_shapes(total, adding, first, reference)
            for name, weight in total.items():
                weight.add_(adding[name], alpha=share)
    return model, logits(model, load_chat(first))


def _fits(first: ModelReference, other: ModelReference, head: Head) -> None:
    if head_of(other) != head:
        problem = f"one of {first.name} and this writes text, the other scores it"
        raise ModelError(problem, "average models of one kind", where=other.name)
    words = [load_chat(one).tokenizer.get_vocab() for one in (first, other)]
    if words[0] != words[1]:
        raise ModelError(
            f"its tokens are others than those of {first.name}",
            "average models that were trained from the same one",
            where=other.name,
        )


def _same_shapes(
    total: dict[str, Any], adding: dict[str, Any], first: ModelReference, other: ModelReference
) -> None:
    shapes = [{name: weight.shape for name, weight in one.items()} for one in (total, adding)]
    if shapes[0] != shapes[1]:
        unlike = sorted(dict(shapes[0].items() ^ shapes[1].items()))[0]
        raise ModelError(
            f"it is built otherwise than {first.name}: {unlike}",
            "average models of one architecture and size",
            where=other.name,
        )


# ------------------------------------------------------------------ what a model says


def logits(model: Any, chat: Chat) -> list[Tensor]:
    """For each prompt of `ASKED` the logits [places, tokens] of a causal model, or a score [1]."""
    prompts = [Prompt(messages=(Message(role="user", content=text),)) for text in ASKED]
    ids = [torch.tensor([chat.prompt_ids(prompt)], device=model.device) for prompt in prompts]
    with torch.no_grad():
        return [model(input_ids=one).logits[0].float().cpu() for one in ids]


def difference(before: Sequence[Tensor], after: Sequence[Tensor]) -> Difference:
    """How far the logits `after` are from those `before`."""
    pairs = list(zip(before, after, strict=True))
    furthest = torch.stack([(a - b).abs().max() for a, b in pairs]).max()
    changed = torch.cat([(a.argmax(-1) != b.argmax(-1)).flatten() for a, b in pairs])
    return Difference(logits=float(furthest), changed=float(changed.float().mean()))


def _json(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path.name} can't be read: {error}", where=str(path.parent)) from error
    return data if isinstance(data, dict) else {}
