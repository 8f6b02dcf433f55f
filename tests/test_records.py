"""The nouns: JSON and back, names by content, and what is left out of them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo import records
from outdo.records import (
    Call,
    Comparison,
    Completion,
    Conversation,
    Example,
    Message,
    Metric,
    Outcome,
    Output,
    Pair,
    Preference,
    Program,
    Prompt,
    Request,
    Sampling,
    Score,
    Usage,
    canonical,
    digest,
    from_json,
    to_json,
)

PROMPT = Prompt(messages=(Message(role="user", content="Why?"),))
text = st.text(max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(text, inner, max_size=2),
    max_leaves=4,
)
mappings = st.dictionaries(text, json_values, max_size=3)
KINDS = [
    Example, Prompt, Request, Completion, Program, Outcome, Score, Metric, Preference,
    Conversation, Pair,
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_json_and_back_is_the_same_record(kind: type, data: st.DataObject) -> None:
    st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
    strategy = st.builds(kind, **_open_fields(kind))
    record = data.draw(strategy)
    assert from_json(kind, to_json(record)) == record
    assert digest(from_json(kind, to_json(record))) == digest(record)


def _open_fields(kind: type) -> dict[str, st.SearchStrategy[Any]]:
    """Strategies for fields that hold any JSON."""
    names = {"given", "wanted", "evidence"} & set(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    found: dict[str, st.SearchStrategy[Any]] = dict.fromkeys(names, mappings)
    if "schema" in kind.__dataclass_fields__:  # type: ignore[attr-defined]
        found["schema"] = st.none() | mappings
    if kind in (Request, Pair):
        found["prompt"] = st.just(PROMPT)
    return found


def test_a_name_is_the_sha_256_of_the_one_json_text() -> None:
    assert canonical({"b": [1, 2.5, None], "a": "é"}) == '{"a":"\\u00e9","b":[1,2.5,null]}'
    assert digest({"b": 1, "a": 2}) == hashlib.sha256(b'{"a":2,"b":1}').hexdigest()
    assert digest({"a": 2, "b": 1}) == digest({"b": 1, "a": 2})
    with pytest.raises(ValueError, match="Out of range"):
        digest(float("nan"))


def test_usage_is_in_the_json_and_in_no_name_and_no_equality() -> None:
    def made(seconds: float) -> Completion:
        return Completion(
            prompt="p", model="m", served_by="s", sampling=Sampling(), index=0, text="t",
            finish="stop", usage=Usage(seconds=seconds),
        )  # fmt: skip

    assert made(1) == made(2)
    assert digest(made(1)) == digest(made(2))
    assert to_json(made(1)) != to_json(made(2))
    assert canonical([{"usage": 1, "a": [{"usage": 2}]}]) == '[{"a":[{}]}]'


def test_a_row_is_named_by_prompt_and_index_and_by_nothing_beside() -> None:
    one = Request(prompt=PROMPT, sampling=Sampling())
    assert one.key == digest([PROMPT.key, 0])
    assert Request(prompt=PROMPT, sampling=Sampling(seed=5)).key == one.key
    assert Request(prompt=PROMPT, sampling=Sampling(), index=1).key != one.key
    assert PROMPT.key == digest({"messages": PROMPT.messages, "schema": PROMPT.schema})


def test_candidates_are_part_of_a_prompts_name_in_their_order() -> None:
    asked = [replace(PROMPT, candidates=said) for said in ((), ("A", "B"), ("B", "A"))]
    assert len({prompt.key for prompt in asked}) == 3
    assert asked[0].key == PROMPT.key
    assert from_json(Prompt, to_json(asked[1])) == asked[1]


def test_a_rows_seed_depends_on_the_studys_and_on_the_row() -> None:
    seeds = {
        Request(prompt=PROMPT, sampling=Sampling(seed=seed), index=index).seed
        for seed in (0, 1)
        for index in (0, 1)
    }
    assert len(seeds) == 4
    assert all(0 <= seed < 2**63 for seed in seeds)
    one = Request(prompt=PROMPT, sampling=Sampling(seed=3))
    assert one.seed == int(digest([3, one.key])[:16], 16) >> 1


def test_a_comparison_turns_round() -> None:
    assert Comparison(example="e", a="x", b="y").swapped() == Comparison(example="e", a="y", b="x")


def test_a_program_is_named_by_what_it_does() -> None:
    one = Program(files={"main.py": "1"}, calls=(Call(code="f()"),))
    assert one.key == digest(one)
    assert Program(files={"main.py": "2"}, calls=one.calls).key != one.key


@pytest.mark.parametrize(
    ("kind", "data", "says"),
    [
        (Output, [], "Output: an object was expected, not list"),
        (Output, {"txt": "a"}, "Output: unknown field 'txt'"),
        (Message, {"role": "user"}, "Message: field 'content' is missing"),
        (
            Message,
            {"role": "me", "content": ""},
            "Message.role: 'me' is none of 'system', 'user', 'assistant'",
        ),
        (Message, {"role": "user", "content": 1}, "Message.content: str was expected, not int"),
        (Prompt, {"messages": "x"}, "Prompt.messages: a list was expected, not str"),
        (Prompt, {"messages": [{}]}, "Prompt.messages[0]: field 'role' is missing"),
        (Prompt, {"messages": [], "schema": 1}, "Prompt.schema: an object was expected, not int"),
        (Sampling, {"seed": True}, "Sampling.seed: int was expected, not bool"),
        (Sampling, {"top_p": True}, "Sampling.top_p: float was expected, not bool"),
        (
            Preference,
            {
                "comparison": {"example": "e", "a": "", "b": ""},
                "choice": None,
                "by": "",
                "order": "ab",
                "scores": [1.0],
            },
            "Preference.scores: 2 items were expected, not 1",
        ),
    ],
)  # fmt: skip
def test_json_of_another_shape_is_refused_with_its_place(kind: type, data: Any, says: str) -> None:
    with pytest.raises(ValueError) as told:
        from_json(kind, data)
    assert str(told.value) == says


def test_an_integer_will_do_for_a_float() -> None:
    read = from_json(Sampling, {"temperature": 1, "top_p": 1})
    assert (read.temperature, type(read.temperature), type(read.top_p)) == (1.0, float, float)
    assert from_json(Sampling, {"temperature": None}).temperature is None


def test_what_has_no_json_form_is_told() -> None:
    with pytest.raises(TypeError, match="set has no JSON form"):
        to_json({"a": {1}})
    with pytest.raises(TypeError, match="not the class Output"):
        to_json(Output)
    assert to_json({1: (2, [3])}) == {"1": [2, [3]]}


def test_every_record_is_frozen_and_keyword_only() -> None:
    kinds = [
        k for k in vars(records).values() if isinstance(k, type) and k.__module__ == "outdo.records"
    ]
    assert len(kinds) > 15
    for kind in kinds:
        parameters = kind.__dataclass_params__  # type: ignore[attr-defined]
        assert parameters.frozen, kind
        assert all(f.kw_only for f in kind.__dataclass_fields__.values()), kind  # type: ignore[attr-defined]
        assert hasattr(kind, "__slots__"), kind


def test_a_record_of_ones_own_reads_back() -> None:
    assert from_json(Mine, to_json(Mine(inner=(Output(text="x"),), other=None))) == Mine(
        inner=(Output(text="x"),), other=None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    inner: tuple[Output, ...]
    other: Usage | None
