"""Files of preferences in published forms: read, named by content, refused by line."""

from __future__ import annotations

import dataclasses
import gzip
import json
from pathlib import Path

import pytest

from outdo.data.own_benchmark import safe_programs
from outdo.data.pairs import CodePair, write_pairs
from outdo.data.preference_files import read_preferences, shape_of
from outdo.errors import DataError

Row = dict[str, object]


def rows(path: Path, lines: list[Row]) -> Path:
    data = "".join(json.dumps(line) + "\n" for line in lines)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(data.encode()))
    else:
        path.write_text(data)
    return path


def choice(task: str, first: str, second: str, better: object = 0, **more: object) -> Row:
    said = {"task_id": task, "instruction": f"Do {task}.", "choices": [first, second]}
    return {**said, "gt_choice": better, **more}


# ------------------------------------------------------------------ published forms


def test_a_codeprefbench_file_goes_by_its_name_and_repeated_ids_by_content(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "correctness-alignment.jsonl.gz",
        [
            choice("Mbpp/2", "x = 1", "x = 2", 1),
            choice("Mbpp/2", "x = 1", "x = 3", 0),
            choice("Mbpp/2", "x = 1", "x = 2", 1),
            choice("Mbpp/3", "y = 1", "y = 2", 0),
            choice("Mbpp/4", "z = 1", "z = 1\n", 0),
        ],
    )
    assert shape_of(path) == "codeprefbench"
    read = read_preferences([path])
    assert [one.group for one in read.pairs] == ["Mbpp/2", "Mbpp/2", "Mbpp/3"]
    first, second, third = read.pairs
    assert (first.better, first.worse, second.better, second.worse) == (
        *("x = 2", "x = 1"),
        *("x = 1", "x = 3"),
    )
    assert first.id != second.id and first.id.startswith("Mbpp/2~")
    assert third.id == "Mbpp/3"
    assert {one.criterion for one in read.pairs} == {"correctness"}
    assert {one.split for one in read.pairs} == {"test"}
    assert read.dropped == {
        "the same pair stands twice": 1,
        "both programs are the same": 1,
    }


def test_annotations_are_counted_without_saying_whose_they_are(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "human-preference-alignment.jsonl",
        [choice("lbpp/0", "x = 1", "x = 2", 1, annotations=["codeA", "codeA", "Tie"])],
    )
    (pair,) = read_preferences([path]).pairs
    assert pair.criterion == "human preference"
    assert pair.better == "x = 2"
    assert pair.evidence == {"votes": {"each side": [2], "tie": 1}}


def test_a_rewardbench_row_counts_by_its_subset_and_several_replies_are_pairs(
    tmp_path: Path,
) -> None:
    path = rows(
        tmp_path / "r.jsonl",
        [
            {"id": 7, "prompt": "Add.", "chosen": "a + b", "rejected": "a - b", "subset": "hep"},
            {"id": 8, "prompt": "Sub.", "chosen": ["a - b"], "rejected": ["a", "b"]},
        ],
    )
    pairs = read_preferences([path]).pairs
    assert [(one.criterion, one.better, one.worse) for one in pairs] == [
        ("hep", "a + b", "a - b"),
        ("general", "a - b", "a"),
        ("general", "a - b", "b"),
    ]
    assert pairs[1].group == pairs[2].group != pairs[0].group
    assert len({one.id for one in pairs}) == 3


def test_a_codejudgebench_row_shows_what_was_asked(tmp_path: Path) -> None:
    path = rows(
        tmp_path / "claude.jsonl",
        [
            {
                "question_id": "q1",
                "question_content": "Repair it.",
                "wrong_code": "x = 0",
                "pos_response": "So:\n```python\nx = 1\n```",
                "neg_response": "```python\nx = 2\n```\nDone.",
                "difficulty": "hard",
            }
        ],
    )
    (pair,) = read_preferences([path]).pairs
    assert (pair.criterion, pair.group) == ("correctness", "q1")
    assert "Repair it." in pair.statement and "x = 0" in pair.statement
    assert pair.evidence == {"difficulty": "hard"}
    assert pair.better.startswith("So:")
    (bare,) = read_preferences([path], extract=True).pairs
    assert (bare.better.strip(), bare.worse.strip()) == ("x = 1", "x = 2")


def test_pairs_of_our_own_are_read_and_may_be_asked_by_another_criterion(tmp_path: Path) -> None:
    pair = CodePair(
        id="p", group="g", source="s", criterion="security", statement="Do.", better="a", worse="b"
    )
    write_pairs(tmp_path / "p.jsonl", [pair])
    (read,) = read_preferences([tmp_path / "p.jsonl"], criterion="general").pairs
    assert read == dataclasses.replace(pair, criterion="general", split="test")


# ------------------------------------------------------------------ people


ITEMS: list[Row] = [
    {"id": f"i{n}", "statement": "Do.", "a": f"x = {n}", "b": f"y = {n}"} for n in range(4)
]


def labels(path: Path, choices: list[tuple[str, str, str]]) -> Path:
    lines: list[Row] = [
        {"item": item, "rater": rater, "choice": choice, "seconds": 20, "why": f"{rater} says so"}
        for item, rater, choice in choices
    ]
    return rows(path, lines)


def test_people_decide_by_majority_and_what_divides_them_is_counted(tmp_path: Path) -> None:
    items = rows(tmp_path / "items.jsonl", ITEMS)
    said = [
        *(("i0", "ann", "a"), ("i0", "bob", "a"), ("i0", "cyd", "b")),
        *(("i1", "ann", "b"), ("i1", "bob", "tie")),
        *(("i2", "ann", "a"), ("i2", "bob", "b")),
        ("i3", "ann", "tie"),
    ]
    read = read_preferences([labels(tmp_path / "labels.jsonl", said), items])
    assert [(one.id, one.better) for one in read.pairs] == [("i0", "x = 0"), ("i1", "y = 1")]
    first = read.pairs[0]
    assert first.criterion == "human preference"
    assert first.evidence["votes"] == {"better": 2, "worse": 1, "tie": 0}
    assert first.evidence["why"] == ["ann says so", "bob says so"]
    assert read.dropped == {"people are divided over the item": 1, "people see a tie": 1}
    assert read.notes[0].startswith("3 raters gave 8 labels; Krippendorff's alpha")


def test_labels_without_items_and_items_without_labels_are_told(tmp_path: Path) -> None:
    items = rows(tmp_path / "items.jsonl", ITEMS)
    said = labels(tmp_path / "labels.jsonl", [("i9", "ann", "a")])
    with pytest.raises(DataError, match="labels of people and no items"):
        read_preferences([said])
    with pytest.raises(DataError, match="items of people and no labels"):
        read_preferences([items])
    with pytest.raises(DataError, match="no item 'i9'"):
        read_preferences([items, said])
    with pytest.raises(DataError, match="stands twice"):
        read_preferences([rows(tmp_path / "twice.jsonl", [*ITEMS, ITEMS[0]]), said])


# ------------------------------------------------------------------ what can't be used


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (choice("t", "x", "y", 2), "'gt_choice' is 2"),
        (choice("t", "x", "y", True), "'gt_choice' is True"),
        (choice("t", "x", " "), "isn't two programs"),
        ({**choice("t", "x", "y"), "choices": ["x"]}, "isn't two programs"),
        ({**choice("t", "x", "y"), "instruction": None}, "'instruction' is no text"),
        ({"task_id": "t", "instruction": "Do t.", "choices": ["x", "y"]}, "'gt_choice' is None"),
        ({"task_id": "t", "instruction": "Do t.", "gt_choice": 1}, "isn't two programs"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_by_line_or_counted(
    tmp_path: Path, row: Row, said: str
) -> None:
    path = rows(tmp_path / "x.jsonl", [choice("good", "x = 1", "x = 2"), row])
    with pytest.raises(DataError, match=said) as caught:
        read_preferences([path])
    assert caught.value.where.endswith("x.jsonl:2")
    read = read_preferences([path], drop=True)
    assert len(read.pairs) == 1 and sum(read.dropped.values()) == 1


def test_numbers_of_tables_are_numbers_and_an_empty_id_is_none(tmp_path: Path) -> None:
    (pair,) = read_preferences([rows(tmp_path / "x.jsonl", [choice("t", "x", "y", 1.0)])]).pairs
    assert (pair.better, pair.worse) == ("y", "x")
    told = [{"id": None, "prompt": each, "chosen": "x", "rejected": "y"} for each in ("a", "b")]
    found = read_preferences([rows(tmp_path / "z.jsonl", [*told])]).pairs
    assert [one.id for one in found] == [one.group for one in found]


def test_a_file_of_another_form_than_it_is_said_to_be_is_told(tmp_path: Path) -> None:
    path = rows(tmp_path / "x.jsonl", [{"prompt": "p", "chosen": "x", "rejected": "y"}])
    for shape in ("codeprefbench", "codejudgebench", "pairs", "items", "labels"):
        with pytest.raises(DataError):
            read_preferences([path], shape=shape)


def test_a_file_whose_first_rows_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("[1, 2]\n")
    with pytest.raises(DataError, match="no row can be read") as caught:
        read_preferences([tmp_path / "x.jsonl"])
    assert "isn't a JSON object" in str(caught.value) and "x.jsonl:1" in str(caught.value)


def test_a_form_that_is_not_known_names_those_that_are(tmp_path: Path) -> None:
    path = rows(tmp_path / "x.jsonl", [{"question": "?", "answer": "!"}])
    with pytest.raises(DataError, match="no known form") as caught:
        read_preferences([path])
    assert "codeprefbench: choices, gt_choice, instruction" in str(caught.value)
    with pytest.raises(DataError, match="there is no form 'other'"):
        read_preferences([path], shape="other")


def test_files_without_a_pair_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    with pytest.raises(DataError, match="there are no rows"):
        read_preferences([tmp_path / "empty.jsonl"])
    same = rows(tmp_path / "same.jsonl", [choice("t", "x", "x")])
    with pytest.raises(DataError, match="there is no pair"):
        read_preferences([same])


def test_the_safe_programs_that_come_along_are_whole() -> None:
    programs = safe_programs()
    assert len({one.id for one in programs}) == len(programs) > 50
    for one in programs:
        compile(one.code, one.id, "exec")
        assert one.statement.endswith(".")
