"""vLLM in this process, for whoever has a GPU and wants no server.

Untested: no machine with a GPU and vLLM was at hand. By a server, vLLM is one of those that speak
OpenAI's language, and that way is tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from outdo.engines.provider import Said, seed
from outdo.errors import EngineError, MissingExtra, PermanentError
from outdo.models.served import Served
from outdo.records import Completion, Finish, Request, Usage

ROWS_PER_ROUND = 256
"""Requests that are handed over at once; vLLM batches them by itself."""


class InProcess:
    """A model of vLLM's in this process; an adapter is the path of its folder."""

    def __init__(self, served: Served) -> None:
        try:
            import vllm
            from vllm.lora.request import LoRARequest
        except ImportError as error:
            missing = MissingExtra.of("vllm", "vllm")
            missing.hint = f"{missing.hint}, or export VLLM_BASE_URL=http://127.0.0.1:8000/v1"
            raise missing from error
        base, _, adapter = served.model.partition(":")
        self.served = served
        self.model = served.label
        self.served_by = f"vllm {vllm.__version__} in process"
        self._sampling: Any = vllm.SamplingParams
        self._llm: Any = vllm.LLM(model=base, enable_lora=bool(adapter))
        self._lora = LoRARequest("adapter", 1, adapter) if adapter else None

    def complete(
        self, requests: Sequence[Request]
    ) -> Iterator[tuple[Request, Completion | PermanentError]]:
        """Each request with its completion, a round of them at a time."""
        if any(request.prompt.candidates for request in requests):
            hint = "ask a server of vLLM's, or a model by outdo's own engine"
            problem = "vLLM in process doesn't choose among candidates"
            raise EngineError(problem, hint, where=self.served.name)
        for start in range(0, len(requests), ROWS_PER_ROUND):
            part = requests[start : start + ROWS_PER_ROUND]
            outputs = self._llm.chat(
                [
                    [{"role": m.role, "content": m.content} for m in request.prompt.messages]
                    for request in part
                ],
                [self._params(request) for request in part],
                lora_request=self._lora,
                use_tqdm=False,
            )
            for request, output in zip(part, outputs, strict=True):
                yield request, self._completed(request, _said(output, self.served.model))

    def _params(self, request: Request) -> Any:
        sampling = request.sampling
        asked: dict[str, Any] = {
            "max_tokens": sampling.max_tokens,
            "top_p": sampling.top_p,
            "seed": seed(request),
            "stop": list(sampling.stop),
        }
        if sampling.temperature is not None:
            asked["temperature"] = sampling.temperature
        return self._sampling(**asked)

    def _completed(self, request: Request, said: Said) -> Completion:
        return Completion(
            prompt=request.prompt.key,
            model=self.model,
            served_by=f"vllm/{said.model}",
            sampling=request.sampling,
            index=request.index,
            text=said.text,
            finish=said.finish,
            usage=Usage(tokens_in=said.tokens_in, tokens_out=said.tokens_out),
        )


def _said(output: Any, model: str) -> Said:
    (best,) = output.outputs
    finish: Finish = "length" if best.finish_reason == "length" else "stop"
    return Said(
        text=best.text,
        finish=finish,
        model=model,
        tokens_in=len(output.prompt_token_ids or ()),
        tokens_out=len(best.token_ids),
    )
