"""What is shown when not all fits."""

from __future__ import annotations

import re

import pytest

from outdo.diffs import parse, render


def tokens(text: str) -> int:
    return len(re.findall(r"\w+|[^\w\s]|\s+", text))


def added(path: str, lines: int, word: str = "x") -> str:
    rows = "".join(f"+{word} = {n}\n" for n in range(1, lines + 1))
    return f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{lines} @@\n{rows}"


def deleted(path: str, lines: int) -> str:
    return f"--- a/{path}\n+++ /dev/null\n@@ -1,{lines} +0,0 @@\n" + "-gone = 1\n" * lines


def changed(path: str, hunks: int) -> str:
    text = f"--- a/{path}\n+++ b/{path}\n"
    for hunk in range(hunks):
        start = 1 + 100 * hunk
        text += f"@@ -{start},3 +{start},3 @@\n a = 1\n-b = 2\n+b = {hunk}\n c = 3\n"
    return text


def test_what_fits_is_the_whole():
    diff = parse(added("a.py", 5) + deleted("b.py", 5))
    assert render(diff, budget=10_000) == render(diff)


def test_the_language_with_most_changes_goes_first():
    diff = parse(added("a.md", 8) + added("b.go", 9) + added("c.go", 9) + added("d.md", 9))
    room = tokens(render(parse(added("b.go", 9) + added("c.go", 9))).text) + 40
    rendered = render(diff, budget=room, count=tokens)
    assert rendered.files_shown == ("b.go", "c.go")
    assert rendered.left_out == (("a.md", "no room"), ("d.md", "no room"))
    assert rendered.text.endswith("Not shown:\n* a.md: no room\n* d.md: no room\n")


def test_deleted_files_become_names_first():
    diff = parse(deleted("old.py", 50) + added("new.py", 5))
    rendered = render(diff, budget=80, count=tokens)
    assert rendered.files_shown == ("new.py",)
    assert rendered.left_out == (("old.py", "deleted, its lines not shown"),)


def test_hunks_that_only_delete_become_names():
    text = changed("a.py", 1) + "@@ -60,40 +60,1 @@\n kept\n" + "-gone = 1\n" * 39
    rendered = render(parse(text), budget=90, count=tokens)
    assert "gone" not in rendered.text
    assert "@ not shown whole: line 60\n" in rendered.text
    assert rendered.cut == (("a.py", "1 of 2 hunks not shown whole"),)
    assert sorted(rendered.lines["a.py"]) == [1, 2, 3]


def test_a_file_that_does_not_fit_shows_the_hunks_that_do():
    rendered = render(parse(changed("a.py", 30)), budget=300, count=tokens)
    shown = len(rendered.lines["a.py"]) // 3
    assert 3 < shown < 30
    assert rendered.cut == (("a.py", f"{30 - shown} of 30 hunks not shown whole"),)
    assert re.search(r"@ not shown whole: lines \d+-\d+, .* and \d+ more places\n", rendered.text)


def test_of_one_hunk_too_long_the_beginning_is_shown():
    rendered = render(parse(added("a.py", 5000)), budget=200, count=tokens)
    assert 150 < tokens(rendered.text) <= 200
    numbers = list(rendered.lines["a.py"])
    assert numbers == list(range(1, len(numbers) + 1))
    assert "@ not shown whole: lines 1-5000\n" in rendered.text


def test_a_count_that_is_off_costs_rows_and_not_the_file():
    """The whole counts a little more than its pieces: the last rows go."""
    diff = parse(added("a.py", 400))

    def steep(text: str) -> int:
        return tokens(text) + 12 * (not text.endswith("\n\n"))

    rendered = render(diff, budget=300, count=steep)
    assert steep(rendered.text) <= 300
    assert len(rendered.lines["a.py"]) > 25


def test_more_names_than_room_are_counted():
    diff = parse("".join(added(f"package/module_{n}.py", 50) for n in range(400)))
    rendered = render(diff, budget=400, count=tokens)
    assert tokens(rendered.text) <= 400
    assert len(rendered.left_out) + len(rendered.files_shown) == 400
    listed = rendered.text.count("\n* package/")
    more = re.search(r"^\* (\d+) more files$", rendered.text, re.MULTILINE)
    assert more is not None
    assert listed + int(more[1]) + len(rendered.files_shown) == 400


@pytest.mark.parametrize("budget", [0, 1, 3])
def test_a_budget_for_nothing_shows_nothing_and_says_so(budget: int):
    rendered = render(parse(added("a.py", 5) + deleted("b.py", 5)), budget=budget, count=tokens)
    assert rendered.text == ""
    assert rendered.files_shown == ()
    assert rendered.lines == {}
    assert rendered.left_out == (("a.py", "no room"), ("b.py", "no room"))


def test_an_empty_diff_has_an_empty_text():
    assert render(parse("")).text == ""
    assert render(parse(""), budget=0).text == ""


@pytest.mark.parametrize("budget", [25, 400, 1600])
def test_real_diffs_keep_within_the_budget_with_few_counts(pull_requests, budget: int):
    calls = used = cut = 0

    def count(text: str) -> int:
        nonlocal calls
        calls += 1
        return tokens(text)

    pulls = pull_requests[::20]
    for pull in pulls:
        diff = parse(pull["diff"])
        rendered = render(diff, budget=budget, count=count)
        taken = tokens(rendered.text)
        assert taken <= budget
        assert {*rendered.files_shown, *(p for p, _ in rendered.left_out)} == set(diff.paths)
        if rendered != render(diff):
            cut, used = cut + 1, used + taken
    assert calls / len(pulls) < 16
    if budget >= 400:
        assert used / cut > 0.6 * budget


def test_five_megabytes_are_cut_with_few_counts():
    diff = parse("".join(added(f"m{n}.py", 2000, word="a" * 50) for n in range(42)))
    calls = characters = 0

    def count(text: str) -> int:
        nonlocal calls, characters
        calls, characters = calls + 1, characters + len(text)
        return tokens(text)

    rendered = render(diff, budget=4000, count=count)
    assert 2000 < tokens(rendered.text) <= 4000
    assert calls < 64
    assert characters < 5_000_000
