"""What comes of diffs of every origin, and of what is none."""

from __future__ import annotations

import difflib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo.diffs import NAMELESS, Diff, FileDiff, apply, new_side, old_side, parse

SIMPLE = """\
diff --git a/src/x.py b/src/x.py
index 1111111..2222222 100644
--- a/src/x.py
+++ b/src/x.py
@@ -1,3 +1,4 @@ def f():
 one
-two
+deux
+trois
 four
"""


def only(diff: Diff) -> FileDiff:
    (file,) = diff.files
    return file


def test_a_simple_diff():
    diff = parse(SIMPLE)
    file = only(diff)
    assert diff.problems == ()
    assert (file.path, file.old_path, file.change) == ("src/x.py", "src/x.py", "changed")
    assert file.language == "Python"
    (hunk,) = file.hunks
    assert (hunk.old_start, hunk.old_count, hunk.new_start, hunk.new_count) == (1, 3, 1, 4)
    assert hunk.section == "def f():"
    assert new_side(file) == {1: "one", 2: "deux", 3: "trois", 4: "four"}
    assert old_side(file) == {1: "one", 2: "two", 3: "four"}
    assert file.changed_lines == 3


def test_a_diff_of_two_files_keeps_their_order():
    second = SIMPLE.replace("src/x.py", "a.go")
    diff = parse(SIMPLE + second)
    assert diff.paths == ("src/x.py", "a.go")
    assert diff.problems == ()


def test_nothing_is_no_problem():
    assert parse("") == Diff()
    assert parse(b"\n\n") == Diff()


def test_a_whole_diff_turned_to_crlf_reads_the_same():
    assert parse(SIMPLE.replace("\n", "\r\n")) == parse(SIMPLE)


def test_a_file_of_crlf_lines_keeps_its_ends_apart():
    text = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\r\n-two\r\n+deux\r\n"
    file = only(parse(text))
    assert new_side(file) == {1: "one", 2: "deux"}
    assert apply(file, "one\r\ntwo\r\nthree\r\n") == "one\r\ndeux\r\nthree\r\n"
    assert apply(file, "one\ntwo\nthree\n") is None


def test_no_newline_at_the_end_of_either_side():
    text = (
        "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n"
        "+two\n\\ No newline at end of file\n"
    )
    file = only(parse(text))
    assert apply(file, "one\ntwo") == "one\ntwo"
    assert apply(file, "one\ntwo\n") is None
    gained = only(parse(text.removesuffix("\\ No newline at end of file\n")))
    assert apply(gained, "one\ntwo") == "one\ntwo\n"


def test_only_a_line_feed_ends_a_line():
    text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\x0cb\u2028c\x85d\re\n+a\x0cb\n"
    file = only(parse(text))
    assert old_side(file) == {1: "a\x0cb\u2028c\x85d\re"}


def test_lines_that_look_like_headers():
    """A removed «-- a/x» and an added «++ b/x» are lines, as the header's counts say."""
    text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- a/y\n+++ b/y\n@@ -9 +9 @@\n-p\n+q\n"
    file = only(parse(text))
    assert old_side(file) == {1: "-- a/y", 9: "p"}
    assert new_side(file) == {1: "++ b/y", 9: "q"}


def test_a_plain_diff_of_several_files_with_times():
    text = (
        "diff -ru old/a.c new/a.c\n"
        "--- old/a.c\t2020-01-01 00:00:00.0 +0000\n+++ new/a.c\t2020-01-02 00:00:00.0 +0000\n"
        "@@ -1 +1 @@\n-a\n+b\n"
        "--- /dev/null\n+++ b/made.c\n@@ -0,0 +1 @@\n+x\n"
        "--- a/gone.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    )
    diff = parse(text)
    assert diff.problems == ()
    assert [(f.path, f.change) for f in diff.files] == [
        ("new/a.c", "changed"),
        ("made.c", "added"),
        ("gone.c", "deleted"),
    ]


@pytest.mark.parametrize(
    ("header", "path"),
    [
        ('"a/\\303\\244.py" "b/\\303\\244.py"', "ä.py"),
        ('"a/q\\"uote\\\\.py" "b/q\\"uote\\\\.py"', 'q"uote\\.py'),
        ('"a/tab\\there" "b/tab\\there"', "tab\\there"),
        ('"a/new\\012line" "b/new\\012line"', "new\\012line"),
        ("a/with blanks in it b/with blanks in it", "with blanks in it"),
        ("a/b/a b/b/a", "b/a"),
        ("x.py x.py", "x.py"),
        ("i/x.py w/x.py", "x.py"),
        ("a/x.py a/x.py", "a/x.py"),
    ],
)
def test_the_names_of_a_change_of_mode(header: str, path: str):
    file = only(parse(f"diff --git {header}\nold mode 100644\nnew mode 100755\n"))
    assert file.path == path
    assert file.modes == ("100644", "100755")
    assert file.hunks == ()


def test_a_rename_and_a_copy():
    text = (
        "diff --git a/a b.py b/c d.py\nsimilarity index 100%\n"
        "rename from a b.py\nrename to c d.py\n"
        "diff --git a/x b/y\nsimilarity index 90%\ncopy from x\ncopy to y\nindex 1..2 100644\n"
        "--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n"
    )
    moved, copied = parse(text).files
    assert (moved.old_path, moved.path, moved.change) == ("a b.py", "c d.py", "renamed")
    assert (copied.old_path, copied.path, copied.change) == ("x", "y", "copied")
    assert len(copied.hunks) == 1


def test_binary_files():
    text = (
        "diff --git a/x.bin b/x.bin\nindex 1..2 100644\nBinary files a/x.bin and b/x.bin differ\n"
        "diff --git a/p.png b/p.png\nnew file mode 100644\nindex 0..2\nGIT binary patch\n"
        "literal 3\nKcmZQzWMT#Y01f~L\n\nliteral 0\nHcmV?d00001\n\n" + SIMPLE
    )
    diff = parse(text)
    assert [(f.path, f.binary) for f in diff.files] == [
        ("x.bin", True),
        ("p.png", True),
        ("src/x.py", False),
    ]
    assert diff.problems == ()


def test_a_plain_binary_file():
    file = only(parse("Binary files old/y.dat and new/y.dat differ\n"))
    assert (file.path, file.binary) == ("new/y.dat", True)


def test_submodules_in_both_of_gits_forms():
    text = (
        "diff --git a/lib b/lib\nindex 1111111..2222222 160000\n--- a/lib\n+++ b/lib\n"
        "@@ -1 +1 @@\n-Subproject commit 1111111\n+Subproject commit 2222222\n"
        "Submodule other 1234567..89abcde:\n  > A subject\n  < Another\n"
    )
    diff = parse(text)
    assert [(f.path, f.submodule) for f in diff.files] == [("lib", True), ("other", True)]
    assert diff.problems == ()


def test_a_combined_diff_is_named_and_told():
    text = (
        "diff --cc x.py\nindex 1,2..3\n--- a/x.py\n+++ b/x.py\n"
        "@@@ -1,1 -1,1 +1,1 @@@\n- a\n -b\n++c\n" + SIMPLE
    )
    diff = parse(text)
    assert diff.paths == ("x.py", "src/x.py")
    assert diff.files[0].unread == "a merge's combined diff"
    assert len(diff.problems) == 1
    assert "line 1: x.py: a merge's combined diff" in diff.problems[0]


def test_hunks_without_a_header_are_kept():
    diff = parse("@@ -1 +1 @@\n-a\n+b\n")
    assert only(diff).path == NAMELESS
    assert new_side(only(diff)) == {1: "b"}
    assert diff.problems == ("line 1: hunks without a file's header",)


@pytest.mark.parametrize(
    ("claimed", "told"),
    [("-1,9 +1,9", "claims 9 and 9"), ("-1,1 +1,1", "claims 1 and 1")],
)
def test_a_hunk_that_lies_about_its_length_keeps_its_lines(claimed: str, told: str):
    diff = parse(SIMPLE.replace("-1,3 +1,4", claimed))
    (problem,) = diff.problems
    assert problem.startswith("line 5: a hunk of 3 and 4 lines that ")
    assert problem.endswith(told)
    assert new_side(only(diff)) == {1: "one", 2: "deux", 3: "trois", 4: "four"}


def test_a_short_hunk_does_not_swallow_the_next_file():
    plain = "--- a/x\n+++ b/x\n@@ -1,5 +1,5 @@\n-a\n+b\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-c\n+d\n"
    assert parse(plain).paths == ("x", "y")


def test_an_editor_that_took_trailing_blanks_away():
    file = only(parse("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n\n-b\n+c\n"))
    assert new_side(file) == {1: "a", 2: "", 3: "c"}


def test_a_mailed_patch():
    text = (
        "From 1234567 Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\nSubject: x\n\n---\n"
        " src/x.py | 3 ++-\n\n" + SIMPLE + "-- \n2.39.5\n\n"
    )
    diff = parse(text)
    assert diff.files == parse(SIMPLE).files
    assert diff.problems == ("line 1: 5 lines that belong to no file, passed over",)


def test_bytes_that_are_no_utf_8():
    raw = SIMPLE.encode().replace(b"deux", b"d\xe9ux")
    diff = parse(raw)
    assert new_side(only(diff))[2] == "d\ufffdux"
    assert diff.problems == ("not UTF-8 text: 1 bytes or characters replaced by U+FFFD",)
    escaped = raw.decode("utf-8", "surrogateescape")
    assert parse(escaped) == diff


@pytest.mark.parametrize("garbage", ["hello", "@@ what @@", "diff --git", "--- a\n", "\\ No", "}{"])
def test_garbage_has_no_files_and_a_problem(garbage: str):
    diff = parse(garbage)
    assert diff.files == ()
    assert len(diff.problems) == 1


def test_a_series_of_patches_is_told():
    assert parse(SIMPLE + SIMPLE).problems == (
        "line 1: a series of patches: src/x.py changes more than once",
    )


def test_problems_are_counted_once_they_are_many():
    text = "@@ -1 +1 @@\n-a\n+b\n\nnoise\n" * 50
    problems = parse(text).problems
    assert len(problems) == 21
    assert problems[-1].endswith(" more problems")


@pytest.mark.parametrize(
    "text",
    [
        "diff --git " + "a " * 2_500_000,
        "Binary files " + "x and " * 800_000,
        "Submodule " + "a " * 2_500_000,
        "@@ -1 +1 @@" + "-" * 5_000_000,
        '--- "' + "\\303" * 300_000 + "\n+++ b\n@@ -1 +1 @@\n",
        "--- a\n+++ b\n@@ -1,999999999 +1,999999999 @@\n" + f"+{'x' * 80}\n" * 60_000,
        "\n".join(["@@ -1 +1 @@" + "x" * 150] * 30_000),
    ],
    ids=["names", "binary", "submodule", "section", "quoted", "counts", "hunks"],
)
def test_five_megabytes_of_anything(text: str):
    """It ends: a search that took the square of this would not."""
    parse(text)


@given(st.text(alphabet=st.sampled_from('+-@ \\\n\rab,1"/\0\ud800é'), max_size=200))
def test_no_text_makes_it_raise(text: str):
    parse(text)
    parse("--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n" + text)
    parse("diff --git " + text)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_raise(raw: bytes):
    parse(raw)
    parse(b"diff --git a/x b/x\n" + raw)


LINES = st.lists(
    st.sampled_from(["", "a", "b", " c", "-", "--- a/x", "+++ b/x", "@@ -1 +1 @@", "\\ x", "d\r"]),
    max_size=25,
)


@given(LINES, LINES, st.integers(0, 4), st.booleans())
def test_a_diff_by_difflib_applies_and_keeps_numbers(
    before: list[str], after: list[str], context: int, crlf: bool
):
    old, new = ([f"{line}\n" for line in lines] for lines in (before, after))
    text = "".join(difflib.unified_diff(old, new, "a/x.py", "b/x.py", n=context))
    if crlf:
        text = text.replace("\n", "\r\n")
    diff = parse(text)
    if old == new:
        assert diff.files == ()
        return
    assert diff.problems == ()
    file = only(diff)
    assert all(old[n - 1].rstrip("\r\n") == t.rstrip("\r") for n, t in old_side(file).items())
    assert all(new[n - 1].rstrip("\r\n") == t.rstrip("\r") for n, t in new_side(file).items())
    assert apply(file, "".join(old)) == "".join(new)


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_what_git_itself_writes(tmp_path: Path):
    """A repository with everything in it: names, modes, moves, bytes, ends."""

    def git(*words: str) -> bytes:
        settings = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "core.autocrlf=0"]
        command = ["git", *settings, *words]
        return subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout

    body = "".join(f"line {n}\n" for n in range(1, 40))
    (tmp_path / "kept name.py").write_text(body)
    (tmp_path / "moved.py").write_text(body + "moved\n")
    (tmp_path / "gone.txt").write_text("x\n")
    (tmp_path / "größe\t1.py").write_text("a\n")
    (tmp_path / "ends.py").write_bytes(b"a\r\nb\r\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    (tmp_path / "run.sh").write_text("true\n")
    (tmp_path / "data.bin").write_bytes(bytes(range(256)))
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "before")
    (tmp_path / "kept name.py").write_text(body.replace("line 7\n", "").replace("20\n", "20!\n"))
    (tmp_path / "moved.py").rename(tmp_path / "there.py")
    (tmp_path / "there.py").write_text(body + "moved on")
    (tmp_path / "gone.txt").unlink()
    (tmp_path / "größe\t1.py").write_text("b\n")
    (tmp_path / "ends.py").write_bytes(b"a\r\nc\r\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9s\n")
    (tmp_path / "run.sh").chmod(0o755)
    (tmp_path / "data.bin").write_bytes(bytes(range(255, -1, -1)))
    (tmp_path / "made.py").write_text("")
    git("add", "-A")
    for options in ((), ("--binary",), ("--no-prefix",), ("-R",), ("-U0",), ("--minimal", "-U99")):
        diff = parse(git("diff", "--cached", "-M", *options))
        found = {file.path: file for file in diff.files}
        assert diff.problems == ("not UTF-8 text: 2 bytes or characters replaced by U+FFFD",)
        assert len(found) == 9
        back = "-R" in options
        assert found["moved.py" if back else "there.py"].change == "renamed"
        assert found["gone.txt"].change == ("added" if back else "deleted")
        assert found["made.py"].change == ("deleted" if back else "added")
        assert set(found["run.sh"].modes) == {"100644", "100755"}
        assert found["data.bin"].binary
        assert "größe\\t1.py" in found
        if not back:
            there = (tmp_path / "there.py").read_text()
            assert apply(found["there.py"], body + "moved\n") == there
            kept = (tmp_path / "kept name.py").read_text()
            assert apply(found["kept name.py"], body) == kept
            assert apply(found["ends.py"], "a\r\nb\r\n") == "a\r\nc\r\n"


FULL = pytest.param(1, marks=pytest.mark.slow)


@pytest.mark.parametrize("step", [5, FULL])
def test_real_commits_turn_what_was_before_into_what_is_after(commits, step: int):
    """The strong oracle: both files at hand, every hunk of them applied."""
    for commit in commits[::step]:
        file = only(parse(commit["diff"]))
        assert file.path == commit["path"]
        assert apply(file, commit["before"]) == commit["after"]
        after = [line.removesuffix("\r") for line in commit["after"].split("\n")]
        assert all(after[number - 1] == text for number, text in new_side(file).items())


@pytest.mark.parametrize("step", [5, FULL])
def test_real_pull_requests_hold_the_files_and_lines_that_git_counted(pull_requests, step: int):
    for pull in pull_requests[::step]:
        diff = parse(pull["diff"])
        assert diff.problems == ()
        counted = {f["path"]: (f["added"], f["deleted"]) for f in pull["files"]}
        assert set(counted) <= set(diff.paths)
        # Git lists a link that became a file twice, and counts it once.
        kinds: dict[str, list[str]] = {path: [] for path in diff.paths}
        for file in diff.files:
            kinds[file.path] += [line.kind for hunk in file.hunks for line in hunk.lines]
        unlike = {file.path for file in diff.files if file.binary or file.submodule}
        for path in set(counted) - unlike:
            assert (str(kinds[path].count("+")), str(kinds[path].count("-"))) == counted[path]
