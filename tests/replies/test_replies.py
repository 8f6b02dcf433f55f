"""Structured replies: what is written is read back, and a named rule mends each usual sin."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from outdo.replies import (
    Fields,
    Flag,
    Form,
    Many,
    OneOf,
    Shape,
    Text,
    Whole,
    breaches,
    json_schema,
    outcome,
    read,
    write,
)

ISSUE = Fields(
    of={
        "file": Text(),
        "header": Text(longest=20),
        "content": Text(empty=True),
        "first": Whole(low=1),
        "last": Whole(low=1),
    }
)
REVIEW = Fields(
    of={
        "effort": Whole(low=1, high=5),
        "type": OneOf(("bug fix", "tests")),
        "tests": Flag(),
        "security": Text(),
        "issues": Many(of=ISSUE, most=3),
        "diagram": Text(),
    },
    optional=("diagram",),
)
ONE = {"file": "a.py", "header": "Off by one", "content": "n\n  - 1", "first": 3, "last": 4}
TWO = {"file": "b.py", "header": "Lost", "content": "x", "first": 9, "last": 9}
GOOD: dict[str, Any] = {
    "effort": 2,
    "type": "bug fix",
    "tests": True,
    "security": "none",
    "issues": [ONE, TWO],
}
YAML, JSON = write(GOOD), write(GOOD, form="json")
HEAD = "effort: 2\ntype: tests\ntests: true\nsecurity: none\n"
TITLE = Fields(of={"title": Text()})


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_was_written_needs_no_rule(form: Any) -> None:
    answer = read(write(GOOD, form=form), shape=REVIEW)
    assert (answer.value, outcome(answer)) == (GOOD, "ok")


text_ = st.text(max_size=30).map(lambda s: s.replace("\r", "")).filter(lambda s: s.strip())
value = st.fixed_dictionaries(
    {
        "effort": st.integers(1, 5),
        "type": st.sampled_from(["bug fix", "tests"]),
        "tests": st.booleans(),
        "security": text_,
        "issues": st.lists(
            st.fixed_dictionaries(
                {
                    "file": text_,
                    "header": text_,
                    "content": st.text(max_size=30).map(lambda s: s.replace("\r", "")),
                    "first": st.integers(1, 10**6),
                    "last": st.integers(1, 10**6),
                }
            ),
            max_size=4,
        ),
    }
)


@given(value, st.sampled_from(["yaml", "json"]))
def test_whatever_is_written_is_read_back(value: Any, form: Any) -> None:
    written = write(value, form=form)
    answer = read(written, shape=REVIEW, form=form)
    cleaned = json.loads(json.dumps(value))
    if all(char.isprintable() or char == "\n" for char in json.dumps(value, ensure_ascii=False)):
        assert (answer.value, answer.repaired_by) == (cleaned, None), written
    else:  # characters that no reply holds may go, and nothing else may happen
        assert answer.problem is None or outcome(answer) == "wrong schema"


@given(st.text(max_size=200), st.sampled_from(["auto", "yaml", "json"]))
def test_no_text_makes_it_raise(reply: str, form: Form) -> None:
    assert outcome(read(reply, shape=REVIEW, form=form)) in ("unreadable", "wrong schema")


MARKS = st.sampled_from(
    [
        *"{}[],:-#'\"|>&*!?%@`\n\t ~",
        "issues",
        "file",
        "effort",
        "no",
        "a",
        "  ",
        "\n- ",
        ": ",
        "```\n",
    ]
)


@given(st.lists(MARKS, max_size=60).map("".join), st.sampled_from(["auto", "yaml", "json"]))
def test_no_heap_of_marks_makes_it_raise(reply: str, form: Form) -> None:
    read(reply, shape=REVIEW, form=form)


@given(st.sampled_from([YAML, JSON]), st.integers(0, 400))
def test_a_cut_reply_never_says_more_than_was_written(written: str, length: int) -> None:
    answer = read(written[:length], shape=REVIEW)
    if answer.value is not None:
        kept = answer.value["issues"]
        assert [one["file"] for one in kept] == ["a.py", "b.py"][: len(kept)] and kept
        assert answer.value["effort"] == 2


@given(st.data())
def test_one_broken_character_never_makes_it_raise(data: st.DataObject) -> None:
    written = data.draw(st.sampled_from([YAML, JSON]))
    place = data.draw(st.integers(0, len(written) - 1))
    mark = data.draw(st.sampled_from(list("{}[],:'\"#\t-|&*\n")))
    answer = read(written[:place] + mark + written[place + 1 :], shape=REVIEW)
    assert (answer.value is None) == (answer.problem is not None)


RULES = {
    "fence": f"```yaml\n{YAML}\n```",
    "fence not closed": f"```\n{YAML}",
    "fence within prose": f"Here is my review: enjoy.\n\n```yaml\n{YAML}\n```\n\nBye.",
    "json in a fence": f"```json\n{JSON}\n```",
    "prose before": f"I have read all of it.\n\n{YAML}",
    "prose behind": f"{YAML}\n\nI hope that this helps you!",
    "prose before json": f"Sure thing: {JSON}",
    "prose behind json": f"{JSON}\nThat is all.",
    "thinking": f"<think>effort: 5\nhm</think>\n{YAML}",
    "thinking without its beginning": f"effort: 5, I think.\n</think>\n{YAML}",
    "a second document": f"{YAML}\n---\nNotes: none",
    "tabs": YAML.replace("\n  ", "\n\t"),
    "control characters": YAML.replace("none", "no\x07ne"),
    "indented as a whole": "\n".join("    " + line for line in YAML.split("\n")),
    "line ends of Windows": YAML.replace("\n", "\r\n"),
    "trailing commas": JSON.replace("}]", "},]").replace("4}", "4,}"),
    "single quotes": JSON.replace('"', "'"),
    "words of Python": repr(GOOD),
    "unquoted names": JSON.replace('"effort"', "effort").replace('"file"', "file"),
    "comments": JSON.replace('"tests"', '// all there\n"tests"', 1).replace(
        '"type"', '# !\n"type"'
    ),
    "line breaks in text": JSON.replace("\\n", "\n"),
    "respelled names": YAML.replace("effort:", "Effort:").replace("security:", "SECURITY:"),
    "respelled values": YAML.replace("bug fix", "Bug_Fix").replace("effort: 2", "effort: 2/5"),
    "yes": YAML.replace("tests: true", "tests: yes"),
    "unknown fields": f"{YAML}\nverdict: fine",
}


@pytest.mark.parametrize("reply", RULES.values(), ids=RULES)
def test_a_usual_sin_is_mended(reply: str) -> None:
    answer = read(reply, shape=REVIEW)
    assert answer.value == GOOD, answer


@pytest.mark.parametrize(
    ("sin", "rule"),
    [
        ("fence", "fence"),
        ("fence within prose", "fence"),
        ("prose before", "prose around"),
        ("prose behind json", "prose around"),
        ("thinking", "thinking"),
        ("a second document", "prose around"),
        ("tabs", "tabs"),
        ("control characters", "control characters"),
        ("trailing commas", "trailing comma"),
        ("single quotes", "single quotes"),
        ("words of Python", "single quotes, words of Python"),
        ("unquoted names", "unquoted names"),
        ("comments", "comments"),
        ("line breaks in text", "line breaks in text"),
        ("respelled names", "name respelled"),
        ("respelled values", "value respelled"),
        ("yes", "value respelled"),
        ("unknown fields", "unknown fields dropped"),
        ("line ends of Windows", None),
    ],
)
def test_the_rule_is_named(sin: str, rule: str | None) -> None:
    assert read(RULES[sin], shape=REVIEW).repaired_by == rule


TITLES = {
    "title: Fix: the parser": ("Fix: the parser", "unquoted text"),
    "title: Fix: one: two": ("Fix: one: two", "unquoted text"),
    "title: @decorator is lost": ("@decorator is lost", "unquoted text"),
    "title: `Client` closes": ("`Client` closes", "unquoted text"),
    "title: 'a' or 'b'": ("'a' or 'b'", "unquoted text"),
    'title: "a" is not b: why': ('"a" is not b: why', "unquoted text"),
    "title: [draft] Add it": ("[draft] Add it", "unquoted text"),
    "title: No": ("No", "word read as text"),
    "title: 2024-01-02": ("2024-01-02", "word read as text"),
    "title: 1.10": ("1.10", "word read as text"),
    "title: Fix #12 again": ("Fix #12 again", "number sign kept"),
    "title: plain": ("plain", None),
    "title: a\n  longer one": ("a longer one", None),
    '{"title": false}': ("false", "word read as text"),
    '{"title": "it is "so" here"}': ('it is "so" here', "quotes within text"),
    '{"title": "never clos': ("never clos", "cut end"),
    "title:\n  if x:\n    return 1": ("if x:\n  return 1", "unquoted text"),
}


@pytest.mark.parametrize("reply", TITLES)
def test_text_keeps_the_letters_that_were_written(reply: str) -> None:
    answer = read(reply, shape=TITLE)
    said, rule = TITLES[reply]
    assert (answer.value, answer.repaired_by) == ({"title": said}, rule)


def test_a_naive_reader_would_have_believed_otherwise() -> None:
    assert yaml.safe_load("title: No") == {"title": False}
    assert yaml.safe_load("title: Fix #12 again") == {"title": "Fix"}


def test_a_bullet_with_a_colon_is_text() -> None:
    shape = Fields(of={"bullets": Many(of=Text())})
    answer = read("bullets:\n- Fix: it\n- Add one: two: three\n- plain", shape=shape)
    assert answer.value == {"bullets": ["Fix: it", "Add one: two: three", "plain"]}
    assert answer.repaired_by == "unquoted text"


@pytest.mark.parametrize("said", ["none", "[]", "~", "null", "None."])
def test_nothing_is_an_empty_list(said: str) -> None:
    assert read(f"{HEAD}issues: {said}", shape=REVIEW).value["issues"] == []


def test_one_item_is_a_list_of_one() -> None:
    reply = f"{HEAD}issues:\n  file: a.py\n  header: x\n  content: y\n  first: 1\n  last: 2"
    answer = read(reply, shape=REVIEW)
    assert answer.repaired_by == "single item as a list" and len(answer.value["issues"]) == 1


def test_a_list_may_come_without_its_name() -> None:
    shape = Fields(of={"issues": Many(of=ISSUE)})
    answer = read(write([ONE]), shape=shape)
    assert (answer.value, answer.repaired_by) == ({"issues": [ONE]}, "list without its name")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_cut_item_goes_and_those_before_it_stay(form: Any) -> None:
    written = write(GOOD, form=form)
    answer = read(written[: written.index("Lost") + 2], shape=REVIEW)
    assert answer.value is not None and answer.value["issues"] == [ONE]
    assert "cut end" in str(answer.repaired_by)


def test_a_cut_reply_of_which_no_item_is_left_says_nothing() -> None:
    answer = read(YAML[: YAML.index("Off by") + 3], shape=REVIEW)
    assert outcome(answer) == "wrong schema"
    for end in ("issues:", "issues: ", "iss"):
        assert outcome(read(HEAD + end, shape=REVIEW)) != "ok"
        assert read(HEAD + end, shape=REVIEW).value is None


def test_an_absent_optional_field_stays_absent() -> None:
    assert "diagram" not in read(f"{HEAD}issues: []\ndiagram:", shape=REVIEW).value
    assert read(f"{HEAD}issues: []\ndiagram: a", shape=REVIEW).value["diagram"] == "a"


WRONG = {
    "effort: 9\n" + YAML.partition("\n")[2]: "effort is 9, beyond 1 to 5",
    YAML.replace("effort: 2", "effort: many"): "effort is 'many', not a whole number",
    YAML.replace("type: bug fix", "type: feature"): "type is 'feature', none of bug fix, tests",
    YAML.replace("tests: true", "tests: maybe"): "tests is 'maybe', neither yes nor no",
    YAML.replace("security: none\n", ""): "security is missing",
    YAML.replace("first: 3", "first: 0"): "issues[0].first is 0, beyond 1",
    YAML.replace("header: Lost", "header: ''"): "issues[1].header is empty",
    f"{HEAD}issues: a lot": "issues[0] should have fields",
    "hello": "should have fields effort",
    '{"effort": {"a": 1}}': "type is missing",
}


@pytest.mark.parametrize("reply", WRONG)
def test_a_wrong_schema_says_where_and_what(reply: str) -> None:
    answer = read(reply, shape=REVIEW)
    assert outcome(answer) == "wrong schema" and answer.value is None
    assert WRONG[reply] in str(answer.problem)


@pytest.mark.parametrize("reply", ["", "  \n", "<think>still", "effort: [", "x" * 60_001])
def test_what_nobody_can_read_says_so(reply: str) -> None:
    answer = read(reply, shape=REVIEW)
    assert answer.value is None and outcome(answer) == "unreadable"


LAUGHS = "a: &a [x]\n" + "".join(f"b{i}: &b{i} [*b{i - 1},*b{i - 1}]\n" for i in range(1, 99))
HOSTILE = {
    "aliases": "b0: &b0 [x]\n" + LAUGHS,
    "alias of oneself": "a: &a [*a]",
    "brackets": "[" * 50_000,
    "objects": '{"a":' * 10_000,
    "questions": "? " * 25_000,
    "dashes": "- " * 25_000,
    "indents": "".join(" " * depth + "a:\n" for depth in range(300)),
    "quotes": "'" * 50_000,
    "blanks in text": '{"' + " " * 50_000,
    "fences": "```\n" * 12_000,
    "anchors": "&a " * 19_000,
    "a megabyte": "[" * 2**20,
    "a megabyte of text": "effort: x: y\n" * 80_000,
    "tag": "!!python/object/apply:os.system ['true']",
}


@pytest.mark.parametrize("reply", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_reply_is_refused(reply: str) -> None:
    for form in ("auto", "yaml", "json"):
        assert read(reply, shape=REVIEW, form=form).value is None  # type: ignore[arg-type]


def test_a_fence_within_code_is_part_of_it() -> None:
    shape = Fields(of={"code": Text()})
    said = {"code": "text = '''\n```yaml\ncode: other\n```\n'''"}
    assert read(write(said), shape=shape).value == said
    assert read(f"```yaml\n{write(said)}\n```", shape=shape).value == said


def test_the_schema_tells_limits_and_closes_objects() -> None:
    schema = json_schema(REVIEW)
    assert schema["required"] == ["effort", "type", "tests", "security", "issues"]
    assert schema["additionalProperties"] is False
    assert schema["properties"]["effort"] == {"type": "integer", "minimum": 1, "maximum": 5}
    assert schema["properties"]["type"] == {"type": "string", "enum": ["bug fix", "tests"]}
    assert schema["properties"]["issues"]["maxItems"] == 3


def test_a_reader_takes_more_than_was_asked_for_and_breaches_tell_it() -> None:
    said = {**GOOD, "issues": [{**ONE, "header": "x" * 21}] * 4}
    answer = read(write(said), shape=REVIEW)
    assert answer.value == said
    assert breaches(GOOD, REVIEW) == ()
    assert breaches(said, REVIEW)[0] == "issues[0].header has 21 characters, not at most 20"
    assert breaches(said, REVIEW)[-1] == "issues has 4 items, not at most 3"


def test_shapes_of_one_value_have_schemas_too() -> None:
    shapes: list[tuple[Shape, str]] = [
        (Flag(), "boolean"),
        (Whole(), "integer"),
        (Text(), "string"),
    ]
    assert [json_schema(shape)["type"] for shape, _ in shapes] == [name for _, name in shapes]
    assert json_schema(Many(of=Text(), least=1))["minItems"] == 1


@pytest.mark.parametrize(
    "reply",
    [
        "keep: yes\nkeep: no\nwhy: x",
        '{"keep": true, "keep": false, "why": "x"}',
        'Here: {"keep": true, "keep": false, "why": "x",}',
    ],
)
def test_a_field_that_stands_twice_is_told_in_either_form(reply: str) -> None:
    answer = read(reply, shape=Fields(of={"keep": Flag(), "why": Text()}))
    assert answer.value == {"keep": False, "why": "x"}
    assert "repeated field" in str(answer.repaired_by)
