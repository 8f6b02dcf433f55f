"""Published rates: their intervals, and which of them can't be told apart."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdo.cli.studies import run_study
from outdo.errors import StudyError
from outdo.pipeline.published import (
    Share,
    gaps_of,
    needed,
    newcombe_apart,
    p_value,
    published_of,
    score_test,
)
from outdo.study import PublishedTable, load_study

STUDY = """\
study: course
published:
  programs repaired:
    n: 25
    source: A table of three ways.
    rows:
      low: {rate: 0.6}
      middle: {count: 19}
      high: {rate: 0.84, n: 25}
"""

TABLE = PublishedTable.model_validate(
    {"n": 25, "rows": {"low": {"rate": 0.6}, "middle": {"rate": 0.76}, "high": {"rate": 0.84}}}
)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "course.yaml"
    path.write_text(STUDY)
    return path


shares = st.integers(min_value=5, max_value=400).flatmap(
    lambda n: st.builds(
        Share, name=st.just("x"), successes=st.integers(0, n).map(float), n=st.just(n)
    )
)


def test_an_interval_of_a_difference_is_the_published_one() -> None:
    # Newcombe 1998, Statistics in Medicine 17, 873, table II: method 10, contrasts a, c and g.
    for a, b, limits in (
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
    ):
        found = newcombe_apart(
            Share(name="a", successes=a[0], n=a[1]),
            Share(name="b", successes=b[0], n=b[1]),
            level=0.95,
        )
        assert found == pytest.approx(limits, abs=1e-4)


def test_the_score_test_is_the_chi_squared_test_of_a_table() -> None:
    from scipy.stats import chi2_contingency

    a, b = Share(name="a", successes=21, n=25), Share(name="b", successes=15, n=25)
    told = chi2_contingency([[21, 4], [15, 10]], correction=False).pvalue
    assert score_test(a, b) == pytest.approx(told)


@given(shares, shares)
def test_an_interval_holds_its_difference_and_turns_with_it(a: Share, b: Share) -> None:
    low, high = newcombe_apart(a, b, level=0.95)
    assert -1 <= low <= a.value - b.value <= high <= 1
    assert newcombe_apart(b, a, level=0.95) == pytest.approx((-high, -low))
    wide = newcombe_apart(a, b, level=0.99)
    assert wide[0] <= low and high <= wide[1]
    assert score_test(a, b) == pytest.approx(score_test(b, a))


def test_so_many_items_tell_two_rates_apart_four_times_of_five() -> None:
    import numpy as np

    a, b = Share(name="a", successes=21, n=25), Share(name="b", successes=15, n=25)
    n = needed(a, b)
    assert n is not None
    draw = np.random.default_rng(1)
    told = [
        score_test(Share(name="a", successes=x, n=n), Share(name="b", successes=y, n=n)) < 0.05
        for x, y in zip(draw.binomial(n, 0.84, 4000), draw.binomial(n, 0.6, 4000), strict=True)
    ]
    assert np.mean(told) == pytest.approx(0.8, abs=0.03)
    assert needed(a, a) is None


def test_rows_of_few_items_are_not_told_apart() -> None:
    found = published_of("programs repaired", TABLE)
    assert [(row.name, row.value, row.n) for row in found.rows] == [
        ("low", 0.6, 25),
        ("middle", 0.76, 25),
        ("high", 0.84, 25),
    ]
    assert [one.name for one in found.pairs] == ["middle - low", "high - low", "high - middle"]
    assert all(one.low is not None and one.low < 0 for one in found.pairs)
    assert sum("can't be told apart" in one for one in found.sentences) == 3


def test_pairs_are_corrected_for_how_many_there_are() -> None:
    rows = [Share(name=name, successes=k, n=100) for name, k in (("a", 60), ("b", 45), ("c", 44))]
    gap = gaps_of(rows)[0]
    assert score_test(rows[0], rows[1]) < 0.05 < gap.p
    alone = newcombe_apart(rows[0], rows[1], level=0.95)
    assert gap.low < alone[0] and alone[1] < gap.high


def test_a_rate_that_no_count_gives_is_told() -> None:
    table = PublishedTable.model_validate(
        {"n": 300, "rows": {"after": {"rate": 0.407}, "before": {"rate": 0.036}}}
    )
    assert (table.is_whole("after"), table.is_whole("before")) == (True, False)
    said = " ".join(published_of("better", table).sentences)
    assert "No whole number of items gives the rate of before (3.6% of 300)" in said
    assert "Told apart, all pairs taken together: after above before." in said


def test_a_published_study_is_told(study: Path, tmp_path: Path) -> None:
    assert run_study(study, log_dir=tmp_path / "runs") == 0
    found = json.loads((tmp_path / "runs/course/report/results.json").read_text())
    (table,) = found["published"]
    assert [row["value"] for row in table["rows"]] == [0.6, 0.76, 0.84]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("{rate: 0.6}", "{rate: 0.6, count: 15}", "a rate or a count"),
        ("{rate: 0.6}", "{}", "a rate or a count"),
        ("{rate: 0.6}", "{rate: 60}", "less than or equal to 1"),
        ("{count: 19}", "{count: 26}", "26 of 25 is no rate"),
        ("    n: 25\n", "", "set n"),
        ("{count: 19}", "{cuont: 19}", "did you mean 'count'?"),
        ("    source:", "    sauce:", "did you mean 'source'?"),
    ],
)
def test_mistakes_in_published_rates_are_told(study: Path, old: str, new: str, told: str) -> None:
    assert STUDY.count(old) == 1
    study.write_text(STUDY.replace(old, new))
    with pytest.raises(StudyError) as error:
        run_study(study, log_dir=study.parent / "runs")
    assert told in str(error.value)


def test_published_rates_come_to_no_verdict(study: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="no verdict"):
        run_study(study, log_dir=tmp_path, expect="better")
    with pytest.raises(StudyError, match="published rates"):
        load_study(study)


def test_many_rows_are_told_together() -> None:
    rates = {"a": 0.9, "b": 0.5, "c": 0.5, "d": 0.49, "e": 0.1}
    rows = {name: {"rate": rate} for name, rate in rates.items()}
    said = published_of("t", PublishedTable.model_validate({"n": 100, "rows": rows})).sentences
    assert said[0] == "Of 10 pairs 7 can be told apart, all taken together."
    assert said[1:3] == ("a above b, c, d and e.", "b, c and d above e.")
    assert said[3].startswith("All other pairs can't be told apart")


def test_whole_counts_are_tested_exactly() -> None:
    a, b = (
        Share(name=name, successes=k, n=25, is_whole=True) for name, k in (("a", 21), ("b", 19))
    )
    assert p_value(a, b) == pytest.approx(0.725, abs=5e-4)
    assert score_test(a, b) < 0.5
    assert p_value(replace(a, is_whole=False), b) == score_test(a, b)
