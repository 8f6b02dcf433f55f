"""Weights in memory: one base model, any number of adapters on it, one of them active.

The base is loaded once; switching between it and its adapters moves no base weight from disk.
In float32 an adapter is folded into the weights while it is active, with the base's own tensors
kept aside, so generation pays nothing for it and the base comes back bit for bit.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import torch
from transformers import (
    MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
)
from transformers.utils import logging as transformers_logging

from outdo.errors import MissingExtra, ModelError
from outdo.models.chat import Chat
from outdo.models.reference import Head as Head
from outdo.models.reference import ModelReference

Precision = Literal["float32", "bfloat16", "float16", "nf4"]
"""What weights are held in: a type of their own, or 4 bits (Dettmers et al. 2023)."""

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

transformers_logging.set_verbosity_error()
transformers_logging.disable_progress_bar()
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def device_named(wanted: str = "auto") -> torch.device:
    """The device to compute on: the one named, or the fastest that is here."""
    if wanted != "auto":
        return torch.device(wanted)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def load_tokenizer(reference: ModelReference) -> Any:
    """The tokenizer of a model; an adapter speaks with that of the model it stands on."""
    bottom = reference.bottom
    try:
        return AutoTokenizer.from_pretrained(
            bottom.path, local_files_only=True, trust_remote_code=bottom.trusted
        )
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"no tokenizer: {_line(error)}", where=bottom.name) from error


def load_chat(reference: ModelReference) -> Chat:
    """How a model is spoken to, with the stop tokens that its generation configuration adds."""
    path = reference.bottom.path
    stops: list[int] = []
    if (path / "generation_config.json").is_file():
        ids = GenerationConfig.from_pretrained(path).eos_token_id
        stops = [ids] if isinstance(ids, int) else list(ids or ())
    return Chat(load_tokenizer(reference), stop_ids=stops)


def load_base(
    reference: ModelReference,
    *,
    precision: Precision = "float32",
    computing: Precision = "bfloat16",
    device: str = "auto",
    head: Head = "lm",
    seed: int = 0,
) -> Any:
    """The model at the bottom of `reference`, without its adapters, in evaluation mode.

    Weights in 4 bits are computed with in `computing`. With head "score" the model gives a text
    one number; a head that the files don't hold is drawn from the seed.
    """
    bottom = reference.bottom
    place = device_named(device)
    quantised = precision == "nf4"
    try:
        config = _configuration(bottom, head)
        with _drawing(seed):
            model = CLASSES[head].from_pretrained(
                bottom.path,
                config=config,
                dtype=DTYPES[computing if quantised else precision],
                attn_implementation=_attention(config),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=bottom.trusted,
                **(_in_four_bits(place, computing, head) if quantised else {}),
            )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"can't be loaded: {_line(error)}", where=bottom.name) from error
    return (model if quantised else model.to(place)).eval()


CLASSES: dict[Head, Any] = {
    "lm": AutoModelForCausalLM,
    "score": AutoModelForSequenceClassification,
}


def _configuration(bottom: ModelReference, head: Head) -> Any:
    """The model's configuration, with one label and a pad token where texts are to be rated."""
    more = {"num_labels": 1} if head == "score" and bottom.head == "lm" else {}
    config = AutoConfig.from_pretrained(bottom.path, trust_remote_code=bottom.trusted, **more)
    if head == "lm":
        return config
    if type(config) not in MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING:
        raise ModelError(
            f"transformers has no model of type {config.model_type!r} that rates texts",
            "train a choice, which needs none",
            where=bottom.name,
        )
    if config.num_labels != 1:
        raise ModelError(
            f"it tells {config.num_labels} labels apart",
            "a model that rates texts has one",
            where=bottom.name,
        )
    told = config.get_text_config()
    if told.pad_token_id is None:
        tokenizer = load_tokenizer(bottom)
        pad = tokenizer.pad_token_id
        told.pad_token_id = tokenizer.eos_token_id if pad is None else pad
    return config


@contextlib.contextmanager
def _drawing(seed: int) -> Iterator[None]:
    """A block that draws from a seed of its own, and leaves the draws of others be."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _in_four_bits(place: torch.device, computing: Precision, head: Head) -> dict[str, Any]:
    """How to load weights as nf4 with double quantisation; a head that rates stays as it is."""
    if importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra.of("bitsandbytes", "quantise")
    quantised = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=DTYPES[computing],
        llm_int8_skip_modules=["score"] if head == "score" else None,
    )
    return {"quantization_config": quantised, "device_map": {"": place}}


def _attention(config: Any) -> str | None:
    """SDPA where the model has it (None), but where scores are capped: it would leave that out."""
    return "eager" if getattr(config, "attn_logit_softcapping", None) else None


def _line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__


@contextlib.contextmanager
def peft_without_warnings() -> Iterator[None]:
    """A block in which peft doesn't tell of what nobody has to mend.

    It asks transformers for what that calls deprecated, sees that GPT-2's layers are transposed,
    and misses the weights of experts among modules, where they aren't.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is_gradient_checkpointing", FutureWarning)
        warnings.filterwarnings("ignore", "fan_in_fan_out is set to False", UserWarning)
        warnings.filterwarnings("ignore", ".* keys did not match any targeted", RuntimeWarning)
        yield


class Weights:
    """A base model in memory and its adapters; `activate` chooses which of them answers."""

    def __init__(
        self, reference: ModelReference, *, precision: Precision = "float32", device: str = "auto"
    ) -> None:
        self.base = reference.bottom
        self.head = reference.head
        self.precision = precision
        self.model: Any = load_base(
            self.base, precision=precision, device=device, head=reference.head
        )
        self.device = device_named(device)
        self.chat = load_chat(self.base)
        self.active = self.base
        self._adapted: Any = None
        self._aside: dict[Any, torch.Tensor] = {}

    @torch.inference_mode(mode=False)
    def activate(self, reference: ModelReference) -> None:
        """Let `reference` answer: the base itself, or adapters on it, loaded when first asked.

        Whoever asks may be in inference mode; tensors made in it could not be set up again.
        """
        if reference.digest == self.active.digest:
            return
        if reference.bottom.digest != self.base.digest:
            raise ModelError(f"stands on another model than {self.base.name}", where=reference.name)
        self._restore()
        if names := [self._load(adapter) for adapter in reference.adapters]:
            self._adapted.base_model.enable_adapter_layers()
            self._adapted.base_model.set_adapter(names, inference_mode=True)
            if self.precision == "float32":
                self._fold(names)
        self.active = reference

    def _fold(self, names: list[str]) -> None:
        """Add adapters to the weights; what these were before is kept, by reference."""
        for layer in _adapted_layers(self._adapted):
            weight = _weight(layer)
            self._aside[layer] = weight.data
            weight.data = weight.data.clone()
            layer.merge(safe_merge=False, adapter_names=names)

    def _restore(self) -> None:
        for layer, weight in self._aside.items():
            _weight(layer).data = weight
            layer.merged_adapters.clear()
        self._aside.clear()
        if self._adapted is not None:
            self._adapted.base_model.disable_adapter_layers()
        self.active = self.base

    def _load(self, adapter: ModelReference) -> str:
        """The name under which the adapter is loaded now."""
        from peft import PeftModel

        name = adapter.digest[:12]
        try:
            with peft_without_warnings():
                if self._adapted is None:
                    self._adapted = PeftModel.from_pretrained(
                        self.model, adapter.path, adapter_name=name, local_files_only=True
                    ).eval()
                elif name not in self._adapted.peft_config:
                    self._adapted.load_adapter(adapter.path, name, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(f"can't be loaded: {_line(error)}", where=adapter.name) from error
        return name


def _weight(layer: Any) -> Any:
    """The base's weight that an adapter's layer adds to: a module's own, or one of its experts'."""
    return getattr(layer.get_base_layer(), getattr(layer, "parameter_name", "weight"))


def _adapted_layers(model: Any) -> list[Any]:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [module for module in model.modules() if isinstance(module, BaseTunerLayer)]
