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


WINDOW = 24
"""A sliding window shorter than the rows."""

ARCHITECTURES = (
    "llama",
    "qwen2",
    "qwen3",
    "phi3",
    "mistral",
    "gemma2",
    "gemma3",
    "deepseek-v3",
    "starcoder2",
    "granite",
    "mixtral",
    "qwen3-moe",
    "gpt2",
)
"""What there is a tiny model of."""


def configuration(kind: str, **changes: Any) -> Any:
    """The configuration of a tiny model of an architecture, windows shorter than rows included."""
    import transformers as t

    experts = {"num_experts_per_tok": 2, "moe_intermediate_size": 32}
    made = {
        "llama": (t.LlamaConfig, {}),
        "qwen2": (
            t.Qwen2Config,
            {"use_sliding_window": True, "sliding_window": WINDOW, "max_window_layers": 1},
        ),
        "qwen3": (t.Qwen3Config, {"head_dim": 16}),
        "phi3": (t.Phi3Config, {"sliding_window": WINDOW}),
        "mistral": (t.MistralConfig, {"sliding_window": WINDOW}),
        "gemma2": (t.Gemma2Config, {"sliding_window": WINDOW, "head_dim": 16}),
        "gemma3": (
            t.Gemma3TextConfig,
            {
                "sliding_window": WINDOW,
                "head_dim": 16,
                "layer_types": ["sliding_attention", "full_attention"],
            },
        ),
        "deepseek-v3": (
            t.DeepseekV3Config,
            experts
            | {
                "num_key_value_heads": 4,
                "q_lora_rank": 24,
                "kv_lora_rank": 16,
                "qk_nope_head_dim": 8,
                "qk_rope_head_dim": 8,
                "v_head_dim": 12,
                "n_routed_experts": 8,
                "n_group": 2,
                "topk_group": 1,
                "first_k_dense_replace": 1,
            },
        ),
        "starcoder2": (
            t.Starcoder2Config,
            {"sliding_window": WINDOW, "residual_dropout": 0.0, "embedding_dropout": 0.0},
        ),
        "granite": (t.GraniteConfig, {"logits_scaling": 8.0, "residual_multiplier": 0.5}),
        "mixtral": (
            t.MixtralConfig,
            {"sliding_window": WINDOW, "num_local_experts": 4, "num_experts_per_tok": 2},
        ),
        "qwen3-moe": (t.Qwen3MoeConfig, experts | {"head_dim": 16, "num_experts": 4}),
        "gpt2": (t.GPT2Config, {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}),
    }
    of, own = made[kind]
    return of(**{**SIZES, **own, **changes})


def model(kind: str = "llama", *, seed: int = 0, head: str = "lm", **changes: Any) -> Any:
    """A model with random weights in float32, in evaluation mode; `head` "score" rates texts."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

    torch.manual_seed(seed)
    if head == "score":
        changes["num_labels"] = 1
    config = configuration(kind, **changes)
    attention = "eager" if kind == "gemma2" else "sdpa"
    auto = AutoModelForSequenceClassification if head == "score" else AutoModelForCausalLM
    return auto.from_config(config, attn_implementation=attention).eval()


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


def samples(count: int, *, seed: int = 0) -> list[Any]:
    """Conversations of which each third has the prompt of the one before it, and another reply."""
    made = talks(count, seed=seed)
    for number in range(1, count, 3):
        asked = made[number - 1].messages[0].content
        made[number] = talk(asked, f"return {number}", name=f"sample-{number}")
    return made


def pairs(count: int, *, seed: int = 0) -> list[Any]:
    """Pairs of many lengths; each third prompt stands there twice, behind it other replies."""
    from outdo.records import Message, Pair, Prompt

    made = []
    for number, row in enumerate(talks(count, seed=seed)):
        asked = made[-1].prompt.messages if number % 3 == 1 else row.messages[:1]
        reply = row.messages[-1].content
        made.append(
            Pair(
                id=f"pair-{number}",
                group=row.group,
                source="tiny",
                prompt=Prompt(
                    messages=tuple(Message(role="user", content=m.content) for m in asked)
                ),
                chosen=reply,
                rejected=reply[: len(reply) // 2] + f" return {number}",
                criterion="passes",
                margin=0.5 if number % 2 else None,
            )
        )
    return made


def comparisons(count: int, *, seed: int = 0) -> list[Any]:
    """Conversations that end in A or B."""
    asked = [row.messages[0].content for row in talks(count, seed=seed)]
    return [
        talk(f"{text}\nWhich is better, A or B?", "AB"[number % 2], name=f"choice-{number}")
        for number, text in enumerate(asked)
    ]
