"""Stages on disk: what is resumed, what is refused, and what two processes do to each other."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from outdo.errors import StoreError
from outdo.records import canonical
from outdo.store import (
    Artifact,
    Row,
    RowStage,
    Store,
    explained,
    file_digest,
    holding,
    stage_name,
    write_json,
    write_text,
)

WHAT = {"model": "m", "temperature": 0.0}
HOW = {"device": "cpu"}
FORK = multiprocessing.get_context("fork")


def row(key: str, text: str = "", **more: Any) -> Row:
    return Row(
        key=key, about={"example": key.upper()}, record={"text": text or f"says {key}"}, **more
    )


class Maker:
    """Makes rows as they are owed, and remembers what it was asked for."""

    def __init__(self, order: Callable[[list[str]], list[str]] = lambda owed: owed) -> None:
        self.asked: list[list[str]] = []
        self.order = order

    def __call__(self, owed: list[str]) -> Iterator[Row]:
        self.asked.append(list(owed))
        for key in self.order(owed):
            yield row(key)


def never(owed: list[str]) -> Iterator[Row]:
    raise AssertionError(f"{owed} were made again")


@pytest.fixture
def stage(tmp_path: Path) -> RowStage:
    return Store(tmp_path).rows("generate", WHAT, HOW)


def lines(stage: RowStage) -> list[str]:
    return [
        json.loads(line)["key"] for line in (stage.folder / "rows.jsonl").read_text().splitlines()
    ]


def data(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


# ------------------------------------------------------------------ names


def test_a_stage_is_named_by_its_question_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = store.rows("generate", WHAT, HOW)
    assert one.name == stage_name("generate", WHAT)
    assert one.folder == tmp_path / ".stages" / one.name
    assert re.fullmatch(r"generate-[0-9a-f]{12}", one.name)
    content = hashlib.sha256(b'{"model":"m","temperature":0.0}').hexdigest()
    assert one.name == f"generate-{content[:12]}"
    assert store.artifact("train", WHAT, {}).name == f"train-{content[:12]}"
    assert store.rows("generate", dict(reversed(WHAT.items())), {"device": "gpu"}).name == one.name
    assert store.rows("generate", {**WHAT, "temperature": 0.5}, HOW).name != one.name


def test_the_question_and_the_circumstances_lie_beside_the_rows(stage: RowStage) -> None:
    stage.fill(["a"], Maker())
    assert data(stage.folder / "what.json") == WHAT
    assert data(stage.folder / "how.json") == HOW


def test_other_circumstances_find_the_same_rows_and_change_nothing(
    stage: RowStage, tmp_path: Path
) -> None:
    stage.fill(["a"], Maker())
    elsewhere = Store(tmp_path).rows("generate", WHAT, {"device": "gpu"})
    assert elsewhere.fill(["a"], never) == {"a": row("a")}
    assert data(stage.folder / "how.json") == HOW


def test_the_store_lists_stages_by_name_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path / "runs")
    assert list(store.stages()) == []
    made = [store.rows(kind, WHAT, HOW) for kind in ("score", "generate")]
    for one in made:
        one.fill(["a"], Maker())
    (store.root / ".stages" / "stray").mkdir()
    assert list(store.stages()) == [made[1].folder, made[0].folder]


# ------------------------------------------------------------------ filling


def test_rows_come_back_in_the_order_asked_whatever_order_they_were_made_in(
    stage: RowStage,
) -> None:
    maker = Maker(order=lambda owed: owed[::-1])
    found = stage.fill(["b", "a", "b", "c"], maker)
    assert maker.asked == [["b", "a", "c"]]
    assert list(found.items()) == [(key, row(key)) for key in "bac"]
    assert lines(stage) == ["c", "a", "b"]


def test_the_keys_may_be_any_iterable(stage: RowStage) -> None:
    assert list(stage.fill((key for key in "ab"), Maker())) == ["a", "b"]


def test_only_what_is_owed_is_made_and_a_sealed_stage_reopens(stage: RowStage) -> None:
    stage.fill(["a", "c"], Maker())
    sealed = data(stage.folder / "done.json")
    more = Maker()
    found = stage.fill(["a", "b", "c", "d"], more)
    assert more.asked == [["b", "d"]]
    assert list(found) == ["a", "b", "c", "d"]
    assert lines(stage) == ["a", "c", "b", "d"]
    assert data(stage.folder / "done.json")["rows"] == 4
    assert data(stage.folder / "done.json")["digest"] != sealed["digest"]


def test_a_stage_that_was_never_filled_has_no_rows(stage: RowStage) -> None:
    assert stage.read() == {}


def test_a_smaller_question_pays_nothing_and_gets_only_what_it_asked_for(stage: RowStage) -> None:
    stage.fill(["a", "b"], Maker())
    before = (stage.folder / "done.json").stat().st_mtime_ns
    assert stage.fill(["b"], never) == {"b": row("b")}
    assert (stage.folder / "done.json").stat().st_mtime_ns == before


def test_nothing_wanted_is_a_sealed_stage_without_rows(stage: RowStage) -> None:
    assert stage.fill([], never) == {}
    assert data(stage.folder / "done.json") == {"rows": 0, "digest": hashlib.sha256().hexdigest()}
    assert stage.read() == {}


def test_a_row_is_stored_letter_by_letter_as_told_here(stage: RowStage) -> None:
    made = [
        Row(key="a", about={"n": 1}, record={"text": "é\ud800\n"}),
        Row(key="b", about={}, missing="too long"),
    ]
    found = stage.fill(["a", "b"], lambda _: made)
    assert (stage.folder / "rows.jsonl").read_bytes() == (
        b'{"key":"a","about":{"n":1},"record":{"text":"\\u00e9\\ud800\\n"}}\n'
        b'{"key":"b","about":{},"record":null,"missing":"too long"}\n'
    )
    assert found == stage.read() == {"a": made[0], "b": made[1]}
    assert found["b"].record is None
    assert found["a"].missing is None


def test_a_row_that_is_no_json_is_refused_before_anything_is_written(stage: RowStage) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        stage.fill(["a"], lambda _: [Row(key="a", about={}, record=float("nan"))])
    assert stage.read() == {}


def test_each_row_is_on_disk_before_the_next_is_made(stage: RowStage) -> None:
    seen = []

    def make(owed: list[str]) -> Iterator[Row]:
        for key in owed:
            seen.append(list(stage.read()))
            assert not (stage.folder / "done.json").exists()
            yield row(key)

    stage.fill(["z"], Maker())
    stage.fill(["z", "a", "b"], make)
    assert seen == [["z"], ["z", "a"]]


def test_what_arrived_before_a_failure_is_kept_and_not_made_again(stage: RowStage) -> None:
    def make(owed: list[str]) -> Iterator[Row]:
        yield row("c")
        yield row("a")
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        stage.fill(["a", "b", "c"], make)
    assert not (stage.folder / "done.json").exists()
    assert list(stage.read()) == ["c", "a"]
    more = Maker()
    assert list(stage.fill(["a", "b", "c"], more)) == ["a", "b", "c"]
    assert more.asked == [["b"]]
    assert (stage.folder / "done.json").is_file()


@pytest.mark.parametrize("keys", [["a", "z"], ["a", "a"]])
def test_a_row_that_was_not_asked_for_or_came_twice_is_a_defect(
    stage: RowStage, keys: list[str]
) -> None:
    with pytest.raises(ValueError) as told:
        stage.fill(["a", "b"], lambda _: [row(key) for key in keys])
    assert str(told.value) == f"{stage.name}: row {keys[1]} was not asked for, or came twice"
    assert list(stage.read()) == ["a"]


def test_rows_that_are_never_made_are_a_defect_and_leave_the_stage_open(stage: RowStage) -> None:
    with pytest.raises(ValueError) as told:
        stage.fill(["a", "b", "c"], lambda _: [row("b")])
    assert str(told.value) == f"{stage.name}: 2 rows were asked for and never made"
    assert not (stage.folder / "done.json").exists()


def test_the_seal_depends_on_neither_order_nor_usage_but_on_all_else(tmp_path: Path) -> None:
    def sealed(name: str, rows: list[Row]) -> Any:
        stage = Store(tmp_path / name).rows("generate", WHAT, HOW)
        stage.fill(sorted(r.key for r in rows), lambda _: rows)
        return data(stage.folder / "done.json")

    def timed(key: str, seconds: float) -> Row:
        return Row(key=key, about={}, record={"text": key, "usage": {"seconds": seconds}})

    first = sealed("first", [timed("a", 1.0), timed("b", 2.0)])
    assert sealed("other", [timed("b", 9.0), timed("a", 8.0)]) == first
    content = "".join(canonical([key, {}, {"text": key}, None]) for key in "ab")
    assert first == {"rows": 2, "digest": hashlib.sha256(content.encode()).hexdigest()}
    changed = [
        [timed("a", 1.0), Row(key="b", about={}, record={"text": "B"})],
        [timed("a", 1.0), Row(key="b", about={"n": 1}, record={"text": "b"})],
        [timed("a", 1.0), Row(key="b", about={}, record={"text": "b"}, missing="no")],
        [timed("a", 1.0), Row(key="c", about={}, record={"text": "b"})],
    ]
    digests = {sealed(f"{i}", rows)["digest"] for i, rows in enumerate(changed)}
    assert len({first["digest"], *digests}) == 5


# ------------------------------------------------------------------ torn, cut and changed


def test_a_file_cut_at_any_byte_goes_on_from_its_last_whole_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)  # a hundred files, and no power cut here
    whole = Store(tmp_path / "whole").rows("generate", WHAT, HOW)
    whole.fill(["a", "b"], Maker())
    content = (whole.folder / "rows.jsonl").read_bytes()
    first = content.index(b"\n") + 1
    for size in range(len(content) + 1):
        cut = Store(tmp_path / f"cut{size}").rows("generate", WHAT, HOW)
        shutil.copytree(whole.folder, cut.folder)
        os.truncate(cut.folder / "rows.jsonl", size)
        kept = [key for key, end in (("a", first), ("b", len(content))) if size >= end]
        assert list(cut.read()) == kept
        if size in (0, first):  # whole rows were lost after sealing: that is no torn tail
            with pytest.raises(StoreError, match="not those that were sealed"):
                cut.fill(["a", "b"], never)
            (cut.folder / "done.json").unlink()
        more = Maker()
        found = cut.fill(["a", "b"], more)
        owed = [key for key in "ab" if key not in kept]
        assert more.asked == ([owed] if owed else [])
        assert found == {"a": row("a"), "b": row("b")}
        assert (cut.folder / "rows.jsonl").read_bytes() == content
        assert data(cut.folder / "done.json") == data(whole.folder / "done.json")


def test_a_torn_tail_goes_even_when_no_row_is_owed(stage: RowStage) -> None:
    stage.fill(["a"], Maker())
    path = stage.folder / "rows.jsonl"
    content = path.read_bytes()
    path.write_bytes(content + b'{"key":"b"')
    assert list(stage.read()) == ["a"]
    assert stage.fill(["a"], never) == {"a": row("a")}
    assert path.read_bytes() == content
    assert data(stage.folder / "done.json")["rows"] == 1


def test_rows_without_a_seal_are_sealed_when_nothing_is_owed(stage: RowStage) -> None:
    stage.fill(["a"], Maker())
    sealed = data(stage.folder / "done.json")
    (stage.folder / "done.json").unlink()
    stage.fill(["a"], never)
    assert data(stage.folder / "done.json") == sealed


def test_rows_that_were_changed_after_sealing_are_refused(stage: RowStage) -> None:
    stage.fill(["a", "b"], Maker())
    path = stage.folder / "rows.jsonl"
    path.write_bytes(path.read_bytes().replace(b"says b", b"said b"))
    with pytest.raises(StoreError) as told:
        stage.fill(["a", "b", "c"], never)
    assert told.value.where == str(path)
    assert told.value.problem == "the rows are not those that were sealed"
    assert told.value.hint == "restore the file, or delete the folder to make them again"


def test_usage_may_change_without_breaking_the_seal(stage: RowStage) -> None:
    stage.fill(["a"], lambda _: [Row(key="a", about={}, record={"usage": {"seconds": 1}})])
    path = stage.folder / "rows.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"seconds":1', b'"seconds":2'))
    assert stage.fill(["a"], never)["a"].record == {"usage": {"seconds": 2}}


def test_a_row_that_is_there_twice_is_refused_with_its_line(stage: RowStage) -> None:
    stage.fill(["a", "b"], Maker())
    path = stage.folder / "rows.jsonl"
    path.write_bytes(path.read_bytes() + row("a").line().encode())
    for attempt in (lambda: stage.fill(["a"], never), stage.read):
        with pytest.raises(StoreError) as told:
            attempt()
        assert told.value.where == f"{path}:3"
        assert told.value.problem == "row a is there twice"
        assert told.value.hint == "delete the folder to make its rows again"


@pytest.mark.parametrize(
    "line", ["not json", '"text"', "[]", '{"key":"b"}', '{"key":"b","about":{},"more":1}', ""]
)
def test_a_foreign_line_is_refused_with_its_number(stage: RowStage, line: str) -> None:
    stage.fill(["a"], Maker())
    path = stage.folder / "rows.jsonl"
    path.write_bytes(path.read_bytes() + line.encode() + b"\n")
    with pytest.raises(StoreError) as told:
        stage.fill(["a"], never)
    assert told.value.where == f"{path}:2"
    assert told.value.problem == "this line is no stored row"
    assert told.value.hint == "something else wrote here: delete the folder to make its rows again"


def test_a_folder_that_answers_another_question_is_refused(stage: RowStage) -> None:
    stage.fill(["a"], Maker())
    path = stage.folder / "what.json"
    path.write_text(json.dumps({**WHAT, "model": "other"}))
    with pytest.raises(StoreError) as told:
        stage.fill(["a"], never)
    assert told.value.where == str(path)
    assert told.value.problem == "this folder answers another question"
    assert told.value.hint == "it was changed by hand, or its name collides: move it away"
    path.write_text(json.dumps(dict(reversed(WHAT.items())), indent=4))
    assert list(stage.fill(["a"], never)) == ["a"]


@pytest.mark.parametrize("name", ["what.json", "done.json"])
def test_a_file_that_is_not_whole_json_is_refused(stage: RowStage, name: str) -> None:
    stage.fill(["a"], Maker())
    path = stage.folder / name
    path.write_text("{")
    with pytest.raises(StoreError) as told:
        stage.fill(["a"], never)
    assert told.value.where == str(path)
    assert told.value.problem == "this file is not whole"
    assert told.value.hint == "delete its folder to make it again"


# ------------------------------------------------------------------ artifacts


@pytest.fixture
def artifact(tmp_path: Path) -> Artifact:
    return Store(tmp_path).artifact("train", WHAT, HOW)


def weights(part: Path) -> None:
    (part / "checkpoint" / "deep").mkdir(parents=True, exist_ok=True)
    (part / "checkpoint" / "deep" / "state").write_text("half way")
    (part / "nested").mkdir(exist_ok=True)
    (part / "nested" / "done.json").write_text("{}")
    (part / "weights").write_bytes(b"1234")


def test_an_artifact_is_made_aside_and_then_there_whole(artifact: Artifact) -> None:
    parts = []

    def make(part: Path) -> None:
        assert not artifact.folder.exists()
        assert not artifact.is_done
        parts.append(part)
        weights(part)

    assert artifact.build(make) == artifact.folder
    assert parts == [artifact.folder.with_name(artifact.name + ".part")]
    assert not parts[0].exists()
    assert artifact.is_done
    found = {p.relative_to(artifact.folder).as_posix() for p in artifact.folder.rglob("*")}
    files = {"weights", "nested", "nested/done.json", "what.json", "how.json", "done.json"}
    assert found == files
    assert data(artifact.folder / "what.json") == WHAT
    assert data(artifact.folder / "how.json") == HOW
    listed = data(artifact.folder / "done.json")["files"]
    assert set(listed) == {"weights", "nested/done.json", "what.json", "how.json"}
    assert listed["weights"] == {"bytes": 4, "sha256": hashlib.sha256(b"1234").hexdigest()}


def test_an_artifact_that_is_there_is_not_made_again(artifact: Artifact) -> None:
    artifact.build(weights)

    def make(part: Path) -> None:
        raise AssertionError("made again")

    assert artifact.build(make) == artifact.folder
    assert not artifact.folder.with_name(artifact.name + ".part").exists()


def test_what_a_failure_left_is_found_by_the_next_attempt(artifact: Artifact) -> None:
    def half(part: Path) -> None:
        (part / "checkpoint").mkdir()
        (part / "checkpoint" / "state").write_text("half way")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        artifact.build(half)
    assert not artifact.folder.exists()
    seen = []

    def rest(part: Path) -> None:
        seen.append((part / "checkpoint" / "state").read_text())
        weights(part)

    artifact.build(rest)
    assert seen == ["half way"]
    assert not (artifact.folder / "checkpoint").exists()


def test_a_part_that_only_wants_its_name_is_not_made_again(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "rename", killed)
        artifact.build(weights)
    assert not artifact.is_done
    artifact.build(lambda _: pytest.fail("made again"))
    assert (artifact.folder / "weights").read_bytes() == b"1234"


def test_a_folder_that_was_never_finished_gives_way(artifact: Artifact) -> None:
    artifact.folder.mkdir(parents=True)
    (artifact.folder / "stray").write_text("?")
    artifact.build(weights)
    assert not (artifact.folder / "stray").exists()
    assert (artifact.folder / "weights").is_file()


@pytest.mark.parametrize("hurt", [Path.unlink, lambda path: os.truncate(path, 3)])
def test_an_artifact_with_a_file_missing_or_cut_is_refused(
    artifact: Artifact, hurt: Callable[[Path], None]
) -> None:
    artifact.build(weights)
    hurt(artifact.folder / "weights")
    with pytest.raises(StoreError) as told:
        artifact.build(weights)
    assert told.value.where == str(artifact.folder / "weights")
    assert told.value.problem == "a file of this stage is missing or was cut"
    assert told.value.hint == "delete the folder to make it again"


def test_an_artifact_that_answers_another_question_is_refused(artifact: Artifact) -> None:
    artifact.build(weights)
    (artifact.folder / "what.json").write_text("{}")
    with pytest.raises(StoreError, match="this folder answers another question"):
        artifact.build(weights)


# ------------------------------------------------------------------ files


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"\x00\xff" * 100_000)
    assert file_digest(tmp_path / "f") == hashlib.sha256(b"\x00\xff" * 100_000).hexdigest()


def test_json_is_written_sorted_and_readable(tmp_path: Path) -> None:
    write_json(tmp_path / "new" / "deep" / "f.json", {"b": [1], "a": None})
    text = (tmp_path / "new" / "deep" / "f.json").read_text()
    assert text == '{\n "a": null,\n "b": [\n  1\n ]\n}\n'
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "f.json", float("inf"))
    assert [p.name for p in tmp_path.iterdir()] == ["new"]


def test_text_is_utf_8_and_survives_a_lone_surrogate(tmp_path: Path) -> None:
    write_text(tmp_path / "f", "é\ud800")
    assert (tmp_path / "f").read_bytes() == b"\xc3\xa9\xed\xa0\x80"


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    write_text(path, "old")
    beside = []

    def synced(handle: int) -> None:
        beside.append((path.read_text(), sorted(p.name for p in tmp_path.iterdir())))

    monkeypatch.setattr(os, "fsync", synced)
    write_text(path, "new")
    assert beside == [("old", [f".f.{os.getpid()}", "f"])]
    assert path.read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


def test_a_write_that_fails_leaves_the_old_file_and_no_litter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "f"
    write_text(path, "old")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="the disk is full") as told:
        write_text(path, "new")
    assert told.value.where == str(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]


@pytest.mark.parametrize(
    ("number", "problem", "hint"),
    [
        *(
            (number, "the disk is full", "free some space; the same command goes on from the")
            for number in (errno.ENOSPC, errno.EDQUOT)
        ),
        *(
            (number, "this can't be written", "choose another folder with --log-dir")
            for number in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)
        ),
    ],
)
def test_an_error_of_the_disk_is_told_with_its_file(number: int, problem: str, hint: str) -> None:
    with pytest.raises(StoreError) as told, explained(Path("there")):
        raise OSError(number, "as the kernel says it")
    assert (told.value.problem, told.value.where) == (problem, "there")
    assert told.value.hint.startswith(hint)
    with pytest.raises(StoreError) as told, explained(Path("there")):
        raise OSError(number, "as the kernel says it", "elsewhere")
    assert told.value.where == "elsewhere"


def test_any_other_error_keeps_its_own_form() -> None:
    with pytest.raises(ConnectionResetError), explained(Path("there")):
        raise ConnectionResetError(errno.ECONNRESET, "reset")


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    with pytest.raises(StoreError, match="this can't be written") as told:
        Store(tmp_path / "runs").rows("generate", WHAT, HOW).fill(["a"], never)
    assert told.value.hint == "choose another folder with --log-dir"


# ------------------------------------------------------------------ a full disk


def test_a_row_that_does_not_fit_leaves_no_trace(
    stage: RowStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, room = os.write, [100]

    def bounded(handle: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = write(handle, content[: min(room[0], 7)])
        room[0] -= count
        return count

    with monkeypatch.context() as patch, pytest.raises(StoreError) as told:
        patch.setattr(os, "write", bounded)
        stage.fill(["a", "b"], Maker())
    path = stage.folder / "rows.jsonl"
    assert told.value.where == str(path)
    assert told.value.problem == "the disk is full"
    assert path.read_text() == row("a").line()
    assert len(row("a").line()) < 100 < 2 * len(row("a").line())
    more = Maker()
    stage.fill(["a", "b"], more)
    assert more.asked == [["b"]]


def on_small_disk(script: str, folder: Path, *, options: str = "size=64k") -> str:
    """What a script prints whose folder `disk` is a file system of 64 KiB, in a namespace."""
    folder.mkdir()
    mount = f"mount -t tmpfs -o {options} none {folder}"
    test = subprocess.run(["unshare", "-rm", "sh", "-c", mount], capture_output=True)
    if test.returncode:
        pytest.skip("no user namespace in which a small disk could be mounted")
    code = f"import sys; from pathlib import Path; disk = Path({str(folder)!r})\n"
    shell = f'{mount} && exec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", shell, sys.executable, code + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


needs_unshare = pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare here")


@needs_unshare
def test_a_disk_that_fills_keeps_whole_rows_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    said = on_small_disk(
        """
        import os
        from outdo.errors import StoreError
        from outdo.store import Row, Store

        ballast = disk / "ballast"
        ballast.write_bytes(bytes(32 * 1024))
        stage = Store(disk / "runs").rows("generate", {"m": 1}, {})
        keys = [str(n) for n in range(30)]
        make = lambda owed: (Row(key=key, about={}, record="x" * 1500) for key in owed)
        try:
            stage.fill(keys, make)
        except StoreError as error:
            print(error)
        content = (stage.folder / "rows.jsonl").read_bytes()
        print(0 < content.count(b"\\n") < 30, content.endswith(b"\\n"))
        print((stage.folder / "done.json").exists())
        kept = len(stage.read())
        ballast.unlink()
        again = []
        stage.fill(keys, lambda owed: again.extend(owed) or make(owed))
        print(len(again) == 30 - kept, len(stage.read()))
        print((stage.folder / "rows.jsonl").read_bytes().startswith(content))
        """,
        tmp_path / "disk",
    )
    first, *rest = said.splitlines()
    assert "rows.jsonl: the disk is full (free some space; the same command goes on" in first
    assert rest == ["True True", "False", "True 30", "True"]


@needs_unshare
def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    said = on_small_disk(
        """
        from outdo.errors import StoreError
        from outdo.store import Store

        try:
            Store(disk / "runs").rows("generate", {"m": 1}, {}).fill(["a"], None)
        except StoreError as error:
            print(error)
        """,
        tmp_path / "disk",
        options="ro",
    )
    assert said.strip().endswith(
        "disk/runs: this can't be written (choose another folder with --log-dir)"
    )


# ------------------------------------------------------------------ one at a time


def in_child(work: Callable[[], None]) -> multiprocessing.process.BaseProcess:
    child = FORK.Process(target=work)
    child.start()
    return child


def finished(child: multiprocessing.process.BaseProcess) -> int | None:
    child.join(30)
    return child.exitcode


class Said:
    """What a child says, and a parent hears."""

    def __init__(self) -> None:
        self.ear, self.mouth = FORK.Pipe(duplex=False)

    def __call__(self, word: Any) -> None:
        self.mouth.send(word)

    def hear(self) -> Any:
        assert self.ear.poll(60), "the child says nothing"
        return self.ear.recv()


def test_two_processes_take_turns_and_the_second_makes_nothing_again(stage: RowStage) -> None:
    began, go = FORK.Event(), FORK.Event()
    told = Said()

    def first() -> None:
        def make(owed: list[str]) -> Iterator[Row]:
            yield row("a")
            began.set()
            assert go.wait(30)
            yield row("b")

        stage.fill(["a", "b"], make)

    def second() -> None:
        maker = Maker()
        stage.fill(["a", "b", "c"], maker, on_wait=told)
        told(maker.asked)

    one = in_child(first)
    assert began.wait(30)
    other = in_child(second)
    holder = told.hear()
    assert list(stage.read()) == ["a"]
    assert other.is_alive()
    go.set()
    assert (finished(one), finished(other)) == (0, 0)
    assert told.hear() == [["c"]]
    assert lines(stage) == ["a", "b", "c"]
    who = rf"process {one.pid} on {re.escape(socket.gethostname())} since "
    assert re.match(who + r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d: \S", holder)


@pytest.mark.parametrize("kind", ["rows", "artifact"])
def test_a_killed_holder_frees_the_stage(tmp_path: Path, kind: str) -> None:
    stage = getattr(Store(tmp_path), kind)("any", WHAT, HOW)
    began = FORK.Event()

    def stuck(_: object) -> Iterator[Row]:
        began.set()
        while True:
            time.sleep(1)

    def work() -> None:
        if isinstance(stage, RowStage):
            stage.fill(["a"], stuck)
        else:
            stage.build(stuck)

    child = in_child(work)
    assert began.wait(30)
    os.kill(child.pid or 0, signal.SIGKILL)
    assert finished(child) == -signal.SIGKILL
    told: list[str] = []
    if isinstance(stage, RowStage):
        stage.fill(["a"], Maker(), on_wait=told.append)
    else:
        stage.build(weights, on_wait=told.append)
    assert told == []


def test_an_artifact_that_two_want_is_made_once(artifact: Artifact) -> None:
    began, go = FORK.Event(), FORK.Event()
    told = Said()

    def slow(part: Path) -> None:
        began.set()
        assert go.wait(30)
        weights(part)

    def fails(part: Path) -> None:
        raise AssertionError("made twice")

    one = in_child(lambda: artifact.build(slow) and None)
    assert began.wait(30)
    other = in_child(lambda: artifact.build(fails, on_wait=told) and None)
    assert told.hear().startswith(f"process {one.pid} on ")
    go.set()
    assert (finished(one), finished(other)) == (0, 0)


def test_a_waiting_process_needs_nobody_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deep" / "study"
    flock, told = fcntl.flock, Said()

    def work() -> None:
        def asked(lock: Any, how: int) -> None:
            if how == fcntl.LOCK_EX:
                told("waits")
            flock(lock, how)

        monkeypatch.setattr(fcntl, "flock", asked)
        with holding(folder):
            told("holds")

    with holding(folder):
        child = in_child(work)
        assert told.hear() == "waits"
        assert not told.ear.poll()
    assert told.hear() == "holds"
    assert finished(child) == 0
    assert not folder.exists()
    assert [path.name for path in folder.parent.iterdir()] == [".study.lock"]


def test_the_lock_says_who_holds_it_and_nothing_of_earlier_holders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/bin/outdo", "run", "x" * 300])
    with holding(tmp_path / "study"):
        said = (tmp_path / ".study.lock").read_text()
    since = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    who = rf"process {os.getpid()} on {re.escape(socket.gethostname())} since {since}: (.*)"
    found = re.fullmatch(who, said)
    assert found is not None
    assert found[1] == "outdo run " + "x" * 190
    monkeypatch.setattr(sys, "argv", ["outdo"])
    with holding(tmp_path / "study"):
        assert re.fullmatch(who, (tmp_path / ".study.lock").read_text())[1] == "outdo"  # type: ignore[index]


def test_a_holder_that_has_not_said_who_it_is_is_another_process(tmp_path: Path) -> None:
    told = Said()

    def work() -> None:
        with holding(tmp_path / "study", on_wait=told):
            pass

    with holding(tmp_path / "study"):
        os.truncate(tmp_path / ".study.lock", 0)
        child = in_child(work)
        assert told.hear() == "another process"
    assert finished(child) == 0


def test_rows_are_synced_now_and_then_and_at_the_end(
    stage: RowStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.fill([], never)
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda _: synced.append(len(stage.read())))
    monkeypatch.setattr(time, "monotonic", lambda: clock)
    clock = 10.0

    def make(owed: list[str]) -> Iterator[Row]:
        nonlocal clock
        for key, now in zip(owed, (11.0, 12.5, 13.0, 14.5, 14.6), strict=True):
            clock = now
            yield row(key)

    stage.fill("abcde", make)
    assert synced[:2] == [2, 5]
