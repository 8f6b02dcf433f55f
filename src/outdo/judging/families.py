"""Which family a model belongs to, by its name, and so which contestants a judge is kin to.

A judge may favour what is written the way it writes. Kinship is read from names: whoever makes a
model, and whatever it was distilled from, stands there more often than not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

FAMILIES: dict[str, str] = {
    "openai": r"gpt\w*|chatgpt\w*|o[1-9]|codex|davinci|openai",
    "anthropic": r"claude\w*|anthropic",
    "google": r"gemini|gemma\d*|codegemma|palm\d*|google",
    "llama": r"(code)?llama\d*|meta",
    "qwen": r"(code)?qwen\d*|qwq|qvq",
    "mistral": r"mi[sx]tral(ai)?|codestral|ministral|devstral|magistral|pixtral|mathstral",
    "deepseek": r"deepseek\w*",
    "phi": r"phi\d*|microsoft",
    "bigcode": r"starcoder\d*|santacoder|bigcode|octocoder",
    "granite": r"granite|ibm",
    "cohere": r"cohere\w*|command|aya",
    "nvidia": r"nemotron|nvidia",
    "glm": r"(chat)?glm\d*|zhipu\w*|zai|codegeex\d*",
    "kimi": r"kimi|moonshot\w*",
    "yi": r"yi",
    "xai": r"grok|xai",
    "amazon": r"nova|titan|amazon",
    "olmo": r"olmo\d*|olmoe|tulu\d*|allenai",
    "smollm": r"smollm\d*|huggingfacetb",
    "stability": r"stablelm\w*|stabilityai",
    "falcon": r"falcon\d*|tiiuae",
    "minimax": r"minimax\w*",
    "seedling": r"seedling|embedded",
}
"""Family to the words of a model's name that tell it."""

_KNOWN = {family: re.compile(f"(?:{words})$") for family, words in FAMILIES.items()}
_DOORS = ("openai-api/", "bedrock/", "vllm/", "hf/")
"""How a model is reached says nothing of who made it."""


def families(*models: str) -> frozenset[str]:
    """The families that these names tell of; several for a model distilled from another's."""
    words = {word for model in models for word in _words(model)}
    return frozenset(
        family for family, known in _KNOWN.items() if any(known.match(word) for word in words)
    )


def _words(model: str) -> list[str]:
    name = model.lower()
    for door in _DOORS:
        name = name.removeprefix(door)
    return [word for word in re.split(r"[^a-z0-9]+", name) if word]


def kin(judge: str | Sequence[str], contestants: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Contestant to why the judge is kin to it; those that it isn't kin to are left out.

    `contestants` maps each, the reference among them, to the names of its models: its own, and
    those that it was trained from. So may `judge` be several names.
    """
    own = [judge] if isinstance(judge, str) else list(judge)
    mine = families(*own)
    found = {}
    for name, models in contestants.items():
        if same := sorted(set(own) & set(models)):
            found[name] = f"is judged by the same model, {same[0]}"
        elif shared := sorted(mine & families(*models)):
            found[name] = f"is of the judge's family, {' and '.join(shared)}"
    return found


def warnings(
    judge: str | Sequence[str], contestants: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """What a report says of a judge that is kin to contestants; nothing where it is kin to none."""
    return tuple(f"{name} {why}" for name, why in kin(judge, contestants).items())
