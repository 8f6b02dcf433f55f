"""The weights that learn: an adapter on a frozen base, or all of them; and how they are kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from outdo.errors import TrainingError
from outdo.models.reference import BASE, ModelReference
from outdo.models.weights import load_tokenizer, peft_without_warnings
from outdo.training import lean, preflight
from outdo.training.checkpoint import plain_errors
from outdo.training.fused import fuse
from outdo.training.method import Head
from outdo.training.processes import ALONE, Processes
from outdo.training.settings import Lora, Settings
from outdo.training.shards import whole


def adapted(model: Any, base: ModelReference, settings: Settings, *, head: Head) -> Any:
    """The model with the weights that learn: a new adapter, the base's own, or everything.

    Weights that learn stay in float32.
    """
    lean.use(model)
    if settings.lora is None:
        return model.requires_grad_(True)
    if base.adapters:
        model = _further(model, base)
    else:
        preflight.targets(model, settings)
        torch.manual_seed(settings.seed)
        model = _begun(model, _configuration(settings.lora, head))
    for weight in model.parameters():
        if weight.requires_grad:
            weight.data = weight.data.float()
    fuse(model)
    return model


def frozen(model: Any, base: ModelReference) -> Any:
    """The model as `adapted` computes before its first step, with nothing that learns."""
    lean.use(model)
    if base.adapters:
        model = _further(model, base)
        fuse(model)
    return model.eval().requires_grad_(False)


def _configuration(lora: Lora, head: Head) -> Any:
    from peft import LoraConfig

    whole = lora.targets == ("all-linear",)
    return LoraConfig(
        r=lora.rank,
        lora_alpha=2 * lora.rank if lora.alpha is None else lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear" if whole else list(lora.targets),
        use_dora=lora.dora,
        task_type="SEQ_CLS" if head == "score" else "CAUSAL_LM",
    )


def _begun(model: Any, configuration: Any) -> Any:
    """A new adapter on the model."""
    from peft import get_peft_model

    try:
        with peft_without_warnings():
            return get_peft_model(model, configuration, autocast_adapter_dtype=False)
    except ValueError as error:
        raise TrainingError(
            f"peft can't make this adapter: {error}",
            "experts take neither DoRA nor dropout: take plain LoRA, or name other targets",
        ) from error


def _further(model: Any, base: ModelReference) -> Any:
    """The base's adapter, to be trained on: its rank and targets stand."""
    from peft import PeftModel

    if len(base.adapters) > 1:
        raise TrainingError(
            "an adapter on an adapter can't be trained", "merge one", where=base.name
        )
    with peft_without_warnings():
        return PeftModel.from_pretrained(
            model, base.path, is_trainable=True, local_files_only=True, autocast_adapter_dtype=False
        )


def checkpoint(model: Any) -> None:
    """Let activations be computed anew on the way back, a layer at a time."""
    model.disable_input_require_grads()  # else a second call would hook the embeddings twice
    model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})


def learning(model: Any) -> dict[str, torch.nn.Parameter]:
    """The weights that learn, by name."""
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def keep(model: Any, base: ModelReference, folder: Path, *, processes: Processes = ALONE) -> None:
    """Write the adapter so that plain peft loads it, or the whole model as a directory.

    Of several processes the leader writes; where weights lie in parts all of them must call.
    """
    if not hasattr(model, "peft_config"):
        state = _gathered(model) if processes.sharded else None
        if processes.leads:
            with plain_errors():
                model.save_pretrained(folder, state_dict=state)
            load_tokenizer(base).save_pretrained(folder)
        return
    from peft import get_peft_model_state_dict

    state = get_peft_model_state_dict(model, save_embedding_layers=False)
    tensors = {name: whole(one.detach()).float().cpu().contiguous() for name, one in state.items()}
    if processes.leads:
        _write_adapter(model, tensors, base, folder)


def _gathered(model: Any) -> dict[str, torch.Tensor]:
    """The model's tensors put together, those that have two names under the first of them."""
    names = {name for name, _ in model.named_parameters(remove_duplicate=False)}
    second = names - {name for name, _ in model.named_parameters()}
    return {
        name: whole(one.detach()).cpu()
        for name, one in model.state_dict().items()
        if name not in second
    }


def _write_adapter(
    model: Any, tensors: dict[str, torch.Tensor], base: ModelReference, folder: Path
) -> None:
    with plain_errors():
        save_file(tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    settings = model.peft_config["default"].to_dict()
    settings |= {BASE: base.bottom.findable, "inference_mode": True}
    text = json.dumps(settings, indent=2, sort_keys=True, default=_listed)
    (folder / "adapter_config.json").write_text(text + "\n", encoding="utf-8")


def _listed(value: Any) -> Any:
    return sorted(value) if isinstance(value, set) else str(value)
