"""What the report is told: the words for groups, and each table's own margin."""

from __future__ import annotations

from dataclasses import replace

import pytest
import world as world_module
from test_carry import carried
from world import STUDY, World

from outdo.sandbox import Sandbox


@pytest.mark.parametrize(
    ("group", "noun"), [("{problem}", "problem"), ("student-{n}", "student"), ("team {n}", "group")]
)
def test_groups_are_called_what_they_are(world: World, group: str, noun: str) -> None:
    world.rows = [
        replace(row, group=group.format(problem=row.given["problem"], n=i % 4))
        for i, row in enumerate(world.rows)
    ]
    report = carried(world)
    assert world.findings[0].group == noun
    assert f" {noun}" in report.sentence


def test_what_training_did_not_see_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    note = "3 of 90 rows were dropped: 3 longer than 2048 tokens (by up to 12)"
    monkeypatch.setitem(world_module.REPORT, "notes", [note])
    carried(world)
    assert world.findings[0].notes == (
        "one row was dropped",
        f"the training 'tuned': {note}",
    )


def test_scores_of_programs_that_ran_without_a_sandbox_stay_marked(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, free = world.tools, replace(world.tools, sandbox=lambda: Sandbox(tier="none", workers=1))
    monkeypatch.setattr(World, "tools", free)
    carried(world, STUDY, "limit=2")
    monkeypatch.setattr(World, "tools", held)
    carried(world, STUDY, "limit=2")
    assert [findings.notes[1:] for findings in world.findings] == [
        ("10 programs ran without a sandbox, where a program can forge its outcome",)
    ] * 2


def test_each_table_has_its_own_margin(world: World) -> None:
    table = STUDY.partition("  repair:\n")[2].rstrip()
    text = f"{STUDY.rstrip()}\n    margin: 0.01\n  other:\n{table}\n    margin: 0.2\n"
    carried(world, text)
    assert world.findings[0].margins == {
        ("repair", "rpass"): 0.01,
        ("repair, other", "rpass"): 0.2,
    }
