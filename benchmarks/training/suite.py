"""The comparison on a processor: which runs are made, in which turns, and what follows from them.

Two processes take turns; a ratio is the median of the ratios within turns, so that a load which
comes and goes touches both sides. TRL's *best* mode is the fastest of those that train on the rows
whole and apart from each other. `wrapped` is none of them: it cuts rows and lets them see each
other. Its rate is told for information.
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training import data, prepare
from training.job import Job
from training.progress import Progress

Told = dict[str, Any]
Run = Callable[[Job], Told]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much is measured: turns, steps of a run (the first isn't counted), TRL's modes, rows.

    `steps` and `modes` are by data set. A mode that the first turn finds `slower` than the
    fastest by more than that share isn't run again.
    """

    turns: int
    steps: Mapping[str, int]
    modes: Mapping[str, tuple[str, ...]]
    pulls: int
    memory_rows: int
    lengths: tuple[int, ...]
    budgets: tuple[int, ...]
    ranks: tuple[int, ...]
    slower: float = 0.1


FULL = Extent(
    turns=3,
    steps={
        "stdlib": 4,
        "thealgorithms": 4,
        "repair_and_hint": 3,
        "pull_requests": 2,
        "student_pairs": 2,
        "thesis_pairs": 3,
    },
    modes={
        "stdlib": ("grouped4", "grouped", "wrapped"),
        "thealgorithms": ("grouped4", "grouped"),
        "repair_and_hint": ("grouped4", "packed"),
        "pull_requests": ("grouped4", "packed"),
        "student_pairs": ("default",),
        "thesis_pairs": ("default",),
    },
    pulls=24,
    memory_rows=48,
    lengths=(128, 512, 1024, 2048),
    budgets=(512, 2048, 4096, 8192),
    ranks=(4, 16, 64),
)
QUICK = replace(
    FULL,
    turns=1,
    steps={
        "stdlib": 3,
        "thealgorithms": 3,
        "repair_and_hint": 2,
        "pull_requests": 2,
        "student_pairs": 2,
        "thesis_pairs": 2,
    },
    modes={name: modes[:1] for name, modes in FULL.modes.items()},
    pulls=6,
    memory_rows=24,
    lengths=(),
    budgets=(),
    ranks=(),
)
BATCH = {"sft": 16, "dpo": 8}
COST = {"outdo": 1.0, "trl": 2.5}
"""What a token costs on each side, about: for the time that is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A data set on disk, in the orders that the ways of making batches need."""

    name: str
    method: str
    batch: int
    folder: Path
    told: Told

    def job(self, side: str, mode: str, precision: str) -> Job:
        """A run on it."""
        order = "grouped" if mode.startswith(("grouped", "flattened")) else "drawn"
        return Job(
            side=side,
            method=self.method,
            model=str(self.folder / "model"),
            rows=str(self.folder / f"{self.name}.{order}.jsonl"),
            mode=mode,
            precision=precision,
            batch=self.batch,
        )


def prepared(folder: Path, extent: Extent, names: Sequence[str] = ()) -> list[Set]:
    """The model and the data sets (of those names, or all), written to the folder."""
    from outdo.models.chat import Chat

    speaks = prepare.tokenizer(prepare.texts())
    prepare.model(folder / "model", speaks, prepare.llama(speaks))
    chat = Chat(speaks)
    return [_prepared(name, chat, folder, extent) for name in names or data.ALL]


def _prepared(name: str, chat: Any, folder: Path, extent: Extent) -> Set:
    """One data set: a sample of it in each order, and how long its rows are.

    Both orders hold the same rows, except where rows that share their context stay together.
    """
    method = "dpo" if name in data.DPO | data.SHORT else "sft"
    batch = extent.pulls if name == "pull_requests" else BATCH[method]
    rows = prepare.rows_of(name, chat)
    parts = prepare.parts(rows, chat)
    lengths, groups = [one["row"] for one in parts], [row.group for row in rows]
    steps = extent.steps[name]
    orders = {"drawn": prepare.sample(lengths, groups, wanted=batch * steps)}
    if method == "sft":
        orders["grouped"] = prepare.grouped(lengths, batch=batch, steps=steps)
        if name in data.SFT:
            orders["drawn"] = random.Random(0).sample(orders["grouped"], k=len(orders["grouped"]))
        orders["at_once"] = prepare.grouped(lengths, batch=extent.memory_rows, steps=1)
    for order, chosen in orders.items():
        path = folder / f"{name}.{order}.jsonl"
        prepare.write_rows(path, [rows[row] for row in chosen], chat, name)
    tokens = {part: prepare.quantiles([one[part] for one in parts]) for part in parts[0]}
    told = {
        "rows": len(rows),
        "rows_a_step": batch,
        "rows_a_run": len(orders["drawn"]),
        "tokens": tokens,
        "tokens_a_run": sum(lengths[row] for row in orders["drawn"]),
    }
    return Set(name=name, method=method, batch=batch, folder=folder, told=told)


# ------------------------------------------------------------------ speed


def speed(
    one: Set, extent: Extent, *, precision: str, runs: Mapping[str, Run], progress: Progress
) -> Told:
    """Turns of ours and of TRL's modes, and the ratios to the fastest of those."""
    modes = list(extent.modes[one.name])
    turns: list[dict[str, Told]] = []
    for number in range(extent.turns):
        turn = {}
        for mode in ("outdo", *modes):
            side, way = ("outdo", "") if mode == "outdo" else ("trl", mode)
            turn[mode] = brief(runs[side](one.job(side, way, precision)))
            done = one.told["tokens_a_run"] * COST[side]
            progress.step(done, f"{one.name}: {side} {way}", turn[mode])
        turns.append(turn)
        kept = worth(turn, extent.slower) if number == 0 else modes
        progress.spare(
            sum(COST["trl"] for mode in modes if mode not in kept)
            * one.told["tokens_a_run"]
            * (extent.turns - number - 1)
        )
        modes = kept
    rates = {mode: _rates(turns, mode) for mode in extent.modes[one.name]}
    best = max(modes, key=rates.__getitem__)
    pairs = [(turn["outdo"], turn[best]) for turn in turns]
    ratios = dpo_ratios(pairs) if one.method == "dpo" else {"ratio": ratio(pairs)}
    return {
        **one.told,
        **ratios,
        "outdo_tokens_per_second": _rates(turns, "outdo"),
        "trl_tokens_per_second": rates,
        "trl_best": best,
        "turns": turns,
    }


def expected(sets: Sequence[Set], extent: Extent) -> float:
    """What `speed` of these sets will cost, in tokens of ours."""
    return sum(
        one.told["tokens_a_run"]
        * extent.turns
        * (COST["outdo"] + COST["trl"] * len(extent.modes[one.name]))
        for one in sets
    )


def worth(turn: Mapping[str, Told], slower: float) -> list[str]:
    """TRL's modes on rows whole and apart that are nearly as fast as the fastest of them."""
    rates = {
        mode: told["tokens_per_second"]
        for mode, told in turn.items()
        if mode not in ("outdo", "wrapped")
    }
    return [mode for mode, rate in rates.items() if rate >= (1 - slower) * max(rates.values())]


def brief(told: Told) -> Told:
    """Of what a run told, what its rates come from."""
    names = ("seconds", "tokens", "tokens_per_second", "reference_seconds", "tokens_in_all")
    return {
        name: round(told[name], 3) if isinstance(told[name], float) else told[name]
        for name in names
        if name in told
    }


def _rates(turns: Sequence[Mapping[str, Told]], mode: str) -> float:
    """The mode's median rate."""
    return round(statistics.median(t[mode]["tokens_per_second"] for t in turns if mode in t), 1)


def ratio(pairs: Sequence[tuple[Told, Told]]) -> float:
    """Ours over TRL's in tokens a second: the median over turns."""
    return middle(ours["tokens_per_second"] / trl["tokens_per_second"] for ours, trl in pairs)


def dpo_ratios(pairs: Sequence[tuple[Told, Told]]) -> dict[str, float]:
    """The ratios with the reference's computation and without it, which later epochs spare.

    TRL computes the reference in every step of every epoch.
    """

    def seconds(told: Told, *, reference: bool) -> float:
        """Seconds a token."""
        spent: float = told["seconds"] / told["tokens"]
        if reference:
            spent += told["reference_seconds"] / told["tokens_in_all"]
        return spent

    slow = [(seconds(trl, reference=False), ours) for ours, trl in pairs]
    return {
        "first_epoch": middle(trl / seconds(ours, reference=True) for trl, ours in slow),
        "later_epochs": middle(trl / seconds(ours, reference=False) for trl, ours in slow),
    }


def middle(values: Any) -> float:
    """The median, to two places."""
    return round(statistics.median(values), 2)


# ------------------------------------------------------------------ equal results


def agreement(one: Set, *, precision: str, runs: Mapping[str, Run]) -> Told:
    """Both sides' losses on two rows, seen again and again: equal, step for step.

    Every step holds all rows, so that the order of the rows doesn't matter.
    """
    path = head(one, 2)
    mode = "padded" if one.method == "sft" else "default"
    curves = []
    for side, way in (("outdo", ""), ("trl", mode)):
        job = replace(one.job(side, way, precision), rows=str(path), batch=2)
        curves.append(runs[side](replace(job, epochs=3, learning_rate=1e-3))["losses"])
    apart_by = max(abs(a - b) / abs(b) for a, b in zip(*curves, strict=True))
    return {"outdo": curves[0], "trl": curves[1], "apart_by": apart_by}


def head(one: Set, count: int) -> Path:
    """A file of the first rows of the drawn ones, repeated where there are too few."""
    path = one.folder / f"{one.name}.first.{count}.jsonl"
    source = one.folder / f"{one.name}.drawn.jsonl"
    lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join((lines * count)[:count]), encoding="utf-8")
    return path


# ------------------------------------------------------------------ memory


def memory(one: Set, extent: Extent, *, precision: str, run: Run, progress: Progress) -> Told:
    """Peaks above what the imports take, both sides computing `memory_rows` sequences at once.

    They are alike in length, as TRL's grouping makes batches, so that its padding takes little;
    its packed and micro-batched modes wouldn't compute as many at a time. Each run is a process
    of its own.
    """
    rows = extent.memory_rows
    path = one.folder / f"{one.name}.at_once.jsonl"
    turns = []
    for _ in range(extent.turns):
        turn = {}
        for side, way in (("outdo", ""), ("trl", "grouped")):
            job = replace(one.job(side, way, precision), rows=str(path), batch=rows)
            told = run(replace(job, budget=1 << 30))
            turn[side] = {name: told[name] for name in ("baseline_bytes", "peak_bytes")}
            progress.step(memory_cost(one, rows, side), f"memory of {side}", told)
        turns.append(turn)
    ratios = [turn["outdo"]["peak_bytes"] / turn["trl"]["peak_bytes"] for turn in turns]
    return {"set": one.name, "rows": rows, "ratio": middle(ratios), "turns": turns}


def memory_work(one: Set, extent: Extent) -> float:
    """What `memory` costs, in tokens of ours."""
    return extent.turns * sum(memory_cost(one, extent.memory_rows, side) for side in COST)


def memory_cost(one: Set, rows: int, side: str) -> float:
    """What one run of `memory` costs, in tokens of ours: the imports are most of it."""
    return 15_000 + one.told["tokens_a_run"] / one.told["rows_a_run"] * rows * COST[side]
