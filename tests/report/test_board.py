"""The leaderboard: who is told by whom, in which order, and what is never told."""

from __future__ import annotations

import dataclasses

import pytest
from judged_sample import REFERENCE, judged, published

from outdo.errors import DataError
from outdo.records import Measure, Standing
from outdo.report import Findings, Judge, ModelCard, Results, results
from outdo.report.board import Board, Parts, believed, counted, headline_judge, part_of, ties
from outdo.report.jury import said, signs

STUDY = judged(models=3, judges=3, believed=2, items=36, tasks=("describe", "review"))


@pytest.fixture(scope="module")
def found() -> Results:
    return results(STUDY)


@pytest.fixture(scope="module")
def board(found: Results) -> Board:
    assert found.board is not None
    return found.board


def of(study: Findings) -> Board:
    told = results(study).board
    assert told is not None
    return told


def untrusted(study: Findings) -> Findings:
    judges = tuple(dataclasses.replace(one, believed=False) for one in study.judges)
    return dataclasses.replace(study, judges=judges)


def small(*standings: Standing, **more: object) -> Findings:
    """Standings alone, by one judge that is believed."""
    judge = Judge(name="j", model="m", family="f", way="ask", believed=True, why="")
    base = dataclasses.replace(published(), published=(), judges=(judge,), standings=standings)
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]


def stands(who: str, against: str = "ref", *, half: float | None = 0.5, **more: object) -> Standing:
    told: dict = {"task": "t", "judge": "j", "won": 1, "lost": 1, "tied": 0}
    rates = (
        Measure(name="loss", value=0.25, n=8),
        Measure(name="half", value=half, n=8),
        Measure(name="dropped", value=0.75, n=6),
    )
    return Standing(contestant=who, against=against, **{**told, "rates": rates, **more})


def test_no_board_without_judges_or_cards() -> None:
    assert results(published()).board is None


def test_each_task_has_a_judged_column_and_its_first_metric(board: Board) -> None:
    assert [(one.task, one.heading) for one in board.asked] == [
        ("describe", "preferred by the panel"),
        ("describe", "Valid"),
        ("review", "preferred by the panel"),
        ("review", "Bugs found"),
    ]
    assert {one.against for one in board.asked} == {REFERENCE, None}
    assert {one.ties for one in board.asked} == {"half", None}
    assert counted(board, 0) == 36


def test_a_cell_is_the_standing_or_the_tables_own_number(found: Results, board: Board) -> None:
    name = "llama-3b-instruct tuned"
    place = next(one for one in board.places if one.name == name)
    rate = next(
        rate
        for one in STUDY.standings
        if (one.judge, one.task, one.contestant, one.part) == ("panel", "describe", name, "")
        for rate in one.rates
        if rate.name == "half"
    )
    assert place.cells[0] == rate
    line = next(line for line in found.tables[0].lines if line.contestant.name == name)
    assert place.cells[1] is not None
    assert place.cells[1].value == line.cells["valid"].value


def test_the_best_come_first_and_the_reference_is_even_with_itself() -> None:
    told = of(small(stands("low", half=0.3), stands("high", half=0.7), stands("mute", half=None)))
    assert [place.name for place in told.places] == ["high", "low", "mute"]
    with_reference = small(
        stands("low", half=0.3), stands("high", half=0.7), stands("ref", "else", half=0.9)
    )
    assert [place.name for place in of(with_reference).places] == ["high", "ref", "low"]
    assert [place.cells[0] for place in of(with_reference).places][1] is None


def test_ties_are_counted_as_the_study_says() -> None:
    for way, value in (("loss", 0.25), ("half", 0.5), ("dropped", 0.75)):
        told = of(small(stands("a"), ties={"t": way}))
        cell = told.places[0].cells[0]
        assert cell is not None
        assert cell.value == value
    assert ties(small(stands("a")), "t") == "half"


def test_a_judge_that_is_not_believed_is_in_no_cell() -> None:
    told = of(untrusted(STUDY))
    assert {one.judge for one in told.asked} == {None}
    assert {gain.asked.judge for gain in told.gains} == {None}
    assert {part.asked.judge for part in told.parts} == {None}
    assert all(not one.standings for one in said(untrusted(STUDY)))
    alone = dataclasses.replace(STUDY, cards={}, judges=untrusted(STUDY).judges)
    assert {one.judge for one in of(alone).asked} == {None}


def test_a_panel_is_believed_as_long_as_one_of_its_judges_is() -> None:
    assert believed(STUDY, "panel")
    assert not believed(STUDY, "judge-3")
    assert not believed(untrusted(STUDY), "panel")
    assert headline_judge(untrusted(STUDY), "describe") is None
    without = tuple(one for one in STUDY.standings if one.judge != "panel")
    assert headline_judge(dataclasses.replace(STUDY, standings=without), "describe") == "judge-1"


def test_nobody_is_told_of_a_judge_whom_the_study_doesnt_know() -> None:
    told = of(small(stands("a"), judges=()))
    assert told.asked == ()
    assert told.places == ()


def test_before_and_after_is_paired(board: Board) -> None:
    assert len(board.gains) == 3 * 4
    one = next(gain for gain in board.gains if gain.name == "llama-3b-instruct tuned")
    assert (one.before, one.asked.judge) == ("llama-3b-instruct", "panel")
    assert one.verdict is not None
    mine = STUDY.preferred["panel", "describe", one.name]
    other = STUDY.preferred["panel", "describe", one.before]
    gap = sum((mine[id] or 0) - (other[id] or 0) for id in mine) / len(mine)
    assert one.verdict.found.difference == pytest.approx(gap)
    assert one.verdict.found.groups == 18
    metric = next(gain for gain in board.gains if gain.asked.heading == "Valid")
    assert metric.verdict is not None
    assert metric.now is not None
    assert metric.was is not None
    gap = (metric.now.value or 0) - (metric.was.value or 0)
    assert metric.verdict.found.difference == pytest.approx(gap)


def test_without_preferences_by_example_there_is_no_verdict_of_before_and_after() -> None:
    told = of(dataclasses.replace(STUDY, preferred={}))
    for gain in told.gains:
        assert (gain.verdict is None) == (gain.asked.judge is not None)
        assert gain.was is not None


def test_who_was_fine_tuned_from_the_reference_is_held_against_even() -> None:
    name = "qwen-coder-0.5b tuned"
    cards = {name: ModelCard(before=REFERENCE)}
    told = of(dataclasses.replace(STUDY, cards=cards))
    gain = told.gains[0]
    assert gain.was is None
    assert gain.now is not None
    assert gain.now.value is not None
    assert gain.verdict is not None
    assert gain.verdict.found.difference == pytest.approx(gain.now.value - 0.5)


def test_whoever_has_no_before_in_a_table_has_no_row_of_before_and_after() -> None:
    name = "llama-3b-instruct tuned"
    told = of(dataclasses.replace(STUDY, cards={name: ModelCard(before="nobody here")}))
    assert told.gains == () and any(place.name == name for place in told.places)
    other = of(dataclasses.replace(STUDY, cards={"nobody here": ModelCard(before=name)}))
    assert other.gains == ()


def test_a_preference_for_an_unknown_example_is_said() -> None:
    preferred = {("panel", "describe", "x"): {"nowhere": 1.0}}
    with pytest.raises(DataError, match="panel judged x on an unknown example 'nowhere'"):
        results(dataclasses.replace(STUDY, preferred=preferred))


def part(board: Board, field: str, task: str, judge: str | None) -> Parts:
    return next(
        one
        for one in board.parts
        if (one.field, one.asked.task, one.asked.judge) == (field, task, judge)
    )


def test_parts_are_told_by_judge_and_by_metric(board: Board) -> None:
    assert {(one.field, one.asked.judge) for one in board.parts} == {
        ("language", "panel"),
        ("size", "panel"),
        ("language", None),
    }
    languages = part(board, "language", "review", "panel")
    assert languages.names == ("Python", "TypeScript", "Go")
    assert len(languages.lines) == 6
    assert all(cell is not None and cell.n == 12 for _, cells in languages.lines for cell in cells)
    scored = part(board, "language", "review", None)
    assert len(scored.lines) == 7


def test_a_part_that_names_no_field_is_one_by_itself() -> None:
    assert part_of("language: C++: new") == ("language", "C++: new")
    assert part_of("unseen problems") == ("part", "unseen problems")


def test_sorts_of_models_are_means_over_models(board: Board) -> None:
    names = [(one.name, one.tuned) for one in board.sorts]
    assert names == [
        *((name, tuned) for name in ("base", "instruct") for tuned in (False, True)),
        *((name, tuned) for name in ("code", "general") for tuned in (False, True)),
    ]
    cells = {one.name: one.cells[0] for one in board.places}
    told = next(one for one in board.sorts if (one.name, one.tuned) == ("instruct", True)).cells[0]
    rates = [
        cell.value
        for name in ("qwen-coder-1.5b-instruct tuned", "llama-3b-instruct tuned")
        if (cell := cells[name]) and cell.value is not None
    ]
    assert told == pytest.approx((sum(rates) / 2, min(rates), max(rates), 2))
    one_kind = {name: dataclasses.replace(card, kind="base") for name, card in STUDY.cards.items()}
    told_of = of(dataclasses.replace(STUDY, cards=one_kind))
    assert {one.name for one in told_of.sorts} == {"code", "general"}


def test_missing_values_are_no_zeros() -> None:
    told = of(small(stands("a", half=None), stands("b", rates=()), cards={"c": ModelCard(size=3)}))
    cells = {place.name: place.cells[0] for place in told.places}
    assert cells["a"] == Measure(name="half", value=None, n=8)
    assert cells["b"] is None
    assert counted(told, 0) is None


def test_signs_of_health_line_up_by_name() -> None:
    told = signs(STUDY.judges)
    assert [one.name for one in told][:2] == ["known task", "agreement between orders"]
    last = told[-1]
    assert last.name == "sensitivity"
    assert [cell is not None for cell in last.cells] == [False, True, False]


def test_what_a_judge_said_is_told_for_each_task() -> None:
    told = list(said(STUDY))
    assert [(one.judge, one.task, one.believed) for one in told][:3] == [
        ("panel", "describe", True),
        ("panel", "review", True),
        ("judge-1", "describe", True),
    ]
    assert [one.judge for one in said(STUDY, headline=True)] == ["panel", "panel"]
    assert told[0].more == ("length",)
    assert all(not one.part for each in told for one in each.standings)
