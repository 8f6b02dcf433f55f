"""Names that a study may use, and where what they name is found.

The catalog holds strings: nothing that it names is imported before somebody asks for it. A name
of the form `package.module:attribute` stands for itself, so that a user's own task needs no entry.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

from outdo.errors import MissingExtra, StudyError

TASKS = {
    "repair": "outdo.tasks.repair:task",
    "prefer": "outdo.tasks.prefer:task",
    "hint": "outdo.tasks.hint:task",
    "hint-guarded": "outdo.tasks.hint:guarded",
    "write": "outdo.tasks.write:task",
    "describe": "outdo.tasks.describe:task",
    "review": "outdo.tasks.review:task",
    "improve": "outdo.tasks.improve:task",
    "commit-instruct": "outdo.tasks.commit_instruct:task",
    "critique": "outdo.tasks.critique:task",
}

METHODS = {
    "sft": "outdo.training.sft:Sft",
    "rationale": "outdo.training.sft:Sft",
    "dpo": "outdo.training.dpo:Dpo",
    "dpo-normalised": "outdo.training.dpo:DpoNormalised",
    "ipo": "outdo.training.dpo:Ipo",
    "cpo": "outdo.training.cpo:Cpo",
    "simpo": "outdo.training.cpo:Simpo",
    "reward": "outdo.training.reward:Reward",
    "choice": "outdo.training.choice:Choice",
}

ROWS = {
    "sft": "conversation",
    "rationale": "conversation",
    "dpo": "pair",
    "dpo-normalised": "pair",
    "ipo": "pair",
    "cpo": "pair",
    "simpo": "pair",
    "reward": "pair",
    "choice": "conversation",
}
"""Method to the kind of rows that it learns from."""

REFERRING = ("dpo", "dpo-normalised", "ipo")
"""Methods that hold the model against a reference, whose log-probabilities they need."""

EXTRAS = {
    "torch": "train",
    "transformers": "train",
    "peft": "train",
    "accelerate": "train",
    "safetensors": "train",
    "tokenizers": "train",
    "bitsandbytes": "quantise",
    "pyarrow": "data",
    "bandit": "security",
    "anthropic": "anthropic",
    "google-genai": "google",
    "boto3": "bedrock",
    "vllm": "vllm",
    "tree-sitter": "code",
    "tree-sitter-python": "code",
    "tree-sitter-java": "code",
    "tree-sitter-javascript": "code",
    "tree-sitter-go": "code",
    "tree-sitter-c": "code",
    "tree-sitter-cpp": "code",
}
"""Library to the extra that installs it."""


def named(names: Mapping[str, str], name: str, *, noun: str) -> Any:
    """The object that `names` calls `name`, or that `name` itself spells as `module:attribute`."""
    spelled = names.get(name, name)
    module, _, attribute = spelled.partition(":")
    if not attribute:
        raise StudyError(f"there is no {noun} {name!r}", suggestion(name, names))
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in EXTRAS:
            raise MissingExtra.of(missing, EXTRAS[missing]) from error
        if f"{module}.".startswith(f"{error.name}."):
            raise StudyError(f"{noun} {name!r}: there is no module {module!r}") from error
        raise
    if not hasattr(found, attribute):
        raise StudyError(f"{noun} {name!r}: {module} has no {attribute!r}")
    return getattr(found, attribute)


def suggestion(name: str, known: Mapping[str, object]) -> str:
    """A hint for a name that isn't known: the nearest known one, or all of them."""
    if near := difflib.get_close_matches(name, list(known), n=1):
        return f"did you mean {near[0]!r}?"
    return f"known: {', '.join(sorted(known))}" if known else ""
