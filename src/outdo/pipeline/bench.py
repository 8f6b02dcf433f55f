"""Judges and preference models on pairs of which the better program is known, floors beside them.

A pair is shown in both orders. Calls are stored as those of anybody who answers, so that a run that
is begun again asks only for what is owed; whatever a judge doesn't answer is counted, and named.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from outdo import text, tokens
from outdo.errors import StudyError
from outdo.models.reference import ModelReference
from outdo.pipeline.asking import Asked, asked
from outdo.pipeline.stages import Shop, generate
from outdo.protocols import UNPICKED
from outdo.records import Completion, Example, Json, Request
from outdo.stats.preference import Item, Look, Said
from outdo.study import Answering
from outdo.tasks import prefer

Way = Literal["generate", "choice", "reward", "likelihood", "likelihood-normalised"]
WAYS: tuple[Way, ...] = get_args(Way)
VARIANTS: Mapping[Way, str] = {
    "generate": prefer.REASONS,
    "choice": prefer.COMPARE,
    "reward": prefer.REWARD,
    "likelihood": prefer.LIKELIHOOD,
    "likelihood-normalised": prefer.PER_TOKEN,
}
"""The task's way of asking for each way of judging."""
LIKELIHOODS: tuple[Way, ...] = ("likelihood", "likelihood-normalised")
"""How likely each program is, as it stands and a token."""
EVEN = 1e-9
"""Probabilities that differ by less prefer neither."""
LETTER_TOKENS = 16
"""What a reply may take that is one letter."""
AGAIN = 1_000_003
"""What a call that failed adds to its seed each time it is asked again."""
TIE = re.compile(
    r"^\W*(?:it(?:'s| is) )?(?:a )?(?:tie|draw|neither|both|equal(?:ly good)?)\W*$", re.I
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A model that judges, and how it is asked; `floor` is one that others have to beat."""

    name: str
    way: Way
    model: ModelReference
    ask: Answering
    floor: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One showing of a pair with what came of it; `text` is the reply, or why there is none."""

    example: Example
    look: Look
    better_first: bool
    text: str
    completion: Completion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """All calls of one judge or floor, by item."""

    name: str
    way: str
    model: str
    floor: bool
    calls: Mapping[str, tuple[Call, ...]]

    @property
    def looks(self) -> dict[str, list[Look]]:
        return {item: [call.look for call in own] for item, own in self.calls.items()}


def contender(
    name: str,
    model: ModelReference,
    *,
    way: Way | Literal["auto"] = "auto",
    samples: int = 1,
    temperature: float = 0.0,
    max_tokens: int = 1024,
    precision: Literal["float32", "bfloat16", "float16", "nf4"] = "float32",
    floor: bool = False,
) -> Contender:
    """A model as one who judges; on its own a model with a head for scores rates, one behind an
    API writes, and any other chooses a letter.

    Raises StudyError for a way that the model doesn't have.
    """
    chosen: Way = way if way != "auto" else _usual(model)
    _check(name, model, chosen)
    ask = Answering(
        model=name,
        prompt=VARIANTS[chosen],
        samples=samples if chosen == "generate" else 1,
        temperature=temperature,
        max_tokens=max_tokens if chosen == "generate" else LETTER_TOKENS,
        precision=precision,
    )
    told = f"{chosen} of {name}" if chosen in LIKELIHOODS else f"{name} by {chosen}"
    told = name if name == chosen else told
    return Contender(name=told, way=chosen, model=model, ask=ask, floor=floor)


def _usual(model: ModelReference) -> Way:
    if model.head == "score":
        return "reward"
    return "generate" if model.kind in ("api", "script") else "choice"


def _check(name: str, model: ModelReference, way: Way) -> None:
    if model.kind == "script":
        return
    if way == "reward" and model.head != "score":
        hint = "train one with method: reward, or take --way likelihood"
        raise StudyError("this model gives texts no score", hint, where=name)
    if way != "reward" and model.head == "score":
        raise StudyError("this model rates texts and writes none", "take --way reward", where=name)
    if way in LIKELIHOODS and model.kind == "api":
        hint = "take --way generate or choice, or a model that runs here"
        raise StudyError("an API doesn't tell how likely a program is", hint, where=name)


# ------------------------------------------------------------------ asking


def questions(one: Contender, examples: Sequence[Example], *, seed: int) -> list[Asked]:
    """What a judge is asked: both orders of every pair, and each of its samples."""
    return list(asked(prefer.task, one.ask, examples, (), seed=seed))


def requests(one: Contender, examples: Sequence[Example], *, seed: int) -> list[Request]:
    """The same as requests, for whoever counts them."""
    return [each.request for each in questions(one, examples, seed=seed)]


def hear(
    shop: Shop, one: Contender, examples: Sequence[Example], *, seed: int, again: int = 0
) -> Heard:
    """What a judge says of the pairs; calls that failed are made `again` so many times.

    What is stored is not asked again, and a call that failed stays failed unless it is asked again
    with success. Raises EngineError where the model stops answering: what has arrived is kept.
    """
    owed = questions(one, examples, seed=seed)
    said = {
        each.request.key: completion
        for each, completion in generate(shop, one.model, one.ask, owed, name=one.name).answers
    }
    for turn in range(1, again + 1):
        failed = [each for each in owed if isinstance(said[each.request.key], str)]
        if not failed:
            break
        anew = [_anew(each, seed + turn * AGAIN) for each in failed]
        title = f"{one.name}, turn {turn + 1}"
        for each, completion in generate(shop, one.model, one.ask, anew, name=title).answers:
            said[each.request.key] = completion
    calls: dict[str, list[Call]] = {}
    for each in owed:
        calls.setdefault(each.example.id, []).append(_call(each, said[each.request.key]))
    return Heard(
        name=one.name,
        way=one.way,
        model=one.model.label,
        floor=one.floor,
        calls={item: tuple(own) for item, own in calls.items()},
    )


def _anew(one: Asked, seed: int) -> Asked:
    sampling = replace(one.request.sampling, seed=seed)
    return replace(one, request=replace(one.request, sampling=sampling))


def _call(one: Asked, completion: Completion | str) -> Call:
    """The call with its reply read: what isn't a whole reply is no verdict."""
    if isinstance(completion, str):
        unread = completion.startswith(UNPICKED)
        return _heard(one, "unreadable" if unread else "failed", completion)
    if completion.finish == "refused":
        return _heard(one, "refused", completion.text, completion=completion)
    if completion.finish == "length" and not one.request.prompt.candidates:
        return _heard(one, "cut", completion.text, completion=completion)
    chances = completion.logprobs
    likely = [math.exp(value) for value in chances] if chances else None
    if likely and abs(likely[0] - likely[1]) < EVEN:
        return _heard(one, "tie", completion.text, completion=completion, chance=0.5)
    answer = prefer.task.parse(completion.text, one.view)
    if answer.value is None:
        last = text.plain(completion.text).strip().rpartition("\n")[2]
        said: Said = "tie" if TIE.match(last) else "unreadable"
        return _heard(one, said, completion.text, completion=completion)
    better = prefer.better(one.view)
    chance = None if likely is None else likely[0 if better == prefer.FIRST else 1]
    return _heard(
        one,
        "right" if answer.value == better else "wrong",
        completion.text,
        completion=completion,
        first=answer.value == prefer.FIRST,
        chance=chance,
    )


def _heard(
    one: Asked,
    said: Said,
    words: str,
    *,
    completion: Completion | None = None,
    first: bool | None = None,
    chance: float | None = None,
) -> Call:
    look = Look(
        item=one.example.id,
        order=one.place,
        sample=one.request.index,
        said=said,
        first=first,
        forecast=chance,
    )
    return Call(
        example=one.example,
        look=look,
        better_first=prefer.better(one.view) == prefer.FIRST,
        text=words,
        completion=completion,
    )


# ------------------------------------------------------------------ floors

UNSAFE = re.compile(
    r"\b(?:eval|exec)\(|shell\s*=\s*True|\bos\.system\(|\bmd5\b|\bsha1\b|\bpickle\.loads?\(|"
    r"\byaml\.load\(|verify\s*=\s*False|\brandom\.\w+\(|\bmktemp\(|"
    r"(?i:\b(?:select|insert|update|delete)\b[^\n]*(?:\{|['\"]\s*[%+]))"
)
"""What programs with a known weakness often hold."""
LOOPS = re.compile(r"\b(?:for|while)\b")

Floor = Callable[[Example, Sequence[Example]], str]


def _fewer(count: Callable[[str], int]) -> Floor:
    """The program with fewer of something; A if they have as many."""

    def floor(example: Example, _: Sequence[Example]) -> str:
        first, second = (count(text.plain(str(example.given[side]))) for side in prefer.LETTERS)
        return prefer.LETTERS[prefer.SECOND if second < first else prefer.FIRST]

    return floor


FLOORS: Mapping[str, Floor] = {
    **{name: prefer.task.floors[name] for name in ("first", "shorter", "longer", "patterns")},
    "fewer characters": _fewer(len),
    "fewer loops": _fewer(lambda code: len(LOOPS.findall(code))),
    "fewer unsafe calls": _fewer(lambda code: len(UNSAFE.findall(code))),
}
"""Answers that need no model; `shorter` and `longer` count tokens."""
UNMEASURED = ("first", "longer")
"""Floors that tell nothing of how hard a pair is: one is never right twice, one mirrors another."""


def floors(examples: Sequence[Example], *, seed: int) -> list[Heard]:
    """What every floor says of the pairs, read as any other reply is."""
    ask = Answering(model="floor", prompt=prefer.COMPARE)
    owed = list(asked(prefer.task, ask, examples, (), seed=seed))
    return [_floor(f"floor/{name}", floor, owed) for name, floor in FLOORS.items()]


def _floor(name: str, floor: Floor, owed: Sequence[Asked]) -> Heard:
    calls: dict[str, list[Call]] = {}
    for one in owed:
        reply = Completion(
            prompt=one.request.prompt.key,
            model=name,
            served_by="floor",
            sampling=one.request.sampling,
            index=one.request.index,
            text=floor(one.view, ()),
            finish="stop",
        )
        calls.setdefault(one.example.id, []).append(_call(one, reply))
    own = {item: tuple(each) for item, each in calls.items()}
    return Heard(name=name, way="rule", model=name, floor=True, calls=own)


# ------------------------------------------------------------------ items


def items_of(examples: Sequence[Example], beaten: Mapping[str, int]) -> dict[str, Item]:
    """The pairs as the statistics see them; `beaten` says by how many floors each is got right."""
    found = {}
    for one in examples:
        sides = {side: _length(one, side) for side in (prefer.FIRST, prefer.SECOND)}
        better = prefer.better(one)
        found[one.id] = Item(
            id=one.id,
            group=one.group,
            criterion=str(one.given["criterion"]),
            better_tokens=sides[better],
            worse_tokens=sides[prefer.OTHER[better]],
            beaten=beaten.get(one.id, 0),
        )
    return found


def _length(example: Example, side: str) -> int:
    return len(tokens.code_tokens(text.plain(str(example.given[side]))))


def sources_of(examples: Sequence[Example]) -> dict[tuple[str, str], int]:
    """How many pairs there are of each source and criterion."""
    counts = Counter((one.source, str(one.given["criterion"])) for one in examples)
    return dict(sorted(counts.items()))


def evidence_of(example: Example) -> Iterator[str]:
    """How it is known which program is better, in short words."""
    evidence: Mapping[str, Json] = example.wanted.get("evidence") or {}
    for name, value in evidence.items():
        if value not in (None, "", [], {}):
            yield (
                f"{name}: {value}" if not isinstance(value, Mapping) else f"{name}: {_told(value)}"
            )


def _told(value: Mapping[str, Json]) -> str:
    return ", ".join(f"{key} {one}" for key, one in value.items() if one not in (None, ""))
