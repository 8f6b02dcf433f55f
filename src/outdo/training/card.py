"""What a model is and where it comes from, as the README.md that model hubs show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from outdo.records import Json

SCORERS = ("reward",)
"""Methods whose model scores a text and writes none."""


def card(
    report: Mapping[str, Json],
    *,
    name: str,
    base: str,
    study: Mapping[str, Json] | None = None,
    run: str = "",
    parts: Sequence[tuple[str, float]] = (),
    notes: Sequence[str] = (),
    versions: Mapping[str, str] | None = None,
    licence: str = "unknown",
    scores: bool = False,
    template: bool = True,
) -> str:
    """A model card in Markdown, with the front matter that hubs read.

    `report` is a run's training.json, empty where there was no training; `study` the study's file
    as data, and `run` the name of its `train` entry. `parts` are the models of an average, each
    with its weight; `notes` say what was measured of the merge. `scores` is a model that rates
    texts; without `template` prompts are shown as outdo writes them. A base is named by where a
    hub has it; of one that lies in a folder, only the folder's name is told.
    """
    settings = dict(report.get("settings") or {})
    lora = settings.get("lora")
    study = study or {}
    facts: dict[str, Any] = {
        "front": _front(base, settings, parts, licence, scores),
        "name": name,
        "said": _said(base, settings, parts, scores),
        "report": report,
        "base": _shown(base),
        "method": ", ".join([str(settings.get("method", "")), _adapted(settings)]),
        "data": _data(study, run),
        "rows_lost": _lost(report),
        "validation": list(_validation(report)),
        "time": _span(float(report.get("seconds") or 0)),
        "memory": _memory(report),
        "hardware": ", ".join(
            str(report[key]) for key in ("hardware", "device", "precision") if report.get(key)
        ),
        "settings": list(_flat({**settings, "lora": lora or "none"})),
        "parts": [(_shown(part), weight) for part, weight in parts],
        "notes": notes,
        "versions": versions or {},
        "about": study.get("about"),
        "auto": f"AutoModelFor{'SequenceClassification' if scores else 'CausalLM'}",
        "generates": not scores,
        "template": template,
    }
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        autoescape=False,  # it is Markdown
        keep_trailing_newline=True,
    )
    return environment.get_template("card.md.jinja").render(facts)


def _front(
    base: str,
    settings: Mapping[str, Json],
    parts: Sequence[tuple[str, float]],
    licence: str,
    scores: bool,
) -> str:
    """The front matter as YAML; a base that no hub has is left out, for hubs look it up."""
    named = [part for part, _ in parts] or [base]
    bases = list(dict.fromkeys(_repository(one) for one in named if one.startswith("hf/")))
    tags = ["outdo", *([str(settings["method"])] if settings.get("method") else [])]
    if settings:
        tags.append("lora" if settings.get("lora") else "full-fine-tuning")
    said: dict[str, Json] = {
        "library_name": "transformers",
        "pipeline_tag": "text-classification" if scores else "text-generation",
        "license": licence,
        "tags": [*tags, *(["merge"] if parts else [])],
    }
    if bases:
        said["base_model"] = bases[0] if len(bases) == 1 else bases
        said["base_model_relation"] = "merge" if parts else "finetune"
    return yaml.safe_dump(said, sort_keys=True, allow_unicode=True)


def _repository(name: str) -> str:
    """`org/model` of `hf/org/model@revision`."""
    return name.removeprefix("hf/").partition("@")[0]


def _shown(name: str) -> str:
    """A model's name, without the folders of the machine that it lies on."""
    return Path(name).name if name[:1] in ("/", ".", "~") else name


def _said(
    base: str, settings: Mapping[str, Json], parts: Sequence[tuple[str, float]], scores: bool
) -> str:
    if parts:
        return f"A weighted average of {len(parts)} models."
    if not settings:
        return f"The model {_shown(base)}, written anew."
    what = "rate replies" if scores else f"by {settings.get('method')}"
    return f"{_shown(base)}, fine-tuned {'to ' if scores else ''}{what}."


def _adapted(settings: Mapping[str, Json]) -> str:
    lora = settings.get("lora")
    if not lora:
        return "all weights"
    kind = "DoRA" if lora.get("dora") else "LoRA"
    bits = " on weights of 4 bits" if settings.get("quantise") == "nf4" else ""
    return f"{kind} of rank {lora.get('rank')}{bits}"


def _data(study: Mapping[str, Json], run: str) -> str:
    """The data sets that a run learnt from, with their sources; never where they lie."""
    entries = study.get("train") or {}
    # A run of a matrix is named by its entry and what it varies: the longest name that fits.
    fits = [name for name in entries if run == name or run.startswith(f"{name} ")]
    entry = entries[max(fits, key=len)] if fits else {}
    sets = study.get("data") or {}
    named = entry.get("data") or (list(sets)[:1] if len(sets) == 1 else [])
    named = [named] if isinstance(named, str) else named
    told = [
        f"{weight:g} × {_source(name, study)}" if weight is not None else _source(name, study)
        for name, weight in (named.items() if isinstance(named, dict) else _unweighted(named))
    ]
    return ", ".join(told) or "not told"


def _unweighted(names: Sequence[str]) -> Iterator[tuple[str, float | None]]:
    for name in names:
        yield name, None


def _source(name: str, study: Mapping[str, Json]) -> str:
    if name in (study.get("pairs") or {}):
        return f"{name} (pairs of a model's own replies)"
    source = ((study.get("data") or {}).get(name) or {}).get("source")
    return f"{name} ({source})" if source else name


def _lost(report: Mapping[str, Json]) -> str:
    lost = {"cut": report.get("rows_cut"), "dropped": report.get("rows_dropped")}
    return "".join(f", {count:,} {how}" for how, count in lost.items() if count)


def _validation(report: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """The last look at held-out rows, and the best if that was another."""
    looks = report.get("validation") or ()
    kept = [look for look in looks if look.get("step") == report.get("best_step")]
    for heading, look in (("last", looks[-1:]), ("kept", kept)):
        for one in look:
            loss = one.get("loss")
            if loss is not None:
                yield f"validation loss, {heading} (step {one.get('step')})", f"{loss:.4g}"


def _memory(report: Mapping[str, Json]) -> str:
    peak, before = (float(report.get(key) or 0) for key in ("peak_bytes", "baseline_bytes"))
    return f"{peak / 2**30:.2f} GiB at most, {before / 2**30:.2f} GiB before the model"


def _span(seconds: float) -> str:
    """A duration as people say it."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{seconds:.1f} s"


def _flat(settings: Mapping[str, Json], before: str = "") -> Iterator[tuple[str, str]]:
    """Each setting by its dotted name, without those that aren't set or only say how to compute."""
    for name, value in settings.items():
        if name == "how" or value is None:
            continue
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            listed = isinstance(value, (list, tuple))
            yield f"{before}{name}", " ".join(map(str, value)) if listed else str(value)
