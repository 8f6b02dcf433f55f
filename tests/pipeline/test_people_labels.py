"""People's labels in a study: agreement with a judge, and the rate that both tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_carry import carried
from test_judges import JUDGED, wise
from world import World, examples

from outdo.errors import DataError, StudyError

PROBLEMS = 12
TWO = JUDGED.replace("[tuned, base, base few-shot]", "[tuned, base]").replace(
    "against: [base, base few-shot]", "against: [base]"
)


@pytest.fixture
def world(world: World) -> World:
    world.rows = examples(problems=PROBLEMS, train=2, test=1)
    world.say = wise
    return world


def labels(folder: Path, rows: list[str]) -> Path:
    path = folder / "labels.csv"
    path.write_text("item,rater,choice\n" + "".join(f"{row}\n" for row in rows))
    return path


def people(world: World, path: Path) -> tuple[str, str]:
    return f"data_root={world.root}", f"compare.repair.people={path.name}"


def test_labels_tell_of_the_judge_and_of_the_rate(world: World) -> None:
    ids = [one.id for one in world.rows if one.split == "test"]
    rows = [f"{id},ann,{'a' if n else 'b'}" for n, id in enumerate(ids[:10])]
    rows += [f"{id},bob,a" for id in ids[:10]]
    carried(world, TWO, *people(world, labels(world.root, [*rows, "nobody,ann,a"])))
    (found,) = world.findings
    signs = {one.name: one for one in found.judges[0].health}
    agreed = signs["agrees with people, repair"]
    assert (agreed.value, agreed.n) == (0.9, 10), "ann and bob differ on one: a tie"
    rate, alone = (signs[f"rate {way} labels, tuned: base"] for way in ("with", "of"))
    assert rate.value == pytest.approx(0.95) and rate.n == PROBLEMS
    assert alone.value == pytest.approx(0.95) and alone.n == 10
    assert rate.low is not None and rate.low < 0.95
    assert "kappa with people, repair" in signs and "alpha with people, repair" in signs
    (between,) = (one for one in found.agreement if "raters" in one.name)
    assert between.name == "alpha of 2 raters, repair"
    assert between.value is not None and between.value < 1
    assert any("1 of 11 items" in note and "'nobody'" in note for note in found.notes)


def test_a_mistake_in_labels_is_told_before_anybody_is_asked(world: World) -> None:
    path = labels(world.root, ["x,ann,a", "y,ann,maybe"])
    with pytest.raises(DataError, match=r"labels\.csv:3: choice is 'maybe'") as caught:
        carried(world, TWO, *people(world, path))
    assert "compare.repair.people" in caught.value.where
    assert world.asked == []


def test_labels_without_judges_are_refused(world: World) -> None:
    text = TWO.replace("    judges: [wise]\n    judge_against: base\n", "    people: labels.csv\n")
    with pytest.raises(StudyError, match="none judges"):
        world.study(text)
