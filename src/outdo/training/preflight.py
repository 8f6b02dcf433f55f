"""What is checked before the first step: each a mistake that would otherwise cost a run.

Everything here either passes, or raises an error with what is wrong and what mends it, or is a
note: a sentence for the report on what a reader must know. Rows that are too long are dealt with
as the settings say, and counted.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from outdo.errors import ModelError, TrainingError
from outdo.models import branches, flex, narrow
from outdo.models.attention import has_window
from outdo.models.chat import Chat, Encoded
from outdo.models.forest import Tree, lay
from outdo.models.logprobs import log_probabilities, path_scores
from outdo.models.reference import ModelReference
from outdo.records import Conversation, Pair
from outdo.training.giveaway import giveaways
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
    """The rows that are learnt from as trees, each with its number and id among those given.

    `cut` and `dropped` count those that were shortened or left out for it, `longest_cut` is how
    many tokens the one that was cut most has lost, and `notes` say all of it in sentences.
    """

    trees: tuple[Tree, ...]
    numbers: tuple[int, ...]
    names: tuple[str, ...]
    cut: int = 0
    longest_cut: int = 0
    dropped: int = 0
    notes: tuple[str, ...] = ()

    def given(self, more: Sequence[tuple[float, ...]]) -> Rows:
        """The same rows, each with what is known of it beside; `more` is for all rows given."""
        for number, name in zip(self.numbers, self.names, strict=True):
            if not all(map(math.isfinite, more[number])):
                raise TrainingError(
                    "the reference has no log-probability of this row",
                    "ask it with the max_length and longer of this run",
                    where=name,
                )
        trees = [
            replace(tree, given=(*more[number], *tree.given))
            for number, tree in zip(self.numbers, self.trees, strict=True)
        ]
        return replace(self, trees=tuple(trees))


NO_ROWS = Rows(trees=(), numbers=(), names=())


@dataclass(slots=True)
class _Tally:
    """What became of rows that aren't learnt from as they are; lengths in tokens over the limit."""

    empty: int = 0
    alike: int = 0
    too_long: list[int] = field(default_factory=list)
    cut: list[int] = field(default_factory=list)

    @property
    def dropped(self) -> int:
        return self.empty + self.alike + len(self.too_long)

    def notes(self, given: int, limit: int) -> Iterator[str]:
        """Sentences on how many, why, and by how much."""
        reasons = [
            (len(self.too_long), f"longer than {limit} tokens (by {_up_to(self.too_long)})"),
            (self.empty, "with an empty answer"),
            (self.alike, "whose replies are the same"),
        ]
        if self.dropped:
            told = ", ".join(f"{count} {reason}" for count, reason in reasons if count)
            yield f"{self.dropped} of {given} rows were dropped: {told}"
        if self.cut:
            lost = _up_to(self.cut)
            yield f"{len(self.cut)} of {given} rows were cut to {limit} tokens (by {lost})"


def _up_to(tokens: Sequence[int]) -> str:
    return f"up to {max(tokens, default=0)}"


def rows(given: Sequence[Row], *, method: Method[Any], chat: Chat, settings: Settings) -> Rows:
    """The rows, checked one by one; those with nothing to learn are dropped and counted."""
    trees: list[Tree] = []
    numbers: list[int] = []
    tally = _Tally()
    for number, row in enumerate(given):
        paths = _paths(row, method, chat, settings, tally)
        if paths is not None:
            trees.append(method.tree(row, paths))
            numbers.append(number)
    _check_something_is_left(trees, chat, settings, given=len(given), tally=tally)
    pairs = [given[number] for number in numbers]
    notes = [
        *tally.notes(len(given), settings.max_length),
        *giveaways([pair for pair in pairs if isinstance(pair, Pair)]),
    ]
    return Rows(
        trees=tuple(trees),
        numbers=tuple(numbers),
        names=tuple(given[number].id for number in numbers),
        cut=len(tally.cut),
        longest_cut=max(tally.cut, default=0),
        dropped=tally.dropped,
        notes=tuple(notes),
    )


def _paths(
    row: Row, method: Method[Any], chat: Chat, settings: Settings, tally: _Tally
) -> tuple[Encoded, ...] | None:
    """The row's conversations in tokens, cut where they are too long; None if it is dropped."""
    talks = method.conversations(row)
    if any(not talk.messages[-1].content.strip() for talk in talks):
        tally.empty += 1
        return None
    whole = tuple(_encoded(talk, chat) for talk in talks)
    if len(set(whole)) < len(whole):
        tally.alike += 1
        return None
    most = settings.max_length
    over = max(len(path.ids) for path in whole) - most
    if over <= 0:
        return whole
    if settings.longer == "refuse":
        raise TrainingError(
            f"the row has {over + most} tokens, max_length is {most}",
            "raise max_length, or set longer to drop or cut",
            where=row.id,
        )
    paths = tuple(Encoded(ids=path.ids[:most], learnt=path.learnt[:most]) for path in whole)
    if settings.longer == "drop" or not all(any(path.learnt) for path in paths):
        tally.too_long.append(over)
        return None
    if len(set(paths)) < len(paths):
        tally.alike += 1
        return None
    tally.cut.append(over)
    return paths


def _encoded(talk: Conversation, chat: Chat) -> Encoded:
    """The conversation in tokens, which are proven to say it."""
    try:
        path = chat.encode(talk)
    except ModelError as error:
        where = error.where or talk.id
        raise ModelError(error.problem, error.hint, where=where) from error
    _check_markers(path, chat, talk)
    return path


def _check_something_is_left(
    trees: Sequence[Tree], chat: Chat, settings: Settings, *, given: int, tally: _Tally
) -> None:
    if not trees:
        raise TrainingError(
            f"of {given} rows none is left to learn from ({tally.dropped} dropped)",
            f"max_length is {settings.max_length}; empty answers and equal pairs teach nothing",
        )
    ends = (path.ids[-1] in chat.stop_ids for tree in trees for path in tree.paths)
    if len(tally.cut) == len(trees) and not any(ends):
        raise TrainingError(
            "every row is cut before its end, so the model would never learn to stop",
            "raise max_length",
        )


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
    wanted = [turn.content.strip() for turn in row.messages if turn.role == "assistant"]
    if [chat.text(said).strip() for said in _said(encoded)] != wanted:
        raise TrainingError(
            "the tokenizer doesn't give back the answer that it was given",
            "the answer holds characters or special tokens that it doesn't keep",
            where=row.id,
        )


def _said(encoded: Encoded) -> list[list[int]]:
    """The learnt ids, turn by turn."""
    turns = itertools.groupby(zip(encoded.ids, encoded.learnt, strict=True), key=lambda one: one[1])
    return [[token for token, _ in turn] for learnt, turn in turns if learnt]


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
    shorter than the longest row on one that is longer than it. Where the model can attend by
    branches, and computes the same, it does so from now on.
    """
    longest = max(map(_longest, trees))
    if branches.use(model, longest=longest):
        narrow.use(model)
        if _same_together(model, trees, head=head, flat=True):
            return True
        narrow.leave(model)
        branches.leave(model)
    if flex.use(model, longest=longest):
        if _same_together(model, trees, head=head, flat=False):
            return True
        flex.leave(model)
    return _same_together(model, trees, head=head, flat=False)


def _same_together(model: Any, trees: Sequence[Tree], *, head: Head, flat: bool) -> bool:
    sizes = [tree.tokens for tree in trees]
    order = sorted(range(len(trees)), key=lambda row: sizes[row])
    tried = order[:3]
    config = model.config.get_text_config()
    if beyond := [row for row in order if has_window(config, _longest(trees[row]))]:
        tried = list(dict.fromkeys([*tried[:2], beyond[0]]))
    judge = path_scores if head == "score" else log_probabilities
    exactly = in_float32(model) if _exact(model) else contextlib.nullcontext()
    with torch.no_grad(), exactly:
        alone = judge(model, lay(trees, [[row] for row in tried], packed=False).to(model.device))
        try:
            together = judge(model, lay(trees, [tried], flat=flat).to(model.device))
        except (RuntimeError, TypeError, ValueError, IndexError):
            return False  # a mask of its own kind, as recurrent layers have
    most = TOLERANCE if _exact(model) else ROUGH
    return bool((together - alone).abs().max() < most * alone.abs().max().clamp(min=1))


def _exact(model: Any) -> bool:
    """Whether the model can be had in float32 for a moment: it is small, and isn't quantised."""
    return model.num_parameters() < 2**30 and not getattr(model, "is_quantized", False)


def _longest(tree: Tree) -> int:
    return max(len(path.ids) for path in tree.paths)


def base(reference: ModelReference, settings: Settings) -> None:
    """Refuses to train all weights below an adapter: what it was fitted to would move away."""
    if reference.adapters and settings.lora is None:
        raise TrainingError(
            "all weights can't be trained below an adapter", "merge it first", where=reference.name
        )


def head(reference: ModelReference, wanted: Head) -> None:
    """Refuses a start whose head is another than the one that is to learn."""
    if wanted == "lm" and reference.head == "score":
        raise TrainingError(
            "the model rates texts and can't say any", "reward trains it", where=reference.name
        )
    if wanted == "score" and reference.head == "lm" and reference.adapters:
        raise TrainingError(
            "the adapter has no head that rates texts", "merge it first", where=reference.name
        )


def looks(settings: Settings, *, held_out: bool, scored: bool) -> None:
    """Refuses to choose or to stop by looks at nothing."""
    if held_out or scored:
        return
    wanted = {
        "keep: best": settings.keep == "best",
        "patience": settings.patience is not None,
        "evaluate_every": settings.evaluate_every is not None,
    }
    for name, is_set in wanted.items():
        if is_set:
            raise TrainingError(
                f"{name} is set, but no row is held out to look at",
                "hold rows out with validation, or hand in a score",
            )


def notes(model: Any, settings: Settings, *, packed: bool) -> Iterator[str]:
    """What a reader must know of how this model learns: a sentence each."""
    config = model.config.get_text_config()
    if not packed:
        yield (
            "the model mixes up rows that lie together in a batch, as recurrent and linear "
            "attention do: each row is computed alone, sorted by length, and nothing is shared"
        )
    if any(getattr(config, name, None) for name in EXPERTS):
        yield (
            "a mixture of experts: the auxiliary loss that balances them isn't learnt from, "
            "since it changes with what lies in a batch"
        )
    if packed and _drops_out(model, settings):
        yield "dropout falls alike on the tokens that rows share, for these are computed once"


EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
"""How configurations call the number of experts."""


def _drops_out(model: Any, settings: Settings) -> bool:
    config = model.config.get_text_config()
    layers = (one.p for one in model.modules() if isinstance(one, torch.nn.Dropout))
    own = settings.lora.dropout if settings.lora else 0.0
    return own > 0 or getattr(config, "attention_dropout", 0.0) > 0 or any(p > 0 for p in layers)
