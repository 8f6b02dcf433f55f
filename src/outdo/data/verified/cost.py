"""What programs cost on growing inputs, and which of two is slower, told by two measures.

`steps` are the bytecodes that the interpreter executes: the same each time, and blind to what one
of them does in C. `nanoseconds` are CPU time, which sees that, and trembles; programs take turns
in one process, round by round, so that what disturbs one disturbs the others. A program is called
slower only where a measure says so by a wide margin and the other doesn't deny it.
"""

from __future__ import annotations

import importlib.resources
import itertools
import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from outdo import literals
from outdo.data.trial import Runs
from outdo.data.verified.growing import Family
from outdo.records import Call, Json, Limits, Program

ROUNDS = 5
STEPS_MOST = 150_000
"""Bytecodes after which a program isn't followed further, and taken to larger inputs no more."""

LIMITS = Limits(seconds=240.0, cpu_seconds=30.0, memory_bytes=2**30)

TIMES = 2.0
"""How many times as much the slower one must cost, or more and more of it as inputs grow."""

GROWTH = 1.5
"""By what a growing ratio must have grown in the end, and what it must have come to."""

DENIED = 1.15
"""The ratio of CPU time below which a verdict of the steps is denied."""

SIGNATURE = (
    f"steps <= {STEPS_MOST}, {ROUNDS} rounds, >= {TIMES:g} or grown {GROWTH:g}"
    f"|CPython {sys.version_info.major}.{sys.version_info.minor}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one program costs on one family: by size, as far as it was taken.

    `steps[n]` is None where there were more than are counted; `nanoseconds[n]` are rounds.
    """

    sizes: tuple[int, ...]
    steps: tuple[int | None, ...]
    nanoseconds: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """How many times as much one program costs as another, size by size; `least` over rounds."""

    sizes: tuple[int, ...]
    steps: tuple[float, ...]
    times: tuple[float, ...]
    least: tuple[float, ...]


# ------------------------------------------------------------------ measuring


def costs(
    programs: Sequence[str], family: Family, *, entry: str, preamble: str = "", sandbox: Runs
) -> list[Cost | None]:
    """What each program costs on a family of inputs, all in one process.

    None for a program that raises, or gives something else than the first program does.
    """
    ((_, outcome),) = sandbox.run([measuring(programs, family, entry=entry, preamble=preamble)])
    return read(outcome.outputs[0].text if outcome.outputs else None, len(programs), family)


def measuring(
    programs: Sequence[str], family: Family, *, entry: str, preamble: str = ""
) -> Program:
    """The program that measures the programs, for a sandbox; `read` reads its output."""
    calls = f"[{', '.join(family.calls)}]"
    sources = [f"{preamble}\n\n{code}" if preamble else code for code in programs]
    asked = f"measured({json.dumps(sources)}, {entry!r}, {calls}, {STEPS_MOST}, {ROUNDS})"
    harness = importlib.resources.files("outdo.sandbox").joinpath("measured.py").read_text("utf-8")
    return Program(files={"main.py": harness}, calls=(Call(code=asked),), limits=LIMITS)


def read(said: str | None, programs: int, family: Family) -> list[Cost | None]:
    """The costs that a measuring program's output tells; all None if it was cut off."""
    if said is None:
        return [None] * programs
    rows = literals.literal(said)
    assert isinstance(rows, list)
    return [_cost(row, family) if row else None for row in rows]


def _cost(row: Sequence[tuple[int, Sequence[int]]], family: Family) -> Cost:
    return Cost(
        sizes=family.sizes[: len(row)],
        steps=tuple(None if steps < 0 else steps for steps, _ in row),
        nanoseconds=tuple(tuple(rounds) for _, rounds in row),
    )


# ------------------------------------------------------------------ deciding


def ratio(worse: Cost, better: Cost) -> Ratio:
    """The costs of one program by those of another, at the sizes to which both were taken.

    Where the worse one was no longer followed, its ratio of steps is a lower bound, and that of
    times isn't known: such a size is the last, and has no times.
    """
    sizes, steps, times, least = [], [], [], []
    for place, size in enumerate(worse.sizes[: len(better.sizes)]):
        ours, theirs = better.steps[place], worse.steps[place]
        if ours is None:
            break
        sizes.append(size)
        steps.append((STEPS_MOST if theirs is None else theirs) / max(1, ours))
        if theirs is None:
            break
        rounds = [
            w / max(1, b)
            for w, b in zip(worse.nanoseconds[place], better.nanoseconds[place], strict=True)
        ]
        times.append(statistics.median(rounds))
        least.append(min(rounds))
    return Ratio(sizes=tuple(sizes), steps=tuple(steps), times=tuple(times), least=tuple(least))


def slower(found: Ratio) -> str | None:
    """By which measure the first program is slower, `steps` or `time`; None if it can't be said."""
    if len(found.sizes) < 2:
        return None
    by_steps = found.steps[-1] >= TIMES or _grows(found.steps)
    followed = len(found.times) == len(found.steps)
    if by_steps and not (followed and found.times[-1] < DENIED):
        return "steps"
    often = len(found.least) >= 2 and min(found.least[-2:]) >= TIMES
    return "time" if followed and often else None


def _grows(ratios: Sequence[float]) -> bool:
    """Whether ratios rise from size to size, and end well above 1 and above their beginning."""
    rising = all(b >= a for a, b in itertools.pairwise(ratios))
    return len(ratios) >= 3 and rising and ratios[-1] >= GROWTH * max(1.0, ratios[0])


def told(found: Ratio, family: Family, by: str) -> dict[str, Json]:
    """A ratio as a pair's evidence."""
    return {
        "measure": by,
        "inputs": family.name,
        "sizes": list(found.sizes),
        "steps": [round(one, 3) for one in found.steps],
        "times": [round(one, 3) for one in found.times],
        "signature": SIGNATURE,
    }


def compared(
    known: Mapping[str, list[Cost | None]], families: Mapping[str, Family], worse: int, better: int
) -> dict[str, Json] | None:
    """The evidence that program `worse` is slower than program `better`, or None.

    `known` has the costs of all programs by family. No family may say the contrary.
    """
    said: list[dict[str, Json]] = []
    for name, found in known.items():
        one, other = found[worse], found[better]
        if one is None or other is None:
            return None
        if slower(ratio(other, one)):
            return None
        measure = slower(forward := ratio(one, other))
        if measure:
            said.append(told(forward, families[name], measure))
    return max(said, key=_clearness) if said else None


def _clearness(said: Mapping[str, Json]) -> tuple[bool, float]:
    return said["measure"] == "steps", max([*said["times"][-1:], said["steps"][-1]])


def batches(many: int, most: int) -> Iterator[range]:
    """The places 0 to many, in runs of at most `most`."""
    for start in range(0, many, most):
        yield range(start, min(start + most, many))
