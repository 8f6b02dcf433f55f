"""The pages of a judged study: what is believed, what is withheld, and how it all fits."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from judged_sample import REFERENCE, judged, published
from test_page import Page, page

from outdo.records import Measure
from outdo.report import Findings, ModelCard, results, wording, write
from outdo.report.page import render, render_judges
from outdo.report.sizes import Label, drawn, labels, plots, short
from outdo.report.tables import markdown, tables

STUDY = judged(models=3, judges=3, believed=2, items=36, tasks=("describe", "review"))
FOUND = results(STUDY)
WITHHELD = judged(models=1, judges=1, believed=0, items=18, tasks=("describe",))
BAD = "\"'></td></script><img src=x onerror=alert(1)>{{ 7777*7777 }}"


@pytest.fixture(scope="module")
def index() -> Page:
    return Page(render(STUDY, FOUND))


@pytest.fixture(scope="module")
def judges() -> Page:
    return Page(render_judges(STUDY))


def test_the_page_tells_the_leaderboard_before_the_scores(index: Page) -> None:
    places = [
        index.text.index(said)
        for said in (
            "held-out pull requests",
            "The verdict of judge-3 is withheld.",
            "Leaderboard",
            "Before and after fine-tuning",
            "Ties, counted three ways",
            "By language",
            "By size",
            "Sorts of models",
            "Scores: describe",
            "Scores: review",
        )
    ]
    assert places == sorted(places)


def test_the_leaderboard_says_what_its_numbers_are(index: Page) -> None:
    for said in (
        "preferred by the panel",
        f"how often the panel prefers a contestant to {REFERENCE}, ties half.",
        "n 36",
        "the reference",
        "fine-tuned from llama-3b-instruct",
        "3.2B",
        "instruct, general",
        "Llama 3.2 Community",
        "ties lost",
        "ties half the headline",
        "ties dropped",
        "at equal length",
        "2 unreadable",
        f"is preferred to {REFERENCE} on describe in",
    ):
        assert said in index.text, said
    links = [tag["href"] for tag in index.named("a")]
    assert set(links) == {"items.html", "judges.html"}


def test_several_metrics_are_told_in_tables_that_fit(index: Page) -> None:
    assert "Type right · Limits kept · Title agreement" in index.text
    few = dataclasses.replace(STUDY, metrics={"describe": STUDY.metrics["describe"][:3]})
    one = dataclasses.replace(
        few,
        contestants=tuple(c for c in STUDY.contestants if c.task == "describe"),
        matches=(),
        slices=(),
        standings=(),
        judges=(),
    )
    grids = [
        len([t for t in told.named("table") if t.get("class") == "scores"])
        for told in (index, page(one))
    ]
    assert grids == [2 + 3 + 2 + 3, 1]


def test_judges_have_a_page_of_their_own(judges: Page) -> None:
    for said in (
        "2 of 3 judges are believed",
        "✓ believed",
        "✕ withheld",
        "no better than chance",
        "⚠ It is of the family of the reference, OpenAI, and may favour it.",
        "known task",
        "−0.31 [−0.52, −0.10]",
        "nobody labelled these",
        "kappa: judge-1 and judge-2",
        "What the panel said",
        "What judge-3 said",
        "$4.21",
        "1,200,000 tokens read",
    ):
        assert said in judges.text, said
    names = ("the panel", "judge-1", "judge-2", "judge-3")
    places = [judges.text.index(f"What {name} said") for name in names]
    assert places == sorted(places)
    assert [tag["href"] for tag in judges.named("a")] == ["index.html"]


def test_what_a_withheld_judge_said_is_nowhere_on_the_pages() -> None:
    assert Page(render_judges(WITHHELD)).text.count("What it said of describe is not told.") == 2
    told = page(WITHHELD).text
    assert "preferred" not in told
    assert "Ties, counted three ways" not in told
    assert "The verdict of judge-1 is withheld. It picks the author's own title in 0.52" in told
    assert "What judge-3 said describe ✕ withheld" in Page(render_judges(STUDY)).text
    # Other numbers than those of every other judge would show whether they are told.
    marked = dataclasses.replace(
        WITHHELD,
        standings=tuple(dataclasses.replace(one, won=97_531) for one in WITHHELD.standings),
    )
    for html in (render(marked, results(marked)), render_judges(marked)):
        assert "97,531" not in html
    assert "97,531" not in markdown(marked, results(marked))
    assert "ties.tex" not in dict(tables(marked, results(marked)))


def test_without_judges_nothing_is_said_of_any(tmp_path: Path) -> None:
    study = judged(models=2, judges=0, items=18, tasks=("describe",))
    told = page(study)
    assert "Leaderboard" in told.text
    assert "judge" not in told.text.lower()
    assert [one["href"] for one in told.named("a")] == ["items.html"]
    bare = dataclasses.replace(study, cards={})
    assert "Leaderboard" not in page(bare).text


def test_judges_alone_make_a_headline() -> None:
    study = dataclasses.replace(
        judged(models=1, judges=1, believed=1, items=18, tasks=("describe",)),
        contestants=(),
        matches=(),
        metrics={},
        slices=(),
    )
    told = page(study).text
    assert f"qwen-coder-0.5b tuned is preferred to {REFERENCE} in " in told
    assert "in the eyes of the panel, ties half." in told
    assert "Nothing was compared" not in told


def test_published_rates_have_a_page() -> None:
    told = page(published()).text
    for said in (
        "tuned, 14B and tuned, 7B can't be told apart.",
        "0.41 [0.35, 0.46]",
        "tuned, 14B – tuned, 7B",
        "+4 points [−7, 15]",
        "? holds 0",
        "≠ leaves out 0",
        "about 2,350 each would settle it",
    ):
        assert said in told, said
    assert "Nothing was compared" not in told
    assert "What answering took" not in told


def test_hostile_names_are_text_on_every_page() -> None:
    rates = (Measure(name="half", value=0.5, low=0.1, high=0.9, n=3), Measure(name=BAD, value=1.0))
    study = dataclasses.replace(
        WITHHELD,
        study=BAD,
        judges=tuple(
            dataclasses.replace(
                one, name=BAD, model=BAD, family=BAD, way=BAD, why=BAD, warnings=(BAD,),
                believed=True, health=(Measure(name=BAD, value=None, about=BAD, unit=BAD),),
            )
            for one in WITHHELD.judges
        ),
        standings=tuple(
            dataclasses.replace(one, judge=BAD, contestant=BAD, against=BAD, part=part, rates=rates)
            for one in WITHHELD.standings[:1]
            for part in ("", BAD)
        ),
        agreement=(Measure(name=BAD, value=0.5, about=BAD),),
        cards={
            BAD: ModelCard(size=3, licence=BAD, before="qwen-coder-0.5b"),
            **WITHHELD.cards,
        },
        published=tuple(
            dataclasses.replace(one, title=BAD, sentences=(BAD,)) for one in published().published
        ),
    )  # fmt: skip
    for html in (render(study, results(study)), render_judges(study)):
        told = Page(html)
        assert told.named("img") == []
        assert len(told.named("script")) == 1
        assert BAD in told.text
        assert "60481729" not in told.text
        assert not [name for _, tag in told.tags for name in tag if name.startswith("on")]
    cells = dict(tables(study, results(study)))["standings.csv"]
    assert "onerror" in cells


def test_forty_contestants_fit() -> None:
    study = judged(models=20, judges=3, items=9, tasks=("improve",), long=True)
    html = render(study, results(study))
    assert len(html.encode()) < 1_500_000
    text = Page(html).text
    assert text.count("preview-2026-11-21-chat tuned") > 40
    many = judged(models=6, judges=0, items=9, tasks=("describe",))
    assert "Told is Valid; the other scores are in the CSV table" in page(many).text


def test_files_of_judges_go_with_them(tmp_path: Path) -> None:
    small: Findings = dataclasses.replace(
        WITHHELD, metrics={}, contestants=(), matches=(), slices=(), cards={}
    )
    write(small, tmp_path)
    assert (tmp_path / "judges.html").exists()
    assert (tmp_path / "tables" / "judges.csv").exists()
    write(dataclasses.replace(small, judges=(), standings=()), tmp_path)
    assert not (tmp_path / "judges.html").exists()
    assert not (tmp_path / "tables" / "judges.csv").exists()
    assert json.loads((tmp_path / "results.json").read_text())["judging"]["judges"] == {}


def test_figures_of_size_are_drawn_once_a_task(tmp_path: Path) -> None:
    study = judged(models=2, judges=1, believed=1, items=9, tasks=("improve",))
    bare = dataclasses.replace(
        study, metrics={"improve": study.metrics["improve"][:1]}, matches=(), slices=()
    )
    write(bare, tmp_path)
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    assert names == {
        *(f"size-improve.{kind}" for kind in ("png", "svg")),
        *(f"scores-improve-fixed.{kind}" for kind in ("png", "svg")),
    }


# ------------------------------------------------------------------ tables


def test_tables_hold_every_digit_and_mark_what_is_withheld() -> None:
    told = dict(tables(STUDY, FOUND))
    rows = [line.split(",") for line in told["standings.csv"].splitlines()]
    head = rows[0]
    assert {row[head.index("judge")] for row in rows[1:] if row[1] == "0"} == {"judge-3"}
    headlines = [row for row in rows[1:] if row[head.index("headline")] == "1"]
    assert {row[head.index("rate")] for row in headlines} == {"half"}
    assert "judge-3" not in {row[0] for row in headlines}
    board = told["leaderboard.csv"].splitlines()
    assert len(board) == 1 + 7 * 4 - 2
    assert "judge-3,qwen/judge-3-large,Qwen,choice,0,known task,0.52," in told["judges.csv"]
    assert "& withheld" in told["judges.tex"]
    assert "the reference" in told["leaderboard.tex"]
    assert told["before-after.csv"].count("\n") == 1 + 12
    assert "published.csv" not in told


def test_markdown_tells_of_boards_and_of_published_rates() -> None:
    text = markdown(STUDY, FOUND)
    for said in ("## Leaderboard", "## Ties, counted three ways", "## Judges", "| withheld |"):
        assert said in text, said
    text = markdown(published(), results(published()))
    assert "| tuned, 14B - tuned, 7B | +4 points \\[−7, 15\\] | no |" in text
    told = dict(tables(published(), results(published())))
    assert (
        'Preferred to the reference,difference,"tuned, 14B - tuned, 7B",' in (told["published.csv"])
    )
    assert told["differences-preferred-to-the-reference.tex"].count(r"\\") == 7


# ------------------------------------------------------------------ words


def test_numbers_that_no_metric_has_are_worded() -> None:
    assert wording.told(Measure(name="", value=0.5)) == "0.50"
    assert wording.told(Measure(name="", value=-0.001)) == "0.00"
    assert wording.told(Measure(name="", value=12.345, unit="tokens")) == "12.3 tokens"
    assert wording.told(Measure(name="", value=None)) == "–"
    assert wording.told_limits(Measure(name="", value=0.5, low=None, high=0.9)) == ""
    assert wording.told_gap(Measure(name="", value=0.0, unit="share")) == "0 points"
    assert wording.told_gap(Measure(name="", value=-0.125, unit="share")) == "−12 points"
    assert wording.told_gap(Measure(name="", value=3.0, unit="tokens")) == "+3.00 tokens"
    assert wording.apart(Measure(name="", value=0.1, low=-0.1, high=0.3)) is False
    assert wording.apart(Measure(name="", value=0.1)) is None
    strength = Measure(name="strength", value=0.7, about="place 1 of 4; the mean of all is 0")
    assert wording.place(strength) == "place 1 of 4"
    assert wording.place(Measure(name="half", value=0.7, about="how often")) == ""


def test_remarks_become_sentences() -> None:
    assert wording.sentenced("it was right") == "It was right."
    assert wording.sentenced("Was it?") == "Was it?"
    assert wording.sentenced("") == ""


def test_juries_are_counted_in_words() -> None:
    one, other, third = STUDY.judges
    assert wording.jury((one,)) == "The judge is believed"
    assert wording.jury((third,)) == "The judge is not believed"
    assert wording.jury((one, other)) == "All 2 judges are believed"
    assert wording.jury((one, third)) == "1 of 2 judges is believed"
    assert wording.jury((third, third)) == "None of 2 judges is believed"


# ------------------------------------------------------------------ size against rate


def test_sizes_are_plotted_where_they_differ() -> None:
    board = FOUND.board
    assert board is not None
    told = list(plots(board))
    assert [plot.title for plot in told] == [
        "describe: preferred by the panel",
        "review: preferred by the panel",
    ]
    assert told[0].sizes == [0.5, 1.5, 3.2]
    assert len(told[0].dots) == 6
    svg = str(drawn(told[0]))
    assert svg.count("<circle") == 6
    assert svg.count('class="joined"') == 3
    assert svg.count('class="whisker') == 6
    alike = {name: dataclasses.replace(card, size=7.0) for name, card in STUDY.cards.items()}
    same = results(dataclasses.replace(STUDY, cards=alike)).board
    assert same is not None
    assert list(plots(same)) == []


def test_no_name_is_written_over_another_or_outside() -> None:
    spots = [(f"model {i}", 40.0 + (i * 37) % 160, 20.0 + (i * 53) % 90) for i in range(40)]
    told = labels(spots, frame=(0, 0, 240, 120))
    assert 5 < len(told) < 40

    def box(label: Label) -> tuple[float, float, float, float]:
        width = 6.6 * len(label.name)
        left = label.x - {"start": 0, "middle": width / 2, "end": width}[label.anchor]
        return left, label.y - 7, left + width, label.y + 7

    boxes = [box(label) for label in told]
    assert all(a >= 0 and b >= 0 and c <= 240 and d <= 120 for a, b, c, d in boxes)
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart_x = one[2] <= other[0] or other[2] <= one[0]
            assert apart_x or one[3] <= other[1] or other[3] <= one[1]


def test_names_are_shortened_in_their_middle() -> None:
    assert short("someone/model-7b") == "model-7b"
    assert short("a" * 30 + "b" * 30) == "a" * 21 + "…" + "b" * 12
