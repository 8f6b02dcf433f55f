from __future__ import annotations

import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outdo.data.bridges import (
    AnswerSet,
    matched,
    read_annotations,
    read_answers,
    write_annotations,
    write_answers,
)
from outdo.errors import DataError
from outdo.records import Comparison, Preference

FILES = {
    "plain": "a.jsonl",
    "arena-hard": "a.jsonl",
    "alpaca-eval": "a.json",
    "lm-eval": "a.jsonl",
    "evalplus": "a.jsonl",
}
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
IDS = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=8)
SINGLE = st.dictionaries(IDS, TEXT.map(lambda text: (text,)), min_size=1, max_size=6)
SAMPLED = st.dictionaries(
    IDS, st.lists(TEXT, min_size=1, max_size=3).map(tuple), min_size=1, max_size=6
)
bounded = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def same(answers: AnswerSet, path: Path, format: str) -> AnswerSet:
    write_answers(answers, path, format=format)
    return read_answers(path)


# ------------------------------------------------------------------ there and back


@bounded
@given(st.data(), st.sampled_from(["plain", "lm-eval"]))
def test_answers_with_samples_and_prompts_come_back(
    tmp_path: Path, data: st.DataObject, format: str
) -> None:
    given_ = data.draw(SAMPLED)
    prompts = {id: data.draw(st.none() | TEXT) for id in given_}
    name = "model" if format == "plain" else "a"
    answers = AnswerSet(name=name, answers=given_, prompts=prompts)
    found = same(answers, tmp_path / FILES[format], format)
    assert (found.name, found.answers, found.prompts) == (name, given_, prompts)


@bounded
@given(SAMPLED)
def test_programs_come_back_sample_by_sample(tmp_path: Path, programs: Any) -> None:
    answers = AnswerSet(name="a", answers=programs)
    assert same(answers, tmp_path / "a.jsonl", "evalplus").answers == programs


@bounded
@given(st.data(), st.sampled_from(["arena-hard", "alpaca-eval"]))
def test_single_answers_come_back(tmp_path: Path, data: st.DataObject, format: str) -> None:
    given_ = data.draw(SINGLE)
    prompts = {id: data.draw(TEXT) for id in given_}
    answers = AnswerSet(name="model", answers=given_, prompts=prompts)
    found = same(answers, tmp_path / FILES[format], format)
    assert (found.name, found.answers, found.prompts) == ("model", given_, prompts)


PREFERENCES = st.lists(
    st.builds(
        lambda id, one, other, because: [
            Preference(
                comparison=Comparison(example=id, a="tuned", b="base"),
                choice=choice,  # type: ignore[arg-type]
                by="judge",
                order=order,  # type: ignore[arg-type]
                because=because,
            )
            for order, choice in (("ba", one), ("ab", other))
        ],
        IDS,
        st.sampled_from(["a", "b", "tie", None]),
        st.sampled_from(["a", "b", "tie", None]),
        TEXT,
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda pair: pair[0].comparison.example,
)


@bounded
@given(PREFERENCES, st.sampled_from(["plain", "arena-hard"]))
def test_annotations_come_back(tmp_path: Path, pairs: Any, format: str) -> None:
    preferences = tuple(one for pair in pairs for one in pair)
    write_annotations(preferences, tmp_path / "j.jsonl", format=format)
    assert read_annotations(tmp_path / "j.jsonl") == preferences


@bounded
@given(PREFERENCES, st.none() | st.floats(0.51, 0.99))
def test_alpacas_annotations_come_back(tmp_path: Path, pairs: Any, sure: float | None) -> None:
    from dataclasses import replace

    preferences = [
        replace(pair[0], confidence=sure if pair[0].choice in ("a", "b") else None)
        for pair in pairs
    ]
    write_annotations(preferences, tmp_path / "j.json", format="alpaca-eval")
    for one, again in zip(preferences, read_annotations(tmp_path / "j.json"), strict=True):
        assert replace(again, confidence=None) == replace(one, confidence=None)
        assert again.confidence == pytest.approx(one.confidence)


# ------------------------------------------------------------------ the forms as tools write them


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_ours_is_plain(tmp_path: Path) -> None:
    path = write(
        tmp_path / "mine.jsonl",
        {"id": 1, "prompt": "Add.", "answer": "1 + 1"},
        {"id": "two", "answer": ["x", "y"], "extra": 1},
        {"id": "three", "answer": None},
        {"id": "four", "answer": " "},
    )
    found = read_answers(path)
    assert found.name == "mine"
    assert found.answers == {"1": ("1 + 1",), "two": ("x", "y"), "three": (), "four": (" ",)}
    assert found.prompt("1") == "Add." and found.prompt("two") is None
    assert found.notes == (
        "1 of 4 answers are empty, 'four' first",
        "1 of 4 were never given, 'three' first",
    )
    assert read_answers(path, name="renamed").name == "renamed"


def test_arena_hards_first_version(tmp_path: Path) -> None:
    turns = [{"content": "first turn"}, {"content": "last turn", "token_len": 2}]
    row = {"question_id": "q1", "answer_id": "x", "model_id": "m", "tstamp": 1.0}
    path = write(tmp_path / "f.jsonl", {**row, "choices": [{"index": 0, "turns": turns}]})
    found = read_answers(path)
    assert (found.name, found.answers) == ("m", {"q1": ("last turn",)})


def test_arena_hards_second_version(tmp_path: Path) -> None:
    messages = [
        {"role": "user", "content": "Why?"},
        {"role": "assistant", "content": {"answer": "So.", "thought": "hm"}},
    ]
    path = write(
        tmp_path / "f.jsonl", {"uid": "u", "ans_id": "x", "model": "m", "messages": messages}
    )
    found = read_answers(path)
    assert (found.answers, found.prompt("u")) == ({"u": ("So.",)}, "Why?")


def test_arena_hards_games_are_turned_to_the_model(tmp_path: Path) -> None:
    games = [{"score": "B>>A", "judgment": "B!"}, {"score": "A<B", "judgment": {"answer": "B."}}]
    row = {"question_id": "q", "model": "m", "judge": "j", "games": games}
    ba, ab = read_annotations(write(tmp_path / "f.jsonl", row))
    assert (ba.order, ba.choice, ba.because) == ("ba", "a", "B!")
    assert (ab.order, ab.choice, ab.because) == ("ab", "b", "B.")
    assert ba.comparison == Comparison(example="q", a="m", b="baseline")
    none = {**row, "games": [{"score": None, "judgment": ""}, None]}
    assert [one.choice for one in read_annotations(write(tmp_path / "g.jsonl", none))] == [None] * 2


def test_alpacas_files(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Sing.", "output": "La.", "generator": "m"},
        {"instruction": "Sing.", "output": "Lo.", "generator": "m"},
    ]
    (tmp_path / "f.json").write_text(json.dumps(rows))
    found = read_answers(tmp_path / "f.json")
    first, second = found.answers
    assert second == f"{first}-2" and found.answers[second] == ("Lo.",)
    assert found.prompt(first) == "Sing."
    judged = [
        {"instruction": f"{n}", "generator_1": "base", "generator_2": "m", "preference": value}
        for n, value in enumerate([1.0, 2, 1.5, 0, None, 1.9, 1.25])
    ]
    (tmp_path / "j.json").write_text(json.dumps(judged))
    told = read_annotations(tmp_path / "j.json")
    assert [one.choice for one in told] == ["b", "a", "tie", "tie", None, "a", "b"]
    assert told[5].confidence == pytest.approx(0.9) and told[6].confidence == pytest.approx(0.75)
    assert told[0].comparison.a == "m"


def test_lm_evals_samples_in_either_form_and_one_filter(tmp_path: Path) -> None:
    new = {
        "doc_id": 0,
        "arguments": {"gen_args_0": {"arg_0": "2+2?", "arg_1": {"until": []}}},
        "resps": [["four", "4"]],
        "filtered_resps": ["4"],
        "filter": "strict",
    }
    old = {"doc_id": 1, "arguments": [["3+3?", {}]], "resps": [["six"]], "filter": "strict"}
    again = {**new, "filter": "flexible"}
    found = read_answers(write(tmp_path / "samples_math.jsonl", new, old, again))
    assert found.name == "samples_math"
    assert found.answers == {"0": ("four", "4"), "1": ("six",)}
    assert (found.prompt("0"), found.prompt("1")) == ("2+2?", "3+3?")
    choices = {**old, "resps": [[[-1.5, False]], [[-2.5, True]]]}
    with pytest.raises(DataError, match="one request"):
        read_answers(write(tmp_path / "g.jsonl", choices))


def test_evalplus_samples(tmp_path: Path) -> None:
    rows = [{"task_id": "HumanEval/0", "solution": f"return {n}"} for n in range(2)]
    found = read_answers(write(tmp_path / "f.jsonl", *rows))
    assert found.answers == {"HumanEval/0": ("return 0", "return 1")}
    mixed = [rows[0], {"task_id": "HumanEval/1", "completion": "pass"}]
    with pytest.raises(DataError, match="a completion in a file of solutions"):
        read_answers(write(tmp_path / "g.jsonl", *mixed))


# ------------------------------------------------------------------ Inspect


def sample(id: str, epoch: int, text: Any, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "id": id,
        "epoch": epoch,
        "input": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why?"}],
        "output": {"model": "m", "choices": [{"message": message, "stop_reason": "stop"}]},
        **more,
    }


SAMPLES = [
    sample("s1", 1, "So."),
    sample("s1", 2, [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "Thus."}]),
    sample("s2", 1, "attachment://abc", attachments={"abc": "Long."}),
    sample("s3", 1, "cut", error={"message": "lost"}),
]
HEADER = {"version": 2, "status": "success", "eval": {"model": "openai/m", "task": "t"}}
EXPECTED = {"s1": ("So.", "Thus."), "s2": ("Long.",), "s3": ()}


def test_an_inspect_log_as_json(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text(json.dumps({**HEADER, "samples": SAMPLES}))
    found = read_answers(tmp_path / "log.json")
    assert (found.name, found.answers) == ("openai/m", EXPECTED)
    assert found.prompt("s1") == "Be brief.\n\nWhy?"
    assert found.notes == ("1 of 3 were never given, 's3' first",)
    (tmp_path / "header.json").write_text(json.dumps(HEADER))
    with pytest.raises(DataError, match="no samples"):
        read_answers(tmp_path / "header.json")


def packed(path: Path, entries: dict[str, Any], *, zstandard: bool) -> Path:
    """A packed log; the method of newer ones is one that `zipfile` can't write by itself."""
    sizes = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in entries.items():
            data = json.dumps(value).encode()
            if not zstandard:
                archive.writestr(name, data)
                continue
            import pyarrow

            inner = pyarrow.compress(data, codec="zstd", asbytes=True)
            sizes[name] = (len(data), zlib.crc32(data))
            archive.writestr(name, inner, compress_type=zipfile.ZIP_STORED)
    if zstandard:
        whole = bytearray(path.read_bytes())
        with zipfile.ZipFile(path) as archive:
            for entry in archive.infolist():
                _stamp(whole, entry.header_offset, 8, 14, sizes[entry.filename])
            start = archive.start_dir
            for entry in archive.infolist():
                _stamp(whole, start, 10, 16, sizes[entry.filename])
                start += 46 + len(entry.filename)
        path.write_bytes(whole)
    return path


def _stamp(whole: bytearray, at: int, method: int, crc: int, told: tuple[int, int]) -> None:
    size, check = told
    struct.pack_into("<H", whole, at + method, 93)
    struct.pack_into("<I", whole, at + crc, check)
    struct.pack_into("<I", whole, at + crc + 8, size)


@pytest.mark.parametrize("zstandard", [False, True])
def test_an_inspect_log_in_its_packed_form(tmp_path: Path, zstandard: bool) -> None:
    if zstandard:
        pytest.importorskip("pyarrow")
    entries = {"header.json": HEADER, "summaries.json": {}}
    for one in SAMPLES:
        entries[f"samples/{one['id']}_epoch_{one['epoch']}.json"] = one
    found = read_answers(packed(tmp_path / "log.eval", entries, zstandard=zstandard))
    assert (found.name, found.answers) == ("openai/m", EXPECTED)
    whole = (tmp_path / "log.eval").read_bytes()
    (tmp_path / "torn.eval").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="torn"):
        read_answers(tmp_path / "torn.eval")


def test_a_log_of_inspect_itself(tmp_path: Path) -> None:
    inspect = pytest.importorskip("inspect_ai")
    from inspect_ai.dataset import Sample

    task = inspect.Task(dataset=[Sample(id="s", input="Say it.", target="x")])
    for form in ("eval", "json"):
        folder = tmp_path / form
        inspect.eval(
            task, model="mockllm/model", log_dir=str(folder), log_format=form, display="none"
        )
        (log,) = folder.glob(f"*.{form}")
        found = read_answers(log)
        assert found.prompt("s") == "Say it." and set(found.answers) == {"s"}


# ------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"id": "x", "answer": "1"}, {"id": "x", "answer": "2"}], "stood before"),
        ([{"id": "x", "answer": "1"}, {"id": "y"}], "no answer"),
        ([{"id": "x", "answer": "1"}, {"id": "", "answer": ""}], "no id"),
        ([{"id": "x", "answer": "1"}, {"id": True, "answer": ""}], "no id"),
        ([{"id": "x", "answer": "1"}, {"id": "y", "answer": 7}], "answer is int"),
        ([{"id": "x", "answer": "1"}, {"id": "y", "answer": "", "prompt": 7}], "prompt is int"),
        (
            [
                {"id": "x", "answer": "1", "model": "m"},
                {"id": "y", "answer": "1", "model": "n"},
            ],
            "answers of 'n' beside those of 'm'",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, rows: Any, problem: str) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        read_answers(write(tmp_path / "f.jsonl", *rows))
    assert caught.value.where.endswith("f.jsonl:2")


def test_files_that_are_none_of_these(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read_answers(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="no such file"):
        read_answers(tmp_path / "none.eval")
    with pytest.raises(DataError, match="no known form of answers: the row has 'x'"):
        read_answers(write(tmp_path / "x.jsonl", {"x": 1}))
    with pytest.raises(DataError, match="no known form of annotations"):
        read_annotations(write(tmp_path / "x.jsonl", {"x": 1}))
    (tmp_path / "x.json").write_text('{"x": [1,}')
    with pytest.raises(DataError, match="isn't JSON"):
        read_answers(tmp_path / "x.json")
    (tmp_path / "y.json").write_text("[1]")
    with pytest.raises(DataError, match="isn't an object"):
        read_answers(tmp_path / "y.json")
    (tmp_path / "z.json").write_text("[]")
    with pytest.raises(DataError, match="no rows"):
        read_answers(tmp_path / "z.json")
    with pytest.raises(DataError, match="no form 'csv'"):
        read_answers(tmp_path / "x.jsonl", format="csv")
    with pytest.raises(DataError, match="can't be written as 'inspect'"):
        write_answers(AnswerSet(name="a", answers={}), tmp_path / "f", format="inspect")


def test_what_a_form_can_not_hold_is_refused(tmp_path: Path) -> None:
    several = AnswerSet(name="a", answers={"x": ("1", "2")}, prompts={"x": "p"})
    for format in ("arena-hard", "alpaca-eval"):
        with pytest.raises(DataError, match="has 2 answers"):
            write_answers(several, tmp_path / "f", format=format)
    with pytest.raises(DataError, match="has no prompt"):
        write_answers(
            AnswerSet(name="a", answers={"x": ("1",)}), tmp_path / "f", format="alpaca-eval"
        )
    one = Preference(
        comparison=Comparison(example="e", a="m", b="n"), choice="a", by="j", order="ab"
    )
    with pytest.raises(DataError, match="one order"):
        write_annotations([one], tmp_path / "f", format="arena-hard")
    with pytest.raises(DataError, match="twice in one order"):
        write_annotations([one, one], tmp_path / "f", format="arena-hard")


def test_two_answer_sets_are_matched_and_nothing_is_lost_in_silence() -> None:
    a = AnswerSet(name="a", answers={"1": ("x",), "2": ("x",), "3": ("x",)}, prompts={"1": "p"})
    b = AnswerSet(name="b", answers={"4": ("x",), "2": ("x",), "1": ("x",)}, prompts={"1": "q"})
    found = matched(a, b)
    assert found.ids == ("1", "2") and not found.fits
    assert found.notes == (
        "1 ids only in a left out, '3' first",
        "1 ids only in b left out, '4' first",
        "1 prompts differ, '1' first: those of a are shown",
    )
    assert matched(a, a).fits and matched(a, a).notes == ()
    with pytest.raises(DataError, match="share no id"):
        matched(a, AnswerSet(name="c", answers={"9": ("x",)}))


TURN = {"turns": [{"content": "x"}]}
ARENA = {"question_id": "q", "choices": [TURN]}
ARENA_2 = {"uid": "u", "model": "m", "messages": [{"role": "assistant", "content": "x"}]}
GAMES = {"uid": "u", "model": "m", "judge": "j", "games": [{"score": "A>B"}]}
PROGRAM = {"task_id": "t", "solution": "x"}


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        (ARENA, {**ARENA, "question_id": "r", "choices": 1}, "choices isn't a list"),
        (ARENA, {**ARENA, "question_id": "r", "choices": [{}]}, "a choice has no turns"),
        (ARENA_2, {**ARENA_2, "uid": "v", "messages": 1}, "messages isn't a list"),
        (PROGRAM, {"task_id": "t"}, "no solution"),
    ],
)
def test_a_row_that_breaks_its_form_is_told(
    tmp_path: Path, good: Any, bad: Any, problem: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        read_answers(write(tmp_path / "f.jsonl", good, bad))
    assert caught.value.where.endswith("f.jsonl:2")


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        (GAMES, {**GAMES, "games": []}, "one or two games"),
        (GAMES, {**GAMES, "games": [7]}, "a game isn't an object"),
        (GAMES, {**GAMES, "games": [{"score": "A?B"}]}, "none of Arena-Hard's"),
        (GAMES, {**GAMES, "model": None}, "model is NoneType"),
    ],
)
def test_a_judgment_that_breaks_its_form_is_told(
    tmp_path: Path, good: Any, bad: Any, problem: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        read_annotations(write(tmp_path / "f.jsonl", good, bad))
    assert caught.value.where.endswith("f.jsonl:2")


@pytest.mark.parametrize(("value", "problem"), [("2", "is no number"), (2.5, "within 1 and 2")])
def test_a_preference_that_is_none_is_told(tmp_path: Path, value: Any, problem: str) -> None:
    row = {"instruction": "i", "generator_1": "a", "generator_2": "b", "preference": value}
    good = {**row, "preference": 1.5}
    (tmp_path / "j.json").write_text(json.dumps([good, row], indent=1))
    with pytest.raises(DataError, match=problem) as caught:
        read_annotations(tmp_path / "j.json")
    assert caught.value.where.endswith("j.json:8")


def test_a_preference_of_ours_that_is_torn_is_told(tmp_path: Path) -> None:
    row = {"comparison": {"example": "e", "a": "m", "b": "n"}, "choice": "c", "by": "j"}
    with pytest.raises(DataError, match="Preference"):
        read_annotations(write(tmp_path / "f.jsonl", row))
    with pytest.raises(DataError, match="can't be written as 'lm-eval'"):
        write_annotations([], tmp_path / "f", format="lm-eval")


def test_packed_logs_that_are_none(tmp_path: Path) -> None:
    for entries, problem in (
        ({"other.json": {}}, "no header"),
        ({"header.json": HEADER, "samples/x.json": {"epoch": 1}}, "no id"),
        ({"header.json": HEADER, "samples/x.json": [1]}, "isn't an object"),
        ({"header.json": HEADER}, "no answers"),
    ):
        with pytest.raises(DataError, match=problem):
            read_answers(packed(tmp_path / "log.eval", entries, zstandard=False))
    with zipfile.ZipFile(tmp_path / "log.eval", "w") as archive:
        archive.writestr("header.json", "{")
    with pytest.raises(DataError, match="isn't JSON"):
        read_answers(tmp_path / "log.eval")


def test_a_torn_entry_of_a_newer_log_is_told(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    path = packed(tmp_path / "log.eval", {"header.json": HEADER}, zstandard=True)
    whole = bytearray(path.read_bytes())
    start = 30 + len("header.json")
    whole[start : start + 4] = b"\0\0\0\0"
    path.write_bytes(whole)
    with pytest.raises(DataError, match=r"header\.json is torn"):
        read_answers(path)
