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


def precision() -> str:
    """What a user would train in on this chip: bfloat16 where it computes in it."""
    flags = Path("/proc/cpuinfo")
    text = flags.read_text() if flags.is_file() else ""
    return "bfloat16" if "avx512_bf16" in text or "amx_bf16" in text else "float32"


def table(result: Told) -> str:
    """The ratios as lines to read."""
    lines = [f"{name:20} {value}" for name, value in result["ratios"].items()]
    for name, told in result["sets"].items():
        ratios = {key: told[key] for key in ("ratio", "first_epoch", "later_epochs") if key in told}
        told_of = ", ".join(f"{key} {value}" for key, value in ratios.items())
        lines.append(f"  {name}: {told_of} (TRL {told['trl_best']})")
    for name, told in result["agreement"].items():
        lines.append(f"  {name}: losses agree to {told['apart_by']:.0e}")
    return "\n".join(lines)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.is_file() else ():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or sys.platform
