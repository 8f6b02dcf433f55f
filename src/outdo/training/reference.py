"""What a reference model thinks of both replies of a pair: computed once, for all that follows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch

from outdo import catalog
from outdo.models.logprobs import path_sums
from outdo.models.reference import ModelReference
from outdo.models.weights import device_named, load_chat
from outdo.records import Pair
from outdo.training import adapt, preflight
from outdo.training.compute import autocast, batches
from outdo.training.encoded import encoded_rows
from outdo.training.held import held_base
from outdo.training.processes import ALONE, Processes
from outdo.training.settings import Settings

ROWS_AT_ONCE = 256
"""Pairs whose lengths are sorted together; they are told when all of them are done."""

Logs = tuple[float, float]


def logs(
    model: ModelReference,
    rows: Sequence[Pair],
    *,
    settings: Settings,
    processes: Processes = ALONE,
) -> Iterator[tuple[int, Logs | None]]:
    """See `outdo.training.reference_logs`; of several processes each tells its share."""
    device = device_named(settings.how.device)
    precision = preflight.precision(settings.precision, device)
    method = catalog.named(catalog.METHODS, settings.method, noun="method")(settings)
    checked = encoded_rows(
        rows, base=model, method=method, chat=load_chat(model), settings=settings
    )
    learnt = set(checked.numbers)
    sizes = [tree.tokens for tree in checked.trees]
    yield from ((number, None) for number in range(len(rows)) if number not in learnt)
    with held_base(model, settings, precision=precision) as base:
        packed = preflight.packs(base, checked.trees, head=method.head)
        judge = adapt.frozen(base, model)
        for start in range(0, len(checked.trees), ROWS_AT_ONCE):
            together = range(start, min(start + ROWS_AT_ONCE, len(checked.trees)))
            some = processes.share(together, sizes)
            tokens = settings.how.tokens_per_batch
            for batch in batches(judge, checked.trees, some, tokens=tokens, packed=packed):
                with torch.no_grad(), autocast(judge, precision):
                    sums = path_sums(judge, batch).view(-1, 2).tolist()
                for tree, (chosen, rejected) in zip(batch.trees, sums, strict=True):
                    yield checked.numbers[tree], (chosen, rejected)
