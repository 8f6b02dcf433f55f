"""TRL as an oracle: its losses, step by step, on the same model, rows and rates."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import plain
import tiny
from outdo.models.chat import Chat
from outdo.models.forest import Tree
from outdo.models.reference import ModelReference, resolve
from outdo.training import How, Lora, Settings, reference_logs, train

pytest.importorskip("trl")
pytest.importorskip("datasets")

STEPS, COUNT = 4, 6
SETTINGS = Settings(
    steps=STEPS,
    rows_per_step=COUNT,
    learning_rate=1e-3,
    schedule="constant",
    warmup=0.0,
    precision="float32",
    share_context=False,
    lora=None,
    how=How(threads=1, device="cpu", tokens_per_batch=300),
)

THEIRS = {"dpo": "sigmoid", "ipo": "ipo", "dpo-normalised": "sigmoid_norm"}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ModelReference]:
    """The same model with an output layer and with a score."""
    folder = tmp_path_factory.mktemp("bases")
    for head in ("lm", "score"):
        tiny.model(head=head, initializer_range=0.05).save_pretrained(folder / head)
        tiny.tokenizer().save_pretrained(folder / head)
    return {head: resolve(str(folder / head), runs=folder) for head in ("lm", "score")}


def rows_of(name: str) -> list[Any]:
    rows = plain.rows(name, COUNT)
    return [replace(row, margin=row.margin or 0.0) for row in rows] if name == "reward" else rows


def trees(name: str) -> list[Tree]:
    chat, how = Chat(tiny.tokenizer()), plain.method(name)
    return [
        how.tree(row, tuple(chat.encode(talk) for talk in how.conversations(row)))
        for row in rows_of(name)
    ]


def columns(name: str, given: Sequence[Tree]) -> list[dict[str, Any]]:
    """The rows as TRL has them behind its own tokenisation."""
    if name == "sft":
        return [
            {
                "input_ids": list(path.ids),
                "labels": [
                    one if said else -100 for one, said in zip(path.ids, path.learnt, strict=True)
                ],
            }
            for path in (tree.paths[0] for tree in given)
        ]
    made = []
    for tree in given:
        chosen, rejected = (list(path.ids) for path in tree.paths)
        asked = tree.paths[0].learnt.index(True)
        if name == "reward":
            made.append(
                {"chosen_ids": chosen, "rejected_ids": rejected, "margin": float(tree.given[0])}
            )
        else:
            made.append(
                {
                    "prompt_ids": chosen[:asked],
                    "chosen_ids": chosen[asked:],
                    "rejected_ids": rejected[asked:],
                }
            )
    return made


def trainer(name: str, model: Any, folder: Path) -> Any:
    """Theirs, given tokenised rows, and telling each step's loss unrounded in `told`."""
    import trl
    from datasets import Dataset

    of = {"sft": "SFT", "reward": "Reward"}.get(name, "DPO")
    theirs = getattr(trl, f"{of}Trainer")

    class Telling(theirs):  # type: ignore[misc]
        def _prepare_dataset(self, dataset: Any, *_: Any, **__: Any) -> Any:
            return dataset

        def compute_loss(self, *given: Any, **more: Any) -> Any:
            loss = super().compute_loss(*given, **more)
            self.__dict__.setdefault("told", []).append(loss.item())
            return loss

    more: dict[str, Any] = {"dataset_kwargs": {"skip_prepare_dataset": True}} if of == "SFT" else {}
    if of == "DPO":
        more = {"loss_type": [THEIRS[name]], "beta": SETTINGS.beta}
    config = getattr(trl, f"{of}Config")(
        output_dir=str(folder),
        max_steps=STEPS,
        per_device_train_batch_size=COUNT,
        learning_rate=SETTINGS.learning_rate,
        lr_scheduler_type="constant",
        max_grad_norm=SETTINGS.clip,
        max_length=SETTINGS.max_length,
        gradient_checkpointing=False,
        bf16=False,
        use_cpu=True,
        report_to="none",
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        **more,
    )
    if of == "DPO" and not hasattr(model, "peft_config"):
        beside = {"ref_model": copy.deepcopy(model)}
    else:
        beside = {}
    return Telling(
        model=model,
        args=config,
        **beside,
        train_dataset=Dataset.from_list(columns(name, trees(name))),
        processing_class=tiny.tokenizer(),
    )


def losses(name: str, model: Any, folder: Path) -> list[float]:
    """TRL's loss of each step; what it and its libraries deprecate is their matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = trainer(name, model, folder)
        theirs.train()
    told: list[float] = theirs.told
    return told


def our_losses(
    name: str, base: ModelReference, folder: Path, *, lora: Lora | None = None
) -> list[float]:
    told: list[float] = []
    train(
        base,
        rows_of(name),
        settings=replace(SETTINGS, method=name, lora=lora),
        folder=folder,
        on_step=lambda step: told.append(step.loss),
    )
    return told


@pytest.mark.parametrize(
    "name",
    ["sft", "dpo", "reward"]
    + [pytest.param(name, marks=pytest.mark.slow) for name in ("ipo", "dpo-normalised")],
)
def test_losses_equal_those_of_trl(
    name: str, bases: dict[str, ModelReference], tmp_path: Path
) -> None:
    head = plain.head(name)
    ours = our_losses(name, bases[head], tmp_path / "ours")
    theirs = losses(name, tiny.model(head=head, initializer_range=0.05), tmp_path / "theirs")
    assert len(ours) == STEPS and ours[-1] < ours[0]
    assert ours == pytest.approx(theirs, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sft", "dpo"])
def test_an_adapter_learns_as_it_does_in_trl(
    name: str, bases: dict[str, ModelReference], tmp_path: Path
) -> None:
    from peft import LoraConfig, get_peft_model

    from outdo.models.weights import peft_without_warnings

    ours = our_losses(name, bases["lm"], tmp_path / "ours", lora=Lora(rank=4))
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM")
    model = tiny.model(initializer_range=0.05)
    torch.manual_seed(SETTINGS.seed)
    with peft_without_warnings():
        adapted = get_peft_model(model, config)
    assert ours == pytest.approx(losses(name, adapted, tmp_path / "theirs"), rel=1e-4)


def test_the_reference_thinks_what_it_does_in_trl(
    bases: dict[str, ModelReference], tmp_path: Path
) -> None:
    told = dict(
        reference_logs(bases["lm"], rows_of("dpo"), settings=replace(SETTINGS, method="dpo"))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = trainer("dpo", tiny.model(initializer_range=0.05), tmp_path)
        batch = theirs.data_collator(columns("dpo", trees("dpo")))
        chosen, rejected = theirs.compute_ref_log_probs(theirs.model, batch)
    ours = torch.tensor([told[number] for number in range(COUNT)])
    assert torch.allclose(ours, torch.stack([chosen, rejected], dim=1), rtol=1e-5, atol=1e-4)
