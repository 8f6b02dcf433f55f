"""A model and files of rows for the contenders: made once, read by each measured process.

The model is a Llama with random weights and a tokenizer that was trained on these very rows; the
rows are encoded by outdo's `Chat`, so that both sides train on the same ids.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from outdo.models.chat import Chat
from outdo.records import Conversation, Message, Pair, Prompt, to_json
from training import data
from training.data import Row

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}{{ eos_token }}\n"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
)
SPECIAL = ("<|pad|>", "<|begin|>", "<|end|>", "<|user|>", "<|assistant|>")
VOCABULARY = 8192
LONGEST = 4096
SHORTER = 1024
"""Longer sequences are left out, on both sides: of pull requests above the first, of functions and
programs above the second, which is TRL's own limit."""
ANSWER = (100, 300)
"""Tokens of an answer about a pull request."""
PULLS = 200
MOST = 3600
"""Rows of a set that are looked at, at equal distances where it has more."""


def tokenizer(texts: Iterable[str], *, vocabulary: int = VOCABULARY) -> Any:
    """A byte-level BPE trained on the texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    made = PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<|begin|>", eos_token="<|end|>", pad_token="<|pad|>"
    )
    made.chat_template = TEMPLATE
    return made


def llama(speaks: Any) -> Any:
    """The configuration of a Llama of 8.4 million weights that the tokenizer fits."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=256,
        intermediate_size=688,
        num_hidden_layers=8,
        num_attention_heads=4,
        num_key_value_heads=4,
        max_position_embeddings=2 * LONGEST,
        tie_word_embeddings=True,
        **ends(speaks),
    )


def ends(speaks: Any) -> dict[str, int]:
    """The special tokens that a configuration names."""
    names = ("bos_token_id", "eos_token_id", "pad_token_id")
    return {name: getattr(speaks, name) for name in names}


def model(
    folder: Path, speaks: Any, config: Any, *, device: str = "cpu", precision: str = "float32"
) -> None:
    """Write a model with random weights and its tokenizer, as a directory that both sides load."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    with torch.device(device):
        made = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, precision))
    made.save_pretrained(folder)
    speaks.save_pretrained(folder)


# ------------------------------------------------------------------ rows


def record(row: Row, number: int, source: str) -> Conversation | Pair:
    """The row as outdo reads it."""
    asked = (Message(role="user", content=row.prompt),)
    name = f"{source}/{number}"
    if row.rejected is not None:
        return Pair(
            id=name,
            group=row.group,
            source=source,
            prompt=Prompt(messages=asked),
            chosen=row.reply,
            rejected=row.rejected,
            criterion="correct",
        )
    said = Message(role="assistant", content=row.reply)
    return Conversation(
        id=name, group=row.group, task=source, source=source, messages=(*asked, said)
    )


def ids(row: Row, chat: Chat) -> dict[str, list[int]]:
    """The same row as the ids that a trainer reads: of the prompt and of each answer."""
    made: dict[str, list[int]] = {}
    answers = {"chosen": row.reply} | (
        {"rejected": row.rejected} if row.rejected is not None else {}
    )
    for name, answer in answers.items():
        whole = chat.encode(record(replace(row, reply=answer, rejected=None), 0, ""))  # type: ignore[arg-type]
        said = whole.learnt.index(True)
        made["prompt"] = list(whole.ids[:said])
        made[name] = list(whole.ids[said:])
    return made


def fitting(rows: Iterable[Row], chat: Chat, *, longest: int = SHORTER) -> list[Row]:
    """The rows whose sequences are short enough and hold no special token's text."""
    kept = []
    for row in rows:
        texts = (row.prompt, row.reply, row.rejected or "x")
        if not all(text.strip() for text in texts) or row.reply == row.rejected:
            continue
        if any(mark in text for mark in SPECIAL for text in texts):
            continue
        made = ids(row, chat)
        answer = max(len(made[name]) for name in ("chosen", "rejected") if name in made)
        if len(made["prompt"]) + answer <= longest:
            kept.append(row)
    return kept


def cut(row: Row, chat: Chat) -> Row | None:
    """The row with its answer cut to the most tokens, or None if it has too few."""
    least, most = ANSWER
    offsets = chat.tokenizer(row.reply, add_special_tokens=False, return_offsets_mapping=True)
    ends = [end for _, end in offsets["offset_mapping"]]
    if len(ends) < least:
        return None
    return replace(row, reply=row.reply[: ends[min(most, len(ends)) - 1]].rstrip())


def pulls(chat: Chat, *, wanted: int = PULLS) -> list[Row]:
    """Three questions on each of `wanted` pull requests, taken as they were drawn."""

    def whole() -> Iterable[list[Row]]:
        for _, asked in groupby(data.pull_requests(), key=lambda row: row.group):
            group = list(asked)
            if max(len(row.prompt) for row in group) > 8 * LONGEST:
                continue
            short = [made for row in group if (made := cut(row, chat)) is not None]
            if len(fitting(short, chat, longest=LONGEST)) == len(data.QUESTIONS):
                yield short

    return [row for group in islice(whole(), wanted) for row in group]


def rows_of(name: str, chat: Chat) -> list[Row]:
    """The data set of this name, its contexts in an order drawn once, each in one piece."""
    if name == "pull_requests":
        rows = pulls(chat)
    else:
        rows = fitting(spread(list(data.ALL[name]()), MOST), chat)
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group, []).append(row)
    order = list(groups)
    random.Random(1).shuffle(order)
    return [row for group in order for row in groups[group]]


def even(chat: Chat, *, length: int, count: int) -> list[Row]:
    """`count` rows of about `length` tokens, half of them the answer, all of the library."""
    text = "\n\n".join(row.reply for row in islice(data.stdlib(), 200 + count * length // 100))
    made = chat.tokenizer(text, add_special_tokens=False)["input_ids"]
    half = (length - len(SPECIAL)) // 2

    def piece(place: int) -> str:
        return str(chat.tokenizer.decode(made[place * half : (place + 1) * half]))

    return [
        Row(group=str(number), prompt=piece(2 * number), reply=piece(2 * number + 1))
        for number in range(count)
    ]


def texts(names: Iterable[str] = tuple(data.ALL), limit: int = 3000) -> list[str]:
    """What the tokenizer is trained on: up to `limit` rows of each data set."""
    made = []
    for name in names:
        for row in islice(data.ALL[name](), limit):
            made += [row.prompt[:4000], row.reply[:4000], (row.rejected or "")[:4000]]
    return made


# ------------------------------------------------------------------ samples


def spread(items: Sequence[Any], count: int) -> list[Any]:
    """`count` of the items at equal distances, the first half a distance in; at most all."""
    if count >= len(items):
        return list(items)
    return [items[int((place + 0.5) * len(items) / count)] for place in range(count)]


def sample(lengths: Sequence[int], groups: Sequence[str], *, wanted: int) -> list[int]:
    """About `wanted` rows in whole groups, as long and as short as all of them are, shuffled."""
    members: dict[str, list[int]] = {}
    for row, group in enumerate(groups):
        members.setdefault(group, []).append(row)
    ranked = sorted(members.values(), key=lambda rows: (sum(lengths[row] for row in rows), rows))
    count = min(len(ranked), max(1, round(wanted * len(ranked) / len(groups))))
    drawn = spread(ranked, count)
    random.Random(2).shuffle(drawn)
    return [row for rows in drawn for row in rows]


def grouped(lengths: Sequence[int], *, batch: int, steps: int) -> list[int]:
    """Rows in the batches that TRL's sampler by length makes of all of them: `steps` of those.

    They are taken at equal distances in length, so that they stand for the whole epoch.
    """
    import torch
    from transformers.trainer_pt_utils import get_length_grouped_indices

    generator = torch.Generator().manual_seed(0)
    order = get_length_grouped_indices(list(lengths), batch, generator=generator)
    batches = [order[at : at + batch] for at in range(0, len(order) - batch + 1, batch)]
    batches.sort(key=lambda rows: (sum(lengths[row] for row in rows), rows))
    drawn = spread(batches, min(steps, len(batches)))
    random.Random(2).shuffle(drawn)
    return [row for rows in drawn for row in rows]


# ------------------------------------------------------------------ files


def write_rows(path: Path, rows: Sequence[Row], chat: Chat, source: str) -> None:
    """A file of lines, each the record for outdo and the ids for the other side."""
    with path.open("w", encoding="utf-8") as out:
        for number, row in enumerate(rows):
            both = {"record": to_json(record(row, number, source)), "ids": ids(row, chat)}
            out.write(json.dumps(both) + "\n")


def parts(rows: Sequence[Row], chat: Chat) -> list[dict[str, int]]:
    """For each row the tokens of its parts, and of all its sequences together."""
    made = []
    for row in rows:
        counts = {name: len(one) for name, one in ids(row, chat).items()}
        answers = [count for name, count in counts.items() if name != "prompt"]
        made.append({**counts, "row": sum(answers) + counts["prompt"] * len(answers)})
    return made


def quantiles(values: Sequence[int]) -> dict[str, int]:
    """The 5th, 25th, 50th, 75th, 95th percentile and the highest."""
    ranked = sorted(values)
    named = {
        f"p{p}": ranked[min(len(ranked) - 1, p * len(ranked) // 100)] for p in (5, 25, 50, 75, 95)
    }
    return {**named, "max": ranked[-1]}
