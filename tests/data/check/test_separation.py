"""The tests behind a finding on pairs hold their level."""

from __future__ import annotations

import random

import pytest

from outdo.data.check.language import natural, programming
from outdo.data.check.marks import Mark, has, lengths, marks
from outdo.data.check.repeats import same_but_for_form, without_common
from outdo.data.check.separation import corrected, sign_test
from outdo.stats.rates import mcnemar


def test_the_sign_test_is_mcnemars() -> None:
    for wins, losses in ((0, 0), (0, 1), (3, 9), (40, 41), (0, 20)):
        assert sign_test(wins, losses) == pytest.approx(mcnemar(wins=wins, losses=losses))


def test_marks_that_are_too_rare_cost_nothing() -> None:
    strong = {Mark("first word", "strong"): (30, 0)}
    rare = {Mark("first word", str(n)): (1, 0) for n in range(10_000)}
    alone = corrected(strong, level=0.001)
    assert corrected({**strong, **rare}, level=0.001) == alone
    common = {Mark("first word", str(n)): (20, 20) for n in range(100)}
    among = corrected({**strong, **common}, level=0.001)
    assert among[Mark("first word", "strong")] > 100 * alone[Mark("first word", "strong")]


def test_a_set_of_coins_has_a_finding_no_more_often_than_the_level() -> None:
    """Of 400 sets of fair marks at most 0.05 x 400 = 20 are expected to, give or take 4.4."""
    rng = random.Random(7)
    found = 0
    for _ in range(400):
        counts = {}
        for number in range(40):
            n = rng.choice((2, 5, 12, 30, 60))
            wins = rng.getrandbits(n).bit_count()
            counts[Mark("first word", str(number))] = (wins, n - wins)
        found += bool(corrected(counts, level=0.05))
    assert 0 < found < 34


def test_every_mark_of_a_text_is_one_that_it_has() -> None:
    texts = (
        "",
        " ",
        "Sure! Here it is.\n```python\nx = 1\n```",
        "def f(a):\n\treturn a  \n",
        "é 😀",
    )
    for text in texts:
        assert all(has(text, mark) for mark in marks(text))


def test_lengths_are_of_the_longer_alone() -> None:
    assert lengths("aaaa", "a") == {Mark("length", x) for x in ("1", "1.5", "2", "4")}
    assert lengths("aaa", "aa") == {Mark("length", "1"), Mark("length", "1.5")}
    assert lengths("a", "aa") == lengths("a", "a") == set()
    assert lengths("aa", "") and not lengths("", "aa")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x = 1", "x  =  1\n", True),
        ("x = 1", "```python\nx = 1\n```", True),
        ("x = 1  # one", "x = 1", True),
        ("x = 'a'", 'x = "a"', True),
        ("x = '#fff'", "x = '#000'", False),
        ("x < 1", "x <= 1", False),
        ("A word, said.", "a word said", True),
        ("A word, said.", "another word said", False),
        ("", "x", False),
    ],
)
def test_replies_that_differ_in_form_alone(one: str, other: str, same: bool) -> None:
    assert same_but_for_form(one, other) is same
    assert same_but_for_form(other, one) is same


def test_lines_that_many_rows_share_are_left_out() -> None:
    assert without_common([f"head\nrow {n}" for n in range(50)]) == [f"row {n}" for n in range(50)]
    assert without_common(["head\na", "head\nb"]) == ["head\na", "head\nb"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("This is the answer to your question, and it is right.", "English"),
        ("Das ist die Antwort auf Ihre Frage und sie ist nicht falsch.", "German"),
        ("Ceci est une réponse à la question que vous posez dans le texte.", "French"),
        ("Esta es la respuesta a la pregunta que se hace en el texto.", "Spanish"),
        ("Это ответ на вопрос.", "Cyrillic"),
        ("这是问题的答案。", "Chinese"),
        ("x = 1", None),
        ("", None),
    ],
)
def test_natural_languages(text: str, language: str | None) -> None:
    assert natural(text) == language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("def f(a):\n    return a", "Python"),
        ("Here:\n```js\nlet a\n```", "JavaScript"),
        ("const a = 1;", "JavaScript"),
        ("#include <stdio.h>\nint main() {}", "C"),
        ("#include <vector>\nint main() {}", "C++"),
        ("SELECT name FROM people", "SQL"),
        ("Just words.", None),
    ],
)
def test_programming_languages(text: str, language: str | None) -> None:
    assert programming(text) == language
