from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from outdo.data.chats import FORMATS, read_conversations, read_pairs
from outdo.data.rows import Mistakes
from outdo.errors import DataError
from outdo.records import Message


def write(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def chat(*turns: str) -> list[dict[str, str]]:
    roles = {"s": "system", "u": "user", "a": "assistant"}
    return [{"role": roles[turn[0]], "content": turn[2:]} for turn in turns]


def said(messages: tuple[Message, ...]) -> list[str]:
    return [f"{message.role[0]} {message.content}" for message in messages]


ASKED = ["u Add one.", "a n + 1"]
MORE = ["u And two?", "a n + 2"]
BOTH = {"prompt": "Add one.", "chosen": "n + 1", "rejected": "n"}

CONVERSATIONS: list[tuple[str, dict[str, Any], list[str]]] = [
    ("messages", {"messages": chat("s Be brief.", *ASKED)}, ["s Be brief.", *ASKED]),
    ("messages", {"messages": chat(*ASKED, *MORE)}, [*ASKED, *MORE]),
    ("messages", {"messages": json.dumps(chat(*ASKED))}, ASKED),
    ("messages", {"messages": [
        {"role": "developer", "content": ""},
        {"role": "user", "content": [
            {"type": "text", "text": "Add "}, {"type": "text", "text": "one."},
        ]},
        {"role": "assistant", "content": "n + 1", "tool_calls": None, "weight": 1},
    ]}, ASKED),
    ("sharegpt", {"conversations": [
        {"from": "human", "value": "Add one."}, {"from": "gpt", "value": "n + 1"},
    ], "system": "Be brief."}, ["s Be brief.", *ASKED]),
    ("alpaca", {"instruction": "Add one.", "input": "", "output": "n + 1"}, ASKED),
    ("alpaca", {"instruction": "Add one.", "input": "n", "output": "n + 1"},
     ["u Add one.\n\nn", "a n + 1"]),
    ("alpaca", {
        "instruction": "Add one.", "output": "n + 1", "history": [["Hello", "Yes?"]]
    }, ["u Hello", "a Yes?", *ASKED]),
    ("completion", {"prompt": "Add one.", "completion": "n + 1"}, ASKED),
    ("completion", {"prompt": chat("s Be brief.", "u Add one."), "completion": chat("a n + 1")},
     ["s Be brief.", *ASKED]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "row", "expected"), CONVERSATIONS)
@pytest.mark.parametrize("told", [True, False])
def test_every_format_is_read_by_name_and_recognised(
    tmp_path: Path, name: str, row: dict[str, Any], expected: list[str], told: bool
) -> None:
    [made] = read_conversations(write(tmp_path, row), format=name if told else "auto")
    assert said(made.messages) == expected
    assert (made.group, made.source) == (made.id, "rows.jsonl")


def test_ids_are_those_of_the_content(tmp_path: Path) -> None:
    alpaca = {"instruction": "Add one.", "output": "n + 1"}
    completion = {"prompt": "Add one.", "completion": "n + 1"}
    [first] = read_conversations(write(tmp_path, alpaca))
    [same] = read_conversations(write(tmp_path, completion))
    [other] = read_conversations(write(tmp_path, completion | {"completion": "n"}))
    assert first.id == same.id != other.id


def test_columns_and_groups(tmp_path: Path) -> None:
    row = {"id": 7, "question": "Add one.", "reply": "n + 1", "author": "s1"}
    columns = {"instruction": "question", "output": "reply", "group": "author"}
    [made] = read_conversations(write(tmp_path, row), columns=columns)
    assert (made.id, made.group, said(made.messages)) == ("7", "s1", ASKED)


def test_a_table_is_read_as_lines_are(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("instruction,input,output\nAdd one.,,n + 1\n", "utf-8")
    assert [said(made.messages) for made in read_conversations(path)] == [ASKED]


def test_parquet_fills_what_a_row_lacks_with_nothing(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    odd = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Yes?", "name": "x"}]
    rows = [{"messages": chat(*ASKED)}, {"messages": odd, "tools": None}]
    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    read = list(read_conversations(tmp_path / "rows.parquet"))
    assert [said(made.messages) for made in read] == [ASKED, ["u Hi", "a Yes?"]]


PAIRS: list[tuple[dict[str, Any], list[str]]] = [
    (BOTH, ["u Add one."]),
    ({"prompt": chat("s Be brief.", "u Add one."), "chosen": chat("a n + 1"),
      "rejected": chat("a n")}, ["s Be brief.", "u Add one."]),
    ({"chosen": chat(*ASKED), "rejected": chat("u Add one.", "a n")}, ["u Add one."]),
    ({"prompt": "Add one.", "chosen": chat(*ASKED), "rejected": chat("u Add one.", "a n")},
     ["u Add one."]),
    ({"chosen": chat("u Hi", "a Yes?", *ASKED),
      "rejected": chat("u Hi", "a Yes?", "u Add one.", "a n")},
     ["u Hi", "a Yes?", "u Add one."]),
]  # fmt: skip


@pytest.mark.parametrize(("row", "prompt"), PAIRS)
def test_pairs_have_their_prompt_beside_or_before(
    tmp_path: Path, row: dict[str, Any], prompt: list[str]
) -> None:
    [made] = read_pairs(write(tmp_path, row | {"margin": "0.5"}))
    assert said(made.prompt.messages) == prompt
    assert (made.chosen, made.rejected) == ("n + 1", "n")
    assert (made.margin, made.criterion) == (0.5, "preferred")


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (BOTH | {"rejected": "n + 1"}, "chosen equals rejected"),
        (BOTH | {"rejected": " \n"}, "empty completion"),
        (BOTH | {"prompt": ""}, "there is no prompt"),
        (BOTH | {"prompt": " "}, "empty prompt"),
        (BOTH | {"margin": "much"}, "margin is no number ('much')"),
        (BOTH | {"chosen": 1}, "a list of turns was expected (not int)"),
        (BOTH | {"prompt": "Other", "chosen": chat(*ASKED), "rejected": chat("u Add one.", "a n")},
         "the prompt isn't the one that chosen and rejected begin with"),
        ({"chosen": chat(*ASKED), "rejected": chat("u Add two.", "a n")},
         "chosen and rejected differ in more than one reply"),
        ({"chosen": chat(*ASKED, "u x"), "rejected": chat(*ASKED, "u y")},
         "the conversation doesn't end with the assistant"),
    ],
)  # fmt: skip
def test_pairs_that_teach_nothing(tmp_path: Path, row: dict[str, Any], problem: str) -> None:
    path = write(tmp_path, BOTH, row)
    with pytest.raises(DataError) as error:
        list(read_pairs(path))
    assert str(error.value).startswith(f"{path}:2: {problem}")
    mistakes = Mistakes(dropping=True)
    assert len(list(read_pairs(path, mistakes=mistakes))) == 1
    assert list(mistakes.first.values()) == [f"{path}:2"]


@pytest.mark.parametrize(
    ("turns", "problem"),
    [
        ([], "the conversation has no turns"),
        ("Hello", "a list of turns was expected, not text"),
        (["Hello"], "a turn isn't an object"),
        (chat("u Add one."), "the conversation doesn't end with the assistant"),
        (chat("a Yes?"), "the conversation begins with the assistant"),
        (chat("u Add one.", "a  "), "empty completion"),
        (chat("u  ", "a n"), "empty prompt"),
        ([{"from": "tool", "value": "7"}], "unknown role ('tool'; known are system"),
        ([{"value": "7"}], "unknown role (None;"),
        ([{"role": "user"}], "a turn isn't text (it is NoneType)"),
        ([{"role": "user", "content": [{"type": "image"}]}], "a turn isn't text (it is list)"),
        ([{"role": "assistant", "content": "", "tool_calls": [{}]}], "a turn calls a tool"),
        ([{"role": "assistant", "content": "x", "weight": 0}], "a turn has weight 0"),
    ],
)
def test_conversations_that_teach_nothing(tmp_path: Path, turns: Any, problem: str) -> None:
    path = write(tmp_path, {"messages": chat(*ASKED)}, {"messages": turns})
    with pytest.raises(DataError) as error:
        list(read_conversations(path))
    assert str(error.value).startswith(f"{path}:2: {problem}")


def test_what_a_row_lacks_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, {"instruction": "Add", "output": "n"}, {"instruction": "x", "answer": 1})
    with pytest.raises(DataError, match=r":2: the row has no output \(it has instruction, answer"):
        list(read_conversations(path))
    path = write(tmp_path, {"messages": chat(*ASKED), "tools": [{"name": "run"}]})
    with pytest.raises(DataError, match="the row has tools"):
        list(read_conversations(path))
    path = write(tmp_path, {"instruction": "a", "output": "b", "history": ["x"]})
    with pytest.raises(DataError, match=r"history isn't a list of \[instruction, output\]"):
        list(read_conversations(path))


def test_names_that_mean_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, {"text": "x"})
    for read in (read_conversations, read_pairs):
        with pytest.raises(DataError, match=r"rows\.jsonl:1: no known format: the rows have text"):
            list(read(path))
    with pytest.raises(DataError, match=r"no format 'alpacca' \(did you mean 'alpaca'"):
        list(read_conversations(path, format="alpacca"))
    with pytest.raises(DataError, match="'preference' are no conversations"):
        list(read_conversations(path, format="preference"))
    with pytest.raises(DataError, match="'alpaca' are no pairs"):
        list(read_pairs(path, format="alpaca"))
    with pytest.raises(DataError, match=r"a field 'mesages', .* \(did you mean 'messages'"):
        list(read_conversations(path, columns={"mesages": "text"}))
    with pytest.raises(DataError, match="no column 'talk'"):
        list(read_conversations(path, columns={"messages": "talk"}))


def test_rows_that_stand_twice(tmp_path: Path) -> None:
    row = {"messages": chat(*ASKED)}
    mistakes = Mistakes()
    assert len(list(read_conversations(write(tmp_path, row, row), mistakes=mistakes))) == 1
    assert mistakes.counts == {"the same as an earlier row, and without an id of its own": 1}
    with pytest.raises(DataError, match="the id '1' stood before"):
        list(read_conversations(write(tmp_path, row | {"id": 1}, row | {"id": 1})))


def test_no_row_that_can_be_used_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, {"messages": chat("u Add one.")})
    with pytest.raises(
        DataError, match=r"no row could be used \(1 times: the conversation doesn't"
    ):
        list(read_conversations(path, mistakes=Mistakes(dropping=True)))


def test_a_bad_first_row_does_not_hide_the_format(tmp_path: Path) -> None:
    good = {"messages": chat(*ASKED)}
    path = write(tmp_path, {"text": "x"}, good, {"messages": chat("u Hi", "a Yes?")})
    mistakes = Mistakes(dropping=True)
    assert len(list(read_conversations(path, mistakes=mistakes))) == 2
    assert mistakes.counts == {"the row has no messages": 1}


def test_columns_that_both_kinds_have_are_read_as_asked(tmp_path: Path) -> None:
    """As in UltraFeedback, whose rows are conversations and pairs at once."""
    row = {
        "prompt": "Add one.",
        "messages": chat(*ASKED),
        "chosen": chat(*ASKED),
        "rejected": chat("u Add one.", "a n"),
    }
    path = write(tmp_path, row)
    [conversation], [pair] = read_conversations(path), read_pairs(path)
    assert said(conversation.messages) == ASKED
    assert (pair.chosen, said(pair.prompt.messages)) == ("n + 1", ["u Add one."])


def test_formats_are_told_by_the_fields_that_they_need() -> None:
    assert FORMATS["preference"] == ("chosen", "rejected")
    assert set(FORMATS) == {"messages", "sharegpt", "completion", "alpaca", "preference"}


def test_the_pairs_of_a_published_study(thesis: Path) -> None:
    mistakes = Mistakes(dropping=True)
    pairs = list(read_pairs(thesis / "dpo-2000.jsonl.gz", mistakes=mistakes))
    assert len(pairs) == 1993 and len({pair.id for pair in pairs}) == 1993
    assert mistakes.counts == {"chosen equals rejected": 7}
    assert pairs[0].prompt.messages[0].content.startswith("Develop an algorithm in Python")
    assert pairs[0].chosen.startswith("import numpy") and "```python" in pairs[0].rejected
    with pytest.raises(DataError, match=r"jsonl\.gz:\d+: chosen equals rejected"):
        list(read_pairs(thesis / "dpo-2000.jsonl.gz"))
