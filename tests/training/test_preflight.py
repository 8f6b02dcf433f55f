"""Each check before the first step, on the mistake that it is for."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tiny
from outdo.errors import ModelError, TrainingError
from outdo.models.chat import Chat, Encoded
from outdo.models.forest import Tree, lay
from outdo.models.reference import resolve
from outdo.records import Message, Pair, Prompt
from outdo.training import How, Lora, Settings, preflight, train
from outdo.training.dpo import Dpo
from outdo.training.giveaway import giveaways, longer
from outdo.training.sft import Sft


def checked(rows: list[Any], *, chat: Chat | None = None, **settings: Any) -> preflight.Rows:
    speaker = chat or Chat(tiny.tokenizer())
    return preflight.rows(rows, method=Sft(Settings()), chat=speaker, settings=Settings(**settings))


SHORT, LONG = tiny.talk("a", "return 1", name="short"), tiny.talk("b" * 90, "x" * 90, name="long")


def test_long_rows_are_dropped_cut_or_refused_and_counted_aloud() -> None:
    dropped = checked([SHORT, LONG], max_length=100)
    assert (len(dropped.trees), dropped.dropped, dropped.cut) == (1, 1, 0)
    over = len(Chat(tiny.tokenizer()).encode(LONG).ids) - 100
    assert dropped.notes == (
        f"1 of 2 rows were dropped: 1 longer than 100 tokens (by up to {over})",
    )
    cut = checked([SHORT, LONG], max_length=100, longer="cut")
    assert cut.trees[1].tokens == 100
    assert (cut.dropped, cut.cut, cut.longest_cut) == (0, 1, over)
    assert cut.notes == (f"1 of 2 rows were cut to 100 tokens (by up to {over})",)
    with pytest.raises(TrainingError, match=r"the row has \d+ tokens, max_length is 100") as caught:
        checked([SHORT, LONG], max_length=100, longer="refuse")
    assert caught.value.where == "long"
    assert checked([SHORT]).notes == ()


def test_a_row_cut_before_its_answer_is_dropped() -> None:
    cut = checked([SHORT, LONG], max_length=50, longer="cut")
    assert (len(cut.trees), cut.cut, cut.dropped) == (1, 0, 1)


def test_an_empty_answer_is_dropped() -> None:
    rows = checked([SHORT, tiny.talk("a", " \n")])
    assert rows.dropped == 1
    assert rows.notes == ("1 of 2 rows were dropped: 1 with an empty answer",)


def pair(chosen: str, rejected: str, *, name: str = "pair") -> Pair:
    asked = Prompt(messages=(Message(role="user", content="Repair it."),))
    return Pair(
        id=name,
        group=name,
        source="tiny",
        prompt=asked,
        chosen=chosen,
        rejected=rejected,
        criterion="tests",
    )


@pytest.mark.parametrize("rejected", ["return 1", "return 1  \n"])
def test_a_pair_whose_replies_are_the_same_is_dropped(rejected: str) -> None:
    template = tiny.TEMPLATE.replace("m.content", "m.content | trim")
    chat = Chat(tiny.tokenizer(template=template))
    given = [pair("return 1", "return 2"), pair("return 1", rejected)]
    rows = preflight.rows(given, method=Dpo(Settings()), chat=chat, settings=Settings())
    assert (len(rows.trees), rows.dropped) == (1, 1)
    assert "1 of 2 rows were dropped: 1 whose replies are the same" in rows.notes
    alike = [pair("x" * 200 + "a", "x" * 200 + "b"), given[0]]
    settings = Settings(max_length=60, longer="cut")
    cut = preflight.rows(alike, method=Dpo(settings), chat=chat, settings=settings)
    assert cut.numbers == (1,) and "whose replies are the same" in cut.notes[0]


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


@pytest.mark.parametrize(
    ("said", "written"), [("m.content | trim", "x = 1"), ("m.content | upper", "    X = 1")]
)
def test_a_template_that_strips_the_answer_is_refused_by_its_text(said: str, written: str) -> None:
    chat = speaks("{# careless #}" + tiny.TEMPLATE.replace("m.content", said))
    with pytest.raises(ModelError, match=r"the chat template '{# careless #}.* changes") as caught:
        checked([tiny.talk("a", "    x = 1", name="indented")], chat=chat)
    assert caught.value.where == "indented" and written in str(caught.value)


def test_a_template_that_leaves_the_answer_out_is_refused() -> None:
    template = (
        "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}"
    )
    with pytest.raises(ModelError, match="the chat template"):
        checked([SHORT], chat=speaks(template))


def speaks(template: str, **special: str | None) -> Chat:
    tokenizer = tiny.tokenizer(template=template)
    for name, token in special.items():
        setattr(tokenizer, name, token)
    return Chat(tokenizer)


def test_a_tokenizer_without_an_end_is_refused() -> None:
    with pytest.raises(ModelError, match="no end-of-sequence token") as caught:
        speaks(tiny.TEMPLATE, eos_token=None)
    assert caught.value.hint == "set its eos_token"


def test_a_tokenizer_without_padding_needs_none() -> None:
    chat = speaks(tiny.TEMPLATE, pad_token=None)
    assert chat.tokenizer.pad_token_id is None
    assert checked([SHORT, LONG], chat=chat).trees == checked([SHORT, LONG]).trees


def test_an_end_that_is_also_padding_is_learnt() -> None:
    template = tiny.TEMPLATE.replace("<|end|>", "</s>")
    chat = speaks(template, pad_token="</s>")
    rows = checked([SHORT, LONG], chat=chat)
    batch = lay(rows.trees, [[0], [1]])
    end = chat.tokenizer.eos_token_id
    assert end == chat.tokenizer.pad_token_id and batch.target.tolist().count(end) == 2


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


def recurrent(folder: Path) -> Path:
    """A model without attention, as a directory."""
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "state_size": 4}
    MambaForCausalLM(MambaConfig(vocab_size=400, **sizes)).save_pretrained(folder)
    tiny.tokenizer().save_pretrained(folder)
    return folder


def test_a_recurrent_model_learns_from_rows_apart_and_says_so(tmp_path: Path) -> None:
    base = resolve(str(recurrent(tmp_path / "mamba")), runs=tmp_path)
    settings = Settings(
        steps=2, rows_per_step=4, lora=None, precision="float32", how=How(device="cpu", threads=1)
    )
    report = train(base, tiny.talks(6), settings=settings, folder=tmp_path / "run")
    assert not report.packed and report.shared_share == 0 and math.isfinite(report.loss)
    (note,) = report.notes
    assert note.startswith("the model mixes up rows that lie together in a batch")


def test_experts_and_dropout_are_told() -> None:
    quiet, loud = Settings(), Settings(lora=Lora(dropout=0.1))
    assert list(preflight.notes(tiny.model(), quiet, packed=True)) == []
    (dropout,) = preflight.notes(tiny.model(), loud, packed=True)
    assert "dropout falls alike" in dropout
    (own,) = preflight.notes(tiny.model("gpt2", resid_pdrop=0.1), quiet, packed=True)
    assert own == dropout
    (experts,) = preflight.notes(tiny.model("mixtral"), quiet, packed=True)
    assert "auxiliary loss" in experts


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_replies_that_a_fence_gives_away_are_told_with_the_numbers(share: float) -> None:
    fenced = round(40 * share)
    pairs = [pair("```\nx\n```", "```\ny\n```" if n < fenced else "y" * 9) for n in range(40)]
    told = list(giveaways(pairs))
    if share == 1:
        assert told == []
    else:
        (note,) = told
        assert f"100% of the chosen replies have one, {share:.0%} of the rejected" in note


def test_replies_that_length_gives_away_are_told_with_the_number() -> None:
    pairs = [pair("x" * (5 + n), "y" * (3 + n)) for n in range(10)]
    assert list(giveaways(pairs)) == []  # of 10 pairs chance would make as much
    (note,) = giveaways(pairs * 20)
    area = sum((5 + a > 3 + b) + (5 + a == 3 + b) / 2 for a in range(10) for b in range(10)) / 100
    assert f"with probability {area:.2f} (AUC)" in note
    (note,) = giveaways([pair("x", "yy")] * 20)
    assert "probability 0.00" in note


@given(st.lists(st.integers(0, 9), min_size=1), st.lists(st.integers(0, 9), min_size=1))
def test_the_area_is_how_often_one_of_ours_is_longer(ours: list[int], theirs: list[int]) -> None:
    pairs = [(a > b) + (a == b) / 2 for a in ours for b in theirs]
    assert longer(ours, theirs) == pytest.approx(sum(pairs) / len(pairs))


def test_pairs_are_looked_through_before_a_run() -> None:
    rows = preflight.rows(
        [pair("```\nx\n```", f"y{n}") for n in range(20)],
        method=Dpo(Settings()),
        chat=Chat(tiny.tokenizer()),
        settings=Settings(),
    )
    assert [note.partition(":")[0] for note in rows.notes] == [
        "chosen and rejected can be told apart by a code fence",
        "chosen and rejected can be told apart by length alone",
    ]


def test_settings_survive_their_json() -> None:
    from outdo.records import from_json, to_json

    settings = Settings(lora=Lora(targets=("q_proj",)), how=How(threads=2))
    assert from_json(Settings, to_json(settings)) == settings
    assert from_json(Settings, to_json(replace(settings, lora=None))).lora is None


def test_a_path_without_learnt_tokens_still_lies_in_the_batch() -> None:
    paths = [Encoded(ids=(1, 2), learnt=(False, False)), Encoded(ids=(1, 2), learnt=(False, True))]
    rows = [Tree(paths=(path,)) for path in paths]
    assert lay(rows, [[0], [1]]).target.tolist() == [2]
