"""Answers from a script."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outdo.engines.scripted import Scripted, from_file
from outdo.errors import EngineError, PermanentError
from outdo.records import Completion, Message, Prompt, Request, Sampling


def request(text: str, index: int = 0) -> Request:
    prompt = Prompt(messages=(Message(role="user", content=text),))
    return Request(prompt=prompt, sampling=Sampling(), index=index)


def said(engine: Scripted, *requests: Request) -> list[str]:
    answers = [answer for _, answer in engine.complete(requests)]
    return [a.text if isinstance(a, Completion) else f"<{a}>" for a in answers]


def test_a_prompt_is_known_by_its_key_and_samples_take_turns() -> None:
    engine = Scripted({request("a").prompt.key: ("one", "two")}, model="floor/unchanged")
    assert said(engine, request("a"), request("a", 1), request("a", 2)) == ["one", "two", "one"]
    ((asked, completion),) = engine.complete([request("a", 1)])
    assert asked == request("a", 1)
    assert completion == Completion(
        prompt=request("a").prompt.key,
        model="floor/unchanged",
        served_by="script",
        sampling=Sampling(),
        index=1,
        text="two",
        finish="stop",
    )


def test_an_unknown_prompt_is_never_answered() -> None:
    ((_, answer),) = Scripted({}).complete([request("a")])
    assert isinstance(answer, PermanentError)
    assert str(answer) == "the script has no reply to this prompt"


def test_a_file_holds_keys_and_patterns(tmp_path: Path) -> None:
    lines = [
        {"match": "^def broken", "reply": "def fixed"},
        {"prompt": request("exact").prompt.key, "reply": ["first", "second"]},
        {"match": "broken", "reply": "never reached for the first"},
    ]
    script = tmp_path / "judge.jsonl"
    script.write_text("\n\n".join(json.dumps(line) for line in lines))
    engine = from_file(script)
    assert engine.model == "scripted/judge"
    assert said(engine, request("Fix:\ndef broken():"), request("exact", 1)) == [
        "def fixed",
        "second",
    ]


def test_a_reply_may_be_cut_or_refused(tmp_path: Path) -> None:
    cut = {"text": "def f(", "finish": "length"}
    refused = {"text": "", "finish": "refused"}
    script = tmp_path / "script.jsonl"
    script.write_text(json.dumps({"match": "a", "reply": [cut, "whole", refused]}))
    asked = [request("a", index) for index in range(3)]
    ended = [(one.text, one.finish) for _, one in from_file(script).complete(asked)]
    assert ended == [("def f(", "length"), ("whole", "stop"), ("", "refused")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "not JSON"),
        ("[]", "has a prompt or a match"),
        ('{"prompt": "a"}', "has a prompt or a match"),
        ('{"prompt": "a", "reply": []}', "a text or a list of texts"),
        ('{"prompt": "a", "reply": [1]}', "a text or a list of texts"),
        ('{"prompt": "a", "reply": {"text": "b", "finish": "never"}}', "a text or a list of texts"),
        ('{"prompt": "a", "reply": ["b", {"text": "c"}]}', "a text or a list of texts"),
        ('{"match": "(", "reply": "a"}', "the pattern is not one"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    script = tmp_path / "script.jsonl"
    script.write_text('{"match": "a", "reply": "b"}\n' + line)
    with pytest.raises(EngineError, match=problem) as caught:
        from_file(script)
    assert caught.value.where == f"{script}:2"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="can't be read"):
        from_file(tmp_path / "none.jsonl")
