from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest

from outdo.data.people import SCALES, Rating, preferences, read_ratings
from outdo.errors import DataError
from outdo.judging.truth import agreement, told

HEADER = "id,index,diff,review,system,Con (P),Comp (R),Rel (F)\n"


@pytest.fixture(scope="module")
def crscore() -> Path:
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("OUTDO_DATA", folder)) / "crscore-human"
    if not folder.is_dir():
        pytest.skip(f"{folder} isn't there: set OUTDO_DATA")
    return folder


def write(folder: Path, rows: str, *, name: str = "py_ann.csv", header: str = HEADER) -> Path:
    (folder / name).write_text(header + rows, encoding="utf-8")
    return folder


def test_ratings_become_preferences_within_a_change(tmp_path: Path) -> None:
    rows = (
        '7,1,"@@ -1 +1 @@",Wrong.,x,1,1,1\n,,,Right.,y,5,3,4\n,,,Fine.,z,5,3,4\n,,,Unrated.,w,,,\n'
    )
    rows += '8,2,"@@ -2 +2 @@",Alone.,x,2,2,2\n'
    ratings = read_ratings(write(tmp_path, rows))
    assert [(each.system, each.scores["relevance"]) for each in ratings] == [
        ("x", 1),
        ("y", 4),
        ("z", 4),
        ("x", 2),
    ]
    assert ratings[1].diff == "@@ -1 +1 @@" and ratings[1].rater == "ann"
    found = {(one.comparison.a, one.comparison.b): one.choice for one in preferences(ratings)}
    assert found == {("x", "y"): "b", ("x", "z"): "b", ("y", "z"): "tie"}


@pytest.mark.parametrize(
    ("rows", "header", "problem"),
    [
        ("7,1,d,r,x,6,1,1\n", HEADER, "not 1 to 5"),
        ("7,1,d,r,x,1,,1\n", HEADER, "not 1 to 5"),
        (",,,r,x,1,1,1\n", HEADER, "before the first change"),
        ("7,1,d,r,x,1,1\n", HEADER.replace(",Rel (F)", ""), "no column 'Rel"),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, rows: str, header: str, problem: str
) -> None:
    with pytest.raises(DataError, match=problem) as caught:
        read_ratings(write(tmp_path, rows, header=header))
    assert caught.value.where.endswith("py_ann.csv:2")


def test_a_folder_without_ratings_and_a_double_rating_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no ratings"):
        read_ratings(tmp_path)
    write(tmp_path, '7,1,"d",r,x,1,1,1\n,,,r,x,2,2,2\n')
    with pytest.raises(DataError, match="rated x twice"):
        preferences(read_ratings(tmp_path))
    with pytest.raises(DataError, match="one of precision"):
        preferences([], scale="beauty")


def test_the_published_ratings_are_read(crscore: Path) -> None:
    ratings = read_ratings(crscore)
    assert len(ratings) == 490 + 490 + 479 + 500
    assert len({each.system for each in ratings}) == 10
    found = preferences(ratings)
    assert {one.by for one in found} == {"people/atharva", "people/marcus"}
    # Each change was rated by one of the two, so that they can't be held against each other.
    raters: dict[str, set[str]] = {}
    for each in ratings:
        raters.setdefault(each.example, set()).add(each.rater)
    assert all(len(names) == 1 for names in raters.values())
    assert sum(one.choice == "tie" for one in found) < len(found) / 2


def _by_length(ratings: tuple[Rating, ...]) -> dict[tuple[str, str, str], float]:
    """A judge that prefers the longer review, whatever it says."""
    cells: dict[str, list[Rating]] = {}
    for each in ratings:
        cells.setdefault(each.example, []).append(each)
    found = {}
    for example, group in cells.items():
        ordered = sorted(group, key=lambda each: each.system)
        for place, one in enumerate(ordered):
            for other in ordered[place + 1 :]:
                gap = len(one.reply) - len(other.reply)
                found[example, one.system, other.system] = 0.5 + (gap > 0) / 2 - (gap < 0) / 2
    return found


def test_agreement_with_people_tells_a_judge_from_a_bad_one(crscore: Path) -> None:
    ratings = tuple(each for each in read_ratings(crscore) if each.language == "py")
    people = told(preferences(ratings))
    related = told(preferences(ratings, scale="precision"))
    length = _by_length(ratings)
    measures = [agreement(judge, people) for judge in (people, related, length)]
    kappas = [each[1] for each in measures]
    values = [kappa.value for kappa in kappas if kappa.value is not None]
    assert values[0] == 1 and all(high > low for high, low in pairwise(values))
    assert 0.7 < values[1] < 0.9 and -0.1 < values[2] < 0.3
    for kappa in kappas[1:]:
        assert kappa.low is not None and kappa.high is not None
        assert kappa.low < (kappa.value or 0) < kappa.high
        assert kappa.n == len(people)
    assert set(SCALES) == {"precision", "completeness", "relevance"}
