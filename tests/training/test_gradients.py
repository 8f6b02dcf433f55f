"""The gradient is that of each conversation computed alone, whatever shares a row or a batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import plain
import tiny
from outdo.models.chat import Chat, Encoded
from outdo.models.forest import Tree, lay, layouts
from outdo.training.settings import Settings
from outdo.training.sft import Sft


def encoded(count: int = 7) -> list[Encoded]:
    chat = Chat(tiny.tokenizer())
    return [chat.encode(row) for row in tiny.talks(count)]


@pytest.mark.parametrize("name", plain.METHODS)
@pytest.mark.parametrize(
    ("tokens", "packed"),
    [
        (300, True),
        (4096, False),
        *(
            pytest.param(tokens, packed, marks=pytest.mark.slow)
            for tokens, packed in ((4096, True), (1, True), (200, False))
        ),
    ],
)
def test_batches_equal_separate_sequences(name: str, tokens: int, packed: bool) -> None:
    model = tiny.model("mistral", head=plain.head(name), initializer_range=0.02)
    plain.assert_alike(name, model, plain.trees(name, 5), tokens=tokens, packed=packed)


def tree(*paths: tuple[int, ...], asked: int = 1) -> Tree:
    made = [Encoded(ids=ids, learnt=tuple(n >= asked for n in range(len(ids)))) for ids in paths]
    return Tree(paths=tuple(made))


PATHS = st.lists(st.integers(1, 3), min_size=1, max_size=12).map(tuple)
TREES = st.lists(st.lists(PATHS, min_size=1, max_size=3), min_size=1, max_size=12)


@settings(deadline=None)
@given(TREES, st.integers(1, 60), st.booleans())
def test_every_path_is_laid_out_once_and_within_the_budget(
    rows: list[list[tuple[int, ...]]], tokens: int, packed: bool
) -> None:
    trees = [tree(*paths) for paths in rows]
    made = list(layouts(trees, range(len(trees)), tokens=tokens, packed=packed))
    laid = [number for layout in made for row in layout for number in row]
    assert sorted(laid) == list(range(len(trees)))
    for layout in made:
        batch = lay(trees, layout, packed=packed)
        alone = max(
            lay(trees, [[number]], packed=packed).computed for row in layout for number in row
        )
        assert batch.computed <= max(tokens, alone)
        assert batch.distinct <= batch.computed
        assert batch.distinct <= batch.tokens == sum(trees[n].tokens for n in batch.trees)


@settings(deadline=None)
@given(TREES, st.booleans())
def test_each_token_sees_what_comes_before_it_on_its_path(
    rows: list[list[tuple[int, ...]]], packed: bool
) -> None:
    trees = [tree(*paths) for paths in rows]
    numbers = list(range(len(trees)))
    batch = lay(trees, [numbers[::2], numbers[1::2]] if numbers[1:] else [numbers], packed=packed)
    ids, width = batch.ids.flatten().tolist(), batch.ids.shape[1]
    place = torch.arange(width)
    seen = (place[:, None] >= place) & (place[None, :, None] < batch.end[:, None, :])
    paths = [path for number in batch.trees for path in trees[number].paths]
    for path, last in zip(paths, batch.last.tolist(), strict=True):
        row, node = divmod(last, width)
        before = seen[row, node].nonzero()[:, 0].tolist()
        assert tuple(ids[row * width + one] for one in before) == path.ids
        assert batch.positions[row, before].tolist() == list(range(len(path.ids)))
    learnt = [
        (n, path.ids[k], path.ids[:k])
        for n, path in enumerate(paths)
        for k in range(1, len(path.ids))
        if path.learnt[k]
    ]
    assert batch.path.tolist() == [number for number, *_ in learnt]
    assert batch.target.tolist() == [token for _, token, _ in learnt]
    for source, (_, _, before) in zip(batch.source[batch.pick].tolist(), learnt, strict=True):
        row, node = divmod(source, width)
        shown = seen[row, node].nonzero()[:, 0].tolist()
        assert tuple(ids[row * width + one] for one in shown) == before


def test_a_batch_says_who_sees_whom() -> None:
    batch = lay([tree((5, 6, 7)), tree((8, 9)), tree((1, 2, 3, 4, 5, 6), asked=5)], [[0, 1], [2]])
    assert batch.ids.tolist() == [[5, 6, 7, 8, 9, 0], [1, 2, 3, 4, 5, 6]]
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1, 0], [0, 1, 2, 3, 4, 5]]
    assert batch.end.tolist() == [[3, 3, 3, 5, 5, 6], [6] * 6]
    assert batch.source.tolist() == [0, 1, 3, 10]
    assert batch.pick.tolist() == [0, 1, 2, 3]
    assert batch.target.tolist() == [6, 7, 9, 6]
    assert batch.path.tolist() == [0, 0, 1, 2]
    assert batch.last.tolist() == [2, 4, 11]
    assert batch.trees == (0, 1, 2) and (batch.tokens, batch.computed) == (11, 12)
    assert not batch.single
    mask = batch.mask(tiny.configuration("llama", attn_implementation="sdpa"), torch.float32)
    assert mask[0, 0].int().tolist() == [
        [1, 0, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [1, 1, 1, 0, 0, 0],
        [0, 0, 0, 1, 0, 0],
        [0, 0, 0, 1, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]
    assert lay([tree((5, 6, 7)), tree((8, 9))], [[0], [1]]).single


def test_what_two_paths_share_is_there_once_and_learnt_for_each() -> None:
    batch = lay([tree((1, 2, 3, 4), (1, 2, 3, 5, 6), asked=2)], [[0]])
    assert batch.ids.tolist() == [[1, 2, 3, 4, 5, 6]]
    assert batch.positions.tolist() == [[0, 1, 2, 3, 3, 4]]
    assert batch.end.tolist() == [[6, 6, 6, 4, 6, 6]]
    assert batch.source.tolist() == [1, 2, 4]
    assert batch.pick.tolist() == [0, 1, 0, 1, 2]
    assert batch.target.tolist() == [3, 4, 3, 5, 6]
    assert (batch.tokens, batch.distinct, batch.computed) == (9, 6, 6)


def test_only_what_learnt_tokens_follow_reaches_the_output_layer() -> None:
    model, rows = tiny.model(), [Tree(paths=(one,)) for one in encoded(3)]
    seen: list[int] = []
    model.lm_head.register_forward_pre_hook(lambda _, x: seen.append(x[0].shape[1]))
    batch = lay(rows, [[0], [1], [2]])
    Sft(Settings()).loss(model, batch)
    assert seen == [len(batch.target)]
    assert model(input_ids=batch.ids).logits.shape[1] == batch.ids.shape[1]


def lora_model(seed: int = 0, **changes: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    from outdo.models.weights import peft_without_warnings

    model = tiny.model(**changes)
    torch.manual_seed(seed)
    config = LoraConfig(
        r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM"
    )
    with peft_without_warnings():
        return get_peft_model(model, config)


def test_a_fused_layer_gives_what_peft_gives() -> None:
    from outdo.training.fused import fuse

    rows = [Tree(paths=(one,)) for one in encoded(4)]
    batch = lay(rows, [[0], [1], [2], [3]])
    plain, fused = lora_model(), lora_model()
    assert fuse(fused) == 14
    for model in (plain, fused):
        loss, _ = Sft(Settings()).loss(model, batch)
        loss.backward()
    for (_, one), (_, two) in zip(plain.named_parameters(), fused.named_parameters(), strict=True):
        if one.requires_grad:
            assert two.grad is not None
            assert float((one.grad - two.grad).abs().max()) <= 1e-5 * float(one.grad.abs().max())


def test_layers_that_do_more_stay_as_peft_made_them() -> None:
    from peft import LoraConfig, get_peft_model

    from outdo.models.weights import peft_without_warnings
    from outdo.training.fused import fuse

    for more in ({"lora_dropout": 0.1}, {"use_dora": True}):
        config = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM", **more)
        with peft_without_warnings():
            assert fuse(get_peft_model(tiny.model(), config)) == 0, more
