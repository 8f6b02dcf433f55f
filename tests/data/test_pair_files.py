"""Pairs in files of three kinds, each read back as it was written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outdo.data.pairs import CodePair, apart, read_pairs, write_pairs
from outdo.errors import DataError

PAIRS = [
    CodePair(
        id=f"pair-{n}",
        group=f"g{n}",
        source="s",
        criterion="correctness",
        statement="Say ä.",
        better=f"x = {n}\n",
        worse="x = -1\n",
        preamble="import os" if n else "",
        evidence={"ratios": [1.5, 2.0], "test": None} if n else {},
        licence="MIT",
        split=("train", "valid", "test")[n],  # type: ignore[arg-type]
    )
    for n in range(3)
]


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.parquet", "folder"])
def test_what_was_written_is_read_back_equal(tmp_path: Path, name: str) -> None:
    files = write_pairs(tmp_path / name, PAIRS, page="# Pairs\n")
    assert all(file.is_file() for file in files)
    assert sorted(read_pairs(tmp_path / name), key=lambda pair: pair.id) == PAIRS
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.slow  # the library takes seconds to load
def test_the_library_datasets_loads_a_folder(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    write_pairs(tmp_path / "set", PAIRS, page="# Pairs\n")
    loaded = datasets.load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
    assert {split: len(rows) for split, rows in loaded.items()} == {
        "train": 1,
        "validation": 1,
        "test": 1,
    }
    row = loaded["test"][0]
    assert row["better"] == PAIRS[2].better
    assert json.loads(row["evidence"]) == PAIRS[2].evidence


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"aren't written as '\.csv'"):
        write_pairs(tmp_path / "pairs.csv", PAIRS)


def test_a_row_that_is_no_pair_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"prompt": "a", "chosen": "b", "rejected": "c"}\n')
    with pytest.raises(DataError, match=r"pairs\.jsonl:1.*no 'id'"):
        list(read_pairs(path))
    path.write_text(json.dumps({**dict.fromkeys(("id", "group", "source", "criterion"), "x"),
                                "statement": "s", "better": "a", "worse": "b",
                                "evidence": "no json"}) + "\n")  # fmt: skip
    with pytest.raises(DataError, match="evidence"):
        list(read_pairs(path))


def test_whole_groups_are_set_apart_where_none_is_yet() -> None:
    training = [pair for pair in PAIRS if pair.split != "test"] + [
        CodePair(
            id="more",
            group="g9",
            source="s",
            criterion="correctness",
            statement="s",
            better="a",
            worse="b",
        )
    ]
    held = [pair for pair in apart(training, 2, seed=1) if pair.split == "test"]
    assert len({pair.group for pair in held}) == 1, "a third of three groups at most"
    assert apart(PAIRS, 2, seed=1) == PAIRS
