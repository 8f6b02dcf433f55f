"""Commits become rows, whatever a repository holds: each oddity is made on the spot with git."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from repositories import BETTER, MIT, MODULE, Story, begun, git

from outdo import diffs
from outdo.data.mining import commits as miner
from outdo.data.mining.cloning import is_address, repository_of
from outdo.data.mining.commits import Mined, licence_in, mine_commits
from outdo.data.mining.filters import Filters, is_bot, message_fault
from outdo.data.mining.git import Contents, Repository, asked
from outdo.errors import DataError


def mined(folder: Path, out: Path, **options: object) -> tuple[list[dict[str, object]], Mined]:
    done = mine_commits(Repository.opened(folder), out, **options)  # type: ignore[arg-type]
    return rows_of(out), done


def rows_of(out: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.read_bytes().splitlines()]


def reasons(done: Mined) -> dict[str, int]:
    return {why: count for gate in done.told["gates"] for why, count in gate["reasons"].items()}


def one_edit(**files: bytes) -> Story:
    story = begun()
    story.commit("Multiply by two instead of adding", {"double.py": BETTER})
    return story


def test_an_edit_becomes_a_row_with_the_keys_of_mined_commits(tmp_path: Path) -> None:
    rows, done = mined(one_edit().told(tmp_path / "r"), tmp_path / "o.jsonl", repo="some/where")
    (row,) = rows
    keys = "repo license sha date subject message path added deleted is_test before after diff"
    assert list(row) == keys.split()
    assert row["repo"] == "some/where" and row["license"] == "MIT" and row["date"] == "2023-11-14"
    assert row["before"] == MODULE.decode() and row["after"] == BETTER.decode()
    assert row["subject"] == row["message"] == "Multiply by two instead of adding"
    (file,) = diffs.parse(str(row["diff"])).files
    assert file.path == "double.py" and (row["added"], row["deleted"]) == (1, 1)
    assert diffs.apply(file, str(row["before"])) == row["after"]
    assert done.kept == 1 and done.looked_at == 2 and done.done
    assert reasons(done) == {"a first commit: nothing came before": 1}


def test_a_card_tells_what_each_gate_let_through(tmp_path: Path) -> None:
    mined(one_edit().told(tmp_path / "r"), tmp_path / "o.jsonl")
    card = (tmp_path / "o.card.md").read_text()
    assert "1 of 2 rows are kept (50%)" in card
    assert "| history | one parent, which is here | 2 | 1 |" in card
    assert "| edit | more than layout, and not too much at once | 1 | 0 |" in card
    told = json.loads((tmp_path / "o.report.json").read_text())
    assert [gate["seen"] for gate in told["gates"]] == [2] + [1] * 9


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("Bump version to 1.2.3 for all", "a new version, or other dependencies"),
        ("chore(deps): bump requests from 1 to 2", "a new version, or other dependencies"),
        ("v1.2.0 release of everything", None),
        ("Release 2.0.1rc1 and its notes", "a new version, or other dependencies"),
        ('Revert "Multiply by two"', "a revert"),
        ("Take it back\n\nThis reverts commit abcdef.", "a revert"),
        ("Merge branch 'main' into work", "a merge, or a part of another commit"),
        ("Merge overlapping intervals once", None),
        ("fixup! Multiply by two, at last", "a merge, or a part of another commit"),
        ("Fix a loop", "less than 12 characters"),
        ("fix", "the subject says nothing"),
        ("fixes, more fixes", "the subject says nothing"),
        ("minor changes, misc fixes", "the subject says nothing"),
        ("Update double.py and so on", None),
        ("Create source/double.py", "the subject says nothing"),
        ("x" * 6000, "more than 5,000 characters"),
        ("Updated the version check of releases", None),
    ],
)
def test_messages_that_teach_nothing_are_named(message: str, why: str | None) -> None:
    assert message_fault(message, Filters()) == why


@pytest.mark.parametrize(
    "author",
    [
        "dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>",
        "pre-commit-ci <x@example.org>",
        "Renovate Bot <bot@renovateapp.com>",
        "deploy-bot <d@example.org>",
    ],
)
def test_bots_are_no_people(author: str) -> None:
    assert is_bot(author)


def test_people_whose_names_sound_like_it_are_no_bots() -> None:
    assert not is_bot("Abbot Roboton <a@botany.example.org>")


def test_commits_of_bots_and_in_other_letters_are_counted(tmp_path: Path) -> None:
    story = begun()
    story.commit(
        "Multiply by two instead of adding", {"double.py": BETTER}, author="a[bot] <a@b.c>"
    )
    story.commit(b"Doppelt h\xe4lt besser als einfach", {"double.py": MODULE})
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    assert rows == [] and reasons(done)["a bot"] == 1
    assert reasons(done)["the message is no UTF-8"] == 1


def test_what_happens_to_files_is_told_apart(tmp_path: Path) -> None:
    story = begun({"old.py": MODULE, "kept.py": MODULE + b"# kept\n", "empty.py": b""})
    story.commit("Add a file that was missing", {"new.py": b"print('new file')\n"})
    story.commit("Delete what nobody needs", {"old.py": None})
    story.commit("Give it another name only", moved={"kept.py": "named.py"})
    story.commit("Fill what was empty before", {"empty.py": b"x = 1\n"})
    story.commit("Change two files at the same time", {"double.py": BETTER, "new.py": b"y = 1\n"})
    story.commit("Move a file, and mend it too", {"moved.py": MODULE + b"# mended\n"},
                 moved={"named.py": "moved.py"})  # fmt: skip
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    assert [(row["path"], row["renamed_from"]) for row in rows] == [("moved.py", "named.py")]
    told = reasons(done)
    assert told["the file was added"] == told["the file was deleted"] == 1
    assert told["the file was renamed, or its mode changed, and nothing else"] == 1
    assert told["the file was or became empty"] == told["more than 1 changed file"] == 1


def test_several_files_of_a_commit_are_rows_of_their_own(tmp_path: Path) -> None:
    story = begun({"a/other.py": MODULE, "notes.md": b"notes\n"})
    story.commit(
        "Multiply everywhere, and say so",
        {"double.py": BETTER, "a/other.py": BETTER + b"# too\n", "notes.md": b"multiplied\n"},
    )
    folder = story.told(tmp_path / "r")
    rows, done = mined(folder, tmp_path / "o.jsonl", filters=Filters(files=3))
    assert [row["path"] for row in rows] == ["a/other.py", "double.py"]
    for row in rows:
        (file,) = diffs.parse(str(row["diff"])).files
        assert file.path == row["path"] and diffs.apply(file, str(row["before"])) == row["after"]
    assert reasons(done)["Markdown"] == 1
    rows, _ = mined(folder, tmp_path / "any.jsonl", filters=Filters(files=3, languages=("any",)))
    assert len(rows) == 3


def test_files_that_nobody_wrote_are_left_out_by_name_and_by_head(tmp_path: Path) -> None:
    names = {"vendor/x.py": "vendored by its name", "a_pb2.py": "generated by its name"}
    head = b"# Code generated by protoc. DO NOT EDIT.\n"
    story = begun(dict.fromkeys(names, MODULE) | {"g.py": head + MODULE, "uv.lock": b"a = 1\n"})
    for name in names:
        story.commit(f"Change what is in {name}", {name: BETTER})
    story.commit("Change what a tool has written", {"g.py": head + BETTER})
    story.commit("Lock what is used once more", {"uv.lock": b"a = 2\n"})
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    told = reasons(done)
    assert rows == [] and all(told[why] == 1 for why in names.values())
    assert told["it says that it is generated"] == told["lock file by its name"] == 1


def test_binary_and_other_encodings_are_no_text(tmp_path: Path) -> None:
    story = begun({"b.py": b"\x00\x01\x02", "l.py": b"# h\xe4\n", "w.py": b"x = 1\n"})
    story.commit("Change what is no text at all", {"b.py": b"\x00\x01\x03"})
    story.commit("Change what has other letters", {"l.py": b"# \xf6\n"})
    story.commit("Write a line that nobody reads", {"w.py": b"x = '" + b"y" * 2000 + b"'\n"})
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    told = reasons(done)
    assert rows == [] and told["binary"] == told["no UTF-8"] == 1
    assert told["a line of more than 1,000 characters"] == 1


def test_edits_of_blanks_and_of_versions_teach_nothing_and_indents_do(tmp_path: Path) -> None:
    story = begun({"v.py": b'__version__ = "1.0"\nx = 1\n'})
    story.commit(
        "Part functions by more lines", {"double.py": MODULE.replace(b"\n\n\n", b"\n\n\n\n")}
    )
    story.commit("Set what this is known by", {"v.py": b'__version__ = "1.1.0"\nx = 1\n'})
    story.commit(
        "Return from where it belongs", {"double.py": MODULE.replace(b"    return", b"     return")}
    )
    story.commit(
        "Change a great many lines", {"double.py": b"".join(b"x%d = 1\n" % n for n in range(300))}
    )
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    told = reasons(done)
    assert [row["subject"] for row in rows] == ["Return from where it belongs"]
    assert told["blanks alone"] == told["a version's number alone"] == 1
    assert told["more than 200 changed lines"] == 1


def test_submodules_and_links_are_no_files(tmp_path: Path) -> None:
    story = begun()
    for number in (1, 2):
        story.commit(
            f"Take part number {number} of it", modes={"sub.py": ("160000", f"{number:040x}")}
        )
    folder = story.told(tmp_path / "r")
    for number in (1, 2):
        link = subprocess.run(
            ["git", "-C", str(folder), "hash-object", "-w", "--stdin"],
            input=b"to/%d" % number, capture_output=True, check=True,
        ).stdout.decode().strip()  # fmt: skip
        more = Story(marks=100 * number)
        more.commit(f"Point to place number {number}", modes={"link.py": ("120000", link)})
        head = b"from refs/heads/main^0\n"
        stream = b"".join(more.parts[:4]) + head + b"".join(more.parts[4:])
        subprocess.run(
            ["git", "-C", str(folder), "fast-import", "--quiet"], input=stream, check=True
        )
    rows, done = mined(folder, tmp_path / "o.jsonl")
    assert rows == [] and reasons(done)["a submodule"] == 2 and reasons(done)["a link"] == 2


def test_a_submodule_that_diffs_are_told_to_ignore_moves_no_other_file(tmp_path: Path) -> None:
    told = b'[submodule "a"]\n\tpath = a\n\turl = ./a\n\tignore = all\n'
    story = begun({".gitmodules": told})
    story.commit("Take in another part of it", modes={"a": ("160000", "1" * 40)})
    story.commit(
        "Multiply by two with the new part",
        {"double.py": BETTER},
        modes={"a": ("160000", "2" * 40)},
    )
    folder = story.told(tmp_path / "r")
    rows, done = mined(folder, tmp_path / "o.jsonl", filters=Filters(files=2))
    assert [row["after"] for row in rows] == [BETTER.decode()]
    assert "+    return 2 * number" in str(rows[0]["diff"])
    assert reasons(done)["a submodule"] == 2


def test_a_file_that_became_a_link_moves_no_other_file(tmp_path: Path) -> None:
    story = begun({"a.py": MODULE})
    link = hashlib.sha1(b"blob %d\0%b" % (len(MODULE), MODULE)).hexdigest()
    story.commit(
        "Multiply by two, and link the rest",
        {"double.py": BETTER},
        modes={"a.py": ("120000", link)},
    )
    folder = story.told(tmp_path / "r")
    (row,), done = mined(folder, tmp_path / "o.jsonl", filters=Filters(files=2))
    assert row["path"] == "double.py" and "+    return 2 * number" in str(row["diff"])
    assert reasons(done)["a link"] == 1


def test_merges_are_counted_and_what_they_merge_is_mined_once(tmp_path: Path) -> None:
    story = begun()
    left = story.commit("Multiply by two instead of adding", {"double.py": BETTER})
    right = story.commit("Say what this module is for", {"other.py": MODULE}, branch="refs/heads/w",
                         onto=[1])  # fmt: skip
    story.commit("Merge branch w", {"other.py": MODULE}, onto=[left, right])
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    assert len(rows) == 1 and reasons(done)["a merge"] == 1 and done.looked_at == 4


def test_odd_names_of_files_stay_what_they_are(tmp_path: Path) -> None:
    odd = ["two\nlines.py", 'a "quoted" name.py', "tab\there.py", "naïve.py", "-x.py", ":(top).py"]
    story = begun(dict.fromkeys(odd, MODULE) | {b"\xff\xfe.py": MODULE})
    for name in odd:
        story.commit("Multiply by two in an odd place", {name: BETTER})
    story.commit("Multiply by two in no place at all", {b"\xff\xfe.py": BETTER})
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    assert sorted(str(row["path"]) for row in rows) == sorted(odd)
    for row in rows:
        (file,) = diffs.parse(str(row["diff"])).files
        assert diffs.apply(file, str(row["before"])) == row["after"]
    assert reasons(done)["the name is no UTF-8"] == 1


def test_a_commit_of_ten_thousand_files_is_counted_and_not_held(tmp_path: Path) -> None:
    story = begun()
    story.commit("Bring everything at the same time", {f"d/{n}.py": b"" for n in range(10_000)})
    story.commit("Multiply by two instead of adding", {"double.py": BETTER})
    folder = story.told(tmp_path / "r")
    big = [c for c in Repository.opened(folder).commits("HEAD") if c.files == 10_000]
    assert len(big) == 1 and len(big[0].changes) == 100
    rows, done = mined(folder, tmp_path / "o.jsonl")
    assert len(rows) == 1 and reasons(done)["more than 1 changed file"] == 1


@pytest.mark.parametrize("size", [2**20, pytest.param(50 * 2**20, marks=pytest.mark.slow)])
def test_a_large_file_is_never_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    large = b"x = 1\n" * (size // 6)
    story = begun({"large.py": large})
    story.commit("Change the end of what is large", {"large.py": large + b"y = 2\n"})
    story.commit("Multiply, and make it larger yet", {"large.py": large, "double.py": BETTER})
    read: list[str] = []
    whole = Contents.of

    def spied(self: Contents, names: list[str]) -> object:
        read.extend(names)
        return whole(self, names)

    monkeypatch.setattr(Contents, "of", spied)
    folder = story.told(tmp_path / "r", packed=True)
    rows, done = mined(folder, tmp_path / "o.jsonl", filters=Filters(files=2))
    assert [row["path"] for row in rows] == ["double.py"]
    assert reasons(done)["more than 100,000 bytes"] == 2
    sizes = [int(git("-C", str(folder), "cat-file", "-s", name)) for name in read]
    assert sizes and max(sizes) < 1000


# ------------------------------------------------------------------ secrets


def test_addresses_and_secrets_are_taken_out_of_every_text_alike(tmp_path: Path) -> None:
    key = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6"
    before = f"# ask ann@people.example.org\nTOKEN = '{key}'\n\n\n\n\n\n\n\nx = 1\n".encode()
    after = before.replace(b"x = 1", b"x = 2  # bob@people.example.org knows")
    story = begun({"k.py": before})
    said = "Ask bob@people.example.org what x is\n\nIt is two.\n\nSigned-off-by: Ann <ann@x.org>"
    story.commit(said, {"k.py": after})
    story.commit("Take the key out of the code", {"k.py": after.replace(key.encode(), b"none")})
    rows, done = mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    text = (tmp_path / "o.jsonl").read_text() + (tmp_path / "o.card.md").read_text()
    assert len(rows) == 2 and key not in text and "people.example.org" not in text
    assert "Signed-off-by" not in text
    for row in rows:
        (file,) = diffs.parse(str(row["diff"])).files
        assert diffs.apply(file, str(row["before"])) == row["after"]
    asks = rows[1]
    assert str(asks["message"]).startswith("Ask <email-1> what x is")
    assert "x = 2  # <email-1> knows" in str(asks["after"]) and "<token-1>" in str(asks["after"])
    told = json.loads((tmp_path / "o.report.json").read_text())["about"]
    assert told["secrets and addresses taken out"]["token"] >= 3 and done.kept == 2


def test_a_secret_that_was_there_before_an_edit_far_away_is_found_all_the_same(
    tmp_path: Path,
) -> None:
    body = b"".join(b"x%d = %d\n" % (n, n) for n in range(60))
    story = begun({"m.py": b"OWNER = 'zoe@people.example.org'\n" + body})
    story.commit("Leave out who owns all of this", {"m.py": b"OWNER = None\n" + body})
    edited = b"OWNER = None\n" + body.replace(b"x50 = 50", b"x50 = 51")
    story.commit("Count on from fifty-one there", {"m.py": edited})
    mined(story.told(tmp_path / "r"), tmp_path / "o.jsonl")
    assert "people.example.org" not in (tmp_path / "o.jsonl").read_text()


# ------------------------------------------------------------------ licences


GPL = b"GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007\n" + b"words " * 100
APACHE = (
    b"Apache License\nVersion 2.0, January 2004\n\nTERMS AND CONDITIONS FOR USE, REPRODUCTION\n"
)
BSD = (
    b"Redistribution and use in source and binary forms ... Redistributions in binary form must"
    b" ...\nNeither the name of the copyright holder nor"
)


@pytest.mark.parametrize(
    ("files", "licence"),
    [
        ({"LICENSE": MIT}, "MIT"),
        ({"COPYING": GPL}, "GPL-3.0-only"),
        ({"LICENSE.txt": APACHE}, "Apache-2.0"),
        ({"LICENSE.md": BSD}, "BSD-3-Clause"),
        ({"LICENSE": BSD.replace(b"Neither the name", b"And")}, "BSD-2-Clause"),
        ({"LICENSE-MIT": MIT, "LICENSE-APACHE": APACHE}, "Apache-2.0 AND MIT"),
        (
            {"LICENSE": b"Under the terms of either license.", "LICENSE.APACHE": APACHE,
             "LICENSE.BSD": BSD},
            "Apache-2.0 OR BSD-3-Clause",
        ),
        ({"LICENSE": MIT + b"\nCommons Clause: you may not sell it."}, None),
        ({"LICENSE": b"All rights reserved."}, None),
        ({"LICENSE": MIT, "COPYING": b"All rights reserved."}, None),
        ({"licenses.py": MODULE, "README": b"MIT"}, None),
    ],
)  # fmt: skip
def test_a_repository_says_its_licence(
    tmp_path: Path, files: dict[str, bytes], licence: str | None
) -> None:
    story = Story()
    story.commit("Begin with a licence, or none", files)
    assert licence_in(Repository.opened(story.told(tmp_path / "r")), "HEAD") == licence


def test_a_licence_that_does_not_permit_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    story = Story()
    story.commit("Begin with what is there", {"COPYING": GPL, "double.py": MODULE})
    story.commit("Multiply by two instead of adding", {"double.py": BETTER})
    folder = story.told(tmp_path / "r")
    with pytest.raises(DataError, match=r"GPL-3.0-only is not permitted \(--allow GPL-3.0-only"):
        mined(folder, tmp_path / "o.jsonl")
    assert not (tmp_path / "o.jsonl").exists()
    rows, _ = mined(folder, tmp_path / "own.jsonl", licence="own")
    assert [row["license"] for row in rows] == ["own"]
    rows, _ = mined(folder, tmp_path / "allowed.jsonl", allow=["GPL-3.0-only"])
    assert [row["license"] for row in rows] == ["GPL-3.0-only"]
    bare = Story()
    bare.commit("Begin without any licence", {"double.py": MODULE})
    with pytest.raises(DataError, match="its files state no licence that is known"):
        mined(bare.told(tmp_path / "n"), tmp_path / "n.jsonl")


# ------------------------------------------------------------------ what is no history


def test_what_is_no_repository_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="there is no such folder"):
        Repository.opened(tmp_path / "nowhere")
    with pytest.raises(DataError, match="this is no folder"):
        Repository.opened(tmp_path / "file")
    with pytest.raises(DataError, match="this is no git repository"):
        Repository.opened(tmp_path)


def test_a_folder_inside_a_repository_is_none_itself(tmp_path: Path) -> None:
    git("init", "--quiet", str(tmp_path))
    (tmp_path / "part").mkdir()
    with pytest.raises(DataError, match="this is no git repository"):
        Repository.opened(tmp_path / "part")


def test_an_empty_repository_is_said_to_be_empty(tmp_path: Path) -> None:
    git("init", "--quiet", str(tmp_path / "r"))
    with pytest.raises(DataError, match="the repository is empty"):
        mined(tmp_path / "r", tmp_path / "o.jsonl", licence="own")


def test_a_branch_that_is_not_there_is_said(tmp_path: Path) -> None:
    folder = one_edit().told(tmp_path / "r")
    with pytest.raises(DataError, match="there is no commit 'nowhere'"):
        mined(folder, tmp_path / "o.jsonl", revision="nowhere")
    with pytest.raises(DataError, match="there is no commit '--output=x'"):
        mined(folder, tmp_path / "o.jsonl", revision="--output=x")
    assert not (tmp_path / "x").exists()


def test_a_shallow_clone_is_mined_to_where_it_is_cut_off(tmp_path: Path) -> None:
    story = one_edit()
    story.commit("Add again where it was better", {"double.py": MODULE})
    folder = story.told(tmp_path / "r")
    git("clone", "--quiet", "--bare", "--depth=2", f"file://{folder}", str(tmp_path / "s"))
    rows, done = mined(tmp_path / "s", tmp_path / "o.jsonl")
    assert [row["subject"] for row in rows] == ["Add again where it was better"]
    assert "shallow" in done.note and done.looked_at == 2
    assert sum(reasons(done).values()) == 1


def test_a_partial_clone_is_refused(tmp_path: Path) -> None:
    folder = one_edit().told(tmp_path / "r")
    git("-C", str(folder), "config", "extensions.partialClone", "origin")
    with pytest.raises(DataError, match="holds a part of its files alone"):
        Repository.opened(folder)


def test_without_git_there_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = one_edit().told(tmp_path / "r")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DataError, match="git is not installed"):
        Repository.opened(folder)


def test_an_object_that_is_broken_stops_with_one_line(tmp_path: Path) -> None:
    folder = one_edit().told(tmp_path / "r")
    name = git("-C", str(folder), "rev-parse", "HEAD:double.py")
    place = folder / "objects" / name[:2] / name[2:]
    place.chmod(0o644)
    place.write_bytes(place.read_bytes()[:-20])
    with pytest.raises(DataError, match="git stopped in the middle"):
        mined(folder, tmp_path / "o.jsonl")


def test_nothing_that_settings_name_is_run(tmp_path: Path) -> None:
    folder = one_edit().told(tmp_path / "r")
    bait = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {bait}\ncat\n")
    program.chmod(0o755)
    (folder / "info").mkdir(exist_ok=True)
    (folder / "info" / "attributes").write_text("*.py diff=bait filter=bait\n")
    for name in ("diff.external", "diff.bait.command", "diff.bait.textconv", "core.pager",
                 "core.fsmonitor", "gpg.program", "filter.bait.smudge"):  # fmt: skip
        git("-C", str(folder), "config", name, str(program))
    git("-C", str(folder), "config", "log.showSignature", "true")
    git("-C", str(folder), "config", "diff.noprefix", "true")
    git("-C", str(folder), "config", "color.ui", "always")
    rows, _ = mined(folder, tmp_path / "o.jsonl")
    assert len(rows) == 1 and not bait.exists()
    assert str(rows[0]["diff"]).startswith("diff --git a/double.py b/double.py\n")


# ------------------------------------------------------------------ going on


def long_story(edits: int) -> Story:
    story = begun()
    for number in range(edits):
        text = MODULE.replace(b"/ 2", b"/ %d" % (number + 3))
        story.commit(f"Divide by {number + 3}, as was asked", {"double.py": text})
    return story


@pytest.mark.parametrize("where", [1, 70, 130])
def test_a_run_that_was_stopped_goes_on_and_nothing_is_there_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: int
) -> None:
    folder = long_story(140).told(tmp_path / "r")
    whole, _ = mined(folder, tmp_path / "whole.jsonl")
    out = tmp_path / "o.jsonl"
    monkeypatch.setattr(miner.output, "SECONDS_BETWEEN", 0.0)

    def stop(looked: int, total: int | None, kept: int) -> None:
        assert total == 141
        if looked >= where:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mined(folder, out, progress=stop)
    with out.open("ab") as stream:
        stream.write(b'{"torn": ')
    rows, done = mined(folder, out)
    assert rows == whole and done.done and done.looked_at == 141
    assert json.loads((tmp_path / "o.report.json").read_text())["digest"] == json.loads(
        (tmp_path / "whole.report.json").read_text()
    )["digest"]  # fmt: skip
    again, done = mined(folder, out)
    assert again == whole and done.now == 0 and done.looked_at == 141


def test_a_limit_stops_and_the_next_run_goes_on(tmp_path: Path) -> None:
    folder = long_story(30).told(tmp_path / "r")
    out = tmp_path / "o.jsonl"
    rows, done = mined(folder, out, limit=7)
    assert len(rows) == 7 and not done.done
    rows, done = mined(folder, out)
    assert len(rows) == 30 and done.done
    assert len({str(row["sha"]) for row in rows}) == 30


def test_what_is_new_since_is_added(tmp_path: Path) -> None:
    folder = one_edit().told(tmp_path / "r")
    out = tmp_path / "o.jsonl"
    mined(folder, out)
    more = Story(marks=100)
    more.commit("Add again where it was better", {"double.py": MODULE})
    more.added(folder)
    rows, done = mined(folder, out)
    assert [row["subject"] for row in rows] == [
        "Multiply by two instead of adding",
        "Add again where it was better",
    ]
    assert done.now == 1 and done.looked_at == 3


def test_a_history_that_was_rewritten_is_not_gone_on_with(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    mined(long_story(20).told(tmp_path / "r"), out, limit=3, repo="a/b")
    shutil.rmtree(tmp_path / "r")
    with pytest.raises(DataError, match="the repository no longer has the commit"):
        mined(one_edit().told(tmp_path / "r"), out, repo="a/b")


def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    folder = one_edit().told(tmp_path / "r")
    out = tmp_path / "o.jsonl"
    out.write_text("mine\n")
    with pytest.raises(DataError, match="this file is there already"):
        mined(folder, out)
    assert out.read_text() == "mine\n"
    with pytest.raises(DataError, match="rows are written as JSON lines"):
        mined(folder, tmp_path / "o.csv")
    other = tmp_path / "other.jsonl"
    mined(folder, other)
    with pytest.raises(DataError, match="begun with another files, languages"):
        mined(folder, other, filters=Filters(files=2, languages=("Go",)))
    with other.open("ab") as stream:
        stream.truncate(3)
    with pytest.raises(DataError, match="the file has 3 bytes"):
        mined(folder, other)
    other.with_suffix(".state.json").write_text("{}")
    with pytest.raises(DataError, match="this isn't where a run stopped"):
        mined(folder, other)


def test_filters_that_let_nothing_through_are_refused() -> None:
    with pytest.raises(DataError, match=r"no language is called 'python' \(say Python\)"):
        Filters(languages=("python",)).checked()
    with pytest.raises(DataError, match=r"files is 0 \(at least 1\)"):
        Filters(files=0).checked()
    with pytest.raises(DataError, match=r"files is 101 \(at most 100\)"):
        Filters(files=101).checked()


# ------------------------------------------------------------------ addresses


def test_an_address_is_cloned_once_and_kept(tmp_path: Path) -> None:
    folder = one_edit().told(tmp_path / "r")
    out = tmp_path / "o.jsonl"
    copy = repository_of(f"file://{folder}", out)
    assert copy.path == tmp_path / "o.git"
    shutil.rmtree(folder)
    assert repository_of(f"file://{folder}", out).commit() == copy.commit()


def test_an_address_that_leads_nowhere_is_said_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(DataError) as told:
        repository_of(f"file://ann:sesame@{tmp_path}/none", tmp_path / "o.jsonl")
    assert "sesame" not in str(told.value)
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("place", "is_one"),
    [
        ("https://host/owner/name.git", True),
        ("git@host:owner/name", True),
        ("owner/name", False),
        ("ext::sh -c x", False),
        ("--upload-pack=x", False),
    ],
)
def test_addresses_are_known_by_their_form(place: str, is_one: bool) -> None:
    assert is_address(place) == is_one


def test_gits_own_words_come_back(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"git says: .*(ambiguous|unknown|bad)"):
        asked(["rev-list", "nowhere"], at=one_edit().told(tmp_path / "r").resolve())
