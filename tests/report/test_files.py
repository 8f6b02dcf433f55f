"""The report on disk: whole, the same each time, and honest when it can't be written."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from sample import REDIT, RPASS, findings

from outdo.errors import StoreError
from outdo.report import Findings, Match, Results, Training, files, results, write
from outdo.report.plots import losses
from outdo.report.shape import as_json
from outdo.report.tables import markdown, slug, tables
from outdo.report.training import Entry


@pytest.fixture(scope="module")
def study() -> Findings:
    return findings()


@pytest.fixture(scope="module")
def folder(study: Findings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("run") / "deep" / "report"
    assert isinstance(write(study, place), Results)
    return place


def test_every_form_is_written_and_nothing_else(folder: Path) -> None:
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    plots = [
        *(f"differences-{part}" for part in ("repair", "repair-seen-problems")),
        "differences-repair-unseen-problems",
        *(f"against-base-few-shot-repair-{name}" for name in ("rpass", "redit")),
        *(f"against-{name}-repair-rpass" for name in ("base-zero-shot", "floor-nearest")),
        *("loss", "loss-epoch", "loss-seconds", "loss-tokens"),
        "spread-repair-redit",
        "scores-repair-redit",
        *(f"scores-repair{part}-rpass" for part in ("", "-seen-problems", "-unseen-problems")),
    ]
    tables = [
        *(f"{name}.csv" for name in ("comparisons", "loss", "programs", "replies", "scores")),
        *(f"{name}.csv" for name in ("against", "by-problem", "histograms", "spread")),
        *("against-repair.tex", "spread-repair.tex"),
        "training.csv",
        "training.tex",
        "comparisons.tex",
        *(f"scores-repair{part}.tex" for part in ("", "-seen-problems", "-unseen-problems")),
    ]
    assert names == sorted(
        [
            "index.html",
            "items.html",
            "report.md",
            "results.json",
            *(f"tables/{name}" for name in tables),
            *(f"figures/{name}.{kind}" for name in plots for kind in ("png", "svg")),
        ]
    )


def test_the_same_findings_give_the_same_words_and_numbers(
    study: Findings, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "figures", lambda *_: ())  # drawing takes seconds
    write(study, tmp_path)
    written = [
        path for path in folder.rglob("*") if path.is_file() and path.parent.name != "figures"
    ]
    assert len(written) > 10
    for path in written:
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes(), path


@pytest.mark.slow
def test_the_same_findings_give_the_same_bytes(
    study: Findings, folder: Path, tmp_path: Path
) -> None:
    write(study, tmp_path)
    for path in folder.rglob("*"):
        if path.is_file():
            assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes(), path


def test_results_json_is_what_was_computed(study: Findings, folder: Path) -> None:
    data = json.loads((folder / "results.json").read_text("utf-8"))
    assert data == json.loads(json.dumps(as_json(study, results(study))))


def test_figures_are_pictures(folder: Path) -> None:
    for path in (folder / "figures").iterdir():
        if path.suffix == ".png":
            assert path.read_bytes().startswith(b"\x89PNG\r\n")
        else:
            assert ET.fromstring(path.read_text("utf-8")).tag.endswith("svg")


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / "tables" / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def texts(study: Findings) -> dict[str, str]:
    return dict(tables(study, results(study)))


def test_csv_tables_hold_every_digit(study: Findings, folder: Path) -> None:
    told = rows(folder, "scores.csv")
    first = next(row for row in told if row["model"] == "tuned" and row["metric"] == "rpass")
    cell = results(study).tables[0].lines[2].cells["rpass"]
    assert float(first["value"]) == cell.value
    assert float(first["high"]) == cell.high
    assert (first["floor"], first["n"], first["missing"]) == ("0", "159", "1")
    assert (first["better"], first["interval"]) == ("higher", "Wilson")
    compared = rows(folder, "comparisons.csv")[0]
    assert (compared["a"], compared["b"], compared["verdict"]) == (
        "tuned",
        "base, few-shot",
        "better",
    )
    assert compared["test"] == "exact McNemar"
    assert len(rows(folder, "loss.csv")) == 180
    assert rows(folder, "training.csv")[0]["peak_bytes"] == "1312000000"
    replies = {row["model"]: row for row in rows(folder, "replies.csv")}
    assert replies["tuned"]["tokens_out"] == "14870"
    assert int(replies["base, few-shot"]["missing"]) == 3
    programs = rows(folder, "programs.csv")
    assert {row["metric"] for row in programs} == {"rpass", "redit", "redit_common"}
    one = [row for row in programs if row["example"] == "program-0000" and row["metric"] == "rpass"]
    assert [row["model"] for row in one] == [
        line.contestant.name for line in results(study).tables[0].lines
    ]


def test_a_spreadsheet_runs_nothing(study: Findings) -> None:
    name = '=HYPERLINK("x")'
    evil = dataclasses.replace(study.contestants[2], name=name)
    match = Match(task="repair", a=name, b="base, few-shot")
    told = texts(
        dataclasses.replace(
            study, contestants=(study.contestants[1], evil), matches=(match,), slices=()
        )
    )
    for table in ("scores.csv", "comparisons.csv", "programs.csv", "replies.csv"):
        cells = [cell for row in csv.reader(io.StringIO(told[table])) for cell in row]
        assert f"'{name}" in cells
        assert name not in cells


def test_latex_is_escaped(study: Findings) -> None:
    name = r"50%_a & b #1 {x} \y ~^ <$>"
    odd = dataclasses.replace(study.contestants[2], name=name)
    told = texts(
        dataclasses.replace(study, contestants=(study.contestants[1], odd), matches=(), slices=())
    )
    text = told["scores-repair.tex"]
    assert text.splitlines()[0] == "% needs \\usepackage{booktabs}"
    assert (
        r"50\%\_a \& b \#1 \{x\} \textbackslash{}y \textasciitilde{}\textasciicircum{} "
        r"\textless{}\$\textgreater{} & 0.65 [0.58, 0.72]" in text
    )
    assert text.count(r" \\") == 3


def test_markdown_tells_the_verdict_and_the_tables(study: Findings) -> None:
    text = markdown(study, results(study))
    lines = text.splitlines()
    assert lines[0] == "# quickstart"
    assert lines[4].startswith("**tuned is better than base, few-shot: RPass 0.65 against 0.02")
    assert "| tuned | 0.65 \\[0.58, 0.72\\] |" in text
    assert "- 3 of 6,512 training rows" in text
    assert "```\noutdo run studies/quickstart.yaml --set seed=7\n```" in text
    assert "| training | tuned |" in text
    assert "| hardware | 2 cores, Intel Xeon, no GPU |" in text
    assert "| TrainingTime | 2 min 42 s |" in text


def test_files_of_an_earlier_report_go_and_a_users_stay(
    study: Findings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(findings: Findings, _: Results) -> list[tuple[str, bytes]]:
        return [(f"loss.{kind}", b"drawn") for kind in ("png", "svg")] if findings.trainings else []

    monkeypatch.setattr(files, "figures", drawn)
    small = dataclasses.replace(study, metrics={"repair": (RPASS,)}, matches=())
    write(dataclasses.replace(small, slices=study.slices[:1]), tmp_path)
    assert (tmp_path / "figures" / "loss.png").read_bytes() == b"drawn"
    (tmp_path / "tables" / "notes.txt").write_text("mine")
    (tmp_path / "mine.csv").write_text("mine")
    write(dataclasses.replace(small, trainings=(), slices=()), tmp_path)
    left = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert {"tables/notes.txt", "mine.csv", "index.html"} <= left
    assert not left & {"tables/training.csv", "figures/loss.png", "figures/loss.svg"}
    assert "tables/scores-repair-seen-problems.tex" not in left


def test_a_place_that_cannot_be_written_is_said(study: Findings, tmp_path: Path) -> None:
    place = tmp_path / "report"
    place.write_text("a file")
    with pytest.raises(StoreError) as error:
        write(study, place)
    assert error.value.where == str(place)
    assert error.value.problem.startswith("the report can't be written: ")
    assert place.read_text() == "a file"


def test_a_file_that_cannot_take_its_place_leaves_nothing_torn(
    study: Findings, tmp_path: Path
) -> None:
    (tmp_path / "tables" / "scores.csv" / "in the way").mkdir(parents=True)
    with pytest.raises(StoreError):
        write(study, tmp_path)
    assert not list(tmp_path.rglob("*.part"))
    assert not (tmp_path / "results.json").exists()


def test_half_a_surrogate_pair_can_be_written(study: Findings, tmp_path: Path) -> None:
    write(dataclasses.replace(study, about="\ud800", contestants=(), matches=()), tmp_path)
    assert "?" in (tmp_path / "index.html").read_text("utf-8")


def test_slugs() -> None:
    assert slug("repair/Seen problems!") == "repair-seen-problems"
    assert slug("…") == "table"


def test_metrics_without_any_score_leave_no_figure(study: Findings, tmp_path: Path) -> None:
    silent = dataclasses.replace(
        study,
        contestants=tuple(dataclasses.replace(one, rows=()) for one in study.contestants),
        metrics={"repair": (RPASS, REDIT)},
        slices=(),
        trainings=(),
    )
    write(silent, tmp_path)
    assert not list((tmp_path / "figures").glob("*"))


def test_the_curve_describes_itself_and_skips_what_is_no_number(study: Findings) -> None:
    run = study.trainings[0]
    svg = ET.fromstring(drawn(run))
    lines = svg.findall("polyline")
    assert [line.get("class") for line in lines] == ["raw c0", "run c0"]
    assert len(lines[0].get("points", "").split()) == 180
    assert svg.get("aria-label", "").startswith("Loss by step: tuned from 2.")
    broken = dataclasses.replace(run, curve=({"step": 1, "loss": float("nan")},))
    assert drawn(broken) == "None"
    long = tuple({"step": i, "epoch": 0.0, "loss": 1.0} for i in range(1, 5_002))
    points = ET.fromstring(drawn(dataclasses.replace(run, curve=long))).find("polyline")
    assert points is not None
    assert 380 <= len(points.get("points", "").split()) <= 401
    assert points.get("points", "").split()[-1].startswith("656.0,")


def drawn(run: Training) -> str:
    return str(losses([Entry(name=run.name, hardware="", runs=(run,), differs={})]))
