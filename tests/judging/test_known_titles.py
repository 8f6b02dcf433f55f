"""The known task on real pull requests: who looks at the change is believed, others are not."""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from contests import completion, said

from outdo.judging import way
from outdo.judging.known import Belief, believed, known_task
from outdo.judging.nouns import Contest
from outdo.records import Example

Score = Callable[[str, str], float]


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    path = Path(os.environ.get("OUTDO_DATA", folder)) / "pull-requests-permissive" / "prs.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"{path} isn't there: set OUTDO_DATA")
    found = []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for _, line in zip(range(1500), lines, strict=False):
            row = json.loads(line)
            if len(row["diff"]) < 8_000:
                found.append(
                    Example(
                        id=f"{row['repo']}#{row['number']}",
                        task="describe",
                        given={"diff": row["diff"]},
                        wanted={"title": row["title"]},
                        group=row["repo"],
                        split="test",
                        source="pull requests",
                    )
                )
    return found


def words(text: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Za-z]{4,}", text)}


def tried(contests: tuple[Contest, ...], score: Score, groups: dict[str, str]) -> Belief:
    """The belief in a judge that goes by a number of each title."""
    ask, judgements = way("ask"), []
    for contest in contests:
        for asked in ask.prompts(contest):
            first, second = (
                score(contest.request[0].content, title) for title in contest.shown(asked.order)
            )
            letter = "tie" if first == second else "A" if first > second else "B"
            reply = completion(asked, said(asked, letter))
            judgements.append(ask.judged(asked, reply, by="judge"))
    return believed(judgements, groups)


def test_only_a_judge_that_looks_at_the_change_is_believed(examples: list[Example]) -> None:
    groups = {each.id: each.group for each in examples}
    contests = known_task(examples)
    assert len(contests) == 100

    def looks(request: str, title: str) -> float:
        return len(words(title) & words(request)) / max(1, len(words(title)))

    looking = tried(contests, looks, groups)
    assert looking.believed, looking.why
    assert looking.measure.value is not None and looking.measure.value > 0.75
    for blind in (lambda _, title: len(title), lambda _, title: -len(title)):
        belief = tried(contests, blind, groups)
        assert not belief.believed, belief.why
