"""What names a data entry, and the secret that keeps students' names out of it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from outdo.cli.sources import content_of, examples_of, salt
from outdo.errors import DataError
from outdo.records import Conversation, Pair
from outdo.sandbox import Sandbox
from outdo.study import Conversations, Folder, Injected, PairRows, Programs, Rows


@pytest.fixture
def course(tmp_path: Path) -> Path:
    for student in ("alice_smith", "bob_jones"):
        (tmp_path / "course" / student).mkdir(parents=True)
        (tmp_path / "course" / student / "double.py").write_text("def double(x): return x\n")
    return tmp_path


def test_a_folder_of_students_is_named_without_their_names(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTDO_SALT", "pepper")
    spec = Folder(source="folder", path="course")
    named = content_of(spec, course, task="repair")
    assert "alice" not in json.dumps(named) and "pepper" not in json.dumps(named)
    assert content_of(spec, course, task="repair") == named
    monkeypatch.setenv("OUTDO_SALT", "sugar")
    assert content_of(spec, course, task="repair") != named


def test_the_content_of_any_file_and_its_name_count(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OUTDO_SALT", "pepper")
    spec = Folder(source="folder", path="course")
    named = content_of(spec, course, task="repair")
    program = course / "course" / "bob_jones" / "double.py"
    program.rename(program.with_name("treble.py"))
    renamed = content_of(spec, course, task="repair")
    program.with_name("treble.py").write_text("def double(x): return 2 * x\n")
    assert (
        len({str(each) for each in (named, renamed, content_of(spec, course, task="repair"))}) == 3
    )


def test_the_task_that_reads_rows_counts(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text("{}\n")
    spec = Rows(source="rows", path="rows.jsonl")
    told = {task: content_of(spec, tmp_path, task=task) for task in ("repair", "a.b:task")}
    assert told["repair"] != told["a.b:task"]


@pytest.mark.parametrize(
    "spec",
    [
        Rows(source="rows", path="gone"),
        Programs(source="programs", programs="gone", problems="gone"),
        Injected(source="inject", problems="gone"),
    ],
)
def test_what_is_not_there_is_told(spec: Rows | Programs | Injected, tmp_path: Path) -> None:
    with pytest.raises(DataError) as told:
        content_of(spec, tmp_path, task="repair")
    assert str(tmp_path / "gone") in str(told.value)


def test_a_salt_is_drawn_once_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OUTDO_SALT", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    drawn = salt()
    assert len(drawn) == 32 and salt() == drawn
    (kept,) = (tmp_path / "outdo").iterdir()
    assert (kept.name, stat.S_IMODE(kept.stat().st_mode)) == ("salt", 0o600)


def test_a_salt_that_cannot_be_kept_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OUTDO_SALT", raising=False)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match="set OUTDO_SALT"):
        salt()


def test_conversations_and_pairs_are_read_as_they_are(tmp_path: Path) -> None:
    talks = [{"instruction": f"Say {n % 2}.", "output": str(n % 2)} for n in range(3)]
    (tmp_path / "talks.jsonl").write_text("".join(json.dumps(one) + "\n" for one in talks))
    pairs = [{"prompt": "Say 1.", "better": "1", "worse": "2"}, {"prompt": "", "better": "1"}]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in pairs))
    spec = Conversations(source="conversations", path="talks.jsonl")
    with Sandbox(tier="auto", workers=1) as sandbox:
        rows, notes = examples_of(spec, tmp_path, 1, sandbox, task="repair")
        assert all(isinstance(row, Conversation) for row in rows)
        assert len(rows) == 2
        assert notes == ["1 left out: the same as an earlier row, and without an id of its own"]
        columns = {"chosen": "better", "rejected": "worse"}
        torn = PairRows(source="pairs", path="pairs.jsonl", columns=columns)
        with pytest.raises(DataError):
            examples_of(torn, tmp_path, 1, sandbox, task="repair")
        spared = torn.model_copy(update={"drop": True})
        (pair,), notes = examples_of(spared, tmp_path, 1, sandbox, task="repair")
    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.rejected, len(notes)) == ("1", "2", 1)


def test_what_rows_are_read_from_is_named_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "talks.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    spec = Conversations(source="conversations", path="talks.jsonl")
    named = content_of(spec, tmp_path, task="repair")
    (tmp_path / "talks.jsonl").write_text('{"prompt": "a", "completion": "c"}\n')
    assert content_of(spec, tmp_path, task="repair") != named
