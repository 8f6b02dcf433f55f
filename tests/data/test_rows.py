from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

import pytest

from outdo.data.rows import Mistakes, read_rows
from outdo.errors import DataError, MissingExtra

ROWS = [{"a": "x", "b": "1"}, {"a": 'two\n"lines"', "b": "2"}]


def jsonl(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def told(path: Path) -> str:
    with pytest.raises(DataError) as error:
        list(read_rows(path))
    return str(error.value).replace(str(path), path.name)


def test_every_format_gives_the_same_rows(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    (tmp_path / "r.jsonl").write_text(jsonl(ROWS), "utf-8")
    (tmp_path / "r.jsonl.gz").write_bytes(gzip.compress(jsonl(ROWS).encode()))
    (tmp_path / "r.csv").write_text('a,b\nx,1\n"two\n""lines""",2\n', "utf-8")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), tmp_path / "r.parquet")
    for name in ("r.jsonl", "r.jsonl.gz", "r.csv", "r.parquet"):
        rows = list(read_rows(tmp_path / name))
        assert [row.values for row in rows] == ROWS
        assert [row.place.at() for row in rows] == [
            f"{tmp_path / name}:{line}" for line in ((2, 3) if name == "r.csv" else (1, 2))
        ]
    assert len(list(read_rows(tmp_path))) == 8


def test_parquet_without_its_library_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "r.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingExtra, match=r"pip install 'outdo\[data\]'"):
        list(read_rows(tmp_path / "r.parquet"))


def test_torn_and_broken_files_are_told_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"a": 1}\n\n{"a": 2', "utf-8")
    assert told(path) == (
        "r.jsonl:3: the line isn't JSON (the last line is torn: copy the file again)"
    )
    path.write_text('{"a": 1}\n[1]\n', "utf-8")
    assert told(path).startswith("r.jsonl:2: the line isn't a JSON object")
    path.write_bytes(b'{"a": 1}\n{"a": "\xff"}\n')
    assert told(path).startswith("r.jsonl:2: the file isn't UTF-8")
    path.write_text("", "utf-8")
    assert told(path) == "r.jsonl: there are no rows (the file is empty)"
    packed = tmp_path / "r.jsonl.gz"
    packed.write_bytes(gzip.compress(jsonl(ROWS * 2000).encode())[:-20])
    assert "the file is torn" in told(packed)
    packed.write_bytes(b"plain")
    assert told(packed).startswith("r.jsonl.gz:1: the file is torn")


def test_a_table_with_a_wrong_row_is_told(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("a,b\n1,2\n1\n", "utf-8")
    assert told(path) == "r.csv:3: the row hasn't 2 cells like the header"
    path.write_text("a,b\n1,2,3\n", "utf-8")
    assert told(path) == "r.csv:2: the row hasn't 2 cells like the header"
    path.write_text("a,a\n1,2\n", "utf-8")
    assert told(path) == "r.csv:1: the column 'a' stands twice"
    path.write_text('a,b\n1,"2', "utf-8")
    assert told(path).startswith("r.csv:2: not CSV")
    path.write_text("a,b\n", "utf-8")
    assert told(path) == "r.csv: there are no rows (the file is empty)"
    torn = tmp_path / "r.parquet"
    torn.write_bytes(b"PAR1 and no more")
    assert told(torn).startswith("r.parquet:1: the file is torn, or no Parquet")


def test_what_is_not_there_or_unknown_is_told(tmp_path: Path) -> None:
    assert told(tmp_path / "none.jsonl").startswith("none.jsonl: there is no such file")
    (tmp_path / "r.xlsx").write_text("x")
    assert told(tmp_path / "r.xlsx").startswith("r.xlsx: unknown kind of file")
    (tmp_path / "folder").mkdir()
    assert "the folder holds no .jsonl" in told(tmp_path / "folder")


def test_mistakes_can_be_counted_instead(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"a": 1}\nx\n{"a": 2}\ny\n', "utf-8")
    mistakes = Mistakes(dropping=True)
    assert [row.values["a"] for row in read_rows(path, mistakes)] == [1, 2]
    assert mistakes.counts == {"the line isn't JSON": 2}
    assert mistakes.first == {"the line isn't JSON": f"{path}:2"}
