"""Weights in memory: one base model, any number of adapters on it, one of them active.

The base is loaded once; switching between it and its adapters moves no base weight from disk.
In float32 an adapter is folded into the weights while it is active, with the base's own tensors
kept aside, so generation pays nothing for it and the base comes back bit for bit.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig
from transformers.utils import logging as transformers_logging

from outdo.errors import ModelError
from outdo.models.chat import Chat
from outdo.models.reference import ModelReference

Precision = Literal["float32", "bfloat16", "float16"]

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
    reference: ModelReference, *, precision: Precision = "float32", device: str = "auto"
) -> Any:
    """The model at the bottom of `reference`, without its adapters, in evaluation mode."""
    bottom = reference.bottom
    try:
        config = AutoConfig.from_pretrained(bottom.path, trust_remote_code=bottom.trusted)
        model = AutoModelForCausalLM.from_pretrained(
            bottom.path,
            config=config,
            dtype=DTYPES[precision],
            attn_implementation=_attention(config),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=bottom.trusted,
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(f"can't be loaded: {_line(error)}", where=bottom.name) from error
    return model.to(device_named(device)).eval()


def _attention(config: Any) -> str:
    """SDPA, but where scores are capped: it has no such thing and would leave the cap out."""
    return "eager" if getattr(config, "attn_logit_softcapping", None) else "sdpa"


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
        self.precision = precision
        self.model: Any = load_base(self.base, precision=precision, device=device)
        self.device = device_named(device)
        self.chat = load_chat(self.base)
        self.active = self.base
        self._adapted: Any = None
        self._aside: dict[Any, torch.Tensor] = {}

    def activate(self, reference: ModelReference) -> None:
        """Let `reference` answer: the base itself, or adapters on it, loaded when first asked."""
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
            weight = layer.get_base_layer().weight
            self._aside[layer] = weight.data
            weight.data = weight.data.clone()
            layer.merge(safe_merge=False, adapter_names=names)

    def _restore(self) -> None:
        for layer, weight in self._aside.items():
            layer.get_base_layer().weight.data = weight
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


def _adapted_layers(model: Any) -> list[Any]:
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [module for module in model.modules() if isinstance(module, BaseTunerLayer)]
