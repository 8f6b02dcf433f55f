"""The whole comparison: which runs are made, in which turns, and what follows from them.

Two contenders take turns; a ratio is the median of the ratios within turns, so that a load which
comes and goes touches both sides.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training import data, prepare
from training.job import Job, apart
from training.peer import DPO_MODES, SFT_MODES

Told = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured: steps of a run and of a trial of TRL's ways, turns, those ways."""

    steps: int
    pull_steps: int
    trial_steps: int
    turns: int
    sft_modes: tuple[str, ...]
    dpo_modes: tuple[str, ...]
    memory_rows: int
    growth: bool


FULL = Extent(
    steps=17,
    pull_steps=9,
    trial_steps=5,
    turns=3,
    sft_modes=(*SFT_MODES, *(f"{mode}+checkpointed" for mode in SFT_MODES)),
    dpo_modes=(*DPO_MODES, "default+checkpointed"),
    memory_rows=64,
    growth=True,
)
QUICK = Extent(
    steps=5,
    pull_steps=3,
    trial_steps=3,
    turns=1,
    sft_modes=("grouped4", "packed", "wrapped"),
    dpo_modes=("default",),
    memory_rows=64,
    growth=False,
)
BATCH = {"sft": 16, "dpo": 8}
PULLS_BATCH = 12
"""Four pull requests, each asked three questions."""
EQUAL = ("padded", "grouped", "grouped4", "rebalanced4", "packed")
"""TRL's ways that compute what separate rows would; `wrapped` cuts rows and lets them mix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A data set on disk, in the orders that the ways of making batches need."""

    name: str
    method: str
    batch: int
    told: Told

    def job(self, side: str, mode: str, folder: Path, steps: int, precision: str) -> Job:
        """A run on `steps` steps of it."""
        order = "grouped" if mode.startswith("grouped") else "drawn"
        return Job(
            side=side,
            method=self.method,
            model=str(folder / "model"),
            rows=str(folder / f"{self.name}.{order}.{steps}.jsonl"),
            mode=mode,
            precision=precision,
            batch=self.batch,
        )


def prepared(folder: Path, extent: Extent) -> list[Set]:
    """The model and all data sets, written to the folder."""
    from outdo.models.chat import Chat

    speaks = prepare.tokenizer(prepare.texts())
    prepare.model(folder / "model", speaks, prepare.Size())
    return [_prepared(name, Chat(speaks), folder, extent) for name in data.ALL]


def _prepared(name: str, chat: Any, folder: Path, extent: Extent) -> Set:
    """One data set: samples of it for measured runs and for trials, and how long its rows are."""
    method = "dpo" if name in data.DPO | data.SHORT else "sft"
    pulls = name == "pull_requests"
    batch = PULLS_BATCH if pulls else BATCH[method]
    rows = prepare.rows_of(name, chat)
    parts = prepare.parts(rows, chat)
    lengths, groups = [one["row"] for one in parts], [row.group for row in rows]
    for steps in {extent.pull_steps if pulls else extent.steps, extent.trial_steps}:
        orders = {"drawn": prepare.sample(lengths, groups, wanted=batch * steps)}
        if method == "sft":
            orders["grouped"] = prepare.grouped(lengths, batch=batch, steps=steps)
        for order, chosen in orders.items():
            path = folder / f"{name}.{order}.{steps}.jsonl"
            prepare.write_rows(path, [rows[row] for row in chosen], chat, name)
    quantiles = {part: prepare.quantiles([one[part] for one in parts]) for part in parts[0]}
    return Set(name=name, method=method, batch=batch, told={"rows": len(rows), "tokens": quantiles})


# ------------------------------------------------------------------ speed


def speed(one: Set, folder: Path, extent: Extent, *, precision: str) -> Told:
    """Trials of TRL's ways, then turns of ours and of their fastest, and the ratios."""
    steps = extent.pull_steps if one.name == "pull_requests" else extent.steps
    modes = extent.sft_modes if one.method == "sft" else extent.dpo_modes
    trials = {}
    for mode in modes if len(modes) > 1 else ():
        trials[mode] = apart(one.job("trl", mode, folder, extent.trial_steps, precision))
        say(one.name, f"TRL {mode}", trials[mode])
    rates = {mode: round(told["tokens_per_second"], 1) for mode, told in trials.items()}
    best = max(rates, key=rates.__getitem__) if rates else modes[0]
    if one.method == "dpo":
        best = max((m for m in modes if m.startswith("default")), key=lambda m: rates.get(m, 0))
    turns = []
    for _ in range(extent.turns):
        turn = {}
        for side, mode in (("outdo", ""), ("trl", best)):
            turn[side] = apart(one.job(side, mode, folder, steps, precision))
            say(one.name, f"{side} {mode}", turn[side])
        turns.append(turn)
    ratios = dpo_ratios(turns) if one.method == "dpo" else {"ratio": ratio(turns)}
    return (
        {**one.told, "precision": precision, "trl_best": best, "trl_trials": rates}
        | ratios
        | {
            "trl_trials_in_full": trials,
            "turns": turns,
        }
    )


def ratio(turns: Sequence[Told]) -> float:
    """Ours over TRL's in tokens a second: the median over turns."""
    return middle(
        turn["outdo"]["tokens_per_second"] / turn["trl"]["tokens_per_second"] for turn in turns
    )


def dpo_ratios(turns: Sequence[Told]) -> dict[str, float]:
    """The ratios with the reference's computation and without it, which later epochs spare.

    TRL computes the reference in every step of every epoch.
    """

    def seconds(told: Told, *, reference: bool) -> float:
        """Seconds a token."""
        spent: float = told["seconds"] / told["tokens"]
        if reference:
            spent += told["reference_seconds"] / told["tokens_in_all"]
        return spent

    pairs = [(turn["trl"]["seconds"] / turn["trl"]["tokens"], turn["outdo"]) for turn in turns]
    return {
        "first_epoch": middle(trl / seconds(ours, reference=True) for trl, ours in pairs),
        "later_epochs": middle(trl / seconds(ours, reference=False) for trl, ours in pairs),
    }


def middle(values: Any) -> float:
    """The median, to two places."""
    return round(statistics.median(values), 2)


# ------------------------------------------------------------------ equal results


def agreement(one: Set, folder: Path, *, precision: str) -> Told:
    """Both sides' losses on one batch, seen again and again: equal, step for step.

    Every step holds all rows, so that the order of the rows doesn't matter.
    """
    source = next(folder.glob(f"{one.name}.drawn.*.jsonl"))
    path = folder / f"{one.name}.same.jsonl"
    path.write_text(
        "".join(source.read_text(encoding="utf-8").splitlines(keepends=True)[: one.batch])
    )
    mode = "padded" if one.method == "sft" else "default"
    curves = []
    for side, way in (("outdo", ""), ("trl", mode)):
        job = one.job(side, way, folder, 0, precision)
        job = replace(job, rows=str(path), epochs=5, learning_rate=1e-3)
        curves.append(apart(job)["losses"])
    apart_by = max(abs(a - b) / abs(b) for a, b in zip(*curves, strict=True))
    return {"outdo": curves[0], "trl": curves[1], "apart_by": apart_by}


# ------------------------------------------------------------------ memory


def memory(one: Set, folder: Path, extent: Extent, *, precision: str, mode: str) -> Told:
    """Peaks above the imports' baseline, at `memory_rows` sequences a micro-batch on both sides."""
    turns = []
    rows = extent.memory_rows
    source = sorted(folder.glob(f"{one.name}.drawn.*.jsonl"), key=lambda path: path.stat().st_size)[
        -1
    ]
    path = folder / f"{one.name}.memory.jsonl"
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join((lines * rows)[: 2 * rows]), encoding="utf-8")
    for _ in range(extent.turns):
        turn = {}
        for side, way in (("outdo", ""), ("trl", mode)):
            job = one.job(side, way, folder, 0, precision)
            turn[side] = apart(replace(job, rows=str(path), batch=rows, budget=1 << 30))
            say(one.name, f"memory of {side} {way}", turn[side])
        turns.append(turn)
    ratios = [turn["outdo"]["peak_bytes"] / turn["trl"]["peak_bytes"] for turn in turns]
    return {"rows": rows, "trl_mode": mode, "ratio": middle(ratios), "turns": turns}


def say(name: str, what: str, told: Told) -> None:
    """A line on the way."""
    rate, peak = told["tokens_per_second"], told["peak_bytes"] / 2**20
    text = f"{name}: {what}: {rate:,.0f} tokens a second, peak {peak:,.0f} MiB"
    print(text, file=sys.stderr, flush=True)
