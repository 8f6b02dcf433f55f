"""What can stop a run between two steps, told so that a person can mend it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from outdo.errors import TrainingError
from outdo.models.forest import Batch
from outdo.store import write_json
from outdo.training.preflight import Rows

NAMED = 3
"""Of so many rows a message tells the names."""


def not_finite(
    what: str, path: Path, *, step: int, rows: Rows, numbers: Sequence[int], tokenizer: Any
) -> TrainingError:
    """The error to raise; the rows that were learnt from are written to `path`.

    Each row has its id, and for each of its paths the token ids, which of them are learnt, and the
    text that they are.
    """
    told = [
        {
            "row": rows.names[number],
            "given": list(rows.trees[number].given),
            "paths": [
                {
                    "ids": list(path.ids),
                    "learnt": list(path.learnt),
                    "text": str(tokenizer.decode(list(path.ids))),
                }
                for path in rows.trees[number].paths
            ],
        }
        for number in numbers
    ]
    write_json(path, {"step": step, "what": what, "rows": told})
    return TrainingError(
        f"{what} at step {step} is not a number",
        f"lower learning_rate, or look at the rows ({_named(rows, numbers)}); they are in {path}",
    )


@contextlib.contextmanager
def enough_memory(batch: Batch, *, step: int, rows: Rows, fitted: int) -> Iterator[None]:
    """A block in which memory that runs out is told as such: which batch, and what would fit.

    `fitted` is how many tokens the largest batch had that went through, 0 if there was none.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not _is_out_of_memory(error):
            raise
        tokens = batch.computed
        longest = max(rows.trees[number].tokens for number in batch.trees)
        smaller = max(longest, fitted if 0 < fitted < tokens else tokens // 2)
        if smaller >= tokens:
            hint = f"lower max_length (the longest row has {longest}), or set checkpointing"
        else:
            hint = f"lower tokens_per_batch to {smaller}, or set checkpointing"
        before = f"; the largest so far that fitted had {fitted}" if fitted else ""
        raise TrainingError(
            f"memory ran out at step {step}, in a batch of {tokens} tokens "
            f"({_named(rows, batch.trees)}){before}",
            hint,
        ) from error


def _is_out_of_memory(error: BaseException) -> bool:
    """Also what the CPU's allocator says, which has no class of its own."""
    said = str(error)
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(
        words in said for words in ("not enough memory", "can't allocate memory")
    )


def _named(rows: Rows, numbers: Sequence[int]) -> str:
    names = [rows.names[number] for number in numbers]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
