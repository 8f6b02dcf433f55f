"""The tokenizer: a byte-level BPE whose pieces are cut so that code can be copied and edited.

Blanks go to operators and keywords, never to the names beside them: `x` is the same tokens after
`(`, `= ` and `return `. Digits stand alone, a line's end takes its indentation. A program then
reads the same wherever it stands, and a changed operator is one changed token.
"""

from __future__ import annotations

from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SIZE = 3072
CONTEXT = 4096
BOS, EOS, PAD = "<|bos|>", "<|end|>", "<|pad|>"
DOCUMENT_END = "<|document_end|>"
ROLES = {"system": "<|system|>", "user": "<|user|>", "assistant": "<|assistant|>"}
SPARE = tuple(f"<|spare_{number}|>" for number in range(32))
SPECIAL = (PAD, BOS, EOS, DOCUMENT_END, *ROLES.values(), *SPARE)

_INFIX = "in|and|or|if|else|is|for|not|as|not in|is not"
_PREFIX = (
    "def|return|if|elif|while|for|not|lambda|import|from|class|with|raise|assert|yield|del|except"
)
_OPERATOR = r"//=|\*\*=|==|!=|<=|>=|\+=|-=|\*=|/=|%=|//|\*\*|->|:="
PIECES = "|".join((
    r"\n+ *",
    rf" (?:{_INFIX}) (?=\S)",
    rf"(?<![A-Za-z0-9_])(?:{_PREFIX}) (?=\S)",
    rf" (?:{_OPERATOR}|[=<>+\-*/%&|^:]) (?=\S)",
    r"[,:;.!?] (?=\S)",
    rf"{_OPERATOR}|\(\)|\[\]|\{{\}}|'''|\"\"\"|''|\"\"|```python|```",
    r" ?[A-Za-z]+|_+[A-Za-z]*",
    r"[0-9]",
    r" ?[^\s\w]",
    r" +|\s|\w+",
))  # fmt: skip

TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}"
    "{% else %}{{ message['content'] + eos_token }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)


def trained(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """The tokenizer with `SIZE` tokens learnt from the texts, every byte among them."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZE,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        additional_special_tokens=[DOCUMENT_END, *ROLES.values(), *SPARE],
        model_max_length=CONTEXT,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )
    fast.chat_template = TEMPLATE
    return fast
