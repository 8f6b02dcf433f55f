from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.data.problems import Problem, embedded_problems
from outdo.data.problems import Test as Case

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "src" / "outdo" / "embedded" / "seedling"
sys.path.insert(0, str(ROOT / "scripts" / "seedling"))
chores = importlib.import_module("chores")
classics = importlib.import_module("classics")
cleanroom = importlib.import_module("cleanroom")
corpus = importlib.import_module("corpus")
exercise = importlib.import_module("exercise")
folds = importlib.import_module("folds")
library = importlib.import_module("library")
pretrain = importlib.import_module("pretrain")
vocabulary = importlib.import_module("vocabulary")

FUNCTION = 'def spare(x):\n    """Return a spare part of x, which is a long enough text here."""\n'
LIBRARY = library.Library(
    functions=(FUNCTION + "    return x[1:]",),
    bare=("def spare(parts, wanted):\n    return [part for part in parts if part != wanted]",),
    prose=("Nothing much is said in this text, but it is long enough to be prose.",),
    modules=("import spare\n\nvalue = spare.of(3)\n" * 60,),
)


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return transformers.AutoTokenizer.from_pretrained(FOLDER)


@pytest.fixture(scope="module")
def model() -> Any:
    return transformers.AutoModelForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def problems() -> tuple[Problem, ...]:
    return embedded_problems()


@pytest.fixture(scope="module")
def rows(problems: tuple[Problem, ...], tokenizer: Any) -> Any:
    known = corpus.sources(problems, LIBRARY)
    return corpus.Corpus(sources=known, tokenizer=tokenizer, seed=7)


# ------------------------------------------------------------------ the folder


def test_all_files_together_take_at_most_20_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 20_000_000


def test_weights_are_bfloat16_and_every_file_is_plain() -> None:
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(FOLDER / "model.safetensors", "pt") as weights:
        kinds = {weights.get_tensor(name).dtype for name in weights.keys()}  # noqa: SIM118
    assert kinds == {torch.bfloat16}
    suffixes = {path.suffix for path in FOLDER.iterdir()}
    assert suffixes <= {".json", ".jinja", ".safetensors", ".md"}


def test_configuration_is_a_llama_with_4k_context(model: Any, tokenizer: Any) -> None:
    config = model.config
    assert config.model_type == "llama"
    assert config.max_position_embeddings == tokenizer.model_max_length == 4096
    assert config.vocab_size == len(tokenizer)
    assert config.tie_word_embeddings
    assert sum(p.numel() for p in model.parameters()) <= 9_000_000


def test_special_tokens_are_distinct_and_spare_ones_are_reserved(tokenizer: Any) -> None:
    ids = [tokenizer.convert_tokens_to_ids(token) for token in vocabulary.SPECIAL]
    assert len(set(ids)) == len(vocabulary.SPECIAL)
    assert tokenizer.pad_token_id not in (tokenizer.eos_token_id, tokenizer.bos_token_id)
    assert len(vocabulary.SPARE) >= 32
    assert set(ids) <= set(tokenizer.all_special_ids)


def test_generation_ends_at_the_end_of_a_turn_and_of_a_document(model: Any, tokenizer: Any) -> None:
    ends = [tokenizer.convert_tokens_to_ids(token) for token in ("<|end|>", "<|document_end|>")]
    assert model.generation_config.eos_token_id == ends
    assert model.config.eos_token_id == tokenizer.eos_token_id == ends[0]
    assert model.config.pad_token_id == tokenizer.pad_token_id


# ------------------------------------------------------------------ the tokenizer


def test_template_renders_each_turn_between_its_marks(tokenizer: Any) -> None:
    messages = [
        {"role": "system", "content": " s\n"},
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": "a\n"},
        {"role": "user", "content": "v"},
    ]
    rendered = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert rendered == (
        "<|bos|><|system|> s\n<|end|><|user|>u<|end|><|assistant|>a\n<|end|>"
        "<|user|>v<|end|><|assistant|>"
    )


def test_training_rows_are_what_the_template_renders(rows: Any, tokenizer: Any) -> None:
    turns = [("x = 1\nRepeat.", "```python\nx = 1\n```"), ("Again.", "no")]
    row = rows.conversation(turns, system="Be brief.", kind="repeat")
    messages = [{"role": "system", "content": "Be brief."}]
    for user, assistant in turns:
        messages += [
            {"role": "user", "content": user},
            {"role": "assistant", "content": assistant},
        ]
    rendered = tokenizer.apply_chat_template(messages, tokenize=False)
    assert row.ids == tokenizer(rendered, add_special_tokens=False)["input_ids"]
    said = [token for token, learnt in zip(row.ids, row.learnt, strict=True) if learnt]
    assert tokenizer.decode(said) == "```python\nx = 1\n```<|end|>no<|end|>"


def test_every_byte_can_be_said(tokenizer: Any) -> None:
    everything = bytes(range(256)).decode("latin-1") + "λ你好🙂"
    ids = tokenizer(everything, add_special_tokens=False)["input_ids"]
    assert tokenizer.decode(ids) == everything


@settings(max_examples=200, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_comes_back(tokenizer: Any, text: str) -> None:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    if not any(token in text for token in vocabulary.SPECIAL):
        assert tokenizer.decode(ids) == text


def test_a_name_has_the_same_tokens_wherever_it_stands(tokenizer: Any) -> None:
    code = "def f(count):\n    count += 1\n    return count if not count else [count, count]\n"
    pieces = [tokenizer.decode([token]) for token in tokenizer(code)["input_ids"]]
    assert pieces.count("count") == 6
    assert {" += ", " if ", "not ", " else ", "return "} <= set(pieces)


# ------------------------------------------------------------------ what it may have seen


def held_out_problem() -> Problem:
    return Problem(
        name="odd-ones",
        entry="odd_ones",
        statement="Return the numbers of the list that leave a remainder when halved, in order.",
        tests=(
            Case(call="odd_ones([1, 2, 3])", expected="[1, 3]"),
            Case(call="odd_ones([])", expected="[]"),
            Case(call="odd_ones([-5, 0])", expected="[-5]"),
        ),
        solutions=("def odd_ones(ns):\n    return [n for n in ns if n % 2 == 1]",),
        held_out=True,
    )


def exercise_of(code: str, *, entry: str, statement: str = "Do it.") -> Any:
    return exercise.Exercise(entry=entry, statement=statement, programs=(code,), tests=())


def test_clean_room_refuses_what_equals_solves_or_tells_a_held_out_problem() -> None:
    room = cleanroom.Cleanroom([held_out_problem()])
    same = "def g(values):\n    return [v for v in values if v % 2 == 1]"
    solving = "def g(a):\n    b = []\n    for c in a:\n        b += [c] * (c & 1)\n    return b"
    other = "def g(values):\n    return [v for v in values if v % 2 == 0]"
    assert not room.admits_code(same)
    assert room.admits_code(solving)
    assert not room.admits(exercise_of(solving, entry="g"))
    assert room.admits(exercise_of(other, entry="g"))
    told = "Do return THE numbers of the list that leave\n a remainder when halved, in order."
    assert not room.admits(exercise_of(other, entry="g", statement=told))


def test_clean_room_ends_a_program_that_does_not_end() -> None:
    room = cleanroom.Cleanroom([held_out_problem()])
    assert room.admits(exercise_of("def g(a):\n    while True:\n        pass", entry="g"))


def test_sources_hold_no_held_out_problem(problems: tuple[Problem, ...], rows: Any) -> None:
    held_out = {problem.name for problem in problems if problem.held_out}
    assert len(held_out) >= 15
    assert not held_out & {problem.name for problem in rows.sources.problems}
    assert rows.sources.problems


def test_no_row_holds_a_held_out_solution_or_sentence(
    problems: tuple[Problem, ...], rows: Any, tokenizer: Any
) -> None:
    room = cleanroom.Cleanroom([problem for problem in problems if problem.held_out])
    for row in rows.pool(3):
        text = tokenizer.decode(row.ids)
        assert room.admits_text(text)
        for code in re.findall(r"```python\n(.*?)\n```", text, re.DOTALL):
            try:
                assert room.admits_code(code)
            except SyntaxError:
                assert "___" in code or row.kind != "repeat"


def test_a_pool_depends_on_its_number_alone(rows: Any) -> None:
    again = corpus.Corpus(sources=rows.sources, tokenizer=rows.tokenizer, seed=7)
    assert [row.ids for row in again.pool(2)] == [row.ids for row in rows.pool(2)]
    assert [row.ids for row in again.pool(2)] != [row.ids for row in rows.pool(1)]


def test_the_nursery_only_copies(rows: Any) -> None:
    for row in rows.pool(0, nursery=0.0)[:20]:
        said = [token for token, learnt in zip(row.ids, row.learnt, strict=True) if learnt]
        first = said[: said.index(rows.tokenizer.eos_token_id)]
        assert first
        assert bytes(str(row.ids), "ascii").count(bytes(str(first)[1:-1], "ascii")) >= 2


# ------------------------------------------------------------------ exercises and chores


def drawn(count: int, *, seed: int = 1) -> list[Any]:
    rng = Random(seed)
    found = [maker(rng) for _ in range(count) for maker in (folds.fold, classics.classic)]
    return [each for each in found if each is not None]


def test_generated_programs_give_the_results_that_are_told() -> None:
    made = drawn(60)
    assert len(made) > 100
    for each in made:
        assert len(each.tests) >= 2
        for code in each.programs:
            assert exercise.canonical(code) == code
            space: dict[str, Any] = {}
            exec(code, space)
            for call, expected in each.tests:
                assert exercise.literal(eval(call, dict(space))) == expected


def test_every_template_agrees_with_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(2)
    for template in classics.CLASSICS:
        monkeypatch.setattr(classics, "CLASSICS", (template,))
        assert [classics.classic(rng) for _ in range(3)].count(None) == 0, template.statement


def code_in(message: str) -> str:
    found = re.search(r"```python\n(.*?)\n```", message, re.DOTALL)
    assert found
    return found.group(1)


@pytest.mark.parametrize("seed", range(12))
def test_blanks_are_filled_with_what_the_program_says(seed: int) -> None:
    rng = Random(seed)
    piece = chores.piece_of(rng, drawn(1, seed=seed)[0])
    asked, said = chores.fill_in(rng, piece)
    pattern = ".+".join(map(re.escape, code_in(asked).split("___")))
    assert "___" in code_in(asked)
    assert re.fullmatch(pattern, code_in(said), re.DOTALL)
    assert code_in(said) == piece.code


@pytest.mark.parametrize("seed", range(12))
def test_renamed_programs_do_the_same(seed: int) -> None:
    rng = Random(seed)
    made = drawn(1, seed=seed)[0]
    turn = chores.rename(rng, chores.piece_of(rng, made))
    assert turn is not None
    asked, said = turn
    space: dict[str, Any] = {}
    exec(code_in(said), space)
    assert code_in(said) != code_in(asked)
    function = space.get(made.entry) or next(v for n, v in space.items() if n != "__builtins__")
    for call, expected in made.tests:
        assert exercise.literal(eval(call, {made.entry: function})) == expected


# ------------------------------------------------------------------ the run

TINY = pretrain.Settings(
    tokens=9_000, layers=1, width=32, heads=2, inner=64, batch_tokens=1024, nursery_tokens=2_000
)


def weights_after(folder: Path, rows: Any) -> dict[str, Any]:
    run = pretrain.Run(folder, rows, TINY)
    run.go_on(save_every=0, gauge_rows=1)
    weights: dict[str, Any] = run.model.state_dict()
    return weights


def test_a_run_that_was_stopped_ends_with_the_same_weights(
    tmp_path: Path, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus, "POOL_ROWS", 12)
    (tmp_path / "whole").mkdir()
    (tmp_path / "stopped").mkdir()
    whole = weights_after(tmp_path / "whole", rows)
    with monkeypatch.context() as patch:
        patch.setattr(pretrain.Run, "one_pool", stopping_after(2, pretrain.Run.one_pool))
        with pytest.raises(KeyboardInterrupt):
            weights_after(tmp_path / "stopped", rows)
    stopped = weights_after(tmp_path / "stopped", rows)
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)
    log = (tmp_path / "stopped" / "log.jsonl").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    pools = [line["pool"] for line in lines if "loss" in line]
    assert pools == list(range(1, len(pools) + 1))
    assert len(pools) > 3


def stopping_after(count: int, one_pool: Callable[[Any], float]) -> Callable[[Any], float]:
    def stopped(run: Any) -> float:
        if run.progress.pool == count:
            raise KeyboardInterrupt
        return one_pool(run)

    return stopped


def test_the_rate_rises_stays_and_falls(tmp_path: Path, rows: Any) -> None:
    run = pretrain.Run(tmp_path, rows, TINY)
    rates = []
    for tokens in (0, 90, 180, 4_900, 6_975, 9_000):
        run.progress.tokens = tokens
        rates.append(round(run.rate(), 3))
    assert rates == [0.005, 0.5, 1.0, 1.0, 0.5, 0.005]


def test_padding_changes_no_prediction(tmp_path: Path, rows: Any) -> None:
    run = pretrain.Run(tmp_path, rows, TINY)
    short, long = corpus.Row("a", [1, 70, 80], [False, True, True]), rows.pool(4)[0]
    alone, wanted, _ = run.predicted([short])
    beside, _, number = run.predicted([short, long])
    assert wanted.tolist() == [70, 80]
    assert torch.allclose(alone.float(), beside[number == 0].float(), atol=2e-2)


# ------------------------------------------------------------------ what it can do


def test_model_repeats_programs_that_it_has_never_seen(model: Any, tokenizer: Any) -> None:
    rng = Random("never seen")
    right = 0
    for made in drawn(10, seed=20261122)[:16]:
        code = chores.piece_of(rng, made).code
        content = f"{made.statement}\n\n{chores.fenced(code)}\n\nRepeat the program."
        messages = [{"role": "user", "content": content}]
        ids = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        said = model.generate(**ids, max_new_tokens=300, do_sample=False)
        reply = tokenizer.decode(said[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)
        right += reply == chores.fenced(code)
    assert right >= 11
