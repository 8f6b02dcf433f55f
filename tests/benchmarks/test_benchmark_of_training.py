"""What the benchmark of training makes of rows and of times, and its way over real models."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import pytest
from training.job import Clock, Job, Worker, apart
from training.peer import SFT_MODES, WHOLE, batches
from training.progress import Progress

import tiny
from training import account, data, gpu, growth, prepare, suite


def turn(**rates: float) -> dict[str, Any]:
    return {name: {"tokens_per_second": rate} for name, rate in rates.items()}


# ------------------------------------------------------------------ ratios


def test_a_ratio_is_the_median_of_the_ratios_within_turns() -> None:
    pairs = [(turn(a=ours)["a"], turn(a=trl)["a"]) for ours, trl in ((20, 10), (9, 3), (4, 4))]

    assert suite.ratio(pairs) == 2.0


def test_modes_far_behind_the_fastest_are_not_run_again() -> None:
    rates = turn(outdo=900, grouped4=100, packed=95, padded=60)

    assert suite.worth(rates, 0.1) == ["grouped4", "packed"]


def test_the_mode_that_cuts_rows_is_never_the_best_one() -> None:
    assert suite.worth(turn(outdo=900, wrapped=300, grouped4=100), 0.1) == ["grouped4"]
    assert "wrapped" not in WHOLE
    assert {*WHOLE, "wrapped"} == set(SFT_MODES)


def test_the_first_epoch_pays_for_the_reference_of_all_pairs_and_later_ones_do_not() -> None:
    ours = {"seconds": 10, "tokens": 100, "reference_seconds": 10, "tokens_in_all": 200}
    trl = {"seconds": 30, "tokens": 100}

    assert suite.dpo_ratios([(ours, trl)]) == {"first_epoch": 2.0, "later_epochs": 3.0}


def test_the_headline_is_the_lowest_of_each_kind() -> None:
    sets: dict[str, Any] = {name: {"ratio": 3.0} for name in data.SFT | data.SHARED}
    sets |= {name: {"first_epoch": 2.5, "later_epochs": 4.0} for name in data.DPO | data.SHORT}
    sets["stdlib"]["ratio"] = 2.0

    told = account.headline(sets, {"ratio": 0.7})

    assert told["sft"] == 2.0
    assert told["sft_shared_context"] == 3.0
    assert tuple(told) == account.RATIOS


@pytest.mark.parametrize("extent", [suite.FULL, suite.QUICK])
def test_all_sets_are_measured_and_a_step_holds_whole_pull_requests(extent: suite.Extent) -> None:
    assert set(extent.steps) == set(extent.modes) == set(data.ALL)
    assert extent.pulls % len(data.QUESTIONS) == 0
    assert all(steps > 1 for steps in extent.steps.values())


# ------------------------------------------------------------------ clock and processes


def test_the_first_step_warms_up_unless_it_is_the_only_one() -> None:
    clock = Clock(began=1.0)
    clock.seconds, clock.tokens = [5.0], [100]
    clock.began = 1.0
    assert clock.told()["tokens_per_second"] == 25

    clock.seconds, clock.tokens = [5.0, 7.0], [100, 300]
    assert clock.told()["tokens_per_second"] == 100


@pytest.mark.slow
def test_a_worker_that_fails_says_why(tmp_path: Path) -> None:
    lost = Job(side="trl", method="sft", model="", rows=str(tmp_path / "none"), mode="padded")

    with Worker() as worker, pytest.raises(RuntimeError, match="none"):
        worker(lost)


def test_time_left_grows_with_the_work_that_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter((0.0, 60.0, 60.0))
    monkeypatch.setattr("training.progress.time.monotonic", lambda: next(times))
    said = io.StringIO()
    with redirect_stderr(said):
        progress = Progress(6)
        progress.spare(2)
        progress.step(1, "stdlib: outdo", {"tokens_per_second": 1234.0, "peak_bytes": 3 * 2**20})

    assert said.getvalue() == (
        "stdlib: outdo: 1,234 tokens a second, peak 3 MiB; 3.0 minutes left\n"
    )


# ------------------------------------------------------------------ TRL's arguments


def test_micro_batches_add_up_to_the_step() -> None:
    told = batches("grouped4", [10] * 32, 16)

    assert told["per_device_train_batch_size"] * told["gradient_accumulation_steps"] == 16


def test_packed_steps_hold_about_as_many_tokens() -> None:
    told = batches("packed", [100, 200, 300, 400], 16)

    assert told["max_length"] == 400
    assert told["gradient_accumulation_steps"] == 10
    assert batches("packed", [100], 16, block=800)["gradient_accumulation_steps"] == 2


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="grouped4"):
        batches("faster", [10], 16)


# ------------------------------------------------------------------ rows


def test_a_sample_keeps_groups_whole_and_spans_all_lengths() -> None:
    lengths = list(range(1, 61))
    groups = [str(row // 3) for row in range(60)]

    drawn = prepare.sample(lengths, groups, wanted=15)

    assert len(drawn) == 15
    assert all(drawn[at] // 3 == drawn[at + 2] // 3 for at in range(0, 15, 3))
    assert min(drawn) < 12
    assert max(drawn) >= 48


def test_batches_sorted_by_length_span_few_lengths() -> None:
    lengths = [1 + row * 37 % 200 for row in range(200)]

    drawn = prepare.grouped(lengths, batch=10, steps=5)

    spans = []
    for at in range(0, 50, 10):
        batch = [lengths[row] for row in drawn[at : at + 10]]
        spans.append(max(batch) - min(batch))
    assert len(set(drawn)) == 50
    assert max(spans) < 100


def test_quantiles_of_a_hundred() -> None:
    assert prepare.quantiles(range(100)) == {
        "p5": 5,
        "p25": 25,
        "p50": 50,
        "p75": 75,
        "p95": 95,
        "max": 99,
    }


def test_a_hint_points_at_the_first_difference() -> None:
    assert "line 2, `return a`" in data.hint("def f(a):\n    return a", "def f(a):\n    return -a")


def test_the_functions_of_the_library_ask_and_answer() -> None:
    row = next(data.stdlib())

    assert row.prompt.split("\n")[0] == row.reply.split("\n")[0]
    assert row.reply.lstrip().startswith(("def ", "async def ", "@"))


# ------------------------------------------------------------------ figure and real models


def test_the_figure_is_drawn_twice(tmp_path: Path) -> None:
    told = {
        "length": [{"length": 128.0, "outdo": 900.0, "trl": 400.0}],
        "budget": [{"budget": 512.0, "outdo": 800.0}],
    }

    growth.draw(told, tmp_path / "training")

    assert (tmp_path / "training.png").stat().st_size > 5000
    assert "tokens of a row" in (tmp_path / "training.svg").read_text().replace("&#32;", " ")


def test_work_a_token_is_what_torch_counts() -> None:
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import AutoModelForCausalLM

    config = small(tiny.tokenizer())
    model = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    ids = torch.arange(48).reshape(1, 48)
    with FlopCounterMode(display=False) as counter:
        model(input_ids=ids, labels=ids).loss.backward()

    assert counter.get_total_flops() / 48 == gpu.flop_a_token(config, rank=0, context=48)


def test_frozen_weights_cost_two_thirds() -> None:
    config = small(tiny.tokenizer())
    whole = gpu.flop_a_token(config, rank=0, context=0)
    frozen = gpu.flop_a_token(config, rank=1, context=0)

    assert 2 / 3 < frozen / whole < 0.72


def small(speaks: Any) -> Any:
    """A Llama as small as it gets, with fewer keys than heads."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=8192,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        tie_word_embeddings=False,
        **prepare.ends(speaks),
    )


@pytest.mark.slow
@pytest.mark.parametrize("rank", [2, 0])
def test_models_of_real_size_go_the_same_way_on_a_processor(tmp_path: Path, rank: int) -> None:
    case = gpu.Case(name="small", config=small, rank=rank)

    told = gpu.measured(
        case, tmp_path, device="cpu", turns=1, rows=8, block=128, run=apart, peak=1e12
    )

    assert set(told) == {"rows of one block", "stdlib"}
    for sort in told.values():
        for side in ("outdo", "trl"):
            assert sort[side]["tokens_per_second"] > 0
            assert 0 < sort[side]["mfu"] < 1
            assert sort[side]["peak_bytes"] > 0
    json.dumps(told)
