"""Whole runs of every method: where they begin, what they keep, and what refuses them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import plain
import tiny
from outdo.errors import ModelError, TrainingError
from outdo.models.forest import Tree
from outdo.models.reference import ModelReference, resolve
from outdo.models.weights import load_base, load_chat, peft_without_warnings
from outdo.training import How, Lora, Settings, TrainingReport, reference_logs, train

COUNT = 6
SETTINGS = Settings(
    steps=2,
    learning_rate=3e-3,
    schedule="constant",
    warmup=0.0,
    rows_per_step=COUNT,
    precision="float32",
    lora=Lora(rank=4),
    how=How(threads=1, device="cpu", tokens_per_batch=300),
)
REFERRED = ("dpo", "dpo-normalised", "ipo")


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bases")


def base_of(kind: str, folder: Path) -> ModelReference:
    place = folder / kind
    if not place.is_dir():
        tiny.save(place, kind, initializer_range=0.05)
    return resolve(str(place), runs=folder)


def run(
    name: str, base: ModelReference, folder: Path, rows: Sequence[Any] = (), **changes: Any
) -> TrainingReport:
    """A run that looks at its own rows when it is done."""
    rows = rows or plain.rows(name, COUNT)
    reference = changes.pop("reference", None)
    twice = None if reference is None else [*reference, *reference]
    return train(
        base,
        rows,
        settings=replace(SETTINGS, method=name, **changes),
        folder=folder,
        validation=rows,
        reference=twice,
    )


def loaded(name: str, base: ModelReference, folder: Path | None = None, **how: Any) -> Any:
    """The model as plain peft has it."""
    from peft import PeftModel

    model = load_base(base, device="cpu", head=plain.head(name), computing="float32", **how)  # type: ignore[arg-type]
    if folder is None:
        return model
    with peft_without_warnings():
        return PeftModel.from_pretrained(model, folder).eval()


def trees(name: str, base: ModelReference, judge: Any = None) -> list[Tree]:
    """The rows as trees, with what the judge thinks of them where the method asks for it."""
    chat, how = load_chat(base), plain.method(name)
    made = []
    for row in plain.rows(name, COUNT):
        tree = how.tree(row, tuple(chat.encode(talk) for talk in how.conversations(row)))
        if how.needs_reference:
            with torch.no_grad():
                said = [float(plain.log_probability(judge, path)) for path in tree.paths]
            tree = replace(tree, given=tuple(said))
        made.append(tree)
    return made


def mean_loss(name: str, model: Any, given: Sequence[Tree]) -> float:
    """The loss of all rows as one step counts it, conversation by conversation."""
    with torch.no_grad():
        total = sum(float(plain.loss(name, model, tree, SETTINGS.beta)) for tree in given)
    single = name in ("sft", "rationale")
    return total / (sum(sum(t.paths[0].learnt) for t in given) if single else len(given))


FEW = {("llama", "sft"), ("llama", "dpo"), ("mixtral", "reward"), ("gpt2", "choice")}

EACH = [
    pytest.param(kind, name, marks=() if (kind, name) in FEW else pytest.mark.slow)
    for kind in tiny.ARCHITECTURES
    for name in plain.METHODS
    if (kind, name) != ("granite", "reward")
]


@pytest.mark.parametrize(("kind", "name"), EACH)
def test_plain_peft_has_what_was_learnt(kind: str, name: str, bases: Path, tmp_path: Path) -> None:
    base = base_of(kind, bases)
    report = run(name, base, tmp_path)
    assert report.packed
    given = trees(name, base, loaded(name, base) if name in REFERRED else None)
    kept = mean_loss(name, loaded(name, base, tmp_path), given)
    assert kept == pytest.approx(report.validation[-1]["loss"], rel=1e-4)
    assert kept < report.loss


@pytest.mark.parametrize("name", [pytest.param("sft", marks=pytest.mark.slow), "dpo", "reward"])
def test_dora_is_kept_as_peft_keeps_it(name: str, bases: Path, tmp_path: Path) -> None:
    base = base_of("llama", bases)
    report = run(name, base, tmp_path, lora=Lora(rank=4, dora=True))
    given = trees(name, base, loaded(name, base) if name == "dpo" else None)
    kept = mean_loss(name, loaded(name, base, tmp_path), given)
    assert kept == pytest.approx(report.validation[-1]["loss"], rel=1e-4)


def test_a_whole_reward_model_is_kept(bases: Path, tmp_path: Path) -> None:
    report = run("reward", base_of("llama", bases), tmp_path, lora=None)
    tuned = resolve(str(tmp_path), runs=tmp_path)
    assert tuned.head == "score"
    kept = mean_loss("reward", loaded("reward", tuned), trees("reward", tuned))
    assert kept == pytest.approx(report.validation[-1]["loss"], rel=1e-5)


BEGINS = {"dpo": math.log(2), "dpo-normalised": math.log(2), "ipo": (1 / (2 * 0.1)) ** 2}
"""The loss of a model that is its own reference."""


@pytest.mark.parametrize(
    "name",
    ["dpo", *(pytest.param(name, marks=pytest.mark.slow) for name in ("dpo-normalised", "ipo"))],
)
def test_it_begins_as_its_own_reference(name: str, bases: Path, tmp_path: Path) -> None:
    base = base_of("llama", bases)
    run("sft", base, tmp_path / "sft", learning_rate=1e-2)
    tuned = resolve(str(tmp_path / "sft"), runs=tmp_path)
    for start, tokens in ((base, 64), (tuned, 64), (tuned, 4096)):
        folder = tmp_path / f"{start.kind}-{tokens}"
        how = replace(SETTINGS.how, tokens_per_batch=tokens)
        report = run(name, start, folder, steps=1, how=how)
        assert report.loss == pytest.approx(BEGINS[name], abs=1e-6)


def test_the_reference_behind_an_adapter_is_the_adapter(bases: Path, tmp_path: Path) -> None:
    base = base_of("llama", bases)
    run("sft", base, tmp_path / "sft", learning_rate=1e-2)
    tuned = resolve(str(tmp_path / "sft"), runs=tmp_path)
    rows, settings = plain.rows("dpo", COUNT), replace(SETTINGS, method="dpo")
    alone = {
        start.name: [tree.given for tree in trees("dpo", base, loaded("dpo", base, folder))]
        for start, folder in ((base, None), (tuned, tmp_path / "sft"))
    }
    for start in (base, tuned, base):
        told = dict(reference_logs(start, rows, settings=settings))
        assert sorted(told) == list(range(COUNT))
        got = torch.tensor([told[number] for number in range(COUNT)])
        assert torch.allclose(got, torch.tensor(alone[start.name]), rtol=1e-5, atol=1e-3)
    apart = torch.tensor(alone[base.name]) - torch.tensor(alone[tuned.name])
    assert float(apart.abs().max()) > 0.5


def test_a_reference_that_is_given_is_taken_as_it_is(bases: Path, tmp_path: Path) -> None:
    base = base_of("llama", bases)
    other = [(-100.0 - number, -130.0) for number in range(COUNT)]
    report = run("dpo", base, tmp_path, reference=other, steps=1)
    given = [
        replace(tree, given=said)
        for tree, said in zip(trees("dpo", base, loaded("dpo", base)), other, strict=True)
    ]
    assert report.loss == pytest.approx(mean_loss("dpo", loaded("dpo", base), given), rel=1e-5)


def test_pairs_that_teach_nothing_are_known_by_their_numbers(bases: Path, tmp_path: Path) -> None:
    base, rows = base_of("llama", bases), plain.rows("dpo", COUNT)
    rows[1] = replace(rows[1], rejected=rows[1].chosen)
    rows[3] = replace(rows[3], chosen=" ")
    told = dict(reference_logs(base, rows, settings=replace(SETTINGS, method="dpo")))
    assert told[1] is None and told[3] is None and len(told) == COUNT
    known = [told[number] for number in range(COUNT)]
    report = run("dpo", base, tmp_path, rows, reference=known, steps=1)
    assert (report.rows, report.rows_dropped) == (COUNT - 2, 2)
    assert report.loss == pytest.approx(math.log(2), abs=1e-6)
    with pytest.raises(TrainingError, match="the reference knows"):
        train(
            base,
            rows,
            settings=replace(SETTINGS, method="dpo"),
            folder=tmp_path / "few",
            reference=known[1:],
        )


def test_dpo_goes_on_with_the_adapter_that_it_starts_from(bases: Path, tmp_path: Path) -> None:
    base = base_of("llama", bases)
    run("sft", base, tmp_path / "sft", learning_rate=1e-2)
    tuned = resolve(str(tmp_path / "sft"), runs=tmp_path)
    report = run("dpo", tuned, tmp_path / "dpo")
    assert report.base["digest"] == base.digest
    given = trees("dpo", base, loaded("dpo", base, tmp_path / "sft"))
    kept = mean_loss("dpo", loaded("dpo", base, tmp_path / "dpo"), given)
    assert kept == pytest.approx(report.validation[-1]["loss"], rel=1e-4)


def test_a_margin_moves_the_reward_loss(bases: Path, tmp_path: Path) -> None:
    base, rows = base_of("llama", bases), plain.rows("reward", COUNT)
    wide = [replace(row, margin=3.0) for row in rows]
    losses = [
        run("reward", base, tmp_path / str(n), some, steps=1).loss
        for n, some in enumerate((rows, wide))
    ]
    assert losses[1] > losses[0] + 1


def test_choice_learns_the_letter(bases: Path, tmp_path: Path) -> None:
    base = base_of("llama", bases)
    report = run("choice", base, tmp_path, steps=10, learning_rate=2e-2)
    assert report.validation[-1]["loss"] < 0.3 and report.tokens_learnt == 2 * COUNT * 10
    with pytest.raises(TrainingError, match="not A or B"):
        run("choice", base, tmp_path / "no", [tiny.talk("Which?", "Both")])


def test_a_start_with_the_wrong_head_is_refused(bases: Path, tmp_path: Path) -> None:
    base = base_of("llama", bases)
    run("sft", base, tmp_path / "sft", steps=1)
    run("reward", base, tmp_path / "reward", steps=1)
    told, rating = (resolve(str(tmp_path / name), runs=tmp_path) for name in ("sft", "reward"))
    with pytest.raises(TrainingError, match="no head that rates texts"):
        run("reward", told, tmp_path / "no")
    with pytest.raises(TrainingError, match="rates texts and can't say any"):
        run("sft", rating, tmp_path / "no")
    further = run("reward", rating, tmp_path / "further", steps=1)
    assert further.loss < run("reward", base, tmp_path / "again", steps=1).loss
    assert resolve(str(tmp_path / "further"), runs=tmp_path).head == "score"


def test_what_transformers_or_peft_have_not_is_said(bases: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model of type 'granite' that rates texts"):
        run("reward", base_of("granite", bases), tmp_path)
    for lora in (Lora(rank=4, dora=True), Lora(rank=4, dropout=0.1)):
        with pytest.raises(TrainingError, match="peft can't make this adapter") as told:
            run("sft", base_of("mixtral", bases), tmp_path, lora=lora)
        assert "experts" in str(told.value.hint)


IN_BF16 = [
    pytest.param(kind, name, marks=() if (kind, name) in few else pytest.mark.slow)
    for few in [{("llama", "sft")}]
    for kind in tiny.ARCHITECTURES
    for name in ("sft", "dpo", "reward")
    if (kind, name) != ("granite", "reward")
]


@pytest.mark.parametrize(("kind", "name"), IN_BF16)
def test_bfloat16_learns_as_float32_does(kind: str, name: str, bases: Path, tmp_path: Path) -> None:
    """All weights in float32 under autocast, and adapters on weights that are held in bfloat16."""
    base = base_of(kind, bases)
    for lora in (None, Lora(rank=4)):
        losses = [
            run(name, base, tmp_path / f"{precision}-{lora}", lora=lora, precision=precision).loss
            for precision in ("float32", "bfloat16")
        ]
        assert losses[1] == pytest.approx(losses[0], rel=0.05)


def test_adapters_on_experts_answer_and_leave_the_base_as_it_was(
    bases: Path, tmp_path: Path
) -> None:
    from outdo.models.weights import Weights

    base = base_of("mixtral", bases)
    for name in ("one", "two"):
        run("sft", base, tmp_path / name, learning_rate=1e-2 if name == "one" else 2e-2)
    adapters = [resolve(str(tmp_path / name), runs=tmp_path) for name in ("one", "two")]
    here = Weights(base, device="cpu")
    ids = torch.arange(5, 25)[None]

    def said() -> torch.Tensor:
        with torch.no_grad():
            return here.model(input_ids=ids).logits

    before = said()
    for adapter in (*adapters, adapters[0]):
        here.activate(adapter)
        with torch.no_grad():
            there = loaded("sft", base, adapter.path)(input_ids=ids).logits
        assert torch.allclose(said(), there, atol=1e-4)
        assert not torch.allclose(said(), before, atol=1e-2)
    here.activate(base)
    assert torch.equal(said(), before)
