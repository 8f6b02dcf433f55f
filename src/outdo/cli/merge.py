"""The verb that folds adapters into weights, averages models, and writes them for others."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from outdo.catalog import EXTRAS
from outdo.cli.environment import environment
from outdo.errors import MissingExtra, ModelError
from outdo.models.reference import ModelReference, resolve
from outdo.records import Json


def merge_models(
    models: Sequence[str],
    *,
    out: Path,
    weights: Sequence[float],
    base: str | None,
    dtype: str | None,
    lossy: bool,
    gguf: bool,
    licence: str,
    log_dir: Path,
) -> None:
    """Write one model made of one or several, and say what that did to its answers."""
    export, merging = _imported()
    export.refuse_occupied(out)
    if gguf and dtype == "nf4":
        raise ModelError("GGUF is made of whole weights, not of 4 bits", "--dtype float16")
    command = export.converter() if gguf else ()
    under = resolve(base, runs=log_dir) if base else None
    parts = [resolve(model, runs=log_dir, base=under) for model in models]
    shares = _shares(models, weights)

    def about(merged: Any) -> str:
        return _card(parts, shares, merged, out=out, licence=licence, log_dir=log_dir)

    told = list(zip(parts, shares, strict=True))
    merged = merging.merge(told, out=out, dtype=dtype, lossy=lossy, about=about)
    print(f"{out}: {merged.parameters:,} parameters in {merged.dtype}; {merged.difference}")
    if gguf:
        print(export.to_gguf(out, dtype=merged.dtype, command=command))


def _imported() -> tuple[Any, Any]:
    try:
        from outdo.models import export, merge
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        raise (MissingExtra.of(name, EXTRAS[name]) if name in EXTRAS else error) from error
    return export, merge


def _shares(models: Sequence[str], weights: Sequence[float]) -> list[float]:
    """A share for each model, all adding up to 1; said aloud if that isn't how they were given."""
    if not weights:
        return [1 / len(models)] * len(models)
    if len(weights) != len(models):
        raise ModelError(
            f"there are {len(models)} models and {len(weights)} weights", "give each model its own"
        )
    if any(not 0 < weight < float("inf") for weight in weights):
        raise ModelError("a weight isn't above 0", "leave out what has no weight")
    total = sum(weights)
    shares = [weight / total for weight in weights]
    if abs(total - 1) > 1e-6:
        print(f"weights add up to {total:g}; taken as {', '.join(f'{one:.4g}' for one in shares)}")
    return shares


# ------------------------------------------------------------------ the card


def _card(
    parts: Sequence[ModelReference],
    shares: Sequence[float],
    merged: Any,
    *,
    out: Path,
    licence: str,
    log_dir: Path,
) -> str:
    from outdo.models.weights import load_tokenizer
    from outdo.training.card import card

    first = parts[0]
    one = len(parts) == 1
    report = _read(first.path / "training.json") if one else {}
    study, run = _study(first, log_dir) if one else ({}, "")
    made = _read(first.path / "how.json") if one else {}
    if "packages" not in made:
        made = environment(sandbox="")
    return card(
        report,
        name=out.resolve().name,
        base=str((report.get("base") or {}).get("name") or first.bottom.name),
        study=study,
        run=run,
        parts=()
        if one
        else [(part.name, share) for part, share in zip(parts, shares, strict=True)],
        notes=_notes(parts, report, merged),
        versions={"outdo": str(made.get("outdo", "")), **made["packages"]},
        licence=licence,
        scores=merged.head == "score",
        template=bool(load_tokenizer(first).chat_template),
    )


def _notes(parts: Sequence[ModelReference], report: Mapping[str, Json], merged: Any) -> list[str]:
    """What merging did, and what somebody who compares figures has to know."""
    source = "the adapter beside the weights" if parts[0].adapters else "the weights in float32"
    made = source if len(parts) == 1 else "the average in float32"
    notes = [f"Written in {merged.dtype}. Against {made}: {merged.difference}."]
    if (report.get("settings") or {}).get("quantise") == "nf4" and parts[0].adapters:
        notes.append("The adapter was trained on 4-bit weights, and stands on whole ones here.")
    return notes


def _study(model: ModelReference, log_dir: Path) -> tuple[Mapping[str, Json], str]:
    """The study that a model was made in, as data, and the name of its run there."""
    where, _, rest = model.name.partition("/")
    study, _, stage = rest.partition("/")
    path = log_dir / study / "study.yaml"
    if where != "run" or not path.is_file():
        return {}, ""
    data = yaml.safe_load(path.read_text("utf-8"))
    return (data if isinstance(data, dict) else {}), stage.removeprefix("train ")


def _read(path: Path) -> dict[str, Json]:
    """What a run left beside its weights; nothing where a model was made elsewhere."""
    data = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return data if isinstance(data, dict) else {}
