"""What engines note of how they were asked reaches the report, and stays with what is stored."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_carry import carried
from test_judges import JUDGED, wise
from world import STUDY, World, examples

from outdo.models.reference import ModelReference

NOTE = "./small takes no seed (the server refuses it)"


class _Noting:
    """An engine that notes something once it has been asked."""

    def __init__(self, engine: object) -> None:
        self.engine = engine
        self.model, self.served_by = engine.model, "script"  # type: ignore[attr-defined]
        self.notes: tuple[str, ...] = ()

    def complete(self, requests):  # type: ignore[no-untyped-def]
        for said in self.engine.complete(requests):  # type: ignore[attr-defined]
            self.notes = (NOTE,)
            yield said


@pytest.fixture
def noting(world: World, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the models whose engines note something."""
    names: set[str] = set()
    tools = world.tools

    def engine(model: ModelReference, ask: object) -> object:
        made = tools.engine(model, ask)  # type: ignore[arg-type]
        return _Noting(made) if model.name in names else made

    monkeypatch.setattr(World, "tools", replace(tools, engine=engine))
    return names


def test_a_note_is_told_once_and_again_from_what_is_stored(world: World, noting: set[str]) -> None:
    noting.add("./small")
    carried(world, STUDY, "limit=4")
    noting.clear()
    world.asked.clear()
    carried(world, STUDY, "limit=4")
    assert world.asked == []
    assert [found.notes.count(NOTE) for found in world.findings] == [1, 1]


def test_a_judges_engine_is_heard_too(world: World, noting: set[str]) -> None:
    world.rows = examples(problems=12, train=2, test=1)
    world.say = wise
    carried(world, JUDGED)
    assert NOTE not in world.findings[0].notes
    noting.add("./wise")
    carried(world, JUDGED, "judges.wise.max_tokens=900")
    assert world.findings[1].notes.count(NOTE) == 1
