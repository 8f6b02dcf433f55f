"""What can go wrong, as a tree.

OutdoError                 a person can mend it: one line, a hint, exit code 2
├── StudyError             the study file: an unknown key, a name twice, a cycle
├── DataError              rows that can't be read, or can't be used
├── ModelError             a model, an adapter or a tokenizer that isn't what was asked for
├── EngineError            a provider that can't be used: no key, unknown model
├── TrainingError          preflight refused, the loss isn't a number, memory ran out
├── SandboxError           no tier can be had here, or the gold answers fail
├── StoreError             a stage that is torn, foreign, held by another process, or a full disk
└── MissingExtra           a library of an extra isn't installed
TransientError             one row's call failed and is owed again: rate limit, time-out
PermanentError             one row can never be answered: stored as missing, counted aloud

Anything else is a defect of outdo and keeps its traceback.
"""

from __future__ import annotations

from typing import Any


class OutdoError(Exception):
    """A mistake that a person can mend: what is wrong, where, and what to do about it."""

    def __init__(self, problem: str, hint: str = "", *, where: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint
        self.where = where

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}{self.problem}{hint}"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.problem, self.hint, self.where)


def _rebuild(kind: type[OutdoError], problem: str, hint: str, where: str) -> OutdoError:
    return kind(problem, hint, where=where)


class StudyError(OutdoError):
    """The study file asks for something that can't be."""


class DataError(OutdoError):
    """Rows that can't be read, or can't be used."""


class ModelError(OutdoError):
    """A model, an adapter or a tokenizer that isn't what was asked for."""


class EngineError(OutdoError):
    """A provider that can't be used at all."""


class TrainingError(OutdoError):
    """Training that must not start, or can't go on."""


class SandboxError(OutdoError):
    """Untrusted programs can't be run here, or the harness itself is broken."""


class StoreError(OutdoError):
    """A stage on disk that can't be read, written or shared."""


class MissingExtra(OutdoError):
    """A library of an extra isn't installed."""

    @classmethod
    def of(cls, library: str, extra: str) -> MissingExtra:
        return cls(f"{library} is not installed", f"pip install 'outdo[{extra}]'")


class TransientError(Exception):
    """One row's call failed in a way that may pass: the row is owed again."""


class PermanentError(Exception):
    """One row can never be answered as asked: stored as missing, never a loss."""
