"""Write codebleu.json: what the package `codebleu` 0.7.0 gives, where it always gives the same.

    for seed in 0 1 2 3 4 5 6 7; do PYTHONHASHSEED=$seed python make_codebleu.py; done

Run it where `codebleu` 0.7.0 and today's grammars are installed (it wants an older parser: install
it with --no-deps). Each run keeps what all runs before agree on, and null for the rest.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
from pathlib import Path
from typing import Any

from codebleu import calc_codebleu
from programs import PAIRS

HERE = Path(__file__).resolve().parent
PARTS = ("ngram", "weighted_ngram", "syntax", "dataflow")


def scores(candidate: str, reference: str, language: str) -> list[float]:
    """The score and its four parts."""
    told = calc_codebleu([reference], [candidate], language)
    return [told["codebleu"], *(float(told[f"{part}_match_score"]) for part in PARTS)]


def measured() -> dict[str, Any]:
    """The scores of our own pairs, and of the published outputs where they are at hand."""
    found: dict[str, Any] = {
        language: [scores(*pair, language) for pair in pairs] for language, pairs in PAIRS.items()
    }
    data = Path(os.environ.get("OUTDO_DATA", HERE.parents[3] / "shared" / "data"))
    lines = (data / "thesis-sft-dpo" / "test-100.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    for model in ("base", "sft", "dpo"):
        found[model] = [scores(row["outputs"][model], row["reference"], "python") for row in rows]
    return found


def agreed(old: Any, new: Any) -> Any:
    """The values that both have, and null for the others."""
    if isinstance(old, dict):
        return {key: agreed(old[key], new[key]) for key in new}
    if isinstance(old, list):
        return [agreed(one, other) for one, other in zip(old, new, strict=True)]
    return old if old == new else None


def main() -> None:
    """Measure, and keep what agrees."""
    path = HERE / "codebleu.json"
    found = measured()
    if path.exists():
        found = agreed(json.loads(path.read_text("utf-8"))["scores"], found)
    names = ("tree-sitter", *(f"tree-sitter-{language}" for language in PAIRS))
    versions = {name: importlib.metadata.version(name) for name in names}
    path.write_text(json.dumps({"versions": versions, "scores": found}) + "\n", "utf-8")


if __name__ == "__main__":
    main()
