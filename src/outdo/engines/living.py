"""The engine of a model in memory that is being trained: what it would say as it is now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch

from outdo.engines.local import Local
from outdo.errors import PermanentError
from outdo.models.reference import RATES, Head, ModelReference
from outdo.models.weights import load_chat
from outdo.records import Completion, Request


class Living:
    """A model in memory, which was made from `base` and answers under its name."""

    def __init__(self, model: Any, base: ModelReference) -> None:
        self._halves = any(weight.dtype == torch.bfloat16 for weight in model.parameters())
        self._device = model.device.type
        held = _Held(model, base)
        self._local = Local(replace(base, head=held.head), weights=held)  # type: ignore[arg-type]
        self.model = base.label
        self.served_by = self._local.served_by

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        """See `outdo.protocols.Engine`."""
        with torch.autocast(self._device, dtype=torch.bfloat16, enabled=self._halves):
            yield from self._local.complete(requests)


class _Held:
    """The model as `Local` asks for weights: there is nothing to load or to switch."""

    precision = "living"

    def __init__(self, model: Any, base: ModelReference) -> None:
        whole = model.get_base_model() if hasattr(model, "get_base_model") else model
        self.head: Head = "score" if type(whole).__name__.endswith(RATES) else "lm"
        self.model = model
        self.chat = load_chat(base.bottom)

    def activate(self, _: ModelReference) -> None:
        """It is what it is."""
