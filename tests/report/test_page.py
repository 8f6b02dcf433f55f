"""The page: the verdict first, all of it in one file, and nothing in it that a model could run."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from html.parser import HTMLParser

import pytest
from sample import HOSTILE, RPASS, findings

from outdo.records import Example, Metric, Score
from outdo.report import Contestant, Environment, Findings, Match, Row, Training, results, wording
from outdo.report.page import as_text, render
from outdo.report.tables import tables

VOID = {"meta", "input", "br", "img", "link"}
OPTIONAL = {"td", "tr", "p", "option", "li", "dt", "dd"}


class Page(HTMLParser):
    """The elements of a page, its text, and whether its tags fit."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.parts: list[str] = []
        self.feed(html)
        self.close()
        assert not [tag for tag in self.open if tag not in OPTIONAL]
        self.text = re.sub(r"\s+", " ", " ".join(self.parts))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID and not self.get_starttag_text().endswith("/>"):  # type: ignore[union-attr]
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag:
            assert self.open.pop() in OPTIONAL, f"</{tag}> closes nothing"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open[-1:] not in (["script"], ["style"]):
            self.parts.append(data)

    def named(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(study: Findings) -> Page:
    return Page(render(study, results(study)))


SAMPLE = findings()
RESULTS = results(SAMPLE)


@pytest.fixture(scope="module")
def sample() -> Page:
    return Page(render(SAMPLE, RESULTS))


def test_the_verdict_comes_first(sample: Page) -> None:
    main = sample.text.index("tuned is better than base, few-shot")
    assert main < sample.text.index("Scores")
    assert (
        "RPass 0.65 against 0.02, difference +63 points [56, 71] on 156 held-out programs of 60 "
        "problems; one training run." in sample.text
    )
    assert "The claim is about these 60 problems" in sample.text
    assert [tag for tag, _ in sample.tags].count("h1") == 1


def test_everything_a_reader_needs_is_there(sample: Page) -> None:
    for said in (
        "▲ better",
        "0.65 [0.58, 0.72]",
        "where all have one",
        "redit 1; Pygments Python lexer; Levenshtein",
        "floor/nearest",
        "seen problems",
        "The claim is about new problems",
        "tuned alone is better",
        "neither gets full marks",
        "1 unchanged line",
        "2 min 42 s",
        "1.22 GiB",
        "294,912",
        "6,650",
        "31,020",
        "outdo run studies/quickstart.yaml --set seed=7",
        "tuned: {train: lora, rank: 16}",
        "transformers 5.23.0",
        "sha256:",
        "{max_tokens: 256, seed: 7, temperature: 0.0}",
        "Landlock 7, seccomp",
        "3 of 6,512 training rows were longer than 1,024 tokens and were dropped.",
        "2 × the prompt is longer than 4,096 tokens",
    ):
        assert said in sample.text, said


def test_settings_are_told_as_in_a_study_file() -> None:
    assert as_text({"temperature": 0.0, "stop": ["a"]}) == "{stop: [a], temperature: 0.0}"
    assert as_text("plain: text") == "plain: text"
    assert as_text(7) == "7"
    assert as_text(None) == "null"


def test_the_page_asks_nothing_of_a_network() -> None:
    html = render(SAMPLE, RESULTS)
    told = Page(html)
    assert not re.findall(r"(?:https?:)?//[a-z]", re.sub(r"(?m)^\s*//.*$", "", html))
    assert "url(" not in html
    assert "@import" not in html
    for name in ("link", "img", "iframe", "object", "embed"):
        assert told.named(name) == []
    assert not [attributes for _, attributes in told.tags if "src" in attributes]


def test_only_the_pages_own_script_may_run(sample: Page) -> None:
    html = render(SAMPLE, RESULTS)
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)
    assert script is not None
    digest = base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()
    policy = next(tag["content"] for tag in sample.named("meta") if "http-equiv" in tag)
    assert policy == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    assert len(sample.named("script")) == 1
    assert not [name for _, tag in sample.tags for name in tag if name.startswith("on")]


def test_hostile_replies_are_text() -> None:
    html = render(SAMPLE, RESULTS)
    assert HOSTILE not in html
    assert "&lt;script&gt;window.owned" in html
    assert HOSTILE in Page(html).text


def test_hostile_names_are_text_wherever_they_stand() -> None:
    bad = "\"'></td></script><img src=x onerror=alert(1)>{{ 7*7 }}"
    example = Example(
        id=bad,
        task=bad,
        given={"program": bad, "statement": bad},
        wanted={},
        group=bad,
        split="test",
        source=bad,
    )
    metric = dataclasses.replace(RPASS, name=bad, heading=bad, unit=bad, about=bad)

    def model(name: str, value: float) -> Contestant:
        score = Score(metric=bad, by=bad, value=value, because=bad)
        rows = (
            Row(example=bad, reply=bad, value=name, problem=bad, repaired_by=bad, scores=(score,)),
            Row(example=bad, index=1, missing=bad),
        )
        return Contestant(name=name, task=bad, rows=rows, about={bad: bad}, trainings=(bad,))

    curve = ({"step": 1, "loss": 2.0, "epoch": 0.5}, {"step": 2, "loss": 1.0, "epoch": 1.5})
    report = {"hardware": bad, "settings": {bad: [bad]}, "seconds": 1.0, "trainable": 0, "total": 0}
    study = Findings(
        study=bad,
        about=bad,
        command=bad,
        resolved=bad,
        item=bad,
        group=bad,
        examples={bad: example},
        metrics={bad: (metric,)},
        contestants=(model(bad, 1.0), model(f"{bad}2", 0.5)),
        matches=(Match(task=bad, a=bad, b=f"{bad}2"),),
        trainings=(Training(name=bad, report=report, curve=curve),),
        environment=Environment(outdo=bad, packages={bad: bad}, hardware=bad, sandbox=bad),
        notes=(bad,),
    )
    html = render(study, results(study))
    told = Page(html)
    assert told.named("img") == []
    assert len(told.named("script")) == 1
    assert bad in told.text
    assert "49" not in told.text
    assert not [name for _, tag in told.tags for name in tag if name.startswith("on")]


def test_better_and_worse_are_told_by_more_than_colour(sample: Page) -> None:
    study = SAMPLE
    worse = dataclasses.replace(
        study, matches=(Match(task="repair", a="base, few-shot", b="tuned"),)
    )
    assert "▲ better" in sample.text
    assert "▼ worse" in page(worse).text
    assert set(wording.SIGNS) == {"better", "worse", "equivalent", "inconclusive"}
    assert len(set(wording.SIGNS.values())) == 4


def test_the_ruler_points_to_the_better_side() -> None:
    study = SAMPLE
    assert "← base, few-shot better no difference tuned better →" in page(study).text
    lower = dataclasses.replace(RPASS, better="lower")
    flipped = dataclasses.replace(study, metrics={"repair": (lower,)})
    assert "← tuned better no difference base, few-shot better →" in page(flipped).text
    assert "tuned is worse than base, few-shot" in page(flipped).text


def test_every_program_has_a_row_that_says_who_won(sample: Page) -> None:
    rows = [tag["data-side"] for tag in sample.named("tr") if "data-side" in tag]
    assert len(rows) == 156
    assert (rows.count("won"), rows.count("lost")) == (99, 0)
    assert sample.text.count("program-01") >= 60


def test_a_study_without_anything_is_still_a_page() -> None:
    bare = Findings(
        study="empty", examples={}, metrics={}, contestants=(), environment=Environment(outdo="0")
    )
    assert "Nothing was compared." in page(bare).text
    study = SAMPLE
    alone = dataclasses.replace(study, contestants=study.contestants[:1], matches=(), slices=())
    assert "Nothing was compared." in page(alone).text


def test_signatures_that_forbid_the_comparison_are_named_as_the_reason() -> None:
    other = Score(metric="rpass", by="another", value=1.0)
    tuned = dataclasses.replace(
        SAMPLE.contestants[2],
        rows=tuple(Row(example=name, scores=(other,)) for name in SAMPLE.examples),
    )
    match = Match(task="repair", a="tuned", b="base, few-shot")
    study = dataclasses.replace(
        SAMPLE, contestants=(SAMPLE.contestants[1], tuned), matches=(match,), slices=()
    )
    told = page(study).text
    assert "Nothing was compared: what was to be has no scores of one signature." in told
    assert "RPass (2)" in told


def test_won_and_lost_follow_what_is_better() -> None:
    lower = dataclasses.replace(RPASS, better="lower")
    one = dataclasses.replace(SAMPLE, metrics={"repair": (lower,)}, slices=())
    assert " 99, 0 " in page(dataclasses.replace(SAMPLE, slices=())).text
    assert " 0, 99 " in page(one).text


def test_several_tasks_stand_apart() -> None:
    study = findings(problems=6, programs=12, unseen=0)
    again = tuple(dataclasses.replace(one, task="hint") for one in study.contestants)
    both = dataclasses.replace(
        study,
        metrics={"repair": (RPASS,), "hint": (RPASS,)},
        contestants=study.contestants + again,
        slices=(),
    )
    told = page(both).text
    assert "Scores: repair" in told
    assert "Scores: hint" in told


PAIR = Metric(name="accuracy", heading="Accuracy", better="higher", unit="share")


def preferences() -> Findings:
    """Pairs of programs, each shown in both orders to a model of three runs and to a floor."""
    examples = {
        f"pair-{i:02}": Example(
            id=f"pair-{i:02}",
            task="prefer",
            given={
                "statement": "Return the sum.",
                "criterion": "that it passes the tests",
                "first": f"def f{i}(x):\n    return sum(x)\n",
                "second": f"def f{i}(x):\n    return 0\n",
            },
            wanted={"choice": "first"},
            group=f"problem-{i % 8}",
            split="test",
            source="s",
        )
        for i in range(40)
    }

    def judge(name: str, wrong: int, runs: int, **more: object) -> Contestant:
        rows = tuple(
            Row(
                example=example,
                view=view,
                run=run,
                reply="AB"[view],
                scores=(Score(metric="accuracy", by="v1", value=float(i % wrong > view)),),
            )
            for run in range(runs)
            for i, example in enumerate(examples)
            for view in range(2)
        )
        return Contestant(name=name, task="prefer", rows=rows, **more)  # type: ignore[arg-type]

    return Findings(
        study="preferences",
        item="pair",
        examples=examples,
        metrics={"prefer": (PAIR,)},
        contestants=(
            judge("judge", 9, 3, trainings=("a", "b", "c")),
            judge("floor/first", 2, 1, floor=True, reference=True),
        ),
        matches=(Match(task="prefer", a="judge", b="floor/first"),),
        environment=Environment(outdo="0"),
    )


def test_another_task_speaks_of_its_own_items() -> None:
    study = preferences()
    told = page(study).text
    for said in (
        "judge is better than floor/first",
        "on 40 held-out pairs of 8 problems; mean of 3 training runs.",
        "what is counted is the distinct pair, 40 in all",
        "By pair",
        "criterion that it passes the tests",
        "second def f",
        "; replies are those of the first run.",
    ):
        assert said in told, said
    assert "program" not in told
    assert "each diff is from" not in told
    assert "pairs.csv" in dict(tables(study, results(study)))


def test_both_orders_of_a_pair_are_no_two_attempts() -> None:
    told = results(preferences()).tables[0]
    assert [column.name for column in told.columns] == ["accuracy"]
    assert told.lines[1].cells["accuracy"].n == 40


def test_large_studies_stay_small_pages() -> None:
    study = findings(problems=400, programs=2_000, models=5)
    html = render(study, results(study))
    assert len(html.encode()) < 1_500_000
    assert html.count("data-side=") > 1_900


def test_long_texts_are_cut_aloud() -> None:
    study = findings(problems=4, programs=8, unseen=0)
    long = {
        name: dataclasses.replace(one, given={**one.given, "statement": "x" * 1_000_000})
        for name, one in study.examples.items()
    }
    html = render(dataclasses.replace(study, examples=long), results(study))
    assert len(html) < 200_000
    assert "996,000 more characters" in html
