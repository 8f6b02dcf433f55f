"""Who does the work: the one place that knows engines, trainer, sandbox and sources by name."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from outdo.cli.environment import environment
from outdo.cli.remote import Doors, Remote
from outdo.cli.sources import content_of, examples_of
from outdo.engines.scripted import from_file
from outdo.errors import MissingExtra, SandboxError, StoreError, StudyError, TrainingError
from outdo.models.reference import ModelReference, resolve
from outdo.pipeline.protocols import Counting, Logs, OnStep, ScoreOf, Tools
from outdo.protocols import Engine, Runner
from outdo.records import Conversation, Json, Pair
from outdo.sandbox import Sandbox
from outdo.scorers.bertscore import Encoder
from outdo.study import Answering, Encoding, Run


def tools_for(
    log_dir: Path, *, tier: str, task: str | Sequence[str], remote: Remote | None = None
) -> Tools:
    """The real ones: transformers and peft on this machine, providers, programs in the sandbox.

    Sources that don't say what their examples are for make them for the first of several tasks.
    """
    task = task if isinstance(task, str) else task[0]
    remote = remote or Remote(local_only=bool(os.environ.get("OUTDO_LOCAL_ONLY")))
    return Tools(
        sandbox=functools.partial(_sandbox, tier),
        engine=_Engines(Doors(remote)),
        living=_living,
        counting=_counting,
        train=_train,
        settings=lambda run: _settings(run).what,
        reference=_reference,
        reference_settings=_reference_settings,
        resolve=functools.partial(_resolve, log_dir, remote),
        data_what=functools.partial(content_of, task=task),
        data=functools.partial(examples_of, task=task),
        environment=lambda: environment(sandbox=_signature(tier)),
        encoder=_encoder,
    )


def stored_only(tools: Tools, *, command: str) -> Tools:
    """Tools that make nothing: whatever is still owed is an error that names the command."""

    def refuse(*_: object, **__: object) -> Any:
        raise StoreError("the study isn't finished: something is still owed", command)

    return replace(
        without_sandbox(tools),
        engine=refuse,
        train=refuse,
        reference=refuse,
        data=refuse,
        encoder=refuse,
    )


def without_sandbox(tools: Tools) -> Tools:
    """The same tools, also where no sandbox can be had: what runs no program needs none."""

    def told() -> Mapping[str, Json]:
        try:
            return tools.environment()
        except SandboxError:
            return environment(sandbox="none can be had here")

    return replace(tools, environment=told)


def _resolve(log_dir: Path, remote: Remote, name: str) -> ModelReference:
    remote.check(name)
    return resolve(name, runs=log_dir, base_url=remote.base_url)


def _sandbox(tier: str) -> AbstractContextManager[Runner]:
    return Sandbox(tier=tier)  # type: ignore[arg-type]


@functools.cache
def _signature(tier: str) -> str:
    with Sandbox(tier=tier) as sandbox:  # type: ignore[arg-type]
        return sandbox.signature


class _Engines:
    """Gives out engines; those of one base share its weights, so that it is loaded once."""

    def __init__(self, doors: Doors) -> None:
        self._doors = doors
        self._weights: dict[tuple[str, ...], Any] = {}

    def __call__(self, model: ModelReference, ask: Answering) -> Engine:
        if model.kind == "script":
            return from_file(model.path, model=model.label)
        if model.kind == "api":
            return self._doors(model)
        local, weights = _imported()
        place = (model.bottom.digest, model.head, ask.precision)
        if place not in self._weights:
            self._weights = {place: weights(model, precision=ask.precision)}
        engine: Engine = local(model, weights=self._weights[place], precision=ask.precision)
        return engine


def _imported() -> tuple[Callable[..., Any], Callable[..., Any]]:
    try:
        from outdo.engines.local import Local
        from outdo.models.weights import Weights
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return Local, Weights


def _living(model: Any, base: ModelReference) -> Engine:
    from outdo.engines.living import Living

    engine: Engine = Living(model, base)
    return engine


@functools.lru_cache(maxsize=8)
def _counting(model: ModelReference) -> Counting:
    """The tokenizer of a model that lies here; of others a token is about four bytes."""
    if model.kind in ("script", "api"):
        return Counting(lambda text: -(-len(text.encode()) // 4), exact=False)
    try:
        from outdo.models.weights import load_tokenizer
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    tokenizer = load_tokenizer(model)
    return Counting(lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"]))


def _encoder(model: ModelReference, spec: Encoding) -> Encoder:
    """The vectors of a model that lies here."""
    try:
        from outdo.engines.encoder import BertEncoder
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    return BertEncoder(
        model.path,
        name=model.label,
        layer=spec.layer,
        precision=spec.precision,
        window=spec.window,
    )


def _train(
    base: ModelReference,
    rows: Sequence[Conversation | Pair],
    *,
    run: Run,
    folder: Path,
    validation: Sequence[Conversation | Pair],
    reference: Sequence[Logs | None] | None,
    score: ScoreOf | None,
    on_step: OnStep,
) -> None:
    if base.kind in ("script", "api"):
        what = "a script" if base.kind == "script" else "a provider's model"
        raise TrainingError(f"{what} can't be trained", "name a model", where=base.name)
    try:
        from outdo.training.following import train

        train(
            base,
            rows,  # type: ignore[arg-type]
            settings=_settings(run),
            folder=folder,
            validation=validation,
            reference=reference,
            score=score,
            on_step=on_step,
        )
    except ModuleNotFoundError as error:
        raise _missing(error) from error


def _reference(
    model: ModelReference, pairs: Sequence[Pair], run: Run
) -> Iterator[tuple[int, Logs | None]]:
    if model.kind in ("script", "api"):
        what = "a script" if model.kind == "script" else "a provider's model"
        raise TrainingError(f"{what} can't be a reference", "name a model", where=model.name)
    try:
        from outdo.training import reference_logs

        yield from reference_logs(model, pairs, settings=_settings(run))
    except ModuleNotFoundError as error:
        raise _missing(error) from error


def _reference_settings(run: Run) -> Mapping[str, Json]:
    """What decides log-probabilities: how the rows are read, and in what the weights are held."""
    what = _settings(run).what
    names = ("precision", "quantise", "max_length", "longer", "version")
    return {**{name: what[name] for name in names}, "whole": what["lora"] is None}


def _missing(error: ModuleNotFoundError) -> Exception:
    from outdo.catalog import EXTRAS

    name = (error.name or "").partition(".")[0]
    return MissingExtra.of(name, EXTRAS[name]) if name in EXTRAS else error


def _settings(run: Run) -> Any:
    """A run's settings in the trainer's own terms."""
    from outdo.training.settings import How, Lora, Settings

    asked = run.settings
    lora = None
    if asked.lora != "none":
        targets = asked.lora.targets
        lora = Lora(
            rank=asked.lora.rank,
            alpha=asked.lora.alpha or 2.0 * asked.lora.rank,
            dropout=asked.lora.dropout,
            targets=(targets,) if isinstance(targets, str) else tuple(targets),
            dora=asked.lora.dora,
        )
    return Settings(
        method=asked.method,
        lora=lora,
        beta=asked.beta,
        quantise=asked.quantise,
        epochs=asked.epochs,
        learning_rate=asked.learning_rate,
        schedule=asked.schedule,
        warmup=asked.warmup,
        weight_decay=asked.weight_decay,
        betas=asked.betas,
        clip=asked.clip,
        rows_per_step=asked.rows_per_step,
        share_context=asked.share_context,
        max_length=asked.max_length,
        longer=asked.longer,
        seed=run.seed,
        precision=asked.precision,
        evaluate_every=asked.evaluate_every,
        patience=asked.patience,
        keep=asked.keep,
        how=How(
            checkpointing=asked.checkpointing,
            log_to=tuple(asked.log_to),
            checkpoint_seconds=_checkpoint_seconds(),
            strategy=_strategy(),
        ),
    )


def _strategy() -> Any:
    """What several processes do with the weights; the study doesn't depend on it."""
    said = os.environ.get("OUTDO_STRATEGY", "auto")
    if said not in ("auto", "ddp", "fsdp"):
        known = "auto, ddp, fsdp"
        raise StudyError(f"there is no strategy {said!r}", known, where="OUTDO_STRATEGY")
    return said


def _checkpoint_seconds() -> float:
    """How much of a training run a killed process may lose."""
    said = os.environ.get("OUTDO_CHECKPOINT_SECONDS", "60")
    try:
        return float(said)
    except ValueError as error:
        where = "OUTDO_CHECKPOINT_SECONDS"
        raise StudyError(f"{said!r} is no number of seconds", where=where) from error
