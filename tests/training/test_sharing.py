"""What rows share is computed once and told; a base that runs share comes back as it was."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import plain
import tiny
from outdo.models.forest import Tree, families, lay
from outdo.models.reference import ModelReference, resolve
from outdo.training import How, Lora, Settings, TrainingReport, held, reference_logs, train
from runs import equal, weights

SETTINGS = Settings(
    epochs=1,
    learning_rate=3e-3,
    rows_per_step=8,
    precision="float32",
    lora=Lora(rank=4),
    how=How(threads=1, device="cpu", checkpoint_seconds=0),
)
PROGRAMS = [f"{n}. {tiny.TEXT[n % 4] * 3}" for n in range(8)]


def questions() -> list[Any]:
    """Two questions on each of eight programs: most of their prompts is the same."""
    return [
        tiny.talk(f"{PROGRAMS[p]}\nQuestion {q}?", f"answer {p} {q}", name=f"row-{p}-{q}")
        for q in range(2)
        for p in range(8)
    ]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> ModelReference:
    folder = tmp_path_factory.mktemp("base")
    return resolve(str(tiny.save(folder / "llama", initializer_range=0.05)), runs=folder)


def run(base: ModelReference, rows: Any, folder: Path, **changes: Any) -> TrainingReport:
    return train(base, rows, settings=replace(SETTINGS, **changes), folder=folder)


# ------------------------------------------------------------------ what is told


def test_rows_with_one_context_come_in_one_step(base: ModelReference, tmp_path: Path) -> None:
    rows = questions()
    together = run(base, rows, tmp_path / "together")
    apart = run(base, rows, tmp_path / "apart", share_context=False)
    assert together.tokens == apart.tokens and together.tokens_learnt == apart.tokens_learnt
    assert together.shared_share > 1.5 * apart.shared_share
    assert together.tokens_computed < apart.tokens_computed
    for report in (together, apart):
        distinct = report.tokens - report.tokens_shared
        assert report.shared_share == pytest.approx(report.tokens_shared / report.tokens)
        assert report.padding_share == pytest.approx(1 - distinct / report.tokens_computed)


def test_families_are_whole_steps_and_no_larger_than_asked() -> None:
    made = [plain.encoded(row) for row in questions()]
    groups = families([Tree(paths=(one,)) for one in made], share=0.75, most=2)
    assert sorted(n for group in groups for n in group) == list(range(16))
    assert [len(group) for group in groups] == [2] * 8
    assert all(len({number % 8 for number in group}) == 1 for group in groups)


@pytest.mark.parametrize("name", ["dpo", "reward", "choice"])
def test_a_pair_shares_its_prompt(name: str, base: ModelReference, tmp_path: Path) -> None:
    rows = plain.rows(name, 4)
    asked = plain.trees(name, 4)
    report = run(base, rows, tmp_path, method=name)
    assert report.tokens == sum(len(path.ids) for tree in asked for path in tree.paths)
    prompts = sum(tree.paths[0].learnt.index(True) for tree in asked)
    assert report.tokens_shared >= prompts


def test_what_two_paths_learn_together_counts_for_each() -> None:
    rows = plain.trees("dpo", 4)
    batch = lay(rows, [list(range(4))])
    learnt = sum(sum(path.learnt) for tree in rows for path in tree.paths)
    assert len(batch.target) == learnt > len(batch.source)
    counts = torch.bincount(batch.path, minlength=batch.paths).tolist()
    assert counts == [sum(path.learnt) for tree in rows for path in tree.paths]


def test_a_row_that_stands_there_twice_counts_twice(base: ModelReference, tmp_path: Path) -> None:
    once, twice = tiny.talks(3), [*tiny.talks(3), *tiny.talks(3)]
    one = run(base, once, tmp_path / "once")
    two = run(base, twice, tmp_path / "twice")
    assert two.loss == pytest.approx(one.loss, rel=1e-6)
    assert two.tokens_learnt == 2 * one.tokens_learnt
    assert two.tokens_shared >= one.tokens


# ------------------------------------------------------------------ a base for many runs


def everything(model: Any) -> dict[str, Any]:
    """All that a model is made of: tensors by name, modules by kind, hooks."""
    return {
        "tensors": {name: tensor.clone() for name, tensor in model.state_dict().items()},
        "modules": [(name, type(one)) for name, one in model.named_modules()],
        "hooks": [len(one._forward_hooks) + len(one._forward_pre_hooks) for one in model.modules()],
        "forwards": [name for name, one in model.named_modules() if "forward" in vars(one)],
        "rotation": sys.modules[type(model).__module__].__dict__.get("apply_rotary_pos_emb"),
        "own": set(vars(model)) - {"_require_grads_hooks"},
        "learns": [name for name, one in model.named_parameters() if one.requires_grad],
        "attention": model.config._attn_implementation,
        "types": {name: one.dtype for name, one in model.named_parameters()},
    }


def assert_as_before(before: dict[str, Any], model: Any) -> None:
    now = everything(model)
    assert equal(before.pop("tensors"), now.pop("tensors"))
    assert now == before


PLAIN = SETTINGS
RUNS = {
    "lora": PLAIN,
    "dora": replace(PLAIN, lora=Lora(rank=4, dora=True)),
    "dropout": replace(PLAIN, lora=Lora(rank=4, dropout=0.1)),
    "checkpointing": replace(PLAIN, how=replace(PLAIN.how, checkpointing=True)),
    "dpo": replace(PLAIN, method="dpo"),
    "nf4": replace(PLAIN, quantise="nf4"),
    "bfloat16": replace(PLAIN, precision="bfloat16"),
}


MORE = ("dora", "dropout", "bfloat16")


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.slow if kind in MORE else ()) for kind in RUNS]
)
def test_the_base_comes_back_as_it_was(kind: str, base: ModelReference, tmp_path: Path) -> None:
    if kind == "nf4":
        pytest.importorskip("bitsandbytes")
    settings = replace(RUNS[kind], epochs=None, steps=2)
    rows = plain.rows(settings.method, 5)
    held._held.clear()
    precision = "float32" if settings.precision == "auto" else settings.precision
    with held.held_base(base, settings, precision=precision) as model:
        before = everything(model)
    train(base, rows, settings=settings, folder=tmp_path)
    (after,) = held._held.values()
    assert after is model
    assert_as_before(before, after)


@pytest.mark.parametrize("kind", ["mixtral", pytest.param("gpt2", marks=pytest.mark.slow)])
def test_so_does_one_whose_experts_had_adapters(kind: str, tmp_path: Path) -> None:
    base = resolve(str(tiny.save(tmp_path / "base", kind)), runs=tmp_path)
    held._held.clear()
    with held.held_base(base, SETTINGS, precision="float32") as model:
        before = everything(model)
    for name in ("first", "second"):
        run(base, tiny.talks(5), tmp_path / name)
    (after,) = held._held.values()
    assert after is model
    assert_as_before(before, after)
    assert equal(weights(tmp_path / "first"), weights(tmp_path / "second"))


@pytest.mark.slow
def test_a_run_after_others_equals_the_run_alone(base: ModelReference, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=None, steps=2)
    alone: dict[str, Any] = {}
    for kind in ("lora", "dora", "dpo"):
        held._held.clear()
        one = replace(RUNS[kind], epochs=None, steps=2)
        train(base, plain.rows(one.method, 5), settings=one, folder=tmp_path / kind)
        alone[kind] = weights(tmp_path / kind)
    held._held.clear()
    train(base, tiny.talks(5), settings=settings, folder=tmp_path / "sft")
    tuned = resolve(str(tmp_path / "sft"), runs=tmp_path)
    further = replace(settings, method="dpo")
    train(tuned, plain.rows("dpo", 5), settings=further, folder=tmp_path / "further")
    dict(reference_logs(tuned, plain.rows("dpo", 5), settings=further))
    for kind in ("dpo", "lora", "dora"):
        one = replace(RUNS[kind], epochs=None, steps=2)
        train(base, plain.rows(one.method, 5), settings=one, folder=tmp_path / f"{kind}-later")
        assert equal(weights(tmp_path / f"{kind}-later"), alone[kind]), kind


def test_a_run_that_fails_leaves_no_base_behind(base: ModelReference, tmp_path: Path) -> None:
    class Stop(Exception):
        """Stands for whatever ends a run."""

    def stop(_: object) -> None:
        raise Stop

    held._held.clear()
    settings = replace(SETTINGS, epochs=None, steps=2)
    with pytest.raises(Stop):
        train(base, tiny.talks(5), settings=settings, folder=tmp_path / "cut", on_step=stop)
    assert held._held == {}
    train(base, tiny.talks(5), settings=settings, folder=tmp_path / "later")
    held._held.clear()
    train(base, tiny.talks(5), settings=settings, folder=tmp_path / "alone")
    assert equal(weights(tmp_path / "later"), weights(tmp_path / "alone"))
