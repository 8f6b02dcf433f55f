"""Tiny models with random weights and a real tokenizer, made in a second."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from outdo.models import weights  # noqa: F401 (silences transformers before it speaks)

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
"""A template in the manner of Phi-3: its end of turn is not the tokenizer's EOS."""

TEXT = [
    "def add(a, b):\n    return a + b\n",
    "def mean(numbers):\n    total = 0\n    for number in numbers:\n        total += number\n",
    "Repair the function so that all tests pass. Return the whole program.",
    "for index in range(len(values)):\n    if values[index] > top:\n        top = values[index]\n",
]


@cache
def _backend() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<pad>", "<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>", "<|end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer


def tokenizer(*, template: str | None = TEMPLATE) -> Any:
    """A byte-level BPE of 400 tokens that has seen a little Python."""
    from transformers import PreTrainedTokenizerFast

    made = PreTrainedTokenizerFast(
        tokenizer_object=_backend(), bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    )
    if template is not None:
        made.chat_template = template
    return made


SIZES: dict[str, Any] = {
    "vocab_size": 400,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
    "initializer_range": 0.2,
}


def configuration(kind: str, **changes: Any) -> Any:
    """The configuration of a tiny model of an architecture, windows shorter than rows included."""
    import transformers as t

    made = {
        "llama": lambda: t.LlamaConfig(**{**SIZES, **changes}),
        "qwen2": lambda: t.Qwen2Config(**{**SIZES, **changes}),
        "phi3": lambda: t.Phi3Config(**{**SIZES, "sliding_window": 24, **changes}),
        "mistral": lambda: t.MistralConfig(**{**SIZES, "sliding_window": 24, **changes}),
        "gemma2": lambda: t.Gemma2Config(
            **{**SIZES, "sliding_window": 24, "head_dim": 16, **changes}
        ),
        "granite": lambda: t.GraniteConfig(**{**SIZES, "logits_scaling": 8.0, **changes}),
        "gpt2": lambda: t.GPT2Config(
            vocab_size=400,
            n_embd=64,
            n_layer=2,
            n_head=4,
            n_positions=512,
            initializer_range=changes.get("initializer_range", 0.2),
            bos_token_id=1,
            eos_token_id=2,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
        ),
    }
    return made[kind]()


def model(kind: str = "llama", *, seed: int = 0, **changes: Any) -> Any:
    """A model with random weights in float32, in evaluation mode."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    config = configuration(kind, **changes)
    attention = "eager" if kind == "gemma2" else "sdpa"
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention).eval()


def save(
    folder: Path, kind: str = "llama", *, template: str | None = TEMPLATE, **more: Any
) -> Path:
    """A model directory like any other."""
    model(kind, **more).save_pretrained(folder)
    tokenizer(template=template).save_pretrained(folder)
    return folder


def talk(*turns: str, name: str = "row") -> Any:
    """A conversation in which user and assistant take turns."""
    from outdo.records import Conversation, Message

    roles = ("user", "assistant")
    messages = tuple(
        Message(role=roles[place % 2], content=text)  # type: ignore[arg-type]
        for place, text in enumerate(turns)
    )
    return Conversation(id=name, group=name, task="repair", source="tiny", messages=messages)


def talks(count: int, *, seed: int = 0) -> list[Any]:
    """Conversations of many lengths: a few lines of a program, and its first lines."""
    import random

    draw = random.Random(seed)
    made = []
    for number in range(count):
        program = "".join(draw.choice(TEXT) for _ in range(draw.randint(1, 3)))
        answer = program[: draw.randint(8, 60)].strip()
        made.append(talk("Repair it.\n" + program, answer, name=f"row-{number}"))
    return made
