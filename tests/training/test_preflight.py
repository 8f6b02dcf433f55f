"""Each check before the first step, on the mistake that it is for."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import tiny
from outdo.errors import TrainingError
from outdo.models.chat import Chat, Encoded
from outdo.models.forest import Tree, lay
from outdo.models.reference import resolve
from outdo.training import How, Lora, Settings, preflight, train
from outdo.training.memory import Memory
from outdo.training.sft import Sft


def checked(rows: list[Any], *, chat: Chat | None = None, **settings: Any) -> preflight.Rows:
    speaker = chat or Chat(tiny.tokenizer())
    return preflight.rows(rows, method=Sft(Settings()), chat=speaker, settings=Settings(**settings))


SHORT, LONG = tiny.talk("a", "return 1", name="short"), tiny.talk("b" * 90, "x" * 90, name="long")


def test_long_rows_are_dropped_cut_or_refused_and_counted() -> None:
    dropped = checked([SHORT, LONG], max_length=100)
    assert (len(dropped.trees), dropped.dropped, dropped.cut) == (1, 1, 0)
    cut = checked([SHORT, LONG], max_length=100, longer="cut")
    assert cut.trees[1].tokens == 100
    assert (cut.dropped, cut.cut) == (0, 1)
    with pytest.raises(TrainingError, match=r"the row has \d+ tokens, max_length is 100") as caught:
        checked([SHORT, LONG], max_length=100, longer="refuse")
    assert caught.value.where == "long"


def test_a_row_cut_before_its_answer_is_dropped() -> None:
    cut = checked([SHORT, LONG], max_length=50, longer="cut")
    assert (len(cut.trees), cut.cut, cut.dropped) == (1, 0, 1)


def test_an_empty_answer_is_dropped() -> None:
    assert checked([SHORT, tiny.talk("a", " \n")]).dropped == 1


def test_no_row_left_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"of 1 rows none is left .*1 dropped"):
        checked([LONG], max_length=10)


def test_rows_that_are_all_cut_would_never_teach_to_stop() -> None:
    with pytest.raises(TrainingError, match="never learn to stop"):
        checked([LONG], max_length=120, longer="cut")


def test_a_second_bos_is_refused() -> None:
    twice = Chat(tiny.tokenizer(template="{{ bos_token }}" + tiny.TEMPLATE))
    with pytest.raises(TrainingError, match="more than once") as caught:
        checked([SHORT], chat=twice)
    assert caught.value.where == "short"


def test_an_answer_that_does_not_come_back_is_refused() -> None:
    with pytest.raises(TrainingError, match="doesn't give back the answer"):
        checked([tiny.talk("a", "before <pad> after")])


def test_the_end_of_every_answer_is_learnt_and_is_not_padding() -> None:
    chat = Chat(tiny.tokenizer())
    for one in (path for tree in checked([SHORT, LONG]).trees for path in tree.paths):
        assert one.ids[-1] in chat.stop_ids and one.learnt[-1]
        assert one.ids[-1] != chat.tokenizer.pad_token_id
    batch = lay(checked([SHORT, LONG]).trees, [[0], [1]])
    assert set(batch.target.tolist()) & chat.stop_ids


def test_float16_on_a_cpu_is_refused() -> None:
    with pytest.raises(TrainingError, match="float16 on a CPU"):
        preflight.precision("float16", torch.device("cpu"))
    assert preflight.precision("float32", torch.device("cpu")) == "float32"
    assert preflight.precision("auto", torch.device("cpu")) in ("float32", "bfloat16")


def test_a_target_that_is_no_module_is_refused_with_those_that_are() -> None:
    settings = Settings(lora=Lora(targets=("q_proj", "q_porj")))
    with pytest.raises(TrainingError, match="'q_porj' is no module") as caught:
        preflight.targets(tiny.model(), settings)
    assert "q_proj" in caught.value.hint and "down_proj" in caught.value.hint
    preflight.targets(tiny.model(), Settings(lora=Lora(targets=("q_proj",))))


def test_an_adapter_without_a_gradient_is_refused(llama_folder: Path, tmp_path: Path) -> None:
    base = resolve(str(llama_folder), runs=tmp_path)
    settings = Settings(lora=Lora(rank=2, alpha=0.0), precision="float32", how=How(device="cpu"))
    with pytest.raises(TrainingError, match="no weight that learns has a gradient"):
        train(base, [SHORT], settings=settings, folder=tmp_path / "run")


@pytest.mark.parametrize("kind", ["llama", "phi3", "gemma2", "gpt2"])
def test_a_model_that_keeps_rows_apart_is_known(kind: str) -> None:
    assert preflight.packs(
        tiny.model(kind), checked([SHORT, LONG, *tiny.talks(3)]).trees, head="lm"
    )


def test_a_model_that_mixes_rows_is_not_packed() -> None:
    model = tiny.model()
    embed = model.model.embed_tokens
    embed.register_forward_hook(lambda _, __, made: made.cumsum(1))  # looks back past any mask
    assert not preflight.packs(model, checked([SHORT, LONG]).trees, head="lm")


def test_a_batch_that_cannot_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    longest = lay(checked([SHORT, LONG]).trees, [[1]])
    model = tiny.model()

    def needed(tokens: int) -> int:
        return preflight.fits(
            model, longest, tokens=tokens, precision="float32", settings=Settings()
        )

    there = needed(4096)
    assert 0 < there < 2**30
    monkeypatch.setattr(preflight, "_free_bytes", lambda _: there - 1)
    with pytest.raises(TrainingError, match="a batch of 4096 tokens needs about") as caught:
        needed(4096)
    fitting = int(re.search(r"tokens_per_batch to (\d+)", caught.value.hint)[1])  # type: ignore[index]
    assert 0 < fitting < 4096 and needed(fitting) < there


def test_a_peak_is_measured_from_its_own_beginning() -> None:
    cpu = torch.device("cpu")
    size = 64 * 2**20
    first = Memory(cpu)
    held = torch.ones(size, dtype=torch.uint8)
    assert first.peak_bytes - first.baseline_bytes >= 0.9 * size
    del held
    second = Memory(cpu)
    assert second.peak_bytes - second.baseline_bytes < 0.5 * size


def test_settings_survive_their_json() -> None:
    from outdo.records import from_json, to_json

    settings = Settings(lora=Lora(targets=("q_proj",)), how=How(threads=2))
    assert from_json(Settings, to_json(settings)) == settings
    assert from_json(Settings, to_json(replace(settings, lora=None))).lora is None


def test_a_path_without_learnt_tokens_still_lies_in_the_batch() -> None:
    paths = [Encoded(ids=(1, 2), learnt=(False, False)), Encoded(ids=(1, 2), learnt=(False, True))]
    rows = [Tree(paths=(path,)) for path in paths]
    assert lay(rows, [[0], [1]]).target.tolist() == [2]
