"""One place turns prompts into ids: what is learnt is what is met in use."""

from __future__ import annotations

import pytest

import tiny
from outdo.errors import ModelError
from outdo.models.chat import Chat
from outdo.records import Message, Prompt

STRIPS = tiny.TEMPLATE.replace("{{ m.content }}", "{{ m.content | trim }}")
FORGETS = tiny.TEMPLATE.replace(
    "{{ m.content }}",
    "{% if m.role == 'assistant' and not loop.last %}...{% else %}{{ m.content }}{% endif %}",
)
OPEN = tiny.TEMPLATE.replace("<|end|>", "")


def chat(template: str | None = tiny.TEMPLATE) -> Chat:
    return Chat(tiny.tokenizer(template=template))


def asked(*texts: str) -> Prompt:
    roles = ("user", "assistant")
    return Prompt(
        messages=tuple(
            Message(role=roles[place % 2], content=text)  # type: ignore[arg-type]
            for place, text in enumerate(texts)
        )
    )


@pytest.mark.parametrize("template", [tiny.TEMPLATE, None])
def test_a_prompt_has_the_same_ids_in_training_and_in_use(template: str | None) -> None:
    speaker = chat(template)
    turns = ("def f(", "return 1", "\n  again", "  x = 2")
    whole = speaker.encode(tiny.talk(*turns))
    for known in (1, 3):
        ids = speaker.prompt_ids(asked(*turns[:known]))
        assert list(whole.ids[: len(ids)]) == ids
        assert whole.learnt[len(ids)] and not whole.learnt[len(ids) - 1]


@pytest.mark.parametrize("template", [tiny.TEMPLATE, None])
def test_the_answers_and_their_ends_are_learnt_and_nothing_else(template: str | None) -> None:
    speaker = chat(template)
    whole = speaker.encode(tiny.talk("question", "first", "more", "second"))
    learnt = [token for token, one in zip(whole.ids, whole.learnt, strict=True) if one]
    assert speaker.text(learnt) == "firstsecond"
    assert sum(token in speaker.stop_ids for token in learnt) == 2
    assert whole.ids[-1] in speaker.stop_ids and whole.learnt[-1]


def test_the_templates_end_of_turn_stops_an_answer() -> None:
    speaker = chat()
    end = speaker.tokenizer.convert_tokens_to_ids("<|end|>")
    assert speaker.stop_ids == {speaker.tokenizer.eos_token_id, end}
    assert chat(None).stop_ids == {speaker.tokenizer.eos_token_id}
    assert 17 in Chat(speaker.tokenizer, stop_ids=[17]).stop_ids


@pytest.mark.parametrize(
    "template", [tiny.TEMPLATE, None, tiny.TEMPLATE.replace("{{ bos_token }}", "")]
)
def test_bos_is_not_there_twice(template: str | None) -> None:
    ids = chat(template).prompt_ids(asked("hello"))
    assert ids.count(1) == (1 if template == tiny.TEMPLATE else 0)


def test_a_plain_prompt_opens_with_bos_where_the_tokenizer_would_write_it() -> None:
    from tokenizers.processors import TemplateProcessing

    tokenizer = tiny.tokenizer(template=None)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 1)]
    )
    try:
        speaker = Chat(tokenizer)
        ids = speaker.prompt_ids(asked("hello"))
        assert ids[0] == 1 and ids.count(1) == 1
        whole = speaker.encode(tiny.talk("hello", "yes"))
        assert list(whole.ids[: len(ids)]) == ids
        assert whole.learnt.index(True) == len(ids)
    finally:
        tokenizer.backend_tokenizer.post_processor = None
        tiny._backend.cache_clear()


def test_the_plain_fallback_reads_as_documented() -> None:
    speaker = chat(None)
    ids = speaker.encode(tiny.talk("add one", "return 1")).ids
    text = speaker.tokenizer.decode(ids)
    assert text == "### User:\nadd one\n\n### Assistant:\nreturn 1</s>"


def test_an_answer_that_begins_with_blanks_keeps_them() -> None:
    whole = chat().encode(tiny.talk("go on", "    return x\n"))
    said = [token for token, one in zip(whole.ids, whole.learnt, strict=True) if one]
    assert chat().text(said) == "    return x\n"


def test_a_template_that_strips_the_answer_is_refused() -> None:
    assert chat(STRIPS).encode(tiny.talk("go on", "return x\n")).learnt[-1]
    with pytest.raises(ModelError, match="changes the answer"):
        chat(STRIPS).encode(tiny.talk("go on", "    return x"))


def test_a_template_that_forgets_earlier_answers_is_refused() -> None:
    assert chat(FORGETS).encode(tiny.talk("one", "two")).learnt[-1]
    with pytest.raises(ModelError, match="writes earlier turns anew"):
        chat(FORGETS).encode(tiny.talk("one", "two", "three", "four"))


def test_a_template_that_closes_no_turn_is_refused() -> None:
    with pytest.raises(ModelError, match="with no stop token"):
        chat(OPEN).encode(tiny.talk("one", "two"))


def test_a_row_must_end_with_an_answer() -> None:
    with pytest.raises(ModelError, match="the last turn isn't the assistant's"):
        chat().encode(tiny.talk("one", "two", "three"))


def test_a_tokenizer_without_an_end_is_refused() -> None:
    tokenizer = tiny.tokenizer()
    tokenizer.eos_token = None
    with pytest.raises(ModelError, match="no end-of-sequence token"):
        Chat(tokenizer)
