"""What a run will need, what is free, and what it took."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import tiny
from outdo.errors import TrainingError
from outdo.models.chat import Chat
from outdo.models.forest import Batch, Tree, lay
from outdo.training import Settings, adapt
from outdo.training.compute import autocast
from outdo.training.estimate import ALLOCATOR, Needs, fits, held, needs
from outdo.training.memory import Memory, free_bytes
from outdo.training.sft import Sft

CHAT = Chat(tiny.tokenizer())


def trees(count: int, length: int = 90) -> list[Tree]:
    """Rows of about as many tokens, which have nothing in common."""
    talks = (tiny.talk(f"{n:02}" + "b" * length, "x" * length) for n in range(count))
    return [Tree(paths=(CHAT.encode(talk),)) for talk in talks]


def needed(model: Any, rows: list[Tree], *, precision: str = "float32") -> tuple[Needs, Batch]:
    def forward(numbers: Sequence[int]) -> tuple[Batch, Tensor]:
        batch = lay(rows, [[number] for number in numbers])
        with autocast(model, precision):
            return batch, Sft(Settings()).loss(model, batch)[0]

    whole = lay(rows, [[number] for number in range(len(rows))])
    return needs(model.train(), whole, [tree.tokens for tree in rows], forward), whole


def test_what_a_forward_pass_leaves_is_counted() -> None:
    model = torch.nn.Linear(100, 50)
    rows = torch.ones(30, 100, requires_grad=True)

    def forward() -> tuple[Any, Tensor]:
        return None, model(rows).tanh().square().sum()

    left, _ = held(model, forward)
    assert left == 4 * (30 * 100 + 30 * 50)  # what goes in, and what tanh has made; not the weights


def test_the_need_of_many_rows_is_told_from_that_of_a_few() -> None:
    model = tiny.model()
    (few, _), (many, _) = needed(model, trees(4)), needed(model, trees(16))
    assert many.batch == pytest.approx(4 * few.batch, rel=0.05)
    mixed = [tree for length in (30, 60, 90, 120) for tree in trees(6, length)]
    estimated, whole = needed(model, mixed)
    counted, _ = held(model, lambda: (whole, Sft(Settings()).loss(model, whole)[0]))
    passing = 1.5  # of two layers one
    assert estimated.batch == pytest.approx(passing * ALLOCATOR["cpu"] * counted, rel=0.1)


def test_fewer_bits_and_checkpointing_need_less() -> None:
    deep = tiny.model(num_hidden_layers=8)
    plain, _ = needed(deep, trees(8))
    assert needed(deep, trees(8), precision="bfloat16")[0].batch < 0.8 * plain.batch
    adapt.checkpoint(deep)
    assert needed(deep, trees(8))[0].batch < 0.6 * plain.batch
    assert deep.is_activation_checkpointing


def test_weights_that_learn_need_room_beside_them() -> None:
    model = tiny.model()
    count = sum(one.numel() for one in model.parameters())
    assert needed(model, trees(2))[0].learning == 12 * count
    model.requires_grad_(False).get_input_embeddings().requires_grad_(True)
    assert needed(model, trees(2))[0].learning == 12 * 400 * 64


def test_a_batch_that_cannot_fit_is_refused_with_one_that_can() -> None:
    there, whole = needed(tiny.model(), trees(32, 40))
    fits(there, whole, there.total)
    fits(there, whole, None)
    with pytest.raises(TrainingError, match=f"a batch of {whole.computed} tokens needs") as caught:
        fits(there, whole, there.total - 1)
    fitting = re.search(r"tokens_per_batch to (\d+)", caught.value.hint)
    assert fitting and 0 < int(fitting[1]) < whole.computed
    with pytest.raises(TrainingError) as caught:
        fits(there, whole, there.learning)
    assert "lower max_length" in caught.value.hint


def test_what_is_free_is_known_here() -> None:
    free = free_bytes(torch.device("cpu"))
    assert free is None or free > 2**20
    assert free_bytes(torch.device("meta")) is None


def test_a_peak_is_measured_from_its_own_beginning() -> None:
    cpu = torch.device("cpu")
    size = 64 * 2**20
    first = Memory(cpu)
    held = torch.ones(size, dtype=torch.uint8)
    assert first.peak_bytes - first.baseline_bytes >= 0.9 * size
    assert first.bytes_now - first.baseline_bytes >= 0.9 * size
    del held
    second = Memory(cpu)
    assert second.peak_bytes - second.baseline_bytes < 0.5 * size


RUN = """
import json, sys
from pathlib import Path
import tiny
from outdo.models.reference import resolve
from outdo.training import How, Lora, Settings, train

folder, rank, precision = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
asked = "\\n".join(tiny.TEXT) * 2
rows = [tiny.talk(asked + str(n), tiny.TEXT[n % 4] * 4, name=str(n)) for n in range(200)]
how = How(device="cpu", threads=1, tokens_per_batch=8192, checkpointing=sys.argv[4] == "anew")
settings = Settings(
    steps=2,
    rows_per_step=60,
    precision=precision,
    lora=Lora(rank=rank) if rank else None,
    share_context=False,
    how=how,
)
report = train(resolve("embedded/seedling", runs=folder), rows, settings=settings, folder=folder)
print(json.dumps([report.estimated_bytes, report.peak_bytes - report.baseline_bytes]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rank", "precision", "anew"),
    [
        (4, "float32", "kept"),
        (64, "float32", "kept"),
        (0, "float32", "kept"),
        (16, "float32", "anew"),
        (16, "bfloat16", "kept"),
    ],
)
def test_the_estimate_is_not_far_above_the_peak(
    tmp_path: Path, rank: int, precision: str, anew: str
) -> None:
    here = Path(__file__).parent
    path = os.pathsep.join([str(here), str(here.parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), str(rank), precision, anew],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
    )
    estimated, took = json.loads(done.stdout)
    assert 0.9 * took < estimated < 1.5 * took
