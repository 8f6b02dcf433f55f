"""Programs come out of replies as they were meant, and the rule that was needed is named."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo import text

CODE = "def double(x):\n    return 2 * x"


def extracted(reply: str, entry: str | None = None) -> tuple[str | None, str | None]:
    found = text.extract(reply, entry=entry)
    assert (found.code is None) == (found.problem is not None)
    return found.code, found.repaired_by


@pytest.mark.parametrize(
    "reply",
    [
        f"```python\n{CODE}\n```",
        f"```\n{CODE}\n```",
        f"```py\n{CODE}\n```",
        f"``` Python3 \n{CODE}\n```  ",
        f"````python\n{CODE}\n````",
        f"~~~python\n{CODE}\n~~~",
        f"Here it is:\n\n```python\n{CODE}\n```\n\nIt was the 2.",
        f"\ufeff```python\r\n{CODE}\r\n```\r\n".replace("\n    ", "\r\n    "),
        "1. Repaired:\n   ```python\n   def double(x):\n       return 2 * x\n   ```",
        f"1. Repaired:\n   ```python\n{CODE}\n   ```",
        f"<think>\nperhaps ```python\nx\n```?\n</think>\n\n```python\n{CODE}\n```",
        f"so it is 2.</think>\n```python\n{CODE}\n```",
        f"```text\nan idea\n```\n```python\n{CODE}\n```",
        f"```python\n\n\n{CODE}\n\n```",
        "```python\ndef double(x):\x00\n    return 2 * x\n```",
    ],
)
def test_one_block_is_read_without_repair(reply: str) -> None:
    assert extracted(reply) == (CODE, None)


@pytest.mark.parametrize(
    ("reply", "rule"),
    [
        (f"```python\n{CODE}", "fence not closed"),
        (f"```python\n{CODE}\n", "fence not closed"),
        (CODE, "no fence"),
        (f"\n{CODE}\n\n", "no fence"),
        (f"Sure, here it is:\n\n{CODE}\n\nIt doubles x now.", "no fence"),
        (f"Repaired program:\n{CODE}\n\nNote: the 2 was missing.", "no fence"),
        (f"<think>hm</think>{CODE}", "no fence"),
        (f"{CODE}\n```", "fence not opened"),
        (f"{CODE}\n```\nThis doubles x.", "fence not opened"),
    ],
)
def test_a_broken_form_is_repaired_by_a_named_rule(reply: str, rule: str) -> None:
    assert extracted(reply) == (CODE, rule)


def test_of_several_blocks_the_last_that_defines_the_entry_is_taken() -> None:
    draft = "def double(x):\n    return x * x"
    reply = (
        f"```python\n{draft}\n```\nNo:\n```python\n{CODE}\n```\n```python\nprint(double(4))\n```"
    )
    assert extracted(reply, "double") == (CODE, "last block that defines the entry")


def test_a_block_cut_off_does_not_replace_a_closed_one() -> None:
    reply = f"```python\n{CODE}\n```\nOr:\n```python\ndef double(x):\n    retu"
    assert extracted(reply, "double") == (CODE, "last block that defines the entry")
    only_cut = f"```python\nprint(1)\n```\nOr:\n```python\n{CODE}"
    assert extracted(only_cut, "double") == (CODE, "last block that defines the entry")


@pytest.mark.parametrize("define", ["double = lambda x: 2 * x", "class double:\n    pass"])
def test_an_entry_may_be_any_name(define: str) -> None:
    longer = "# " + "long " * 20
    reply = f"```python\n{define}\n```\n```python\n{longer}\n```"
    assert extracted(reply, "double")[0] == define


def test_without_an_entry_the_longest_block_that_parses_is_taken() -> None:
    reply = (
        f"```python\nprint(2)\n```\n```python\n{CODE}\n```\n```python\nif but not so {CODE}\n```"
    )
    assert extracted(reply) == (CODE, "longest block")
    assert extracted(reply, "triple") == (CODE, "longest block")


def test_of_blocks_as_long_the_last_is_taken() -> None:
    assert extracted("```\nx = 1\n```\n```\nx = 2\n```") == ("x = 2", "longest block")


def test_blocks_that_never_parse_are_still_an_answer() -> None:
    assert extracted("```\nif (\n```\n```\nif\n```") == ("if (", "longest block")


def test_a_block_in_another_language_counts_only_without_a_python_one() -> None:
    assert extracted("```text\nx = 1\n```") == ("x = 1", None)
    assert extracted("```text\nx = 1\ny = 2\n```\n```python\nx = 3\n```") == ("x = 3", None)


def test_a_fence_opened_twice_ends_the_first_block() -> None:
    reply = f"```python\nx = 1\n```python\n{CODE}\n```"
    assert extracted(reply, "double") == (CODE, "last block that defines the entry")


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("", "the reply is empty"),
        (" \n\t\n", "the reply is empty"),
        ("<think>ok</think>  ", "the reply is empty"),
        ("<think>\ndef f(): pass", "the reply ends within its thinking"),
        ("Sorry", "the reply holds no program"),
        ("I can't help with that.", "the reply holds no program"),
        ("Note: nothing\nYes, sure", "the reply holds no program"),
        ("```python\n\n```", "the reply holds no program"),
        ("x" * 60_001, "the reply is longer than 60,000 characters"),
    ],
)
def test_no_program_is_a_problem(reply: str, problem: str) -> None:
    assert text.extract(reply) == text.Extract(code=None, problem=problem)


def test_code_on_both_sides_of_a_lone_fence_is_a_block_not_closed() -> None:
    assert extracted(f"print(1)\n```\n{CODE}") == (CODE, "fence not closed")
    used = f"{CODE}\nprint(double(2))"
    assert extracted(f"{used}\n```\nThis prints 4.") == (used, "fence not opened")


def test_long_thinking_is_no_long_reply() -> None:
    assert extracted(f"<think>{'hm ' * 100_000}</think>{text.fence(CODE)}") == (CODE, None)
    longest = "#" * 60_000
    assert text.extract(longest).problem == "the reply holds no program"


@pytest.mark.parametrize(
    "code",
    [
        *("-" * 50_000 + "1", "not " * 10_000 + "x", "lambda:" * 8_000 + "1", "x=" * 25_000 + "1"),
        *("x" + ".a" * 25_000, "f" + "()" * 25_000, "f(" * 25_000, "+".join("1" * 25_000)),
        *("if x:\n pass\n" + "elif x:\n pass\n" * 3_500, "`" * 50_000, "~~~\n" * 12_000),
    ],
)
def test_replies_that_never_end_well_are_read_to_their_end(code: str) -> None:
    for reply in (code, f"```python\ndef f():\n    return {code}\n```"):
        found = text.extract(reply, entry="f")
        assert (found.code is None) == (found.problem is not None)


def test_a_bare_script_needs_no_definition() -> None:
    script = "n = int(input())\nprint(n * 2)"
    assert extracted(script) == (script, "no fence")
    assert extracted(f"This works:\n{script}") == (script, "no fence")


def test_a_bare_program_with_a_syntax_error_keeps_all_its_lines() -> None:
    broken = "def double(x):\n    return 2 x\n\ndef triple(x):\n    return 3 * x"
    assert extracted(f"{broken}\n\nNow it works.") == (broken, "no fence")


def test_bare_code_goes_on_after_blank_lines_comments_and_brackets() -> None:
    code = "import math\n\n# an area\nAREA = [\n\n    1,\n\n]\n\n@cache\ndef f(x):\n    return x x"
    assert extracted(code) == (code, "no fence")


def test_a_thinking_tag_within_the_code_is_code() -> None:
    code = 'print("</think>")'
    assert extracted(text.fence(code)) == (code, None)


def test_a_fence_is_longer_than_any_within() -> None:
    assert text.fence("x = 1\n") == "```python\nx = 1\n```"
    assert text.fence("s = '''\n````\n'''") == "`````python\ns = '''\n````\n'''\n`````"
    assert text.fence("a", language="") == "```\na\n```"


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab =#`~\n\r\t\x00\ufeff\\'\"<think>/:() \u2028\ud800é")))
def test_any_code_comes_back_out_of_its_fence(code: str) -> None:
    plain = text.plain(code).strip("\n")
    found = text.extract(text.fence(code))
    assert found.code == (plain if plain.strip() else None)
    assert found.repaired_by is None


@settings(deadline=None)
@given(
    st.text(alphabet=st.sampled_from("ab1 =:.`~\n\t#()[]{}<think>/def\x00\ufeff'\""), max_size=80)
)
def test_no_reply_breaks_the_reading(reply: str) -> None:
    found = text.extract(reply, entry="a")
    assert (found.code is None) == (found.problem is not None)


def test_plain_text_has_one_kind_of_line_end() -> None:
    assert text.plain("\ufeffa\r\nb\rc\x00\n") == "a\nb\nc\n"


@pytest.mark.parametrize(
    "code",
    ["if", "print 1", "a\x00b", "x = '\ud800'", "(" * 150 + ")" * 250, "-" * 20_000 + "1"],
)
def test_a_text_that_is_no_python_has_no_tree(code: str) -> None:
    assert text.syntax_tree(code) is None


def test_a_doubtful_escape_is_still_python() -> None:
    assert text.syntax_tree(r"x = '\d'") is not None


FRAGMENTS = {
    "a whole program": "x = 1\ny = 2",
    "an indented piece": "        return x\n",
    "a piece that falls back": "            x += 1\n        return x\n    y = 2\n",
    "a clause without its if": "    else:\n        x = 1\n",
    "a branch and its else": "        x = 1\n    else:\n        x = 2\n",
    "a handler": "        x = 1\n    except ValueError:\n        pass\n",
    "a head without its body": "    for x in y:  # all\n",
    "a decorator alone": "    @property\n",
    "a return": "return await x",
    "blank lines around": "\n\n    x = 1\n\n",
}


@pytest.mark.parametrize("code", FRAGMENTS.values(), ids=FRAGMENTS)
def test_a_piece_of_a_program_has_a_tree(code: str) -> None:
    lines = code.split("\n")
    piece = text.fragment(lines)
    assert piece is not None
    for node in ast.walk(piece.tree):
        if isinstance(node, ast.Name) and node.id != "_":
            line = lines[node.lineno - piece.above - 1]
            assert line[node.col_offset + piece.left :].startswith(node.id)


@pytest.mark.parametrize(
    "code", ["", "\n", "f(1,\n", 'x = """\n', "    ) -> int:\n", "\tx = 1", "a b"]
)
def test_what_was_cut_within_a_bracket_has_none(code: str) -> None:
    assert text.fragment(code.split("\n")) is None
