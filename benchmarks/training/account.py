"""What was measured, as one JSON: ratios first, then what they come from, machine and versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training import data

Told = dict[str, Any]
RATIOS = (
    "sft",
    "sft_shared_context",
    "dpo_first_epoch",
    "dpo_later_epochs",
    "dpo_short_prompts",
    "peak_memory",
)
PACKAGES = ("torch", "transformers", "peft", "trl", "accelerate", "datasets", "tokenizers")


def headline(sets: Mapping[str, Told], memory: Told) -> dict[str, float]:
    """Ours over TRL's: of each kind the lowest over its data sets."""

    def lowest(names: Mapping[str, Any], field: str) -> float:
        return min(float(sets[name][field]) for name in names)

    return {
        "sft": lowest(data.SFT, "ratio"),
        "sft_shared_context": lowest(data.SHARED, "ratio"),
        "dpo_first_epoch": lowest(data.DPO, "first_epoch"),
        "dpo_later_epochs": lowest(data.DPO, "later_epochs"),
        "dpo_short_prompts": lowest(data.SHORT, "first_epoch"),
        "peak_memory": float(memory["ratio"]),
    }


def machine(device: str) -> Told:
    """What the numbers were measured on, and with which versions."""
    told: Told = {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)),
        "threads": 1,
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
    }
    if device != "cpu":
        import torch

        told |= {"device": torch.cuda.get_device_name(), "threads": torch.get_num_threads()}
    return told


def precision(device: str) -> str:
    """What outdo would choose for the device: bfloat16 where the chip computes in it."""
    import torch

    from outdo.training import preflight

    return preflight.precision("auto", torch.device(device))


def table(result: Told) -> str:
    """The ratios as lines to read."""
    lines = [f"{name:20} {result[name]}" for name in RATIOS if name in result]
    for name, told in result["sets"].items():
        ratios = {key: told[key] for key in ("ratio", "first_epoch", "later_epochs") if key in told}
        told_of = ", ".join(f"{key} {value}" for key, value in ratios.items())
        ours, theirs = told["outdo_tokens_per_second"], told["trl_tokens_per_second"]
        rates = ", ".join(f"{mode} {rate:,.0f}" for mode, rate in theirs.items())
        lines.append(f"  {name}: {told_of}; tokens a second {ours:,.0f}, TRL {rates}")
    for name, told in result["agreement"].items():
        lines.append(f"  {name}: losses agree to {told['apart_by']:.0e}")
    return "\n".join(lines)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.is_file() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or sys.platform
