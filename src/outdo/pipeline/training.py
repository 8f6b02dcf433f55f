"""The stages of training: weights, and what a reference thinks of pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from outdo.errors import DataError
from outdo.models.reference import ModelReference
from outdo.pipeline.protocols import Logs, ScoreOf, Step
from outdo.pipeline.stages import Shop, filled
from outdo.records import Conversation, Json, Pair, digest
from outdo.store import Row
from outdo.study import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A finished training run: the stage that holds its weights, report and loss curve.

    Runs of one `entry` differ in their seed alone.
    """

    name: str
    entry: str
    stage: Path
    report: Mapping[str, Json]
    curve: tuple[Mapping[str, Json], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lectures:
    """All that a run learns from: its rows, those held out, what a reference thinks of both.

    `reference` names the model that thought it, if it is not the one that the run starts from.
    `score` is the task's own score of a model, and `scored` what decides it.
    """

    rows: Sequence[Conversation | Pair]
    validation: Sequence[Conversation | Pair] = ()
    logs: Sequence[Logs | None] | None = None
    reference: ModelReference | None = None
    score: ScoreOf | None = None
    scored: Json = None

    def what(self) -> dict[str, Json]:
        """What of it decides the weights."""
        named: dict[str, Json] = {"rows": digest(list(self.rows))}
        if self.validation:
            named["validation"] = digest(list(self.validation))
        if self.reference is not None:
            named["reference"] = self.reference.digest
        if self.scored is not None:
            named["scored"] = self.scored
        return named


def train(
    shop: Shop, run: Run, base: ModelReference, learnt: Lectures, *, name: str, entry: str
) -> Trained:
    """The weights of one run, trained once for the same base, rows and settings."""
    if not learnt.rows:
        raise DataError(f"no rows to train {name!r} on", "its data has an empty training split")
    what = {
        "base": base.digest,
        **learnt.what(),
        "settings": shop.tools.settings(run),
        "seed": run.seed,
    }
    artifact = shop.store.artifact("train", what, shop.how)
    with shop.watch.stage(f"train {name}", total=None, unit="steps") as tally:

        def on_step(step: Step) -> None:
            note = f"loss {step.loss:.3f}, {step.tokens_per_second:,.0f} tokens/s"
            tally(step.step, total=step.steps, note=note)

        def make(part: Path) -> None:
            shop.tools.train(
                base,
                learnt.rows,
                run=run,
                folder=part,
                validation=learnt.validation,
                reference=learnt.logs,
                score=learnt.score,
                on_step=on_step,
            )

        folder = artifact.build(make, on_wait=shop.watch.waiting)
    report = json.loads((folder / "training.json").read_text("utf-8"))
    with (folder / "loss.jsonl").open("rb") as lines:
        curve = tuple(json.loads(line) for line in lines)
    return Trained(name=name, entry=entry, stage=folder, report=report, curve=curve)


def reference_logs(
    shop: Shop, run: Run, model: ModelReference, pairs: Sequence[Pair], *, name: str
) -> tuple[Path, list[Logs | None]]:
    """What a model thinks of each pair, and the stage that keeps it.

    A row is named by its texts alone, so that all epochs, and all runs of a sweep, share it.
    """
    what = {"model": model.digest, **shop.tools.reference_settings(run)}
    stage = shop.store.rows("reference", what, shop.how)
    keys = [digest([pair.prompt, pair.chosen, pair.rejected]) for pair in pairs]
    by_key = dict(zip(keys, pairs, strict=True))

    def make(owed: list[str]) -> Iterator[Row]:
        asked = [by_key[key] for key in owed]
        for number, logs in shop.tools.reference(model, asked, run):
            about = {"pair": asked[number].id, "group": asked[number].group}
            if logs is None:
                why = "the pair is too long to be learnt from, or both replies are alike"
                yield Row(key=owed[number], about=about, missing=why)
            else:
                yield Row(key=owed[number], about=about, record=list(logs))

    rows = filled(shop, stage, list(by_key), make, title=f"reference {name}", unit="pairs")
    return stage.folder, [_logs(rows[key]) for key in keys]


def _logs(row: Row) -> Logs | None:
    if row.missing is not None:
        return None
    chosen, rejected = row.record
    return float(chosen), float(rejected)
