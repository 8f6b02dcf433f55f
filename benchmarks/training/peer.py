"""TRL's side of a measured run: its trainers, in each of the ways that they offer.

A mode is a way of making batches, with `+checkpointed` behind it where activations are computed
anew (what TRL does unless told). Rows come as the ids that outdo trains on, so the work is equal;
what is counted are tokens of rows, padding aside.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from training.job import Clock, Job, Memory, rows

SFT_MODES = ("padded", "grouped", "grouped4", "rebalanced4", "flattened4", "packed", "wrapped")
"""Random batches; sorted by length, the rows being in that order already; the same in micro-batches
a quarter of the step; rebalanced, likewise; flattened to one row without padding, likewise; packed
without cutting (bfd), one block at a time; cut and packed (wrapped), where rows see each other."""
WHOLE = SFT_MODES[:-1]
"""The ways that train on the rows as they are, whole and apart from each other."""
DPO_MODES = ("default", "precomputed")


def perform(job: Job) -> dict[str, Any]:
    """Train on the job's rows with TRL."""
    import datasets
    import torch
    import transformers
    import trl  # noqa: F401
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.models.llama import modeling_llama  # noqa: F401

    way, _, checkpointed = job.mode.partition("+")
    made = _sft(job, way) if job.method == "sft" else _dpo(job, way)
    transformers.utils.logging.set_verbosity_error()
    examples = datasets.Dataset.from_list(made["examples"])
    memory = Memory(job.device)
    clock = Clock(job.device)
    dtype = torch.bfloat16 if job.precision == "bfloat16" else torch.float32
    model = AutoModelForCausalLM.from_pretrained(
        job.model, dtype=dtype, attn_implementation="sdpa", local_files_only=True
    ).to(job.device)
    with tempfile.TemporaryDirectory() as folder:
        trainer = made["trainer"](
            model=model,
            args=made["settings"](
                **arguments(job, folder, checkpointed=bool(checkpointed)), **made["arguments"]
            ),
            train_dataset=examples,
            processing_class=AutoTokenizer.from_pretrained(job.model, local_files_only=True),
            peft_config=LoraConfig(
                r=job.rank,
                lora_alpha=2 * job.rank,
                target_modules="all-linear",
                task_type="CAUSAL_LM",
            )
            if job.rank
            else None,
        )
        counted = watch(trainer, clock)
        trainer.train()
    told = clock.told() | memory.told()
    told["sequences"] = counted["sequences"]
    if reference := getattr(trainer, "reference_seconds", None):
        told["reference_seconds"] = reference
    return told | {"tokens_computed": counted["computed"], "threads": torch.get_num_threads()}


def arguments(job: Job, folder: str, *, checkpointed: bool) -> dict[str, Any]:
    """What both trainers are told: outdo's optimiser, rate, clipping, seed, and no files."""
    return {
        "output_dir": str(Path(folder, "out")),
        "num_train_epochs": job.epochs,
        "learning_rate": job.learning_rate,
        "lr_scheduler_type": "constant",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "seed": 0,
        "bf16": job.precision == "bfloat16",
        "gradient_checkpointing": checkpointed,
        "use_cpu": job.device == "cpu",
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "logging_steps": 1,
    }


def watch(trainer: Any, clock: Clock) -> dict[str, int]:
    """Count what goes through the trainer's steps, and tell the clock of each one's end."""
    from transformers import TrainerCallback

    counted = {"tokens": 0, "sequences": 0, "computed": 0}
    step = trainer.training_step

    def training_step(model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
        ids, mask = inputs["input_ids"], inputs.get("attention_mask")
        counted["computed"] += ids.numel()
        counted["tokens"] += ids.numel() if mask is None else int(mask.sum())
        counted["sequences"] += (
            int((inputs["position_ids"] == 0).sum()) if mask is None else len(ids)
        )
        return step(model, inputs, *more, **named)

    class Watch(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            clock.step(counted["tokens"])

        def on_log(self, *_: Any, logs: dict[str, float], **__: Any) -> None:
            if "loss" in logs:
                clock.losses.append(float(logs["loss"]))

    trainer.training_step = training_step
    trainer.add_callback(Watch())
    return counted


# ------------------------------------------------------------------ the ways


def _sft(job: Job, way: str) -> dict[str, Any]:
    from trl import SFTConfig, SFTTrainer

    examples = []
    for row in rows(job):
        asked, said = row["ids"]["prompt"], row["ids"]["chosen"]
        examples.append({"input_ids": asked + said, "labels": [-100] * len(asked) + said})
    lengths = [len(one["input_ids"]) for one in examples]
    return {
        "trainer": SFTTrainer,
        "settings": SFTConfig,
        "examples": examples,
        "arguments": batches(way, lengths, job.batch, block=job.block),
    }


def batches(way: str, lengths: list[int], batch: int, *, block: int = 0) -> dict[str, Any]:
    """TRL's arguments for batches made this way, of `batch` sequences a step (packed: about)."""
    plain = {"per_device_train_batch_size": batch, "max_length": None}
    small = {**plain, "per_device_train_batch_size": max(1, batch // 4)}
    small["gradient_accumulation_steps"] = batch // small["per_device_train_batch_size"]
    mean = sum(lengths) / len(lengths)
    match way:
        case "padded":
            return plain
        case "grouped":
            return {**plain, "train_sampling_strategy": "sequential"}
        case "grouped4":
            return {**small, "train_sampling_strategy": "sequential"}
        case "rebalanced4":
            return {**small, "train_sampling_strategy": "batch_rebalance"}
        case "flattened4":
            return {**small, "train_sampling_strategy": "sequential", "padding_free": True}
        case "packed":
            block, strategy = max(block, *lengths), "bfd"
        case "wrapped":
            block, strategy = block or 512, "wrapped"
        case _:
            raise ValueError(f"TRL has no way {way!r}; {', '.join(SFT_MODES)}")
    blocks = max(1, round(batch * mean / block))
    return {
        "per_device_train_batch_size": 1 if way == "packed" else blocks,
        "gradient_accumulation_steps": blocks if way == "packed" else 1,
        "max_length": block,
        "packing": True,
        "packing_strategy": strategy,
    }


def _dpo(job: Job, way: str) -> dict[str, Any]:
    from trl import DPOConfig, DPOTrainer

    class Encoded(DPOTrainer):
        """Takes rows that are ids already, and tells how long the reference took."""

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

        def _precompute_ref_logps(self, *given: Any) -> Any:
            clock = Clock(job.device)
            began = clock.now()
            made = super()._precompute_ref_logps(*given)
            self.reference_seconds = clock.now() - began
            return made

    return {
        "trainer": Encoded,
        "settings": DPOConfig,
        "examples": [{f"{name}_ids": one for name, one in row["ids"].items()} for row in rows(job)],
        "arguments": {
            "per_device_train_batch_size": job.batch,
            "max_length": None,
            "precompute_ref_log_probs": way == "precomputed",
        },
    }
