"""CodeBLEU is the package's where that has a number, and what the paper says elsewhere."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tokenize
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
from golden.programs import PAIRS
from hypothesis import given, settings
from hypothesis import strategies as st

from outdo.errors import DataError
from outdo.scorers.codebleu import (
    LANGUAGES,
    CodeBleu,
    Form,
    codebleu,
    corpus_codebleu,
    signature,
    trees,
    walks,
)
from outdo.scorers.codebleu.bare import bare

bare_module = import_module("outdo.scorers.codebleu.bare")

GOLDEN = json.loads((Path(__file__).parent / "golden" / "codebleu.json").read_text("utf-8"))


def parts(found: CodeBleu) -> list[float | None]:
    return [found.score, found.ngrams, found.weighted_ngrams, found.syntax, found.dataflow]


def grammars_are_those_of_the_golden_file() -> bool:
    named = [item for language in LANGUAGES for item in trees.grammar(language).split(",")]
    return {f"{name}-{version}" for name, version in GOLDEN["versions"].items()} == set(named)


same_grammars = pytest.mark.skipif(
    not grammars_are_those_of_the_golden_file(), reason="golden values of other grammars"
)


def compare(candidate: str, reference: str, language: str, expected: list[float | None]) -> int:
    found = parts(
        codebleu(candidate=candidate, reference=reference, language=language, form="compat")
    )
    for ours, theirs in zip(found, expected, strict=True):
        assert theirs is None or ours == pytest.approx(theirs, rel=1e-14)
    return sum(value is not None for value in expected)


@same_grammars
@pytest.mark.parametrize("language", LANGUAGES)
def test_compat_is_the_package_in_each_language(language: str) -> None:
    for pair, expected in zip(PAIRS[language], GOLDEN["scores"][language], strict=True):
        assert compare(*pair, language, expected) >= 3


@same_grammars
@pytest.mark.parametrize("model", ["base", "sft", "dpo"])
def test_compat_is_the_package_on_real_outputs(model: str, thesis: list[dict[str, Any]]) -> None:
    held = [
        compare(row["outputs"][model], row["reference"], "python", expected)
        for row, expected in zip(thesis, GOLDEN["scores"][model], strict=True)
    ]
    assert held.count(5) > 75


@pytest.mark.parametrize(("model", "published"), [("base", 0.315), ("sft", 0.313), ("dpo", 0.228)])
def test_the_published_cells_come_out(
    model: str, published: float, thesis: list[dict[str, Any]]
) -> None:
    """Within what the package's own number moves from seed to seed: 0.0015."""
    references = [row["reference"] for row in thesis]
    outputs = [row["outputs"][model] for row in thesis]
    right = corpus_codebleu(
        candidates=outputs, references=references, language="python", form="compat"
    )
    assert right.score == pytest.approx(published, abs=0.0015)
    if model == "sft":
        wrong = corpus_codebleu(
            candidates=references, references=outputs, language="python", form="compat"
        )
        assert wrong.score == pytest.approx(0.341, abs=0.0015)


# ------------------------------------------------------------------ what the paper says


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_program_is_like_itself_and_unlike_nothing(language: str) -> None:
    for program in {text for pair in PAIRS[language] for text in pair if text}:
        same = codebleu(candidate=program, reference=program, language=language)
        assert {value for value in parts(same) if value is not None} == {1.0}
        for one, other in ((program, ""), ("", program), (program, " \n")):
            assert codebleu(candidate=one, reference=other, language=language).score == 0


def test_matches_are_clipped() -> None:
    once = codebleu(candidate="x = 1\n" * 8, reference="x = 1\ny = 2", language="python")
    assert once.ngrams <= 3 / 24 + 0.2
    assert once.syntax is not None
    assert once.syntax < 1
    back = codebleu(candidate="x = 1", reference="x = 1\n" * 8, language="python")
    assert back.syntax is not None
    assert back.syntax < 0.3


def test_a_keyword_weighs_five_words_in_a_precision() -> None:
    def unigrams(candidate: str) -> float:
        reference = "return a"
        found = codebleu(candidate=candidate, reference=reference, language="python")
        return found.weighted_ngrams

    # Of the candidate's weight 1 + 0.2 the keyword has 1; the bigram has no match, so 0.1 of 1.
    assert unigrams("return b") == pytest.approx(math.sqrt(1 / 1.2 * 0.1))
    assert unigrams("b a") == pytest.approx(math.sqrt(0.2 / 0.4 * 0.1))


def test_comments_docstrings_and_layout_change_nothing() -> None:
    bare = "def f(x):\n    return x\n"
    told = 'def f( x ):\n  """Say why."""\n  # here\n  return x'
    assert codebleu(candidate=told, reference=bare, language="python").score == 1


def test_names_of_variables_are_no_matter_to_the_flow() -> None:
    one = codebleu(
        candidate="a = 1\nb = a + 1\nprint(b)",
        reference="x = 1\ny = x + 1\nprint(y)",
        language="python",
    )
    assert one.dataflow == 1
    assert one.syntax == 1
    assert one.ngrams < 1


def test_a_flow_that_fails_counts_as_nothing_and_one_that_is_missing_not_at_all() -> None:
    none = codebleu(candidate="1", reference="x = y\nz = x", language="python")
    assert none.dataflow == 0
    missing = codebleu(candidate="f", reference="pass", language="python")
    assert missing.dataflow is None
    published = codebleu(
        candidate="pass", reference="x = y\nz = x", language="python", form="compat"
    )
    assert published.score >= 0.25  # the package counts a flow without a match as a full one


def test_no_number_depends_on_the_seed_of_hashes() -> None:
    code = (
        "from golden.programs import PAIRS\n"
        "from outdo.scorers.codebleu import codebleu\n"
        "for form in ('fixed', 'compat'):\n"
        "    for language, pairs in PAIRS.items():\n"
        "        for one, other in pairs:\n"
        "            print(codebleu(candidate=one, reference=other, language=language, form=form))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=Path(__file__).parent,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(said) == 1


def visits(depth: int, monkeypatch: pytest.MonkeyPatch, form: Form) -> int:
    """How many nodes are walked in loops nested to a depth."""
    counted = [0]
    visit = walks.PythonWalk.visit

    def counting(self: walks.PythonWalk, node: int, states: Any) -> None:
        counted[0] += 1
        visit(self, node, states)

    lines = [f"{'  ' * n}for i{n} in r{n}:\n{'  ' * n}  x = x + i{n}" for n in range(depth)]
    program = "x = 0\n" + "\n".join(lines)
    with monkeypatch.context() as patch:
        patch.setattr(walks.PythonWalk, "visit", counting)
        found = codebleu(candidate=program, reference=program, language="python", form=form)
    assert found.dataflow == 1
    return counted[0]


def test_the_cost_is_linear_in_the_depth_of_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    ten, twenty = (visits(depth, monkeypatch, "fixed") for depth in (10, 20))
    assert twenty <= 2.05 * ten
    ten, twenty = (visits(depth, monkeypatch, "compat") for depth in (10, 20))
    assert twenty <= 8 * ten  # the package's factor is 1,024


# ------------------------------------------------------------------ reading programs


PROGRAMS = sorted({text for pairs in PAIRS.values() for pair in pairs for text in pair})


BROKEN = [
    *(f"x = 1 {mark} $ 2" for mark in "()'\"\\"),
    *(f"f(a, {mark}" for mark in "()'\"\\"),
    *(f"if x{mark}:\n  y = [1" for mark in "()'\"\\"),
    "if ( i not ]in y ) :\n    z",
    "if x: y = 1 z = 2\nclass A:\n",
    "def f(:\n  return [x for x in\nprint 'x'",
    "f'{x:{'a' 'b'}' = y",
    "'s in g e:",
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_tree_in_lists_is_that_of_the_parser(language: str) -> None:
    for program in [*PROGRAMS, *BROKEN]:
        tree = trees.parse(program, language)
        raws = tree.raws()
        assert tree.kinds == [raw.type for raw in raws]
        assert tree.sizes == [raw.descendant_count for raw in raws]
        assert tree.inner == [node for node, raw in enumerate(raws) if raw.child_count]
        for node, raw in enumerate(raws):
            assert [raws[child] for child in tree.children(node)] == raw.children
            for name in ("left", "right", "name", "value"):
                found = tree.field(node, name)
                assert (None if found is None else raws[found]) == raw.child_by_field_name(name)


@pytest.mark.parametrize("language", LANGUAGES)
def test_shapes_are_alike_where_the_parser_prints_alike(language: str) -> None:
    numbers: dict[int, str] = {}
    for program in [*PROGRAMS, *BROKEN]:
        tree = trees.parse(program, language)
        inner = [raw for raw in tree.raws() if raw.child_count] or [tree.root]
        prints = [text[text.index("(") :] for text in map(str, reversed(inner))]
        for number, text in zip(trees.printed_shapes(tree), prints, strict=True):
            assert numbers.setdefault(number, text) == text
    assert len(set(numbers.values())) == len(numbers) > 1


def test_something_missing_that_is_no_node_is_told_by_the_print(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tree = trees.parse(BROKEN[-1], "python")
    assert trees.HIDDEN in str(tree.root)
    assert not tree.torn
    told = trees.printed_shapes(tree)
    monkeypatch.setattr(trees, "HIDDEN", "never printed")
    assert trees.printed_shapes(tree) != told


def test_the_text_of_a_token_is_what_it_spans_though_most_names_tell_it() -> None:
    for program in [*PROGRAMS, *BROKEN, "a not  in b", "print 'x'", "é = a is  not b"]:
        tree = trees.parse(program, "python")
        raws = tree.raws()
        spans = [(raws[leaf].start_byte, raws[leaf].end_byte) for leaf in tree.leaves]
        told = [tree.source[start:end].decode("utf-8", "replace") for start, end in spans]
        assert tree.texts == told


@pytest.mark.parametrize(
    ("program", "left"),
    [
        ('"""Say."""\nx = 1', "x = 1"),
        ('def f():\n    """Say."""\n    return 1', "def f():\n    \n    return 1"),
        ('x = [\n    "kept",\n"gone",\n]', 'x = [\n    "kept",\n,\n]'),
        ("x = '#'  # gone", "x = '#'  "),
        ("f(\n# stays, for the bracket is never closed", None),
        ("if x:\n    y\n  'stays'", None),
        ("if x:\n    'gone'\n    y\n\n    'stays'", "if x:\n    \n    y\n\n    'stays'"),
        ("x = 'never closed", "x = 'never closed"),
        ("u'gone'\nx = f'kept'", "\nx = f'kept'"),
    ],
)
def test_comments_and_strings_that_are_statements_go(program: str, left: str | None) -> None:
    rows = [row.rstrip() for row in (program if left is None else left).split("\n")]
    found = [row.rstrip() for row in bare(program, "python").split("\n")]
    assert found == ([row for row in rows if row] if left is not None else rows)


@settings(max_examples=100)
@given(st.text(alphabet=st.sampled_from("x=1 \n\n  ():[]#'\"f,"), max_size=40))
def test_a_sketch_takes_out_what_the_tokens_tell(text: str) -> None:
    """Whatever the quick way gives, the slow one gives as well, but for blanks at ends of rows."""
    sketch, code = [], text.strip()
    for cut in (bare_module._cut, bare_module._tokenized):
        try:
            found = cut(code)
        except (tokenize.TokenError, SyntaxError):
            sketch.append(["refused"])
            continue
        if found is None:
            return
        sketch.append([row.rstrip() for row in found.split("\n") if row.strip()])
    assert sketch[0] == sketch[1]


# ------------------------------------------------------------------ bad input


ODD = [
    "",
    " \n\t",
    "\x00x = 1\x00",
    "x = '\ud800'",
    "print 'hello'\nexec 'x'",
    "if x:\n\ty = 1\n        z = 2",
    "def f(:::\n  ((((",
    "(" * 200 + "1" + ")" * 200,
    "".join(f"{' ' * n}if x{n}:\n" for n in range(200)) + " " * 200 + "y = 1",
    "é = 'ß'\n語 = é",
    "# only a comment",
]


@pytest.mark.parametrize("form", get_args(Form))
@pytest.mark.parametrize("language", LANGUAGES)
def test_odd_programs_have_scores(form: Form, language: str) -> None:
    for candidate in ODD:
        for reference in (candidate, "x = 1\ny = x", ODD[8]):
            found = parts(
                codebleu(candidate=candidate, reference=reference, language=language, form=form)
            )
            assert all(value is None or 0 <= value <= 1 + 1e-12 for value in found)
            if form == "fixed" and candidate == reference:
                assert found[0] == (1 if candidate.strip() else 0), repr(candidate[:20])


@pytest.mark.parametrize("form", get_args(Form))
@pytest.mark.parametrize("text", ["x = 1\n" * 170_000, "(" * 1_000_000, "a " * 500_000])
def test_a_megabyte_has_a_score(form: Form, text: str) -> None:
    found = codebleu(candidate=text, reference="x = 1", language="python", form=form)
    assert 0 <= found.score <= 1


@settings(max_examples=60)
@given(
    st.text(alphabet=st.sampled_from("xy=1 \n():,+'\"#\\if\t\x00é\ud800{};"), max_size=30),
    st.text(alphabet=st.sampled_from("xy=1 \n():,+'\"#\\if\t\x00é\ud800{};"), max_size=30),
    st.sampled_from(LANGUAGES),
    st.sampled_from(get_args(Form)),
)
def test_any_text_has_a_score(one: str, other: str, language: str, form: Form) -> None:
    found = codebleu(candidate=one, reference=other, language=language, form=form)
    assert all(value is None or 0 <= value <= 1 + 1e-12 for value in parts(found))


def test_mistakes_are_told() -> None:
    with pytest.raises(DataError, match="'cobol' isn't known"):
        codebleu(candidate="", reference="", language="cobol")
    with pytest.raises(DataError, match="1 candidates and 0 references"):
        corpus_codebleu(candidates=["x"], references=[], language="python")
    with pytest.raises(DataError, match="weights"):
        codebleu(candidate="", reference="", language="python", weights=(0, 0, 0, 0))
    with pytest.raises(TypeError):
        codebleu("a", "b", "python")  # type: ignore[misc]
    assert corpus_codebleu(candidates=[], references=[], language="python").score == 0


def test_a_signature_names_form_language_weights_and_versions() -> None:
    said = signature(language="python")
    assert said.startswith("codebleu|form:fixed|lang:python|tok:tree|smooth:epsilon|weights:0.25")
    assert "tree-sitter-python-" in said
    assert "python-3." in signature(language="python", form="compat")
    assert said != signature(language="java")
