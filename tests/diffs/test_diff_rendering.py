"""What a prompt shows of a diff, read back from the text itself."""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.diffs import (
    LEGEND,
    Rendered,
    hunk_of,
    language_of,
    new_side,
    old_side,
    parse,
    render,
    size_of,
    unwritten,
)

TWO = """\
diff --git a/src/shop.py b/src/shop.py
--- a/src/shop.py
+++ b/src/shop.py
@@ -10,8 +10,7 @@ def total(cart):
     amount = 0
     for item in cart:
-        amount += item.price
+        amount += item.price * item.count
+        check(item)
     return amount
-
-
 def empty():
     pass
diff --git a/old.py b/old.py
deleted file mode 100644
--- a/old.py
+++ /dev/null
@@ -1,2 +0,0 @@
-a = 1
-b = 2
"""


HEAD = re.compile(r"File: (.*) \([^()]*(?:\(.*\)[^()]*)?\)")
ROW = re.compile(r"([0-9]+) [+ ](.*)", re.DOTALL)


def read_back(text: str) -> tuple[dict[str, dict[int, str]], dict[str, list[str]]]:
    """The numbered lines and the removed ones of each file, from the rendered rows alone."""
    numbered: dict[str, dict[int, str]] = {}
    removed: dict[str, list[str]] = {}
    path = ""
    for row in text.split("\n"):
        if row[:1].isdigit() and (match := ROW.fullmatch(row)):
            numbered.setdefault(path, {})[int(match[1])] = match[2]
        elif row[:1] == "-":
            removed.setdefault(path, []).append(row[1:])
        elif row[:1] == "F" and (match := HEAD.fullmatch(row)):
            path = match[1]
    return numbered, removed


def named(rendered: Rendered) -> set[str]:
    return {*rendered.files_shown, *(path for path, _ in rendered.left_out)}


def words(text: str) -> int:
    """A count with a cost for each call, as of a tokenizer that begins with a token of its own."""
    return len(re.findall(r"\w+|[^\w\s]|\n", text)) + 1 if text else 0


def test_the_form():
    assert render(parse(TWO)).text == (
        "File: src/shop.py (changed, Python)\n"
        "@ lines 10-16, in def total(cart):\n"
        "10      amount = 0\n"
        "11      for item in cart:\n"
        "12 +        amount += item.price * item.count\n"
        "13 +        check(item)\n"
        "14      return amount\n"
        "15  def empty():\n"
        "16      pass\n"
        "removed before line 12\n"
        "-        amount += item.price\n"
        "removed before line 15\n"
        "-\n"
        "-\n"
        "\n"
        "File: old.py (deleted, Python)\n"
        "@ whole file\n"
        "removed\n"
        "-a = 1\n"
        "-b = 2\n"
    )


def test_the_legend_speaks_of_rows_that_there_are():
    assert "removed before line 12" in LEGEND
    assert "removed before line 12\n" in render(parse(TWO)).text


def test_the_lines_shown_are_those_of_the_new_side():
    diff = parse(TWO)
    rendered = render(diff)
    assert rendered.lines == {"src/shop.py": new_side(diff.files[0])}
    assert rendered.files_shown == ("src/shop.py", "old.py")
    assert rendered.left_out == rendered.cut == rendered.problems == ()


def test_the_hunk_of_a_line():
    file = parse(TWO).files[0]
    assert hunk_of(file, 10) == hunk_of(file, 16) == file.hunks[0]
    assert hunk_of(file, 9) is None
    assert hunk_of(file, 17) is None


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("poetry.lock", "lock file"),
        ("web/package-lock.json", "lock file"),
        ("go.sum", "lock file"),
        ("vendor/lib/x.go", "vendored"),
        ("a/node_modules/x/index.js", "vendored"),
        ("api/v1_pb2.py", "generated"),
        ("api/v1.pb.go", "generated"),
        ("site/jquery.min.js", "minified"),
        ("logo.png", "binary"),
    ],
)
def test_what_nobody_wrote_is_named_with_the_reason(path: str, why: str):
    assert unwritten(path) == why
    text = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+secret row\n"
    rendered = render(parse(text))
    assert rendered.text == f"Not shown:\n* {path}: {why}\n"
    assert rendered.left_out == ((path, why),)
    assert rendered.lines == {}


@pytest.mark.parametrize("path", ["src/vendors.py", "locks.py", "min.js", "bin/run", "a/png.py"])
def test_what_somebody_may_have_written_is_shown(path: str):
    assert unwritten(path) is None


def test_a_line_that_nobody_wrote_takes_its_file_out():
    text = f"--- a/x.js\n+++ b/x.js\n@@ -1 +1 @@\n-a\n+{'x' * 6000}\n"
    assert render(parse(text)).left_out == (("x.js", "has lines of over 5,000 characters"),)


def test_files_without_lines_are_shown_by_their_head():
    text = (
        "diff --git a/lib b/lib\nindex 1111111..2222222 160000\n--- a/lib\n+++ b/lib\n"
        "@@ -1 +1 @@\n-Subproject commit 1111111\n+Subproject commit 2222222\n"
        "diff --git a/x.sh b/x.sh\nold mode 100644\nnew mode 100755\n"
        "diff --git a/a.py b/b.py\nsimilarity index 100%\nrename from a.py\nrename to b.py\n"
        "diff --git a/x.dat b/x.dat\nindex 1..2 100644\nBinary files a/x.dat and b/x.dat differ\n"
        "diff --cc m.py\nindex 1,2..3\n@@@ -1 -1 +1 @@@\n++c\n"
    )
    rendered = render(parse(text))
    assert rendered.text == (
        "File: lib (submodule, changed, -1111111, +2222222)\n\n"
        "File: x.sh (changed, Shell, mode 100644 to 100755)\n\n"
        "File: b.py (renamed from a.py, Python)\n\n"
        "Not shown:\n* x.dat: binary\n* m.py: a merge's combined diff\n"
    )
    assert len(rendered.problems) == 1


def test_a_change_of_line_ends_alone_is_told():
    text = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\r\n+a\n"
    assert "@ line 1, only the ends of lines change\n" in render(parse(text)).text


def test_code_can_not_pass_for_a_row_of_ours():
    forged = ["File: fake.py (changed, Python)", "Not shown:", "* real.py: binary", "@ line 1"]
    text = "--- a/x\n+++ b/x\n@@ -0,0 +1,4 @@\n" + "".join(f"+{row}\n" for row in forged)
    numbered, _ = read_back(render(parse(text)).text)
    assert numbered == {"x": dict(enumerate(forged, 1))}


def test_a_carriage_return_within_a_line_opens_no_row():
    text = "--- a/x\n+++ b/x\n@@ -1 +1 @@ f\rNot shown:\n-b\rFile: y (new)\n+a\rFile: y (new)\n"
    rendered = render(parse(text + "--- a/p\rq\n+++ b/p\rq\n@@ -1 +1 @@\n-b\n+c\n"))
    assert "\r" not in rendered.text
    assert rendered.lines == {"x": {1: "a\u240dFile: y (new)"}, "p\\rq": {1: "c"}}


# ------------------------------------------------------------------ context

SOURCE = """\
class Shop:
    tax = 2

    def total(self, cart):
        amount = 0
{far}        for item in cart:
            if item.count:
                amount += item.price
        return amount
"""


def one_change(source: str) -> str:
    old = source.replace("item.price", "price").splitlines(keepends=True)
    new = source.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, "a/x.py", "b/x.py", n=1))


def test_a_hunk_shows_the_definition_that_it_stands_in():
    source = SOURCE.format(far="")
    rendered = render(parse(one_change(source)), sources={"x.py": source})
    assert rendered.text == (
        "File: x.py (changed, Python)\n"
        "@ lines 7-9\n"
        "4      def total(self, cart):\n"
        "5          amount = 0\n"
        "6          for item in cart:\n"
        "7              if item.count:\n"
        "8 +                amount += item.price\n"
        "9          return amount\n"
        "removed before line 8\n"
        "-                amount += price\n"
    )
    assert sorted(rendered.lines["x.py"]) == [4, 5, 6, 7, 8, 9]


def test_of_a_far_definition_only_its_line_is_shown():
    source = SOURCE.format(far="        log()\n" * 20)
    rendered = render(parse(one_change(source)), sources={"x.py": source})
    assert "\n4      def total(self, cart):\n...\n27  " in rendered.text
    assert sorted(rendered.lines["x.py"]) == [4, 27, 28, 29]


def test_a_source_that_is_not_the_new_file_is_told_and_not_used():
    source = SOURCE.format(far="")
    diff = parse(one_change(source))
    rendered = render(diff, sources={"x.py": source.replace("item.count", "other")})
    assert rendered.text == render(diff).text
    assert rendered.problems == ("x.py: the text given is not the new file's (line 7)",)


@pytest.mark.parametrize(
    ("opening", "body"),
    [
        ("func (s *Shop) Total() int {", "\treturn price"),
        ("    public static int total(Cart cart) {", "        return price;"),
        ("pub(crate) fn total() -> i32 {", "    price"),
        ("int total(struct cart *c) {", "    return price;"),
        ("export default async function total() {", "  return price;"),
    ],
)
def test_definitions_of_other_languages(opening: str, body: str):
    indent = body[: len(body) - len(body.lstrip())]
    source = "\n".join([opening, *[f"{indent}filler();"] * 5, body, "}", ""])
    old = source.replace("price", "amount")
    lines = old.splitlines(keepends=True), source.splitlines(keepends=True)
    text = "".join(difflib.unified_diff(*lines, "a/x", "b/x", n=1))
    assert 1 in render(parse(text), sources={"x": source}).lines["x"]


FULL = pytest.param(1, marks=pytest.mark.slow)


@pytest.mark.parametrize("step", [6, FULL])
def test_context_of_real_commits_is_of_the_new_file(commits, step: int):
    gained = 0
    for commit in commits[::step]:
        diff = parse(commit["diff"])
        rendered = render(diff, sources={commit["path"]: commit["after"]})
        assert rendered.problems == ()
        after = [line.removesuffix("\r") for line in commit["after"].split("\n")]
        numbered, _ = read_back(rendered.text)
        for lines in (numbered, rendered.lines):
            for text in lines.values():
                assert all(after[number - 1] == shown for number, shown in text.items())
        if rendered.left_out == ():
            sides = new_side(diff.files[0])
            assert sides.items() <= numbered[commit["path"]].items()
            gained += len(numbered[commit["path"]]) > len(sides)
    assert gained * step > 800


# ------------------------------------------------------------------ real diffs, made-up diffs


@pytest.mark.parametrize("step", [4, FULL])
def test_every_numbered_line_of_real_pull_requests_is_the_new_files(pull_requests, step: int):
    seen = 0
    for pull in pull_requests[::step]:
        diff = parse(pull["diff"])
        rendered = render(diff)
        numbered, removed = read_back(rendered.text)
        assert numbered == rendered.lines
        assert named(rendered) == set(diff.paths)
        gone = {path for path, _ in rendered.left_out}
        new: dict[str, dict[int, str]] = {}
        old: dict[str, list[str]] = {}
        for file in diff.files:
            if file.path in gone or file.submodule or not file.hunks:
                continue
            if side := new_side(file):
                new.setdefault(file.path, {}).update(side)
            lines = [ln.text for h in file.hunks for ln in h.lines if ln.kind == "-"]
            if lines:
                old.setdefault(file.path, []).extend(lines)
        assert numbered == new
        assert removed == old
        seen += 1
    assert seen * step > 7000


LINES = st.lists(
    st.sampled_from(["", "a", "b", " c", "-", "* x", "File: y (new)", "d"]), max_size=20
)


def steep(text: str) -> int:
    """A count by which the whole takes more than its parts together."""
    return len(text) ** 2 // 200


@settings(max_examples=70)
@given(
    st.lists(st.tuples(LINES, LINES), max_size=5),
    st.integers(0, 120),
    st.integers(0, 3),
    st.sampled_from([words, steep, len]),
)
def test_whatever_the_diff_and_the_budget(
    files: list[tuple[list[str], list[str]]],
    budget: int,
    context: int,
    count: Callable[[str], int],
):
    text = ""
    for index, sides in enumerate(files):
        old, new = ([f"{line}\n" for line in lines] for lines in sides)
        name = f"f{index}.{('py', 'go', 'lock', 'md')[index % 4]}"
        text += "".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}", n=context))
    diff = parse(text)
    sides_of = {file.path: new_side(file) for file in diff.files}
    for limit in (None, budget):
        rendered = render(diff, budget=limit, count=count)
        assert limit is None or count(rendered.text) <= limit
        assert named(rendered) == set(diff.paths)
        numbered, removed = read_back(rendered.text)
        assert numbered == rendered.lines
        for path, lines in numbered.items():
            assert lines.items() <= sides_of[path].items()
        olds = {file.path: set(old_side(file).values()) for file in diff.files}
        assert all(set(lines) <= olds[path] for path, lines in removed.items())
        assert rendered == render(diff, budget=limit, count=count)


def test_broken_real_diffs_still_name_every_file(pull_requests):
    """Rows lost, doubled, cut and moved: what can be read is shown within the budget."""
    rng = random.Random(0)
    problems = 0
    for pull in pull_requests[::40]:
        rows = pull["diff"].split("\n")
        for _ in range(rng.randint(1, 6)):
            at, to = rng.randrange(len(rows)), rng.randrange(len(rows))
            harm = rng.choice(["lose", "double", "cut", "move"])
            row = rows[at] if harm == "double" else rows.pop(at)
            if harm != "lose" or not rows:
                rows.insert(to, row[: rng.randrange(9)] if harm == "cut" else row)
        diff = parse("\n".join(rows))
        problems += bool(diff.problems)
        for budget in (None, 150):
            rendered = render(diff, budget=budget, count=words)
            assert named(rendered) == set(diff.paths)
            assert budget is None or words(rendered.text) <= budget
    assert problems > 100


# ------------------------------------------------------------------ languages and sizes


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a/b.py", "Python"),
        ("x.tar.TS", "TypeScript"),
        ("Dockerfile", "Dockerfile"),
        ("docker/Dockerfile.dev", "Dockerfile"),
        ("Makefile", "Makefile"),
        ("CMakeLists.txt", "CMake"),
        ("LICENSE", "Text"),
        (".gitignore", None),
        (".py", None),
        ("weird.zzz", None),
        ("a.py/b", None),
    ],
)
def test_languages_by_name(path: str, language: str | None):
    assert language_of(path) == language


@pytest.mark.parametrize(
    ("lines", "size"),
    [(1, "small"), (20, "small"), (21, "medium"), (100, "medium"), (101, "large")],
)
def test_sizes(lines: int, size: str):
    text = f"--- /dev/null\n+++ b/x\n@@ -0,0 +1,{lines} @@\n" + "+a\n" * lines
    assert size_of(parse(text)) == size
