"""The nouns of outdo: frozen, keyword-only, and shaped like JSON.

Every room passes these records on and none changes them. `to_json` and `from_json` are exact
inverses; `digest` names a value by its content, and `key` of a record is such a name. What was
measured while a record was made (`usage`) is nested apart, so that it stays out of names and
out of «equal, row for row».
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, Union

Json = Any
"""None, bool, int, float, str, or a list or dict of these."""

R = TypeVar("R")

Role = Literal["system", "user", "assistant"]
Split = Literal["train", "valid", "test"]
Finish = Literal["stop", "length", "refused"]
Cut = Literal["time", "memory", "output", "policy", "crash"]
Side = Literal["a", "b", "tie"]
How = Literal["value", "printed", "session", "script"]
"""What is done with a `Call`, and so how its test is compared."""


# ------------------------------------------------------------------ asking and answering


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One piece of work: what is `given`, and what is `wanted` of it.

    `group` names what is resampled as one (a problem, a repository, a student).
    """

    id: str
    task: str
    given: Mapping[str, Json]
    wanted: Mapping[str, Json]
    group: str
    split: Split
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What an engine is asked; `schema` is a JSON schema that the reply should fit.

    With `candidates` the reply is one of them, picked by a model's own probabilities or scores;
    `per_token` divides the logarithm of each probability by the candidate's tokens.
    """

    messages: tuple[Message, ...]
    schema: Mapping[str, Json] | None = None
    candidates: tuple[str, ...] = ()
    per_token: bool = False

    @property
    def key(self) -> str:
        said = to_json(self)
        for name in ("candidates", "per_token"):
            if not said[name]:
                del said[name]  # a question without them keeps the name that it has always had
        return digest(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How an answer is drawn; temperature 0 is greedy, None leaves it to the provider."""

    temperature: float | None = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    seed: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One sample that is owed: the prompt, how to draw, and which of several draws this is."""

    prompt: Prompt
    sampling: Sampling
    index: int = 0

    @property
    def key(self) -> str:
        """The row's name: what was asked, whatever was asked beside it."""
        return digest([self.prompt.key, self.index])

    @property
    def seed(self) -> int:
        """A 63-bit seed of this row's own, so that no draw depends on its neighbours."""
        return int(digest([self.sampling.seed, self.key])[:16], 16) >> 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What an answer or a run took; never part of a name or of equality between rows."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What an engine answered to the prompt named by the key `prompt`; `index` numbers samples.

    Of a prompt with candidates, `text` is the one picked, and `logprobs` are those of all of them,
    in their order, normalised among them.
    """

    prompt: str
    model: str
    served_by: str
    sampling: Sampling
    index: int
    text: str
    finish: Finish
    logprobs: tuple[float, ...] | None = None
    usage: Usage = field(default_factory=Usage, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a parser made of a reply: a value, or the `problem` that prevented one.

    `repaired_by` names the rule that was needed to read a reply that broke the form.
    """

    value: Json
    repaired_by: str | None = None
    problem: str | None = None


# ------------------------------------------------------------------ running programs


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an untrusted program may use; each is enforced, none is advice."""

    seconds: float = 5.0
    cpu_seconds: float = 4.0
    memory_bytes: int = 512 * 2**20
    output_bytes: int = 256 * 2**10
    written_bytes: int = 1 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One use of a program, in a namespace of its own in which its main file was executed.

    how "value":    `code` is an expression; its value comes back as a literal.
    how "printed":  `code` is an expression; what it prints and `print(its value)` come back
                    as text. Statements are run and what they print comes back.
    how "session":  `code` is the input of an interactive session (doctest); what it displays.
    how "script":   the main file runs as `__main__` with `stdin`; what it prints. No `code`.
    """

    code: str = ""
    how: How = "value"
    stdin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Untrusted files and what is to be done with them.

    `files` maps a relative path to text; `main.py` is the one that is executed.
    With `check` (trusted test code that defines `check(candidate)`) the checker runs in a
    second child, whose `candidate` is a proxy of the untrusted program's `entry`.
    With `suite` (paths of pytest files among `files`) all runs in one process, and scores say so.
    """

    files: Mapping[str, str]
    calls: tuple[Call, ...] = ()
    check: str | None = None
    entry: str | None = None
    suite: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)

    @classmethod
    def tested(
        cls,
        code: str,
        *,
        preamble: str = "",
        calls: tuple[Call, ...] = (),
        check: str | None = None,
        entry: str | None = None,
        suite: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> Program:
        """`code` after its preamble, to be tested in one way: by a suite, else a check, else calls.

        Whoever makes examples and whoever scores repairs must try a program in the same way.
        """
        lines = preamble.strip("\n")
        files = {"main.py": f"{lines}\n\n{code}\n" if lines else f"{code}\n"}
        limits = limits or Limits()
        if suite:
            return cls(files={**suite, **files}, suite=tuple(sorted(suite)), limits=limits)
        if check:
            return cls(files=files, check=check, entry=entry, limits=limits)
        return cls(files=files, calls=calls, limits=limits)

    @property
    def key(self) -> str:
        return digest(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What came of one call: the literal or the text, or the name and message of an exception."""

    text: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an untrusted program did: one output a call, or why it was cut off.

    With `check` or `suite`, there is one output for the whole: text "passed", or an error.
    """

    outputs: tuple[Output, ...]
    stderr: str = ""
    cut: Cut | None = None
    tier: str = ""
    usage: Usage = field(default_factory=Usage, compare=False)


# ------------------------------------------------------------------ scores and preferences


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """How a score is read, stored beside the scores so that a report needs no other knowledge.

    A row may lack a score that does not apply to it (the edit distance of a repair that fails).
    With `common`, means are told twice: over each model's own rows, and over the examples for
    which all compared models have a value. `least` is what no value can be below.
    """

    name: str
    heading: str
    better: Literal["higher", "lower"]
    unit: str = ""
    about: str = ""
    common: bool = False
    least: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One number for one answer; `by` is the signature of what gave it.

    `value` None is «could not tell»: never 0, always counted.
    """

    metric: str
    by: str
    value: float | None
    weight: float = 1.0
    because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two replies to one example, to be judged."""

    example: str
    a: str
    b: str

    def swapped(self) -> Comparison:
        return Comparison(example=self.example, a=self.b, b=self.a)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """Which of two replies was preferred; `choice` None is a reply that could not be read."""

    comparison: Comparison
    choice: Side | None
    by: str
    order: Literal["ab", "ba"]
    repeat: int = 0
    scores: tuple[float, float] | None = None
    confidence: float | None = None
    because: str = ""


# ------------------------------------------------------------------ what judging comes to


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A number with its 95% interval, over `n` observations; None is «could not tell»."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    unit: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a contestant fares against another in a judge's eyes, or in those of a panel.

    Counts are of examples, orders and repeats folded into one; `unreadable` are those whose
    replies could not be read, `failed` those whose calls were never answered. `part` names a
    slice of the examples, and is empty for all of them. `rates` say how often it is preferred,
    once for each way of counting ties, and what else was made of the same judgements.
    """

    contestant: str
    against: str
    task: str
    judge: str
    part: str = ""
    won: int
    lost: int
    tied: int
    unreadable: int = 0
    failed: int = 0
    rates: tuple[Measure, ...]


# ------------------------------------------------------------------ training rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A row for fine-tuning: the assistant's turns are learnt."""

    id: str
    group: str
    task: str
    source: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A row for preference training: `chosen` is better than `rejected` by `criterion`."""

    id: str
    group: str
    source: str
    prompt: Prompt
    chosen: str
    rejected: str
    criterion: str
    margin: float | None = None
    evidence: Mapping[str, Json] = field(default_factory=dict)


# ------------------------------------------------------------------ names and JSON


def to_json(value: object) -> Json:
    """The record as JSON: dataclasses become dicts, tuples lists; defaults are written out."""
    if isinstance(value, type):
        raise TypeError(f"a record was expected, not the class {value.__name__}")
    if dataclasses.is_dataclass(value):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): to_json(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")


def from_json(kind: type[R], data: Json) -> R:
    """The record of class `kind` that `to_json` wrote as `data`.

    Raises ValueError if a field is unknown, missing or of another shape.
    """
    return typing.cast(R, _read(kind, data, kind.__name__))


def canonical(value: object) -> str:
    """The one JSON text of a value: sorted keys, no blanks, `usage` left out."""
    return json.dumps(
        _without_usage(to_json(value)), sort_keys=True, separators=(",", ":"), allow_nan=False
    )


def digest(value: object) -> str:
    """The content's name: 64 hexadecimal digits (SHA-256 of `canonical`)."""
    return hashlib.sha256(canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def _without_usage(data: Json) -> Json:
    if isinstance(data, dict):
        return {name: _without_usage(item) for name, item in data.items() if name != "usage"}
    if isinstance(data, list):
        return [_without_usage(item) for item in data]
    return data


@functools.cache
def _fields(kind: type) -> dict[str, tuple[Any, bool]]:
    """Field name to (type, required) of a record class."""
    hints = typing.get_type_hints(kind)
    return {
        f.name: (
            hints[f.name],
            f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING,
        )
        for f in dataclasses.fields(kind)
    }


def _read(hint: Any, data: Json, where: str) -> object:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _read_record(hint, data, where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        if data is None and type(None) in arguments:
            return None
        others = [argument for argument in arguments if argument is not type(None)]
        return _read(others[0], data, where)
    if origin is tuple:
        return _read_tuple(arguments, data, where)
    if origin is Literal:
        if data not in arguments:
            raise ValueError(f"{where}: {data!r} is none of {', '.join(map(repr, arguments))}")
        return data
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(data, dict):
            raise ValueError(f"{where}: an object was expected, not {type(data).__name__}")
        return data
    if hint is float and isinstance(data, int) and not isinstance(data, bool):
        return float(data)
    if hint in (str, int, float, bool) and type(data) is not hint:
        raise ValueError(f"{where}: {hint.__name__} was expected, not {type(data).__name__}")
    return data


def _read_record(kind: type, data: Json, where: str) -> object:
    if not isinstance(data, dict):
        raise ValueError(f"{where}: an object was expected, not {type(data).__name__}")
    known = _fields(kind)
    if unknown := sorted(set(data) - set(known)):
        raise ValueError(f"{where}: unknown field {unknown[0]!r}")
    if missing := [name for name, (_, needed) in known.items() if needed and name not in data]:
        raise ValueError(f"{where}: field {missing[0]!r} is missing")
    return kind(
        **{name: _read(known[name][0], item, f"{where}.{name}") for name, item in data.items()}
    )


def _read_tuple(arguments: tuple[Any, ...], data: Json, where: str) -> tuple[object, ...]:
    if not isinstance(data, (list, tuple)):
        raise ValueError(f"{where}: a list was expected, not {type(data).__name__}")
    if arguments[-1] is Ellipsis:
        return tuple(_read(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(data))
    if len(data) != len(arguments):
        raise ValueError(f"{where}: {len(arguments)} items were expected, not {len(data)}")
    pairs = zip(arguments, data, strict=True)
    return tuple(_read(hint, item, f"{where}[{i}]") for i, (hint, item) in enumerate(pairs))
