"""Stored outputs scored anew: which published cells stand, and which were swapped."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from outdo.cli.replicated import parts, show_replicated
from outdo.cli.studies import met, run_study
from outdo.data.outputs import inside, read_outputs
from outdo.errors import DataError, OutdoError, StudyError
from outdo.pipeline import Report
from outdo.pipeline.outputs import pairs_of, rescored, statistics_of_items, word_of
from outdo.pipeline.similarity import Remembered
from outdo.report import Cell, Results
from outdo.report.replicated import grid
from outdo.scorers import bleu, codebleu, likeness
from outdo.study import Outputs, OutputsStudy, PublishedCells, load_any, load_study

ROOT = Path(__file__).parents[2]
STUDY = ROOT / "studies" / "published" / "sft_dpo_outputs.yaml"

REFERENCES = ["def f(a, b):\n    return a + b", "for i in range(3):\n    print(i)\n", "x = [1]"]
GOOD = ["def f(a, b):\n    return a + b", "for j in range(3):\n    print(j)\n    x = 1\n", "x = []"]
POOR = ["pass", "print(0)\nprint(1)\nprint(2)\nprint(3)", "I can't."]
FIELDS = {"id": "id", "instruction": "instruction", "input": "input", "reference": "reference"}


def told(good: Sequence[str | None] = GOOD, poor: Sequence[str | None] = POOR) -> list[Any]:
    return [
        {
            "id": n,
            "instruction": f"Do {n}.",
            "input": "",
            "reference": REFERENCES[n],
            "outputs": {"good": good[n], "poor": poor[n]},
        }
        for n in range(3)
    ]


def written(folder: Path, rows: Sequence[Any]) -> Path:
    path = folder / "outputs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def spec(**more: Any) -> Outputs:
    contestants = {"poor": "outputs.poor", "good": "outputs.good"}
    said = {"path": "outputs.jsonl", "contestants": contestants}
    return Outputs.model_validate({**said, **more})


def read(path: Path, **more: str) -> Any:
    named = {**FIELDS, **more}
    contestants = {"poor": "outputs.poor", "good": "outputs.good"}
    return read_outputs(path, contestants=contestants, **named)


@dataclass
class Letters:
    """Vectors that know letters alone, and how many texts were read."""

    signature: str = "letters"
    texts: int = 0

    def encode(self, texts: Sequence[str], **_: object) -> Sequence[Any]:
        self.texts += len(texts)
        return [_Letters(text) for text in texts]


class _Letters:
    windows = 1

    def __init__(self, text: str) -> None:
        self.tokens = text.split() or [""]
        self.ids = [len(token) for token in self.tokens]
        self.special = [False] * len(self.tokens)
        rows = np.array([[token.count(c) + 0.01 for c in "abefnprtx=1"] for token in self.tokens])
        self.vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


# ------------------------------------------------------------------ cells


def test_a_cell_agrees_or_is_near_or_was_swapped_or_differs() -> None:
    said = PublishedCells.model_validate(
        {"within": 0.002, "because": "seeds", "cells": {"a": {"corpus": 0.3}}}
    )
    assert word_of(0.315, 0.3149, 0.4, said) == "agrees"
    assert word_of(0.315, 0.3135, 0.4, said) == "near"
    assert word_of(0.341, 0.3135, 0.3424, said) == "swapped"
    assert word_of(0.341, 0.3135, 0.35, said) == "differs"
    assert word_of(0.341, 0.34, 0.341, said) == "swapped", "equal goes before near"


def test_variance_is_divided_by_the_count_as_published_ones_are() -> None:
    found = statistics_of_items([0.0, 1.0, 0.5, 0.5])
    assert found == pytest.approx({"mean": 0.5, "median": 0.5, "variance": 0.125, "sd": 0.125**0.5})


def test_a_cell_that_was_computed_the_wrong_way_round_is_found(tmp_path: Path) -> None:
    right = codebleu.corpus_codebleu(
        candidates=GOOD, references=REFERENCES, language="python", form="compat"
    ).score
    wrong = codebleu.corpus_codebleu(
        candidates=REFERENCES, references=POOR, language="python", form="compat"
    )
    swapped = codebleu.corpus_codebleu(
        candidates=REFERENCES, references=GOOD, language="python", form="compat"
    ).score
    assert round(right, 3) != round(swapped, 3) and wrong
    cells = {"good": {"corpus": round(swapped, 3)}, "poor": {"mean": 0.999}}
    mine = spec(published={"codebleu_compat": {"cells": cells}})
    made = rescored("t", mine, read(written(tmp_path, told())), {})
    table = next(one for one in made.replicated if one.title == likeness.COMPAT.heading)
    cell = table.cell("good", "corpus")
    assert cell == Cell(
        contestant="good",
        statistic="corpus",
        ours=right,
        swapped=swapped,
        published=round(swapped, 3),
        word="swapped",
    )
    assert (other := table.cell("poor", "mean")) and other.word == "differs"
    said = " ".join(table.sentences)
    assert "0 of 2 published cells agree to 3 digits." in said
    assert f"in the right order it is {right:.3f}" in said and "in neither order" in said


def test_scores_are_those_of_the_metrics_and_compared_in_pairs(tmp_path: Path) -> None:
    made = rescored("t", spec(against="poor"), read(written(tmp_path, told())), {})
    assert [metric.name for metric in made.metrics] == [
        "bleu",
        "codebleu_compat",
        "codebleu",
        "edits",
    ]
    good = next(one for one in made.contestants if one.name == "good")
    scores = {one.metric: one for one in good.rows[1].scores}
    wanted = bleu.sentence_bleu(candidate=GOOD[1], reference=REFERENCES[1])
    assert scores["bleu"].value == wanted
    assert [(one.a, one.b) for one in made.matches] == [("good", "poor")]
    assert next(one for one in made.contestants if one.reference).name == "poor"
    for one in made.replicated:
        assert one.title.startswith("Edit effort") and "0.16" in one.about and "0.72" in one.about


def test_everybody_is_compared_with_one_then_the_others() -> None:
    mine = spec(contestants={"a": "a", "b": "b", "c": "c"}, against="b")
    assert pairs_of(mine) == [("a", "b"), ("c", "b"), ("c", "a")]


def test_vectors_are_compared_where_a_model_is_named(tmp_path: Path) -> None:
    letters = Letters()
    encoder = Remembered(letters)
    encoders: Any = {"text": (encoder, False), "code": (encoder, False)}
    cells = {"good": {"mean": 0.5}}
    mine = spec(published={"bertscore_f1": {"cells": cells}})
    made = rescored("t", mine, read(written(tmp_path, told())), encoders)
    names = [metric.name for metric in made.metrics]
    assert names[4:8] == [f"bertscore_{part}" for part in ("precision", "recall", "f1", "f3")]
    scores = {one.metric: one.value for one in made.contestants[1].rows[0].scores}
    assert scores["bertscore_f1"] == pytest.approx(1.0), "equal texts"
    values = [s.value for c in made.contestants for row in c.rows for s in row.scores if s.value]
    assert max(v for v in values if v < 2) <= 1, "no rounding leads above 1"
    assert letters.texts == len({*REFERENCES, *GOOD, *POOR}), "each text is read once"
    table = next(one for one in made.replicated if one.title == "Edit effort, BERTScore F1")
    cell = table.cell("good", "mean")
    assert cell and cell.ours and cell.swapped == pytest.approx(cell.ours)


def test_published_cells_of_vectors_without_a_model_are_said_to_lack_one(tmp_path: Path) -> None:
    mine = spec(published={"bertscore_f1": {"cells": {"good": {"mean": 0.5}}}})
    made = rescored("t", mine, read(written(tmp_path, told())), {})
    table = made.replicated[-1]
    assert table.cells[0].word == "untold" and table.cells[0].ours is None
    assert "no" not in table.by and "an encoder: none is named" in table.sentences[0]


def test_an_output_that_is_not_there_is_missing_and_no_zero(tmp_path: Path) -> None:
    path = written(tmp_path, told(good=[None, *GOOD[1:]]))
    made = rescored("t", spec(), read(path), {})
    good = next(one for one in made.contestants if one.name == "good")
    assert good.rows[0].missing == "the file holds no output" and not good.rows[0].scores
    with pytest.raises(DataError, match="there is no output of 'good'"):
        rescored("t", spec(), read(written(tmp_path, told(good=[None] * 3))), {})


@pytest.mark.parametrize(
    "text", ["", "   ", "x" * 100_000, "def (", "print 'two'", "\tx", "a\0b", "\ud800", "(" * 200]
)
def test_no_output_breaks_a_score(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, told(poor=[text] * 3))
    encoders: Any = {"code": (Letters(), False)}
    made = rescored("t", spec(), read(path), encoders)
    values = [s.value for c in made.contestants for row in c.rows for s in row.scores]
    assert all(value is not None and np.isfinite(value) for value in values)


# ------------------------------------------------------------------ bad files


def test_a_field_may_lie_within_another_or_have_a_point_in_its_name() -> None:
    assert inside({"a": {"b": {"c": 1}}}, "a.b.c") == 1
    assert inside({"a.b": 2, "a": {"b": 1}}, "a.b") == 2
    assert inside({"a": "text"}, "a.b") is None


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"id": 1}, "the id '1' stood before"),
        ({"reference": ""}, "the row has no 'reference'"),
        ({"instruction": None}, "the row has no 'instruction'"),
        ({"outputs": {"good": "x"}}, "the row has no 'outputs.poor'"),
        ({"outputs": {"good": 3, "poor": "x"}}, "'outputs.good' is no text but int"),
        ({"outputs": None}, "the row has no 'outputs.poor'"),
    ],
)
def test_a_row_that_cant_be_used_is_told_with_its_line(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    rows = told()
    rows[2] |= change
    path = written(tmp_path, rows)
    with pytest.raises(DataError) as caught:
        read(path)
    assert caught.value.problem == problem and caught.value.where == f"{path}:3"


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file") as caught:
        read(tmp_path / "nothing.jsonl")
    assert "--set data_root=" in caught.value.hint


def test_rows_of_several_files_are_told_apart(tmp_path: Path) -> None:
    path = written(tmp_path, [{**row, "id": None} for row in told()])
    found = read(path, prefix="first/")
    assert [row.example.id for row in found] == ["first/0", "first/1", "first/2"]


# ------------------------------------------------------------------ the study


SMALL = """\
study: small
outputs:
  three rows:
    path: outputs.jsonl
    contestants: {poor: outputs.poor, good: outputs.good}
    published:
      bleu: {digits: 2, cells: {good: {mean: 0.12}}}
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    written(tmp_path, told())
    path = tmp_path / "small.yaml"
    path.write_text(f"{SMALL}data_root: {tmp_path}\n")
    return path


@pytest.mark.slow
def test_a_run_prints_both_tables_and_writes_a_page(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_study(small, log_dir=tmp_path / "runs") == 0
    said = capsys.readouterr().out
    assert "0.12 ≠ differs" in said and "Edit effort, CodeBLEU" in said
    assert "BERTScore and CodeBERTScore: no encoder is named" in said
    folder = tmp_path / "runs" / "small" / "report"
    page = (folder / "index.html").read_text("utf-8")
    assert "published 0.12" in page and "in neither order" in page
    found = json.loads((folder / "results.json").read_text("utf-8"))
    assert found["replicated"][0]["title"] == "Edit effort, BLEU"
    assert "good" in (folder / "tables" / "replicated.csv").read_text("utf-8")
    assert "0.12 ≠ differs" in (folder / "report.md").read_text("utf-8")


def test_a_dry_run_reads_nothing(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outputs.jsonl").unlink()
    assert run_study(small, log_dir=tmp_path / "runs", dry_run=True) == 0
    assert "outputs of poor, good in outputs.jsonl" in capsys.readouterr().out
    assert not (tmp_path / "runs").exists()


def test_a_verdict_may_be_expected() -> None:
    report = Report(
        folder=Path(), results=Results(tables=()), word="worse", sentence="", caveats=()
    )
    assert met(report, None) == 0 and met(report, "better") == 1
    assert met(replace(report, word="equivalent"), "not-worse") == 0


def test_a_terminal_shows_our_number_above_the_published_one(tmp_path: Path) -> None:
    cells = {"good": {"mean": 0.12}, "poor": {"syntax": 0.5}}
    mine = spec(published={"codebleu": {"cells": cells}})
    made = rescored("t", mine, read(written(tmp_path, told())), {})
    one = next(one for one in made.replicated if one.title == likeness.CODEBLEU.heading)
    out = io.StringIO()
    show_replicated(one, Console(file=out, width=100))
    cell = one.cell("good", "mean")
    said = out.getvalue()
    assert cell and cell.ours is not None and f"{cell.ours:.3f}" in said
    assert "0.120 ≠ differs" in said and "dataflow" in said and "0.16 with correctness" in said
    head, rows = grid(one)
    assert head[1:3] == ["mean", "median"] and f"{cell.ours:.3f} (0.120 ≠ differs)" in rows[1]
    assert parts("abcdefghi") == ["abcd", "efghi"] and parts("abc") == ["abc"]


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("outputs.three rows.against=nobody", "there is no contestant 'nobody'"),
        ("outputs.three rows.published.bleu.cells.nobody={mean: 0.1}", "no contestant 'nobody'"),
        ("outputs.three rows.published.bleu.cells.good={syntax: 0.1}", "bleu has no syntax"),
        ("outputs.three rows.published.bleu.cells.good={average: 0.1}", "Input should be 'mean'"),
        ("outputs.three rows.published.rouge={cells: {good: {mean: 0.1}}}", "Input should be"),
        ("outputs.three rows.published.bleu.within=0.01", "say in because why"),
        ("outputs.three rows.published.bleu.digitz=2", "unknown key 'digitz'"),
        ("outputs.three rows.file=x", "unknown key 'file'"),
        ("similarity={}", "name a model, as in bertscore"),
        ("similarity.bertscor=x", "unknown key 'bertscor'"),
    ],
)
def test_a_mistake_in_the_study_is_told(small: Path, override: str, problem: str) -> None:
    with pytest.raises(StudyError, match=problem):
        load_any(small, overrides=[override])


def test_a_model_that_is_not_there_is_told(small: Path, tmp_path: Path) -> None:
    with pytest.raises(OutdoError, match="nowhere"):
        run_study(small, log_dir=tmp_path / "runs", overrides=["similarity.bertscore=./nowhere"])


def test_other_verbs_have_nothing_to_do(small: Path) -> None:
    with pytest.raises(StudyError, match="a study of published outputs"):
        load_study(small)


def test_the_study_is_written_down_as_it_can_be_run_again(small: Path, tmp_path: Path) -> None:
    study = load_any(small)
    assert isinstance(study, OutputsStudy)
    (tmp_path / "again.yaml").write_text(study.dump())
    assert load_any(tmp_path / "again.yaml") == study


# ------------------------------------------------------------------ the thesis


@pytest.mark.slow
def test_the_thesis_table_stands_but_for_one_cell(tmp_path: Path) -> None:
    data = Path(os.environ.get("OUTDO_DATA", ROOT.parent / "shared" / "data"))
    if not (data / "thesis-sft-dpo" / "test-100.jsonl").exists():
        pytest.skip(f"{data} isn't there: set OUTDO_DATA")
    assert run_study(STUDY, log_dir=tmp_path, overrides=[f"data_root={data}"]) == 0
    found = json.loads((tmp_path / "sft_dpo_outputs" / "report" / "results.json").read_text())
    words = {
        (table["title"], cell["contestant"], cell["statistic"]): cell["word"]
        for table in found["replicated"]
        for cell in table["cells"]
        if cell["word"]
    }
    assert {word for (title, *_), word in words.items() if title.endswith("BLEU")} == {"agrees"}
    compat = {who: word for (title, who, _), word in words.items() if "published" in title}
    assert compat == {"base": "near", "sft": "swapped", "dpo": "agrees"}
    said = [line for table in found["replicated"] for line in table["sentences"]]
    assert sum("By interval sft and base are a tie" in line for line in said) == 3
    assert sum(line.startswith("dpo is below base") for line in said) == 3
