"""Vectors of texts, one for each token, by a model of the BERT kind, or by one of language.

Each text is read once, beside texts of the same length. One longer than the model's window is read
in overlapping windows, and each token's vector is taken where it stands farthest from an edge.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer
from transformers.utils import logging as transformers_logging

from outdo.errors import ModelError

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()

Precision = Literal["auto", "float32", "bfloat16"]

BATCH_TOKENS = {"cpu": 768, "cuda": 16_384}
"""Tokens read at once: few, on a processor, so that they stay in its cache."""

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


@dataclass(frozen=True, slots=True, eq=False)
class TokenVectors:
    """The tokens of a text; `vectors` is (tokens, width), float32, rows of length 1."""

    ids: tuple[int, ...]
    tokens: tuple[str, ...]
    special: tuple[bool, ...]
    vectors: np.ndarray[Any, Any]
    windows: int


@dataclass(frozen=True, slots=True)
class _Read:
    """A text as ids, and where its own tokens begin behind its context."""

    ids: tuple[int, ...]
    special: tuple[bool, ...]
    begins: int


class BertEncoder:
    """Vectors of a model's layer. `kept` is a folder where they are kept from run to run."""

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        layer: int | None = None,
        precision: Precision = "auto",
        device: str = "auto",
        window: int | None = None,
        kept: Path | None = None,
    ) -> None:
        self._device = _device(device)
        self.precision = _precision(precision, self._device)
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(path, local_files_only=True)
            self._model: Any = AutoModel.from_pretrained(
                path, local_files_only=True, dtype=DTYPES[self.precision]
            )
        except (OSError, ValueError, KeyError) as error:
            line = str(error).strip().partition("\n")[0]
            raise ModelError(f"no model to take vectors from: {line}", where=name) from error
        self.layer = _cut(self._model, layer, name)
        self._model.to(self._device).eval()
        most = int(getattr(self._model.config, "max_position_embeddings", 512))
        # Models of RoBERTa's kind count positions from behind the padding.
        most -= 2 if self._model.config.model_type in ("roberta", "xlm-roberta", "camembert") else 0
        self.window = min(window or most, most, int(self._tokenizer.model_max_length))
        if self.window < 8:
            raise ModelError(f"a window of {self.window} tokens", "8 are the least", where=name)
        self.signature = (
            f"model:{name}|layer:{self.layer}|window:{self.window},half|{self.precision}"
            f"|transformers-{version('transformers')}"
        )
        self.read_texts = 0
        self._kept = kept

    def encode(
        self, texts: Sequence[str], *, contexts: Sequence[str] | None = None
    ) -> tuple[TokenVectors, ...]:
        """The vectors of each text, without those of its context."""
        around = contexts if contexts is not None else [""] * len(texts)
        asked = list(dict.fromkeys(zip(texts, around, strict=True)))
        found = {one: vectors for one in asked if (vectors := self._stored(one)) is not None}
        owed = [one for one in asked if one not in found]
        reads = [self._read(*one) for one in owed]
        for place, vectors in self._vectors(reads):
            found[owed[place]] = vectors
            self._store(owed[place], vectors)
        return tuple(found[one] for one in zip(texts, around, strict=True))

    # -------------------------------------------------------------- tokens

    def _read(self, text: str, context: str) -> _Read:
        """A text behind its context, as ids with their special ones."""
        text = _plain(text)
        before = f"{_plain(context)} \n" if context.strip() else ""
        told = self._tokenizer(
            before + text,
            truncation=False,
            return_special_tokens_mask=True,
            return_offsets_mapping=bool(before),
            verbose=False,
        )
        special = tuple(bool(mark) for mark in told["special_tokens_mask"])
        begins = 0
        if before:
            ends = [end for _, end in told["offset_mapping"]]
            begins = next((n for n, end in enumerate(ends) if end > len(before)), len(ends))
        return _Read(tuple(told["input_ids"]), special, begins)

    # -------------------------------------------------------------- vectors

    def _vectors(self, reads: Sequence[_Read]) -> Iterator[tuple[int, TokenVectors]]:
        """The vectors of each text, as its last window is done."""
        pieces = [
            (place, start, end, first, last)
            for place, read in enumerate(reads)
            for start, end, first, last in windows(len(read.ids), self.window)
        ]
        pieces.sort(key=lambda piece: (piece[2] - piece[1], piece[0], piece[1]))
        owed = [len(windows(len(read.ids), self.window)) for read in reads]
        parts: list[dict[int, torch.Tensor]] = [{} for _ in reads]
        most = BATCH_TOKENS.get(self._device.type, BATCH_TOKENS["cuda"])
        for batch in _batches(pieces, most):
            states = self._forward([reads[p].ids[start:end] for p, start, end, _, _ in batch])
            for (place, start, _, first, last), state in zip(batch, states, strict=True):
                parts[place][first] = state[first - start : last - start]
                if len(parts[place]) == owed[place]:
                    whole = torch.cat([parts[place][n] for n in sorted(parts[place])])
                    parts[place] = {}
                    yield place, self._made(reads[place], whole, owed[place])

    def _forward(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        longest = len(rows[-1])
        ids = torch.full((len(rows), longest), self._tokenizer.pad_token_id or 0)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
            mask[place, : len(row)] = 1
        whole = bool(mask.all())
        with torch.inference_mode():
            told = self._model(
                input_ids=ids.to(self._device),
                attention_mask=None if whole else mask.to(self._device),
            )
        states: torch.Tensor = told.last_hidden_state
        return torch.nn.functional.normalize(states.float(), dim=-1).cpu()

    def _made(self, read: _Read, states: torch.Tensor, count: int) -> TokenVectors:
        """A text's own tokens: the special ones before it stay, those of its context go."""
        own = [
            place
            for place in range(len(read.ids))
            if place >= read.begins or (read.special[place] and place == 0)
        ]
        return TokenVectors(
            ids=tuple(read.ids[place] for place in own),
            tokens=tuple(self._tokenizer.convert_ids_to_tokens([read.ids[place] for place in own])),
            special=tuple(read.special[place] for place in own),
            vectors=np.ascontiguousarray(states[own].numpy()),
            windows=count,
        )

    # -------------------------------------------------------------- kept vectors

    def _file(self, one: tuple[str, str]) -> Path | None:
        if self._kept is None:
            return None
        said = "\0".join((self.signature, *one)).encode("utf-8", "surrogatepass")
        return self._kept / f"{hashlib.sha256(said).hexdigest()}.npz"

    def _stored(self, one: tuple[str, str]) -> TokenVectors | None:
        path = self._file(one)
        if path is None or not path.is_file():
            return None
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
                ids = tuple(int(id_) for id_ in held["ids"])
                return TokenVectors(
                    ids=ids,
                    tokens=tuple(self._tokenizer.convert_ids_to_tokens(list(ids))),
                    special=tuple(bool(mark) for mark in held["special"]),
                    vectors=held["vectors"],
                    windows=int(held["windows"]),
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None  # a torn file: the text is read again

    def _store(self, one: tuple[str, str], vectors: TokenVectors) -> None:
        self.read_texts += 1
        path = self._file(one)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                ids=np.array(vectors.ids, dtype=np.int64),
                special=np.array(vectors.special, dtype=bool),
                vectors=vectors.vectors,
                windows=np.array(vectors.windows),
            )
        Path(name).replace(path)


def windows(length: int, window: int) -> list[tuple[int, int, int, int]]:
    """The windows over a text: from and to, and the places whose vectors are taken from each.

    Windows overlap by half. A window gives its middle; the first its beginning too, and the last,
    which ends with the text, whatever is left.
    """
    if length <= window:
        return [(0, length, 0, length)]
    margin = window // 4
    stride = window - 2 * margin
    found = [(0, window, 0, window - margin)]
    while found[-1][1] < length:
        start, end, _, taken = found[-1]
        end = min(length, end + stride)
        start = start + stride if end < length else length - window
        found.append((start, end, taken, length if end == length else taken + stride))
    return found


Piece = tuple[int, int, int, int, int]


def _batches(pieces: Sequence[Piece], most: int) -> Iterator[list[Piece]]:
    """The pieces, sorted by length, in batches of at most as many tokens."""
    batch: list[Piece] = []
    for piece in pieces:
        length = piece[2] - piece[1]
        if batch and length * (len(batch) + 1) > most:
            yield batch
            batch = []
        batch.append(piece)
    if batch:
        yield batch


def _cut(model: Any, layer: int | None, name: str) -> int:
    """Take away the layers above the one asked for; its number."""
    layers = getattr(getattr(model, "encoder", None), "layer", None)
    reads_on = layers is None  # a model of language: each token sees those before it
    if reads_on:
        layers = getattr(model, "layers", None)
    if layers is None:
        raise ModelError(
            f"a {model.config.model_type} has no list of encoder layers",
            "take one of the kind of BERT or RoBERTa, or a model of language like Llama",
            where=name,
        )
    wanted = len(layers) if layer is None else layer
    if not 0 < wanted <= len(layers):
        raise ModelError(f"there is no layer {wanted}", f"1 to {len(layers)}", where=name)
    if reads_on:
        model.layers = layers[:wanted]
        model.config.num_hidden_layers = wanted
        model.config.use_cache = False
        return wanted
    model.encoder.layer = layers[:wanted]
    model.pooler = None
    return wanted


def _plain(text: str) -> str:
    """The text without blanks around it, half pairs of surrogates read as question marks."""
    return text.strip().encode("utf-8", "replace").decode("utf-8")


def _device(wanted: str) -> torch.device:
    if wanted != "auto":
        return torch.device(wanted)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _precision(wanted: Precision, device: torch.device) -> Literal["float32", "bfloat16"]:
    if wanted != "auto":
        return wanted
    if device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return "bfloat16"
    if device.type == "cpu":
        flags = Path("/proc/cpuinfo")
        said = flags.read_text() if flags.is_file() else ""
        if "avx512_bf16" in said or "amx_bf16" in said:
            return "bfloat16"
    return "float32"
