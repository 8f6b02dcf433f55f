"""From a study's stored hints to a sheet, through raters and a judge, to what they say."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

import outdo
from outdo.cli.rating import rate_by_judge, tell_ratings, write_for_raters
from outdo.cli.remote import Remote
from outdo.cli.tools import tools_for
from outdo.cli.watch import watcher
from outdo.data.sheets import read_key, read_lines
from outdo.errors import DataError, StudyError
from outdo.judging import rubric
from outdo.judging.rubric import Attribute
from outdo.pipeline.raters import _checked, to_rate
from outdo.store import Store
from outdo.study import load_study

PROBLEM = Path(outdo.__file__).parent / "embedded" / "problems" / "running-total.yaml"
STUDY = """\
study: feedback
task: [repair, hint]
data:
  broken:
    {source: inject, problems: problems, count: 16, test_per_problem: 6, tasks: [repair, hint]}
models: {sharp: scripted/sharp.jsonl, blunt: scripted/blunt.jsonl}
answer:
  sharp: {model: sharp}
  blunt: {model: blunt}
compare:
  all: {answers: [sharp, blunt], against: [blunt], floors: [general, unchanged]}
"""
SHARP = "Look at what happens to the sum in the loop."
BLUNT = "It is wrong somewhere, try harder."


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rating")
    (path / "problems").mkdir()
    shutil.copy(PROBLEM, path / "problems")
    for name, said in (("sharp", SHARP), ("blunt", BLUNT)):
        line = {"match": "", "reply": said}
        (path / f"{name}.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    (path / "study.yaml").write_text(STUDY.replace("scripted/", f"scripted/{path}/"), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(path)
        study = load_study(Path("study.yaml"))
        tools = tools_for(Path("runs"), tier="auto", task=study.task)
        store = Store(Path("runs"))
        to_rate(study, task="hint", table=None, store=store, tools=tools, watch=watcher())
        write(path, "sheet.csv")
    return path


def write(path: Path, name: str, *, task: str = "hint", table: str = "all") -> None:
    write_for_raters(
        path / "study.yaml",
        out=path / name,
        key=path / f"{name}.key",
        task=task,
        table=table,
        count=None,
        seed=3,
        log_dir=path / "runs",
        overrides=[],
    )


def fill(folder: Path, rater: str, *, strict: bool) -> Path:
    """A copy in which blunt hints don't inform; a strict rater finds all of them unclear too."""
    with (folder / "sheet.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows:
        sharp = row["reply"] == SHARP
        row |= dict.fromkeys(("correct", "conceals"), "yes")
        row |= {"informative": "yes" if sharp else "no", "seconds": "20"}
        row |= {"comprehensible": "yes" if sharp or not strict else "no"}
    path = folder / f"{rater}.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_the_sheet_shows_the_program_and_hides_who_replied(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    key = read_key(folder / "sheet.csv.key")
    lines = read_lines(folder / "sheet.csv", key)
    assert {line.shown["reply"] for line in lines} == {SHARP, BLUNT}
    assert all({"problem", "program", "repair", "reply"} == set(line.shown) for line in lines)
    assert lines[0].shown["program"].lstrip("'").startswith("  1 def running_total")
    cells = [cell for code in key.cells for cell in key.of(code)]
    assert {cell.contestant for cell in cells} == {"sharp", "blunt"}, "floors aren't rated"
    assert all(cell.example.startswith("hint/") for cell in cells)
    with pytest.raises(DataError, match="the file is there already"):
        write(folder, "sheet.csv")
    with pytest.raises(StudyError, match="no table has replies to 'hint'"):
        write(folder, "other.csv", table="al")
    with pytest.raises(StudyError, match="no questions on 'repair'"):
        write(folder, "other.csv", task="repair")


def test_people_and_a_judge_are_told_with_how_far_they_agree(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    key = read_key(folder / "sheet.csv.key")
    script = []
    for line in read_lines(folder / "sheet.csv", key):
        attributes = [Attribute(name=n, question=q) for n, q in key.questions.items()]
        asked = _checked(attributes, line)
        marks = dict.fromkeys(key.questions, line.shown["reply"] == SHARP)
        said = json.dumps({"reasons": "seen", **marks, "code": asked.mark})
        assert rubric.read(said, asked).values == marks
        script.append(json.dumps({"match": asked.mark, "reply": said}))
    (folder / "judge.jsonl").write_text("\n".join(script[:-1]) + "\n", "utf-8")
    rate_by_judge(
        folder / "sheet.csv",
        key=folder / "sheet.csv.key",
        model=f"scripted/{folder}/judge.jsonl",
        out=folder / "judged.csv",
        max_tokens=64,
        log_dir=folder / "runs",
        remote=Remote(),
    )
    told = capsys.readouterr().out
    assert f"{len(script) - 1} of {len(script)} replies rated" in told
    assert "not rated" in told
    sheets = [fill(folder, "anna", strict=False), fill(folder, "ben", strict=True)]
    tell_ratings(
        sheets,
        key=folder / "sheet.csv.key",
        beside=[folder / "judged.csv"],
        out=folder / "ratings.json",
        unfinished=False,
    )
    told = capsys.readouterr().out
    assert f"anna: {len(script)} of {len(script)} replies, median 20 s" in told
    found = json.loads((folder / "ratings.json").read_text("utf-8"))
    shares = {
        (name, one["name"]): one["value"]
        for name, measures in found["raters"]["shares"].items()
        for one in measures
    }
    assert shares["sharp", "all of them"] == 1 and shares["blunt", "all of them"] == 0
    assert shares["blunt", "comprehensible"] == 0.5, "one of two raters"
    agreement = {one["name"]: one["value"] for one in found["agreement"]}
    assert agreement["alpha of informative"] == agreement["kappa of informative"] == 1
    assert agreement["kappa of all of them"] == 1
    assert agreement["kappa of comprehensible"] < 0.5
    judge = found["beside"]["judged"]
    assert judge["owed"] == {"judged": 1}
    assert {m["name"]: m["value"] for m in judge["agreement"]}["kappa of informative"] == 1


def test_a_judge_that_rates_nothing_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(DataError, match="rated none of"):
        rate_by_judge(
            folder / "sheet.csv",
            key=folder / "sheet.csv.key",
            model=f"scripted/{folder}/blunt.jsonl",
            out=folder / "none.csv",
            max_tokens=64,
            log_dir=folder / "runs",
            remote=Remote(),
        )
